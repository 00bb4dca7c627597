"""Rows that are known to be in the normal form are not looked at again; nothing else passes as such."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relet.data.content import MARK
from relet.data.fork import fork
from relet.data.normal import normal_floats, normal_rows
from relet.data.quarantine import split_by_reason
from relet.data.reading import stream_csv
from relet.data.rows import FileState, RowStream, StoredTablePath, is_stored_table
from relet.data.schema import Column, Schema
from relet.data.table import content_digest, read_table, write_table
from relet.errors import BadDataError
from relet.segregation.parts import segregate
from relet.segregation.rule import Rule

FALSE_TEXT = pa.array([b"\xff", b"b"], pa.binary()).view(pa.string())
ODD = pa.table({"id": [1, 2, 3], "x": pa.array([math.nan, -0.0, 1.0]), "t": ["a", None, "b"]})
EVEN = pa.table({"id": [1, 2, 3], "x": pa.array([None, 0.0, 1.0]), "t": ["a", None, "b"]})
LISTINGS = Schema(columns=(Column("id", "int64"), Column("x", "double"), Column("t", "string")))


def digest(value: Any, folder: Path) -> str:
    return write_table(value, folder / "written.parquet")


def verified(path: Path) -> StoredTablePath:
    """The path of a stored table as the engine hands it to a component."""
    return StoredTablePath.of(path, FileState.of(path))


def known(rows: pa.Table) -> RowStream:
    return RowStream(rows.schema, rows.to_batches(), is_normal=True)


def foreign(rows: pa.Table, folder: Path) -> Path:
    """A Parquet file that relet did not write."""
    pq.write_table(rows, folder / "foreign.parquet")
    return folder / "foreign.parquet"


def told(kept: Any, aside: Any) -> list[list[dict[str, Any]]]:
    return [incoming_rows(part) for part in (kept, aside)]


def incoming_rows(value: Any) -> list[dict[str, Any]]:
    schema, batches = normal_rows(value)
    return pa.Table.from_batches(batches, schema).to_pylist()


def test_a_stream_of_a_csv_file_is_known_and_holds_what_any_engine_would(tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_text('id,x,t\n1,,a\n2,-0.0,\n3,1.0,"b"\n', encoding="utf-8")
    stream = stream_csv(source, LISTINGS)
    assert stream.is_normal
    assert digest(stream, tmp_path) == digest(EVEN, tmp_path)


def test_a_parquet_source_is_not_known_and_false_text_in_it_is_found(tmp_path: Path) -> None:
    path = foreign(pa.table({"id": [1, 2], "x": [1.0, 2.0], "t": FALSE_TEXT}), tmp_path)
    stream = stream_csv(path, LISTINGS)
    assert not stream.is_normal
    with pytest.raises(BadDataError, match="column 't'"):
        digest(stream, tmp_path)


def test_only_a_file_that_is_known_is_taken_for_a_stored_table(tmp_path: Path) -> None:
    stored = tmp_path / "stored.parquet"
    write_table(ODD, stored)
    assert not read_table(stored, "rows").is_normal
    assert read_table(verified(stored), "rows").is_normal
    assert not read_table(foreign(ODD, tmp_path), "rows").is_normal
    assert digest(foreign(ODD, tmp_path), tmp_path) == digest(stored, tmp_path) == content_digest(stored)
    with pytest.raises(BadDataError, match="column 't'"):
        digest(foreign(pa.table({"t": FALSE_TEXT}), tmp_path), tmp_path)


def test_metadata_that_were_handed_on_prove_nothing(tmp_path: Path) -> None:
    """pyarrow writes what it read of a file's metadata into whatever is made of its rows."""
    write_table(EVEN, tmp_path / "stored.parquet")
    read = pq.read_table(verified(tmp_path / "stored.parquet"))
    derived = read.set_column(1, "x", ODD.column("x"))
    pq.write_table(derived, tmp_path / "derived.parquet")
    assert pq.read_metadata(tmp_path / "derived.parquet").metadata[MARK] == b"1"
    assert digest(tmp_path / "derived.parquet", tmp_path) == digest(EVEN, tmp_path)


def test_a_stored_file_that_was_written_to_is_known_no_longer(tmp_path: Path) -> None:
    stored = tmp_path / "stored.parquet"
    write_table(EVEN, stored)
    path = verified(stored)
    assert is_stored_table(path)
    pq.write_table(ODD, stored)
    assert not is_stored_table(path)
    assert digest(path, tmp_path) == digest(EVEN, tmp_path)


def test_what_is_made_of_a_known_path_is_a_path_as_any_other(tmp_path: Path) -> None:
    stored = tmp_path / "stored.parquet"
    write_table(EVEN, stored)
    path = verified(stored)
    assert path == stored and hash(path) == hash(stored) and str(path) == str(stored)
    for made in (Path(path), path.parent / path.name, path.with_name("stored.parquet"), path.resolve()):
        assert not is_stored_table(made)


def test_what_is_made_of_a_known_stream_is_looked_at(tmp_path: Path) -> None:
    assert digest(known(ODD).to_reader(), tmp_path) == digest(EVEN, tmp_path)
    assert digest(pa.table(known(ODD)), tmp_path) == digest(EVEN, tmp_path)


def test_parts_of_a_stored_table_are_known_and_those_of_another_file_are_made_normal(tmp_path: Path) -> None:
    write_table(ODD, tmp_path / "stored.parquet")
    seen = []
    for path, known in ((verified(tmp_path / "stored.parquet"), True), (foreign(ODD, tmp_path), False)):
        table = read_table(path, "ibis")
        kept, aside = split_by_reason(table, ibis.cases((table.id == 1, "first")))
        assert (kept.is_normal, aside.is_normal) == (known, known)
        seen.append(told(kept, aside))
    assert seen[0] == seen[1]
    assert seen[0] == [
        [{"id": 2, "x": 0.0, "t": None}, {"id": 3, "x": 1.0, "t": "b"}],
        [{"id": 1, "x": None, "t": "a", "reason": "first"}],
    ]
    assert all(math.copysign(1, row["x"]) > 0 for row in seen[1][0])


def test_segregated_parts_are_normal_whatever_they_were_made_from(tmp_path: Path) -> None:
    write_table(ODD, tmp_path / "stored.parquet")
    for table in (ODD, ODD.to_pandas(), foreign(ODD, tmp_path), verified(tmp_path / "stored.parquet")):
        parts = segregate(table, {"train": None, "test": 0.4}, Rule(method="random")).parts
        rows = [row for part in parts.values() for row in incoming_rows(part)]
        assert sorted(rows, key=lambda row: int(row["id"])) == EVEN.to_pylist()
        assert all(row["x"] is None or math.copysign(1, row["x"]) > 0 for row in rows)


def test_a_known_stream_of_another_schema_is_made_normal_all_the_same() -> None:
    large = pa.table({"a": pa.array(["b"], pa.large_string())})
    schema, batches = normal_rows(known(large))
    assert schema == pa.schema({"a": pa.string()})
    assert [batch.schema for batch in batches] == [schema]


def test_streams_of_a_fork_are_known_only_where_it_says_so() -> None:
    rows = pa.table({"t": FALSE_TEXT})

    def once() -> Any:
        return [{"all": batch} for batch in rows.to_batches()]

    assert incoming_rows(known(pa.table({"t": ["b"]}))) == [{"t": "b"}]
    assert fork({"all": rows.schema}, once, normal=True)["all"].is_normal
    with pytest.raises(BadDataError, match="column 't'"):
        incoming_rows(fork({"all": rows.schema}, once)["all"])


def test_what_lies_beneath_a_null_leaves_no_trace(tmp_path: Path) -> None:
    validity, offsets = pa.py_buffer(b"\x05"), pa.array([0, 1, 4, 5], pa.int32()).buffers()[1]
    hidden = pa.Array.from_buffers(pa.string(), 3, [validity, offsets, pa.py_buffer(b"axyzb")])
    assert hidden.to_pylist() == ["a", None, "b"]
    sliced = pa.concat_arrays([pa.array(["x"]), hidden]).slice(1)
    seen = {
        digest(pa.table({"id": [1, 2, 3], "t": column}), tmp_path)
        for column in (hidden, sliced, pa.array(["a", None, "b"]))
    }
    assert len(seen) == 1
    assert digest(pa.table({"id": [1, 2, 3], "t": ["a", "", "b"]}), tmp_path) not in seen


def test_normal_floats_leaves_other_types_as_they_are() -> None:
    whole = pa.chunked_array([[1, None]])
    assert normal_floats(whole) is whole
    assert normal_floats(pa.chunked_array([[math.nan, 2.0]])).to_pylist() == [None, 2.0]
