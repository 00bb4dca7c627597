"""What every chart is drawn with: one frame, one style, axes and a legend.

Colours are CSS variables with light values to fall back on: a page that a drawing is set into defines them for
light and for dark, a drawing alone has the light ones. All sizes are px of a drawing `WIDTH` wide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from relet.report.wording import fit_text, safe, text_width

WIDTH, HEAD = 440, 40
# One after the other: blue, orange, green, purple of Okabe and Ito's palette, which colour-blind people can tell
# apart (https://jfly.uni-koeln.de/color/); a little darker, for white paper.
SERIES = ("#0a6aa8", "#d0650b", "#0b8a64", "#a8557f")
_STYLE = (
    ".chart text{font:13px system-ui,sans-serif;fill:var(--ink,#1c2733)}"
    ".chart .title{font-size:15px;font-weight:600}"
    ".chart .small{font-size:12px;fill:var(--faint,#566472)}"
    ".chart .paper{fill:var(--paper,#fff)}"
    ".chart .line{stroke:var(--line,#d5dce3);fill:none}"
    ".chart .axis{stroke:var(--faint,#566472);fill:none}"
    ".chart .tip{fill:transparent}.chart .tip:hover{fill:var(--hover,#1c273314)}"
    + "".join(
        f".chart .s{number}{{fill:var(--s{number},{colour})}}"
        f".chart .o{number}{{fill:none;stroke:var(--s{number},{colour});stroke-width:2.5}}"
        for number, colour in enumerate(SERIES)
    )
)


def drawing(body: str, *, title: str, height: float, width: float = WIDTH, style: str = "", kind: str = "") -> str:
    """A whole SVG with its title; `body` is made by our code, `title` may be anything.

    >>> drawing("", title="a < b", height=10).count("a &lt; b")
    2
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{f"chart {kind}".strip()}" '
        f'viewBox="0 0 {px(width)} {px(height)}" width="{px(width)}" height="{px(height)}" role="img">'
        f"<title>{safe(title)}</title><style>{_STYLE}{style}</style>"
        f'<rect class="paper" width="{px(width)}" height="{px(height)}"/>'
        f'<text class="title" x="10" y="24">{safe(fit_text(title, (width - 20) * 13 / 16))}</text>{body}</svg>\n'
    )


def text(x: float, y: float, words: str, *, kind: str = "", anchor: str = "", tip: str = "") -> str:
    """A line of text with its base at y; `tip` is shown under the pointer."""
    attributes = f' class="{kind}"' if kind else ""
    attributes += f' text-anchor="{anchor}"' if anchor else ""
    said = f"<title>{safe(tip)}</title>" if tip else ""
    return f'<text{attributes} x="{px(x)}" y="{px(y)}">{safe(words)}{said}</text>'


def box(x: float, y: float, width: float, height: float, *, kind: str, tip: str = "") -> str:
    """A rectangle; its style is that of the class `kind`."""
    said = f"<title>{safe(tip)}</title>" if tip else ""
    place = f'x="{px(x)}" y="{px(y)}" width="{px(max(width, 0))}" height="{px(max(height, 0))}"'
    return f'<rect class="{kind}" {place}>{said}</rect>' if said else f'<rect class="{kind}" {place}/>'


def legend(names: Sequence[str], y: float = HEAD + 8) -> str:
    """A row of the series' names with their colours; nothing for a single one."""
    if len(names) < 2:
        return ""
    drawn, x, room = [], 10.0, (WIDTH - 20) / len(names)
    for place, name in enumerate(names):
        words = fit_text(name, room - 24)
        drawn.append(box(x, y - 10, 12, 12, kind=f"s{place % len(SERIES)}"))
        drawn.append(text(x + 17, y, words, tip=name if words != name else ""))
        x += min(room, text_width(words) + 36)
    return "".join(drawn)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers within an interval, at most about `most` of them.

    >>> ticks(0, 350)
    [0.0, 100.0, 200.0, 300.0]
    """
    if not (math.isfinite(high - low) and high > low):
        return [low]
    rough = (high - low) / most
    if not rough:
        return [low]
    exponent = math.floor(math.log10(rough))
    power = 10.0**exponent
    step = next((part * power for part in (1, 2, 2.5, 5, 10) if part * power >= rough * 0.999), 10 * power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = 12 - min(exponent, 0)
    return [round(place * step, digits) + 0.0 for place in range(first, last + 1)] or [low]


def px(value: float) -> str:
    """A length with at most one decimal.

    >>> px(12.0), px(0.25)
    ('12', '0.2')
    """
    return f"{value:.1f}".removesuffix(".0")


def joined_parts(parts: Iterable[str]) -> str:
    return "".join(parts)
