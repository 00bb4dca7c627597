"""A bar chart as SVG. Drawn here: importing a plotting library would take longer than fitting a model."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

# Sizes in pixels.
ROW, LABELS, BARS, VALUES, HEAD = 22, 210, 380, 70, 46
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1c2733}.title{font-size:15px;font-weight:600}"
    ".value{fill:#5b6b7a}rect{fill:#3b6ea5}"
)


def bars(shares: Mapping[str, float], *, title: str, most: int = 20) -> str:
    """Horizontal bars for the first `most` names; values between 0 and 1 are shown as per cent.

    >>> bars({"a": 0.75, "b": 0.25}, title="Shares").count("<rect")
    3
    """
    shown = dict(list(shares.items())[:most])
    width, height = LABELS + BARS + VALUES, HEAD + ROW * len(shown) + 14
    drawn = "".join(
        _bar(number, name, value, max(shown.values())) for number, (name, value) in enumerate(shown.items())
    )
    left_out = f", the first {most} of {len(shares)}" if len(shares) > most else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f'<rect width="{width}" height="{height}" '
        f'style="fill:#fff"/><text class="title" x="14" y="28">{escape(title + left_out)}</text>{drawn}</svg>\n'
    )


def _bar(number: int, name: str, value: float, largest: float) -> str:
    y = HEAD + number * ROW
    length = BARS * value / largest if largest > 0 else 0.0
    return (
        f'<g><text x="{LABELS - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LABELS}" y="{y + 2}" width="{length:.1f}" height="14"/>'
        f'<text class="value" x="{LABELS + length + 6:.1f}" y="{y + 13}">{value:.1%}</text></g>'
    )
