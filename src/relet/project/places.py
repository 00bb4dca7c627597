"""What is at a place, in the words that a record keeps: nothing, a folder, a file, or the names in a folder."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from importlib.machinery import all_suffixes
from pathlib import Path

from relet.core.installed import Distributions
from relet.core.lookups import (
    ALL_PACKAGES,
    FOLDER,
    IMPORT_ROOTS,
    IN_PACKAGES,
    LINK,
    MODULE_MARK,
    NAMES,
    NAMES_AND_SIZES,
    NO_MODULE,
    NOT_INSTALLED,
    NOTHING,
    PACKAGE_MARK,
    packages_in_words,
)
from relet.core.roots import import_roots, roots_in_words
from relet.errors import SettingError

OUT_OF_REACH = "out of reach"
# How the file of a module may end.
_SUFFIXES = frozenset(all_suffixes())
# What relet, git and tools keep in a project's folder is no part of what a listing says.
KEPT_BY_TOOLS = frozenset((".git", ".relet", "__pycache__", "mlruns", "mlflow.db", ".venv"))


def is_kept_by_tools(name: str) -> bool:
    """Whether a file or folder of this name belongs to a tool.

    >>> is_kept_by_tools("__pycache__"), is_kept_by_tools(".pytest_cache"), is_kept_by_tools("rows.csv")
    (True, True, False)
    >>> is_kept_by_tools("mlflow.db-journal"), is_kept_by_tools(".gitignore")
    (True, False)
    """
    # SQLite has a journal beside its file while a tracker writes
    is_journal = name.startswith("mlflow.db-")
    return is_journal or name in KEPT_BY_TOOLS or (name.startswith(".") and name.endswith("cache"))


def named_place(name: str, home: Path) -> Path:
    """The place that a record names; `home` is the project's folder."""
    return Path(name).expanduser() if name.startswith("~/") else home / name


class InstalledState:
    """What is installed, and where imports find modules, as it was when it was first asked for.

    `home` is the project's folder, and `roots` are folders in it that modules are imported from as well; `read`
    gives the distributions, which may be known already.
    """

    def __init__(
        self, home: Path, roots: Sequence[str], read: Callable[[], Distributions] = Distributions.installed
    ) -> None:
        self._home, self._roots, self._read = home, roots, read

    @cached_property
    def distributions(self) -> Distributions:
        return self._read()

    def version(self, distribution: str) -> str:
        """The version of a distribution, or those of `ALL_PACKAGES` in words."""
        if distribution == ALL_PACKAGES:
            return packages_in_words(self.distributions.versions)
        return self.distributions.version(distribution) or NOT_INSTALLED

    def origin(self, module: str) -> str:
        """Where an import finds a top module: in a folder of packages, in another folder, or nowhere."""
        return next(self._origins(module), NO_MODULE)

    def _origins(self, module: str) -> Iterator[str]:
        """The places of a module, those first that are imported first; a folder without `__init__` comes last."""
        found = [(folder, names[module]) for folder, names in self._names if module in names]
        for folder, files in found:
            inside = os.path.join(folder, module)  # noqa: PTH118  (called for each module that a run imported)
            if files or any(os.path.isfile(f"{inside}{os.sep}__init__{each}") for each in _SUFFIXES):  # noqa: PTH113
                yield IN_PACKAGES if folder in self._folders else f"in {folder}"
        if found:
            yield IN_PACKAGES if found[0][0] in self._folders else f"in {found[0][0]}"

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(str(info.parent) for _, info in self.distributions.found.values())

    @cached_property
    def _names(self) -> list[tuple[str, dict[str, bool]]]:
        """The folders of imports, the project's first: each with its names, and whether a file has the name."""
        own = [str(self._home / root) for root in ("", *self._roots)]
        return [(folder, _importable_names(folder)) for folder in dict.fromkeys((*own, *filter(None, sys.path)))]


def _importable_names(folder: str) -> dict[str, bool]:
    found: dict[str, bool] = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name, _, end = entry.name.partition(".")
            if not end and entry.is_dir():
                found.setdefault(name, False)
            elif f".{end}" in _SUFFIXES:
                found[name] = True
    return found


def place_now(name: str, before: str, home: Path, installed: Callable[[], InstalledState] | None = None) -> str:
    """What is at a place that a record names now, in the terms of what was there `before`."""
    if name == IMPORT_ROOTS:
        return _roots_now(home)
    if name.startswith((PACKAGE_MARK, MODULE_MARK)):
        state = installed() if installed else InstalledState(home, _roots_or_none(home))
        called = name.partition("] ")[2]
        return state.version(called) if name.startswith(PACKAGE_MARK) else state.origin(called)
    path = named_place(name, home)
    if before.startswith(LINK):
        there = place_now(name, before.rpartition(", ")[2], home)
        return f"{LINK}{where_link_leads(path)}, {there}" if path.is_symlink() else there
    if before.startswith((NAMES, NAMES_AND_SIZES)):
        return names_in(path, sizes=before.startswith(NAMES_AND_SIZES))
    if before == NO_MODULE:
        return "a module" if _holds_module(path) else NO_MODULE
    found = at_place(path)
    if before == NOTHING and path.name == "__init__.py" and found != NOTHING and _is_blank(path):
        return NOTHING
    return found


def _roots_now(home: Path) -> str:
    try:
        return roots_in_words(_declared_roots(home))
    except (OSError, SettingError):
        return OUT_OF_REACH


def _roots_or_none(home: Path) -> tuple[str, ...]:
    try:
        return _declared_roots(home)
    except (OSError, SettingError):
        return ()


def _declared_roots(home: Path) -> tuple[str, ...]:
    declaration = home / "pyproject.toml"
    return import_roots(home, declaration.read_bytes() if declaration.is_file() else None)


def where_link_leads(path: Path) -> str:
    """The target of a link as it is written; bytes that are no text are escaped."""
    return str(path.readlink()).encode(errors="backslashreplace").decode()


def at_place(path: str | Path) -> str:
    """What is at a place, where its links lead."""
    try:
        return in_words(os.stat(path))  # noqa: PTH116  (called for each lookup of a component)
    except (FileNotFoundError, NotADirectoryError):
        return NOTHING
    except (OSError, ValueError):
        return OUT_OF_REACH


def in_words(found: os.stat_result) -> str:
    if stat.S_ISDIR(found.st_mode):
        return FOLDER
    return f"a file of {found.st_size} bytes" if stat.S_ISREG(found.st_mode) else "no regular file"


def names_in(folder: str | Path, *, sizes: bool = False) -> str:
    """A digest of the names in a folder, and of which are folders; with `sizes` also of how large the files are.

    What tools keep there is left out.
    """
    try:
        with os.scandir(folder) as entries:
            lines = sorted(_entry_line(each, sizes) for each in entries if not is_kept_by_tools(each.name))
    except (FileNotFoundError, NotADirectoryError):
        return NOTHING
    except (OSError, ValueError):
        return OUT_OF_REACH
    return (NAMES_AND_SIZES if sizes else NAMES) + sha256(
        "\0".join(lines).encode(errors="surrogateescape")
    ).hexdigest()


def _entry_line(entry: os.DirEntry[str], sizes: bool) -> str:
    if entry.is_dir():
        return entry.name + os.sep
    return f"{entry.name} {at_place(entry.path)}" if sizes else entry.name


def _holds_module(base: Path) -> bool:
    place = str(base)
    return os.path.isdir(place) or any(os.path.isfile(place + each) for each in _SUFFIXES)  # noqa: PTH112, PTH113


def _is_blank(path: Path) -> bool:
    try:
        return not path.read_bytes().strip()
    except OSError:
        return False
