"""Each row's value by its number: the distinct values in order, and what is missing last."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from relet.segregation import Rule, assign, report_on
from relet.segregation.columns import codes_of


@pytest.mark.parametrize(
    ("values", "codes", "distinct"),
    [
        ([3, 1, 3, 2], [2, 0, 2, 1], [1, 2, 3]),
        ([3, None, 1, 3], [1, 2, 0, 1], [1, 3, None]),
        (["b", "a", None, "ä"], [1, 0, 3, 2], ["a", "b", "ä", None]),
        (["b", "a"], [1, 0], ["a", "b"]),
        ([True, False, True], [1, 0, 1], [False, True]),
        ([dt.date(2019, 7, 8), dt.date(2019, 1, 1)], [1, 0], [dt.date(2019, 1, 1), dt.date(2019, 7, 8)]),
    ],
)
def test_values_are_numbered_in_order_and_what_is_missing_comes_last(
    values: list[Any], codes: list[int], distinct: list[Any]
) -> None:
    for chunks in ([values], [values[:1], values[1:]]):
        column = pa.chunked_array(chunks, pa.array(values).type)
        found, known = codes_of(column)
        assert (found.tolist(), known) == (codes, distinct)


def test_a_year_that_is_missing_in_some_rows_is_a_stratum_of_its_own() -> None:
    table = pa.table({"id": range(40), "year": [2018] * 20 + [None] * 20})
    rule = Rule(method="stratified", stratify_by="year")
    report = report_on(table, assign(table, {"train": 0.5, "test": 0.5}, rule))
    assert report.strata == {"2018": {"train": 10, "test": 10}, "(missing)": {"train": 10, "test": 10}}
