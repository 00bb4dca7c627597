"""Notes which files a component opens, by Python's audit events, and where links and new names of files lead."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import unquote

from relet.core.lookups import NOTHING
from relet.engine.lookups import SHARED_MEMORY, LookupLog, absolute_name, caller_names, is_import, unnoted
from relet.project.places import at_place
from relet.project.telling import LEFT_OUT
from relet.project.tree import digest_of_file

# The modules that read a source to compile it.
_COMPILERS = ("_pytest.", "runpy", "relet.checks.suite", "relet.report.notebook", "marimo.")
# The modules of the standard library that list folders and take the names alone, and that make and remove files.
_FILE_MODULES = frozenset(("os", "pathlib", "glob", "shutil"))
# What SQLite keeps beside a database: the changes that are not in it yet, or those to take back.
_BESIDE_DATABASE = ("-wal", "-journal")


@dataclass
class AccessLog:
    """What was opened, connected to and started, in the order of the first time.

    `files` maps each file that was opened to read to the SHA-256 that it had then, "" where it has none, or where
    it was another file when it was opened again; `states` are what the system said of it. Those
    below one of `passed` are left out, unless they lie in the project (`own`) and that folder does not: those that
    do are `inner`. `made` are the files and folders that were made anew; to read them is no access. `texts` are
    the sources that were read as text, comments included. `lost` are places from which nobody knows what was read.
    `lookups` is what was asked about places. `installed` are the files below the folders of packages `sites`.
    """

    passed: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    installed: dict[str, None] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    states: dict[str, tuple[int, ...]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    lost: dict[str, None] = field(default_factory=dict)
    addresses: dict[str, None] = field(default_factory=dict)
    programs: dict[str, None] = field(default_factory=dict)
    lookups: LookupLog = field(default_factory=LookupLog)


def note_opened_file(touched: AccessLog, _: str, arguments: tuple[Any, ...]) -> None:
    path, _mode, flags = arguments
    if isinstance(path, str | bytes) and (name := absolute_name(path)) is not None:
        note_opening(touched, name, flags if isinstance(flags, int) else 0)


def note_opening(touched: AccessLog, name: str, flags: int) -> None:
    """Note that a file is opened; `name` is its absolute path."""
    if flags & os.O_EXCL:
        # It fails where anything is there.
        touched.lookups.note(name, at_place(name))
    if flags & (os.O_TRUNC | os.O_CREAT):
        _note_missing_folder(touched, name)
    if flags & (os.O_TRUNC | os.O_CREAT) and _is_new(name, flags):
        touched.made.add(name)
        return
    if flags & os.O_TRUNC:
        # It fails: there is a folder, none above it, or no right to write.
        touched.lookups.note(name, at_place(name))
        return
    name = touched.lookups.target(name)
    if flags & os.O_ACCMODE == os.O_WRONLY:
        return
    if name.endswith(".py") and name.startswith(touched.own) and _is_shown(name, touched):
        return
    if not _is_news(name, touched):
        return
    if not os.path.lexists(name):
        touched.lookups.note(name, NOTHING)
        if name in touched.files:
            touched.files[name] = ""
    else:
        _note_content(touched, name)


def note_left_out(touched: AccessLog, _: str, arguments: tuple[Any, ...]) -> None:
    """Note that a function is called which the key leaves out: the text of its module decides from now on."""
    touched.texts.add(arguments[0])
    _note_content(touched, arguments[0])


def _note_content(touched: AccessLog, name: str) -> None:
    """Note what a file holds; only one that was written since it was opened before is read again."""
    if touched.lookups.answers.get(name) == NOTHING:
        touched.lookups.note(name, at_place(name))
    state = _state(name)
    if touched.states.get(name) == state:
        return
    digest = digest_at(name)
    if touched.files.setdefault(name, digest) != digest:
        touched.files[name] = ""
    touched.states[name] = state


def _state(name: str) -> tuple[int, ...]:
    try:
        found = os.stat(name)  # noqa: PTH116  (called for each file that is opened)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _is_new(name: str, flags: int) -> bool:
    """Whether opening a file with these flags makes it, or empties it: the event comes before, and it may fail."""
    if os.path.lexists(name) and (flags & os.O_EXCL or not flags & os.O_TRUNC):
        return False
    if os.path.exists(name):  # noqa: PTH110
        return not os.path.isdir(name) and os.access(name, os.W_OK)  # noqa: PTH112
    return _can_make(name)


def _can_make(name: str) -> bool:
    """Whether a file or folder can be made at a place where nothing is."""
    return os.access(os.path.dirname(name), os.W_OK | os.X_OK)  # noqa: PTH120


def _note_missing_folder(touched: AccessLog, name: str) -> None:
    """Note that the folder is not there in which something is to be made: that fails until it is there."""
    folder = os.path.dirname(name)  # noqa: PTH120
    if not os.path.lexists(folder):
        touched.lookups.note(folder, NOTHING)


def _is_shown(name: str, touched: AccessLog) -> bool:
    """Whether a source is read to show a line of it in a traceback or a warning, which decides nothing.

    A source that is read, and not to be compiled, is one of the `texts`.
    """
    callers = set(caller_names(sys._getframe(1), touched.own))
    if "linecache" in callers and not callers.isdisjoint(("warnings", "traceback")):
        touched.lookups.displayed.add(name)
        return True
    if not any(each.startswith(_COMPILERS) for each in callers):
        touched.texts.add(name)
    return False


def _is_news(name: str, touched: AccessLog) -> bool:
    if name in touched.made:
        return False
    if not name.startswith(touched.passed) or name.startswith(SHARED_MEMORY):
        return True
    if name.startswith(touched.sites):
        touched.installed[name] = None
    return name.startswith(touched.own) and not name.startswith(touched.inner)


def digest_at(name: str) -> str:
    """The SHA-256 of a regular file; "" of anything else. What is opened for it is not noted."""
    with unnoted():
        return digest_of_file(Path(name)) or ""


def note_listing(touched: AccessLog, event: str, arguments: tuple[Any, ...]) -> None:
    """Note that a folder is listed.

    What `os.scandir` gives tells the sizes of files without any event. The standard library's own lists of names
    don't ask for them.
    """
    frame = sys._getframe(2)
    if not is_import(frame):
        caller = str(frame.f_globals.get("__name__")).partition(".")[0]
        with_sizes = event == "os.scandir" and caller not in _FILE_MODULES
        touched.lookups.note_listing(arguments[0] if arguments else None, sizes=with_sizes)


def note_database(touched: AccessLog, _: str, arguments: tuple[Any, ...]) -> None:
    path = arguments[0]
    if isinstance(path, str) and path.startswith("file:"):
        path = unquote(path.removeprefix("file:").partition("?")[0])
    name = absolute_name(path) if path not in ("", b"", ":memory:", b":memory:") else None
    for each in (name, *(f"{name}{end}" for end in _BESIDE_DATABASE)) if name else ():
        note_opening(touched, each, os.O_RDONLY)
    if name:
        _note_missing_folder(touched, name)


def note_library(touched: AccessLog, event: str, arguments: tuple[Any, ...]) -> None:
    """Note an extension module or a library that is loaded by its path."""
    name = arguments[1] if event == "import" else arguments[0]
    if isinstance(name, str | bytes) and os.sep in os.fsdecode(name):
        note_opened_file(touched, event, (name, None, os.O_RDONLY))


def note_link(touched: AccessLog, event: str, arguments: tuple[Any, ...]) -> None:
    """From now on what lies below a temporary folder may lead elsewhere. A hard link is another name of a file.

    It fails where anything is at the new place.
    """
    touched.lookups.linked = True
    new = absolute_name(arguments[1], _descriptor(arguments, 2 if event == "os.symlink" else 3))
    if new is not None:
        _note_missing_folder(touched, new)
        if os.path.lexists(new):
            touched.lookups.note(new, at_place(new))
    if event == "os.link" and (name := absolute_name(arguments[0], _descriptor(arguments, 2))) is not None:
        note_opening(touched, name, os.O_RDONLY)


def note_rename(touched: AccessLog, _: str, arguments: tuple[Any, ...]) -> None:
    """A file that gets another name may be read by that one, and so may what a folder holds."""
    old, new = (absolute_name(arguments[at], _descriptor(arguments, at + 2)) for at in (0, 1))
    if old is None or new is None:
        return
    _note_missing_folder(touched, new)
    if os.path.isdir(new):  # noqa: PTH112  (it fails, but for a folder that replaces an empty one)
        touched.lookups.note(new, at_place(new))
        touched.lookups.note_listing(new)
    touched.made |= {f"{new}{each.removeprefix(old)}" for each in _made_below(touched, old)}
    if Path(old).is_symlink():
        touched.lookups.linked = True
    elif old not in touched.made and Path(old).is_dir():
        if touched.lookups.counts(old, NOTHING):
            touched.lost[old] = None
    else:
        note_opening(touched, old, os.O_RDONLY)


def note_folder(touched: AccessLog, _: str, arguments: tuple[Any, ...]) -> None:
    """Note that a folder is made; where something is there already it fails, which tells that."""
    name = absolute_name(arguments[0], _descriptor(arguments, 2))
    if name is None:
        return
    _note_missing_folder(touched, name)
    if not _caller_does_without("exist_ok"):
        touched.lookups.note(name, at_place(name))
    if not os.path.lexists(name) and _can_make(name):
        touched.made.add(name)


def note_removal(touched: AccessLog, event: str, arguments: tuple[Any, ...]) -> None:
    """Note that a file or folder is removed, which tells that it was there, and of a folder that it was empty."""
    name = absolute_name(arguments[0], _descriptor(arguments, 1))
    if name is None:
        return
    if not _caller_does_without("missing_ok"):
        touched.lookups.note(name, at_place(name))
        if event == "os.rmdir" and os.path.isdir(name):  # noqa: PTH112
            touched.lookups.note_listing(name)
    if os.path.lexists(name) and _can_make(name):
        touched.made.add(name)


def note_working_folder(touched: AccessLog, _: str, arguments: tuple[Any, ...]) -> None:
    """Note that the working folder is changed, which tells whether the new one is there."""
    if (name := absolute_name(arguments[0])) is not None:
        touched.lookups.note(name, at_place(name))


def note_change(touched: AccessLog, _: str, arguments: tuple[Any, ...]) -> None:
    """Note that what a file says of itself is asked or changed, which fails where it is not there."""
    name = absolute_name(arguments[0]) if isinstance(arguments[0], str | bytes) else None
    if name is not None and not _caller_does_without("exist_ok"):
        touched.lookups.note(name, at_place(name))


def _caller_does_without(option: str) -> bool:
    """Whether it is the standard library that makes or removes something, and makes no difference of a failure."""
    frame: FrameType | None = sys._getframe(2)
    while frame and str(frame.f_globals.get("__name__")).startswith("relet.engine."):
        frame = frame.f_back
    if frame is None or frame.f_globals.get("__name__") not in _FILE_MODULES:
        return False
    return bool(frame.f_locals.get(option))


def _made_below(touched: AccessLog, old: str) -> Iterator[str]:
    return (each for each in touched.made if each == old or each.startswith(old + os.sep))


def _descriptor(arguments: tuple[Any, ...], at: int) -> int | None:
    """The descriptor of a folder among the arguments of an event: -1 stands for none."""
    found = arguments[at] if len(arguments) > at else -1
    return found if isinstance(found, int) and found >= 0 else None


FILE_NOTES = {
    LEFT_OUT: note_left_out,
    "open": note_opened_file,
    "import": note_library,
    "ctypes.dlopen": note_library,
    "sqlite3.connect": note_database,
    "os.symlink": note_link,
    "os.link": note_link,
    "os.rename": note_rename,
    "os.mkdir": note_folder,
    "os.chdir": note_working_folder,
    **dict.fromkeys(("os.remove", "os.rmdir"), note_removal),
    **dict.fromkeys(("os.chmod", "os.chown", "os.truncate", "os.utime"), note_change),
    **dict.fromkeys(("os.getxattr", "os.listxattr", "os.setxattr", "os.removexattr"), note_change),
    **dict.fromkeys(("os.listdir", "os.scandir"), note_listing),
}
