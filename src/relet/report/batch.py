"""The page of a batch: what arrived, what left and why, what the tests said, and what shifted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from relet.core.artifact import Verdict
from relet.data.difference import Shift, TableDifference
from relet.data.outline import Outline
from relet.data.quarantine import QuarantinedRows
from relet.report.bars import bars
from relet.report.columns import shift_words
from relet.report.difference import columns_html, shift_sections, size_words
from relet.report.elements import charts, fold_away, paragraph, table
from relet.report.markup import NOTHING, PageMarkup
from relet.report.page import Section, page
from relet.report.verdict import verdict_banner, verdict_html
from relet.report.wording import count, share

# The summary names a shift only if it is at least this much larger than a shift by chance.
OF_NOTE = 0.01


def batch_page(
    *,
    title: str,
    arrived: Outline,
    kept: int,
    quarantine: Sequence[QuarantinedRows],
    verdict: Verdict,
    shifted: TableDifference | None,
    noun: str = "row",
    subtitle: str = "",
    units: Mapping[str, str] | None = None,
    more: Iterable[Section] = (),
) -> PageMarkup:
    """A page that a person reads in a minute.

    `arrived` is the outline of the batch, and `kept` is how many of its rows stay. `shifted` is the difference
    between the reference and the batch, None if the batch is the reference. `noun` names what a row is, `units`
    maps columns to the unit of their numbers, and `more` are sections before the last one.

    >>> arrived = Outline(rows=2, columns={"id": ("int64", 0)})
    >>> verdict = Verdict(passed=True, reason="2 passed")
    >>> html = batch_page(title="Batch", arrived=arrived, kept=2, quarantine=[], verdict=verdict, shifted=None)
    >>> "Nothing left: all 2 rows stay." in html
    True
    """
    sections = [
        Section(title="In short", html=_batch_in_short(arrived, kept, quarantine, verdict, shifted, noun)),
        Section(title="What left, and why", html=_quarantine_html(arrived, quarantine, noun)),
        Section(title="What the tests said", html=verdict_html(verdict)),
        *_shifted_sections(shifted, units or {}),
        *more,
        Section(title="What arrived", html=_arrived_html(arrived, noun)),
    ]
    return page(title, subtitle=subtitle, sections=sections)


def _batch_in_short(
    arrived: Outline,
    kept: int,
    quarantine: Sequence[QuarantinedRows],
    verdict: Verdict,
    shifted: TableDifference | None,
    noun: str,
) -> PageMarkup:
    left = arrived.rows - kept
    went = "all of them stay"
    if left:
        went = f"{count(kept, noun)} stay and {left:,} left ({share(left / arrived.rows)})"
        went += f", most for: {quarantine[0].reason}" if quarantine else ""
    parts = [f"{count(arrived.rows, noun)} arrived in {count(len(arrived.columns), 'column')}; {went}."]
    if shifted is None:
        parts.append("This batch is the reference itself, so there is nothing to compare it with.")
    else:
        parts.append(_shift_sentence(shifted))
    return verdict_banner(verdict) + NOTHING.join(map(paragraph, parts))


def _shift_sentence(shifted: TableDifference) -> str:
    moved = [each for each in shifted.shifts if (each.size or 0) >= OF_NOTE + _shift_by_chance(each, shifted)]
    schema = "" if not shifted.schema else "Its columns are not those of the reference. "
    against = f"{schema}Against the reference ({count(shifted.before, 'row')})"
    if not moved:
        return f"{against} nothing shifted by 1% more than by chance."
    named = "; ".join(f"{each.name} ({size_words(each)}): {shift_words(each, most=1)}" for each in moved[:2])
    most = "most of all " if len(moved) > 2 else ""
    return f"{against} {count(len(moved), 'column')} shifted by 1% more than by chance: {most}{named}."


def _shift_by_chance(each: Shift, shifted: TableDifference) -> float:
    """The mean distance between the category shares of two samples of these sizes from the same source.

    This is half the sum, over the categories, of the mean of |N(0, p(1 - p)(1/n + 1/m))|. It grows with the number
    of categories.
    """
    if not each.shares or not shifted.before or not shifted.after:
        return 0.0
    means = ((was + now) / 2 for was, now in each.shares.values())
    draws = math.sqrt(2 / math.pi * (1 / shifted.before + 1 / shifted.after))
    return 0.5 * draws * math.fsum(math.sqrt(mean * (1 - mean)) for mean in means)


def _quarantine_html(arrived: Outline, quarantine: Sequence[QuarantinedRows], noun: str) -> PageMarkup:
    if not quarantine:
        return paragraph(f"Nothing left: all {count(arrived.rows, noun)} stay.")
    left = sum(each.rows for each in quarantine)
    shares = {each.reason: each.rows / arrived.rows for each in quarantine}
    title = f"Share of all {arrived.rows:,} that left, by reason"
    parts = [
        paragraph(f"{left:,} of {count(arrived.rows, noun)} are in the quarantine, each with its first reason."),
        charts(
            [
                bars(shares, title=title),
                table(
                    ["reason", f"{noun}s", "share"],
                    [[each.reason, each.rows, share(each.rows / arrived.rows)] for each in quarantine],
                ),
            ]
        ),
        *(_example_rows_html(each) for each in quarantine),
    ]
    return NOTHING.join(parts)


def _example_rows_html(found: QuarantinedRows) -> PageMarkup:
    if not found.examples:
        return NOTHING
    columns = list(found.examples[0])
    rows = [[row.get(name) for name in columns] for row in found.examples]
    return fold_away(f"{found.reason}: the first {len(rows)} of {found.rows:,}", table(columns, rows))


def _shifted_sections(shifted: TableDifference | None, units: Mapping[str, str]) -> list[Section]:
    if shifted is None:
        words = "This batch is the reference itself: later batches are compared with it."
        return [Section(title="What shifted", html=paragraph(words))]
    sections = list(shift_sections(shifted.shifts, "reference", "this batch", units))
    if shifted.schema:
        sections.insert(0, Section(title="Columns that differ from the reference", html=columns_html(shifted)))
    return sections or [Section(title="What shifted", html=paragraph("No column can be compared."))]


def _arrived_html(arrived: Outline, noun: str) -> PageMarkup:
    rows = [
        [name, type, share(missing / arrived.rows) if missing else "none"]
        for name, (type, missing) in arrived.columns.items()
    ]
    return paragraph(f"{count(arrived.rows, noun)}, {count(len(arrived.columns), 'column')}.") + table(
        ["column", "type", "missing"], rows
    )
