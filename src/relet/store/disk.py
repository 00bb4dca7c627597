"""The files of a store on disk, listed without obstore, which lists nothing where one name is no UTF-8."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

# How obstore names a file that it has not written to its end.
STAGED = re.compile(r"#[0-9]+$")


@dataclass(frozen=True, kw_only=True)
class BucketEntry:
    """A stored file or object, as a listing has it; `size` in bytes."""

    path: str
    size: int
    modified: datetime


def files_below(root: Path, prefix: str) -> Iterator[BucketEntry]:
    """Every file below a folder of the store whose path is UTF-8 and that is written to its end."""
    for folder, _, names in os.walk(root / prefix):
        for name in names:
            path = Path(folder, name)
            if _is_utf8(str(path)) and not STAGED.search(name):
                try:
                    about = path.stat()
                except FileNotFoundError:  # deleted since it was listed
                    continue
                yield BucketEntry(
                    path=path.relative_to(root).as_posix(),
                    size=about.st_size,
                    modified=datetime.fromtimestamp(about.st_mtime, UTC),
                )


def is_special_file(path: Path) -> bool:
    """Whether a pipe, a socket or a device is at a path, or at the end of a link there.

    >>> is_special_file(Path("/dev/null")), is_special_file(Path("/")), is_special_file(Path("/nowhere"))
    (True, False, False)
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # whoever reads it says what is wrong
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def names_without_letters(root: Path) -> Iterator[str]:
    """The paths below a folder that are no UTF-8, as they can be printed."""
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            if not _is_utf8(name):
                yield ascii(str(Path(folder, name).relative_to(root)))


def special_files(root: Path) -> Iterator[str]:
    """The pipes, sockets and devices below a folder, and the links to such, by their paths in it."""
    for folder, _, names in os.walk(root):
        for name in names:
            if _is_utf8(name) and is_special_file(Path(folder, name)):
                yield Path(folder, name).relative_to(root).as_posix()


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
