"""Categories and time zones of pandas come back as they went in; their tables have digests of their own."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.data.column_kinds import KINDS, LONGEST
from relet.data.footer import checked_content_digest
from relet.data.normal import altered_columns
from relet.data.rows import RowStream
from relet.data.table import content_digest, read_table, write_table
from relet.errors import BadDataError
from relet.evaluation.comparison.tables import compare_tables

ZONES = ["Asia/Tokyo", "America/New_York", "Europe/Berlin", "UTC", "+05:30", "-03:00"]
MOMENTS = st.datetimes(min_value=dt.datetime(1950, 1, 1), max_value=dt.datetime(2100, 1, 1))
CATEGORIES = st.one_of(
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, max_size=5),
    st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=5),
    st.lists(st.floats(-1e9, 1e9).map(lambda x: x + 0.0), unique=True, max_size=5),
    st.lists(st.booleans(), unique=True, max_size=2),
)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """A category, a time with a zone, and a number, from no row on."""
    rows = draw(st.integers(0, 6))
    categories = draw(CATEGORIES)
    codes = draw(st.lists(st.integers(-1, len(categories) - 1), min_size=rows, max_size=rows))
    dtype = "str" if categories and isinstance(categories[0], str) else None
    index = pd.Index(categories, dtype=dtype) if categories else pd.Index([], dtype="str")
    times = draw(st.lists(MOMENTS | st.none(), min_size=rows, max_size=rows))
    zone = draw(st.sampled_from(ZONES))
    seen = pd.Series(times, dtype="datetime64[us]").dt.tz_localize("UTC").dt.tz_convert(zone)
    return pd.DataFrame(
        {
            "kind": pd.Categorical.from_codes(codes, categories=index, ordered=draw(st.booleans())),
            "seen": seen,
            "n": range(rows),
        }
    )


def written(value: Any) -> tuple[str, bytes]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        digest = write_table(value, path)
        assert digest == content_digest(path) == checked_content_digest(path)
        return digest, path.read_bytes()


def again(value: Any, container: str = "pandas") -> Any:
    with TemporaryDirectory() as folder:
        write_table(value, Path(folder) / "table.parquet")
        return read_table(Path(folder) / "table.parquet", container)


@settings(max_examples=40)
@given(frames())
def test_categories_and_zones_come_back_as_they_went_in(frame: pd.DataFrame) -> None:
    found = again(frame).sort_values("n", ignore_index=True)
    pd.testing.assert_frame_equal(found, frame)
    assert found["kind"].cat.ordered == frame["kind"].cat.ordered
    assert str(found["seen"].dtype) == str(frame["seen"].dtype)
    assert altered_columns(frame) == []


@settings(max_examples=20)
@given(frames())
def test_every_other_engine_gets_the_values_alone(frame: pd.DataFrame) -> None:
    found = again(frame, "arrow")
    plain = frame.assign(kind=frame["kind"].astype(frame["kind"].cat.categories.dtype.name, errors="ignore"))
    assert not found.schema.metadata
    assert not pa.types.is_dictionary(found.schema.field("kind").type)
    assert found.schema.field("seen").type == pa.timestamp("us", "UTC")
    values = {n: (None if pd.isna(kind) else kind) for n, kind in zip(plain["n"], frame["kind"], strict=True)}
    assert dict(zip(found["n"].to_pylist(), found["kind"].to_pylist(), strict=True)) == values


def test_what_is_read_is_written_as_it_was() -> None:
    assert written(again(SIZES)) == written(SIZES)


SIZES = pd.DataFrame({"size": pd.Categorical(["s", "m", None], categories=["s", "m", "l"], ordered=True)})


@pytest.mark.parametrize(
    "other",
    [
        SIZES.astype({"size": "str"}),
        SIZES.assign(size=SIZES["size"].cat.as_unordered()),
        SIZES.assign(size=SIZES["size"].cat.remove_unused_categories()),
        SIZES.assign(size=SIZES["size"].cat.reorder_categories(["m", "s", "l"])),
    ],
    ids=["text", "no order", "fewer", "another order"],
)
def test_another_kind_is_another_content(other: pd.DataFrame) -> None:
    assert written(other)[0] != written(SIZES)[0]
    assert again(other, "arrow").equals(again(SIZES, "arrow"))


def test_the_kind_is_kept_on_the_way_through_a_path_and_a_stream_of_rows(tmp_path: Path) -> None:
    write_table(SIZES, tmp_path / "one")
    for container in ("path", "rows"):
        assert written(read_table(tmp_path / "one", container)) == written(SIZES)


def test_the_digest_of_a_known_table_with_kinds_never_changes() -> None:
    digest, content = written(SIZES)
    assert digest == "d84415430933ce4c0ab282ee16bbce1ec5fb3f89ad22c17d43a6772d84388f1a"
    about = pq.read_metadata(pa.BufferReader(content)).metadata
    assert about == {
        b"relet.table": b"2",
        b"relet.columns": b'{"size":{"categories":["s","m","l"],"ordered":true}}',
    }


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (pd.Categorical(pd.to_datetime(["2024-01-01"])), "seen: timestamp[us] from here on instead of a category"),
        (pd.Categorical([f"{n:060}" for n in range(LONGEST // 60)]), "text from here on instead of a category"),
        (pd.Categorical([dt.date(2024, 1, 1)]), "from here on instead of a category"),
        (
            pd.Series([1], dtype=pd.ArrowDtype(pa.timestamp("us", "Asia/Tokyo"))),
            "UTC from here on instead of Asia",
        ),
    ],
    ids=["times", "too many", "dates", "arrow"],
)
def test_what_is_not_kept_is_told(column: Any, told: str) -> None:
    frame = pd.DataFrame({"seen": column})
    assert told in altered_columns(frame)[0]
    assert b"relet.columns" not in (pq.read_metadata(pa.BufferReader(written(frame)[1])).metadata or {})


@pytest.mark.parametrize("categories", [b'["x"]', b'["x", 1]', b'["x", "x", "y"]'])
def test_a_value_that_categories_do_not_fit_is_never_lost(tmp_path: Path, categories: bytes) -> None:
    schema = pa.schema({"a": pa.string()}, {KINDS: b'{"a":{"categories":%b,"ordered":false}}' % categories})
    rows = RowStream(schema, pa.table({"a": ["x", "y", None]}).to_batches())
    write_table(rows, tmp_path / "table")
    assert read_table(tmp_path / "table", "pandas")["a"].fillna("").tolist() == ["", "x", "y"]


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (b"[]", "the kinds of its columns can't be read"),
        (b'{"size": 3}', "the kinds of its columns can't be read"),
        (b"{", "the kinds of its columns can't be read"),
        (b'{"size": {"zone": 1}}', "the kinds of its columns can't be read"),
    ],
)
def test_kinds_that_are_none_are_refused(tmp_path: Path, kinds: bytes, said: str) -> None:
    path = tmp_path / "table.parquet"
    write_table(SIZES, path)
    table = pq.read_table(path)
    with pq.ParquetWriter(path, table.schema, store_schema=False) as writer:
        writer.add_key_value_metadata({"relet.table": "2", KINDS: kinds})
        writer.write_table(table)
    for read in (content_digest, checked_content_digest, lambda path: read_table(path, "pandas")):
        with pytest.raises(BadDataError, match=said):
            read(path)


def test_a_zone_that_this_machine_does_not_know_is_named(tmp_path: Path) -> None:
    schema = pa.schema(
        {"a": pa.timestamp("us", "UTC")}, {KINDS: json.dumps({"a": {"zone": "Mars/Base"}}).encode()}
    )
    write_table(
        RowStream(schema, pa.table({"a": pa.array([0], schema.field(0).type)}).to_batches()), tmp_path / "t"
    )
    with pytest.raises(BadDataError, match="column 'a': it has times in the zone Mars/Base, which this machine"):
        read_table(tmp_path / "t", "pandas")


def test_another_kind_is_a_difference_between_tables(tmp_path: Path) -> None:
    for name, frame in (("old", SIZES), ("new", SIZES.astype({"size": "str"}))):
        (tmp_path / name).mkdir()
        write_table(frame, tmp_path / name / "table.parquet")
    (found,) = compare_tables(tmp_path / "old", tmp_path / "new", None)
    assert found.sentence == "the column 'size' holds plain values instead of 3 ordered categories"
