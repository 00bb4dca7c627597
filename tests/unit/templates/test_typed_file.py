"""What is found out of a CSV file that nobody described."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relet.errors import BadDataError
from relet.templates.typed_file import our_names, read_typed

CASES: list[tuple[list[str], str, list[Any], Any]] = [
    (["1", "-2", ""], "int64", [1, -2, None], None),
    (["1", "2.5", "1e3"], "double", [1.0, 2.5, 1000.0], None),
    (["1", "NA", "n/a"], "int64", [1, None, None], None),
    (["01234", "99999"], "string", ["01234", "99999"], None),
    (["123456789012345678901", "1"], "double", [123456789012345678901.0, 1.0], None),
    (["true", "False", ""], "bool", [True, False, None], None),
    (["2020-01-31", "2021-12-01"], "date32", [date(2020, 1, 31), date(2021, 12, 1)], None),
    (["31.01.2020", "1.2.2021"], "date32", [date(2020, 1, 31), date(2021, 2, 1)], {"format": "%d.%m.%Y"}),
    (["01/31/2020", "12/01/2021"], "date32", [date(2020, 1, 31), date(2021, 12, 1)], {"format": "%m/%d/%Y"}),
    (["2020-01-31 10:30:00", "2020-01-31T11:00:00"], "timestamp[us]", [datetime(2020, 1, 31, 10, 30)], None),
    (["01/31/2020 10:30", "?"], "timestamp[us]", [datetime(2020, 1, 31, 10, 30)], {"format": "%m/%d/%Y %H:%M"}),
    (["$1,200.50", "$7"], "double", [1200.5, 7.0], {"remove": "$,"}),
    (["12%", "7 %"], "int64", [12, 7], {"remove": "% "}),
    (["a", "NA", "-"], "string", ["a", None, "-"], None),
    (["", ""], "string", [None, None], None),
]


@pytest.mark.parametrize(("fields", "type", "values", "form"), CASES, ids=[" ".join(case[0]) for case in CASES])
def test_a_column_has_the_narrowest_type_that_fits(
    tmp_path: Path, fields: list[str], type: str, values: list[Any], form: Any
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("n,c\n" + "".join(f'{n},"{field}"\n' for n, field in enumerate(fields)))
    found = read_typed(path)
    column = found.column("c")
    assert column.type == type
    assert found.rows.column("c").to_pylist()[: len(values)] == values
    assert column.layout == (None if form is None else {"from": "c", **form})


def test_the_words_for_what_is_missing_belong_to_the_dialect(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,x\n?,NA\n")
    assert read_typed(path).dialect.missing == ("NA", "?")


def test_a_fault_is_told_by_its_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n1,2\n1,2,3\n1,2\n")
    with pytest.raises(BadDataError, match=r"row 3 \(line 4\) has 3 fields"):
        read_typed(path)


def test_a_parquet_file_is_no_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"PAR1...")
    with pytest.raises(BadDataError, match="is a Parquet file"):
        read_typed(path)


@given(st.lists(st.text(max_size=70), max_size=12))
@example(["\U0001d400"])
def test_each_column_has_a_name_that_code_can_use(header: list[str]) -> None:
    names = our_names(header)
    assert len({name.lower() for name in names}) == len(header)
    assert all(name.isidentifier() or name[:1].isalnum() for name in names)
    assert all(len(name) <= 60 and name == name.lower() and name != "reason" for name in names)


def test_points_between_thousands_are_no_decimal_points_in_a_file_of_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "rents.csv"
    path.write_text("Nr;Miete\n1;1.234,50\n2;1.000\n3;950,00\n")
    assert read_typed(path).rows.column("miete").to_pylist() == [1234.5, 1000.0, 950.0]


def test_a_number_in_a_text_stays_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id;note;rent\n1;3,5;1.234,5\n2;x;0,5\n3;12.345.678;7\n")
    found = read_typed(path)
    assert found.rows.to_pydict() == {
        "id": [1, 2, 3],
        "note": ["3,5", "x", "12.345.678"],
        "rent": [1234.5, 0.5, 7.0],
    }
