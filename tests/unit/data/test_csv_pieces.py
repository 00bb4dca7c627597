"""A CSV file in pieces: whole records, in order, whatever their size; and no quote that would swallow rows."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.data import csv_pieces
from relet.data.csv_pieces import MalformedError, pieces
from relet.data.reading import read_csv
from relet.data.schema import Column, Schema
from relet.errors import BadDataError

SCHEMA = Schema(columns=(Column("n", "int64"), Column("text", "string")))
fields = st.text(st.sampled_from('ab,"\n\r é€'), max_size=6)


def in_pieces(content: bytes, size: int) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_pieces, "SIZE", size)
        path = Path(folder) / "rows.csv"
        path.write_bytes(content)
        return list(pieces(path))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(fields, fields), min_size=1, max_size=12),
    st.integers(1, 40),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_pieces_are_whole_records_and_together_the_file(
    rows: list[tuple[str, str]], size: int, end: str, quoted: bool
) -> None:
    text = io.StringIO()
    # Python quotes what could end a line only as far as its own line ends have it
    quoting = csv.QUOTE_ALL if quoted or end == "\n" else csv.QUOTE_MINIMAL
    writer = csv.writer(text, lineterminator=end, quoting=quoting)
    writer.writerows([("first", "second\nline"), *rows])
    found = in_pieces(text.getvalue().encode(), size)
    read = [row for piece in found for row in csv.reader(io.StringIO(piece.decode(), newline=""))]
    assert [tuple(row) for row in read] == rows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1), st.integers(1, 64))
def test_how_a_file_is_cut_leaves_no_trace(texts: list[str], size: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "rows.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("n", "text"), *enumerate(texts)])
        whole = read_csv(path, SCHEMA)
        patch.setattr(csv_pieces, "SIZE", size)
        assert read_csv(path, SCHEMA).equals(whole)
    assert whole.column("text").to_pylist() == [text or None for text in texts]


@pytest.mark.parametrize(
    "record", ['1,"open', '1,a "fine" flat', '1,"a"b', '1,a"b', '1, "a"', '1,""a"', '1,"a" ,', '1,"""']
)
@pytest.mark.parametrize("size", [4, 1000])
def test_a_quote_that_neither_opens_nor_closes_a_field_is_malformed(record: str, size: int) -> None:
    with pytest.raises(MalformedError):
        in_pieces(f"n,text\n0,b\n{record}\n2,c\n".encode(), size)


@pytest.mark.parametrize("record", ['1,""', '1,"a""b"', '"1",""""', '1,"""a"""', '"a\n""\nb",2', "1,a'b"])
def test_a_quote_in_its_place_is_none(record: str) -> None:
    assert b"".join(in_pieces(f"n,text\n0,b\n{record}".encode(), 5)) == f"0,b\n{record}".encode()


def test_a_fault_in_a_later_piece_is_named_by_its_place_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_pieces, "SIZE", 64)
    path = tmp_path / "rows.csv"
    lines = ["n,text", *(f'{number},"two\nlines"' for number in range(200))]
    for wrong, said in [
        ("x,a", r"row 151 \(line 302\), column 'n': expected a whole number, got 'x'"),
        ("1,a,b", r"row 151 \(line 302\) has 3 fields, the header has 2"),
        ('1,"a"b', r"row 151 \(line 302\): a quoted field"),
        ("1,\0", r"line 302 has a NUL byte"),
    ]:
        path.write_text("\n".join([*lines[:151], wrong, *lines[151:]]))
        with pytest.raises(BadDataError, match=said):
            read_csv(path, SCHEMA)
