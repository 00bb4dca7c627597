"""The page of a comparison read by cell: a column for each run, and what they stand on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from relet.core.artifact import Curve
from relet.experiments.contrast import Contrast, ContrastRow
from relet.report.contrast import contrast_page
from tests.unit.report.reading import drawing_of, read_page


def row(name: str, *values: Any) -> ContrastRow:
    return ContrastRow(name=name, values=values)


def test_a_comparison_has_a_column_for_each_run_and_for_two_the_difference() -> None:
    found = Contrast(
        labels=("a", "b"),
        facts=(row("status", "finished", "failed"),),
        parameters=(row("depth", 3, 5), row("kind", "forest", None)),
        metrics=(row("mae", 30.0, 28.5),),
        basis={},
        curves={},
        same={"parameters": 1},
    )
    page = read_page(contrast_page(found))
    assert page.title == "a and b, side by side"
    (table,) = page["Parameters"].tables
    assert table.columns == ("", "a", "b", "difference")
    assert [tuple(each.values()) for each in table.rows] == [
        ("depth", "3", "5", "2"),
        ("kind", "forest", "–", "–"),
    ]
    assert page["Parameters"].said == ["1 parameter more the same in all."]
    assert page["The runs"].tables[0].columns == ("", "a", "b")
    assert page["Metrics"].tables[0].rows[0]["difference"] == "−1.5"
    many = replace(found, labels=("a", "b", "c", "d"), facts=(), parameters=(), metrics=(), same={})
    assert read_page(contrast_page(many)).title == "4 runs, side by side"
    three = replace(many, labels=("a", "b", "c"))
    assert read_page(contrast_page(three)).title == "a and b and c, side by side"
    assert read_page(contrast_page(many))["Parameters"].said == ["All have the same parameters."]
    assert read_page(contrast_page(replace(many, same={"parameters": 4})))["Parameters"].said == [
        "All have the same parameters, 4 of them."
    ]


def test_a_comparison_says_what_the_runs_stand_on_with_digests_cut_short() -> None:
    digests = "a" * 64, "b" * 64
    found = Contrast(
        labels=("a", "b"),
        facts=(),
        parameters=(),
        metrics=(),
        basis={
            "code": (row("train", *digests), row("same", "c" * 64, "c" * 64)),
            "machine": (row("cpu", *digests),),
        },
        curves={"error": {"a": Curve(points=[(1, 3.0), (2, 2.0)], x="rounds")}},
        same={"code": 2, "machine": 1, "inputs": 0},
    )
    page = read_page(contrast_page(found))
    folds = page["What they stand on"].folds
    assert list(folds) == ["code: 1 module differs", "machine: 1 fact of the machine differs"]
    assert folds["code: 1 module differs"].tables[0].rows[0] == {"": "train", "a": "a" * 12, "b": "b" * 12}
    assert folds["machine: 1 fact of the machine differs"].tables[0].rows[0]["a"] == "a" * 64
    assert page["What they stand on"].said == ["The same in all: 2 modules, 1 fact of the machine."]
    curve = drawing_of(page["Curves"], "error")
    assert [each.tip for each in curve.dots] == ["a: 3 at 1", "a: 2 at 2"] and "rounds" in curve.said
