"""What is at a place, in the words that a record keeps: nothing, a folder, a file, or the names in a folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from hashlib import sha256
from importlib.machinery import PathFinder, all_suffixes
from pathlib import Path

from relet.core.installed import Distributions
from relet.core.lookups import (
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
)
from relet.core.roots import import_roots, roots_in_words
from relet.errors import SettingError

OUT_OF_REACH = "out of reach"
# What relet, git and tools keep in a project's folder is no part of what a listing says.
KEPT_BY_TOOLS = frozenset((".git", ".relet", "__pycache__", "mlruns", "mlflow.db", ".venv"))


def is_kept_by_tools(name: str) -> bool:
    """Whether a file or folder of this name belongs to a tool.

    >>> is_kept_by_tools("__pycache__"), is_kept_by_tools(".pytest_cache"), is_kept_by_tools("rows.csv")
    (True, True, False)
    """
    return name in KEPT_BY_TOOLS or (name.startswith(".") and name.endswith("cache"))


def named_place(name: str, home: Path) -> Path:
    """The place that a record names; `home` is the project's folder."""
    return Path(name).expanduser() if name.startswith("~/") else home / name


def installed_now(name: str, installed: Callable[[], Distributions] = Distributions.installed) -> str:
    """The version of a distribution, or where an import finds a module, by the name that a record has for it."""
    if name.startswith(PACKAGE_MARK):
        return installed().version(name.removeprefix(PACKAGE_MARK)) or NOT_INSTALLED
    if (spec := PathFinder.find_spec(name.removeprefix(MODULE_MARK))) is None:
        return NO_MODULE
    # A package is told by its own folder, or by the first one where several fill it.
    own = next(iter(spec.submodule_search_locations or ()), spec.origin)
    folder = Path(own or "").parent
    return IN_PACKAGES if any(info.parent == folder for _, info in installed().found.values()) else f"in {folder}"


def place_now(name: str, before: str, home: Path, installed_now: Callable[[str], str] = installed_now) -> str:
    """What is at a place that a record names now, in the terms of what was there `before`."""
    if name == IMPORT_ROOTS:
        return _roots_now(home)
    if name.startswith((PACKAGE_MARK, MODULE_MARK)):
        return installed_now(name)
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
    declaration = home / "pyproject.toml"
    try:
        return roots_in_words(import_roots(home, declaration.read_bytes() if declaration.is_file() else None))
    except (OSError, SettingError):
        return OUT_OF_REACH


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
    return base.is_dir() or any(base.with_name(base.name + each).is_file() for each in all_suffixes())


def _is_blank(path: Path) -> bool:
    try:
        return not path.read_bytes().strip()
    except OSError:
        return False
