"""HTML and SVG in which text is escaped by default."""

from __future__ import annotations

from html import escape
from typing import Any, Self

from markupsafe import Markup

from relet.report.wording import visible_text


class PageMarkup(Markup):
    """HTML or SVG. Text is escaped when it is added to markup, joined by it or formatted into it.

    Invisible characters are replaced by visible ones, because XML cannot hold most of them. Quotes are escaped as
    `html.escape` does it, so that pages have the same bytes as the stored ones.

    >>> PageMarkup("<p>{}</p>").format("<b>\\n")
    PageMarkup('<p>&lt;b&gt;⏎</p>')
    """

    __slots__ = ()

    @classmethod
    def escape(cls, text: Any, /) -> Self:
        """The text, escaped; markup stays as it is."""
        if isinstance(text, cls):
            return text
        if hasattr(text, "__html__"):
            return cls(text.__html__())
        return cls(escape(visible_text(str(text))))


NOTHING, LINE_END = PageMarkup(""), PageMarkup("\n")


def element(tag: str, *inner: object, **attributes: object) -> PageMarkup:
    """An element with its content. An attribute that is None is left out; `class_` becomes class, `x_y` x-y.

    >>> element("td", "a < b", class_="n", title=None)
    PageMarkup('<td class="n">a &lt; b</td>')
    """
    held = "".join(map(PageMarkup.escape, inner))
    return PageMarkup(f"<{tag}{_attributes(attributes)}>{held}</{tag}>")


def empty_element(tag: str, **attributes: object) -> PageMarkup:
    """An element without content.

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
