"""The profile card: the whole profile of a table as one page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relet.data.profile import CORRELATED_COLUMNS, ColumnProfile, Correlations, Profile
from relet.data.tally import ColumnKind
from relet.report.charts.grids import matrix
from relet.report.columns import column_chart, value_words
from relet.report.elements import charts, facts, fold_away, paragraph, scroll_box, table
from relet.report.markup import NOTHING, PageMarkup
from relet.report.page import Section, page
from relet.report.wording import count, number, share, shorten

# At most so many columns are listed and drawn, so that the page stays below 3 MB.
LISTED, DRAWN = 1000, 120
# How many pairs of columns are listed, and the weakest correlation that is listed.
PAIRS, STRONG = 12, 0.1


def profile_card(profile: Profile, *, title: str, head: Mapping[str, object], subtitle: str = "") -> PageMarkup:
    """A page on a table: facts about it (`head`, name → text), and its profile with drawings.

    >>> from relet.data.profile import Profile
    >>> profile_card(Profile(rows=0, columns=()), title="sample:v1", head={"aliases": "latest"}).count("<section")
    2
    """
    size = f"{count(profile.rows, 'row')}, {count(len(profile.columns), 'column')}"
    sections = [
        Section(title="What it is", html=facts({"size": size, **head})),
        Section(title="Columns", html=_columns_table(profile)),
        *_distribution_section(profile),
        *_quantile_section(profile),
        *_frequent_values_section(profile),
        *(_correlation_section(profile.correlations) if profile.correlations else ()),
    ]
    return page(title, subtitle=subtitle, sections=sections)


def _columns_table(profile: Profile) -> PageMarkup:
    shown = profile.columns[:LISTED]
    rows = [
        [
            column.name,
            column.type,
            f"{share(column.missing_share)} missing" if column.missing else "none missing",
            f"{column.distinct:,} different",
            _spread_words(column),
        ]
        for column in shown
    ]
    more = len(profile.columns) - len(shown)
    note = (
        paragraph(f"The first {LISTED:,} of {len(profile.columns):,} columns.", "faint") if more > 0 else NOTHING
    )
    head = ["column", "type", "missing values", "values", "what it holds"]
    return table(head, rows, stack=True) + note


def _spread_words(column: ColumnProfile) -> str:
    """A column in one line."""
    if not column.distinct:
        return f"{count(column.infinite, 'infinite value')}" if column.infinite else "nothing"
    if column.kind is not ColumnKind.TEXT:
        ends = f"{value_words(column.low)} to {value_words(column.high)}"
        words = f"{ends}, median {value_words(column.quantiles['50%'])}"
        if column.mean is not None:
            words += f", mean {number(column.mean)}"
        if column.deviation is not None:
            words += f" ± {number(column.deviation)}"
        return words + (f", {column.infinite:,} infinite" if column.infinite else "")
    most = column.top[0]
    lengths = count(column.longest or 0, "letter")
    if column.shortest != column.longest:
        lengths = f"{column.shortest:,} to {lengths}"
    if most.count == 1:
        return f"no value twice, {lengths}"
    return f"most often {shorten(str(most.value), 40)} ({share(most.share)}), {lengths}"


def _distribution_section(profile: Profile) -> Iterator[Section]:
    drawn = [svg for column in profile.columns[:DRAWN] if (svg := column_chart(column))]
    if not drawn:
        return
    left_out = len(profile.columns) - DRAWN
    note = "Bars are shares of the rows that hold a value."
    note += f" The first {DRAWN} of {len(profile.columns):,} columns." if left_out > 0 else ""
    yield Section(title="Distributions", html=paragraph(note, "faint") + charts(drawn))


def _quantile_section(profile: Profile) -> Iterator[Section]:
    shown = [column for column in profile.columns[:LISTED] if column.quantiles and column.distinct]
    if not shown:
        return
    percents = list(shown[0].quantiles)
    rows = [[column.name, *(value_words(column.quantiles[percent]) for percent in percents)] for column in shown]
    note = "The smallest value that this share of the rows does not exceed: 0% is the least, 50% the median."
    html = paragraph(note, "faint") + table(["column", *percents], rows)
    yield Section(title="Quantiles", html=html)


def _frequent_values_section(profile: Profile) -> Iterator[Section]:
    shown = [column for column in profile.columns[:DRAWN] if column.top and column.top[0].count > 1]
    parts = [
        fold_away(
            f"{shorten(column.name, 60)}: {shorten(value_words(column.top[0].value), 40)}, …",
            table(
                ["value", "rows", "share"],
                [[value_words(each.value), each.count, share(each.share)] for each in column.top],
            ),
        )
        for column in shown
    ]
    if parts:
        yield Section(title="Most frequent values", html=NOTHING.join(parts))


def _correlation_section(found: Correlations) -> Iterator[Section]:
    pairs = [
        (f"{name} and {other}", found.spearman[row][column], found.pearson[row][column])
        for row, name in enumerate(found.names)
        for column, other in enumerate(found.names[:row])
    ]
    strong = sorted(
        (pair for pair in pairs if abs(pair[1] or 0) >= STRONG), key=lambda pair: abs(pair[1] or 0), reverse=True
    )
    note = (
        f"On {count(found.rows, 'row')}, each pair on those that hold both. Pearson's measures how well a line "
        "fits, Spearman's how far one goes up with the other."
    )
    if len(found.names) == CORRELATED_COLUMNS:
        note += f" At most the first {CORRELATED_COLUMNS} columns of numbers are looked at."
    listed = table(["columns", "Spearman", "Pearson"], strong[:PAIRS]) if strong else paragraph("None of note.")
    squares = NOTHING.join(
        scroll_box(matrix(values, found.names, title=title))
        for title, values in (("Spearman", found.spearman), ("Pearson", found.pearson))
    )
    yield Section(title="Correlations", html=paragraph(note, "faint") + listed + squares)
