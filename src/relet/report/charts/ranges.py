"""Shares with what chance allows, beside the one that was asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from relet.report.bars import LABELS_AT_MOST, VALUES, label_width
from relet.report.drawing import HEAD, WIDTH, drawing, px, text, ticks
from relet.report.wording import fit_text, safe, share, text_width

ROW, BELOW = 24, 26


def ranges(
    shares: Mapping[str, tuple[float, float, float]],
    *,
    title: str,
    mark: float,
    mark_label: str = "",
    weak: Collection[str] = (),
) -> str:
    """For each name (lowest, share, highest) as a dot on a line, orange for the names in `weak`.

    The axis begins at a round number below all of them and ends at 1; the mark is a dashed line.

    >>> shares = {"Bronx": (0.7, 0.8, 0.85), "Queens": (0.86, 0.9, 0.93)}
    >>> drawn = ranges(shares, title="Coverage", mark=0.9, weak=["Bronx"])
    >>> drawn.count('<circle class="s1"'), drawn.count('<circle class="s0"')
    (1, 1)
    """
    labels = min(LABELS_AT_MOST, label_width(shares))
    least = min([mark, *(low for low, _, _ in shares.values())])
    start = min(int(least * 10) / 10, 0.9)
    top = HEAD + (24 if mark_label else 4)
    bottom = top + ROW * len(shares)

    def at(value: float) -> float:
        return labels + (WIDTH - labels - VALUES) * (value - start) / (1 - start)

    drawn = [
        f'<line class="axis dashed" x1="{px(at(mark))}" x2="{px(at(mark))}" y1="{top}" y2="{bottom}"/>',
        f'<line class="axis" x1="{px(labels)}" x2="{px(at(1))}" y1="{bottom}" y2="{bottom}"/>',
    ]
    if mark_label:
        half = text_width(mark_label) / 2
        x = min(at(mark), WIDTH - half - 4)
        drawn.append(text(x, top - 6, mark_label, kind="small", anchor="middle"))
    for value in ticks(start, 1.0, 4):
        drawn.append(text(at(value), bottom + 16, f"{value:.0%}", kind="small", anchor="middle"))
    for place, (name, (low, middle, high)) in enumerate(shares.items()):
        y, words = top + ROW * place + ROW / 2, fit_text(name, labels - 8)
        kind = 1 if name in weak else 0
        tip = f"<title>{safe(name)}: {share(middle)}, by chance {share(low)} to {share(high)}</title>"
        ends = f'x1="{px(at(low))}" x2="{px(at(high))}" y1="{px(y)}" y2="{px(y)}"'
        drawn.append(text(labels - 8, y + 4, words, anchor="end", tip=name if words != name else ""))
        drawn.append(f'<line class="o{kind}" {ends}/>')
        drawn.append(f'<circle class="s{kind}" cx="{px(at(middle))}" cy="{px(y)}" r="5.5">{tip}</circle>')
        drawn.append(text(at(1) + 8, y + 4, share(middle), kind="small"))
    style = ".chart .dashed{stroke-dasharray:4 3}"
    return drawing("".join(drawn), title=title, height=bottom + BELOW, style=style)
