"""Tables on a terminal. A table that is too wide leaves out its least important columns, and names them."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from relet.cli.terminal import style
from relet.core.wording import printable, shorten

GAP = "  "
# The most letters of a cell.
LONGEST = 40
# A width that nothing reaches. It stands for "cut nothing" where the output goes to a pipe or a file.
UNBOUNDED = 10_000


@dataclass(frozen=True, kw_only=True)
class ScreenColumn:
    """A heading with its cells.

    `brief` is a shorter heading for a narrow terminal. Where brief headings are not enough, columns are left out,
    those of the highest `rank` first and those of rank 0 never. `exact` shows numbers as a person wrote them,
    instead of with equally many decimals. `align` is where cells stand; None is right for a column of numbers and
    left for any other. `least` is the least width, in letters, and `longest` the most letters of a cell.
    """

    name: str
    values: Sequence[Any]
    brief: str = ""
    rank: int = 0
    exact: bool = False
    align: Literal["left", "right"] | None = None
    least: int = 0
    longest: int = LONGEST

    @property
    def right(self) -> bool:
        if self.align is not None:
            return self.align == "right"
        texts = [each for each in self.values if isinstance(each, str)]
        return all(map(_reads_as_number, texts)) and any(each is not None for each in self.values)

    def heading(self, *, brief: bool) -> str:
        return (self.brief or self.name) if brief else self.name

    def texts(self) -> list[str]:
        return cell_texts(self.values, exact=self.exact, longest=self.longest)


def text_column(
    cells: Iterable[str], *, name: str = "", least: int = 0, align: Literal["left", "right"] = "left"
) -> ScreenColumn:
    """A column of texts, none of which is cut."""
    return ScreenColumn(name=name, values=list(cells), least=least, align=align, longest=UNBOUNDED)


def screen_width() -> int:
    """How many letters a line may have: what `COLUMNS` or the terminal says, any number in a pipe or a file."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size().columns
    return UNBOUNDED


def table_lines(
    columns: Sequence[ScreenColumn], width: int, bold: Iterable[int] = (), *, headings: bool = True
) -> Iterator[str]:
    """The table's lines, headings first; the rows numbered in `bold` are printed bold on a terminal.

    >>> list(table_lines([ScreenColumn(name="mae", values=[30.25, 9.5])], 80))
    ['  mae', '30.25', ' 9.50']
    """
    cells = [each.texts() for each in columns]
    shown, brief = _fitting_columns(columns, cells, width)
    widths = [_column_width(columns[place], cells[place], brief=brief) for place in shown]

    def line(texts: Iterable[str], **styles: bool) -> str:
        parts = (
            text.rjust(wide) if columns[place].right else text.ljust(wide)
            for text, place, wide in zip(texts, shown, widths, strict=True)
        )
        text = GAP.join(parts).rstrip()
        return style(text, **styles) if styles and sys.stdout.isatty() else text

    if headings:
        yield line((columns[place].heading(brief=brief) for place in shown), dim=True)
    standing_out = set(bold)
    for row in range(len(columns[0].values) if columns else 0):
        yield line((cells[place][row] for place in shown), **({"bold": True} if row in standing_out else {}))
    if left_out := [each.name for place, each in enumerate(columns) if place not in shown]:
        yield f"for want of width without {', '.join(left_out)}; --json has all"


def _fitting_columns(
    columns: Sequence[ScreenColumn], cells: Sequence[Sequence[str]], width: int
) -> tuple[list[int], bool]:
    """The places of the columns that there is room for, and whether they have their brief headings."""

    def needed(places: Sequence[int], *, brief: bool) -> int:
        widths = (_column_width(columns[place], cells[place], brief=brief) for place in places)
        return sum(widths) + len(GAP) * max(len(places) - 1, 0)

    shown = list(range(len(columns)))
    for brief in (False, True):
        if needed(shown, brief=brief) <= width:
            return shown, brief
    while needed(shown, brief=True) > width and any(columns[place].rank for place in shown):
        # of the columns with the highest rank the last one
        shown.remove(max(reversed(shown), key=lambda place: columns[place].rank))
    return shown, True


def _column_width(column: ScreenColumn, cells: Sequence[str], *, brief: bool) -> int:
    return max(column.least, len(column.heading(brief=brief)), *map(len, cells), 0)


def cell_texts(values: Sequence[Any], *, exact: bool = False, longest: int = LONGEST) -> list[str]:
    """A column's cells as text. Its numbers have equally many decimals; the largest has four figures.

    >>> cell_texts([30.2512, 9.5, None]), cell_texts([0.1, 30], exact=True)
    (['30.25', '9.50', '–'], ['0.1', '30'])
    """
    form = "{:.10g}" if exact else _number_format([float(each) for each in values if is_number(each)])
    return [_cell_text(each, form, longest) for each in values]


def _number_format(numbers: Sequence[float]) -> str:
    """How a column's numbers are written: with fixed decimals, unless these would hide a small number."""
    finite = [each for each in numbers if math.isfinite(each)]
    if all(each == round(each) for each in finite):
        return "{:.0f}"
    largest = max(abs(each) for each in finite)
    smallest = min(abs(each) for each in finite if each)
    # beside 30, a learning rate of 0.005 must not become 0.01
    if largest < 1e-3 or largest >= 1e7 or smallest < largest / 1000:
        return "{:.4g}"
    return f"{{:.{max(0, 3 - max(math.floor(math.log10(largest)), 0))}f}}"


def _cell_text(value: Any, number_format: str, longest: int) -> str:
    if value is None:
        return "–"
    if is_number(value):
        return number_format.format(value)
    return shorten(printable(str(value)), longest)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
