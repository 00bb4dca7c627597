"""The process that calls components for another one: `python -P -m relet.engine.worker --root … --pipeline …`.

Questions come on standard input, answers go out on what was standard output, a line of JSON each. What a component
prints goes to standard error, and what it would read from standard input is empty.
"""

from __future__ import annotations

import argparse
import json
import os
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from relet.core.artifact import ArtifactType
from relet.data.rows import FileState
from relet.engine import disturbance
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
        # whoever asks was interrupted as well, and says so
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
    _send_answer(answers, {"protocol": PROTOCOL, "machine": machine()})
    for question in questions:
        _send_answer(answers, _answer_or_error(json.loads(question), chosen.pipeline, chosen.root))


def own_streams() -> tuple[Iterator[str], TextIO]:
    """This process's streams for questions and answers, out of the reach of components and what they fork."""
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    # A forked process that outlives this one would hold them open, and whoever asks would wait for it.
    for stream in (questions, answers):
        os.register_at_fork(after_in_child=partial(os.close, stream.fileno()))
    return iter(questions.readline, ""), answers


def _send_answer(answers: TextIO, answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _answer_or_error(question: Mapping[str, Any], pipeline: str, root: Path) -> dict[str, Any]:
    """The answer to a question, or the error that came of it. Each question opens the project as it is then."""
    try:
        return _ANSWERS[question["ask"]](open_project(pipeline, root), question)
    except KeyboardInterrupt:
        raise
    # SystemExit, too: a component that calls sys.exit() must not end in silence
    except BaseException as error:
        own = isinstance(error, ReletError)
        message = str(error) if own else f"{type(error).__name__}: {error}"
        kind = type(error).__name__ if own else "ComponentError"
        return {"error": {"type": kind, "message": message, "trace": traceback.format_exc()}}


def _answer_parts(project: Project, question: Mapping[str, Any]) -> dict[str, Any]:
    components = [project.pipeline.component(name) for name in question["components"]]
    # an older relet, which knew of no modules that parameters name, asks without them
    found = code_parts(project, components, question.get("parameters", {}))
    return {"parts": {name: asdict(parts) for name, parts in found.items()}}


def _input_folder(laid_out: Mapping[str, Any]) -> InputFolder:
    state = laid_out.get("verified")
    return InputFolder(
        folder=Path(laid_out["folder"]),
        type=ArtifactType(laid_out["type"]),
        verified=FileState(*state) if state else None,
    )


def _answer_call(project: Project, question: Mapping[str, Any]) -> dict[str, Any]:
    inputs = {name: _input_folder(laid) if laid else None for name, laid in question["inputs"].items()}
    call = ComponentCall(
        component=project.pipeline.component(question["component"]),
        root=project.root,
        code=question["code"],
        inputs=inputs,
        arguments=question["arguments"],
        files=tuple(Path(file) for file in question["files"]),
        scratch=Path(question["scratch"]),
    )
    return as_answer(call_here(call))


def as_answer(called: CallResult) -> dict[str, Any]:
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
