"""Curves over one another: a measure by step, for several runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from relet.report.drawing import HEAD, SERIES, WIDTH, dot, drawing, line, nothing_to_draw, px, text, ticks
from relet.report.markup import PageMarkup, empty_element
from relet.report.wording import fit_text, number, text_width

LEFT, RIGHT, PLOT, AXIS, ROW = 58, 16, 190, 40, 20
# When all colours are used, lines are dashed. So many series can be told apart.
DASHES = ("", "7 4", "2 4")
TOLD_APART = len(SERIES) * len(DASHES)
# The most points of a line that are marked; more would hide the line.
MARKED = 40

Points = Sequence[tuple[float, float]]


def line_chart(
    series: Mapping[str, Points],
    *,
    title: str,
    x: str = "step",
    faint: Sequence[Points] = (),
    loose: Mapping[str, tuple[float, float]] | None = None,
    unit: str = "",
) -> PageMarkup:
    """A line for each series over a shared axis of steps, with the value of each point under the pointer.

    `faint` are lines without a name, drawn behind the others. `loose` are single points by name. Colours and
    dashes repeat after `TOLD_APART` series.

    >>> drawn = line_chart({"a": [(1, 60.0), (2, 45.5)], "b": [(1, 50.0)]}, title="Error", x="rounds")
    >>> drawn.count("<polyline"), "b: 50 at 1" in drawn
    (2, True)
    """
    named = {name: list(points) for name, points in series.items() if points}
    behind = [list(points) for points in faint if points]
    alone = dict(loose or {})
    every = [point for points in (*named.values(), *behind, list(alone.values())) for point in points]
    if not every:
        return nothing_to_draw("no points to show", title=title)
    key = list(_legend_layout(list(named)))
    top = HEAD + (ROW * (len(key) and 1 + max(row for row, *_ in key)) + 8 if len(named) > 1 else 8)
    place = _PlotScale(every, top)
    drawn = [*_plot_frame(place, top, x, unit)]
    if len(named) > 1:
        drawn += [_legend_entry(row, at, order, words, name) for row, at, order, words, name in key]
    drawn += [empty_element("polyline", class_="behind", points=place.path(points)) for points in behind]
    drawn += [
        _point_dot(place, at, value, "loose", f"{name}: {number(value)}") for name, (at, value) in alone.items()
    ]
    for order, (name, points) in enumerate(named.items()):
        drawn.append(
            empty_element(
                "polyline",
                class_=f"o{order % len(SERIES)}",
                stroke_dasharray=_dashes_of_series(order) or None,
                points=place.path(points),
            )
        )
        drawn += _point_marks(place, name, points, order)
    style = (
        ".chart .behind{fill:none;stroke:var(--line,#d5dce3);stroke-width:1.2}"
        ".chart .loose{fill:var(--faint,#566472);fill-opacity:.55}"
    )
    return drawing(drawn, title=title, height=top + PLOT + AXIS, style=style)


class _PlotScale:
    """From a step and a value to px."""

    def __init__(self, points: Points, top: float) -> None:
        xs, ys = [at for at, _ in points], [value for _, value in points]
        self.low, self.high = min(ys), max(ys)
        room = (self.high - self.low) * 0.04 or abs(self.low) * 0.05 or 1.0
        self.low, self.high = self.low - room, self.high + room
        self.first, self.last = min(xs), max(xs)
        self.top = top

    def x(self, at: float) -> float:
        wide = self.last - self.first
        return LEFT + ((at - self.first) / wide if wide else 0.5) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.top + PLOT * (1 - (value - self.low) / (self.high - self.low))

    def path(self, points: Points) -> str:
        return " ".join(f"{px(self.x(at))},{px(self.y(value))}" for at, value in points)


def _plot_frame(place: _PlotScale, top: float, x: str, unit: str) -> Iterator[PageMarkup]:
    for value in ticks(place.low, place.high, 4):
        y = place.y(value)
        yield line(LEFT, WIDTH - RIGHT, y, y, kind="line")
        yield text(LEFT - 6, y + 4, number(value), kind="small", anchor="end")
    base = top + PLOT
    yield line(LEFT, WIDTH - RIGHT, base, base, kind="axis")
    free = 0.0
    for at in ticks(place.first, place.last, 5):
        words = number(at)
        half = text_width(words) / 2
        middle = min(place.x(at), WIDTH - half - 2)
        if middle - half >= free:
            yield text(middle, base + 17, words, kind="small", anchor="middle")
            free = middle + half + 8
    below = f"{x}; {unit}" if unit else x
    yield text((LEFT + WIDTH - RIGHT) / 2, base + 34, fit_text(below, 300), kind="small", anchor="middle")


def _legend_layout(names: Sequence[str]) -> Iterator[tuple[int, float, int, str, str]]:
    """Row, left edge, order, words and name of each entry of the legend."""
    row, left = 0, 10.0
    for order, name in enumerate(names):
        words = fit_text(name, WIDTH - 70)
        wide = text_width(words) + 46
        if left > 10 and left + wide > WIDTH - 6:
            row, left = row + 1, 10.0
        yield row, left, order, words, name
        left += wide


def _legend_entry(row: int, left: float, order: int, words: str, name: str) -> PageMarkup:
    y = HEAD + 8 + ROW * row
    sample = line(left, left + 22, y - 4, y - 4, kind=f"o{order % len(SERIES)}", dashes=_dashes_of_series(order))
    return sample + text(left + 28, y, words, tip=name if words != name else "")


def _dashes_of_series(order: int) -> str:
    return DASHES[order // len(SERIES) % len(DASHES)]


def _point_marks(place: _PlotScale, name: str, points: Points, order: int) -> Iterator[PageMarkup]:
    """Dots at evenly chosen points and at the last one, with their values under the pointer."""
    stride = max(1, -(-len(points) // MARKED))
    for at, value in [*points[:-1:stride], points[-1]]:
        yield _point_dot(place, at, value, f"s{order % len(SERIES)}", f"{name}: {number(value)} at {number(at)}")


def _point_dot(place: _PlotScale, at: float, value: float, kind: str, tip: str) -> PageMarkup:
    return dot(place.x(at), place.y(value), 3, kind=kind, tip=tip)
