"""Maps of cells, and square matrices of numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from relet.report.drawing import HEAD, WIDTH, box, drawing, name_text, nothing_to_draw, px, text, tip_of
from relet.report.markup import NOTHING, PageMarkup, element
from relet.report.wording import count, fit_text, number, text_width

# From low to high, after viridis (https://bids.github.io/colormap). Each step is lighter than the one before, so
# that the steps differ in grey too; the darkest is light enough for a dark page.
STEPS = ("#5c3a8c", "#4a5fa5", "#2f7fa8", "#1f9e96", "#4fbb6e", "#a0d33f", "#fde725")
# The tallest that a map may become, in px.
TALLEST = 620


@dataclass(frozen=True, kw_only=True)
class MapCell:
    """A rectangle of a map: its south-west corner in degrees, its value, and the number of rows behind it."""

    longitude: float
    latitude: float
    value: float
    rows: int = 0


class _MapProjection(NamedTuple):
    """From degrees to px, with as many metres to a px upward as across."""

    west: float
    north: float
    across: float
    upward: float


def heat_map(
    cells: Iterable[MapCell], *, title: str, width: float, height: float, unit: str = "", value_name: str = "value"
) -> PageMarkup:
    """Cells of `width` by `height` degrees in seven classes of colour with equally many cells, and a legend.

    A degree of longitude is drawn shorter than one of latitude by the cosine of the middle latitude.

    >>> cells = [MapCell(longitude=-74.0 + west / 10, latitude=40.7, value=100 - west) for west in (0, 1)]
    >>> heat_map(cells, title="Price", width=0.1, height=0.1, unit="dollars").count("per cell")
    0
    """
    held = sorted(cells, key=lambda cell: (cell.latitude, cell.longitude))
    if not held:
        return nothing_to_draw("no places to show", title=title)
    ground, bottom = _map_projection(held, width, height)
    bounds = _class_bounds([cell.value for cell in held])
    drawn = []
    for cell in held:
        tip = f"{value_name} {number(cell.value)} {unit}".strip()
        tip += f", {count(cell.rows, 'row')}" if cell.rows else ""
        x = 10 + (cell.longitude - ground.west) * ground.across
        y = HEAD + (ground.north - cell.latitude - height) * ground.upward
        step = _class_colour(sum(cell.value >= bound for bound in bounds), len(bounds))
        drawn.append(
            box(x, y, width * ground.across + 0.3, height * ground.upward + 0.3, kind=f"m{step}", tip=tip)
        )
    drawn.append(_map_legend(bounds, held, bottom + 14, f"{value_name}, {unit}" if unit else value_name))
    style = "".join(f".chart .m{step}{{fill:{colour}}}" for step, colour in enumerate(STEPS))
    return drawing(drawn, title=title, height=bottom + 68, style=style)


def _map_projection(cells: Sequence[MapCell], width: float, height: float) -> tuple[_MapProjection, float]:
    west, east = (choose(cell.longitude for cell in cells) for choose in (min, max))
    south, north = (choose(cell.latitude for cell in cells) for choose in (min, max))
    wide, high = east + width - west, north + height - south
    squeeze = max(math.cos(math.radians((south + north + height) / 2)), 0.05)
    upward = min((WIDTH - 20) / (wide * squeeze), TALLEST / high)
    ground = _MapProjection(west=west, north=north + height, across=upward * squeeze, upward=upward)
    return ground, HEAD + high * upward


def _class_bounds(values: Sequence[float]) -> list[float]:
    """The lower bounds of the second to the seventh class; fewer if there are fewer different values."""
    ordered = sorted(values)
    cuts = {ordered[len(ordered) * step // len(STEPS)] for step in range(1, len(STEPS))}
    return sorted(cuts - {ordered[0]})


def _class_colour(step: int, last: int) -> int:
    """The colour of class `step` of 0 to `last`: the first is the darkest, the last the lightest."""
    return step * (len(STEPS) - 1) // last if last else 0


def _map_legend(bounds: Sequence[float], cells: Sequence[MapCell], y: float, words_below: str) -> PageMarkup:
    """The colours in a row, with the value at each change of colour."""
    low, high = (choose(cell.value for cell in cells) for choose in (min, max))
    part = (WIDTH - 20 - 40) / (len(bounds) + 1)
    drawn = [
        box(30 + part * step, y, part, 12, kind=f"m{_class_colour(step, len(bounds))}")
        for step in range(len(bounds) + 1)
    ]
    for place, value in enumerate([low, *bounds, high]):
        words = number(float(f"{value:.3g}"))
        drawn.append(text(30 + part * place, y + 27, words, kind="small", anchor="middle"))
    drawn.append(text(WIDTH / 2, y + 45, words_below, kind="small", anchor="middle"))
    return NOTHING.join(drawn)


def matrix(values: Sequence[Sequence[float | None]], names: Sequence[str], *, title: str) -> PageMarkup:
    """A square of numbers from −1 to 1: orange above zero, blue below, the number in each cell.

    A missing number is an empty cell. The drawing is as wide as its cells: a page puts it into a scroll box.

    >>> matrix([[1.0, -0.5], [-0.5, 1.0]], ["a", "b"], title="Correlations").count(">−.50<")
    2
    """
    side, labels = 40, min(190.0, max((text_width(name) for name in names), default=0.0) + 18)
    top = HEAD + labels * 0.72 + 6
    drawn = []
    for row, name in enumerate(names):
        y = top + side * row
        drawn.append(name_text(labels - 8, y + side / 2 + 4, name, labels - 8, anchor="end"))
        turned = f"translate({px(labels + side * (row + 0.5))} {px(top - 8)}) rotate(-45)"
        drawn.append(element("text", fit_text(name, labels - 8), transform=turned))
        for column, value in enumerate(values[row]):
            if value is not None:
                drawn.append(_matrix_cell(labels + side * column, y, side, value, f"{name} and {names[column]}"))
    width = max(labels + side * len(names) + labels * 0.72 + 10, 240)
    style = (
        ".chart .up{fill:var(--s1,#d0650b)}.chart .down{fill:var(--s0,#0a6aa8)}"
        ".chart .in{font-size:12px;text-anchor:middle}"
    )
    height = top + side * len(names) + 10
    return drawing(drawn, title=title, width=width, height=height, style=style, kind="wide")


def _matrix_cell(x: float, y: float, side: float, value: float, pair: str) -> PageMarkup:
    kind, weight = ("up" if value > 0 else "down"), min(abs(value), 1.0) * 0.7
    words = f"{value:.2f}".replace("0.", ".", 1).replace("-", "−") if abs(value) < 0.995 else number(round(value))
    square = element(
        "rect",
        tip_of(f"{pair}: {number(round(value, 3))}"),
        class_=kind,
        fill_opacity=f"{weight:.2f}",
        x=px(x + 1),
        y=px(y + 1),
        width=side - 2,
        height=side - 2,
    )
    return square + text(x + side / 2, y + side / 2 + 4, words, kind="in")
