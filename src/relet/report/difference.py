"""The difference of two tables: as lines for a terminal, and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relet.data.difference import ColumnChange, RowDifference, SchemaDifference, Shift, TableDifference
from relet.report.columns import shift_chart, shift_words, value_words
from relet.report.elements import charts, facts, fold_away, paragraph, table
from relet.report.markup import NOTHING, PageMarkup, element
from relet.report.page import Section, page
from relet.report.wording import count, number, share, shorten

# At most so many columns are listed and drawn, so that the page stays below 3 MB.
LISTED, DRAWN = 500, 60
# At most so many new and gone categories are listed.
CATEGORIES = 100
# What the size of a shift means.
SCALE = "0% is the same, 100% has nothing in common"


def schema_lines(schema: SchemaDifference) -> Iterator[str]:
    """A schema difference as a diff: `- name  type` for the old schema, `+ name  type` for the new one.

    >>> list(schema_lines(SchemaDifference(added={"borough": "string"}, retyped={"id": ("int64", "string")})))
    ['- id       int64', '+ id       string', '+ borough  string']
    """
    wide = max(map(len, [*schema.retyped, *schema.removed, *schema.added]), default=0) + 2
    for name, (was, now) in schema.retyped.items():
        yield f"- {name:<{wide}}{was}"
        yield f"+ {name:<{wide}}{now}"
    yield from (f"- {name:<{wide}}{type}" for name, type in schema.removed.items())
    yield from (f"+ {name:<{wide}}{type}" for name, type in schema.added.items())


def difference_lines(found: TableDifference, before: str, after: str) -> Iterator[str]:
    """A difference as a terminal shows it; `before` and `after` are the names of the tables.

    >>> found = TableDifference(schema=SchemaDifference(added={"borough": "string"}), before=1, after=2)
    >>> for line in difference_lines(found, "a:v1", "a:v2"):
    ...     print(line)
    a:v1 → a:v2
    <BLANKLINE>
    columns   1 added
      + borough  string
    rows      1 → 2
    """
    yield f"{before} → {after}"
    yield ""
    yield f"columns   {_columns_words(found)}"
    yield from (f"  {line}" for line in schema_lines(found.schema))
    if found.schema.reordered:
        yield "  their order is another"
    yield f"rows      {found.before:,} → {found.after:,}{_matched_by_words(found.rows)}"
    if found.rows:
        yield from (
            f"  {what:<28}{value:>12,}{note}".rstrip()
            for what, value, note in _row_counts(found.rows, before, after)
        )
    if not found.shifts:
        return
    yield f"shifts    largest first; {SCALE}"
    wide = min(max(len(each.name) for each in found.shifts), 40) + 2
    for each in found.shifts:
        yield f"  {shorten(each.name, 40):<{wide}}{size_words(each):>7}  {shift_words(each)}"


def difference_page(found: TableDifference, *, before: str, after: str) -> PageMarkup:
    """A difference as a page: a summary, the columns, the rows, and the shift of each column.

    >>> found = TableDifference(schema=SchemaDifference(), before=1, after=2)
    >>> difference_page(found, before="a:v1", after="a:v2").count("<section")
    3
    """
    sections = [
        Section(title="In short", html=_difference_in_short(found)),
        Section(title="Columns", html=columns_html(found)),
        Section(title="Rows", html=_rows_html(found, before, after)),
        *shift_sections(found.shifts, before, after),
    ]
    return page(f"{before} → {after}", subtitle="What differs between two tables", sections=sections)


def _difference_in_short(found: TableDifference) -> PageMarkup:
    parts = [f"{count(found.before, 'row')} before, {count(found.after, 'row')} after.", _columns_sentence(found)]
    if found.shifts and (found.shifts[0].size or 0) > 0:
        most = found.shifts[0]
        parts.append(f"What moved most is {most.name} ({size_words(most)}): {shift_words(most, most=1)}.")
    elif found.shifts:
        parts.append("The values of every column are spread alike.")
    return paragraph(" ".join(parts))


def _columns_sentence(found: TableDifference) -> str:
    words = _columns_words(found)
    return f"Columns: {words}."


def _columns_words(found: TableDifference) -> str:
    schema = found.schema
    parts = [
        f"{len(names):,} {what}"
        for what, names in (("added", schema.added), ("removed", schema.removed), ("retyped", schema.retyped))
        if names
    ]
    return ", ".join(parts) or "the same"


def columns_html(found: TableDifference) -> PageMarkup:
    """The schema difference as a diff in colour, or a sentence that there is none."""
    lines = list(schema_lines(found.schema))
    order = paragraph("The columns of both come in another order.") if found.schema.reordered else NOTHING
    if not lines:
        return paragraph("Both tables have the same columns, with the same types.") + order
    drawn = (element("span", line, class_="good" if line.startswith("+") else "bad") for line in lines[:LISTED])
    return element("pre", *drawn, tabindex=0) + order


def _matched_by_words(rows: RowDifference | None) -> str:
    if rows is None:
        return ""
    return f", matched by {rows.key}" if rows.key else ", matched as wholes: no column tells them apart"


def _row_counts(rows: RowDifference, before: str, after: str) -> Iterator[tuple[str, int, str]]:
    yield f"only in {before}", rows.only_before, ""
    yield f"only in {after}", rows.only_after, ""
    if rows.key:
        columns = ", ".join(_change_words(name, change) for name, change in list(rows.columns.items())[:6])
        of = f"of the first {rows.examined:,}: " if rows.examined < rows.changed else ""
        yield "changed", rows.changed, f"  {of}{columns}" if columns else ""
    yield "equal", rows.equal, ""


def _change_words(name: str, change: ColumnChange) -> str:
    most = "" if change.most is None else f" (by at most {number(change.most)})"
    return f"{shorten(name, 40)} {change.rows:,}{most}"


def _rows_html(found: TableDifference, before: str, after: str) -> PageMarkup:
    rows = found.rows
    if rows is None:
        return paragraph(f"{found.before:,} → {found.after:,}")
    how = (
        f"Rows are matched by {rows.key}, which is there once in each."
        if rows.key
        else (
            "No column has a value of its own in every row of both: rows count as the same only if they are equal."
        )
    )
    shown = {what: value for what, value, _ in _row_counts(rows, before, after)}
    parts = [paragraph(how, "faint"), facts(shown)]
    if rows.columns:
        of = f" of the first {rows.examined:,}" if rows.examined < rows.changed else ""
        changed = [
            [
                name,
                change.rows,
                None if change.most is None else number(change.most),
                _change_examples(change.examples),
            ]
            for name, change in list(rows.columns.items())[:LISTED]
        ]
        head = ["column", f"changed rows{of}", "largest change", f"examples, by {rows.key}"]
        parts.append(table(head, changed))
    return NOTHING.join(parts)


def _change_examples(examples: tuple[tuple[str, str | None, str | None], ...]) -> PageMarkup:
    shown = (
        f"{shorten(key, 20)}: {_value_or_missing(was)} → {_value_or_missing(now)}" for key, was, now in examples
    )
    return PageMarkup("<br>").join(shown)


def _value_or_missing(value: str | None) -> str:
    return "missing" if value is None else shorten(value, 40)


def shift_sections(
    shifts: tuple[Shift, ...], before: str, after: str, units: Mapping[str, str] | None = None
) -> Iterator[Section]:
    """The shift of each column: a table with the largest shift first, and drawings in the same order."""
    if not shifts:
        return

    def drawn_shift(each: Shift) -> PageMarkup:
        return shift_chart(each, before, after, (units or {}).get(each.name, ""))

    listed = [[each.name, size_words(each), shift_words(each)] for each in shifts[:LISTED]]
    words = (
        "A shift is the share of rows that would have to hold another value; of numbers and dates, the largest "
        f"difference between the two in the share of rows up to some value: {SCALE}. Text of very many values is "
        "compared by its length alone. The largest come first."
    )
    html = paragraph(words, "faint") + table(["column", "shift", "what moved"], listed, stack=True)
    html += _new_and_gone_html(shifts)
    yield Section(title="What shifted", html=html)
    drawn = [svg for each in shifts[:DRAWN] if (svg := drawn_shift(each))]
    if drawn:
        yield Section(title="Side by side", html=charts(drawn))
    numbers = [each for each in shifts[:DRAWN] if each.before.quantiles and each.size is not None]
    if numbers:
        yield Section(
            title="Quantiles", html=NOTHING.join(_quantile_table(each, before, after) for each in numbers)
        )


def _new_and_gone_html(shifts: tuple[Shift, ...]) -> PageMarkup:
    """The categories that only one of the tables has, the most frequent first."""
    found = [
        (each.name, value, what, rows)
        for each in shifts
        for what, values in (("new", each.new), ("gone", each.gone))
        for value, rows in values.items()
    ]
    if not found:
        return NOTHING
    found.sort(key=lambda row: -row[3])
    more = len(found) - CATEGORIES
    note = paragraph(f"The {CATEGORIES} most frequent of {len(found):,}.", "faint") if more > 0 else NOTHING
    title = f"{count(len(found), 'category', 'categories')} that one of the two alone has"
    return fold_away(title, table(["column", "category", "", "rows"], found[:CATEGORIES]) + note)


def _quantile_table(shift: Shift, before: str, after: str) -> PageMarkup:
    percents = list(shift.before.quantiles)
    rows = [
        [name, *(value_words(column.quantiles[percent]) for percent in percents)]
        for name, column in ((before, shift.before), (after, shift.after))
    ]
    return fold_away(shorten(shift.name, 60), table(["", *percents], rows))


def size_words(shift: Shift) -> str:
    """The size of a shift as per cent."""
    return "–" if shift.size is None else share(shift.size)
