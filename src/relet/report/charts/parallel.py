"""Parallel coordinates: the settings of each trial, axis by axis, and its result."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relet.report.charts.grids import STEPS
from relet.report.drawing import HEAD, drawing, line, name_text, nothing_to_draw, px, text, tip_of
from relet.report.markup import PageMarkup, element
from relet.report.wording import fit_text, number

# The least and the largest distance between axes, and the width of a page, in px.
NEAREST, FARTHEST, WIDE = 128, 300, 1040
PLOT, LEFT, RIGHT = 270, 64, 96
# The most axes that are drawn, and the most categories that an axis labels.
MOST_AXES, NAMED = 12, 14
# An axis is logarithmic if its numbers are positive and the largest is more than this times the least.
SPAN = 50


def parallel_coordinates(
    axes: Mapping[str, Sequence[Any]],
    result: Sequence[float | None],
    *,
    title: str,
    measure: str,
    more: bool = False,
    names: Sequence[str] = (),
) -> PageMarkup:
    """A line for each trial through its settings to its result. Better trials are lighter and drawn later.

    `axes` maps a setting to a value for each trial, None if a trial lacks it. `result` is the value on the last
    axis, whose better end is at the top; with `more` larger values are better. A trial without a result is left
    out. The drawing is as wide as its axes: a page puts it into a scroll box.

    >>> parallel_coordinates({"depth": [2, 4]}, [30.0, 29.0], title="Trials", measure="mae").count("<polyline")
    2
    """
    held = [place for place, value in enumerate(result) if value is not None and math.isfinite(value)]
    shown = {name: [values[place] for place in held] for name, values in list(axes.items())[:MOST_AXES]}
    outcome = [float(result[place] or 0.0) for place in held]
    if not held:
        return nothing_to_draw("no results to show", title=title)
    scales = [_axis_scale(values) for values in shown.values()] + [_numeric_scale(outcome, flipped=not more)]
    values = [*shown.values(), outcome]
    heads = [*shown, measure]
    top = HEAD + 34
    axis = min(max((WIDE - LEFT - RIGHT) / max(len(shown), 1), NEAREST), FARTHEST)
    drawn = []
    ranks = _result_ranks(outcome, more)
    best = max(range(len(held)), key=lambda each: ranks[each])
    # the best is drawn last, over the others and over those that are as good
    for trial in sorted(range(len(held)), key=lambda each: (ranks[each], each == best)):
        corners = [
            (LEFT + axis * at, top + PLOT * (1 - scale.share(column[trial])))
            for at, (scale, column) in enumerate(zip(scales, values, strict=True))
        ]
        points = " ".join(f"{px(x)},{px(y)}" for x, y in corners)
        pairs = zip(heads, (column[trial] for column in values), strict=True)
        said = ", ".join(f"{head} {_value_in_tip(value)}" for head, value in pairs if value is not None)
        tip = f"{names[held[trial]]}: {said}" if names else said
        kind = "best" if trial == best else f"r{round(ranks[trial] * (len(STEPS) - 1))}"
        drawn.append(element("polyline", tip_of(tip), class_=kind, points=points))
    for at, (head, scale) in enumerate(zip(heads, scales, strict=True)):
        drawn += _axis_svg(
            LEFT + axis * at, top, head, scale, room=RIGHT - 16 if at == len(heads) - 1 else axis - 60
        )
    style = "".join(
        f".chart .r{step}{{fill:none;stroke:{colour};stroke-width:1.4;stroke-opacity:.75}}"
        for step, colour in enumerate(STEPS)
    )
    style += (
        ".chart .best{fill:none;stroke:var(--s1,#d0650b);stroke-width:3.5}"
        ".chart polyline:hover{stroke-width:4.5;stroke-opacity:1}"
        ".chart .halo{paint-order:stroke;stroke:var(--paper,#fff);stroke-width:4px}"
    )
    width = LEFT + axis * len(shown) + RIGHT
    return drawing(drawn, title=title, width=max(width, 300), height=top + PLOT + 26, style=style, kind="wide")


class _AxisScale:
    """From a value to its place on an axis, 0 at the bottom and 1 at the top; `marks` are its labels by place."""

    def __init__(self, places: Mapping[Any, float], marks: Mapping[float, str]) -> None:
        self.places = places
        self.marks = marks

    def share(self, value: Any) -> float:
        return self.places[_category_name(value)]


def _category_name(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float | int) and not isinstance(value, bool) else str(value)


def _axis_scale(values: Sequence[Any]) -> _AxisScale:
    numbers = [each for each in values if isinstance(each, int | float) and not isinstance(each, bool)]
    if len(numbers) == len(values) and all(math.isfinite(each) for each in numbers):
        return _numeric_scale([float(each) for each in numbers])
    return _category_scale(values)


def _numeric_scale(values: Sequence[float], *, flipped: bool = False) -> _AxisScale:
    low, high = min(values), max(values)
    log = low > 0 and high / low > SPAN
    move = math.log if log else float
    wide = move(high) - move(low)

    def share(value: float) -> float:
        found = (move(value) - move(low)) / wide if wide else 0.5
        return 1 - found if flipped else found

    distinct = sorted(set(values))
    if len(distinct) <= 6:
        named = distinct
    else:
        middle = math.exp((math.log(low) + math.log(high)) / 2) if log else (low + high) / 2
        named = [low, float(f"{middle:.2g}"), high]
    marks = {share(value): number(value) for value in named if low <= value <= high}
    return _AxisScale({_category_name(value): share(value) for value in values}, marks)


def _category_scale(values: Sequence[Any]) -> _AxisScale:
    told = sorted({_category_name(each) for each in values}, key=lambda each: (each == "None", each))
    places = {each: (at / (len(told) - 1) if len(told) > 1 else 0.5) for at, each in enumerate(told)}
    stride = -(-len(told) // NAMED)
    marks = {places[each]: "not set" if each == "None" else each for each in told[::stride]}
    return _AxisScale(places, marks)


def _result_ranks(outcome: Sequence[float], more: bool) -> list[float]:
    """A rank for each result, from 0 for the worst to 1 for the best; equal results have equal ranks."""
    ordered = sorted(set(outcome), reverse=not more)
    return [ordered.index(each) / (len(ordered) - 1) if len(ordered) > 1 else 1.0 for each in outcome]


def _value_in_tip(value: Any) -> str:
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _axis_svg(x: float, top: float, head: str, scale: _AxisScale, *, room: float) -> Iterator[PageMarkup]:
    yield name_text(x, top - 12, head, NEAREST - 8, anchor="middle")
    yield line(x, x, top, top + PLOT, kind="axis")
    taken: list[float] = []
    for share, mark in scale.marks.items():
        y = top + PLOT * (1 - share)
        if any(abs(y - each) < 14 for each in taken):
            continue
        taken.append(y)
        short = fit_text(mark, room)
        tip = mark if short != mark else ""
        yield text(x + 7, y + 4, short, kind="small halo", tip=tip)
