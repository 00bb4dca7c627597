"""Shares with their ranges by chance, beside the share that was asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from relet.report.bars import VALUES, label_width
from relet.report.drawing import HEAD, WIDTH, dot, drawing, line, name_text, text, ticks
from relet.report.markup import PageMarkup
from relet.report.wording import share, text_width

ROW, BELOW = 24, 26


def ranges(
    shares: Mapping[str, tuple[float, float, float]],
    *,
    title: str,
    mark: float,
    mark_label: str = "",
    weak: Collection[str] = (),
) -> PageMarkup:
    """A dot on a line for each name → (lowest, share, highest); it is orange for the names in `weak`.

    The axis begins at a round number below all shares and ends at 1; the mark is a dashed line.

    >>> shares = {"Bronx": (0.7, 0.8, 0.85), "Queens": (0.86, 0.9, 0.93)}
    >>> drawn = ranges(shares, title="Coverage", mark=0.9, weak=["Bronx"])
    >>> drawn.count('<circle class="s1"'), drawn.count('<circle class="s0"')
    (1, 1)
    """
    labels = label_width(shares)
    least = min([mark, *(low for low, _, _ in shares.values())])
    start = min(int(least * 10) / 10, 0.9)
    top = HEAD + (24 if mark_label else 4)
    bottom = top + ROW * len(shares)

    def at(value: float) -> float:
        return labels + (WIDTH - labels - VALUES) * (value - start) / (1 - start)

    drawn = [
        line(at(mark), at(mark), top, bottom, kind="axis dashed"),
        line(labels, at(1), bottom, bottom, kind="axis"),
    ]
    if mark_label:
        half = text_width(mark_label) / 2
        x = min(at(mark), WIDTH - half - 4)
        drawn.append(text(x, top - 6, mark_label, kind="small", anchor="middle"))
    for value in ticks(start, 1.0, 4):
        drawn.append(text(at(value), bottom + 16, f"{value:.0%}", kind="small", anchor="middle"))
    for place, (name, (low, middle, high)) in enumerate(shares.items()):
        y, colour = top + ROW * place + ROW / 2, 1 if name in weak else 0
        tip = f"{name}: {share(middle)}, by chance {share(low)} to {share(high)}"
        drawn.append(name_text(labels - 8, y + 4, name, labels - 8, anchor="end"))
        drawn.append(line(at(low), at(high), y, y, kind=f"o{colour}"))
        drawn.append(dot(at(middle), y, 5.5, kind=f"s{colour}", tip=tip))
        drawn.append(text(at(1) + 8, y + 4, share(middle), kind="small"))
    style = ".chart .dashed{stroke-dasharray:4 3}"
    return drawing(drawn, title=title, height=bottom + BELOW, style=style)
