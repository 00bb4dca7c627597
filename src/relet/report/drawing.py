"""The parts of every chart: the frame, the style, text, marks, the legend and the ticks of an axis.

Colours are CSS variables with a light colour as their default. A page defines the variables for light and for
dark; a drawing alone has the light colours. All sizes are px of a drawing that is `WIDTH` px wide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from relet.report.markup import LINE_END, NOTHING, PageMarkup, element, empty_element
from relet.report.wording import fit_text, text_width

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


def drawing(
    body: Iterable[PageMarkup], *, title: str, height: float, width: float = WIDTH, style: str = "", kind: str = ""
) -> PageMarkup:
    """A whole SVG with its title. `style` comes from our code; `title` may hold any text.

    >>> drawing([], title="a < b", height=10).count("a &lt; b")
    2
    """
    svg = element(
        "svg",
        element("title", title),
        element("style", PageMarkup(_STYLE + style)),
        empty_element("rect", class_="paper", width=px(width), height=px(height)),
        element("text", fit_text(title, (width - 20) * 13 / 16), class_="title", x=10, y=24),
        *body,
        xmlns="http://www.w3.org/2000/svg",
        class_=f"chart {kind}".strip(),
        viewBox=f"0 0 {px(width)} {px(height)}",
        width=px(width),
        height=px(height),
        role="img",
    )
    return svg + LINE_END


def nothing_to_draw(words: str, *, title: str) -> PageMarkup:
    """A drawing that says why it is empty."""
    return drawing([text(10, HEAD + 16, words, kind="small")], title=title, height=HEAD + 30)


def text(x: float, y: float, words: str, *, kind: str = "", anchor: str = "", tip: str = "") -> PageMarkup:
    """A line of text whose baseline is at y; `tip` is shown under the pointer."""
    return element("text", words, tip_of(tip), class_=kind or None, text_anchor=anchor or None, x=px(x), y=px(y))


def name_text(x: float, y: float, name: str, room: float, *, anchor: str = "") -> PageMarkup:
    """A name whose baseline is at y. A name wider than `room` px is cut off, and whole under the pointer."""
    words = fit_text(name, room)
    return text(x, y, words, anchor=anchor, tip=name if words != name else "")


def box(x: float, y: float, width: float, height: float, *, kind: str, tip: str = "") -> PageMarkup:
    """A rectangle; its style is that of the class `kind`."""
    place = {"x": px(x), "y": px(y), "width": px(max(width, 0)), "height": px(max(height, 0))}
    if not tip:
        return empty_element("rect", class_=kind, **place)
    return element("rect", tip_of(tip), class_=kind, **place)


def line(x1: float, x2: float, y1: float, y2: float, *, kind: str, dashes: str = "") -> PageMarkup:
    """A line from (x1, y1) to (x2, y2); its style is that of the class `kind`."""
    return empty_element(
        "line", class_=kind, stroke_dasharray=dashes or None, x1=px(x1), x2=px(x2), y1=px(y1), y2=px(y2)
    )


def dot(x: float, y: float, radius: float, *, kind: str, tip: str) -> PageMarkup:
    """A circle; its style is that of the class `kind`."""
    return element("circle", tip_of(tip), class_=kind, cx=px(x), cy=px(y), r=radius)


def tip_of(tip: str) -> PageMarkup:
    """The text that is shown while the pointer is on the element around it; nothing for an empty text."""
    return element("title", tip) if tip else NOTHING


def legend(names: Sequence[str], y: float = HEAD + 8) -> PageMarkup:
    """A row with the colour and the name of each series; nothing for a single series."""
    if len(names) < 2:
        return NOTHING
    drawn, x, room = [], 10.0, (WIDTH - 20) / len(names)
    for place, name in enumerate(names):
        drawn.append(box(x, y - 10, 12, 12, kind=f"s{place % len(SERIES)}"))
        drawn.append(name_text(x + 17, y, name, room - 24))
        x += min(room, text_width(fit_text(name, room - 24)) + 36)
    return NOTHING.join(drawn)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers within an interval, about `most` of them at most.

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
