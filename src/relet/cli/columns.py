"""Tables on a terminal: cut to its width in an order that is thought about, and what is left out is named."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

GAP = "  "
# The longest that a cell may become, in letters.
LONGEST = 40
# A width that nothing reaches: where nobody's screen is written to, nothing is left out.
UNBOUNDED = 10_000


@dataclass(frozen=True, kw_only=True)
class ScreenColumn:
    """A heading with its cells. `brief` is a shorter heading for want of width; where that is not enough columns
    are left out, those of the highest `rank` first and those of rank 0 never. `exact` are numbers that a person
    chose, and that are shown as they were."""

    name: str
    values: Sequence[Any]
    brief: str = ""
    rank: int = 0
    exact: bool = False

    @property
    def right(self) -> bool:
        texts = [each for each in self.values if isinstance(each, str)]
        return all(map(_reads_as_number, texts)) and len(self.values) > sum(each is None for each in self.values)


def screen_width() -> int:
    """How many letters a line may have: `COLUMNS`, the terminal's, or as many as there are in a pipe or file."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size().columns
    return UNBOUNDED


def table_lines(columns: Sequence[ScreenColumn], width: int, bold: Iterable[int] = ()) -> Iterator[str]:
    """The table's lines, headings first; the rows numbered in `bold` stand out.

    >>> list(table_lines([ScreenColumn(name="mae", values=[30.25, 9.5])], 80))
    ['  mae', '30.25', ' 9.50']
    """
    cells = {id(each): cell_texts(each.values, exact=each.exact) for each in columns}
    shown, brief = _fitting_columns(columns, cells, width)
    headings = {id(each): (each.brief or each.name) if brief else each.name for each in columns}
    widths = {id(e): max(len(headings[id(e)]), *map(len, cells[id(e)]), 0) for e in shown}

    def line(texts: Sequence[str]) -> str:
        parts = [
            text.rjust(widths[id(column)]) if column.right else text.ljust(widths[id(column)])
            for text, column in zip(texts, shown, strict=True)
        ]
        return GAP.join(parts).rstrip()

    yield (
        click.style(line([headings[id(each)] for each in shown]), dim=True)
        if _is_terminal()
        else line([headings[id(each)] for each in shown])
    )
    rows = len(columns[0].values) if columns else 0
    standing_out = set(bold)
    for row in range(rows):
        text = line([cells[id(each)][row] for each in shown])
        yield click.style(text, bold=True) if row in standing_out and _is_terminal() else text
    if left_out := [each.name for each in columns if each not in shown]:
        yield f"for want of width without {', '.join(left_out)}; --json has all"


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _fitting_columns(
    columns: Sequence[ScreenColumn], cells: dict[int, list[str]], width: int
) -> tuple[list[ScreenColumn], bool]:
    """The columns that there is room for, and whether with their brief headings."""
    for brief in (False, True):
        if _needed_width(columns, cells, brief=brief) <= width:
            return list(columns), brief
    shown = list(columns)
    while _needed_width(shown, cells, brief=True) > width and any(each.rank for each in shown):
        # of the least needed the last one
        shown.remove(max(reversed(shown), key=lambda each: each.rank))
    return shown, True


def _needed_width(columns: Sequence[ScreenColumn], cells: dict[int, list[str]], *, brief: bool) -> int:
    headings = ((each.brief or each.name) if brief else each.name for each in columns)
    widest = (max(len(h), *map(len, cells[id(e)]), 0) for h, e in zip(headings, columns, strict=True))
    return sum(widest) + len(GAP) * max(len(columns) - 1, 0)


def cell_texts(values: Sequence[Any], *, exact: bool = False) -> list[str]:
    """A column's cells as text; its numbers have equally many decimals, the largest four figures.

    >>> cell_texts([30.2512, 9.5, None]), cell_texts([0.1, 30], exact=True)
    (['30.25', '9.50', '–'], ['0.1', '30'])
    """
    if exact:
        return [f"{each:.10g}" if is_number(each) else _terminal_cell(each, 0, tiny=False) for each in values]
    numbers = [float(each) for each in values if is_number(each) and math.isfinite(each)]
    whole = all(each == round(each) for each in numbers)
    largest = max((abs(each) for each in numbers), default=0.0)
    decimals = 0 if whole else max(0, 3 - max(math.floor(math.log10(largest)), 0)) if largest else 0
    tiny = bool(numbers) and not whole and (largest < 1e-3 or largest >= 1e7)
    # a learning rate of 0.005 beside one of 0.3 is not 0.01
    smallest = min((abs(each) for each in numbers if each), default=1.0)
    tiny = tiny or (not whole and smallest < largest / 1000)
    return [_terminal_cell(each, decimals, tiny=tiny) for each in values]


def _terminal_cell(value: Any, decimals: int, *, tiny: bool) -> str:
    if value is None:
        return "–"
    if is_number(value):
        return f"{value:.4g}" if tiny else f"{value:.{decimals}f}"
    text = printable(str(value))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def printable(text: str) -> str:
    """Text from a record as a terminal can show it: a sign that would move its cursor is replaced.

    >>> printable("a\\x07b")
    'a�b'
    """
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
