"""Histograms of one series, or of several drawn over one another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from relet.report.drawing import HEAD, SERIES, WIDTH, box, drawing, legend, line, px, text, ticks
from relet.report.markup import PageMarkup, empty_element
from relet.report.wording import count, fit_text, number, share, text_width

LEFT, RIGHT, PLOT, AXIS = 46, 16, 150, 24


def histogram(
    shares: Mapping[str, Sequence[float]],
    edges: Sequence[float],
    *,
    title: str,
    unit: str = "",
    note: str = "",
    label: Callable[[float], str] = number,
    marks: Mapping[float, str] | None = None,
) -> PageMarkup:
    """Shares by bin: the first series as bars, each other series as a line over them.

    `shares` maps a series to a share for each bin between `edges`. `label` writes an edge in the text under the
    pointer. `marks` are the labels of the axis by place (by default round numbers), `unit` stands after the last
    label, and `note` below the axis.

    >>> drawn = histogram({"old": [0.5, 0.5], "new": [1.0, 0.0]}, [0, 1, 2], title="price")
    >>> drawn.count("<path")
    1
    """
    top = HEAD + (30 if len(shares) > 1 else 6)
    largest = max((max(each, default=0.0) for each in shares.values()), default=0.0) or 1.0
    low, wide = edges[0], (edges[-1] - edges[0]) or 1.0
    xs = [LEFT + (edge - low) / wide * (WIDTH - LEFT - RIGHT) for edge in edges]
    drawn = [legend(list(shares)), *_height_lines(top, largest)]
    for place, series in enumerate(shares.values()):
        ys = [top + PLOT * (1 - value / largest) for value in series]
        if place == 0:
            drawn += [
                box(left, y, max(right - left - 0.6, 0.6), top + PLOT - y, kind="s0")
                for (left, right), y in zip(pairwise(xs), ys, strict=True)
                if y < top + PLOT
            ]
        else:
            outline = _step_path(xs, ys, top + PLOT)
            drawn.append(empty_element("path", class_=f"o{place % len(SERIES)}", d=outline))
    drawn += _bin_areas(shares, edges, xs, top, label, unit)
    if marks is None:
        marks = {at: label(at) for at in ticks(edges[0], edges[-1], 5)}
    drawn += _axis_names(xs, edges, top + PLOT, marks, unit)
    below = top + PLOT + AXIS
    if note:
        drawn.append(text(LEFT, below + 18, fit_text(note, WIDTH - LEFT - RIGHT), kind="small", tip=note))
    return drawing(drawn, title=title, height=below + (26 if note else 6))


def outside_note(below: int, above: int, low: str, high: str) -> str:
    """A note on the values outside of a histogram's bins.

    >>> outside_note(0, 12, "0", "9,999")
    '12 values above, up to 9,999'
    """
    parts = [f"{count(below, 'value')} below, down to {low}"] if below else []
    parts += [f"{count(above, 'value')} above, up to {high}"] if above else []
    return "; ".join(parts)


def _height_lines(top: float, largest: float) -> Iterator[PageMarkup]:
    """Horizontal lines, each labelled with its share."""
    for at in ticks(0, largest, 4):
        y = top + PLOT * (1 - at / largest)
        yield line(LEFT, WIDTH - RIGHT, y, y, kind="line" if at else "axis")
        yield text(LEFT - 6, y + 4, f"{100 * at:.3g}%", kind="small", anchor="end")


def _axis_names(
    xs: Sequence[float], edges: Sequence[float], base: float, marks: Mapping[float, str], unit: str
) -> Iterator[PageMarkup]:
    """The labels of the axis, with the unit after the last one. A label that would overlap another is left out."""
    low, wide = edges[0], (edges[-1] - edges[0]) or 1.0
    free = 0.0
    for place, (at, name) in enumerate(marks.items(), 1):
        words = f"{name} {unit}".strip() if place == len(marks) else name
        half = text_width(words) / 2
        x = min(max(xs[0] + (at - low) / wide * (xs[-1] - xs[0]), half), WIDTH - half)
        if x - half >= free:
            yield text(x, base + 18, words, kind="small", anchor="middle")
            free = x + half + 8


def _bin_areas(
    shares: Mapping[str, Sequence[float]],
    edges: Sequence[float],
    xs: Sequence[float],
    top: float,
    label: Callable[[float], str],
    unit: str,
) -> Iterator[PageMarkup]:
    """An invisible box over the whole height of each bin, whose tip says the share of each series."""
    for place, (start, end) in enumerate(pairwise(edges)):
        said = ", ".join(
            f"{name}: {share(series[place])}" if len(shares) > 1 else share(series[place])
            for name, series in shares.items()
        )
        tip = f"{label(start)} to {label(end)} {unit}".strip() + f" – {said}"
        yield box(xs[place], top, xs[place + 1] - xs[place], PLOT, kind="tip", tip=tip)


def _step_path(xs: Sequence[float], ys: Sequence[float], base: float) -> str:
    path = f"M{px(xs[0])} {px(base)}"
    for y, right in zip(ys, xs[1:], strict=True):
        path += f"V{px(y)}H{px(right)}"
    return path + f"V{px(base)}"
