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
from relet.data.csv_pieces import MalformedCsvError, csv_pieces_of
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
        return list(csv_pieces_of(path))


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
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1),
    st.integers(1, 64),
)
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
    with pytest.raises(MalformedCsvError):
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


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("ends", ["\r\n\n\n", "\r\r\n\n", "\n\r\r\n", "\r\r\r\r", "\r\n", "\n\r"])
def test_lines_that_end_differently_lose_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, ends: str
) -> None:
    monkeypatch.setattr(csv_pieces, "SIZE", size)
    path = tmp_path / "rows.csv"
    lines = ["n,text", '1,"a\nb"', "2,c", "3,d"]
    kinds = (ends * 2)[:4]
    path.write_bytes("".join(f"{line}{end}" for line, end in zip(lines, kinds, strict=True)).encode())
    assert read_csv(path, SCHEMA).column("n").to_pylist() == [1, 2, 3]


def test_a_quote_that_swallows_the_rest_of_a_large_file_is_found_before_all_of_it_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_pieces, "SIZE", 1000)
    monkeypatch.setattr(csv_pieces, "LARGEST", 5000)
    path = tmp_path / "rows.csv"
    path.write_text('n,text\n1,"open\n' + "2,b\n" * 100_000)
    with pytest.raises(MalformedCsvError):
        list(csv_pieces_of(path))
    with pytest.raises(BadDataError, match=r"line 2: a quoted field is not closed: from here on"):
        read_csv(path, SCHEMA)


def test_a_quote_within_a_field_is_told_with_its_line_and_a_large_field_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('n,text\n1,a\n2,5" x 6" "\n')
    with pytest.raises(BadDataError, match=r"line 3: a quote stands within a field that is not quoted"):
        read_csv(path, SCHEMA)
    path.write_text(f"n,text\n1,{'x' * 200_000}\n2,a,b\n")
    with pytest.raises(BadDataError, match=r"row 2 \(line 3\) has 3 fields"):
        read_csv(path, SCHEMA)
