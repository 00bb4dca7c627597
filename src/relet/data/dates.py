"""The formats that dates and times have in files, and which one a column has."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relet.data.layout import ColumnOrigin
from relet.data.reshaping import reshape_column
from relet.data.schema import Column

if TYPE_CHECKING:
    import pyarrow as pa

# Days as numbers, in each order, with a year of four digits before one of two; then days with names of months.
_ORDERS = ("%Y{0}%m{0}%d", "%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d")
_NAMED = ("%d %b %Y", "%d %B %Y", "%d. %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y")
_NAMED_SHORT = ("%d-%b-%Y", "%d-%b-%y", "%d %b %y", "%d/%b/%Y")
DAYS = (*(order.format(sign) for order in _ORDERS for sign in "-/."), "%Y%m%d", *_NAMED, *_NAMED_SHORT)
CLOCKS = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M", "T%H:%M:%SZ", " %I:%M %p", " %I:%M:%S %p")
# From this year on, a year of two digits is asked about.
LATE = 2040
FORMATS = tuple(f"{day}{clock}" for clock in CLOCKS for day in DAYS)


@dataclass(frozen=True, kw_only=True)
class FormatFinding:
    """The format that all of a column's texts have. It is None where there is none, or where several read other
    days: those are `possible`, and `doubtful` is a text that they read differently.
    """

    chosen: str | None = None
    possible: tuple[str, ...] = ()
    doubtful: str = ""


def find_format(texts: Sequence[str], column: Column) -> FormatFinding:
    """The format of all these dates or times.

    >>> find_format(["19/12/2021", "01/02/2021"], Column("seen", "date32")).chosen
    '%d/%m/%Y'
    >>> find_format(["01/02/2021"], Column("seen", "date32")).possible
    ('%d/%m/%Y', '%m/%d/%Y')
    """

    readings: list[tuple[pa.ChunkedArray, str]] = []
    for format in FORMATS:
        read = read_times(texts, column, format)
        if read is not None and not any(read.equals(other) for other, _ in readings):
            readings.append((read, format))
    formats = tuple(format for _, format in readings)
    if len(formats) == 1 and "%y" in formats[0] and (late := _late_text(texts, readings[0][0])):
        return FormatFinding(possible=formats, doubtful=late)
    if len(formats) == 1:
        return FormatFinding(chosen=formats[0], possible=formats)
    return FormatFinding(possible=formats, doubtful=_read_differently(texts, [read for read, _ in readings]))


def read_times(texts: Sequence[str], column: Column, format: str) -> pa.ChunkedArray | None:
    """The dates or times that the texts are in this format; None where one is none."""
    import pyarrow as pa

    origin = replace(ColumnOrigin(column=column.name), format=format)
    try:
        return reshape_column(pa.chunked_array([texts], pa.string()), column, origin)
    except pa.ArrowInvalid:
        return None


def _late_text(texts: Sequence[str], read: pa.ChunkedArray) -> str:
    """The first text that a year of two digits puts into a far future: 45 may be 1945 as well as 2045."""
    import pyarrow.compute as pc

    place = pc.index(pc.greater_equal(pc.year(read), LATE), True).as_py()
    return texts[place] if place >= 0 else ""


def _read_differently(texts: Sequence[str], readings: Sequence[pa.ChunkedArray]) -> str:
    for place, text in enumerate(texts):
        if len({read[place].as_py() for read in readings}) > 1:
            return text
    return ""
