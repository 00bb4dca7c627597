"""The answers of a process of components: calls, and the parts of keys that its environment decides."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from relet.core.artifact import ArtifactType
from relet.core.code import FirstPartyCode
from relet.core.installed import Distributions
from relet.core.record import Caveat
from relet.core.signature import read_component
from relet.core.using import under_names
from relet.engine.calling import call_here
from relet.engine.packages import files_of_no_package, packages_used, watch_versions
from relet.environments import integrity
from relet.errors import ComponentError, ReletError
from relet.names import PACKAGE
from relet.project.call import CallResult, ComponentCall, InputFolder
from relet.project.folder import open_project
from relet.project.importing import CodePlace
from relet.project.key import code_parts
from relet.project.processor import blas_in_use
from relet.project.surroundings import machine

# Installed files that are what their package says, with their states then: path → state.
checked_files: dict[str, integrity.FileStamp] = {}
# The modules that were loaded before the first call of this process.
_at_start: frozenset[str] = frozenset()


def note_loaded_modules() -> None:
    """Note what is loaded before a call: it was checked when another call had it imported."""
    global _at_start
    _at_start = frozenset(sys.modules)


def place_of(question: Mapping[str, Any]) -> CodePlace:
    return CodePlace(
        folder=Path(question["folder"]),
        home=Path(question["home"]),
        digests=question["digests"],
        modules=question["modules"],
        roots=tuple(question.get("roots", ())),
    )


def answer_to(question: Mapping[str, Any], working_folder: str | None) -> dict[str, Any]:
    """The answer to a question, or the error that it led to.

    The working folder is the project's, unless another one is given.
    """
    try:
        if (variables := question.get("variables")) is not None:
            os.environ.clear()
            os.environ.update(variables)
        if path := question.get("path"):
            sys.path[:] = path
        # A process that the component starts would trust byte code that is as old and as long as the source.
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        os.chdir(working_folder or question["home"])
        return _ANSWERS[question["ask"]](question)
    except KeyboardInterrupt:
        return {"interrupted": True}
    # SystemExit, too: a component that calls sys.exit() must not end this process without an answer.
    except BaseException as error:
        own = isinstance(error, ReletError)
        message = str(error) if own else f"{type(error).__name__}: {error}"
        kind = type(error).__name__ if own else "ComponentError"
        lines = [asdict(each) for each in getattr(error, "lines", ())]
        # What the component raised says all of it.
        trace = "".join(traceback.format_exception((lines and error.__cause__) or error))
        learned = {name: dict(getattr(error, name, {})) for name in ("undeclared", "looked_at")}
        settings = dict(error.settings) if isinstance(error, ReletError) else {}
        offered = {"settings": settings} if settings else {}
        return {"error": {"type": kind, "message": message, "trace": trace, "lines": lines, **offered, **learned}}


def _answer_parts(question: Mapping[str, Any]) -> dict[str, Any]:
    project = open_project(question["pipeline"], Path(question["root"]))
    components = [project.pipeline.component(name) for name in question["components"]]
    parts_by_name = code_parts(project, components, question["components"])
    parts = {name: asdict(parts) for name, parts in parts_by_name.items()}
    return {"parts": parts, "installed": Distributions.installed().versions}


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
    place = place_of(question)
    code = FirstPartyCode((place.folder, *(place.folder / each for each in place.roots), PACKAGE.parent))
    module = question["module"]
    read = read_component(question["component"], module, place.folder / place.modules[module], code)
    call = ComponentCall(
        # whoever asks may be an older relet, which uses no component under other names
        component=under_names(read, question.get("step"), question.get("names", {})),
        place=place,
        code=question["code"],
        inputs={name: _input_folder(each) if each else None for name, each in question["inputs"].items()},
        arguments=question["arguments"],
        files=tuple(Path(file) for file in question["files"]),
        scratch=Path(question["scratch"]),
    )
    with watch_versions() as asked:
        try:
            called = call_here(call, alone=True, debug=False)
        except ComponentError as error:
            error.looked_at = {**error.looked_at, **packages_used(asked, _at_start, place)}
            raise
    used = packages_used(asked, _at_start, place, called.installed)
    lone = files_of_no_package(called.installed)
    caveats = (*called.caveats, *(Caveat(kind="file", what=each) for each in lone))
    undeclared = {**called.undeclared, **lone}
    return _call_answer(
        replace(called, caveats=caveats, undeclared=undeclared, looked_at={**called.looked_at, **used})
    )


def _call_answer(called: CallResult) -> dict[str, Any]:
    checked: dict[str, integrity.FileStamp] = dict(checked_files)
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
            "state": each.state,
        }
        for name, each in called.outputs.items()
    }
    return {
        "outputs": outputs,
        "caveats": [asdict(each) for each in caveats],
        "undeclared": dict(called.undeclared),
        "looked_at": dict(called.looked_at),
        "kept": [str(each) for each in called.kept],
        "machine": {**machine(), **blas_in_use()},
        "packages": _packages_loaded_here(),
        "checked": {file: stamp for file, stamp in checked.items() if checked_files.get(file) != stamp},
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
