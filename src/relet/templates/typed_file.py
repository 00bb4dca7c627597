"""A CSV file of anybody's: its dialect, names that code can use, and the type of each column."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from relet.data.dialect import (
    MISSING_WORDS,
    CsvDialect,
    csv_records,
    guess_dialect,
    is_parquet,
    plain_number,
    unique_header,
)
from relet.data.layout import NUMBERS, ColumnOrigin
from relet.data.notations import PLAIN
from relet.data.opening import plain_csv
from relet.data.reading import read_csv
from relet.data.reshaping import reshape_column
from relet.data.schema import Column, ColumnType, Schema
from relet.errors import BadDataError

if TYPE_CHECKING:
    import pyarrow as pa

# Words that mean a missing value in a column of text, too.
MISSING_IN_TEXT = frozenset(("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "#N/A", "?"))
# Names that a column of ours can't have: relet's own, of a quarantine.
TAKEN = frozenset(("reason",))
# The longest name of a column, in letters: what is longer is cut.
LONGEST = 50
DATES = ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%m-%Y", "%d %b %Y", "%b %d, %Y", "%d-%b-%Y", "%Y%m%d")
CLOCKS = ("%H:%M:%S", "%H:%M")
# What may stand around the digits of an amount, such as $1,200 or 12 %.
AMOUNT = re.compile(r"[+-]?[$€£¥]? ?[+-]?\d[\d,]*(\.\d+)? ?[$€£¥%]?")
NOT_DIGITS = "$€£¥%, "
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")


@dataclass(frozen=True, kw_only=True)
class TypedColumn:
    """A column under the name that code gives it, with its type and the form that it has in the file."""

    name: str
    type: ColumnType
    origin: ColumnOrigin

    @property
    def layout(self) -> str | dict[str, str] | None:
        """What the setting `columns` says of it (`relet.data.layout`); None where it need say nothing."""
        said = {"format": self.origin.format, "remove": self.origin.remove}
        form = {name: value for name, value in said.items() if value}
        if form:
            return {"from": str(self.origin.column), **form}
        return None if self.origin.column == self.name else str(self.origin.column)


@dataclass(frozen=True, kw_only=True, eq=False)
class TypedFile:
    """A CSV file's dialect, its columns in the file's order, and its rows with these names and types."""

    path: Path
    dialect: CsvDialect
    columns: tuple[TypedColumn, ...]
    rows: pa.Table

    def column(self, name: str) -> TypedColumn:
        return next(each for each in self.columns if each.name == name)


def read_typed(path: Path) -> TypedFile:
    """Read a CSV file whose form nobody told.

    Raises BadDataError for a file that is none, with the row and line where there is one.
    """
    import pyarrow as pa

    if is_parquet(path):
        raise BadDataError(f"{path.name} is a Parquet file: write it as CSV")
    dialect = guess_dialect(path)
    header = unique_header(next(csv_records(path, dialect), []))
    texts = read_csv(plain_csv(path, dialect), Schema(columns=tuple(Column(name, "string") for name in header)))
    names = zip(header, our_names(header), strict=True)
    found = [_typed_column(texts.column(name), name, ours, dialect) for name, ours in names]
    missing = frozenset[str]().union(*(words for _, words in found))
    columns = tuple(column for column, _ in found)
    rows = {
        each.name: reshape_column(
            _without(texts.column(each.origin.column), missing), Column(each.name, each.type), each.origin
        )
        for each in columns
    }
    kept = tuple(word for word in MISSING_WORDS if word in missing)
    return TypedFile(path=path, dialect=replace(dialect, missing=kept), columns=columns, rows=pa.table(rows))


def our_names(header: Sequence[str]) -> list[str]:
    """Names that code can use, each once: lower case, words joined by underscores, Latin letters without accents.

    >>> our_names(["Fläche (m²)", "Class", "class", "2nd floor", "価格"])
    ['flache_m2', 'class_', 'class_2', 'n_2nd_floor', '価格']
    """
    found: list[str] = []
    for place, name in enumerate(header, start=1):
        plain = our_name(name) or f"column_{place}"
        chosen, number = plain, 2
        while chosen in found:
            chosen, number = f"{plain.rstrip('_')}_{number}", number + 1
        found.append(chosen)
    return found


def our_name(name: str) -> str:
    """The name of one column, or nothing where no letter or digit is in it."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", " ", name)
    # Signs such as a bold letter are letters, and capital ones, only after the normalization.
    folded = unicodedata.normalize("NFKD", words.casefold()).casefold()
    letters = "".join(letter for letter in folded if not unicodedata.combining(letter))
    plain = re.sub(r"_+", "_", re.sub(r"\W", "_", unicodedata.normalize("NFKC", letters))).strip("_")
    if plain[:1].isdigit():
        plain = f"n_{plain}"
    plain = plain[:LONGEST].strip("_")
    return f"{plain}_" if keyword.iskeyword(plain) or plain in TAKEN else plain


def _typed_column(
    texts: pa.ChunkedArray, original: str, name: str, dialect: CsvDialect
) -> tuple[TypedColumn, frozenset[str]]:
    """The column with its type, and the words in it that stand for a missing value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = [text for text in pc.unique(texts).to_pylist() if text is not None]
    words = frozenset(values) & frozenset(MISSING_WORDS)
    rest = [text for text in values if text not in words]
    number = dialect.number if dialect.number != PLAIN else None
    for type, form in _candidates([plain_number(text, dialect) for text in rest], original):
        origin = replace(form, number=number) if type in NUMBERS else form
        try:
            reshape_column(pa.chunked_array([rest], pa.string()), Column(name, type), origin)
        except pa.ArrowInvalid:
            continue
        return TypedColumn(name=name, type=type, origin=origin), words
    return TypedColumn(name=name, type="string", origin=ColumnOrigin(column=original)), words & MISSING_IN_TEXT


def _candidates(values: Sequence[str], original: str) -> Iterator[tuple[ColumnType, ColumnOrigin]]:
    """The types that a column of these values may have, the narrowest first."""
    plain = ColumnOrigin(column=original)
    if not values:
        return
    if all(map(_WHOLE.fullmatch, values)):
        yield "int64", plain
    if all(map(_NUMBER.fullmatch, values)) and not any(re.match(r"[+-]?0\d", each) for each in values):
        yield "double", plain
    kinds: tuple[ColumnType, ...] = get_args(ColumnType)
    yield from ((kind, plain) for kind in kinds if kind not in ("int64", "double", "string"))
    yield from (("date32", replace(plain, format=each)) for each in DATES)
    yield from (("timestamp[us]", replace(plain, format=f"{each} {clock}")) for each in DATES for clock in CLOCKS)
    if all(map(AMOUNT.fullmatch, values)) and any(set(NOT_DIGITS) & set(each) for each in values):
        signs = "".join(sign for sign in NOT_DIGITS if any(sign in each for each in values))
        yield "int64", replace(plain, remove=signs)
        yield "double", replace(plain, remove=signs)


def _without(texts: pa.ChunkedArray, words: frozenset[str]) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    is_missing = pc.is_in(texts, value_set=pa.array(sorted(words), pa.string()))
    return pc.if_else(is_missing, pa.scalar(None, pa.string()), texts)
