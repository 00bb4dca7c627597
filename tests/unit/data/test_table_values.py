"""What becomes of a value in a table, on the way in and out, and which values no table holds."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from relet.data.normal import altered_columns
from relet.data.table import read_table, write_table
from relet.errors import BadDataError
from tests.unit.data.written_tables import written


def test_nan_is_null_and_zero_has_no_sign() -> None:
    odd = pa.table({"a": pa.array([math.nan, -0.0, 1.0], pa.float64())})
    assert written(odd) == written(pa.table({"a": pa.array([None, 0.0, 1.0], pa.float64())}))


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["b", None, "a"], dtype=object),
        pd.Series(["b", None, "a"], dtype="str"),
        pd.Series(["b", None, "a"], dtype="string[python]"),
        pa.array(["b", None, "a"], pa.large_string()),
        pa.array(["b", None, "a"], pa.string_view()),
        pa.array(["b", None, "a"]).dictionary_encode(),
        pl.Series(["b", None, "a"], dtype=pl.Categorical),
        pl.Series(["b", None, "a"], dtype=pl.Enum(["a", "b"])),
    ],
)
def test_text_is_text_however_an_engine_holds_it(column: Any) -> None:
    frames = {pd.Series: pd.DataFrame, pl.Series: pl.DataFrame}
    value = frames.get(type(column), pa.table)({"a": column})
    assert written(value) == written(pa.table({"a": ["b", None, "a"]}))


def test_times_are_microseconds_and_zones_are_utc() -> None:
    moment = dt.datetime(2019, 7, 8, 12, 30, tzinfo=dt.UTC)
    kinds = [pa.timestamp("us", "UTC"), pa.timestamp("ns", "America/New_York"), pa.timestamp("s", "+02:00")]
    assert len({written(pa.table({"a": pa.array([moment], kind)})) for kind in kinds}) == 1
    naive = pa.table({"a": pa.array([moment.replace(tzinfo=None)], pa.timestamp("ms"))})
    assert written(naive)[0] != written(pa.table({"a": pa.array([moment], kinds[0])}))[0]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (pa.table({"a": [[1, 2]]}), "column 'a' holds list"),
        (pa.table({"a": [{"b": 1}]}), "column 'a' holds struct"),
        (
            pa.table({"a": pa.array([1], pa.timestamp("ns"))}),
            r"column 'a' can't be stored as timestamp\[us\].*round",
        ),
        (pa.table({"a": pa.array([1], pa.duration("s"))}), "column 'a' holds duration"),
        (pd.DataFrame({"a": [1, "x"]}), "column a"),
        (pd.DataFrame({"a": ["\ud800"]}, dtype=object), "does not fit|can't be stored"),
        (
            pd.DataFrame({"a": [1]}, index=["x"]),
            r"an index of its own \(of type str, without a name.*reset_index\(\)",
        ),
        (pd.DataFrame({"a": [1]}, index=pd.Index([5], name="id")), r"\(of type int64, named 'id'\)"),
        (pd.DataFrame({"a": [1]}, index=pd.Index([5], name=0)), r"\(of type int64, named 0\)"),
        (pd.DataFrame({"a": [1]}, index=[1.5]), r"\(of type float64, without a name\)"),
        (
            pd.DataFrame({"a": [1]}, index=pd.to_datetime(["2024-01-01"])),
            r"an index of its own \(of type datetime64",
        ),
        (pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)])), r"\(of 2 levels, without a name\)"),
        (pd.DataFrame({1: [1]}), "has to be text.*got 1"),
        (pa.table([[1], [2]], names=["a", "a"]), "columns 'a', 'a' have the same name"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "columns 'a', 'a' have the same name"),
        (pa.table({"Price": [1], "price": [2]}), "columns 'Price', 'price' have the same name"),
        (pa.table({"": [1]}), "not empty"),
        (pa.table({}), "at least one column"),
        (pd.DataFrame(), "at least one column"),
        (pl.DataFrame(), "at least one column"),
        ([1, 2], "a table was expected, got builtins.list"),
        (pd.Series([1]), "a table was expected"),
        (Path("no/such.parquet"), "no/such.parquet is no Parquet file"),
    ],
)
def test_what_a_table_can_not_hold_is_refused_by_name_and_leaves_no_file(
    value: Any, said: str, tmp_path: Path
) -> None:
    with pytest.raises(BadDataError, match=said):
        write_table(value, tmp_path / "table.parquet")
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_claim_to_be_text_are_found() -> None:
    false_text = pa.array([b"\xff"], pa.binary()).view(pa.string())
    with pytest.raises(BadDataError, match="column 'a'"):
        written(pa.table({"a": false_text}))


def test_a_column_of_nothing_is_text_in_every_engine() -> None:
    expected = written(pa.table({"a": pa.array([None, None], pa.string())}))
    assert written(pd.DataFrame({"a": [None, None]})) == expected
    assert written(pl.DataFrame({"a": [None, None]})) == expected
    assert written(pa.table({"a": [None, None]})) == expected


def test_pandas_gets_no_silent_floats(tmp_path: Path) -> None:
    rows = pa.table(
        {
            "whole": [1, 2],
            "gap": [None, 2**60 + 1],
            "small": pa.array([None, 3], pa.uint8()),
            "flag": [True, None],
            "text": ["a", None],
            "day": [dt.date(2019, 7, 8), None],
            "exact": [Decimal("1.10"), None],
        }
    )
    write_table(rows, tmp_path / "t")
    frame = read_table(tmp_path / "t", "pandas")
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "whole": "int64",
        "gap": "Int64",
        "small": "UInt8",
        "flag": "boolean",
        "text": "str",
        "day": "datetime64[us]",
        "exact": "decimal128(3, 2)[pyarrow]",
    }
    assert frame["gap"].max() == 2**60 + 1
    assert isinstance(frame.index, pd.RangeIndex)


ALTERED = pd.DataFrame(
    {
        "city": pd.Categorical(["a", "b"]),
        "size": pd.Categorical([1, 2]),
        "seen": pd.to_datetime(["2024-01-01", "2024-01-02"]).tz_localize("Asia/Tokyo"),
        "made": pd.to_datetime(["2024-01-01", "2024-01-02"]).tz_localize("UTC"),
        "n": [1, 2],
    }
)


@pytest.mark.parametrize(
    "value",
    [
        pl.from_arrow(pa.Table.from_pandas(ALTERED.drop(columns="size"))),
        pl.from_arrow(pa.Table.from_pandas(ALTERED.drop(columns="size"))).lazy(),  # type: ignore[union-attr]
        pa.Table.from_pandas(ALTERED),
        pa.Table.from_pandas(ALTERED).to_reader(),
    ],
    ids=["polars", "lazy", "arrow", "reader"],
)
def test_what_becomes_of_categories_and_zones_is_told(value: Any) -> None:
    told = altered_columns(value)
    assert told[0] == "city: text from here on instead of a category"
    assert told[-1] == "seen: UTC from here on instead of Asia/Tokyo"


def test_nothing_is_told_of_a_table_that_comes_back_as_it_went_in(tmp_path: Path) -> None:
    plain = ALTERED[["made", "n"]]
    write_table(plain, tmp_path / "table.parquet")
    for value in (
        plain,
        plain.iloc[:0],
        ALTERED,
        ALTERED[ALTERED["n"] > 1],
        tmp_path / "table.parquet",
        ibis.memtable(plain),
    ):
        assert altered_columns(value) == []
