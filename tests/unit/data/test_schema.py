"""Files from outside, good and bad: each fault is named by row, line and column."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.data.reading import read_csv
from relet.data.schema import Column, Schema
from relet.errors import BadDataError

SCHEMA = Schema(
    columns=(
        Column("id", "int64", nullable=False),
        Column("name", "string"),
        Column("price", "double"),
        Column("seen", "date32"),
    ),
    unique=("id",),
)
HEADER = "id,name,price,seen\n"


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "listings.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def fault(folder: Path, content: str | bytes, schema: Schema = SCHEMA) -> str:
    with pytest.raises(BadDataError) as error:
        read_csv(written(folder, content), schema)
    return str(error.value)


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quoted_newlines_commas_and_quotes_are_read_with_or_without_bom_and_with_any_line_ends(
    tmp_path: Path, bom: str, end: str
) -> None:
    lines = [
        "id,name,price,seen",
        '7,"two',
        'lines, and ""quotes""",1.5,2019-07-08',
        "8,plain Zürich,,",
        '9,"",2,',
    ]
    table = read_csv(written(tmp_path, bom + end.join(lines) + end), SCHEMA)
    assert table.schema == pa.schema(
        [("id", "int64"), ("name", "string"), ("price", "double"), ("seen", "date32")]
    )
    assert table.to_pylist() == [
        {"id": 7, "name": f'two{end}lines, and "quotes"', "price": 1.5, "seen": dt.date(2019, 7, 8)},
        {"id": 8, "name": "plain Zürich", "price": None, "seen": None},
        {"id": 9, "name": None, "price": 2.0, "seen": None},
    ]


def test_columns_in_another_order_come_back_in_the_schemas(tmp_path: Path) -> None:
    table = read_csv(written(tmp_path, "seen,price,id,name\n2019-07-08,1,7,x\n"), SCHEMA)
    assert table.column_names == ["id", "name", "price", "seen"]


def test_odd_paths_are_no_patterns(tmp_path: Path) -> None:
    folder = tmp_path / "it's [odd] *"
    folder.mkdir()
    assert read_csv(written(folder, HEADER + "1,x,1,\n"), SCHEMA).num_rows == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
            st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
        ),
        min_size=1,
    )
)
def test_what_was_written_as_csv_is_read_as_it_was(tmp_path: Path, rows: list[tuple[str, float | None]]) -> None:
    def line(number: int, name: str, price: float | None) -> str:
        quoted = name.replace('"', '""')
        return f'{number},"{quoted}",{"" if price is None else repr(price)},\n'

    content = HEADER + "".join(line(number, *row) for number, row in enumerate(rows))
    table = read_csv(written(tmp_path, content), SCHEMA)
    assert table.column("name").to_pylist() == [name or None for name, _ in rows]
    assert table.column("price").to_pylist() == [price for _, price in rows]


def test_an_empty_file_and_a_header_alone_are_told_apart(tmp_path: Path) -> None:
    assert "the file is empty" in fault(tmp_path, "")
    assert "no header" in fault(tmp_path, "\n\n")
    assert "a header and no row below it" in fault(tmp_path, HEADER)
    assert "a header and no row below it" in fault(tmp_path, HEADER.strip())


def test_a_binary_file_is_no_text_and_what_it_is_gets_named(tmp_path: Path) -> None:
    assert "line 3 has a NUL byte" in fault(tmp_path, HEADER.encode() + b"1,x,1,\n2,\0,1,\n")
    assert "a spreadsheet or a document" in fault(tmp_path, b"\xd0\xcf\x11\xe0rest")
    assert "HTML page" in fault(tmp_path, "<!DOCTYPE html><html></html>")


def test_a_broken_letter_across_two_blocks_is_found_where_it_is(tmp_path: Path) -> None:
    start = HEADER.encode() + b"1," + b"x" * (1024**2 - len(HEADER) - 3)
    assert len(start + b"\xe2") == 1024**2
    assert "(byte 0xe2)" in fault(tmp_path, start + b"\xe2A,1,\n")
    assert read_csv(written(tmp_path, start + "€,1,\n".encode()), SCHEMA).num_rows == 1


def test_columns_that_went_and_came_are_told_as_a_diff_with_what_to_say_of_them(tmp_path: Path) -> None:
    assert fault(tmp_path, "id,name,price\n1,x,1\n") == (
        "listings.csv has other columns than expected:\n"
        "  - seen  date32\n"
        'Nothing of it is stored. If that is meant, say what is what: "columns={seen: null}"'
    )
    assert fault(tmp_path, "id,name,prices,seen,beds\n1,x,1,,3\n") == (
        "listings.csv has other columns than expected:\n"
        "  - price   double\n"
        "  + prices  int64\n"
        "  + beds    int64\n"
        'Nothing of it is stored. If that is meant, say what is what: "columns={price: prices, beds: null}"'
    )


def test_a_column_that_is_there_twice_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "id,name,price,seen,id\n1,x,1,,2\n")
    with pytest.raises(BadDataError, match=r"column 'id' is there 2 times; say .* 'id 2', \*: null"):
        read_csv(path, SCHEMA)
    for said, read in (("id", 1), ("id 2", 2)):
        assert read_csv(path, SCHEMA, {"id": said, "*": None}).column("id").to_pylist() == [read]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("x1,n,1,", "column 'id': expected a whole number, got 'x1'"),
        ("1.5,n,1,", "column 'id': expected a whole number, got '1.5'"),
        ("99999999999999999999,n,1,", "column 'id': expected a whole number, got '99999999999999999999'"),
        ("1,n,cheap,", "column 'price': expected a number, got 'cheap'"),
        ("1,n,0x10,", "column 'price': expected a number, got '0x10'"),
        ("0x10,n,1,", "column 'id': expected a whole number, got '0x10'"),
        (",n,1,", "column 'id': a value is missing"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_by_row_line_and_column(tmp_path: Path, row: str, said: str) -> None:
    assert (
        fault(tmp_path, f'{HEADER}7,"two\nlines",1,2019-07-08\n\n{row}\n8,n,1,\n')
        == f"listings.csv: row 2 (line 5), {said}"
    )


def test_the_first_of_many_wrong_values_is_named(tmp_path: Path) -> None:
    rows = "".join(f"{row},n,{'x' if row in (6007, 9000) else 1},\n" for row in range(1, 10_001))
    assert "row 6007 (line 6008), column 'price'" in fault(tmp_path, HEADER + rows)


def test_blanks_around_a_number_are_no_fault(tmp_path: Path) -> None:
    assert read_csv(written(tmp_path, HEADER + " 1 ,n, 2.5,\n"), SCHEMA).column("price").to_pylist() == [2.5]
    assert "row 2 (line 3), column 'id'" in fault(tmp_path, HEADER + " 1 ,n,1,\nx,n,1,\n")


def test_an_id_that_is_there_twice_is_named_with_its_rows(tmp_path: Path) -> None:
    said = fault(tmp_path, HEADER + "7,a,1,\n8,b,1,\n7,c,1,\n9,d,1,\n7,e,1,\n8,f,1,\n")
    assert (
        "row 3 (line 4), column 'id': 7 is there 3 times, in rows 1, 3, 5 (2 values are there more than once)"
        in said
    )


@pytest.mark.parametrize(("row", "count"), [("2,n,1", 3), ("2,n,1,,", 5), ("2,a, b,1,", 5)])
def test_a_row_with_too_few_or_too_many_fields_is_named(tmp_path: Path, row: str, count: int) -> None:
    said = fault(tmp_path, f"{HEADER}1,n,1,\n{row}\n3,n,1,\n")
    assert f"row 2 (line 3) has {count} fields, the header has 4" in said


@pytest.mark.parametrize(
    "bad", ['2,"open,1,\n3,n,1,\n', '2,"open\n3,"n",1,\n4,n,1,\n', '2,"a "fine" flat",1,\n', '2,n,1,"\n']
)
def test_a_quote_that_is_not_closed_never_swallows_rows(tmp_path: Path, bad: str) -> None:
    said = fault(tmp_path, f'{HEADER}1,"two\nlines",1,\n{bad}')
    assert re.search(r"row 2 \(line 4\).*quote", said)


def test_a_parquet_file_is_held_to_the_same_schema(tmp_path: Path) -> None:
    path = tmp_path / "listings.csv"  # by its content, not its name
    good = {
        "id": pa.array([1, 2], "int32"),
        "name": ["a", None],
        "price": [1, 2],
        "seen": pa.array([None, None], "date32"),
    }

    def wrong(**columns: object) -> str:
        pq.write_table(pa.table({**good, **columns}), path)
        with pytest.raises(BadDataError) as error:
            read_csv(path, SCHEMA)
        return str(error.value)

    pq.write_table(pa.table(good), path)
    assert read_csv(path, SCHEMA).schema.types == [pa.int64(), pa.string(), pa.float64(), pa.date32()]
    assert wrong(id=[7, 7]) == "listings.csv: row 2, column 'id': 7 is there 2 times, in rows 1, 2"
    assert "row 2, column 'id': a value is missing" in wrong(id=[1, None])
    assert "row 2, column 'price': expected a number, got 'x'" in wrong(price=["1", "x"])
    assert "~ id  int64 → double\n" in wrong(id=[1.5, 2.0])
    assert "+ beds  int64\n" in wrong(beds=[1, 2])
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(BadDataError, match="can't be read as Parquet"):
        read_csv(path, SCHEMA)


def test_a_schema_can_not_demand_uniqueness_of_a_column_it_has_not() -> None:
    with pytest.raises(BadDataError, match="did you mean id"):
        Schema(columns=(Column("id", "int64"),), unique=("idd",))
