"""The page of intervals read by cell: how often each group is inside, and how wide they are."""

from __future__ import annotations

from dataclasses import replace

from relet.evaluation.coverage import IntervalCoverage
from relet.evaluation.coverage_page import coverage_page
from tests.unit.report.reading import drawing_of, read_page


def test_the_page_of_intervals_has_a_row_and_two_marks_for_each_group() -> None:
    def group(name: str, share: float, width: float, rows: int) -> IntervalCoverage:
        return IntervalCoverage(group=name, share=share, width=width, rows=rows)

    groups = [group("kind = a", 0.7, 80.25, 1000), group("kind = b", 0.92, 120.0, 2000)]
    page = read_page(
        coverage_page(group("", 0.88, 100.25, 3000), groups, coverage=0.9, unit="dollars", notes=["Note."])
    )
    assert page.title == "The model's 90% intervals"
    part = page["In one sentence"]
    assert part.facts == {
        "asked for": "90.0%",
        "inside": "88.0%",
        "mean width, dollars": "100.2",
        "test rows": "3,000",
    }
    assert part.paragraphs[0][0] == "verdict odd" and part.said[1] == "Note."
    (table,) = page["The numbers"].tables
    assert [(each["group"], each["rows"], each["inside"], each["width, dollars"]) for each in table.rows] == [
        ("kind = a", "1,000", "70.0%", "80.2"),
        ("kind = b", "2,000", "92.0%", "120"),
    ]
    inside = drawing_of(page["By group"], "Inside their interval")
    assert [each.kind for each in inside.dots] == ["s1", "s0"]
    assert [each.tip.partition(",")[0] for each in inside.dots] == ["a: 70.0%", "b: 92.0%"]
    width = drawing_of(page["By group"], "Mean width, dollars")
    assert [each.tip for each in width.dots] == ["80.2", "120"] and [each.kind for each in width.dots] == [
        "s0",
        "s1",
    ]
    assert "all rows" in width.said and "asked for" in inside.said
    twice = [replace(groups[0], group="x = a"), replace(groups[0], group="y = a")]
    page = read_page(coverage_page(groups[0], twice, coverage=0.9, unit="dollars"))
    names = [each.words for each in drawing_of(page["By group"], "Inside their interval").texts]
    assert "x = a" in names and "y = a" in names


def test_intervals_that_were_not_measured_have_a_page_with_the_reason() -> None:
    page = read_page(coverage_page(None, [], coverage=0.9, unit="dollars", reason="the model gives none"))
    assert page["Not measured"].paragraphs == [("verdict odd", "the model gives none")]
    assert read_page(coverage_page(None, [], coverage=0.9, unit="dollars"))["Not measured"].said == [""]
