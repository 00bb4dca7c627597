"""The page of a model's intervals: how often they hold the truth, how wide they are, and where they are weak."""

from __future__ import annotations

from collections.abc import Sequence

from relet.evaluation.coverage import SMALLEST, IntervalCoverage, weakness_sentence
from relet.report.charts.categories import dots
from relet.report.charts.ranges import ranges
from relet.report.elements import charts, facts, paragraph, table
from relet.report.markup import NOTHING, PageMarkup
from relet.report.page import Section, page
from relet.report.wording import share


def coverage_page(
    overall: IntervalCoverage | None,
    groups: Sequence[IntervalCoverage],
    *,
    coverage: float,
    unit: str,
    reason: str = "",
    notes: Sequence[str] = (),
) -> PageMarkup:
    """One HTML file on intervals of `coverage`; `notes` are paragraphs below the summary.

    `overall` is None if there were no intervals to measure; `reason` says why.

    >>> coverage_page(None, [], coverage=0.9, unit="dollars", reason="the model gives none").count("gives none")
    1
    """
    title = f"The model's {coverage:.0%} intervals"
    if overall is None:
        return page(title, sections=[Section(title="Not measured", html=paragraph(reason, "verdict odd"))])
    names = _group_names(groups)
    weak = [name for name, each in zip(names, groups, strict=True) if each.is_weak(coverage)]
    said = {
        "asked for": share(coverage),
        "inside": share(overall.share),
        f"mean width, {unit}": round(overall.width, 1),
        "test rows": overall.rows,
    }
    summary = paragraph(weakness_sentence(groups, coverage), "verdict odd" if weak else "verdict good") + facts(
        said
    )
    drawn = charts(
        [
            ranges(
                {
                    name: (each.range[0], each.share, each.range[1])
                    for name, each in zip(names, groups, strict=True)
                },
                title="Inside their interval",
                mark=coverage,
                mark_label="asked for",
                weak=weak,
            ),
            dots(
                {name: round(each.width, 1) for name, each in zip(names, groups, strict=True)},
                title=f"Mean width, {unit}",
                mark=overall.width,
                mark_label="all rows",
            ),
        ]
    )
    rows = [
        [each.group, each.rows, share(each.share), " to ".join(map(share, each.range)), round(each.width, 1)]
        for each in groups
    ]
    listed = table(["group", "rows", "inside", "95% range", f"width, {unit}"], rows)
    explained = paragraph(
        f"Groups of {SMALLEST} rows or more. A line is the range in which the share would lie on many more rows; "
        "it is orange where all of it, and the share by two per cent, is below what was asked for.",
        "faint",
    )
    return page(
        title,
        subtitle="How often they hold the truth on the test rows, how wide they are, and where they are weak",
        sections=[
            Section(title="In one sentence", html=summary + NOTHING.join(map(paragraph, notes))),
            Section(title="By group", html=explained + drawn),
            Section(title="The numbers", html=listed),
        ],
    )


def _group_names(groups: Sequence[IntervalCoverage]) -> list[str]:
    """The value of each group without its column, unless two groups have the same value."""
    values = [each.group.rpartition(" = ")[2] for each in groups]
    return values if len(set(values)) == len(values) else [each.group for each in groups]
