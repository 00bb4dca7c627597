"""What a component touched beside what it was given: Python's audit hooks see opened files, sockets, programs.

What a library opens in native code (DuckDB, Arrow) is not seen, nor is a clock or a variable that is read:
`relet run --check-determinism` is for those.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from relet.core.record import Caveat
from relet.names import PACKAGE

# How many of one kind a record lists.
MOST = 8
# What a program finds there belongs to the machine, which a run's record names.
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
    "/opt",
    "/System",
    "/Library",
)
_NETWORK = frozenset(("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"))
_PROCESS = frozenset(("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"))


@dataclass
class AccessLog:
    """What was opened, connected to and started, in the order of the first time; `made` are files written anew."""

    files: dict[str, None] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    addresses: dict[str, None] = field(default_factory=dict)
    programs: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ReadPermissions:
    """What a component may read: below `paths`, and of the code below `root` the modules named in `code`."""

    root: Path
    code: frozenset[str]
    paths: tuple[Path, ...]


_touched: AccessLog | None = None
_installed = False


@contextmanager
def watch_process() -> Iterator[AccessLog]:
    """Watch what this process touches. An audit hook can't be taken out again: it is put in once."""
    global _touched, _installed
    if not _installed:
        sys.addaudithook(_audit_hook)
        _installed = True
    before, touched = _touched, AccessLog()
    _touched = touched
    children = _children()
    try:
        yield touched
    finally:
        _touched = before
        if _children() != children:
            touched.programs["processes of its own"] = None


def _children() -> str:
    """How many processes multiprocessing has made, as it counts them: it starts them without an audit event."""
    return str(getattr(sys.modules.get("multiprocessing.process"), "_process_counter", "count(1)"))


def _audit_hook(event: str, arguments: tuple[Any, ...]) -> None:
    # Called for everything that Python audits, thousands of times an import: nothing is worked out here.
    note = _NOTES.get(event)
    if note is not None and _touched is not None:
        note(_touched, event, arguments)


def _note_opened_file(touched: AccessLog, _: str, arguments: tuple[Any, ...]) -> None:
    path, _mode, flags = arguments
    if not isinstance(path, str | bytes):
        return
    text = os.fsdecode(path)
    name = text if text.startswith(os.sep) else f"{_working_folder()}{os.sep}{text}"
    mode = flags if isinstance(flags, int) else 0
    if mode & (os.O_TRUNC | os.O_EXCL):
        touched.made.add(name)
    elif mode & os.O_ACCMODE != os.O_WRONLY and name not in touched.made:
        touched.files[name] = None


def _working_folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109  (a path object for each opened file would cost more)
    except OSError:
        return ""


def _note_connection(touched: AccessLog, event: str, arguments: tuple[Any, ...]) -> None:
    where = arguments[-1] if event in ("socket.connect", "socket.sendto") else arguments
    if event == "socket.connect" and isinstance(where, str | bytes):
        # a socket of this machine's own, by which processes that belong together talk
        return
    if isinstance(where, tuple) and len(where) > 1:
        shown = f"{_argument_text(where[0])}:{_argument_text(where[1])}"
    else:
        shown = _argument_text(where[0] if isinstance(where, tuple) and where else where)
    touched.addresses[shown] = None


def _note_database(touched: AccessLog, _: str, arguments: tuple[Any, ...]) -> None:
    _note_opened_file(touched, "open", (arguments[0], None, os.O_RDONLY))


def _note_program(touched: AccessLog, event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("os.fork", "os.forkpty"):
        shown = "a copy of its own process"
    else:
        shown = Path(_argument_text(arguments[0])).name if event != "os.system" else _argument_text(arguments[0])
    touched.programs[shown] = None


def _argument_text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


_NOTES = {
    "open": _note_opened_file,
    "sqlite3.connect": _note_database,
    **dict.fromkeys(_NETWORK, _note_connection),
    **dict.fromkeys(_PROCESS, _note_program),
}


def caveats(touched: AccessLog, allowed: ReadPermissions) -> tuple[Caveat, ...]:
    """What of all that can't be promised to be the same again."""
    may_read = _absolute_and_resolved(allowed.paths) | _installation_paths()

    below = tuple(f"{path}{os.sep}" for path in may_read)
    # most of what is opened are the modules of packages: those are told apart by the letters of their path
    files = (file for file in touched.files if ".." in file or not file.startswith(below))
    asked = (Path(os.path.normpath(file)) for file in files)
    found = dict.fromkeys(each for file in asked if (each := _about_file(file, allowed, may_read)))
    found |= dict.fromkeys(Caveat(kind="network", what=each) for each in touched.addresses)
    found |= dict.fromkeys(Caveat(kind="process", what=each) for each in touched.programs)
    return tuple(_first_caveats(found))


def _first_caveats(found: Iterable[Caveat]) -> Iterator[Caveat]:
    """At most so many of a kind, and how many there were."""
    seen: dict[str, int] = {}
    for each in found:
        seen[each.kind] = seen.get(each.kind, 0) + 1
        if seen[each.kind] <= MOST:
            yield each
    yield from (Caveat(kind=kind, what=f"{count - MOST} more") for kind, count in seen.items() if count > MOST)


def _about_file(file: Path, allowed: ReadPermissions, may_read: frozenset[Path]) -> Caveat | None:
    if may_read & {file, *file.parents} or may_read & {*(real := file.resolve()).parents, real}:
        return None
    # a pipe, a folder, or a file that is not there: what was tried and failed decides nothing new
    if not file.is_file():
        return None
    if not file.is_relative_to(allowed.root):
        home = Path.home()
        return Caveat(kind="file", what=f"~/{file.relative_to(home)}" if file.is_relative_to(home) else str(file))
    name = file.relative_to(allowed.root).as_posix()
    module = _module(name)
    if module is None:
        return Caveat(kind="file", what=name)
    return None if module in allowed.code else Caveat(kind="import", what=module)


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
def _installation_paths() -> frozenset[Path]:
    """Where the interpreter, the installed packages, relet itself and the system lie."""
    folders = {sys.prefix, sys.base_prefix, sys.exec_prefix, site.getuserbase(), *_SYSTEM}
    folders |= {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    # a folder of packages that was put on the path by hand: each says its version, which is in the key
    folders |= {entry for entry in sys.path if entry and any(Path(entry).glob("*.dist-info"))}
    return _absolute_and_resolved([PACKAGE, *map(Path, folders)])


def _absolute_and_resolved(paths: Iterable[Path]) -> frozenset[Path]:
    """Paths as they are written, and where they lead."""
    return frozenset(each for path in paths for each in (path.absolute(), path.resolve()))
