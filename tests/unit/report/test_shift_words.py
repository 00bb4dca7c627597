"""What moved in a column, in words: what stood before stands before the arrow."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from relet.data.difference import difference
from relet.report.columns import shift_words

# more different values than a category may have, so that texts are compared by their length
MANY = 3000


def words(before: list[Any], after: list[Any]) -> list[str]:
    (shift,) = difference(pa.table({"x": before}), pa.table({"x": after})).shifts
    return shift_words(shift).split("; ")


def test_text_is_told_by_its_length_and_by_how_many_values_there_are() -> None:
    # each value twice, so that the column names no rows
    short = [f"{number:05}" for number in range(MANY)] * 2
    long = [f"{number:08}" for number in range(MANY + 7)] * 2
    assert words(short, long)[:2] == ["median length 5 → 8", "different values 3,000 → 3,007"]
    assert words(long, short)[:2] == ["median length 8 → 5", "different values 3,007 → 3,000"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([1.0, 2.0, 2.0], [1.0, 4.0, 4.0], ["median 2 → 4", "range 1 to 2 → 1 to 4"]),
        (["a", "a", "b", "b"], ["a", "a", "a", "c"], ["b 50.0% → 0%", "new: c (1 row)", "gone: b (2 rows)"]),
    ],
)
def test_numbers_and_categories_are_told_in_the_order_of_the_tables(
    before: list[Any], after: list[Any], said: list[str]
) -> None:
    assert words(before, after) == said
