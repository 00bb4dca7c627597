"""Calls the function of one component: reads its inputs, writes its outputs, and watches what else it touches."""

from __future__ import annotations

import os
import pdb
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

from relet.core.code import FirstPartyCode
from relet.core.component import Component, Input
from relet.core.definitions import REST
from relet.core.record import Caveat, is_module_inside
from relet.engine.documents import document_taken, refuse_other_document
from relet.engine.lookups import noted, unnoted
from relet.engine.observing import ReadPermissions, caveats, places_looked_at, undeclared_files, watch_process
from relet.engine.opened_files import AccessLog
from relet.engine.traces import code_lines
from relet.engine.values import read_artifact, write_artifacts
from relet.errors import BadDataError, ComponentError, ReletError
from relet.files import space_advice
from relet.names import PACKAGE
from relet.project.call import CallResult, ComponentCall, InputFolder, WrittenOutput
from relet.project.groups import with_groups
from relet.project.importing import FirstPartyFinder, import_code, importing

# The folder for temporary files and the loaded modules belong to the process: in one process components are called
# one after the other, whichever thread runs them.
_call_lock = threading.Lock()
# Held while the folder for temporary files is set. The list holds, during a call, the folder from before it.
_temporary_folder_lock = threading.Lock()
_folder_before_call: list[str] = []
# A call in this process shares its state with whatever ran here before.
SHARED_PROCESS = Caveat(kind="process", what="in relet's own process, as --pdb does")


def call_here(call: ComponentCall, *, alone: bool, debug: bool) -> CallResult:
    """Call the function in this process, and write what it returns below `scratch`; nothing is stored.

    `alone` says that this process is there for this call only: then relet's own modules are those of the code tree
    as well. Raises ComponentError where the function raised an error (with `debug` pdb opens there first), or
    returned something else than its signature promises.
    """
    component = call.component
    laid_out = [place.folder for place in call.inputs.values() if place]
    allowed = ReadPermissions(
        folder=call.place.folder,
        home=call.place.home,
        paths=(
            *(each for each in call.files if not each.is_relative_to(call.place.folder)),
            *laid_out,
            call.scratch,
        ),
        declared=declared_files(call),
        in_parts=frozenset(_files_held_in_parts(call)),
        resources=_resources(call),
    )
    finder = _finder_of(call, alone)
    with (
        _call_lock,
        _temporary_files_in(call.scratch),
        importing(finder),
        watch_process(allowed) as touched,
        _own_classes(call, finder),
    ):
        with unnoted():
            inputs = [_read_input(each, call.inputs[each.name]) for each in component.inputs]
        try:
            modules = import_code((component.module, *component.modules(call.arguments)))
            function = getattr(modules[component.module], component.function_name)
            taken = map(document_taken, component.inputs, inputs)
            returned = function(*taken, **with_groups(component, call.arguments))
            outputs = _written_outputs(component, returned, call.scratch / "outputs")
        except ReletError as error:
            # what relet says is in its words, and not in the line of its own that raised it
            lines = (each for each in code_lines(error, call.place) if not each.file.startswith("relet/"))
            error.lines = error.lines or tuple(lines)
            raise
        # SystemExit, too: a component that calls sys.exit() has failed, and the run has to report it.
        except (Exception, SystemExit) as error:
            if debug:
                pdb.post_mortem(_component_traceback(error))
            # A file's name may hold bytes that are no text, which no record can store.
            space = space_advice(error, folder_outside_calls())
            said = f"{error}{_hint_on_outside(error, call)}{_hint_on_extra(error)}{space}"
            message = said.encode(errors="backslashreplace").decode()
            told = ComponentError(f"{component.name} raised {type(error).__name__}: {message}")
            told.lines = code_lines(error, call.place)
            with unnoted():
                told.undeclared, told.looked_at = _learned(touched, finder, allowed)
            raise told from error.with_traceback(_component_traceback(error))
    undeclared, places = _learned(touched, finder, allowed)
    return CallResult(
        outputs=outputs,
        caveats=caveats(touched, allowed, finder.undeclared),
        undeclared=undeclared,
        looked_at=places,
        kept=tuple(_kept_modules(call, finder, undeclared)),
        installed=tuple(touched.installed),
    )


def _learned(
    touched: AccessLog, finder: FirstPartyFinder, allowed: ReadPermissions
) -> tuple[dict[str, str], dict[str, str]]:
    """What a call read and nothing declares, and the places that it asked about, as a record has them."""
    touched.texts |= finder.texts.keys()
    touched.files.update((place, sha256(source).hexdigest()) for place, source in finder.texts.items())
    undeclared = undeclared_files(touched, allowed) | {
        path: sha256(source).hexdigest() for path, source in finder.undeclared.items()
    }
    return undeclared, finder.lookups | places_looked_at(touched, allowed, undeclared)


def _hint_on_extra(error: BaseException) -> str:
    """What to install where a step needs a package that comes with an extra."""
    if isinstance(error, ModuleNotFoundError):
        from relet.archives.making import EXTRAS

        if error.name in EXTRAS:
            return f"; pip install 'relet[{error.name}]'"
    return ""


def _hint_on_outside(error: BaseException, call: ComponentCall) -> str:
    """What to do where a step looks above the laid-out folder for a file that lies above the project's."""
    folder, home = call.place.folder, call.place.home
    for text in re.findall(r"/[^\s'\",:;)]*", str(error)):
        way = os.path.relpath(text, folder)
        beside = Path(os.path.normpath(home / way))
        if way.startswith(os.pardir) and not Path(text).exists() and beside.exists():
            return (
                f"; {beside} lies outside the project's folder, and the code of a run is laid out elsewhere: give "
                "it to the step by a parameter that is a Source, or put it into the project and name it in "
                "resources="
            )
    return ""


@contextmanager
def _own_classes(call: ComponentCall, finder: FirstPartyFinder) -> Iterator[None]:
    """Let models hold classes of the project that it trusts, with the code that this call runs."""
    # here, so that it is that of the code tree
    from relet.archives.own_code import DECLARATION, OwnCode, own_code_of_call

    place = call.place
    folders = (place.folder, *(place.folder / each for each in place.roots), PACKAGE.parent)

    def imported(module: str) -> ModuleType:
        with noted():
            return import_code([module])[module]

    own = OwnCode(
        root=place.home,
        declaration=place.folder / DECLARATION,
        code=FirstPartyCode(folders),
        imported=imported,
        quietly=unnoted,
        declare=finder.declare,
    )
    with own_code_of_call(own):
        yield


def _read_input(taken: Input, place: InputFolder | None) -> Any:
    """An input in its container; None where it is absent."""
    try:
        return read_artifact(place, taken.container) if place else None
    except BadDataError as error:
        raise BadDataError(f"the input {taken.name}: {error}") from error


def _written_outputs(component: Component, returned: Any, folder: Path) -> dict[str, WrittenOutput]:
    """What the function returned as files. An error names the component, the output and the place in the value."""
    values = _outputs_by_name(component, returned)
    try:
        for each in component.outputs:
            refuse_other_document(each, values[each.name])
        return write_artifacts(component.outputs, values, folder)
    except (BadDataError, ComponentError) as error:
        raise type(error)(f"{component.name}: {error}") from error


def _kept_modules(call: ComponentCall, finder: FirstPartyFinder, undeclared: dict[str, str]) -> Iterator[Path]:
    """Write the modules of the project that nothing declares below `scratch`.

    One that was read by other means than an import, and that is another by now, has no digest any more.
    """
    folder = call.scratch / "undeclared"
    for path, digest in undeclared.items():
        if not (digest and is_module_inside(path)):
            continue
        content = finder.undeclared.get(path) or (call.place.folder / path).read_bytes()
        if sha256(content).hexdigest() == digest:
            folder.mkdir(exist_ok=True)
            (folder / digest).write_bytes(content)
            yield folder / digest
        else:
            undeclared[path] = ""


def _resources(call: ComponentCall) -> tuple[str, ...]:
    """The files and folders of the tree that the component declares, by their paths in the project."""
    folder = call.place.folder
    return tuple(
        Path(os.path.normpath(file)).relative_to(folder).as_posix()
        for file in call.files
        if file.is_relative_to(folder)
    )


def declared_files(call: ComponentCall) -> dict[str, str]:
    """The files of the tree that are resources or modules of the component, with their digests."""
    place, below = call.place, _resources(call)
    resources = (name for name in place.digests if any(f"{name}/".startswith(f"{each}/") for each in below))
    modules = (place.modules[name] for name in call.code if name in place.modules)
    return {name: place.digests[name] for name in (*resources, *modules)}


def _files_held_in_parts(call: ComponentCall) -> Iterator[str]:
    """The files of the modules of which the key leaves out functions."""
    for module, digest in call.code.items():
        if digest.startswith(REST) and module in call.place.modules:
            yield call.place.modules[module]


def _finder_of(call: ComponentCall, alone: bool) -> FirstPartyFinder:
    own = {name: path for name, path in call.place.modules.items() if alone or not name.startswith("relet.")}
    return FirstPartyFinder(call.place, own, call.code)


def _component_traceback(error: BaseException) -> Any:
    """The traceback without the first frame, which is relet's own: `up` in pdb then ends in the component."""
    trace = error.__traceback__
    return trace.tb_next if trace and trace.tb_next else trace


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    with _temporary_folder_lock:
        before = tempfile.tempdir
        _folder_before_call.append(tempfile.gettempdir())
        tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        with _temporary_folder_lock:
            _folder_before_call.pop()
            tempfile.tempdir = before


def folder_outside_calls() -> str:
    """The folder for temporary files that outlive a component's call, which another thread may be in."""
    with _temporary_folder_lock:
        return _folder_before_call[0] if _folder_before_call else tempfile.gettempdir()


def _outputs_by_name(component: Component, returned: Any) -> dict[str, Any]:
    """What the function returned, by the artifacts' names."""
    names = [output.name for output in component.outputs]
    if not names:
        return {}
    if not isinstance(returned, tuple) or len(returned) != len(names):
        raise ComponentError(
            f"{component.name} returned a {type(returned).__name__}; "
            f"its signature promises the artifacts {', '.join(names)}"
        )
    return dict(zip(names, returned, strict=True))
