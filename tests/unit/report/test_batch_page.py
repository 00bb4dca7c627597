"""The page of a batch read by cell: what arrived, what left and why, and what shifted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from relet.core.artifact import Verdict
from relet.data.difference import SchemaDifference, Shift, TableDifference
from relet.data.outline import Outline
from relet.data.quarantine import QuarantinedRows
from relet.report.batch import batch_page
from tests.unit.report.reading import PageReading, drawing_of, read_page
from tests.unit.report.specimens import NUMBERS, WORDS

ARRIVED = Outline(rows=200, columns={"id": ("int64", 0), "price": ("double", 50)})
YES = Verdict(passed=True, reason="14 passed", checks=())
LEFT = [
    QuarantinedRows(
        reason="too dear", rows=30, examples=({"id": "1", "price": "999"}, {"id": "2", "price": None})
    ),
    QuarantinedRows(reason="no name", rows=10),
]


def batch(**changes: Any) -> PageReading:
    given: dict[str, Any] = {"arrived": ARRIVED, "kept": 160, "quarantine": LEFT, "verdict": YES, "shifted": None}
    return read_page(batch_page(title="A batch", subtitle="below", **{**given, **changes}))


def test_a_batch_counts_what_arrived_what_left_and_why() -> None:
    page = batch()
    assert page["In short"].paragraphs[0] == ("verdict good", "The tests say yes: 14 passed.")
    assert page["In short"].said[1] == (
        "200 rows arrived in 2 columns; 160 rows stay and 40 left (20.0%), most for: too dear."
    )
    part = page["What left, and why"]
    assert part.said == ["40 of 200 rows are in the quarantine, each with its first reason."]
    assert [tuple(row.values()) for row in part.tables[0].rows] == [
        ("too dear", "30", "15.0%"),
        ("no name", "10", "5.0%"),
    ]
    assert part.tables[0].columns == ("reason", "rows", "share")
    assert [each.tip for each in drawing_of(part, "Share of all 200 that left, by reason").boxes] == [
        "too dear: 15.0%",
        "no name: 5.0%",
    ]
    assert list(part.folds) == ["too dear: the first 2 of 30"]
    assert part.folds["too dear: the first 2 of 30"].tables[0].rows == (
        {"id": "1", "price": "999"},
        {"id": "2", "price": "–"},
    )
    assert page["What arrived"].said == ["200 rows, 2 columns."]
    assert [tuple(row.values()) for row in page["What arrived"].tables[0].rows] == [
        ("id", "int64", "none"),
        ("price", "double", "25.0%"),
    ]


def test_rows_that_left_without_a_reason_are_counted_all_the_same() -> None:
    assert batch(quarantine=[])["In short"].said[1].endswith("160 rows stay and 40 left (20.0%).")


def shifted(*shifts: Shift) -> TableDifference:
    return TableDifference(schema=SchemaDifference(), before=100, after=100, shifts=shifts)


def number_shift(name: str, size: float | None) -> Shift:
    before = replace(NUMBERS, name=name)
    return Shift(before=before, after=replace(before, quantiles={**before.quantiles, "50%": 7}), size=size)


def test_columns_that_shifted_by_more_than_chance_are_named_two_at_most() -> None:
    moved = [number_shift(f"c{n}", size) for n, size in enumerate((0.3, 0.2, 0.011, 0.0099, None))]
    assert batch(shifted=shifted(*moved))["In short"].said[2] == (
        "Against the reference (100 rows) 3 columns shifted by 1% more than by chance: "
        "most of all c0 (30.0%): median 3 → 7; c1 (20.0%): median 3 → 7."
    )
    two = batch(shifted=shifted(*moved[:2]))["In short"].said[2]
    assert "2 columns shifted" in two and "most of all" not in two
    on = batch(shifted=shifted(number_shift("c", 0.01)))["In short"].said[2]
    assert "1 column shifted" in on


def test_what_chance_does_to_categories_is_taken_off() -> None:
    def told(size: float) -> str:
        shares = {"a": (0.5, 0.5), "b": (0.5, 0.5)}
        held = Shift(before=replace(WORDS, name="k"), after=replace(WORDS, name="k"), size=size, shares=shares)
        return batch(shifted=shifted(held))["In short"].said[2]

    # half of 2 × 0.5 × sqrt(2 / π × (1/100 + 1/100)) is 5.64%, and one per cent above it is of note
    assert "nothing shifted" in told(0.0663) and "1 column shifted" in told(0.0665)
