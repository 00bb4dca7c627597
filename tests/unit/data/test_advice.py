"""Advice is followed before it is given: whoever follows it, reads the file; or there is none, and why is said."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.data.dialect import CsvDialect
from relet.data.reading import read_csv
from relet.data.schema import Column, Schema
from relet.errors import BadDataError

SCHEMA = Schema(
    columns=(
        Column("id", "int64", nullable=False),
        Column("borough", "string", values=("Bronx", "Queens"), elsewhere=("city", "elsewhere")),
        Column("price", "double", needed=True),
        Column("seen", "date32"),
    ),
    unique=("id",),
)
ROWS = [["1", "Bronx", "9.5", "2019-07-08"], ["2", "Queens", "", ""], ["3", "Bronx", "7", "2019-07-09"]]


def written(folder: Path, header: list[str], rows: list[list[str]] = ROWS) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows(rows)
    path = folder / "rents.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def refused(path: Path, columns: dict[str, Any] | None = None, schema: Schema = SCHEMA) -> BadDataError:
    with pytest.raises(BadDataError) as error:
        read_csv(path, schema, columns, setting="etl.columns")
    return error.value


ODD = [
    "Price (USD)",
    " beds",
    "größe",
    "true",
    "null",
    "Unnamed: 0",
    "a'b\"",
    "#",
    "a=b",
    "*",
    "7",
    "",
    "x, y",
    "${a}",
]
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10) | st.sampled_from(
    ODD
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(NAMES | st.sampled_from(SCHEMA.names), min_size=4, max_size=7),
    st.permutations(range(4)),
)
def test_whatever_the_header_is_the_advice_works_or_there_is_none(
    tmp_path: Path, header: list[str], order: list[int]
) -> None:
    rows = [[*(row[place] for place in order), *["x"] * (len(header) - 4)] for row in ROWS]
    path = written(tmp_path, header, rows)
    columns: dict[str, Any] = {}
    try:
        found = read_csv(path, SCHEMA, setting="etl.columns")
    except BadDataError as error:
        if not error.settings:
            assert "etl.columns" in str(error) or "header" in str(error) or "refused" in str(error), str(error)
            return
        if "city" in error.settings:
            return
        columns = dict(error.settings["etl.columns"])
        assert "Nothing of it is stored. If that is meant" in str(error)
        found = read_csv(path, SCHEMA, columns)
    assert found.num_rows == 3
    assert found.column("id").to_pylist() == [1, 2, 3]
    assert columns.get("price", "price") is not None


def test_the_likely_column_is_found_by_its_name_and_by_its_values(tmp_path: Path) -> None:
    path = written(tmp_path, ["listingId", "Stadtteil", "Price (USD)", "last_seen"])
    assert refused(path).settings["etl.columns"] == {
        "id": "listingId",
        "borough": "Stadtteil",
        "price": "Price (USD)",
        "seen": "last_seen",
    }


def test_of_two_likely_columns_only_a_person_knows_the_right_one(tmp_path: Path) -> None:
    rows = [[*row[:2], row[2], row[2], row[3]] for row in ROWS]
    error = refused(written(tmp_path, ["id", "borough", "low_price", "high_price", "seen"], rows))
    assert not error.settings
    assert "Which of the file's columns price is, only you know: it may be low_price or high_price" in str(error)
    assert "set etl.columns.price to its name" in str(error)


@pytest.mark.parametrize(("missing", "needs"), [("id", ", and each row needs its own"), ("price", "")])
def test_a_column_that_is_needed_is_never_advised_away(tmp_path: Path, missing: str, needs: str) -> None:
    place = SCHEMA.names.index(missing)
    header = [name for name in SCHEMA.names if name != missing]
    error = refused(written(tmp_path, header, [row[:place] + row[place + 1 :] for row in ROWS]))
    assert not error.settings
    assert f"Which of the file's columns {missing} is, only you know{needs}; set etl.columns.{missing}" in str(
        error
    )


def test_a_column_whose_values_do_not_fit_is_not_offered(tmp_path: Path) -> None:
    rows = [[*row[:2], "cheap", row[3]] for row in ROWS]
    assert not refused(written(tmp_path, ["id", "borough", "price_words", "seen"], rows)).settings


def test_what_was_said_is_kept_and_all_that_differs_is_told_at_once(tmp_path: Path) -> None:
    rows = [
        ["1", "queens", "$9.50", "31/12/2019"],
        ["2", "Staten Island", "NULL", "never"],
        ["3", "Bronx", "$1,007.00", ""],
    ]
    path = written(tmp_path, ["listing", "borough", "price", "seen"], rows)
    error = refused(path, {"id": "listing"})
    assert error.settings["etl.columns"] == {
        "id": "listing",
        "borough": {"values": [["queens", "Queens"]], "missing": ["Staten Island"]},
        "price": {"remove": "$", "number": {"thousands": ","}, "missing": ["NULL"]},
        "seen": {"format": "%d/%m/%Y", "missing": ["never"]},
    }
    found = read_csv(path, SCHEMA, error.settings["etl.columns"])
    assert found.column("price").to_pylist() == [9.5, None, 1007.0]
    assert found.column("borough").to_pylist() == ["Queens", None, "Bronx"]


def test_a_file_of_elsewhere_is_told_by_all_of_its_values(tmp_path: Path) -> None:
    rows = [["1", "Kreis 1", "9", ""], ["2", "Kreis 2", "8", ""], ["3", "Kreis 2", "8", ""]]
    error = refused(written(tmp_path, list(SCHEMA.names), rows))
    assert error.settings == {"city": "elsewhere"}
    assert "new values 'Kreis 1', 'Kreis 2', first in row 1 (line 2); none of those expected is there" in str(
        error
    )
    rows[0][1] = "Bronx"
    error = refused(written(tmp_path, list(SCHEMA.names), rows))
    assert error.settings == {"etl.columns": {"borough": {"missing": ["Kreis 2"]}}}


def test_advice_that_would_fail_is_not_given(tmp_path: Path) -> None:
    rows = [["1", "Bronx", "$9", ""], ["1", "Bronx", "$8", ""]]
    error = refused(written(tmp_path, list(SCHEMA.names), rows))
    assert not error.settings
    assert "It would be refused all the same: rents.csv: row 2 (line 3), column 'id': 1 is there 2 times" in str(
        error
    )


def test_the_encoding_and_the_columns_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "rents.csv"
    path.write_bytes("id;borough;price;gesehen am;größe\n1;Bronx;9,5;31.12.2019;x\n".encode("cp1252"))
    settings = refused(path, schema=Schema(columns=(*SCHEMA.columns[:3], Column("gesehen", "date32")))).settings
    assert settings == {
        "etl.dialect.encoding": "cp1252",
        "etl.columns": {
            "gesehen": {"from": "gesehen am", "format": "%d.%m.%Y"},
            "*": None,
            "price": {"number": {"decimal": ","}},
        },
    }
    schema = Schema(columns=(*SCHEMA.columns[:3], Column("gesehen", "date32")))
    assert read_csv(path, schema, settings["etl.columns"], CsvDialect(encoding="cp1252")).num_rows == 1


@pytest.mark.long
def test_a_difference_of_many_columns_is_told_in_few_lines(tmp_path: Path) -> None:
    header = [*SCHEMA.names, *(f"column of {number}" for number in range(10_000))]
    path = written(tmp_path, header, [[*row, *["1"] * 10_000] for row in ROWS])
    began = time.monotonic()
    error = refused(path)
    assert len(str(error)) < 3000
    assert "… and 9,980 other differences" in str(error)
    assert error.settings == {"etl.columns": {"*": None}}
    assert time.monotonic() - began < 30


def test_a_name_of_two_megabytes_and_controls_in_names_are_told_in_a_line(tmp_path: Path) -> None:
    error = refused(
        written(tmp_path, [*SCHEMA.names, "x" * 2_000_000, "a\x1b[2J\n"], [[*row, "", ""] for row in ROWS])
    )
    assert len(str(error)) < 1000
    assert "\x1b" not in str(error)
    assert error.settings == {"etl.columns": {"*": None}}


def test_a_line_without_an_end_is_told_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relet.data.csv_pieces.LARGEST", 8 * 1024**2)
    path = tmp_path / "rents.csv"
    path.write_bytes(b"id,borough,price,seen\n1,Bronx,1,\n2," + b"x" * 20 * 1024**2)
    assert "MB belong to one row" in str(refused(path))
    path.write_bytes(b'id,borough,price,seen\n1,Bronx,1,\n2,"' + b"x,\n" * 7 * 1024**2)
    assert "a quoted field is not closed" in str(refused(path))


def test_the_form_of_a_column_that_was_said_is_kept_where_its_name_is_another(tmp_path: Path) -> None:
    rows = [["1", "Bronx", "1.000", ""], ["2", "Bronx", "2.500", ""]]
    path = written(tmp_path, ["id", "borough", "Price", "seen"], rows)
    form = {"number": {"decimal": ",", "thousands": "."}}
    error = refused(path, {"price": {"from": "Preis", **form}})
    assert error.settings == {"etl.columns": {"price": {"from": "Price", **form}}}
    assert read_csv(path, SCHEMA, error.settings["etl.columns"]).column("price").to_pylist() == [1000.0, 2500.0]


def test_values_with_spaces_around_them_are_mapped(tmp_path: Path) -> None:
    rows = [["1", " Bronx", "1", ""], ["2", "Queens ", "2", ""], ["3", " NA", "2", ""]]
    path = written(tmp_path, list(SCHEMA.names), rows)
    error = refused(path)
    assert error.settings == {
        "etl.columns": {"borough": {"values": [[" Bronx", "Bronx"], ["Queens ", "Queens"]], "missing": ["NA"]}}
    }
    found = read_csv(path, SCHEMA, error.settings["etl.columns"])
    assert found.column("borough").to_pylist() == ["Bronx", "Queens", None]


def test_values_that_differ_in_a_sign_are_not_taken_for_each_other(tmp_path: Path) -> None:
    grades = Schema(columns=(Column("id", "int64"), Column("grade", "string", values=("A", "A+", "A-"))))
    path = written(tmp_path, ["id", "grade"], [["1", "A"], ["2", "a+"], ["3", "A *"]])
    assert refused(path, schema=grades).settings == {
        "etl.columns": {"grade": {"values": [["a+", "A+"]], "missing": ["A *"]}}
    }


@pytest.mark.long
def test_of_ten_thousand_columns_that_a_column_may_be_a_few_are_named(tmp_path: Path) -> None:
    header = [f"id price of {number}" for number in range(10_000)]
    began = time.monotonic()
    error = refused(written(tmp_path, header, [["1"] * 10_000]))
    assert "it may be id price of 0 or id price of 1" in str(error)
    assert "or one of 9,995 others" in str(error)
    assert len(str(error)) < 3000
    assert time.monotonic() - began < 30


@pytest.mark.long
def test_ten_thousand_columns_of_one_name_are_told_at_once(tmp_path: Path) -> None:
    header = [*SCHEMA.names, *["a"] * 10_000]
    began = time.monotonic()
    error = refused(written(tmp_path, header, [[*row, *["1"] * 10_000] for row in ROWS]))
    assert error.settings == {"etl.columns": {"*": None}}
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("content", ["{line}\n1,2\n", "id,x\n{line},2\n"])
def test_a_line_that_would_take_much_memory_is_told_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setattr("relet.data.csv_faults.LONGEST_LINE", 1024**2)
    path = tmp_path / "rents.csv"
    path.write_text(content.format(line="x" * 2 * 1024**2))
    if content.startswith("{"):
        assert "line 1: more than 1 MB are in one line" in str(refused(path))
    else:
        assert refused(path)


def test_a_question_about_a_column_beside_one_that_a_command_cannot_name_can_be_typed(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("x;größe\n1,000;3\n")
    with pytest.raises(BadDataError, match=r"Say \"etl.columns.x=\{number: ") as error:
        read_csv(path, Schema(columns=(Column("x", "double"),)), {"größe": None}, setting="etl.columns")
    assert not error.value.settings


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_text_of_any_kind_in_a_parquet_file_is_explained(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "rents.parquet"
    texts = {"borough": ["Bronx", "queens"], "price": ["$1,200.50", "$7.25"], "seen": ["31.12.2019", "1.2.2020"]}
    columns = {name: pa.array(values).cast(kind) for name, values in texts.items()}
    pq.write_table(pa.table({"id": [1, 2], **columns}), path)
    said = refused(path).settings["etl.columns"]
    assert said["price"] == {"remove": "$", "number": {"thousands": ","}}
    found = read_csv(path, SCHEMA, said)
    assert found.column("price").to_pylist() == [1200.5, 7.25]
    assert found.column("borough").to_pylist() == ["Bronx", "Queens"]
    columns["price"] = pa.array(["7", "cheap"]).cast(kind)
    pq.write_table(pa.table({"id": [1, 2], **columns}), path)
    with pytest.raises(BadDataError, match="row 2, column 'price': expected a number, got 'cheap'"):
        read_csv(path, SCHEMA, {**said, "price": "price"})


def test_a_header_with_a_name_too_few_says_which_one_it_lacks(tmp_path: Path) -> None:
    error = refused(written(tmp_path, ["id", "borough", "seen"]))
    assert "row 1 (line 2) has 4 fields, the header has 3" in str(error)
    assert str(error).endswith("; its header lacks 'price'")
