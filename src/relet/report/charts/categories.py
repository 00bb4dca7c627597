"""Shares by category as grouped bars, and measures as dots beside a mark."""

from __future__ import annotations

from collections.abc import Mapping

from relet.report.bars import VALUES, label_width
from relet.report.drawing import HEAD, SERIES, WIDTH, box, dot, drawing, legend, line, name_text, text
from relet.report.markup import PageMarkup
from relet.report.wording import number, share, text_width

THIN = 15


def grouped_bars(shares: Mapping[str, Mapping[str, float]], *, title: str, most: int = 20) -> PageMarkup:
    """A bar for each category and series; `shares` maps a category to its share in each series.

    >>> grouped_bars({"Bronx": {"old": 0.02, "new": 0.04}}, title="borough").count('class="s1"')
    2
    """
    shown = dict(list(shares.items())[:most])
    series = list(dict.fromkeys(name for each in shown.values() for name in each))
    labels = label_width(shown)
    largest = max((value for each in shown.values() for value in each.values()), default=0.0) or 1.0
    top = HEAD + (26 if len(series) > 1 else 0)
    row = THIN * max(len(series), 1) + 9
    drawn = [legend(series)]
    for place, (name, values) in enumerate(shown.items()):
        y = top + row * place
        drawn.append(name_text(labels - 8, y + row / 2 + 4, name, labels - 8, anchor="end"))
        for track, of in enumerate(series):
            value = values.get(of, 0.0)
            length = (WIDTH - labels - VALUES) * value / largest
            at = y + 4 + track * THIN
            kind = f"s{track % len(SERIES)}"
            drawn.append(box(labels, at, length, THIN - 3, kind=kind, tip=f"{name}, {of}: {share(value)}"))
            drawn.append(text(labels + length + 6, at + 11, share(value), kind="small"))
    left_out = f", the first {most} of {len(shares)}" if len(shares) > most else ""
    return drawing(drawn, title=title + left_out, height=top + row * len(shown) + 8)


def dots(
    values: Mapping[str, float], *, title: str, mark: float = 1.0, mark_label: str = "", most: int = 40
) -> PageMarkup:
    """A dot at the value of each name, on a line from 0; it is orange from `mark` on, which is a dashed line.

    >>> dots({"price": 0.4, "id": 2.0}, title="Effect ÷ floor", mark_label="floor").count("<circle")
    2
    """
    shown = dict(list(values.items())[:most])
    labels = label_width(shown)
    largest = max([*shown.values(), mark * 1.15])
    top, across = HEAD + (24 if mark_label else 4), WIDTH - labels - VALUES
    bottom = top + 24 * len(shown)
    at = labels + across * mark / largest
    drawn = [line(at, at, top, bottom, kind="axis dashed")]
    if mark_label:
        half = text_width(mark_label) / 2
        x = min(max(at, half), WIDTH - half - 4)
        drawn.append(text(x, top - 6, mark_label, kind="small", anchor="middle"))
    for place, (name, value) in enumerate(shown.items()):
        y, x = top + 24 * place + 12, labels + across * max(value, 0.0) / largest
        drawn.append(name_text(labels - 8, y + 4, name, labels - 8, anchor="end"))
        drawn.append(line(labels, x, y, y, kind="line"))
        drawn.append(dot(x, y, 5.5, kind="s1" if value >= mark else "s0", tip=number(value)))
        drawn.append(text(x + 10, y + 4, number(round(value, 3)), kind="small"))
    style = ".chart .dashed{stroke-dasharray:4 3}"
    return drawing(drawn, title=title, height=bottom + 8, style=style)
