"""HTML and SVG: text is escaped by default, and only what this room wrote itself is markup."""

from __future__ import annotations

from html import escape
from typing import Any, Self

from markupsafe import Markup

from relet.report.wording import visible_text


class PageMarkup(Markup):
    """HTML or SVG. Text that is added to it, joined by it or formatted into it is escaped.

    Signs that cannot be seen are made visible, since XML cannot hold most of them. Quotes are written as
    `html.escape` writes them, like those of every page that is stored.

    >>> PageMarkup("<p>{}</p>").format("<b>\\n")
    PageMarkup('<p>&lt;b&gt;⏎</p>')
    """

    __slots__ = ()

    @classmethod
    def escape(cls, text: Any, /) -> Self:
        """Text as HTML and XML can hold it; what is markup already stays as it is."""
        if isinstance(text, cls):
            return text
        if hasattr(text, "__html__"):
            return cls(text.__html__())
        return cls(escape(visible_text(str(text))))


NOTHING, LINE_END = PageMarkup(""), PageMarkup("\n")


def element(tag: str, *inner: object, **attributes: object) -> PageMarkup:
    """An element with what it holds. An attribute that is None is left out; `class_` and `text_anchor` are names.

    >>> element("td", "a < b", class_="n", title=None)
    PageMarkup('<td class="n">a &lt; b</td>')
    """
    held = "".join(map(PageMarkup.escape, inner))
    return PageMarkup(f"<{tag}{_attributes(attributes)}>{held}</{tag}>")


def empty_element(tag: str, **attributes: object) -> PageMarkup:
    """An element that holds nothing.

    >>> empty_element("rect", width=3)
    PageMarkup('<rect width="3"/>')
    """
    return PageMarkup(f"<{tag}{_attributes(attributes)}/>")


def _attributes(attributes: dict[str, object]) -> str:
    return "".join(
        f' {name.removesuffix("_").replace("_", "-")}="{PageMarkup.escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
