"""A tally is the same whatever the column came in."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.checks.statistics import Tally, tally
from relet.data.table import read_table, write_table
from relet.errors import BadDataError

NUMBERS = st.lists(st.one_of(st.none(), st.integers(-3, 3), st.sampled_from([0.5, -0.0, float("nan")])))
TEXTS = st.lists(st.one_of(st.none(), st.sampled_from(["Bronx", "Queens", "", "ü"])))


def as_plain(counted: Tally) -> tuple[dict[Any, int], int]:
    return dict(zip(counted.values.tolist(), counted.counts.tolist(), strict=True)), counted.missing


def counted_by_hand(column: list[Any]) -> tuple[dict[Any, int], int]:
    there = [value for value in column if value is not None and value == value]
    return {value: there.count(value) for value in sorted(set(there))}, len(column) - len(there)


def containers(column: list[Any], type: pa.DataType) -> dict[str, Any]:
    arrow = pa.array(column, type, from_pandas=True)
    table = ibis.memtable(pa.table({"rent": arrow}))
    return {
        "arrow": arrow,
        "chunked": pa.chunked_array([arrow, arrow.slice(0, 0)]),
        "ibis": table.rent,
        "polars": pl.from_arrow(pa.table({"rent": arrow}))["rent"],  # type: ignore[call-overload]
        "pandas": arrow.to_pandas().rename("rent"),
        "list": column,
    }


@settings(deadline=None, max_examples=30)
@given(NUMBERS)
def test_numbers_are_counted_alike_in_every_container(column: list[Any]) -> None:
    for name, each in containers(column, pa.float64()).items():
        assert as_plain(tally(each)) == counted_by_hand(column), name


@settings(deadline=None, max_examples=30)
@given(TEXTS)
def test_text_is_counted_alike_in_every_container(column: list[Any]) -> None:
    for name, each in containers(column, pa.string()).items():
        assert as_plain(tally(each)) == counted_by_hand(column), name


def test_the_columns_name_comes_along() -> None:
    found = containers([1.0], pa.float64())
    assert {name: tally(each).name for name, each in found.items() if name in ("ibis", "polars", "pandas")} == {
        "ibis": "rent",
        "polars": "rent",
        "pandas": "rent",
    }
    assert tally([1]).name == ""


def test_nan_is_missing_where_null_is_something_else() -> None:
    column = pa.array([float("nan"), 1.0, None])
    polars = pl.Series([float("nan"), 1.0, None])
    for each in (column, polars, ibis.memtable(pa.table({"rent": column})).rent):
        assert as_plain(tally(each)) == ({1.0: 1}, 2)


def test_a_tally_is_its_own_tally() -> None:
    counted = tally([1, 2])
    assert tally(counted) is counted


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (np.array([2, 1, 1]), [1, 2]),
        (np.array([True, False]), [0, 1]),
        (pd.Series(["b", "a"], dtype="category"), ["a", "b"]),
        (pl.Series(["b", "a"], dtype=pl.Categorical), ["a", "b"]),
        (pd.Series([1, None], dtype="Int64"), [1]),
        ([Decimal("1.5"), Decimal(1)], [1.0, 1.5]),
        ([date(1970, 1, 2), None], [86_400_000_000]),
        (pd.to_datetime(pd.Series(["1970-01-01 00:00:01"])).astype("datetime64[us]"), [1_000_000]),
        (np.array([2**62 + 1, 2**62]), [2**62, 2**62 + 1]),
        (np.array([1, 2], dtype=np.uint8), [1.0, 2.0]),
    ],
    ids=["int", "bool", "category", "Categorical", "Int64", "decimal", "date", "time", "large", "unsigned"],
)
def test_what_can_be_ordered_can_be_counted(column: Any, values: list[Any]) -> None:
    assert tally(column).values.tolist() == values


def test_a_column_of_a_stored_table_is_counted_where_it_lies(tmp_path: Path) -> None:
    rents = np.arange(300_000) % 3
    write_table(pa.table({"id": np.arange(300_000), "rent": rents}), tmp_path / "rents.parquet")
    table = read_table(tmp_path / "rents.parquet", "ibis")
    assert as_plain(tally(table.rent)) == ({0: 100_000, 1: 100_000, 2: 100_000}, 0)
    assert as_plain(tally(table.filter(table.rent > 0).rent + 1)) == ({2: 100_000, 3: 100_000}, 0)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("Bronx", "a sample is one column, got str"),
        (np.zeros((2, 2)), "a sample is one column, got ndarray"),
        (pd.DataFrame({"a": [1]}), "a sample is one column, got DataFrame"),
        (pa.table({"a": [1]}), "a sample is one column, got Table"),
        ([1, "a"], "can't be counted as one type"),
        (3, "can't be counted as one type"),
        ([[1], [2]], "list"),
        ([b"1"], "binary"),
    ],
    ids=["text", "matrix", "frame", "arrow", "mixed", "number", "nested", "bytes"],
)
def test_what_is_no_column_is_refused(column: Any, said: str) -> None:
    with pytest.raises(BadDataError, match=said):
        tally(column)


def test_a_whole_ibis_table_is_refused() -> None:
    with pytest.raises(BadDataError, match="a sample is one column, got Table; name the column"):
        tally(ibis.memtable({"a": [1]}))


@pytest.mark.parametrize(
    ("values", "counts"),
    [([2, 1], [1, 1]), ([1, 1], [1, 1]), ([1, 2], [1, 0]), ([1], [1, 2]), ([1], [0.5])],
    ids=["order", "twice", "none", "length", "half"],
)
def test_a_tally_that_is_none_is_refused(values: list[int], counts: list[float]) -> None:
    with pytest.raises(BadDataError, match="distinct values in ascending order"):
        Tally(values=np.array(values), counts=np.array(counts))
