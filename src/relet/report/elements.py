"""The parts of a page: tables, facts, paragraphs. Text is escaped; an argument named `html` is markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from relet.report.markup import LINE_END, NOTHING, PageMarkup, element
from relet.report.wording import number, shorten

# The longest text of a cell; longer text is cut off.
LONGEST = 240
# Text that is longer than this may break into lines.
SHORT = 28
# A sortable table with more rows scrolls in a box of its own, and its headings stay visible.
TALL = 40


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    stack: bool = False,
    sortable: bool = False,
    best: int | None = None,
) -> PageMarkup:
    """A table that scrolls in a box of its own. Numbers are aligned right, and None is a dash.

    With `stack` each row becomes a paragraph on a narrow screen, with the last cell on lines of its own; this is
    for tables of words, which nobody reads by column. With `sortable` a click on a heading sorts the table, if the
    page is sortable too. `best` is the number of the row that is highlighted.

    >>> table(["name", "rows"], [["<a>", 1200]]).count('<td class="n">1,200</td>')
    1
    """
    held = [list(row) for row in rows]
    right = [_are_numbers(row[place] for row in held) for place in range(len(columns))]
    head = NOTHING.join(
        element("th", name, class_="n" if of else None) for name, of in zip(columns, right, strict=True)
    )
    lines = NOTHING.join(
        element(
            "tr",
            *(_table_cell(value, of, exact=sortable) for value, of in zip(row, right, strict=True)),
            class_="best" if place == best else None,
        )
        + LINE_END
        for place, row in enumerate(held)
    )
    kind = "sortable" if sortable else "stack" if stack else None
    whole = element("table", element("thead", element("tr", head)), LINE_END, element("tbody", lines), class_=kind)
    return scroll_box(whole, tall=sortable and len(held) > TALL)


def _table_cell(value: object, right: bool, *, exact: bool = False) -> PageMarkup:
    long = isinstance(value, str) and not isinstance(value, PageMarkup) and len(value) > SHORT
    return element(
        "td",
        cell_html(value),
        class_="n" if right else "w" if long else None,
        data_v=repr(value) if exact and isinstance(value, int | float) else None,
    )


def cell_html(value: object) -> PageMarkup:
    """A value as a table or a list of facts shows it."""
    if isinstance(value, PageMarkup):
        return value
    if value is None:
        return PageMarkup("–")
    if isinstance(value, bool):
        return PageMarkup("yes" if value else "no")
    if isinstance(value, int | float):
        return PageMarkup(number(value))
    return PageMarkup.escape(shorten(str(value), LONGEST))


def _are_numbers(values: Iterable[object]) -> bool:
    held = [value for value in values if value is not None]
    return bool(held) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in held)


def facts(pairs: Mapping[str, object]) -> PageMarkup:
    """Names with their values, one below the other.

    >>> print(facts({"rows": 2}))
    <dl><dt>rows</dt><dd>2</dd></dl>
    """
    return element("dl", *(element("dt", name) + element("dd", cell_html(value)) for name, value in pairs.items()))


def charts(drawings: Iterable[PageMarkup]) -> PageMarkup:
    """Drawings or other HTML, as many side by side as there is room for."""
    held = NOTHING.join(element("figure", html) for html in drawings)
    return element("div", held, class_="charts") if held else NOTHING


def scroll_box(html: PageMarkup, *, tall: bool = False) -> PageMarkup:
    """A box that scrolls sideways where its content is wider than the screen; a `tall` box also scrolls down."""
    return element("div", html, class_="scroll tall" if tall else "scroll", tabindex=0)


def paragraph(words: str, kind: str = "") -> PageMarkup:
    """A paragraph; `kind` is "faint", or "verdict good", "verdict bad", "verdict odd" for one in colour."""
    return element("p", words, class_=kind or None)


def mark(words: str, kind: str) -> PageMarkup:
    """A word in colour; `kind` is "good", "bad" or "odd". The word says it too: not everyone sees colours."""
    return element("span", words, class_=f"mark {kind}")


def fold_away(summary: str, html: PageMarkup) -> PageMarkup:
    """HTML that is hidden until the reader opens it."""
    return element("details", element("summary", summary), html)
