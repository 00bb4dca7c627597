"""One of each page, drawing and piece of a page, with a text of one's choice wherever text can stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from relet.core.artifact import ArtifactType, Check, Curve, Verdict
from relet.core.component import Component, Input, Output
from relet.core.pipeline import Pipeline
from relet.core.record import Status
from relet.data.difference import ColumnChange, RowDifference, SchemaDifference, Shift, TableDifference
from relet.data.outline import Outline
from relet.data.profile import ColumnProfile, Correlations, FrequentValue, Histogram, Profile
from relet.data.quarantine import QuarantinedRows
from relet.data.tally import ColumnKind
from relet.evaluation.calibration import reliability
from relet.evaluation.class_page import class_page, confusion_figure, reliability_figure
from relet.evaluation.classified import ClassifiedRows
from relet.evaluation.coverage import IntervalCoverage
from relet.evaluation.coverage_page import coverage_page
from relet.evaluation.set_coverage import SetCoverage
from relet.experiments.contrast import Contrast, ContrastRow
from relet.experiments.experiment import Experiment, Trial
from relet.experiments.objective import Objective
from relet.report.bars import bars
from relet.report.batch import batch_page
from relet.report.card import profile_card
from relet.report.charts.categories import dots, grouped_bars
from relet.report.charts.confusion import confusion_chart
from relet.report.charts.distribution import histogram
from relet.report.charts.grids import MapCell, heat_map, matrix
from relet.report.charts.lines import line_chart
from relet.report.charts.parallel import parallel_coordinates
from relet.report.charts.ranges import ranges
from relet.report.columns import column_chart, shift_chart
from relet.report.contrast import contrast_page
from relet.report.difference import columns_html, difference_page
from relet.report.drawing import box, dot, drawing, legend, line, name_text, nothing_to_draw, text, tip_of
from relet.report.elements import cell_html, charts, facts, fold_away, mark, paragraph, scroll_box, table
from relet.report.experiment import ExperimentPageContent, TrialArtifact, WinnerFigure, experiment_page
from relet.report.graph import graph_svg
from relet.report.markup import PageMarkup, element, empty_element
from relet.report.page import Section, page
from relet.report.verdict import verdict_banner, verdict_html

# Stands in a specimen's data for the text that is to be shown.
TEXT = "⁂"


def with_text(value: Any, text: str) -> Any:
    """The same data with the text at each place that TEXT marks."""
    if isinstance(value, str) and type(value) is str:
        return value.replace(TEXT, text)
    if is_dataclass(value) and not isinstance(value, type):
        held = {each.name: with_text(getattr(value, each.name), text) for each in fields(value) if each.init}
        return replace(value, **held)
    if isinstance(value, Mapping):
        return {with_text(name, text): with_text(each, text) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(with_text(each, text) for each in value)
    return value


NUMBERS = ColumnProfile(
    name=TEXT,
    type=TEXT,
    kind=ColumnKind.NUMBER,
    missing=1,
    missing_share=0.1,
    distinct=4,
    top=(FrequentValue(value=3, count=2, share=0.2),),
    low=1,
    high=90,
    mean=5.25,
    deviation=2.5,
    quantiles={"0%": 1, "25%": 2, "50%": 3, "100%": 90},
    histogram=Histogram(edges=(0.0, 2.0, 4.0), counts=(2, 6), below=0, above=1),
)
WORDS = ColumnProfile(
    name=f"words {TEXT}",
    type="string",
    kind=ColumnKind.TEXT,
    missing=0,
    missing_share=0.0,
    distinct=2,
    top=(FrequentValue(value=TEXT, count=6, share=0.6), FrequentValue(value="b", count=4, share=0.4)),
    shortest=1,
    middle=2,
    longest=3,
)
PROFILE = Profile(
    rows=10,
    columns=(NUMBERS, WORDS, replace(NUMBERS, name="other", low=TEXT, kind=ColumnKind.NUMBER)),
    correlations=Correlations(
        names=(TEXT, "other"), rows=10, pearson=((1.0, 0.5), (0.5, 1.0)), spearman=((1.0, -0.4), (-0.4, 1.0))
    ),
)
DIFFERENCE = TableDifference(
    schema=SchemaDifference(
        added={f"new {TEXT}": TEXT},
        removed={f"old {TEXT}": "int64"},
        retyped={TEXT: ("int64", TEXT)},
        reordered=True,
    ),
    before=10,
    after=12,
    rows=RowDifference(
        before=10,
        after=12,
        only_before=1,
        only_after=3,
        changed=4,
        equal=5,
        key=TEXT,
        examined=3,
        columns={TEXT: ColumnChange(rows=2, most=5.0, examples=((TEXT, TEXT, None), ("2", "a", TEXT)))},
    ),
    shifts=(
        Shift(before=NUMBERS, after=replace(NUMBERS, high=99, missing_share=0.3), size=0.2),
        Shift(
            before=WORDS,
            after=WORDS,
            size=0.1,
            shares={TEXT: (0.6, 0.5), "b": (0.4, 0.5)},
            new={TEXT: 3},
            gone={f"gone {TEXT}": 2},
        ),
    ),
)
MEASURED = {"effect": 0.12, "floor": 0.1, "p_value": 1e-9, "adjusted": 0.02, "alpha": 0.05}
VERDICT = Verdict(
    passed=False,
    reason=TEXT,
    checks=(
        Check(name=f"test_a[{TEXT}]", passed=True, message=TEXT),
        Check(name=TEXT, passed=False, message=TEXT, rows=({"id": 7, TEXT: TEXT},)),
        Check(name="test_m", passed=False, measured={**MEASURED, "sentence": TEXT, "effect_name": TEXT}),
        Check(name=f"test_n {TEXT}", passed=True, message=TEXT, measured=MEASURED),
        Check(name=f"test_s {TEXT}", passed=True, message=TEXT, skipped=True),
    ),
)


def batch(text: str, **changes: Any) -> PageMarkup:
    given: dict[str, Any] = {
        "title": TEXT,
        "subtitle": TEXT,
        "arrived": Outline(rows=60, columns={"id": ("int64", 0), TEXT: (TEXT, 3)}),
        "kept": 51,
        "quarantine": [QuarantinedRows(reason=TEXT, rows=9, examples=({"id": "1", TEXT: TEXT},))],
        "verdict": VERDICT,
        "shifted": DIFFERENCE,
        "units": {TEXT: TEXT},
        "noun": TEXT,
        "more": [Section(title=TEXT, html=element("p", "more"))],
    }
    return batch_page(**with_text({**given, **changes}, text))


def trial(number: int, **changes: Any) -> Trial:
    held = Trial(
        id=f"2026-{number:08}",
        pipeline=TEXT,
        experiment="prices",
        status=Status.FINISHED,
        started=f"2026-01-02T03:0{number}:05.000+00:00",
        seconds=30.0 * number,
        sweep="2026-99",
        number=number,
        settings={TEXT: f"{TEXT} {number}", "train.depth": number, "train.fixed": TEXT},
        metrics={"mae": 30.0 + number, TEXT: number / 3},
        outputs={"model": TEXT},
        model=f"{TEXT}:v{number}",
    )
    return replace(held, **changes)


TRIALS = (
    trial(1),
    trial(2),
    trial(3, status=Status.FAILED, reason=TEXT, metrics={}),
    trial(4, status=Status.RUNNING, metrics={}, seconds=None),
    trial(5),
)


def experiment(text: str, **changes: Any) -> PageMarkup:
    held = ExperimentPageContent(
        experiment=Experiment(name=TEXT, trials=TRIALS),
        trials=TRIALS,
        aim=Objective.of("mae"),
        importance={TEXT: 0.9, "train.depth": 0.1},
        importance_note=TEXT,
        curves={TEXT: {each.id: Curve(points=[(1, 9.0), (2, 5.0)], x=TEXT) for each in TRIALS}},
        figures=(
            WinnerFigure(version=TEXT, path=TEXT, uri="data:image/svg+xml;base64,AA=="),
            WinnerFigure(version=TEXT, path=TEXT),
        ),
        made=(TrialArtifact(version=TEXT, type=TEXT, trials=(TEXT,), files={TEXT: TEXT, f"{TEXT}2": None}),),
        left_out=3,
    )
    return experiment_page(with_text(replace(held, **changes), text))


CONTRAST = Contrast(
    labels=(TEXT, "b"),
    facts=(ContrastRow(name=TEXT, values=(TEXT, 2)),),
    parameters=(ContrastRow(name=TEXT, values=(1, 3)),),
    metrics=(ContrastRow(name="mae", values=(30.5, None)),),
    basis={"code": (ContrastRow(name=TEXT, values=(TEXT, "b" * 64)),)},
    curves={TEXT: {TEXT: Curve(points=[(1, 9.0), (2, 5.0)], x=TEXT), "b": Curve(points=[(1, 8.0)], x=TEXT)}},
    same={"code": 3, "machine": 1, "parameters": 2},
)


def coverage(text: str) -> PageMarkup:
    held = IntervalCoverage(share=0.85, width=101.25, rows=5000)
    groups = [replace(held, group=f"borough = {text}"), replace(held, group="borough = b", share=0.91)]
    return coverage_page(held, groups, coverage=0.9, unit=text, notes=[text])


def classified(text: str) -> ClassifiedRows:
    """Rows of two classes, made by hand: pandas takes no lone half of a sign."""
    yes = np.array([0.25, 0.5, 0.75, 0.125])
    return ClassifiedRows(
        classes=("b", text),
        known=2,
        truth=np.array([0, 1, 1, 0]),
        predicted=np.array([0, 0, 1, 0]),
        probabilities=np.column_stack([1 - yes, yes]),
    )


def classes(text: str) -> PageMarkup:
    held = SetCoverage(share=0.85, size=1.25, single=0.75, rows=5000)
    by_class = [replace(held, group=text), replace(held, group="b", share=0.91)]
    metrics = {"accuracy": 0.75, text: 0.5}
    return class_page(classified(text), metrics, target=text, sets=held, by_class=by_class, notes=[text])


def component(name: str, takes: str = "", makes: str = "", **changes: Any) -> Component:
    """A component by the names of its inputs and outputs; one that makes `verdict` gates what it takes."""
    types = {"verdict": ArtifactType.VERDICT}
    held = Component(
        name=name,
        module="m",
        path=Path("m.py"),
        job_type=name,
        inputs=tuple(Input(name=each, container="path") for each in takes.split()),
        outputs=tuple(Output(name=each, type=types.get(each, ArtifactType.TABLE)) for each in makes.split()),
    )
    return replace(held, **changes)


def pipeline(text: str) -> Pipeline:
    """Four components in a row with a gate, an artifact that passes two columns, and one on request."""
    look = component("look", "kept", job_type=text, description=text)
    steps = [
        component("make", makes="raw names", job_type=text, description=text),
        component("clean", "raw", "kept left"),
        component("check", "kept", "verdict"),
        component("train", "kept names", "model"),
        look,
    ]
    return Pipeline(steps, name=text, on_request=[look])


def lines(text: str) -> PageMarkup:
    return line_chart(
        {text: [(1, 60.0), (2, 45.5)], f"b {text}": [(1, 50.0)]},
        title=text,
        x=text,
        unit=text,
        faint=[[(1, 2.0), (3, 4.0)]],
        loose={text: (2, 40.0)},
    )


def coordinates(text: str) -> PageMarkup:
    axes = {"a": [1, 2, 1000], text: ["x", text, None]}
    return parallel_coordinates(axes, [1.0, 2.0, 3.0], title=text, measure=text, names=["a", text, "c"])


CELLS = [MapCell(longitude=-74 + n / 100, latitude=40 + n % 3 / 100, value=n * 3.5, rows=n) for n in range(9)]

# Whole pages and drawings, and the pieces of them, by module and function.
PAGES: dict[str, Callable[[str], PageMarkup]] = {
    "report.page.page": lambda text: page(
        text, subtitle=text, sections=[Section(title=f"{text}{n}", html=paragraph(text)) for n in range(4)]
    ),
    "report.batch.batch_page": batch,
    "report.card.profile_card": lambda text: profile_card(
        with_text(PROFILE, text), title=text, head={text: text, "rows": 2}, subtitle=text
    ),
    "report.difference.difference_page": lambda text: difference_page(
        with_text(DIFFERENCE, text), before=text, after="b:v2"
    ),
    "report.experiment.experiment_page": experiment,
    "report.contrast.contrast_page": lambda text: contrast_page(with_text(CONTRAST, text)),
    "evaluation.coverage_page.coverage_page": coverage,
    "evaluation.class_page.class_page": classes,
}
DRAWINGS: dict[str, Callable[[str], PageMarkup]] = {
    "report.bars.bars": lambda text: bars({"a": 0.5, text: 0.25}, title=text),
    "report.charts.categories.grouped_bars": lambda text: grouped_bars(
        {"a": {"old": 0.5, text: 0.25}, text: {"old": 0.1}}, title=text
    ),
    "report.charts.categories.dots": lambda text: dots({"a": 0.5, text: 2.5}, title=text, mark_label=text),
    "evaluation.class_page.confusion_figure": lambda text: confusion_figure(classified(text), target=text),
    "evaluation.class_page.reliability_figure": lambda text: reliability_figure(reliability(classified(text))),
    "report.charts.confusion.confusion_chart": lambda text: confusion_chart(
        [[8, 2], [0, 5]], [text, "b"], title=text
    ),
    "report.charts.distribution.histogram": lambda text: histogram(
        {text: [0.5, 0.5], "b": [0.2, 0.8]},
        [0, 1, 3],
        title=text,
        unit=text,
        note=text,
        label=lambda at: f"{at} {text}",
        marks={1: text},
    ),
    "report.charts.grids.heat_map": lambda text: heat_map(
        CELLS, title=text, width=0.01, height=0.01, unit=text, value_name=text
    ),
    "report.charts.grids.matrix": lambda text: matrix([[1.0, -0.5], [None, 1.0]], [text, "b"], title=text),
    "report.charts.lines.line_chart": lines,
    "report.charts.parallel.parallel_coordinates": coordinates,
    "report.charts.ranges.ranges": lambda text: ranges(
        {"a": (0.7, 0.8, 0.85), text: (0.86, 0.9, 0.93)}, title=text, mark=0.9, mark_label=text, weak=[text]
    ),
    "report.columns.column_chart": lambda text: column_chart(with_text(WORDS, text), text),
    "report.columns.shift_chart": lambda text: shift_chart(
        with_text(DIFFERENCE.shifts[0], text), f"old {text}", "new", text
    ),
    "report.drawing.drawing": lambda text: drawing([PageMarkup("")], title=text, height=50),
    "report.drawing.nothing_to_draw": lambda text: nothing_to_draw(text, title=text),
    "report.graph.graph_svg": lambda text: graph_svg(pipeline(text)),
}
PIECES: dict[str, Callable[[str], PageMarkup]] = {
    "report.columns.shift_chart of categories": lambda text: shift_chart(
        with_text(DIFFERENCE.shifts[1], text), f"old {text}", "new", text
    ),
    "report.difference.columns_html": lambda text: columns_html(with_text(DIFFERENCE, text)),
    "report.verdict.verdict_html": lambda text: verdict_html(with_text(VERDICT, text)),
    "report.verdict.verdict_banner": lambda text: verdict_banner(Verdict(passed=True, reason=text, checks=())),
    "report.elements.table": lambda text: table([text, "b"], [[text, 1], [None, 2]], sortable=True),
    "report.elements.cell_html": lambda text: cell_html(text),
    "report.elements.facts": lambda text: facts({text: text}),
    "report.elements.charts": lambda text: charts([paragraph(text)]),
    "report.elements.scroll_box": lambda text: scroll_box(paragraph(text)),
    "report.elements.paragraph": lambda text: paragraph(text, "faint"),
    "report.elements.mark": lambda text: mark(text, "good"),
    "report.elements.fold_away": lambda text: fold_away(text, paragraph(text)),
    "report.markup.element": lambda text: element("p", text, title=text, data_v=text),
    "report.markup.empty_element": lambda text: empty_element("img", alt=text),
    "report.drawing.text": lambda text_: text(1, 2, text_, tip=text_),
    "report.drawing.name_text": lambda text: name_text(1, 2, text, 40),
    "report.drawing.box": lambda text: box(1, 2, 3, 4, kind="s0", tip=text),
    "report.drawing.line": lambda text: element("p", text) + line(1, 2, 3, 4, kind="axis"),
    "report.drawing.dot": lambda text: dot(1, 2, 3, kind="s0", tip=text),
    "report.drawing.tip_of": tip_of,
    "report.drawing.legend": lambda text: legend([text, "b"]),
}
# A notebook's outputs are HTML that the project's own code made: they are not escaped, by design.
TRUSTED = {"report.notebook.notebook_page"}
