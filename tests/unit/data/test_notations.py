"""Numbers, dates and missing values as people write them: what decides is decided, what is ambiguous is asked."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from relet.data.dates import FORMATS
from relet.data.notations import NOTATIONS, NumberNotation, find_notation
from relet.data.reading import read_csv
from relet.data.schema import Column, ColumnType, Schema
from relet.errors import BadDataError


def schema(type: ColumnType) -> Schema:
    return Schema(columns=(Column("id", "int64", nullable=False), Column("x", type)))


def written(folder: Path, texts: list[str]) -> Path:
    path = folder / "rows.csv"
    path.write_text("id,x\n" + "".join(f'{number},"{text}"\n' for number, text in enumerate(texts)))
    return path


def refused(folder: Path, type: ColumnType, texts: list[str]) -> BadDataError:
    with pytest.raises(BadDataError) as error:
        read_csv(written(folder, texts), schema(type))
    return error.value


def followed(folder: Path, type: ColumnType, texts: list[str]) -> list[Any]:
    """What is read when the one piece of advice is followed, if there is one."""
    try:
        found = read_csv(written(folder, texts), schema(type))
    except BadDataError as error:
        assert error.settings, str(error)
        found = read_csv(written(folder, texts), schema(type), error.settings["columns"])
    return found.column("x").to_pylist()


@pytest.mark.parametrize(
    ("type", "texts", "values"),
    [
        ("double", ["0,52", "1,5"], [0.52, 1.5]),
        ("double", ["1.234,50", "7"], [1234.5, 7.0]),
        ("double", ["1,234.50", "7.25"], [1234.5, 7.25]),
        ("double", ["1 234,5", "2 000"], [1234.5, 2000.0]),
        ("double", ["1\u202f234,5", "0,1"], [1234.5, 0.1]),
        ("double", ["1'234.50", "1'000"], [1234.5, 1000.0]),
        ("double", ["12 %", "7,5 %"], [12.0, 7.5]),
        ("double", ["1,00,000.5"], [100000.5]),
        ("int64", ["$1,200", "$90"], [1200, 90]),
        ("int64", ["$1,055.00", "$5.00"], [1055, 5]),
        ("int64", ["€ 1.234", "€ 90"], [1234, 90]),
        ("int64", ["1.234.567", "90"], [1234567, 90]),
        ("int64", ["USD 90", "USD 1,234"], [90, 1234]),
        ("int64", ["42932.0", "7.0"], [42932, 7]),
        ("int64", ["1e+05", "7"], [100000, 7]),
        ("int64", ["+7", "-7"], [7, -7]),
        ("int64", ["NULL", "7"], [None, 7]),
        ("int64", ["-", "1,234 kr", "None"], [None, 1234, None]),
        ("double", ["N/A", "NaN", "0.5"], [None, None, 0.5]),
        ("date32", ["No Reviews", "2019-07-08"], [None, dt.date(2019, 7, 8)]),
        ("date32", ["\\N", "18.7.2019"], [None, dt.date(2019, 7, 18)]),
        (
            "date32",
            ["19/12/21", "31/12/99", "30/06/00"],
            [dt.date(2021, 12, 19), dt.date(1999, 12, 31), dt.date(2000, 6, 30)],
        ),
        ("date32", ["Jul 8, 2019", "December 1, 2019"][:1], [dt.date(2019, 7, 8)]),
        ("date32", ["8 July 2019"], [dt.date(2019, 7, 8)]),
        ("date32", ["08-JUL-19"], [dt.date(2019, 7, 8)]),
        ("date32", ["20190708"], [dt.date(2019, 7, 8)]),
        ("date32", ["2019-07-08T12:30:00Z"], [dt.date(2019, 7, 8)]),
        ("date32", ["12/31/2019 11:30 PM"], [dt.date(2019, 12, 31)]),
        ("timestamp[us]", ["31.12.2019 23:30"], [dt.datetime(2019, 12, 31, 23, 30)]),
        ("bool", ["true", "n/a"], [True, None]),
    ],
)
def test_what_the_values_decide_is_read_after_one_piece_of_advice(
    tmp_path: Path, type: ColumnType, texts: list[str], values: list[Any]
) -> None:
    assert followed(tmp_path, type, texts) == values


@pytest.mark.parametrize(
    ("type", "texts", "readings"),
    [
        ("int64", ["1.000 €", "950 €"], ["1000", "1"]),
        ("int64", ["1,000", "2,000"], ["1000", "1"]),
        ("double", ["1,234"], ["1234.0", "1.234"]),
        ("date32", ["01/02/2021"], ["2021-02-01", "2021-01-02"]),
        ("date32", ["01/02/03"], ["2003-02-01", "2003-01-02", "2001-02-03"]),
    ],
)
def test_what_is_ambiguous_is_asked_with_each_reading(
    tmp_path: Path, type: ColumnType, texts: list[str], readings: list[str]
) -> None:
    error = refused(tmp_path, type, texts)
    assert not error.settings
    assert f"What '{texts[0]}' means, nothing else in the column x tells" in str(error)
    for reading in readings:
        assert f" if it is {reading}" in str(error)


@pytest.mark.parametrize(
    ("type", "texts", "said"),
    [
        ("int64", ["7", "cheap"], "row 2 (line 3), column 'x': expected a whole number, got 'cheap'"),
        ("int64", ["7", "1,5"], "row 2 (line 3), column 'x': expected a whole number, got '1,5'"),
        ("int64", ["7", "0x10"], "row 2 (line 3), column 'x': expected a whole number, got '0x10'"),
        ("int64", ["7", "1e300"], "row 2 (line 3), column 'x': expected a whole number, got '1e300'"),
        ("double", ["1,5", "1.5"], "row 1 (line 2), column 'x': expected a number, got '1,5'"),
        ("double", ["7", "about 7"], "row 2 (line 3), column 'x': expected a number, got 'about 7'"),
        ("date32", ["2019-07-08", "8.7.2019"], "column 'x': expected a date like 2019-07-08, got '8.7.2019'"),
        (
            "date32",
            ["2019-02-30"],
            "row 1 (line 2), column 'x': expected a date like 2019-07-08, got '2019-02-30'",
        ),
        ("date32", ["soon"], "No value of x is a date like 2019-07-08"),
    ],
)
def test_what_nothing_explains_is_named_by_its_place(
    tmp_path: Path, type: ColumnType, texts: list[str], said: str
) -> None:
    error = refused(tmp_path, type, texts)
    assert said in str(error)
    assert not error.settings


def test_a_value_that_is_missing_where_each_row_needs_one_is_no_advice(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,x\n1,1\nNULL,2\n")
    with pytest.raises(BadDataError, match=r"row 2 \(line 3\), column 'id': .* got 'NULL'") as error:
        read_csv(path, schema("double"))
    assert not error.value.settings


def test_letters_that_a_person_had_removed_take_no_decimals_with_them(tmp_path: Path) -> None:
    path = written(tmp_path, ["0,52"])
    with pytest.raises(BadDataError, match="got '0,52'"):
        read_csv(path, schema("double"), {"x": {"remove": ","}})
    path = written(tmp_path, ["1.000 €"])
    with pytest.raises(BadDataError, match=r"got '1\.000 €'"):
        read_csv(path, schema("int64"), {"x": {"remove": " €"}})
    told = {"x": {"remove": " €", "number": {"decimal": "."}}}
    assert read_csv(path, schema("int64"), told).column("x").to_pylist() == [1]


def shown(value: float, notation: NumberNotation, decimals: int) -> str:
    whole, _, rest = f"{abs(value):,.{decimals}f}".partition(".")
    whole = whole.replace(",", notation.thousands)
    return ("-" if value < 0 else "") + whole + (notation.decimal + rest if rest else "")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8),
    st.sampled_from(NOTATIONS),
    st.integers(0, 4),
    st.booleans(),
)
def test_numbers_of_one_notation_are_read_as_they_were_meant_or_asked_about(
    cents: list[int], notation: NumberNotation, decimals: int, whole: bool
) -> None:
    values = [float(each) if whole else each / 10**decimals for each in cents]
    texts = [shown(each, notation, 0 if whole else decimals) for each in values]
    found = find_notation(texts, whole=whole)
    assert found.chosen or found.possible
    ways = [found.chosen] if found.chosen else found.possible
    readings = [[way.reads(text) for text in texts] for way in ways]
    assert values in readings
    if len(ways) > 1:
        assert len({way.reads(found.doubtful) for way in ways}) > 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2068, 12, 31)), min_size=1, max_size=6),
    st.sampled_from(FORMATS),
)
def test_dates_of_one_format_are_read_as_they_were_meant_or_asked_about(
    tmp_path: Path, times: list[dt.datetime], format: str
) -> None:
    texts = [each.strftime(format) for each in times]
    meant = [dt.datetime.strptime(text, format) for text in texts]
    assume(all(abs((each - time).days) < 2 for each, time in zip(meant, times, strict=True)))
    try:
        found = read_csv(written(tmp_path, texts), schema("date32"))
    except BadDataError as error:
        if not error.settings:
            assert "nothing else in the column x tells" in str(error)
            assert any(f"if it is {each.date()}" in str(error) for each in meant)
            return
        found = read_csv(written(tmp_path, texts), schema("date32"), error.settings["columns"])
    assert found.column("x").to_pylist() == [each.date() for each in meant]


@pytest.mark.parametrize(
    ("type", "texts"),
    [
        ("double", ["$5", "€7"]),
        ("double", ["5 USD", "3 EUR"]),
        ("double", ["50¢", "$5"]),
        ("double", ["45%", "0.5"]),
        ("double", ["5 %", "0,5"]),
        ("double", ["1E3 EUR", "5 EUR"]),
        ("double", ["5€50", "6€"]),
    ],
)
def test_amounts_of_several_units_and_letters_within_numbers_are_not_advised(
    tmp_path: Path, type: ColumnType, texts: list[str]
) -> None:
    assert not refused(tmp_path, type, texts).settings


def test_a_letter_that_is_dropped_is_never_one_within_a_number(tmp_path: Path) -> None:
    for text in ("1E3 EUR", "1$50"):
        with pytest.raises(BadDataError, match="row 1"):
            read_csv(written(tmp_path, [text]), schema("double"), {"x": {"remove": "EUR$"}})


def test_a_year_of_two_digits_in_a_far_future_is_asked_about(tmp_path: Path) -> None:
    error = refused(tmp_path, "date32", ["25/05/39", "12/05/45"])
    assert not error.settings
    assert "What '12/05/45' means" in str(error)
    assert """Say "columns={x: {format: '%d/%m/%y'}}" if it is 2045-05-12""" in str(error)


def test_points_before_three_digits_are_asked_about_where_another_column_has_decimal_commas(
    tmp_path: Path,
) -> None:
    both = Schema(columns=(Column("a", "double"), Column("x", "double")))
    path = tmp_path / "rows.csv"
    path.write_text("a;x\n0,52;1.000\n1,5;2.500\n")
    with pytest.raises(BadDataError, match=r"What '1\.000' means, nothing else in the column x tells") as error:
        read_csv(path, both)
    assert not error.value.settings
    assert "if it is 1000.0, or " in str(error.value)
    path.write_text("a;x\n0,52;1.000\n1,5;2.75\n")
    with pytest.raises(BadDataError) as error:
        read_csv(path, both)
    assert error.value.settings == {"columns": {"a": {"number": {"decimal": ","}}}}


def test_the_value_that_has_another_notation_than_those_before_it_is_found_at_once(tmp_path: Path) -> None:
    # zeros make different texts: 8,000 of them
    numbers = [f"4{number:014b},5" for number in range(8000)]
    began = time.monotonic()
    error = refused(tmp_path, "double", [*numbers, "1.2.3"])
    assert "'1.2.3' in row 8001" in str(error)
    assert "Write all values of x in one way" in str(error)
    assert time.monotonic() - began < 10


def test_a_text_of_a_million_spaces_is_no_amount(tmp_path: Path) -> None:
    began = time.monotonic()
    assert not refused(tmp_path, "double", [f"€{' ' * 200_000}x5x5"]).settings
    assert time.monotonic() - began < 10
