"""Profiles: every number is the one that NumPy, pandas or SciPy would have found, whatever is in the table."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.data import tally as module
from relet.data.profile import ColumnProfile, column_tally, histogram_edges, profile, tally_histogram
from relet.data.table import write_table
from relet.data.tally import ColumnKind, finite_tally, open_tables
from relet.errors import BadDataError
from tests.unit.data.test_table import tables

# Names that a query, a page or a path could trip over; some are those that the queries use themselves.
ODD = ["v", "k", "h", "n", "a", "t0", 'say "price"', "it's", "two\nlines", "<script>alert(1)</script>", "a.b", "*"]
NUMBERS = st.lists(st.one_of(st.none(), st.integers(-50, 50)), min_size=1, max_size=40)


def only(values: list[Any], type: pa.DataType | None = None) -> ColumnProfile:
    return profile(pa.table({"x": pa.array(values, type)})).columns[0]


@given(tables())
@settings(max_examples=25, deadline=None)
def test_any_table_can_be_profiled_and_written_as_json(rows: pa.Table) -> None:
    found = profile(rows)
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["rows"] == rows.num_rows
    assert [column.name for column in found.columns] == rows.column_names
    for column in found.columns:
        present = rows.num_rows - column.missing - column.infinite
        assert sum(each.count for each in column.top) <= present
        assert (column.distinct == 0) == (present == 0)
        if column.histogram:
            outside = column.histogram.below + column.histogram.above
            assert sum(column.histogram.counts) + outside == present


@given(tables(), st.randoms())
@settings(max_examples=15, deadline=None)
def test_the_order_of_the_rows_changes_nothing(rows: pa.Table, chance: random.Random) -> None:
    order = list(range(rows.num_rows))
    chance.shuffle(order)
    assert profile(rows).columns == profile(rows.take(pa.array(order, pa.int64()))).columns


@given(NUMBERS)
@settings(max_examples=40, deadline=None)
def test_numbers_are_summed_up_as_numpy_does(values: list[int | None]) -> None:
    column = only(values, pa.int64())
    held = np.array([value for value in values if value is not None])
    assert column.missing == values.count(None)
    assert column.missing_share == column.missing / len(values)
    assert column.distinct == len(set(held))
    if not len(held):
        assert (column.low, column.high, column.mean, column.deviation, column.histogram) == (None,) * 5
        return
    assert (column.low, column.high) == (held.min(), held.max())
    assert column.mean == pytest.approx(held.mean())
    if len(held) > 1:
        assert column.deviation == pytest.approx(held.std(ddof=1))
    else:
        assert column.deviation is None
    for percent, value in column.quantiles.items():
        assert value == np.quantile(held, int(percent[:-1]) / 100, method="inverted_cdf")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=30))
@settings(max_examples=40, deadline=None)
def test_floats_of_any_size_have_a_mean_between_their_ends_and_no_infinite_numbers(values: list[float]) -> None:
    column = only(values, pa.float64())
    json.dumps(column.quantiles, allow_nan=False)
    assert column.mean is not None
    near = 1e-11 * max(abs(column.low), abs(column.high)) + 1e-300
    assert column.low - near <= column.mean <= column.high + near
    if column.histogram:
        counts = (*column.histogram.counts, column.histogram.below, column.histogram.above)
        assert sum(counts) == len(values)
        assert all(math.isfinite(edge) for edge in column.histogram.edges)


def test_a_path_says_the_same_as_the_rows_that_were_written_to_it(tmp_path: Path) -> None:
    rows = pa.table({"id": [3, 1, 2], "name": ["c", None, "b"]})
    path = tmp_path / "o'dd [1]*.parquet"
    write_table(rows, path)
    # what the path would match as a pattern
    write_table(rows.slice(1), tmp_path / "o'dd 1.parquet")
    write_table(rows.slice(1), tmp_path / "o'dd [1]2.parquet")
    assert profile(path) == profile(rows)


@pytest.mark.parametrize("type", [pa.int64(), pa.float64(), pa.string(), pa.date32(), pa.bool_()])
def test_an_empty_column_and_one_that_is_missing_throughout_hold_nothing(type: pa.DataType) -> None:
    for values, missing in (([], 0), ([None, None], 2)):
        column = only(values, type)
        assert (column.missing, column.distinct, column.top, column.low) == (missing, 0, (), None)
        assert column.missing_share == (1.0 if missing else 0.0)


def test_what_is_not_a_number_is_missing_and_what_is_infinite_is_counted_apart() -> None:
    rows = pa.table({"x": [1.0, 3.0, math.inf, -math.inf, math.nan, None]})
    for table in (rows, rows.rename_columns(["x"])):
        column = profile(table).columns[0]
        assert (column.missing, column.infinite, column.distinct) == (2, 2, 2)
        assert (column.low, column.high, column.mean) == (1.0, 3.0, 2.0)


def test_a_file_that_another_program_wrote_may_hold_nan_too(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1.0, math.nan]}), tmp_path / "t.parquet")
    assert profile(tmp_path / "t.parquet").columns[0].missing == 1


def test_whole_numbers_are_not_rounded() -> None:
    large = only([2**63 - 1, 2**63 - 2, -(2**63)], pa.int64())
    assert (large.low, large.high, large.quantiles["50%"]) == (-(2**63), 2**63 - 1, 2**63 - 2)
    assert only([2**64 - 1], pa.uint64()).high == 2**64 - 1


def test_dates_and_times_are_said_as_such() -> None:
    days = only([dt.date(2019, 7, 8), dt.date(2011, 4, 25), None])
    assert (days.kind, days.low, days.high, days.mean) == (ColumnKind.DATE, "2011-04-25", "2019-07-08", None)
    assert days.top[0].value == "2011-04-25"
    moments = only([dt.datetime(2019, 7, 8, 12, 30), dt.datetime(1900, 1, 1)])
    assert (moments.kind, moments.low, moments.high) == (
        ColumnKind.TIME,
        "1900-01-01T00:00:00",
        "2019-07-08T12:30:00",
    )
    assert only([2**31 - 1], pa.int32()).high == 2**31 - 1
    far = profile(pa.table({"x": pa.array([10_000_000], pa.int32()).cast(pa.date32())})).columns[0]
    assert far.high == "29349-01-26"


def test_text_has_lengths_and_its_most_frequent_values_in_order() -> None:
    column = only(["b", "a", "b", "a", "long" * 100, None, ""])
    assert [(each.value, each.count) for each in column.top[:3]] == [("a", 2), ("b", 2), ("", 1)]
    assert column.top[3].value == ("long" * 50) + "…"
    assert (column.shortest, column.middle, column.longest) == (0, 1, 400)
    assert column.top[0].share == 2 / 6


def test_huge_text_and_many_values_are_counted_and_kept_short() -> None:
    column = only(["x" * 3_000_000, *(f"value {n}" for n in range(1500))])
    assert (column.distinct, column.longest, len(column.top)) == (1501, 3_000_000, 10)
    assert all(len(each.value) <= 201 for each in column.top)


def test_flags_and_bytes_are_counted_as_text() -> None:
    assert [(each.value, each.count) for each in only([True, False, True]).top] == [("true", 2), ("false", 1)]
    assert only([b"\x00\xff"], pa.binary()).top[0].value == "00FF"


@pytest.mark.parametrize("name", ODD)
def test_a_column_may_be_called_anything(name: str) -> None:
    rows = pa.table({"words": ["q", "r", "r"], "numbers": [7, 8, 8], name: [1, 1, 2]})
    found = profile(rows).columns
    assert (found[2].name, found[2].distinct, found[2].quantiles["50%"]) == (name, 2, 1)
    assert [each.count for column in found[:2] for each in column.top] == [2, 1, 2, 1]


def test_a_histogram_leaves_out_what_lies_far_away_and_says_how_much() -> None:
    prices = only([*range(100, 300), *range(100, 300), 9_999])
    assert prices.histogram
    assert prices.histogram.edges[-1] < 1000
    assert (prices.histogram.below, prices.histogram.above) == (0, 1)
    assert sum(prices.histogram.shares) == pytest.approx(400 / 401)


def test_a_histogram_of_rows_that_are_nearly_all_equal_leaves_out_the_farthest_one() -> None:
    nights = only([*[10] * 195, *[20] * 4, 1_000])
    assert nights.histogram
    assert 20 < nights.histogram.edges[-1] < 100
    assert (nights.histogram.below, nights.histogram.above) == (0, 1)


def test_a_histogram_counts_as_numpy_does_and_gives_whole_numbers_whole_bins() -> None:
    values = [1, 1, 2, 3, 3, 3, 7]
    with open_tables(pa.table({"x": values})) as (rows,):
        found = finite_tally(rows, "x")
        edges = histogram_edges([found])
        assert all(edge == int(edge) for edge in edges)
        assert tally_histogram(found, edges).counts == tuple(np.histogram(values, edges)[0])


def test_a_constant_column_has_a_histogram_around_its_value() -> None:
    for value in (5, 0.0, -3.5, 1e300):
        column = only([value, value])
        assert column.histogram
        assert column.histogram.edges[0] < value < column.histogram.edges[-1]
        assert sum(column.histogram.counts) == 2


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 9)), st.integers(0, 9)), min_size=3, max_size=30))
@settings(max_examples=30, deadline=None)
def test_correlations_are_those_of_pandas_pair_by_pair(pairs: list[tuple[int | None, int]]) -> None:
    rows = pa.table({"a": pa.array([a for a, _ in pairs], pa.int64()), "b": [b for _, b in pairs]})
    found = profile(rows).correlations
    frame = rows.to_pandas().astype(float)
    assert found
    for method, ours in (("pearson", found.pearson), ("spearman", found.spearman)):
        theirs = frame.corr(method=method, min_periods=2).loc["a", "b"]  # type: ignore[arg-type]
        assert ours[0][1] == (None if math.isnan(theirs) else pytest.approx(theirs, abs=1e-6))


def test_correlations_of_a_large_table_stand_on_rows_from_all_over_it() -> None:
    place = np.arange(250_000)
    rows = pa.table(
        {"a": place, "b": np.where(place < 125_000, place, -place), "c": place * 0, "d": ["x"] * 250_000}
    )
    found = profile(rows).correlations
    assert found
    assert (found.names, found.rows) == (("a", "b", "c"), 100_000)
    whole = rows.to_pandas()[["a", "b"]].corr().iloc[0, 1]
    assert found.pearson[0][1] == pytest.approx(whole, abs=1e-3)
    assert found.pearson[0][2] is None


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chance = np.random.default_rng(7)
    numbers = chance.lognormal(size=300_000)
    rows = pa.table({"x": numbers, "words": np.char.mod("w%d", (numbers * 900).astype(int)), "n": numbers.round()})
    write_table(rows, tmp_path / "t.parquet")
    found = []
    for threads in (1, 4):
        monkeypatch.setattr(module, "THREADS", threads)
        found.append(profile(tmp_path / "t.parquet"))
    assert found[0] == found[1]


def test_a_wide_table_is_read_column_by_column_and_says_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = pa.table({"id": [3, 1, 2], "name": ["c", None, "b"]})
    write_table(rows, tmp_path / "t.parquet")
    found = [profile(each) for each in (rows, tmp_path / "t.parquet")]
    monkeypatch.setattr(module, "WIDE", 1)
    assert [profile(each) for each in (rows, tmp_path / "t.parquet")] == found


def test_an_infinite_value_does_not_hide_a_correlation() -> None:
    found = profile(pa.table({"a": [1.0, 2.0, 3.0, math.inf], "b": [1, 2, 3, 4]})).correlations
    assert found
    assert found.pearson[0][1] == found.spearman[0][1] == 1.0


def test_one_column_of_numbers_has_nothing_to_go_with() -> None:
    assert profile(pa.table({"a": [1, 2], "b": ["x", "y"]})).correlations is None


def test_a_frame_is_a_table_too() -> None:
    assert profile(pd.DataFrame({"a": [1, 2]})).rows == 2


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.parquet").write_text("no")
    with pytest.raises(BadDataError, match=r"no\.parquet is no Parquet file that can be read"):
        profile(tmp_path / "no.parquet")
    with pytest.raises(BadDataError, match="no Parquet file"):
        profile(tmp_path / "missing.parquet")
    with pytest.raises(BadDataError, match=r"a table was expected, got builtins\.int"):
        profile(3)
    pq.write_table(pa.table({"x": [[1], [2]]}), tmp_path / "nested.parquet")
    with pytest.raises(BadDataError, match="column 'x' holds list"):
        profile(tmp_path / "nested.parquet")


def test_a_wrong_column_gets_the_nearest_right_one() -> None:
    with open_tables(pa.table({"price": [1]})) as (rows,), pytest.raises(BadDataError, match="did you mean price"):
        column_tally(rows, "prise")
