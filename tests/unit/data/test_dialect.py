"""CSV files of other dialects are guessed, and rewritten as plain ones."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.data.dialect import CsvDialect, csv_records, guess_dialect, unique_header
from relet.data.opening import plain_csv
from relet.data.reading import read_csv
from relet.data.schema import Column, Schema
from relet.errors import BadDataError, SettingError

FIELDS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"), max_size=8)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("a,b\n1,2\n", CsvDialect()),
        ("a;b\n1,5;2\n", CsvDialect(separator=";", decimal=",")),
        ("a;b\n1.5;2\n", CsvDialect(separator=";")),
        ("a;b\n1.234,5;1.000\n", CsvDialect(separator=";", decimal=",", thousands=".")),
        ('a\tb\n1\t"2\t3"\n', CsvDialect(separator="\t")),
        ("a|b\n1|2,3\n", CsvDialect(separator="|", decimal=",")),
        ("Größe\n1\n", CsvDialect()),
    ],
)
def test_the_separator_is_what_divides_the_records_alike(tmp_path: Path, content: str, found: CsvDialect) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(content, encoding="utf-8")
    assert guess_dialect(path) == found


@pytest.mark.parametrize(
    ("encoding", "found"), [("cp1252", "cp1252"), ("utf-16", "utf-16"), ("utf-8-sig", "utf-8")]
)
def test_the_encoding_is_found(tmp_path: Path, encoding: str, found: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("Straße,Ort\nWeg,Köln\n", encoding=encoding)
    assert (guess_dialect(path).encoding or "utf-8") == found
    assert list(csv_records(path, guess_dialect(path))) == [["Straße", "Ort"], ["Weg", "Köln"]]


@pytest.mark.parametrize(("content", "told"), [(b"", "empty"), (b" \n", "empty"), (b"a,b\n\0\1,2\n", "NUL")])
def test_what_is_no_csv_file_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(BadDataError, match=told):
        guess_dialect(path)


def test_a_plain_file_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n")
    assert plain_csv(path, CsvDialect()) == path
    path.write_text("a,a\n1,2\n")
    assert plain_csv(path, CsvDialect()).read_text() == "a,a 2\n1,2\n"


def test_a_parquet_file_stays_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1 and so on")
    assert plain_csv(path, CsvDialect(separator=";")) == path


def test_a_wrong_encoding_is_told_with_the_setting_to_change(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("Größe;b\n1;2\n".encode("cp1252"))
    with pytest.raises(BadDataError, match=r"rows\.csv can't be read as utf-8 .*set encoding"):
        plain_csv(path, CsvDialect(separator=";"))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"separator": ";;"}, "separator is one sign"),
        ({"separator": ""}, "separator is one sign"),
        ({"encoding": "klingon"}, "encoding is the name"),
        ({"decimal": ";"}, "decimal is"),
    ],
)
def test_a_dialect_that_is_none_is_refused(fields: dict[str, str], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        CsvDialect(**fields)


@given(rows=st.lists(st.lists(FIELDS, min_size=2, max_size=2), min_size=1, max_size=6))
def test_the_texts_of_a_file_survive_its_rewriting(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([["a", "b"], ["first", "row"], *rows])
    schema = Schema(columns=(Column("a", "string"), Column("b", "string")))
    found = read_csv(plain_csv(path, CsvDialect(separator=";")), schema).to_pylist()[1:]
    kept = [[field.strip() or None for field in row] for row in rows]
    assert [list(row.values()) for row in found] == [row for row in kept if any(row)]


@given(st.lists(st.sampled_from(["", "a", "a 2", "column 1", "column 2", "b"]), max_size=8))
def test_a_header_names_each_column_once_and_keeps_first_names(names: list[str]) -> None:
    found = unique_header(names)
    assert len(set(found)) == len(found) == len(names)
    assert all(found)
    assert {name for name in names if name} <= set(found)


def test_a_packed_file_is_not_taken_for_a_text(tmp_path: Path) -> None:
    path = tmp_path / "rents.csv"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    with pytest.raises(BadDataError, match="this is a packed file; unpack it first"):
        guess_dialect(path)
