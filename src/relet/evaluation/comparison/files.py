"""Compare files byte by byte, and say where they differ first."""

from __future__ import annotations

import filecmp
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

from relet.evaluation.comparison.outcome import Difference, common_length, cut_text, files_in, only_file

# The longest line that is read, in bytes, since a file need not have line ends.
_LONGEST = 1024**2


def compare_files(recorded: Path, reproduced: Path, *, single: bool) -> Iterator[Difference]:
    """Compare folders of files: no file may be added, removed or different.

    With `single` each folder has one file.
    """
    if single:
        only_file(recorded, "recorded")
        only_file(reproduced, "reproduced")
    for sentence in differing_files(recorded, reproduced):
        yield Difference(sentence)


def differing_files(recorded: Path, reproduced: Path) -> Iterator[str]:
    """A sentence for each file that is not the same in both folders."""
    old, new = files_in(recorded), files_in(reproduced)
    for name in sorted(old.keys() - new.keys()):
        yield f"{name} is missing ({_size_in_bytes(old[name])})"
    for name in sorted(new.keys() - old.keys()):
        yield f"{name} is new ({_size_in_bytes(new[name])})"
    for name in sorted(old.keys() & new.keys()):
        if not filecmp.cmp(old[name], new[name], shallow=False):
            sizes = f"{_size_in_bytes(old[name])} → {_size_in_bytes(new[name])}"
            yield f"{name} differs ({sizes}){_first_other_line(old[name], new[name])}"


def _size_in_bytes(path: Path) -> str:
    size = path.stat().st_size
    return f"{size:,} byte{'s' * (size != 1)}"


def _first_other_line(recorded: Path, reproduced: Path) -> str:
    """The first differing line of both files. None where a file is no text."""
    with recorded.open("rb") as old, reproduced.open("rb") as new:
        number = 1
        for one, other in zip_longest(_lines_of_file(old), _lines_of_file(new), fillvalue=b""):
            if one != other:
                break
            number += one.count(b"\n")
    try:
        texts = [_line_text(line) for line in (one, other)]
    except UnicodeDecodeError:
        return ""
    return f" in line {number:,}: " + " → ".join(_text_where_they_part(text, *texts) for text in texts)


def _lines_of_file(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.readline(_LONGEST), b"")


def _line_text(line: bytes) -> str:
    """A line as text. Raises UnicodeDecodeError where it is no text."""
    if b"\0" in line:
        raise UnicodeDecodeError("utf-8", line, 0, 1, "no text holds a zero")
    return line.decode()


def _text_where_they_part(text: str, old: str, new: str) -> str:
    """The part of a line that starts shortly before the first difference."""
    if not text:
        return "nothing"
    return repr(cut_text(text[max(0, common_length(old, new) - 40) :]))
