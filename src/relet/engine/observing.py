"""What a component touched beside its inputs: Python's audit hooks see opened files, connections and programs.

The hooks do not see what a library opens in native code (DuckDB, Arrow), and no clock or variable that is read;
`relet run --check-determinism` finds what depends on those.
"""

from __future__ import annotations

import os
import shlex
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from relet.core.record import Caveat
from relet.engine.lookups import SHARED_MEMORY, LookupLog, absolute_name, looked_at, noting, watch_lookups
from relet.engine.opened_files import FILE_NOTES, AccessLog, digest_at, note_opening
from relet.names import PACKAGE

# How many caveats of one kind a record lists.
MOST = 8
# What lies in these folders belongs to the machine, which the record of a run names.
_SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc",
    "/proc",
    "/sys",
    "/dev",
    "/System",
    "/Library",
)
_NETWORK = frozenset(("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"))
_PROCESS = frozenset(("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"))


@dataclass(frozen=True, kw_only=True)
class ReadPermissions:
    """What a component may read: what lies below `paths`, and the files of the project that are `declared`.

    `folder` is where the project's code is laid out, `home` is the project's own folder. `declared` are the
    component's resources and modules, path in the project → SHA-256: to read one is no access as long as it is
    what the run was planned with. `in_parts` are the modules among them of which the key holds parts: the file
    says more than the key. `resources` are the files and folders that it declares, by these paths.
    """

    folder: Path
    home: Path
    paths: tuple[Path, ...]
    declared: Mapping[str, str] = field(default_factory=dict)
    in_parts: frozenset[str] = frozenset()
    resources: tuple[str, ...] = ()


_touched: AccessLog | None = None
_installed = False


@contextmanager
def watch_process(allowed: ReadPermissions | None = None) -> Iterator[AccessLog]:
    """Watch what this process touches beyond what is allowed. An audit hook can't be removed: it is added once."""
    global _touched, _installed
    if not _installed:
        sys.addaudithook(_audit_hook)
        _installed = True
    before, touched = _touched, _empty_log(allowed)
    _touched = touched
    children = _children()
    try:
        with watch_lookups(touched.lookups, partial(_note_descriptor, touched)) if allowed else nullcontext():
            yield touched
    finally:
        _touched = before
        if _children() != children:
            touched.programs["processes of its own"] = None


def _empty_log(allowed: ReadPermissions | None) -> AccessLog:
    if allowed is None:
        return AccessLog()
    passed = tuple(f"{path}{os.sep}" for path in _may_read(allowed))
    own = tuple(f"{path}{os.sep}" for path in (allowed.home, allowed.folder))
    # A project may lie below a folder of the system, or be the folder of an environment.
    inner = tuple(each for each in passed if each.startswith(own) and each not in own)
    sites = tuple(f"{path}{os.sep}" for path in package_folders())
    log = AccessLog(passed=passed, own=own, inner=inner, sites=sites)
    around = f"{allowed.folder.parent}{os.sep}"
    log.lookups = LookupLog(own=own, inner=inner, passed=(*passed, around), made=log.made)
    return log


def _note_descriptor(touched: AccessLog, name: str | None, flags: int) -> None:
    """Note a file that is opened from the descriptor of a folder, which no audit event names."""
    if name is None:
        touched.lost["what a folder's descriptor leads to"] = None
    else:
        note_opening(touched, name, flags)


def _children() -> str:
    """The count of processes that multiprocessing has started: it starts them without an audit event."""
    return str(getattr(sys.modules.get("multiprocessing.process"), "_process_counter", "count(1)"))


def _audit_hook(event: str, arguments: tuple[Any, ...]) -> None:
    # Python calls this thousands of times for each import: it has to be quick.
    # While Python exits it sets the names of this module to None, the log first.
    if _touched is not None and (note := _NOTES.get(event)) is not None and not hasattr(noting, "now"):
        noting.now = True
        try:
            note(_touched, event, arguments)
        finally:
            del noting.now


def _note_connection(touched: AccessLog, event: str, arguments: tuple[Any, ...]) -> None:
    where = arguments[-1] if event in ("socket.connect", "socket.sendto") else arguments
    if isinstance(where, str | bytes):
        # The address is a path: a socket by which processes of this machine talk.
        _note_socket(touched, where)
        return
    if isinstance(where, tuple) and len(where) > 1:
        address = f"{_argument_text(where[0])}:{_argument_text(where[1])}"
    else:
        address = _argument_text(where[0] if isinstance(where, tuple) and where else where)
    touched.addresses[address] = None


def _note_socket(touched: AccessLog, path: str | bytes) -> None:
    """Note a socket that is a path, or on Linux a name that begins with a zero byte.

    Those in the call's own folder for temporary files, and the system's own, are left out.
    """
    text = os.fsdecode(path)
    name = absolute_name(text) if not text.startswith("\0") else f"@{text[1:]}"
    if name and (name.startswith(touched.own) or not name.startswith(touched.passed)):
        touched.addresses[name.encode(errors="backslashreplace").decode()] = None


def _note_program(touched: AccessLog, event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("os.fork", "os.forkpty"):
        program = "a copy of its own process"
    elif event == "os.system":
        program = _argument_text(arguments[0])
    else:
        program = Path(_argument_text(arguments[0])).name
    touched.programs[program] = None
    for file in _files_of_program(event, arguments):
        note_opening(touched, file, os.O_RDONLY)


def _files_of_program(event: str, arguments: tuple[Any, ...]) -> Iterator[str]:
    """The files that the words of a command name, such as a script: it will probably read them.

    What else a program reads, nobody sees.
    """
    command = [arguments[0]] if event == "os.system" else arguments[1] if len(arguments) > 1 else ()
    folder = arguments[2] if event == "subprocess.Popen" and arguments[2] is not None else os.curdir
    words = [os.fsdecode(each) for each in command if isinstance(each, str | bytes | os.PathLike)]
    with suppress(ValueError):  # a command that no shell would take
        words += [part for word in words if " " in word for part in shlex.split(word)]
    modules = [after.replace(".", "/") for word, after in pairwise(words) if word == "-m"]
    places = (*words, *(f"{module}{end}" for module in modules for end in (".py", "/__main__.py")))
    with suppress(ValueError):
        found = (os.path.normpath(Path.cwd() / os.fsdecode(folder) / each) for each in places)
        yield from (each for each in dict.fromkeys(found) if Path(each).is_file())


def _argument_text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


_NOTES = {
    **FILE_NOTES,
    **dict.fromkeys(_NETWORK, _note_connection),
    **dict.fromkeys(_PROCESS, _note_program),
}


def caveats(touched: AccessLog, allowed: ReadPermissions, imported: Iterable[str] = ()) -> tuple[Caveat, ...]:
    """A caveat for each access that was not allowed, at most `MOST` of a kind, and how many more there were.

    `imported` are the project's files that were imported and not declared.
    """
    found = dict.fromkeys(Caveat(kind="import", what=_module(path) or path) for path in imported)
    read = {name: digest for name, (_, digest) in _names_read(touched, allowed).items()}
    # A library that shows a line of the step's own code reads what the run carries.
    own = {name for name in allowed.in_parts if read.get(name) == allowed.declared.get(name)}
    found |= dict.fromkeys(_file_caveat(name, allowed) for name in read if name not in own)
    found |= dict.fromkeys(Caveat(kind="network", what=each) for each in touched.addresses)
    found |= dict.fromkeys(Caveat(kind="process", what=each) for each in touched.programs)
    return tuple(_first_of_each_kind(found))


def undeclared_files(touched: AccessLog, allowed: ReadPermissions) -> dict[str, str]:
    """The files that were read and not allowed, by their names → the SHA-256 of what was read.

    It is "" where the file is another now than when it was opened: nobody knows what was read.
    """
    return {
        name: digest if digest == digest_at(str(place)) else ""
        for name, (place, digest) in _names_read(touched, allowed).items()
    }


def places_looked_at(
    touched: AccessLog, allowed: ReadPermissions, undeclared: Mapping[str, str]
) -> dict[str, str]:
    """The places that were asked about, by their names → what was there.

    What the key or the `undeclared` files say is left out.
    """
    return looked_at(
        touched.lookups,
        lambda place: _recorded_name(Path(place), allowed),
        declared=allowed.declared,
        read=undeclared,
    )


def _names_read(touched: AccessLog, allowed: ReadPermissions) -> dict[str, tuple[Path, str]]:
    """Each file that was read and not allowed: its name in a record → where it lies, and its digest when read."""
    may_read = _may_read(allowed)
    found: dict[str, tuple[Path, str]] = {}
    for text, digest in _digests_when_read(touched):
        file = Path(os.path.normpath(text)) if not Path(text).is_symlink() else Path(text)
        file, digest = _source_of_byte_code(file, digest)
        if any(_is_excused(each, may_read, allowed) for each in dict.fromkeys((file, file.resolve()))):
            continue
        # A pipe or a folder, from which nothing was read. A file that was read may be gone by now.
        if not digest and text not in touched.lost and not file.is_file():
            continue
        name = _recorded_name(file, allowed)
        # Of Python the key holds no comments and docstrings; who declares a source as a resource wants it so.
        as_text = (text in touched.texts or name in allowed.in_parts) and not _is_resource(name, allowed)
        if as_text or allowed.declared.get(name) != digest:
            found.setdefault(name, (file, digest))
    return found


def _is_resource(name: str, allowed: ReadPermissions) -> bool:
    return any(f"{name}/".startswith(f"{each}/") for each in allowed.resources)


def _digests_when_read(touched: AccessLog) -> Iterator[tuple[str, str]]:
    touched.texts |= touched.lookups.inspected
    yield from touched.files.items()
    yield from ((name, digest_at(name)) for name in touched.lookups.inspected)
    yield from ((name, "") for name in touched.lost)


def _is_excused(file: Path, may_read: frozenset[Path], allowed: ReadPermissions) -> bool:
    """Whether a file lies below a folder that may be read; of the project only folders in it are excused."""
    if str(file).startswith(SHARED_MEMORY):
        return False
    below = may_read & {file, *file.parents}
    own = [at for at in (allowed.home, allowed.folder) if file.is_relative_to(at)]
    return any(not own or any(at in each.parents for at in own) for each in below)


def _source_of_byte_code(file: Path, digest: str) -> tuple[Path, str]:
    """The source that byte code stands for, and its digest, where there is one: byte code is written anew."""
    if file.suffix != ".pyc" or file.parent.name != "__pycache__":
        return file, digest
    source = file.parent.parent / f"{file.name.partition('.')[0]}.py"
    return (source, digest_at(str(source))) if source.is_file() else (file, digest)


def _may_read(allowed: ReadPermissions) -> frozenset[Path]:
    return _absolute_and_resolved(allowed.paths) | _installation_paths()


def _recorded_name(file: Path, allowed: ReadPermissions) -> str:
    """What a record calls a file: by its path in the project, from the home folder on, or from the root.

    A record holds no bytes that are no text.
    """
    inside = next((at for at in (allowed.folder, allowed.home) if file.is_relative_to(at)), None)
    name = file.relative_to(inside).as_posix() if inside else outside_name(file)
    return name.encode(errors="backslashreplace").decode()


def outside_name(file: Path) -> str:
    """What a record calls a file outside the project: by its path from the home folder on, or from the root."""
    home = Path.home()
    return f"~/{file.relative_to(home).as_posix()}" if file.is_relative_to(home) else str(file)


def _first_of_each_kind(caveats: Iterable[Caveat]) -> Iterator[Caveat]:
    counts: dict[str, int] = {}
    for each in caveats:
        counts[each.kind] = counts.get(each.kind, 0) + 1
        if counts[each.kind] <= MOST:
            yield each
    yield from (Caveat(kind=kind, what=f"{count - MOST} more") for kind, count in counts.items() if count > MOST)


def _file_caveat(name: str, allowed: ReadPermissions) -> Caveat:
    outside = name.startswith(("/", "~/")) or name in allowed.declared
    module = None if outside else _module(name)
    return Caveat(kind="import", what=module) if module else Caveat(kind="file", what=name)


def _module(name: str) -> str | None:
    """The module that a file below the project's folder holds, as source or as byte code.

    >>> _module("pipelines/p/__pycache__/steps.cpython-311.pyc"), _module("pipelines/p/rows.csv")
    ('pipelines.p.steps', None)
    """
    path = Path(name)
    if path.suffix == ".pyc" and path.parent.name == "__pycache__":
        path = path.parent.parent / f"{path.name.partition('.')[0]}.py"
    if path.suffix not in (".py", ".pyc"):
        return None
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def package_folders() -> frozenset[Path]:
    """The folders that packages are installed in."""
    # With those that a person put on the path: the versions of the packages are in the key.
    folders = {entry for entry in sys.path if entry and any(Path(entry).glob("*.dist-info"))}
    return _absolute_and_resolved(map(Path, folders))


@cache
def _installation_paths() -> frozenset[Path]:
    """Where the interpreter, the installed packages, relet itself and the system lie."""
    folders = {sys.prefix, sys.base_prefix, sys.exec_prefix, site.getusersitepackages(), *_SYSTEM}
    folders |= {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return _absolute_and_resolved([PACKAGE, *map(Path, folders)]) | package_folders()


def _absolute_and_resolved(paths: Iterable[Path]) -> frozenset[Path]:
    """Paths as they are written, and where they lead."""
    return frozenset(each for path in paths for each in (path.absolute(), path.resolve()))
