"""Open a file from outside as UTF-8 text: unpacked, decoded, and with the sign between its fields."""

from __future__ import annotations

import codecs
import csv
import errno
import gzip
import io
import logging
import lzma
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import IO

from relet.core.wording import printable
from relet.data.dialect import (
    FIELD,
    PARQUET,
    SEPARATORS,
    UTF8,
    CsvDialect,
    csv_records,
    is_parquet,
    is_utf8,
    unique_header,
)
from relet.errors import BadDataError, SettingError

BLOCK = 1024**2
# How many bytes tell the encoding and the separator.
HEAD = 64 * 1024
GZIP, ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
# What is unpacked may be so many times as large as the file, and in any case so many bytes.
LARGEST_RATIO, LARGEST = 200, 1024**3
# The bit of a file in a zip archive that says that it takes a password.
LOCKED = 1
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Where the zeros of Latin letters are, by encoding: places within a unit, and its length.
ZEROS = {
    "utf-32-le": ((1, 2, 3), 4),
    "utf-32-be": ((0, 1, 2), 4),
    "utf-16-le": ((1,), 2),
    "utf-16-be": ((0,), 2),
}
ENOUGH_ZEROS = 0.7
# A line that spreadsheets read, and no program else. A letter or a quote divides no fields.
SEP_LINE = re.compile(rb'(?:\xef\xbb\xbf)?"?sep=([\t !#-/:-@\[-`{-~])"?(?=\r|\n)', re.IGNORECASE)
SEPARATOR_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

_log = logging.getLogger("relet.data")


@dataclass(frozen=True, kw_only=True)
class OpenedFile:
    """A file that can be read: UTF-8 text with `separator` between its fields, or Parquet.

    `path` is the file itself or, where it was unpacked or decoded, a copy of the same name. `said` is what was
    done to it, in words; `given` is the file that was given, and `dialect` how it is written, as far as it is
    known.
    """

    path: Path
    given: Path
    dialect: CsvDialect
    separator: str = ","
    is_parquet: bool = False
    said: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.given.name

    def tell(self) -> None:
        """Say what was done to the file."""
        for words in self.said:
            _log.warning("%s", printable(f"{self.name}: {words}"))


def opened_file(path: Path, dialect: CsvDialect, names: Collection[str]) -> OpenedFile:
    """Open a CSV or a Parquet file, packed by gzip or alone in a zip archive.

    `dialect` says what is known of it; its encoding and separator are found where it says none. A separator other
    than a comma is taken where it shows more of the columns `names`, or divides the lines better. Text in UTF-16
    or UTF-32 is known by its zeros; any other encoding than UTF-8 has to be told. Raises BadDataError for an
    archive that can't be unpacked or holds several files, and for text that is not of its encoding.
    """
    if dialect.separator and not ("\0" < dialect.separator <= "\x7f"):
        raise SettingError(f"separator is a sign of ASCII, got {dialect.separator!r}")
    unpacked, said = _unpacked(path)
    with unpacked.open("rb") as file:
        head = file.read(HEAD)
    opened = OpenedFile(path=unpacked, given=path, dialect=dialect, said=said)
    if head.startswith(PARQUET):
        return replace(opened, is_parquet=True)
    encoding = dialect.encoding or _encoding_by_zeros(head)
    if encoding and not is_utf8(encoding):
        opened = replace(opened, path=_decoded(unpacked, path, encoding))
        if not dialect.encoding:
            opened = replace(opened, said=(*said, f"read as {encoding.upper()}"))
        with opened.path.open("rb") as file:
            head = file.read(HEAD)
    if found := SEP_LINE.match(head):
        separator = dialect.separator or found[1].decode("latin-1")
        # an empty line takes its place, so that lines keep their numbers
        opened = replace(
            opened, path=_copy(opened.path, path, lambda source, target: _drop_bytes(source, target, found.end()))
        )
    else:
        separator = dialect.separator or _separator(head, names)
        _check_separator(head, separator, path)
    if separator not in (",", dialect.separator):
        sign = SEPARATOR_NAMES.get(separator, repr(separator))
        opened = replace(opened, said=(*opened.said, f"fields are divided by {sign}"))
    return replace(opened, separator=separator)


def plain_csv(path: Path, dialect: CsvDialect) -> Path:
    """The same rows as a CSV file in UTF-8 with commas, each field as it stands: what it means, `of_fields` says.

    A file that is plain is returned as it is, and so is a Parquet file; else a copy in a temporary folder. In a
    copy spaces around fields are gone, empty lines too, and each column has a name of its own (`unique_header`).
    Raises BadDataError for a file that is not of this encoding.

    >>> path = Path(mkdtemp()) / "rents.csv"
    >>> _ = path.write_text("id;rent\\n1;950,50\\n2; ?\\n")
    >>> plain_csv(path, CsvDialect(separator=";", decimal=",", missing=("?",))).read_text()
    'id,rent\\n1,"950,50"\\n2,?\\n'
    """
    if is_parquet(path) or (dialect.is_plain and _is_header_unique(path)):
        return path
    opened = opened_file(path, dialect, ())
    opened.tell()
    # with the file's own name, which errors show
    copy = Path(mkdtemp(prefix="relet-csv-")) / path.name
    try:
        with copy.open("w", encoding="utf-8", newline="") as file:
            records = csv_records(opened.path, CsvDialect(separator=opened.separator))
            csv.writer(file, lineterminator="\n").writerows(_with_unique_header(records))
    except (UnicodeError, csv.Error) as error:
        raise BadDataError(
            f"{path.name} can't be read as {dialect.encoding or UTF8} with {dialect.separator or ','!r} between "
            f"fields: {error}; "
            "set encoding and separator"
        ) from error
    return copy


def _is_header_unique(path: Path) -> bool:
    """Whether the header of a plain file names each column once. Any other fault is left to who reads the file."""
    try:
        header = next(csv_records(path, CsvDialect()), [])
    except (UnicodeError, csv.Error):
        return True
    return unique_header(header) == header


def _with_unique_header(records: Iterator[list[str]]) -> Iterator[list[str]]:
    yield from map(unique_header, islice(records, 1))
    yield from records


def _unpacked(path: Path) -> tuple[Path, tuple[str, ...]]:
    """The file without its packing, and what was unpacked, in words."""
    with path.open("rb") as file:
        start = file.read(4)
    try:
        if start.startswith(GZIP):
            with gzip.open(path) as packed:
                return _copy(path, path, lambda _, target: _unpack(packed, target, path)), ("unpacked by gzip",)
        if start.startswith(ZIP):
            with zipfile.ZipFile(path) as archive:
                inner = _only_file(archive, path)
                with archive.open(inner) as packed:
                    copy = _copy(path, path, lambda _, target: _unpack(packed, target, path))
            return copy, (f"{inner.filename} was unpacked out of the zip archive",)
    except (
        EOFError,
        OSError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
    ) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # the disk, not the archive
        raise BadDataError(f"{path.name}: the archive can't be unpacked: {error}") from error
    return path, ()


def _only_file(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    inside = [each for each in archive.infolist() if not each.is_dir() and "__MACOSX" not in each.filename]
    names = [each.filename for each in inside]
    if any(name == "[Content_Types].xml" for name in names):
        raise BadDataError(f"{path.name}: this is no CSV file but a spreadsheet or a document; save it as CSV")
    if len(inside) != 1:
        shown = printable(", ".join(names[:5])) + (", …" if len(names) > 5 else "")
        raise BadDataError(
            f"{path.name}: the zip archive holds {len(inside)} files{f' ({shown})' if names else ''}; unpack it, "
            "and name one of them"
        )
    if inside[0].flag_bits & LOCKED:
        raise BadDataError(f"{path.name}: the zip archive is locked by a password; unpack it, and name its file")
    return inside[0]


def _copy(source: Path, named: Path, write: Callable[[IO[bytes], IO[bytes]], None]) -> Path:
    """What `write` makes out of a file, in a temporary file with the name that errors show."""
    copy = Path(mkdtemp(prefix="relet-csv-")) / named.name
    with source.open("rb") as given, copy.open("wb") as target:
        write(given, target)
    return copy


def _unpack(packed: IO[bytes] | gzip.GzipFile, target: IO[bytes], path: Path) -> None:
    most = max(LARGEST, LARGEST_RATIO * path.stat().st_size)
    size = 0
    while block := packed.read(BLOCK):
        size += len(block)
        if size > most:
            raise BadDataError(
                f"{path.name}: the archive unpacks to more than {most // 1024**2:,} MB, {LARGEST_RATIO} times its "
                "own size; unpack it yourself, if that is meant"
            )
        target.write(block)


def _drop_bytes(source: IO[bytes], target: IO[bytes], size: int) -> None:
    source.seek(size)
    shutil.copyfileobj(source, target)


def _encoding_by_zeros(head: bytes) -> str | None:
    """UTF-16 or UTF-32, by its mark or by where the zeros of its Latin letters are."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" not in head:
        return None
    for encoding, (places, unit) in ZEROS.items():
        # names of columns are Latin more often than what stands below them
        for part in (head[: 6 * unit], head[: len(head) // unit * unit]):
            units = len(part) // unit
            zeros = (part[place::unit].count(0) for place in places)
            if units and all(number >= ENOUGH_ZEROS * units for number in zeros) and _decodes(head, encoding):
                return encoding
    return None


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        return "\0" not in codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False


def _decoded(source: Path, named: Path, encoding: str) -> Path:
    """A copy of a text in UTF-8."""

    def decode(given: IO[bytes], target: IO[bytes]) -> None:
        decoder, line = codecs.getincrementaldecoder(encoding)(), 1
        while True:
            block = given.read(BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeError as error:
                reason = getattr(error, "reason", error)
                what = f"line {line} or one after it is no text in {encoding} ({reason})"
                raise BadDataError(f"{named.name}: {what}; set the encoding") from None
            line += text.count("\n")
            target.write(text.encode("utf-8", errors="surrogatepass"))
            if not block:
                return

    return _copy(source, named, decode)


def _separator(head: bytes, names: Collection[str]) -> str:
    """The sign that divides the fields: the one that shows the most of the expected columns in the header, and
    where none shows any, the one that divides most lines into as many fields as the header.
    """
    text = head.decode("utf-8", errors="replace").removeprefix("\ufeff")
    if len(head) == HEAD:
        text = text[: text.rfind("\n") + 1] or text
    records = {sign: _first_records(text, sign) for sign in SEPARATORS}
    wanted = {name.casefold() for name in names}

    def shown(sign: str) -> int:
        header = records[sign][0] if records[sign] else []
        return len(wanted & {name.strip().casefold() for name in header})

    def divides(sign: str) -> int:
        widths = [len(record) for record in records[sign]] or [1]
        return widths[0] if len(set(widths)) == 1 else 1

    best = max(SEPARATORS, key=lambda sign: (shown(sign), divides(sign)))
    return best if (shown(best), divides(best)) > (shown(","), divides(",")) else ","


def _check_separator(head: bytes, separator: str, path: Path) -> None:
    """Raise BadDataError where the sign that was told divides no header, and another one does."""
    found, header = _separator(head, ()), _first_records(head.decode("utf-8", errors="replace"), separator)[:1]
    if header and len(header[0]) == 1 and found != separator and found in header[0][0]:
        raise BadDataError(
            f"{path.name}: its header is divided by {SEPARATOR_NAMES[found]}, not by {separator!r}: set the "
            f"dialect's separator to {found!r}"
        )


def _first_records(text: str, separator: str) -> list[list[str]]:
    before = csv.field_size_limit(FIELD)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        return [record for record in islice(reader, 50) if record]
    except csv.Error:
        return []
    finally:
        csv.field_size_limit(before)
