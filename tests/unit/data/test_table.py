"""Laws of tables: equal content gives equal digests and equal bytes, whatever engine or order it came in."""

from __future__ import annotations

import datetime as dt
import gc
import math
import tempfile
import weakref
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relet.data import canonical, normal
from relet.data.table import content_digest, read_table, write_table
from relet.errors import BadDataError
from tests.unit.data.written_tables import written

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
TIMES = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1))
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    pa.int8(): st.integers(-128, 127),
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint32(): st.integers(0, 2**32 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.one_of(st.floats(), st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf])),
    pa.bool_(): st.booleans(),
    pa.string(): TEXT,
    pa.binary(): st.binary(max_size=4),
    pa.date32(): st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)),
    pa.time64("us"): st.times(),
    pa.timestamp("us"): TIMES,
    pa.timestamp("us", "UTC"): TIMES,
    pa.decimal128(12, 3): st.decimals(-(10**8), 10**8, places=3),
}
NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=5)


@st.composite
def tables(draw: st.DrawFn, min_rows: int = 0) -> pa.Table:
    types = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=5))
    names = draw(st.lists(NAMES, min_size=len(types), max_size=len(types), unique_by=str.casefold))
    rows = draw(st.integers(min_rows, 12))

    def column(kind: pa.DataType) -> pa.Array:
        # Few distinct values, so that the later columns decide the order too.
        values = st.one_of(st.none(), st.sampled_from(draw(st.lists(VALUES[kind], min_size=1, max_size=3))))
        return pa.array(draw(st.lists(values, min_size=rows, max_size=rows)), kind)

    return pa.table([column(kind) for kind in types], names=names)


def as_pandas(rows: pa.Table) -> pd.DataFrame:
    """In pandas' own dtypes where they can hold the column, else in Arrow's."""
    own = pa.types.is_string, pa.types.is_floating, pa.types.is_timestamp
    return pd.DataFrame(
        {
            name: rows.column(name).to_pandas(
                types_mapper=None if any(is_(rows.field(name).type) for is_ in own) else pd.ArrowDtype
            )
            for name in rows.column_names
        }
    )


def as_expression(rows: pa.Table, folder: str) -> ibis.Table:
    pq.write_table(rows, Path(folder) / "rows.parquet")
    read = ibis.duckdb.connect().read_parquet(Path(folder) / "rows.parquet")
    return read.mutate(relet_more=1).drop("relet_more")


@settings(max_examples=15, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_every_engine_and_every_order_gives_the_same_digest_and_bytes(rows: pa.Table, random: Any) -> None:
    expected = written(rows)
    order = random.sample(range(rows.num_rows), rows.num_rows)
    shuffled = rows.take(pa.array(order, pa.int64()))
    assert written(shuffled) == expected
    assert written(pl.from_arrow(shuffled)) == expected
    assert written(pl.from_arrow(shuffled).lazy()) == expected
    assert written(as_pandas(shuffled)) == expected
    with tempfile.TemporaryDirectory() as folder:
        assert written(as_expression(shuffled, folder)) == expected


@settings(max_examples=15, deadline=None)
@given(tables(min_rows=2), st.integers(1, 5))
def test_chunks_leave_no_trace(rows: pa.Table, size: int) -> None:
    pieces = pa.concat_tables([rows.slice(start, size) for start in range(0, rows.num_rows, size)])
    assert written(pieces) == written(rows)
    assert written(pieces.to_reader()) == written(rows)


@settings(max_examples=15, deadline=None)
@given(tables(min_rows=1), st.integers(1, 7))
def test_sorting_on_disk_and_small_row_groups_give_the_same_content(rows: pa.Table, group: int) -> None:
    expected, content = written(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "SORT_IN_MEMORY", 0)
        assert written(rows) == (expected, content)
        patch.setattr(canonical, "CHUNK_ROWS", group)
        patch.setattr(normal, "CHUNK_ROWS", group)
        assert written(rows)[0] == expected


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-3, 40) | st.none(), min_size=1, max_size=40), st.integers(1, 5))
def test_rows_that_come_almost_in_order_are_written_as_if_they_had_come_in_any(ids: list[int], group: int) -> None:
    rows = pa.table({"id": pa.array(ids, pa.int64()), "n": range(len(ids))})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "CHUNK_ROWS", group)
        patch.setattr(normal, "CHUNK_ROWS", group)
        order = sorted(range(len(ids)), key=lambda place: (ids[place] is not None, ids[place] or 0, place))
        assert written(rows) == written(rows.take(order[::-1]))
        with tempfile.TemporaryDirectory() as folder:
            write_table(rows, Path(folder) / "t")
            assert read_table(Path(folder) / "t", "arrow").equals(rows.take(order))
            assert [path.name for path in Path(folder).iterdir()] == ["t"]


@settings(max_examples=15, deadline=None)
@given(tables())
def test_write_read_write_is_a_fixed_point_in_every_container(rows: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        expected = write_table(rows, path), path.read_bytes()
        for container in ("arrow", "polars", "ibis", "path"):
            assert written(read_table(path, container)) == expected
        if not any(pa.types.is_date(kind) for kind in rows.schema.types):
            assert written(read_table(path, "pandas")) == expected


@settings(max_examples=15, deadline=None)
@given(tables(min_rows=1), st.data())
def test_any_changed_cell_row_name_or_type_gives_another_digest(rows: pa.Table, data: st.DataObject) -> None:
    expected = written(rows)[0]
    assert written(pa.concat_tables([rows, rows.slice(0, 1)]))[0] != expected
    assert written(rows.slice(1))[0] != expected
    place = data.draw(st.integers(0, rows.num_columns - 1))
    field, column = rows.schema.field(place), rows.column(place).to_pylist()
    renamed = rows.rename_columns([f"{name}_" if name == field.name else name for name in rows.column_names])
    assert written(renamed)[0] != expected
    if pa.types.is_integer(field.type) and field.type not in (pa.int64(), pa.uint64()):
        assert written(rows.set_column(place, field.name, rows.column(place).cast(pa.int64())))[0] != expected
    other = data.draw(st.one_of(st.none(), VALUES[field.type]))
    old, new = pa.array(column[:1], field.type)[0].as_py(), pa.array([other], field.type)[0].as_py()
    assume(old != new and not (_nan(old) and new is None) and not (_nan(new) and (old is None or _nan(old))))
    changed = rows.set_column(place, field.name, pa.array([other, *column[1:]], field.type))
    assert written(changed)[0] != expected


def _nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def test_text_that_moves_between_cells_is_noticed() -> None:
    digests = {
        written(pa.table({"a": cells}))[0] for cells in (["ab", "c"], ["a", "bc"], ["", "abc"], [None, "abc"])
    }
    assert len(digests) == 4


def test_rows_are_ordered_by_all_columns_nulls_first_and_text_by_its_bytes(tmp_path: Path) -> None:
    write_table(pa.table({"a": ["ä", "b", None, "B", "b"], "b": [1, 2, 3, None, None]}), tmp_path / "t")
    assert list(zip(*read_table(tmp_path / "t", "arrow").to_pydict().values(), strict=True)) == [
        (None, 3), ("B", None), ("b", None), ("b", 2), ("ä", 1)
    ]  # fmt: skip


def test_a_table_may_be_written_over_the_file_it_is_read_from(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": [3, 1, 2]}), path)
    write_table(path, path)
    assert read_table(path, "arrow").to_pydict() == {"a": [1, 2, 3]}


def test_an_unknown_container_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="did you mean polars"):
        read_table(tmp_path / "t", "polar")


def test_a_file_that_relet_did_not_write_has_no_content_digest(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t")
    with pytest.raises(BadDataError, match="was not written by relet"):
        content_digest(tmp_path / "t")
    (tmp_path / "t").write_bytes(b"nonsense")
    with pytest.raises(BadDataError, match="can't be read as Parquet"):
        content_digest(tmp_path / "t")


def test_the_digest_of_a_known_table_never_changes() -> None:
    """A fixture of format 1: were it to change, every key in every store would be another."""
    rows = pa.table(
        {"id": [2, 1], "name": ["zwei", None], "price": [1.5, math.nan], "day": [dt.date(2019, 7, 8), None]}
    )
    assert written(rows)[0] == "c6ca1f9c652ee90d65b17090013e09f88c256ea2872e9a0b26fd6a944da078de"


def test_tables_alive_together_can_be_joined_and_the_connection_goes_with_the_last(tmp_path: Path) -> None:
    folder = tmp_path / "odd [a] *"
    folder.mkdir()
    for name in ("one", "two"):
        write_table(pa.table({"id": [1, 2], name: [3, 4]}), folder / name)
    write_table(pa.table({"id": [1, 2], "three": [3, 4]}), tmp_path / "three")
    one, two, three = (
        read_table(folder / "one", "ibis"),
        read_table(folder / "two", "ibis"),
        read_table(tmp_path / "three", "ibis"),
    )
    assert one.join(two, "id").join(three, "id").order_by("id").to_pyarrow().num_rows == 2
    connection = weakref.ref(one.get_backend())
    del one, two
    gc.collect()
    assert connection() is not None
    del three
    gc.collect()
    assert connection() is None


def test_sums_of_floats_do_not_depend_on_the_machines_cores(tmp_path: Path) -> None:
    rows = 300_000
    write_table(
        pa.table({"id": range(rows), "x": [math.sin(row) * 10 ** (row % 12) for row in range(rows)]}),
        tmp_path / "t",
    )
    sums = {read_table(tmp_path / "t", "ibis").x.sum().to_pyarrow().as_py() for _ in range(5)}
    assert len(sums) == 1
    assert read_table(tmp_path / "t", "ibis").get_backend().con.sql(
        "SELECT current_setting('threads')"
    ).fetchall() == [(1,)]


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=8), st.data())
def test_the_numbers_of_rows_say_nothing(numbers: list[int], data: st.DataObject) -> None:
    frame = pd.DataFrame({"a": numbers})
    kept = data.draw(st.lists(st.sampled_from(range(len(numbers))), max_size=8))
    filtered = frame.iloc[kept]
    assert written(filtered) == written(filtered.reset_index(drop=True))
    assert written(pd.concat([frame, filtered])) == written(pd.concat([frame, filtered], ignore_index=True))
    assert list(filtered.index) == kept
