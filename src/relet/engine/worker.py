"""The process that calls components for another one: `python -P -m relet.engine.worker`.

It imports packages, and no first-party module. A copy of this process, which is forked off, answers each question
and ends with it: no call finds anything that another one left behind.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import importlib.util
import json
import os
import select
import signal
import sys
import sysconfig
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TextIO

from relet.core.artifact import ArtifactType
from relet.core.code import FirstPartyCode
from relet.core.record import Caveat
from relet.core.signature import read_component
from relet.engine import disturbance
from relet.engine.answering import close_in_children, how_a_process_ended, own_streams, send_answer
from relet.engine.calling import call_here
from relet.engine.descent import adopt_orphans, end_with_parent, kill_with_descendants
from relet.environments import integrity
from relet.errors import ReletError
from relet.names import PACKAGE
from relet.project.call import CallResult, ComponentCall, InputFolder
from relet.project.folder import open_project
from relet.project.importing import CodePlace, set_library_defaults
from relet.project.key import code_parts
from relet.project.processor import blas_in_use
from relet.project.surroundings import machine

# Raised when a question or an answer changes its meaning: whoever asks may be a newer relet than this one.
PROTOCOL = 3
# Where installed packages lie.
_INSTALLED = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("purelib", "platlib"))
# Seconds that a call's own process has to end, once it has answered.
PATIENCE = 2.0

# The modules that were loaded when this copy was forked off.
_at_start: frozenset[str] = frozenset()
# Installed files that are what their package says, with their states then: path → state.
_checked_files: dict[str, integrity.FileStamp] = {}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    disturbance.add_options(parser)
    chosen = parser.parse_args(arguments)
    questions, answers = own_streams()
    set_library_defaults()
    gc.disable()  # this process only imports
    adopt_orphans()
    disturbance.disturb_process(chosen)
    # Whoever asks is interrupted as well, and ends this process; the copy that calls says that it was interrupted.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    send_answer(answers, {"protocol": PROTOCOL, "machine": machine()})
    _serve(chosen, questions, answers)
    sys.stderr.flush()
    # Unloading the packages would take a while, and some complain of what was set aside for the copies.
    os._exit(0)


def _serve(chosen: argparse.Namespace, questions: TextIO, answers: TextIO) -> None:
    tasks: deque[Callable[[], object]] = deque()
    ahead = True
    _checked_files.update(integrity.recall_checked())
    while True:
        while tasks and not select.select([questions], [], [], 0)[0]:
            tasks.popleft()()
        if not (line := questions.readline()):
            return
        question = json.loads(line)
        if question["ask"] == "prepare":
            ahead = question["ahead"]
            tasks += _preparations(question)
            continue
        copy = _CallProcess(question, chosen)
        answer = copy.answer(questions.fileno(), tasks)
        # What the packages are is the same for each call: the next one finds those of this one imported.
        packages = answer.pop("packages", ())
        tasks += (partial(_import_package, name) for name in packages if ahead)
        checked = {file: tuple(stamp) for file, stamp in answer.pop("checked", {}).items()}
        _checked_files.update(checked)
        send_answer(answers, answer)
        copy.end()
        if checked:
            integrity.keep_checked(_checked_files)


def _preparations(question: Mapping[str, Any]) -> Iterator[Callable[[], object]]:
    yield from (partial(_import_package, name) for name in question["packages"])
    place = _place_of(question)
    yield from (partial(place.compile, path) for path in place.modules.values())


def _import_package(name: str) -> None:
    """Import a module ahead, if it is of an installed package: any other may be edited between two calls."""
    with suppress(Exception, SystemExit):
        spec = importlib.util.find_spec(name.partition(".")[0])
        places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
        if any(str(each).startswith(_INSTALLED) for each in places if each):
            importlib.import_module(name)


def _place_of(question: Mapping[str, Any]) -> CodePlace:
    return CodePlace(
        folder=Path(question["folder"]),
        home=Path(question["home"]),
        digests=question["digests"],
        modules=question["modules"],
        roots=tuple(question["roots"]),
    )


class _CallProcess:
    """A copy of this process that answers one question."""

    def __init__(self, question: Mapping[str, Any], chosen: argparse.Namespace) -> None:
        self._answers, into = os.pipe()
        self._ended = False
        parent = os.getpid()
        sys.stderr.flush()
        # What is loaded by now is no garbage: a copy that looked through it would copy its memory.
        gc.freeze()
        self._pid = os.fork()
        if self._pid == 0:
            gc.enable()
            os.close(self._answers)
            _draw_anew()
            _answer_and_end(question, chosen, into, parent)
        os.close(into)

    def answer(self, asker: int, tasks: deque[Callable[[], object]]) -> dict[str, Any]:
        """The answer, or how the copy ended without one. Meanwhile this process works on `tasks`.

        `asker` is the file descriptor of questions: where it ends, nobody asks any more.
        """
        content = b""
        while not content.endswith(b"\n"):
            ready = select.select([self._answers, asker], [], [], 0 if tasks else None)[0]
            if not ready:
                tasks.popleft()()
            elif self._answers in ready:
                piece = os.read(self._answers, 1 << 16)
                content += piece
                if not piece:
                    break
            else:
                kill_with_descendants(self._pid)
                os._exit(1)
        os.close(self._answers)
        if content.endswith(b"\n"):
            answer: dict[str, Any] = json.loads(content)
            return answer
        status = self.end()
        if status is None:
            return {"ended": "closed the line to whoever asks, and was killed"}
        return {"ended": how_a_process_ended(status, by_itself="ended its process")}

    def end(self) -> int | None:
        """Wait until the copy has ended; its status, or None where it did not end in time, and was killed."""
        if self._ended:
            return None
        self._ended = True
        until = time.monotonic() + 2 * PATIENCE
        while not (ended := os.waitpid(self._pid, os.WNOHANG))[0]:
            if time.monotonic() > until:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                return None
            time.sleep(0.002)
        return os.waitstatus_to_exitcode(ended[1])


def _draw_anew() -> None:
    """Give NumPy's global generator another state than the copies before have: Python's own gets it by itself."""
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _answer_and_end(question: Mapping[str, Any], chosen: argparse.Namespace, into: int, parent: int) -> NoReturn:
    global _at_start
    _at_start, status = frozenset(sys.modules), 1
    try:
        end_with_parent(parent)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        disturbance.disturb_call(chosen)
        own = os.getpid()
        close_in_children(into)
        answer = json.dumps(_answer_or_error(question, chosen.working_folder)).encode() + b"\n"
        # A process that the component forked, and that goes on after the call, has no answer to give.
        if os.getpid() == own:
            with os.fdopen(into, "wb") as file:
                file.write(answer)
            status = 0
        threading.Timer(PATIENCE, os._exit, [0]).start()
        atexit._run_exitfuncs()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _answer_or_error(question: Mapping[str, Any], working_folder: str | None) -> dict[str, Any]:
    """The answer to a question, or the error that it led to.

    The working folder is the project's, unless another one is given.
    """
    try:
        if (variables := question.get("variables")) is not None:
            os.environ.clear()
            os.environ.update(variables)
        if path := question.get("path"):
            sys.path[:] = path
        os.chdir(working_folder or question["home"])
        return _ANSWERS[question["ask"]](question)
    except KeyboardInterrupt:
        return {"interrupted": True}
    # SystemExit, too: a component that calls sys.exit() must not end this process without an answer.
    except BaseException as error:
        own = isinstance(error, ReletError)
        message = str(error) if own else f"{type(error).__name__}: {error}"
        kind = type(error).__name__ if own else "ComponentError"
        return {"error": {"type": kind, "message": message, "trace": traceback.format_exc()}}


def _answer_parts(question: Mapping[str, Any]) -> dict[str, Any]:
    project = open_project(question["pipeline"], Path(question["root"]))
    components = [project.pipeline.component(name) for name in question["components"]]
    parts_by_name = code_parts(project, components, question["components"])
    return {"parts": {name: asdict(parts) for name, parts in parts_by_name.items()}}


def _input_folder(place: Mapping[str, Any]) -> InputFolder:
    from relet.data.rows import FileState

    state = place.get("verified")
    return InputFolder(
        folder=Path(place["folder"]),
        type=ArtifactType(place["type"]),
        verified=FileState(*state) if state else None,
        trusted=place["trusted"],
    )


def _answer_call(question: Mapping[str, Any]) -> dict[str, Any]:
    place = _place_of(question)
    code = FirstPartyCode((place.folder, *(place.folder / each for each in place.roots), PACKAGE.parent))
    module = question["module"]
    call = ComponentCall(
        component=read_component(question["component"], module, place.folder / place.modules[module], code),
        place=place,
        code=question["code"],
        inputs={name: _input_folder(each) if each else None for name, each in question["inputs"].items()},
        arguments=question["arguments"],
        files=tuple(Path(file) for file in question["files"]),
        scratch=Path(question["scratch"]),
    )
    return _call_answer(call_here(call, alone=True))


def _call_answer(called: CallResult) -> dict[str, Any]:
    checked: dict[str, integrity.FileStamp] = dict(_checked_files)
    # A module that this copy was born with stays what it was when it was checked.
    passed = integrity.module_files(_at_start) & checked.keys()
    edited = integrity.edited_packages(integrity.loaded_files() - passed, checked)
    caveats = (*called.caveats, *(Caveat(kind="package", what=each) for each in edited))
    outputs = {
        name: {
            "type": each.type,
            "folder": str(each.folder),
            "content": each.content,
            "metadata": each.metadata,
            "notes": each.notes,
        }
        for name, each in called.outputs.items()
    }
    return {
        "outputs": outputs,
        "caveats": [asdict(each) for each in caveats],
        "undeclared": dict(called.undeclared),
        "kept": [str(each) for each in called.kept],
        "machine": {**machine(), **blas_in_use()},
        "packages": _packages_loaded_here(),
        "checked": {file: stamp for file, stamp in checked.items() if _checked_files.get(file) != stamp},
    }


def _packages_loaded_here() -> list[str]:
    """The modules of packages that this call loaded, in that order: the next one will want most of them."""
    return [name for name, module in list(sys.modules.items()) if name not in _at_start and _is_of_package(module)]


def _is_of_package(module: Any) -> bool:
    file = getattr(module, "__dict__", {}).get("__file__")
    return isinstance(file, str) and "site-packages" in file


_ANSWERS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "parts": _answer_parts,
    "call": _answer_call,
}


if __name__ == "__main__":
    main()
