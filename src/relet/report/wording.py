"""Numbers, shares and names as pages and drawings show them."""

from __future__ import annotations

import math
import unicodedata

from relet.core.wording import count, shorten

__all__ = ["count", "fit_text", "number", "share", "shorten", "text_width", "visible_text"]

# Characters that change the direction of writing: with them a value could disguise the text after it.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
# A line break or a tab has a character of its own; any other invisible character is a box.
_SHOWN = {"\n": "⏎", "\r": "⏎", "\t": "⇥"}
# The width in px, at 13 px, of an average letter and of a wide one (Chinese, an emoji).
LETTER, WIDE_LETTER = 7.4, 14.0


def visible_text(text: str) -> str:
    """The text with each control character replaced by a visible one."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_SHOWN.get(sign, sign if _can_be_seen(sign) else "�") for sign in text)


def _can_be_seen(sign: str) -> bool:
    return unicodedata.category(sign) not in ("Cc", "Cs", "Cn", "Co") and sign not in _TURNING


def fit_text(text: str, width: float) -> str:
    """Text cut off where it would be wider than `width` px at 13 px."""
    if text_width(text) <= width:
        return text
    while text and text_width(text) > width - LETTER:
        text = text[:-1]
    return f"{text}…"


def text_width(text: str) -> float:
    """About how many px wide text is at 13 px."""
    return sum(WIDE_LETTER if unicodedata.east_asian_width(sign) in "WF" else LETTER for sign in text)


def number(value: float | None) -> str:
    """A number in four or five digits, whole ones in full.

    >>> number(43136), number(0.123456), number(106.0), number(1e-9), number(None)
    ('43,136', '0.1235', '106', '1e-09', '–')
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else "–"
    if value == round(value) and abs(value) < 1e15:
        text = f"{int(value):,}"
    elif abs(value) >= 10_000:
        text = f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.4g}"
    elif abs(value) >= 100:
        text = f"{value:,.1f}"
    else:
        text = f"{value:.5g}" if abs(value) >= 10 else f"{value:.4g}"
    return text.replace("-", "−", 1) if text.startswith("-") else text


def share(value: float | None) -> str:
    """A share as per cent. Only 0 is shown as 0%, and only 1 as 100%.

    >>> share(0.206), share(0.00001), share(0.99999), share(0)
    ('20.6%', '< 0.1%', '> 99.9%', '0%')
    """
    if value is None or math.isnan(value):
        return "–"
    if value in (0, 1):
        return f"{value:.0%}"
    if 0 < value < 0.001:
        return "< 0.1%"
    if 0.999 < value < 1:
        return "> 99.9%"
    return f"{value:.1%}"
