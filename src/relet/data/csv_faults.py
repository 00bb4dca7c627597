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
from typing import TextIO

from relet.core.wording import shorten
from relet.data.dialect import FIELD
from relet.data.opening import SEPARATOR_NAMES, OpenedFile
from relet.errors import BadDataError

BLOCK = 1024**2
# The longest line, in letters: csv takes 20 bytes for each of them.
LONGEST_LINE = 16 * 1024**2
# The most letters that a message shows of one name or value.
SHOWN = 60
# The first bytes of files that people often pass as CSV, and what to do with such a file.
BEGINNINGS = {
    b"\xd0\xcf\x11\xe0": "a spreadsheet or a document; save it as CSV",
    b"\x1f\x8b": "a gzip file within an archive; unpack it first",
    b"PK\x03\x04": "a zip archive within another one; unpack it first",
    b"BZh": "a bzip2 file; unpack it first",
    b"\xfd7zXZ": "an xz file; unpack it first",
    b"7z\xbc\xaf": "a 7z file; unpack it first",
    b"%PDF": "a PDF document",
    b"<!doc": "an HTML page; is the address right?",
    b"<html": "an HTML page; is the address right?",
}


class MalformedFileError(BadDataError):
    """A file that no setting makes readable: no table, a record with a field too many, a quote that stays open."""


class NotUtf8Error(BadDataError):
    """Text of another encoding; `at` is the first byte that is no UTF-8."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


def readable_header(file: OpenedFile) -> list[str]:
    """The names in the first line. Raises BadDataError where the file is no text, or has no row."""
    if not file.path.stat().st_size:
        raise MalformedFileError(f"{file.name}: the file is empty")
    with file.path.open("rb") as content:
        _refuse_other_formats(file.name, content.read(8))
    try:
        records = _csv_records(file)
        header = next(records, (1, []))[1]
    except _LongLineError as error:
        raise MalformedFileError(f"{file.name}: line {error.line}: {error}") from error
    except (_CsvRecordError, UnicodeDecodeError) as error:
        check_text(file)
        raise MalformedFileError(f"{file.name}: line 1 is no header: {error}") from error
    if not any(header):
        raise MalformedFileError(f"{file.name}: the file has no header; its first line has to name the columns")
    with contextlib.suppress(_CsvRecordError, UnicodeDecodeError):
        if next(records, None) is None:
            raise MalformedFileError(f"{file.name}: there is a header and no row below it")
    return header


def check_text(file: OpenedFile) -> None:
    """Raise where a file holds a byte that no text holds (MalformedFileError), or is not UTF-8 (NotUtf8Error)."""
    with file.path.open("rb") as content, mmap.mmap(content.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        nul = mapped.find(b"\0")
        if nul >= 0:
            raise MalformedFileError(
                f"{file.name}: this is no text: line {_line_at(mapped, nul)} has a NUL byte (byte {nul})"
            )
        _refuse_other_encodings(file.name, mapped)


def structure_fault(file: OpenedFile, width: int, told: str, at: int | None = None) -> BadDataError:
    """The error for the first record that is malformed or does not have `width` fields.

    `told` is the fast reader's message, `at` the byte that it named, if any.
    """
    read = 0
    try:
        for line, record in _csv_records(file):
            if len(record) != width:
                name = SEPARATOR_NAMES.get(file.separator, repr(file.separator))
                return MalformedFileError(
                    f"{file.name}: row {read} (line {line}) has {len(record)} fields, the header has {width}; "
                    f"a field with {'a comma' if file.separator == ',' else name} in it has to be quoted"
                )
            read += 1
    except _LongLineError as error:
        return MalformedFileError(f"{file.name}: line {error.line}: {error}")
    except _CsvRecordError as error:
        return MalformedFileError(
            f"{file.name}: row {read} (line {error.line}): a quoted field is not closed, or its closing quote is "
            f'followed by text ({error}); close it, and double each quote within it ("")'
        )
    if at is not None:
        where = line_at(file, at)
        return MalformedFileError(
            f"{file.name}: {where}: {told}; quote the field, and double each quote within it"
        )
    return MalformedFileError(f"{file.name}: can't be read as CSV: {' '.join(told.split())[:300]}")


def line_at(file: OpenedFile, at: int) -> str:
    """The line of a byte, in words."""
    with file.path.open("rb") as content, mmap.mmap(content.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return f"line {_line_at(mapped, at)}"


def line_of(file: OpenedFile, index: int) -> int | None:
    """The line in which data row `index` (from 0) begins; None where the file is not CSV text."""
    if file.is_parquet:
        return None
    try:
        return next(islice(_csv_records(file, strict=False), index + 1, None))[0]
    except (StopIteration, UnicodeDecodeError, _CsvRecordError):
        return None


class _CsvRecordError(Exception):
    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


class _LongLineError(_CsvRecordError):
    """A line that is larger than a table has one."""


def _csv_records(file: OpenedFile, *, strict: bool = True) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not an empty line, with the line that it begins in; the header comes first."""
    with file.path.open(encoding="utf-8-sig", newline="") as text:
        csv.field_size_limit(FIELD)
        reader = csv.reader(_lines(text) if strict else text, strict=strict, delimiter=file.separator)
        line = 1
        try:
            for record in reader:
                if record:
                    yield line, record
                line = reader.line_num + 1
        except csv.Error as error:
            raise _CsvRecordError(line, str(error)) from error


def _lines(text: TextIO) -> Iterator[str]:
    """The lines of a text. Raises _LongLineError for one that would take much memory."""
    number = 1
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise _LongLineError(
                number, f"more than {LONGEST_LINE // 1024**2} MB are in one line; this is no table"
            )
        yield line
        number += 1


def _refuse_other_formats(name: str, start: bytes) -> None:
    for beginning, what in BEGINNINGS.items():
        if start.lower().startswith(beginning.lower()):
            raise MalformedFileError(f"{name}: this is no CSV file but {what}")


def _refuse_other_encodings(name: str, content: mmap.mmap) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), BLOCK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(content[start : start + BLOCK], final=start + BLOCK >= len(content))
        except UnicodeDecodeError as error:
            at = start - pending + error.start
            raise NotUtf8Error(
                f"{name}: line {_line_at(content, at)} is not UTF-8 (byte 0x{content[at]:02x})", at
            ) from error


def _line_at(content: mmap.mmap, position: int) -> int:
    return 1 + sum(content[at : min(at + BLOCK, position)].count(b"\n") for at in range(0, position, BLOCK))


def value_fault(file: OpenedFile, index: int, column: str, what: str) -> BadDataError:
    return BadDataError(f"{file.name}: {row_place(file, index)}, column {shown_text(column)}: {what}")


def shown_text(text: str) -> str:
    """A name or a value as messages show it."""
    return repr(shorten(text, SHOWN))


def row_place(file: OpenedFile, index: int) -> str:
    """The place of a row as a person looks for it: its number from 1 and, in a text file, its line.

    `index` counts from 0.
    """
    line = line_of(file, index)
    return f"row {index + 1}" + (f" (line {line})" if line else "")
