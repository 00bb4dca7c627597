"""A bar chart as SVG. It is our own: importing a plotting library would take longer than fitting a model."""

from __future__ import annotations

from collections.abc import Mapping

from relet.report.drawing import HEAD, WIDTH, box, drawing, name_text, text
from relet.report.markup import NOTHING, PageMarkup
from relet.report.wording import share, text_width

ROW, VALUES, LABELS_AT_MOST = 24, 58, 236


def bars(shares: Mapping[str, float], *, title: str, most: int = 20) -> PageMarkup:
    """Horizontal bars for the first `most` names; values are shares, shown as per cent.

    >>> bars({"a": 0.75, "b": 0.25}, title="Shares").count("<rect")
    3
    """
    shown = dict(list(shares.items())[:most])
    labels = label_width(shown)
    largest = max(shown.values(), default=0.0)
    drawn = [
        _bar(HEAD + place * ROW, name, value, labels, largest) for place, (name, value) in enumerate(shown.items())
    ]
    left_out = f", the first {most} of {len(shares)}" if len(shares) > most else ""
    return drawing(drawn, title=title + left_out, height=HEAD + ROW * len(shown) + 8)


def label_width(names: Mapping[str, object]) -> float:
    """The width in px that the longest name takes, at most about half of the drawing."""
    return min(LABELS_AT_MOST, max((text_width(name) for name in names), default=0.0) + 18)


def _bar(y: float, name: str, value: float, labels: float, largest: float) -> PageMarkup:
    length = (WIDTH - labels - VALUES) * value / largest if largest > 0 else 0.0
    return NOTHING.join(
        [
            name_text(labels - 8, y + 15, name, labels - 8, anchor="end"),
            box(labels, y + 3, length, 16, kind="s0", tip=f"{name}: {share(value)}"),
            text(labels + length + 6, y + 15, share(value), kind="small"),
        ]
    )
