"""What a page is filled with. Everything given as text is escaped here; what is named `html` or `svg` is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from relet.report.wording import number, safe, shorten

# A value of a table in a page: longer text is cut off.
LONGEST = 240
# One that is longer than this may be broken into lines.
SHORT = 28
# With more rows a table that can be sorted has a box of its own, under whose edge its headings stay.
TALL = 40
# What marks the row that stands out.
BEST = ' class="best"'


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    stack: bool = False,
    sortable: bool = False,
    best: int | None = None,
) -> str:
    """A table that scrolls in a box of its own; numbers are set right, None is a dash.

    With `stack` each row becomes a paragraph on a narrow screen, the last cell on lines of its own: for tables of
    words, that nobody reads by column. With `sortable`, in a page that is so too, a click on a heading sorts it;
    `best` is the row that stands out.

    >>> table(["name", "rows"], [["<a>", 1200]]).count('<td class="n">1,200</td>')
    1
    """
    held = [list(row) for row in rows]
    right = [_are_numbers(row[place] for row in held) for place in range(len(columns))]
    heads = (name if isinstance(name, Markup) else safe(name) for name in columns)
    head = "".join(f"<th{_right_class(of)}>{name}</th>" for name, of in zip(heads, right, strict=True))
    cells = (zip(row, right, strict=True) for row in held)
    lines = "".join(
        f"<tr{BEST if place == best else ''}>"
        f"{''.join(_table_cell(value, of, exact=sortable) for value, of in row)}</tr>\n"
        for place, row in enumerate(cells)
    )
    kind = ' class="sortable"' if sortable else ' class="stack"' if stack else ""
    whole = f"<table{kind}><thead><tr>{head}</tr></thead>\n<tbody>{lines}</tbody></table>"
    return scroll_box(whole, tall=sortable and len(held) > TALL)


def _table_cell(value: object, right: bool, *, exact: bool = False) -> str:
    long = isinstance(value, str) and not isinstance(value, Markup) and len(value) > SHORT
    kind = "n" if right else "w" if long else ""
    by = f' data-v="{value!r}"' if exact and isinstance(value, int | float) else ""
    return f'<td class="{kind}"{by}>{cell_html(value)}</td>' if kind else f"<td{by}>{cell_html(value)}</td>"


def cell_html(value: object) -> str:
    """A value as a table or a list of facts shows it."""
    if value is None:
        return "–"
    if isinstance(value, Markup):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    return safe(shorten(str(value), LONGEST))


class Markup(str):
    """HTML that our own code made, where text would be escaped."""

    __slots__ = ()


def _are_numbers(values: Iterable[object]) -> bool:
    held = [value for value in values if value is not None]
    return bool(held) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in held)


def _right_class(numbers: bool) -> str:
    return ' class="n"' if numbers else ""


def facts(pairs: Mapping[str, object]) -> str:
    """Names with what they are, one below the other.

    >>> facts({"rows": 2})
    '<dl><dt>rows</dt><dd>2</dd></dl>'
    """
    return (
        f"<dl>{''.join(f'<dt>{safe(name)}</dt><dd>{cell_html(value)}</dd>' for name, value in pairs.items())}</dl>"
    )


def charts(drawings: Iterable[str]) -> str:
    """Drawings, or other HTML, side by side, as many as there is room for."""
    held = "".join(f"<figure>{html}</figure>" for html in drawings)
    return f'<div class="charts">{held}</div>' if held else ""


def scroll_box(html: str, *, tall: bool = False) -> str:
    """What keeps its width, and scrolls in a box of its own on a narrower screen; a `tall` one downwards too."""
    return f'<div class="scroll{" tall" if tall else ""}" tabindex="0">{html}</div>'


def paragraph(words: str, kind: str = "") -> str:
    """A paragraph; `kind` is "faint", or "verdict good", "verdict bad", "verdict odd" for one in colour."""
    return f'<p class="{kind}">{safe(words)}</p>' if kind else f"<p>{safe(words)}</p>"


def mark(words: str, kind: str) -> Markup:
    """A word in colour; `kind` is "good", "bad" or "odd". The word says it too: not everyone sees colours."""
    return Markup(f'<span class="mark {kind}">{safe(words)}</span>')


def fold_away(summary: str, html: str) -> str:
    """What is shown once one asks for it."""
    return f"<details><summary>{safe(summary)}</summary>{html}</details>"
