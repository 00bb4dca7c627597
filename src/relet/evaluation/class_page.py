"""The page of a classifier: which classes it takes for which, and how far its probabilities can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relet.evaluation.calibration import Reliability, reliability
from relet.evaluation.classification import ClassMeasures, confusion, measures_by_class
from relet.evaluation.classified import ClassifiedRows
from relet.evaluation.coverage import SMALLEST
from relet.evaluation.set_coverage import SetCoverage
from relet.report.charts.confusion import confusion_chart
from relet.report.charts.lines import line_chart
from relet.report.charts.ranges import ranges
from relet.report.elements import charts, facts, paragraph, scroll_box, table
from relet.report.markup import NOTHING, PageMarkup
from relet.report.page import Section, page
from relet.report.wording import number, share


def class_page(
    rows: ClassifiedRows,
    metrics: Mapping[str, float],
    *,
    target: str,
    sets: SetCoverage | None = None,
    by_class: Sequence[SetCoverage] = (),
    coverage: float = 0.9,
    reason: str = "",
    notes: Sequence[str] = (),
) -> PageMarkup:
    """One HTML file on test rows, as a model classifies them; `notes` are paragraphs below the summary.

    `sets` is the coverage of prediction sets of `coverage`, `by_class` that of each class; where it is None,
    `reason` says why.
    """
    measures = measures_by_class(rows)
    return page(
        f"The classes of {target}",
        subtitle="Which classes the model takes for which, and how far its probabilities can be trusted",
        sections=[
            Section(
                title="In one sentence",
                html=paragraph(_summary(rows, measures))
                + NOTHING.join(map(paragraph, notes))
                + facts({name: number(round(value, 4)) for name, value in metrics.items()}),
            ),
            Section(title="Which is taken for which", html=_confusion_html(rows, measures)),
            Section(title="Probabilities", html=_reliability_html(reliability(rows))),
            Section(title=f"Sets of {coverage:.0%}", html=_sets_html(sets, by_class, coverage, reason)),
        ],
    )


def confusion_figure(rows: ClassifiedRows, *, target: str) -> PageMarkup:
    """The confusion matrix as a drawing: a row for each true class, a column for each predicted one."""
    return confusion_chart(confusion(rows), list(map(str, rows.classes)), title=f"Classes of {target}")


def reliability_figure(found: Reliability) -> PageMarkup:
    """The share of right rows by their probability, beside the line on which they would be equal."""
    return line_chart(
        {"share": [(each.probability, each.share) for each in found.bins]},
        faint=[[(0.0, 0.0), (1.0, 1.0)]],
        title="Share of right rows by probability",
        x=f"probability {found.of}",
    )


def _summary(rows: ClassifiedRows, measures: Sequence[ClassMeasures]) -> str:
    right = float((rows.truth == rows.predicted).mean())
    found = [each for each in measures if each.rows]
    worst = min(found, key=lambda each: (each.recall, str(each.label)))
    said = f"{share(right)} of {len(rows):,} rows have the class that the model predicts"
    return f"{said}; of the rows of {worst.label} it finds {share(worst.recall)}, the least."


def _confusion_html(rows: ClassifiedRows, measures: Sequence[ClassMeasures]) -> PageMarkup:
    drawn = scroll_box(confusion_chart(confusion(rows), list(map(str, rows.classes)), title="Test rows"))
    listed = table(
        ["class", "rows", "predicted", "found (recall)", "right (precision)", "F1"],
        [
            [
                str(each.label),
                each.rows,
                each.predicted,
                share(each.recall),
                share(each.precision),
                round(each.f1, 3),
            ]
            for each in measures
        ],
    )
    return drawn + listed


def _reliability_html(found: Reliability) -> PageMarkup:
    explained = paragraph(
        f"Where the model says {share(found.bins[-1].probability)}, {share(found.bins[-1].share)} of the rows are "
        f"right; on average both differ by {share(found.error)} (expected calibration error). On the faint line "
        "they are equal; points of few rows lie beside it by chance.",
        "faint",
    )
    listed = table(
        [f"probability {found.of}", "mean", "share of right rows", "rows"],
        [
            [f"{each.low:.0%} to {each.high:.0%}", share(each.probability), share(each.share), each.rows]
            for each in found.bins
        ],
    )
    return explained + charts([reliability_figure(found)]) + listed


def _sets_html(
    sets: SetCoverage | None, by_class: Sequence[SetCoverage], coverage: float, reason: str
) -> PageMarkup:
    if sets is None:
        return paragraph(reason or "the model gives no prediction sets", "verdict odd")
    weak = [each.group for each in by_class if each.is_weak(coverage)]
    said = (
        f"{share(sets.share)} of the rows have their class in the set; {share(sets.single)} have one class in it"
    )
    if weak:
        said += f". Weaker than chance and two per cent explain: {', '.join(weak)}"
    told = paragraph(f"{said}.", "verdict odd" if weak else "verdict good")
    told += facts({"asked for": share(coverage), "inside": share(sets.share), "mean size": round(sets.size, 2)})
    if not by_class:
        return told
    drawn = ranges(
        {each.group: (each.range[0], each.share, each.range[1]) for each in by_class},
        title="Inside their set, by true class",
        mark=coverage,
        mark_label="asked for",
        weak=weak,
    )
    listed = table(
        ["class", "rows", "inside", "95% range", "mean size"],
        [
            [each.group, each.rows, share(each.share), " to ".join(map(share, each.range)), round(each.size, 2)]
            for each in by_class
        ],
    )
    explained = paragraph(
        f"Classes of {SMALLEST} rows or more. Sets hold what was asked for over all rows, not for each class.",
        "faint",
    )
    return told + explained + charts([drawn]) + listed
