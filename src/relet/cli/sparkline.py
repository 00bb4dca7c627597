"""A curve in a line of text."""

from __future__ import annotations

from relet.core.artifact import Curve

# What a curve is drawn with, from low to high.
LEVELS = "▁▂▃▄▅▆▇█"


def sparkline(
    curve: Curve, *, width: int, steps: tuple[int, int] | None = None, values: tuple[float, float] | None = None
) -> str:
    """The curve in `width` letters: each is as high as the last value at that step.

    `steps` are (first, last) and `values` (lowest, highest) of the drawing; without them they are the curve's own.
    Curves drawn with the same `steps` and `values` can be compared. A letter is blank outside the curve's steps.

    >>> sparkline(Curve(points=[(10, 60.0), (20, 42.0), (30, 40.0)], x="rounds"), width=5)
    '██▁▁▁'
    """
    own = [value for _, value in curve.points]
    first, last = steps or (curve.points[0][0], curve.points[-1][0])
    low, high = values or (min(own), max(own))
    drawn = []
    for place in range(width):
        step = first + (last - first) * place / (width - 1)
        by_then = [value for at, value in curve.points if at <= step + 1e-9]
        if not by_then or curve.points[-1][0] < step - (last - first) / width:
            drawn.append(" ")
            continue
        share = (by_then[-1] - low) / (high - low) if high > low else 0.0
        drawn.append(LEVELS[min(int(share * len(LEVELS)), len(LEVELS) - 1)])
    return "".join(drawn)
