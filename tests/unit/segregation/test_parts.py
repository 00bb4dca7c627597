"""Parts come out of whatever holds a table: as frames, or as streams that fit into little memory."""

from pathlib import Path

import ibis
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relet.data.table import write_table
from relet.errors import BadDataError, SettingError
from relet.segregation import METHODS, Rule, assign, segregate, split, streams

FRAME = pd.DataFrame(
    {
        "id": range(100, 400),
        "host": [number % 70 for number in range(300)],
        "borough": ["Bronx", "Queens", None] * 100,
        "day": pd.date_range("2019-01-01", periods=30).tolist() * 10,
    }
)
PARTS = {"train": None, "validation": 0.1, "test": 0.2}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "table.parquet"
    write_table(FRAME, path)
    return path


def rule(method: str) -> Rule:
    return Rule(method=method, stratify_by="borough", group_by="host", time_by="day")


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_row_is_told_the_same_whatever_holds_the_table(method: str, stored: Path) -> None:
    arrow = pa.Table.from_pandas(FRAME)
    wanted = assign(FRAME, PARTS, rule(method)).of_row.tolist()
    for table in (stored, arrow, pl.from_arrow(arrow), pl.from_arrow(arrow).lazy(), ibis.memtable(FRAME)):  # type: ignore[union-attr]
        assert assign(table, PARTS, rule(method)).of_row.tolist() == wanted
    for table in (stored, FRAME, arrow, ibis.memtable(FRAME)):
        made = segregate(table, PARTS, rule(method))
        assert made.report.verdict().passed
        read = {name: part.read_all()["id"].to_pylist() for name, part in made.parts.items()}
        assert {name: len(ids) for name, ids in read.items()} == made.report.sizes
        assert sorted(key for ids in read.values() for key in ids) == FRAME["id"].tolist()
        for place, name in enumerate(read):
            assert read[name] == [key for key, part in zip(FRAME["id"], wanted, strict=True) if part == place]


def test_a_table_without_an_order_is_read_once() -> None:
    """Else each column, and each part, would be read in another order."""
    shuffled = ibis.memtable(FRAME).order_by(ibis.random())
    made = segregate(shuffled, PARTS, rule("by_group"))
    assert made.report.verdict().passed
    read = [part.read_all() for part in made.parts.values()]
    assert sorted(key for part in read for key in part["id"].to_pylist()) == FRAME["id"].tolist()
    hosts = [set(part["host"].to_pylist()) for part in read]
    assert sum(map(len, hosts)) == 70
    lazy = pl.from_pandas(FRAME[["id"]]).lazy()
    assert assign(lazy, PARTS, Rule(method="random")).sizes == {"train": 210, "validation": 30, "test": 60}


def test_a_part_of_a_file_of_many_batches_has_its_own_rows(tmp_path: Path) -> None:
    write_table(pa.table({"id": range(300_000)}), tmp_path / "table.parquet")
    made = segregate(tmp_path / "table.parquet", PARTS, Rule())
    for name, stream in made.parts.items():
        assert stream.read_all()["id"].to_numpy().tolist() == made.assignment.rows(name).nonzero()[0].tolist()


def test_a_stream_is_stored_as_the_frame_would_be(stored: Path, tmp_path: Path) -> None:
    made = segregate(stored, PARTS, rule("keyed"))
    frames = split(FRAME, PARTS, rule("keyed"))
    for frame, (name, stream) in zip(frames, made.parts.items(), strict=True):
        assert write_table(stream, tmp_path / name) == write_table(
            pa.Table.from_pandas(frame), tmp_path / f"{name}-2"
        )


def test_of_a_file_only_the_columns_that_the_method_goes_by_are_read(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    whole = pq.ParquetFile.read

    def spied(self: pq.ParquetFile, columns: list[str] | None = None, **options: object) -> pa.Table:
        read.extend(columns or ["everything"])
        return whole(self, columns=columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "read", spied)
    for method, columns in {"keyed": ["id"], "by_time": ["day"], "by_group": ["host", "borough"]}.items():
        read.clear()
        assign(stored, PARTS, rule(method))
        assert read == columns


def test_a_frame_that_was_filtered_is_parted_by_its_rows() -> None:
    train, test = split(FRAME[FRAME["id"] % 2 == 0], {"train": None, "test": 0.2}, Rule(method="random"))
    assert train.index.tolist() == list(range(120)) and test.index.tolist() == list(range(30))
    assert sorted([*train["id"], *test["id"]]) == list(range(100, 400, 2))
    keyed = split(FRAME[FRAME["id"] % 2 == 0], PARTS, Rule())
    assert sorted(key for part in keyed for key in part["id"]) == list(range(100, 400, 2))


def test_a_part_of_a_frame_without_a_row_names_the_setting() -> None:
    with pytest.raises(
        SettingError, match=r"of 3 rows none came to val, which has a share of 0\.001; set val_size"
    ):
        split(FRAME[:3], {"train": None, "val": 0.001}, Rule())


def test_of_a_file_a_part_without_a_row_is_the_verdict_s_business(stored: Path) -> None:
    made = segregate(stored, {"train": None, "val": 1e-6}, Rule())
    assert made.parts["val"].read_all().num_rows == 0
    verdict = made.report.verdict()
    assert not verdict.passed and verdict.reason.startswith("no row came to val")


def test_a_stream_or_something_else_in_place_of_a_table_is_refused(stored: Path, tmp_path: Path) -> None:
    reader = pa.Table.from_pandas(FRAME).to_reader()
    for wrong in (reader, {"id": [1]}, 7):
        with pytest.raises(
            BadDataError, match=r"a table that can be read twice was expected, got .*; give the Path"
        ):
            assign(wrong, PARTS, Rule())
    (tmp_path / "no.parquet").write_text("id\n1\n")
    with pytest.raises(BadDataError, match="is no Parquet file that can be read"):
        assign(tmp_path / "no.parquet", PARTS, Rule())
    with pytest.raises(BadDataError, match="is no Parquet file that can be read"):
        assign(tmp_path / "nowhere.parquet", PARTS, Rule())


def test_the_rows_of_a_part_are_the_table_s_own() -> None:
    table = pa.Table.from_pandas(FRAME)
    found = assign(table, PARTS, Rule(method="random"))
    for name, stream in streams(table, found).items():
        assert stream.read_all().equals(
            table.filter(pa.array(found.rows(name))).replace_schema_metadata(None).cast(stream.schema)
        )
