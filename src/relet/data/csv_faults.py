"""Find what is wrong with a CSV file, and in which line.

Slow and careful: for files that the fast reader refused.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import mmap
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from relet.errors import BadDataError

BLOCK = 1024**2
# The largest field, in letters. Python's own limit is smaller and would refuse valid fields.
FIELD = 2**31 - 1
# The first bytes of files that people often pass as CSV, and what to do with such a file.
BEGINNINGS = {
    b"\x1f\x8b": "a gzip file; unpack it first",
    b"PK\x03\x04": "a zip file or a spreadsheet; unpack it, or save it as CSV",
    b"%PDF": "a PDF document",
    b"\xff\xfe": "UTF-16 text; convert it with: iconv -f utf-16 -t utf-8",
    b"\xfe\xff": "UTF-16 text; convert it with: iconv -f utf-16 -t utf-8",
    b"<!doc": "an HTML page; is the address right?",
    b"<html": "an HTML page; is the address right?",
}


def readable_header(path: Path) -> list[str]:
    """The names in the first line. Raises BadDataError where the file is no text, or has no row."""
    if not path.stat().st_size:
        raise BadDataError(f"{path.name}: the file is empty")
    with path.open("rb") as file:
        _refuse_other_formats(path, file.read(8))
    try:
        records = _csv_records(path)
        header = next(records, (1, []))[1]
    except (_CsvRecordError, UnicodeDecodeError) as error:
        check_text(path)
        raise BadDataError(f"{path.name}: line 1 is no header: {error}") from error
    if not any(header):
        raise BadDataError(f"{path.name}: the file has no header; its first line has to name the columns")
    with contextlib.suppress(_CsvRecordError, UnicodeDecodeError):
        if next(records, None) is None:
            raise BadDataError(f"{path.name}: there is a header and no row below it")
    return header


def check_text(path: Path) -> None:
    """Raise BadDataError with the line where a file is not UTF-8, or holds a byte that no text holds."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        nul = content.find(b"\0")
        if nul >= 0:
            raise BadDataError(
                f"{path.name}: this is no text: line {_line_at(content, nul)} has a NUL byte (byte {nul})"
            )
        _refuse_other_encodings(path, content)


def structure_fault(path: Path, width: int, told: str, at: int | None = None) -> BadDataError:
    """The error for the first record that is malformed or does not have `width` fields.

    `told` is the fast reader's message, `at` the byte that it named, if any.
    """
    read = 0
    try:
        for line, record in _csv_records(path):
            if len(record) != width:
                return BadDataError(
                    f"{path.name}: row {read} (line {line}) has {len(record)} fields, the header has {width}; "
                    "a field with a comma in it has to be quoted"
                )
            read += 1
    except _CsvRecordError as error:
        return BadDataError(
            f"{path.name}: row {read} (line {error.line}): a quoted field is not closed, or its closing quote is "
            f'followed by text ({error}); close it, and double each quote within it ("")'
        )
    if at is not None:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            line = _line_at(content, at)
        return BadDataError(f"{path.name}: line {line}: {told}; quote the field, and double each quote within it")
    return BadDataError(f"{path.name}: can't be read as CSV: {' '.join(told.split())[:300]}")


def line_of(path: Path, index: int) -> int | None:
    """The line in which data row `index` (from 0) begins; None where the file is not CSV text."""
    try:
        return next(islice(_csv_records(path, strict=False), index + 1, None))[0]
    except (StopIteration, UnicodeDecodeError, _CsvRecordError):
        return None


class _CsvRecordError(Exception):
    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def _csv_records(path: Path, *, strict: bool = True) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not an empty line, with the line that it begins in; the header comes first."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        csv.field_size_limit(FIELD)
        reader = csv.reader(file, strict=strict)
        line = 1
        try:
            for record in reader:
                if record:
                    yield line, record
                line = reader.line_num + 1
        except csv.Error as error:
            raise _CsvRecordError(line, str(error)) from error


def _refuse_other_formats(path: Path, start: bytes) -> None:
    for beginning, what in BEGINNINGS.items():
        if start.lower().startswith(beginning.lower()):
            raise BadDataError(f"{path.name}: this is no CSV file but {what}")


def _refuse_other_encodings(path: Path, content: mmap.mmap) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), BLOCK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(content[start : start + BLOCK], final=start + BLOCK >= len(content))
        except UnicodeDecodeError as error:
            at = start - pending + error.start
            raise BadDataError(
                f"{path.name}: line {_line_at(content, at)} is not UTF-8 (byte 0x{content[at]:02x}); "
                f"if it is Latin-1, convert it with: iconv -f latin1 -t utf-8 {path.name}"
            ) from error


def _line_at(content: mmap.mmap, position: int) -> int:
    return 1 + sum(content[at : min(at + BLOCK, position)].count(b"\n") for at in range(0, position, BLOCK))


def value_fault(path: Path, index: int, column: str, what: str) -> BadDataError:
    return BadDataError(f"{path.name}: {row_place(path, index)}, column {column!r}: {what}")


def row_place(path: Path, index: int) -> str:
    """The place of a row as a person looks for it: its number from 1 and, in a text file, its line.

    `index` counts from 0.
    """
    line = line_of(path, index)
    return f"row {index + 1}" + (f" (line {line})" if line else "")
