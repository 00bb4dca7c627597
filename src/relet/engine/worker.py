"""The process that calls components for another one: `python -P -m relet.engine.worker --root … --pipeline …`."""

from __future__ import annotations

import argparse
import json
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from relet.core.artifact import ArtifactType
from relet.data.rows import FileState
from relet.engine import disturbance
from relet.engine.answering import own_streams, send_answer
from relet.engine.calling import call_here
from relet.errors import ReletError
from relet.project.call import CallResult, ComponentCall, InputFolder
from relet.project.folder import Project, open_project
from relet.project.key import code_parts
from relet.project.surroundings import machine

# Raised when a question or an answer changes its meaning: whoever asks may be a newer relet than this one.
PROTOCOL = 1


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True, type=Path, help="the project's folder")
    parser.add_argument("--pipeline", required=True, help="the pipeline's name")
    parser.add_argument("--shift-clock", type=float, metavar="SECONDS", help="let the clock show another time")
    parser.add_argument("--stop-clock", action="store_true", help="let the clock stand still")
    parser.add_argument("--one-cpu", action="store_true", help="use one processor, where there are several")
    parser.add_argument("--no-network", action="store_true", help="refuse every connection")
    chosen = parser.parse_args(arguments)
    questions, answers = own_streams()
    with suppress(KeyboardInterrupt):
        # Whoever asks was interrupted as well, and reports it.
        _serve(chosen, questions, answers)


def _serve(chosen: argparse.Namespace, questions: Iterator[str], answers: TextIO) -> None:
    if chosen.one_cpu:
        disturbance.use_one_cpu()
    if chosen.shift_clock is not None:
        disturbance.shift_clock(chosen.shift_clock)
    if chosen.stop_clock:
        disturbance.stop_clock()
    if chosen.no_network:
        disturbance.cut_network()
    send_answer(answers, {"protocol": PROTOCOL, "machine": machine()})
    for question in questions:
        send_answer(answers, _answer_or_error(json.loads(question), chosen.pipeline, chosen.root))


def _answer_or_error(question: Mapping[str, Any], pipeline: str, root: Path) -> dict[str, Any]:
    """The answer to a question, or the error that it led to. Each question opens the project anew."""
    try:
        return _ANSWERS[question["ask"]](open_project(pipeline, root), question)
    except KeyboardInterrupt:
        raise
    # SystemExit, too: a component that calls sys.exit() must not end this process without an answer.
    except BaseException as error:
        own = isinstance(error, ReletError)
        message = str(error) if own else f"{type(error).__name__}: {error}"
        kind = type(error).__name__ if own else "ComponentError"
        return {"error": {"type": kind, "message": message, "trace": traceback.format_exc()}}


def _answer_parts(project: Project, question: Mapping[str, Any]) -> dict[str, Any]:
    components = [project.pipeline.component(name) for name in question["components"]]
    # An older relet asks without parameters: it had none that name a module.
    parts_by_name = code_parts(project, components, question.get("parameters", {}))
    return {"parts": {name: asdict(parts) for name, parts in parts_by_name.items()}}


def _input_folder(place: Mapping[str, Any]) -> InputFolder:
    state = place.get("verified")
    return InputFolder(
        folder=Path(place["folder"]),
        type=ArtifactType(place["type"]),
        verified=FileState(*state) if state else None,
    )


def _answer_call(project: Project, question: Mapping[str, Any]) -> dict[str, Any]:
    inputs = {name: _input_folder(place) if place else None for name, place in question["inputs"].items()}
    call = ComponentCall(
        component=project.pipeline.component(question["component"]),
        root=project.root,
        code=question["code"],
        inputs=inputs,
        arguments=question["arguments"],
        files=tuple(Path(file) for file in question["files"]),
        scratch=Path(question["scratch"]),
    )
    return _call_answer(call_here(call))


def _call_answer(called: CallResult) -> dict[str, Any]:
    outputs = {
        name: {"type": each.type, "folder": str(each.folder), "content": each.content, "metadata": each.metadata}
        for name, each in called.outputs.items()
    }
    return {"outputs": outputs, "caveats": [asdict(each) for each in called.caveats], "machine": machine()}


_ANSWERS: dict[str, Callable[[Project, Mapping[str, Any]], dict[str, Any]]] = {
    "parts": _answer_parts,
    "call": _answer_call,
}


if __name__ == "__main__":
    main()
