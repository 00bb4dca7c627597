"""Files of another layout: what differs is told as a diff, and what a person says of the columns is held to."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.data.layout import read_layout
from relet.data.matching import find_names, names_fault
from relet.data.reading import read_csv, stream_csv
from relet.data.schema import Column, Schema
from relet.errors import BadDataError, SettingError

SCHEMA = Schema(
    columns=(
        Column("id", "int64", nullable=False),
        Column("borough", "string", values=("Bronx", "Queens")),
        Column("price", "int64"),
        Column("seen", "date32"),
        Column("at", "timestamp[us]"),
    ),
    unique=("id",),
)
ANOTHER = (
    'listing_id,area,price,seen,licence\n7,Bronx,"$1,200",07/08/2019,x\n8,The Bronx,$90,,y\n9,,,12/31/2018,\n'
)
SAID = {
    "id": "listing_id",
    "borough": {"from": "area", "values": {"The Bronx": "Bronx"}},
    "price": {"remove": "$,"},
    "seen": {"format": "%m/%d/%Y"},
    "at": None,
    "licence": None,
}


def written(folder: Path, content: str) -> Path:
    path = folder / "batch.csv"
    path.write_text(content)
    return path


def test_a_file_of_another_layout_is_read_as_what_a_person_says_of_it(tmp_path: Path) -> None:
    table = read_csv(written(tmp_path, ANOTHER), SCHEMA, SAID)
    assert table.schema == SCHEMA.arrow()
    assert table.to_pylist() == [
        {"id": 7, "borough": "Bronx", "price": 1200, "seen": dt.date(2019, 7, 8), "at": None},
        {"id": 8, "borough": "Bronx", "price": 90, "seen": None, "at": None},
        {"id": 9, "borough": None, "price": None, "seen": dt.date(2018, 12, 31), "at": None},
    ]


def test_a_parquet_file_of_another_layout_is_read_the_same(tmp_path: Path) -> None:
    read_csv(written(tmp_path, ANOTHER), SCHEMA, SAID)
    rows = {
        "listing_id": [7, 8],
        "area": pa.array(["Bronx", "The Bronx"]).dictionary_encode(),
        "price": ["$1,200", None],
        "seen": ["07/08/2019", None],
        "licence": [1, 2],
    }
    pq.write_table(pa.table(rows), tmp_path / "batch.csv")
    table = read_csv(tmp_path / "batch.csv", SCHEMA, SAID)
    assert table.column("borough").to_pylist() == ["Bronx", "Bronx"]
    assert table.column("price").to_pylist() == [1200, None]
    assert table.column("seen").to_pylist() == [dt.date(2019, 7, 8), None]


def test_what_nobody_spoke_of_is_refused_as_a_diff_before_a_row_is_read(tmp_path: Path) -> None:
    with pytest.raises(BadDataError) as error:
        stream_csv(written(tmp_path, ANOTHER), SCHEMA, setting="etl.columns")
    assert str(error.value) == (
        "batch.csv has other columns than expected:\n"
        "  - id          int64\n"
        "  - borough     string\n"
        "  - at          timestamp[us]\n"
        "  + listing_id  int64\n"
        "  + area        string\n"
        "  + licence     string\n"
        "  ~ area  new value 'The Bronx', first in row 2 (line 3), is read as Bronx\n"
        "  ~ price  '$1,200' in row 1 (line 2) is read as 1200\n"
        "  ~ seen  '07/08/2019' in row 1 (line 2) is read as 2019-07-08\n"
        "Nothing of it is stored. If that is meant, say what is what: "
        '\'etl.columns={id: listing_id, borough: {from: area, values: [["The Bronx", Bronx]]}, at: null, '
        'licence: null, price: {remove: "$", number: {thousands: ","}}, seen: {format: "%m/%d/%Y"}}\''
    )


def test_a_column_most_of_whose_values_are_of_another_type_is_told_as_retyped(tmp_path: Path) -> None:
    rows = "".join(f"{number},Bronx,${number},2019-07-08,\n" for number in range(1, 31))
    with pytest.raises(BadDataError) as error:
        read_csv(written(tmp_path, f"id,borough,price,seen,at\n{rows}"), SCHEMA)
    assert "~ price  '$1' in row 1 (line 2) is read as 1\n" in str(error.value)
    assert "'columns={price: {remove: \"$\"}}'" in str(error.value)


def test_one_wrong_value_among_many_is_no_change_of_type(tmp_path: Path) -> None:
    rows = "".join(f"{number},Bronx,{'x' if number == 25 else 9},,\n" for number in range(1, 31))
    with pytest.raises(
        BadDataError, match=r"row 25 \(line 26\), column 'price': expected a whole number, got 'x'"
    ):
        read_csv(written(tmp_path, f"id,borough,price,seen,at\n{rows}"), SCHEMA)


def test_a_value_that_a_column_may_not_have_is_named_with_its_place_and_can_be_mapped(tmp_path: Path) -> None:
    path = written(tmp_path, "id,borough,price,seen,at\n1,Bronx,,,\n2,Jersey City,,,\n3,,,,\n")
    with pytest.raises(BadDataError) as error:
        read_csv(path, SCHEMA)
    assert "~ borough  new value 'Jersey City', first in row 2 (line 3), is read as missing\n" in str(error.value)
    assert "columns={borough: {missing: ['Jersey City']}}" in str(error.value)
    mapped = read_csv(path, SCHEMA, {"borough": {"values": {"Jersey City": None}}})
    assert mapped.column("borough").to_pylist() == ["Bronx", None, None]


def test_a_date_of_another_form_than_the_one_that_was_said_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "id,borough,price,seen,at\n1,Bronx,,07/08/2019,\n2,Bronx,,2019-07-08,\n")
    said = {"seen": {"format": "%m/%d/%Y"}}
    with pytest.raises(BadDataError, match=r"row 2 .*'seen': expected a date like %m/%d/%Y, got '2019-07-08'"):
        read_csv(path, SCHEMA, said)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"idd": "listing_id"}, r"columns\.idd is no column of ours \(did you mean id\?\)"),
        ({"id": None}, r"columns\.id can't be null"),
        ({"id": 7}, r"columns\.id takes the file's name of the column, null, or a mapping; got 7"),
        ({"id": {"form": "listing_id"}}, r"columns\.id has no 'form': did you mean format\?"),
        ({"price": {"format": "%m"}}, r"columns\.price\.format is for dates and times; price holds int64"),
        ({"price": {"values": {"a": "b"}}}, r"columns\.price\.values is for text; price holds int64"),
        ({"borough": {"values": ["a"]}}, r"columns\.borough\.values takes a mapping"),
        ({"seen": {"format": 5}}, r"columns\.seen\.format takes text, got 5"),
        ({"seen": {"format": "%Y %z"}}, r"columns\.seen\.format has a time zone"),
        ({"price": {"remove": ["$"]}}, r"columns\.price\.remove takes text"),
        ({"borough": {"remove": "$"}}, r"columns\.borough\.remove is for numbers"),
        ({"price": "id"}, r"the file's 'id' would be both id and price"),
    ],
)
def test_what_says_nothing_of_the_columns_is_refused_with_what_is_right(
    said: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        read_layout(SCHEMA, said)


names = st.sampled_from(["id", "borough", "price", "seen", "at", "listing_id", "area", "beds"])


@settings(max_examples=200, deadline=None)
@given(st.sets(names))
def test_saying_all_that_differs_leaves_no_difference(header: set[str]) -> None:
    found = find_names(read_layout(SCHEMA), sorted(header), lambda name, column: 0.0)
    assert set(found.removed) == set(SCHEMA.names) - header
    assert set(found.added) == header - set(SCHEMA.names)
    assert bool(names_fault("rents.csv", read_layout(SCHEMA), sorted(header))) == bool(
        found.removed or found.added
    )
    if "id" in header:
        assert names_fault("rents.csv", read_layout(SCHEMA, found.told), sorted(header)) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("07/08/2019", dt.date(2019, 7, 8)),
        ("7/8/2019", dt.date(2019, 7, 8)),
        ("02/31/2019", None),
        ("07/08/19", None),
    ],
)
def test_a_date_that_the_calendar_or_its_form_does_not_have_is_none(
    tmp_path: Path, text: str, day: dt.date | None
) -> None:
    path = written(tmp_path, f"id,borough,price,seen,at\n1,Bronx,,{text},\n")
    said = {"seen": {"format": "%m/%d/%Y"}}
    if day:
        assert read_csv(path, SCHEMA, said).column("seen").to_pylist() == [day]
        return
    with pytest.raises(BadDataError, match=rf"column 'seen': expected a date like %m/%d/%Y, got '{text}'"):
        read_csv(path, SCHEMA, said)


def test_whole_amounts_of_money_are_whole_numbers_and_others_are_not(tmp_path: Path) -> None:
    path = written(tmp_path, 'id,borough,price,seen,at\n1,Bronx,"$1,055.00",,\n2,Bronx,$5.00,,\n')
    assert read_csv(path, SCHEMA, {"price": {"remove": "$,"}}).column("price").to_pylist() == [1055, 5]
    path = written(tmp_path, "id,borough,price,seen,at\n1,Bronx,$5.50,,\n")
    with pytest.raises(BadDataError, match=r"'price': expected a whole number, got '\$5\.50'"):
        read_csv(path, SCHEMA, {"price": {"remove": "$,"}})


def test_the_advice_keeps_what_was_said_and_takes_our_own_names_back(tmp_path: Path) -> None:
    path = written(tmp_path, "listing_id,borough,price,seen,at,beds\n1,Bronx,1,,,2\n")
    with pytest.raises(BadDataError, match=r'"\+columns=\{id: listing_id, price: price, beds: null\}"'):
        read_csv(path, SCHEMA, {"id": "listing_id", "price": "nightly"})


def test_a_column_without_a_name_is_told_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"\+ column 1  int64  \(it has no name; pandas writes its index so"):
        read_csv(written(tmp_path, ",id,borough,price,seen,at\n0,1,Bronx,1,,\n"), SCHEMA)


def test_an_infinite_number_is_a_fault(tmp_path: Path) -> None:
    schema = Schema(columns=(Column("id", "int64"), Column("rent", "double")))
    with pytest.raises(BadDataError, match=r"row 2 \(line 3\), column 'rent': the number is infinite"):
        read_csv(written(tmp_path, "id,rent\n1,2\n2,inf\n"), schema)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (pa.array([20190101], "int32"), "seen"),
        (pa.array([1546300800], "int64"), "at"),
        (pa.array([dt.datetime(2019, 1, 1, 23, 30)], "timestamp[us]"), "seen"),
        (pa.array([dt.datetime(2019, 1, 1)], "timestamp[us]"), "price"),
        (pa.array([True]), "price"),
    ],
)
def test_a_parquet_column_of_another_kind_is_not_taken_for_ours(
    tmp_path: Path, values: pa.Array, name: str
) -> None:
    columns = {column.name: pa.nulls(1, pa.type_for_alias(column.type)) for column in SCHEMA.columns}
    pq.write_table(pa.table({**columns, "id": [1], name: values}), tmp_path / "batch.csv")
    with pytest.raises(BadDataError, match=f"~ {name} "):
        read_csv(tmp_path / "batch.csv", SCHEMA)
