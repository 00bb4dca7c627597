"""CSV files that are not plain: another separator, encoding or decimal sign, words for what is missing."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from relet.data.notations import PLAIN, NumberNotation
from relet.errors import BadDataError, SettingError

PARQUET = b"PAR1"
PACKED = (b"\x1f\x8b", b"PK\x03\x04")
UTF8 = "utf-8"
# The largest field, in letters: Python's own limit would refuse valid ones.
FIELD = 2**31 - 1
# A number with a decimal comma, such as -1.234,50.
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+")
# One with points between thousands and without decimals, such as 1.000.
_POINTS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+")


@dataclass(frozen=True, kw_only=True)
class CsvDialect:
    """How a CSV file is written: what stands between fields, the text's encoding, the sign before decimals and the
    one between groups of three digits, and which words (beside an empty field) say that a value is missing.

    A separator or an encoding that is None is found in the file (`relet.data.opening`). Raises SettingError for a
    separator that is no single sign, an encoding that Python does not know, and signs that no number has.
    """

    separator: str | None = None
    encoding: str | None = None
    decimal: str = "."
    thousands: str = ""
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.separator is not None and (len(self.separator) != 1 or self.separator in '"\r\n'):
            raise SettingError(f"separator is one sign, such as ; or a tab, got {self.separator!r}")
        try:
            b"a".decode(self.encoding or UTF8)
        except UnicodeDecodeError:
            pass  # half a letter
        except (LookupError, ValueError):
            raise SettingError(f"encoding is the name of one, such as utf-8, got {self.encoding!r}") from None
        NumberNotation(decimal=self.decimal, thousands=self.thousands)

    @property
    def number(self) -> NumberNotation:
        return NumberNotation(decimal=self.decimal, thousands=self.thousands)

    @property
    def of_fields(self) -> CsvDialect:
        """What it says of the fields, for a file that `plain_csv` has made plain."""
        return replace(self, separator=None, encoding=None)

    @property
    def is_plain(self) -> bool:
        """Whether `relet.data.reading.stream_csv` reads such a file as it is."""
        is_usual = self.separator in (None, ",") and self.number == PLAIN and not self.missing
        return is_usual and is_utf8(self.encoding or UTF8)


def is_utf8(encoding: str) -> bool:
    """Whether text of this encoding is UTF-8 as it stands."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


def is_parquet(path: Path) -> bool:
    """Whether a file is a Parquet file, by its first bytes."""
    with path.open("rb") as file:
        return file.read(len(PARQUET)) == PARQUET


def csv_records(path: Path, dialect: CsvDialect) -> Iterator[list[str]]:
    """The records of a file as texts, the header first; records without any text are left out."""
    before = csv.field_size_limit(FIELD)
    try:
        with path.open(encoding=dialect.encoding or UTF8, newline="") as file:
            text = (line.removeprefix("\ufeff") if at == 0 else line for at, line in enumerate(file))
            for record in csv.reader(text, delimiter=dialect.separator or ",", skipinitialspace=True):
                if any(field.strip() for field in record):
                    yield [field.strip() for field in record]
    finally:
        csv.field_size_limit(before)


def unique_header(names: Sequence[str]) -> list[str]:
    """The names of a header, each once, and none empty.

    >>> unique_header(["id", "rent", "", "rent"])
    ['id', 'rent', 'column 3', 'rent 2']
    """
    found: dict[str, None] = {}
    taken = set(names)
    last: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        plain = name or f"column {place}"
        chosen, number = plain, last.get(plain, 1)
        while chosen in found or (chosen != name and chosen in taken):
            number += 1
            chosen = f"{plain} {number}"
        last[plain] = number
        found[chosen] = None
    return list(found)


def plain_number(text: str, dialect: CsvDialect) -> str:
    """A number as a plain file has it; any other text as it is."""
    if dialect.decimal == "," and (
        _COMMA.fullmatch(text) or (dialect.thousands == "." and _POINTS.fullmatch(text))
    ):
        return text.replace(".", "").replace(",", ".")
    return text


# Words that stand for a missing value in files from elsewhere; a file that holds one of them may mean it.
MISSING_WORDS = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?", "-", ".", "#N/A", "missing")
SEPARATORS = ",;\t|"
# The share of records that have to have as many fields as the header.
ALIKE = 0.9
# Bytes that stand for no letter in Windows' Western encoding.
NOT_WINDOWS = b"\x81\x8d\x8f\x90\x9d"
# How many records are looked at for the separator, and how many bytes for the encoding.
LOOKED_AT = 200
HEAD = 1024**2


def guess_dialect(path: Path) -> CsvDialect:
    """How a CSV file is probably written, from its beginning; `missing` is not guessed.

    The separator is the sign that divides most records into the same number of fields. Raises BadDataError for a
    file that is empty, or no text.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.strip():
        raise BadDataError(f"{path.name}: the file is empty")
    if head.startswith(PACKED):
        raise BadDataError(f"{path.name}: this is a packed file; unpack it first")
    encoding = _encoding(head, path)
    if b"\0" in head and not encoding.startswith("utf-16"):
        raise BadDataError(f"{path.name}: this is no text, it holds NUL bytes; save it as CSV")

    def divides(separator: str) -> tuple[bool, int]:
        """Whether most records have as many fields as the header, if more than one; and how many."""
        found = [len(each) for each in _first_records(path, separator, encoding)] or [1]
        return found[0] > 1 and found.count(found[0]) >= ALIKE * len(found), found[0]

    separator = max(SEPARATORS, key=divides)
    found = CsvDialect(
        separator=separator if separator != "," else None, encoding=encoding if encoding != UTF8 else None
    )
    decimal, thousands = _signs_of_numbers(found, path)
    return replace(found, decimal=decimal, thousands=thousands)


def _encoding(head: bytes, path: Path) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        # the last letter may be cut
        codecs.getincrementaldecoder("utf-8")().decode(head)
        if len(head) == HEAD:
            path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return "latin-1" if any(byte in head for byte in NOT_WINDOWS) else "cp1252"
    return UTF8


def _first_records(path: Path, separator: str, encoding: str) -> list[list[str]]:
    dialect = CsvDialect(separator=separator, encoding=encoding)
    try:
        return list(islice(csv_records(path, dialect), LOOKED_AT))
    except (UnicodeError, csv.Error):
        return []


def _signs_of_numbers(dialect: CsvDialect, path: Path) -> tuple[str, str]:
    """The sign before decimals and the one between thousands: a point, where a number has both it and a comma."""
    if dialect.separator is None:
        return ".", ""
    records: Iterable[list[str]] = _first_records(path, dialect.separator, dialect.encoding or UTF8)[1:]
    commas = [field for record in records for field in record if _COMMA.fullmatch(field)]
    return ("," if commas else "."), ("." if any("." in field for field in commas) else "")
