"""A column in words and drawn: what is said of a shift, and the labels of an axis of dates."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from relet.data.difference import Shift
from relet.data.profile import MICROSECONDS_A_DAY, FrequentValue
from relet.data.tally import ColumnKind
from relet.report.columns import column_chart, date_marks, shift_chart, shift_words, value_words
from tests.unit.report.drawn import drawn
from tests.unit.report.specimens import NUMBERS, WORDS

HISTOGRAM = NUMBERS.histogram
QUANTILES = {"0%": 1, "5%": 2, "25%": 3, "50%": 4, "75%": 5, "95%": 6, "100%": 7}
COLUMN = replace(NUMBERS, name="a", low=1, high=7, quantiles=QUANTILES, missing=0, missing_share=0.0)


def shift(size: float | None = 0.1, **after: Any) -> Shift:
    return Shift(before=COLUMN, after=replace(COLUMN, **after), size=size)


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        (shift(quantiles={**QUANTILES, "50%": 5}), "median 4 → 5"),
        # of the quantiles that moved, the nearest to the middle, and the lower of two
        (shift(quantiles={**QUANTILES, "25%": 2, "75%": 9}), "median 4 as before; 25% of rows up to 3 → 2"),
        (shift(quantiles={**QUANTILES, "75%": 9, "5%": 0}), "median 4 as before; 75% of rows up to 5 → 9"),
        (shift(quantiles={**QUANTILES, "0%": 0, "100%": 9}), "median 4 as before"),
        (shift(low=0), "median 4 as before; range 1 to 7 → 0 to 7"),
        (shift(high=8), "median 4 as before; range 1 to 7 → 1 to 8"),
        (shift(size=0.0, high=8), "range 1 to 7 → 1 to 8"),
        (shift(size=0.0), "the same distribution"),
        (shift(size=0.0, missing_share=0.25), "missing 0% → 25.0%"),
        (shift(size=0.0, infinite=3), "infinite 0 → 3"),
        (shift(size=None, distinct=9), "no two rows alike, 4 → 9 values"),
        (shift(size=None, distinct=0, missing_share=1.0), "missing 0% → 100%"),
    ],
)
def test_a_shift_of_numbers_in_words(moved: Shift, words: str) -> None:
    assert shift_words(moved) == words


def test_a_shift_of_categories_names_the_first_and_three_of_the_new_and_the_gone() -> None:
    column = replace(WORDS, name="a")
    held = Shift(
        before=column,
        after=column,
        size=0.5,
        shares={"x": (0.5, 0.25), "y": (0.5, 0.75)},
        new={"n1": 1, "n2": 2, "n3": 3, "n4": 4, "n5": 5},
        gone={"g1": 1, "g2": 1, "g3": 1},
    )
    assert shift_words(held) == (
        "x 50.0% → 25.0%; new: n1, n2, n3 and 2 more (15 rows); gone: g1, g2, g3 (3 rows)"
    )
    assert shift_words(held, most=1) == "x 50.0% → 25.0%"
    alike = replace(held, shares={"x": (0.5, 0.5)}, new={}, gone={"g" * 41: 1})
    assert shift_words(alike) == f"gone: {'g' * 39}… (1 row)"
    long = replace(held, shares={"x" * 41: (0.5, 0.25)}, new={}, gone={})
    assert shift_words(long) == f"{'x' * 39}… 50.0% → 25.0%"


def test_a_shift_of_long_text_is_told_by_its_lengths() -> None:
    column = replace(WORDS, name="a", middle=5, distinct=10)
    moved = Shift(before=column, after=replace(column, middle=7, distinct=12), size=0.5)
    assert shift_words(moved) == "median length 5 → 7; different values 10 → 12; compared by its length alone"
    assert shift_words(replace(moved, after=column)) == "compared by its length alone"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        # days, months and years, by how far apart the ends are
        (0, 0.5, ["1970-01-01"]),
        (0, 3, ["1970-01-01", "1970-01-02", "1970-01-03", "1970-01-04"]),
        (0, 70, ["1970-01-01", "1970-01-19", "1970-02-06", "1970-02-24"]),
        (0, 71, ["1970-01", "1970-02", "1970-03"]),
        (1, 180, ["1970-02", "1970-03", "1970-04", "1970-05", "1970-06"]),
        (1, 181, ["1970-02", "1970-04", "1970-06"]),
        (0, 803, ["1970-01", "1970-07", "1971-01", "1971-07", "1972-01"]),
        (0, 804, ["1970", "1971", "1972"]),
        (0, 2556, ["1970", "1971", "1972", "1973", "1974", "1975", "1976"]),
        (0, 2557, ["1970", "1972", "1974", "1976"]),
        (-3653, 0, ["1960", "1962", "1964", "1966", "1968", "1970"]),
        (-700000, 900000, ["1000", "2000", "3000", "4000"]),
        (0, 1e9, ["0", "1,000,000,000"]),
    ],
)
def test_labels_of_dates_are_days_months_or_years(low: float, high: float, words: list[str]) -> None:
    found = date_marks(low, high)
    assert list(found.values()) == words
    assert all(low <= at <= high for at in found)


def test_a_column_of_times_has_its_days_as_labels_and_under_the_pointer() -> None:
    assert HISTOGRAM is not None
    day = MICROSECONDS_A_DAY
    times = replace(
        COLUMN, kind=ColumnKind.TIME, histogram=replace(HISTOGRAM, edges=(0.0, 2.0 * day, 3.0 * day), above=0)
    )
    found = drawn(column_chart(times, "dollars"))
    assert [each.tip for each in found.boxes if each.kind == "tip"] == [
        "1970-01-01 to 1970-01-03 – 25.0%",
        "1970-01-03 to 1970-01-04 – 75.0%",
    ]
    assert {"1970-01-01", "1970-01-02", "1970-01-03", "1970-01-04"} <= set(found.said)
    dates = replace(times, kind=ColumnKind.DATE, histogram=replace(HISTOGRAM, edges=(0.0, 2.0, 1e9), above=0))
    assert drawn(column_chart(dates)).boxes[-1].tip == "1970-01-03 to 1,000,000,000 – 75.0%"
    numbers = drawn(column_chart(replace(COLUMN, histogram=replace(HISTOGRAM, above=0)), "dollars"))
    assert "4 dollars" in numbers.said


def test_ten_values_of_text_are_drawn() -> None:
    top = tuple(FrequentValue(value=f"v{n}", count=20 - n, share=0.05) for n in range(11))
    found = drawn(column_chart(replace(WORDS, name="a", top=top)))
    assert len(found.boxes) == 10 and found.title == "a, the first 10 of 11"
    assert column_chart(replace(WORDS, top=())) == ""


def test_a_shift_is_drawn_where_it_has_a_size_with_the_values_outside_of_the_bins_of_both() -> None:
    assert HISTOGRAM is not None
    after = replace(COLUMN, low=-3, high=99, histogram=replace(HISTOGRAM, counts=(4, 4), below=2, above=5))
    before = replace(COLUMN, histogram=replace(HISTOGRAM, below=1, above=0))
    found = drawn(shift_chart(Shift(before=before, after=after, size=0.1), "old", "new", "dollars"))
    assert "3 values below, down to −3; 5 values above, up to 99" in [each.tip for each in found.texts]
    first = next(each for each in found.boxes if each.kind == "tip")
    assert first.tip == "0 to 2 dollars – old: 22.2%, new: 26.7%"
    assert shift_chart(Shift(before=before, after=after), "old", "new") == ""
    assert shift_chart(Shift(before=replace(WORDS), after=WORDS, size=0.1), "old", "new") == ""
    half = Shift(before=before, after=replace(after, histogram=None), size=0.1)
    assert shift_chart(half, "old", "new") == ""


def test_values_are_words() -> None:
    assert [value_words(each) for each in (1200, True, None, math.inf, "x")] == ["1,200", "True", "–", "∞", "x"]
