"""Sees what a component asks about files without reading them: what is at a place, and what a folder holds.

Python has no audit event for `os.stat`, by which `pathlib` and `os.path` ask. While a component is called, that
function and its like are others, which ask the real ones and note the answer.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import PurePosixPath
from types import FrameType
from typing import Any

from relet.core.lookups import FOLDER, LINK, NOTHING, SEVERAL
from relet.project.places import at_place, in_words, is_kept_by_tools, names_in

# What this thread does while it notes something is relet's own doing.
noting = threading.local()
# The modules that list folders to find packages.
_IMPORTERS = ("importlib", "_frozen_importlib", "zipimport", "pkg_resources", "relet.core.installed")
# Below these folders lie links to what is open.
_DESCRIPTORS = ("/proc/", "/dev/fd/")
# A folder of the system that holds what people put there.
SHARED_MEMORY = "/dev/shm/"
# The functions that tell what is at a place.
_ASKING = ("stat", "lstat", "access", "readlink")
_SUPPORT = (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids)


@dataclass
class LookupLog:
    """What was asked about places, each with its answer: `found`, and `listed` for folders.

    A place that was asked about again and that was another then has SEVERAL answers; `answers` are the first.
    Places of the project count, which lie below `own`, but for those below `inner`. Elsewhere those count where
    nothing was, but for those below `passed`. What the process `made` itself does not count. `sized` are the
    listed folders of whose files something was asked. `displayed` are sources of which a line was shown, and
    `inspected` those among them that were read as well. `links` are the links whose targets were read. `linked`
    says that a link was made.
    """

    own: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    made: set[str] = field(default_factory=set)
    found: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    listed: dict[str, str] = field(default_factory=dict)
    sized: dict[str, str] = field(default_factory=dict)
    displayed: set[str] = field(default_factory=set)
    inspected: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    linked: bool = False

    def counts(self, name: str, there: str) -> bool:
        below = name + os.sep
        if (root := next((each for each in self.own if below.startswith(each)), None)) is not None:
            parts = below.removeprefix(root).split(os.sep)  # noqa: PTH206  (called for each lookup)
            return not below.startswith(self.inner) and not any(map(is_kept_by_tools, parts))
        passed = below.startswith(self.passed) and not below.startswith(SHARED_MEMORY)
        # What programs keep for themselves is hidden.
        return there == NOTHING and not passed and f"{os.sep}." not in name

    def note(self, path: Any, there: str, folder: int | None = None) -> None:
        """Note what is at a place; `folder` is the descriptor of the folder that a relative path starts from."""
        name = absolute_name(path, folder)
        if name in self.displayed and "inspect" in caller_names(sys._getframe(1), self.own):
            self.inspected.add(name)
        name = name and self.target(name)
        if name is None or (first := self.answers.get(name)) == there:
            return
        if name in self.made or not self.counts(name, there):
            return
        self.answers.setdefault(name, there)
        if first is not None:
            self.found[name] = SEVERAL
            return
        parent = os.path.dirname(name)  # noqa: PTH120  (called for each lookup)
        if parent not in self.listed:
            self.found[name] = there
        elif there not in (NOTHING, FOLDER) and parent not in self.sized:
            self.sized[parent] = _unnoted(lambda: names_in(parent, sizes=True))

    def note_link(self, path: Any, target: Any, folder: int | None = None) -> None:
        """Note where a link leads, which was asked."""
        name = absolute_name(path, folder)
        if name is None or name in self.made or not self.counts(name, FOLDER):
            return
        text = os.fsdecode(target)
        if self.links.setdefault(name, text) != text:
            self.found[name] = SEVERAL

    def note_listing(self, path: Any, *, sizes: bool = False) -> None:
        """Note what a folder holds, with `sizes` how large its files are as well; None is the working folder."""
        name = absolute_name(os.curdir if path is None else path)
        name = name and self.target(name)
        if name is not None and name in self.made and self.counts(name, NOTHING):
            # It made the folder: what it lists is its own as long as nothing was there.
            self.found.setdefault(name, NOTHING)
        if name is None or name in self.made or not self.counts(name, FOLDER):
            return
        names = _unnoted(lambda: names_in(name))
        # What the process made there itself is no other answer.
        if self.listed.setdefault(name, names) != names and not self._has_made_in(name):
            self.listed[name] = self.sized[name] = SEVERAL
        if sizes:
            self._note_sizes(name)

    def _note_sizes(self, folder: str) -> None:
        sizes = _unnoted(lambda: names_in(folder, sizes=True))
        if self.sized.setdefault(folder, sizes) != sizes and not self._has_made_in(folder):
            self.sized[folder] = SEVERAL

    def _has_made_in(self, folder: str) -> bool:
        return any(os.path.dirname(each) == folder for each in self.made)  # noqa: PTH120

    def target(self, name: str) -> str:
        """Where a path leads, if it lies outside of the project and may be a link that was made meanwhile."""
        if not (self.linked or name.startswith(_DESCRIPTORS)) or name.startswith(self.own):
            return name
        return _unnoted(lambda: os.path.realpath(name))


def _unnoted(look: Callable[[], str]) -> str:
    with unnoted():
        return look()


@contextmanager
def noted() -> Iterator[None]:
    """What this thread asks and opens meanwhile counts, within `unnoted` too."""
    before = hasattr(noting, "now")
    if before:
        del noting.now
    try:
        yield
    finally:
        if before:
            noting.now = True


@contextmanager
def unnoted() -> Iterator[None]:
    """What this thread asks and opens meanwhile is relet's own doing."""
    before, noting.now = hasattr(noting, "now"), True
    try:
        yield
    finally:
        if not before:
            del noting.now


def absolute_name(path: Any, folder: int | None = None) -> str | None:
    """The absolute path of what a function of `os` was given; None where that can't be told."""
    try:
        text = _name_of_descriptor(path) if isinstance(path, int) else os.fsdecode(path)
        if text is not None and not text.startswith(os.sep):
            base = os.getcwd() if folder is None else _name_of_descriptor(folder)  # noqa: PTH109
            text = base and f"{base}{os.sep}{text}"
    except (OSError, TypeError, ValueError):
        return None
    return os.path.normpath(text) if text and (f"{os.sep}." in text or text.endswith(os.sep)) else text


def _name_of_descriptor(number: int) -> str | None:
    """The path of an open folder, where the system tells it."""
    if sys.platform == "darwin":
        import fcntl

        return os.fsdecode(fcntl.fcntl(number, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0"))
    name = os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115
    return name if name.startswith(os.sep) else None


def caller_names(frame: FrameType | None, own: tuple[str, ...]) -> Iterator[str]:
    """The names of the modules that run because code below `own` called them, the innermost first."""
    while frame and not frame.f_code.co_filename.startswith(own):
        yield str(frame.f_globals.get("__name__"))
        frame = frame.f_back


def is_import(frame: FrameType | None) -> bool:
    """Whether it is the import system that asks, or relet as it does: they look through folders for packages."""
    name = str(frame.f_globals.get("__name__")) if frame else ""
    return name.startswith(_IMPORTERS) and not name.startswith("importlib.resources")


@contextmanager
def watch_lookups(log: LookupLog, note_opening: Callable[[str | None, int], None]) -> Iterator[None]:
    """Note in `log` what this process asks about places, by `os.stat`, `os.lstat`, `os.access` and `os.readlink`.

    `note_opening` is told what `os.open` opens from the descriptor of a folder: the path, and the flags.
    """
    real = {name: getattr(os, name) for name in (*_ASKING, "open")}
    noted = {name: _noting_function(real[name], log) for name in _ASKING}
    noted["open"] = _noting_open(real["open"], note_opening)
    for name, function in noted.items():
        setattr(os, name, function)
        # The standard library looks a function up there before it hands over a descriptor.
        for each in _SUPPORT:
            if real[name] in each:
                each.add(function)
    try:
        yield
    finally:
        for name, function in real.items():
            setattr(os, name, function)
            for each in _SUPPORT:
                each.discard(noted[name])


def _noting_open(real: Callable[..., int], note: Callable[[str | None, int], None]) -> Callable[..., int]:
    @wraps(real)
    def opened(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is None or hasattr(noting, "now"):
            return real(path, flags, mode, dir_fd=dir_fd)
        with unnoted():
            note(absolute_name(path, dir_fd), flags)
            return real(path, flags, mode, dir_fd=dir_fd)

    opened.__module__ = "os"
    return opened


def _noting_function(real: Callable[..., Any], log: LookupLog) -> Callable[..., Any]:
    own = log.own

    @wraps(real)
    def asked(path: Any, *arguments: Any, **options: Any) -> Any:
        try:
            found = real(path, *arguments, **options)
        except (FileNotFoundError, NotADirectoryError):
            if not hasattr(noting, "now"):
                log.note(path, NOTHING, options.get("dir_fd"))
            raise
        if real.__name__ == "readlink":
            if not hasattr(noting, "now"):
                log.note_link(path, found, options.get("dir_fd"))
            return found
        # Most questions are about files of packages, by an absolute path.
        elsewhere = type(path) is str and path[:1] == os.sep and not path.startswith(own) and found is not False
        if (not elsewhere or log.linked) and type(path) is not int and not hasattr(noting, "now"):
            log.note(path, _there(path, found, options.get("dir_fd")), options.get("dir_fd"))
        return found

    asked.__module__ = "os"
    return asked


def _there(path: Any, found: Any, folder: int | None) -> str:
    """What is at a place, by what one of the functions said of it; links are followed."""
    if isinstance(found, os.stat_result) and not stat.S_ISLNK(found.st_mode):
        return in_words(found)
    name = absolute_name(path, folder)
    return NOTHING if name is None else _unnoted(lambda: at_place(name))


def looked_at(
    log: LookupLog,
    name_of: Callable[[str], str],
    *,
    declared: Mapping[str, str],
    read: Mapping[str, str],
) -> dict[str, str]:
    """What a record keeps of the lookups: place → what was there.

    `name_of` gives what a record calls a place. What the key holds is left out, which are the `declared` files;
    so is what follows from the files that were `read`.
    """
    # Of a folder that is a resource, too: the key holds neither its hidden files nor its empty folders.
    listed = {name_of(place): log.sized.get(place, names) for place, names in log.listed.items()}
    known = {*declared, *read}
    folders = {str(each) for name in (*known, *listed) for each in PurePosixPath(name).parents}
    found: dict[str, str] = {}
    for place, there in log.found.items():
        name = name_of(place)
        held_elsewhere = name in known or name in listed or (there == FOLDER and name in folders)
        if there == SEVERAL:
            found[name] = there
        elif not held_elsewhere:
            found.setdefault(name, there)
    unsure = {name: there for name, there in found.items() if there == SEVERAL}
    learned = found | listed | unsure
    return dict(sorted((learned | _links(log, name_of, learned)).items()))


def _links(log: LookupLog, name_of: Callable[[str], str], there: Mapping[str, str]) -> dict[str, str]:
    """The links whose targets were read: where each leads, and what is there; not those that relet laid out."""
    found = {}
    for place, target in log.links.items():
        name = name_of(place)
        known = there.get(name) or at_place(place)
        laid_out = target.startswith(os.sep) and name_of(target) == name
        if known != SEVERAL and not laid_out:
            found[name] = f"{LINK}{target.encode(errors='backslashreplace').decode()}, {known}"
    return found
