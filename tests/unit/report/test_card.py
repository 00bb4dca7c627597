"""The profile card read by cell: each column with its type, its gaps, its values and its drawing."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from relet.data.profile import Correlations, FrequentValue, Profile, profile
from relet.report.card import profile_card
from tests.unit.report.reading import PageReading, drawing_of, read_page
from tests.unit.report.specimens import NUMBERS, WORDS

LISTINGS = pa.table(
    {
        "borough": ["Bronx"] * 2 + ["Queens"] * 6 + [None] * 2,
        "price": [10, 20, 30, 40, 50, 60, 70, 80, 90, None],
        "nights": [90, 80, 70, 60, 50, 40, 30, 20, 10, 5],
        "empty": pa.array([None] * 10, pa.string()),
        "id": [f"listing {n}" for n in range(10)],
        "endless": [1.0, 2.0, float("inf"), 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.0],
    }
)


def card() -> PageReading:
    return read_page(profile_card(profile(LISTINGS), title="sample:v1", head={"by": "get_data"}, subtitle="below"))


def test_a_card_has_a_row_for_each_column_with_its_type_its_gaps_and_what_it_holds() -> None:
    page = card()
    assert (page.title, page.subtitle) == ("sample:v1", "below")
    assert page["What it is"].facts == {"size": "10 rows, 6 columns", "by": "get_data"}
    (table,) = page["Columns"].tables
    assert table.kind == "stack"
    rows = {row["column"]: row for row in table.rows}
    assert list(rows) == LISTINGS.column_names
    assert {name: row["missing values"] for name, row in rows.items()} == {
        "borough": "20.0% missing",
        "price": "10.0% missing",
        "nights": "none missing",
        "empty": "100% missing",
        "id": "none missing",
        "endless": "none missing",
    }
    assert [rows[name]["values"] for name in ("borough", "price", "empty")] == [
        "2 different",
        "9 different",
        "0 different",
    ]
    assert {name: row["what it holds"] for name, row in rows.items()} == {
        "borough": "most often Queens (75.0%), 5 to 6 letters",
        "price": "10 to 90, median 50, mean 50 ± 27.386",
        "nights": "5 to 90, median 40, mean 45.5 ± 29.482",
        "empty": "nothing",
        "id": "no value twice, 9 letters",
        "endless": "1 to 9, median 6, mean 5.667 ± 2.915, 1 infinite",
    }
    assert rows["price"]["type"] == "int64" and rows["borough"]["type"] == "string"


def test_a_card_draws_each_column_in_which_values_come_twice_and_lists_them() -> None:
    page = card()
    assert list(page["Distributions"].drawings) == ["borough", "price", "nights", "endless"]
    assert page["Distributions"].said == ["Bars are shares of the rows that hold a value."]
    boroughs = drawing_of(page["Distributions"], "borough")
    assert [each.tip for each in boroughs.boxes] == ["Queens: 75.0%", "Bronx: 25.0%"]
    folds = page["Most frequent values"].folds
    assert list(folds) == ["borough: Queens, …", "endless: 9, …"]
    (table,) = folds["borough: Queens, …"].tables
    assert table.rows == (
        {"value": "Queens", "rows": "6", "share": "75.0%"},
        {"value": "Bronx", "rows": "2", "share": "25.0%"},
    )
    assert table.right == (False, True, False)


def test_a_card_has_the_quantiles_of_each_column_that_has_them() -> None:
    (table,) = card()["Quantiles"].tables
    rows = {row["column"]: row for row in table.rows}
    assert list(rows) == ["price", "nights", "endless"]
    assert [rows["price"][percent] for percent in ("0%", "50%", "100%")] == ["10", "50", "90"]
    assert [rows["nights"][percent] for percent in ("0%", "50%", "100%")] == ["5", "40", "90"]


def test_a_card_names_the_strongest_correlations_and_draws_all() -> None:
    names = tuple(f"c{n}" for n in range(6))
    strength = {(1, 0): 0.2, (2, 0): -0.9, (2, 1): 0.05, (3, 0): 0.1, (4, 3): None, (5, 4): 0.5}
    square = [[1.0 if row == column else 0.0 for column in range(6)] for row in range(6)]
    pearson: list[list[float | None]] = [[*row] for row in square]
    spearman: list[list[float | None]] = [[*row] for row in square]
    for (row, column), value in strength.items():
        spearman[row][column] = spearman[column][row] = value
        pearson[row][column] = pearson[column][row] = None if value is None else value / 2
    found = Correlations(
        names=names,
        rows=1200,
        pearson=tuple(map(tuple, pearson)),
        spearman=tuple(map(tuple, spearman)),
    )
    page = read_page(profile_card(Profile(rows=1200, columns=(), correlations=found), title="t", head={}))
    part = page["Correlations"]
    assert [tuple(row.values()) for row in part.tables[0].rows] == [
        ("c2 and c0", "−0.9", "−0.45"),
        ("c5 and c4", "0.5", "0.25"),
        ("c1 and c0", "0.2", "0.1"),
        ("c3 and c0", "0.1", "0.05"),
    ]
    assert part.tables[0].columns == ("columns", "Spearman", "Pearson")
    assert part.said[0].startswith("On 1,200 rows, each pair") and "At most the first" not in part.said[0]
    tips = [each.tip for each in drawing_of(part, "Spearman").boxes]
    assert "c2 and c0: −0.9" in tips and "c4 and c3: 0" not in tips and len(tips) == 34
    assert "c2 and c0: −0.45" in [each.tip for each in drawing_of(part, "Pearson").boxes]


def test_a_card_of_weak_correlations_names_none_and_of_many_says_which_are_looked_at() -> None:
    weak = Correlations(names=("a", "b"), rows=9, pearson=((1, 0.9), (0.9, 1)), spearman=((1, 0.09), (0.09, 1)))
    part = read_page(profile_card(Profile(rows=9, columns=(), correlations=weak), title="t", head={}))[
        "Correlations"
    ]
    assert part.said[1] == "None of note." and not part.tables
    size = 24
    ones = ((0.5,) * size,) * size
    many = Correlations(names=tuple(f"c{n}" for n in range(size)), rows=9, pearson=ones, spearman=ones)
    part = read_page(profile_card(Profile(rows=9, columns=(), correlations=many), title="t", head={}))[
        "Correlations"
    ]
    assert len(part.tables[0].rows) == 12


def test_a_card_of_very_many_columns_lists_a_thousand_and_draws_the_first() -> None:
    columns = tuple(replace(NUMBERS, name=f"c{n}", type="int64") for n in range(1001))
    page = read_page(profile_card(Profile(rows=9, columns=columns), title="t", head={}))
    assert len(page["Columns"].tables[0].rows) == 1000
    assert page["Columns"].said == ["The first 1,000 of 1,001 columns."]
    assert len(page["Distributions"].drawings) == 120
    assert page["Distributions"].said[0].endswith("The first 120 of 1,001 columns.")
    fewer = read_page(profile_card(Profile(rows=9, columns=columns[:120]), title="t", head={}))
    assert not fewer["Columns"].said and "The first" not in fewer["Distributions"].said[0]
    thousand = read_page(profile_card(Profile(rows=9, columns=columns[:1000]), title="t", head={}))
    assert not thousand["Columns"].said


def test_a_column_of_infinite_values_alone_is_said_to_hold_them() -> None:
    column = replace(NUMBERS, name="a", distinct=0, infinite=2, top=(), histogram=None)
    page = read_page(profile_card(Profile(rows=2, columns=(column,)), title="t", head={}))
    assert page["Columns"].tables[0].rows[0]["what it holds"] == "2 infinite values"


def test_what_lies_outside_of_the_bins_is_noted_below_them() -> None:
    histogram = NUMBERS.histogram
    assert histogram is not None
    column = replace(NUMBERS, name="a", low=-7, histogram=replace(histogram, below=2, above=1))
    page = read_page(profile_card(Profile(rows=9, columns=(column,)), title="t", head={}))
    said = drawing_of(page["Distributions"], "a").said
    assert "2 values below, down to −7; 1 value above, up to 90" in said


@pytest.mark.parametrize(("share", "shown"), [(0.004, False), (0.005, True)])
def test_a_column_of_text_whose_values_hardly_repeat_is_not_drawn(share: float, shown: bool) -> None:
    column = replace(WORDS, name="a", top=(FrequentValue(value="x", count=2, share=share),))
    page = read_page(profile_card(Profile(rows=9, columns=(column,)), title="t", head={}))
    assert ("Distributions" in page.sections) == shown
    assert "Most frequent values" in page.sections
    once = replace(WORDS, name="a", top=(FrequentValue(value="x", count=1, share=0.5),))
    page = read_page(profile_card(Profile(rows=2, columns=(once,)), title="t", head={}))
    assert {"Distributions", "Most frequent values"}.isdisjoint(page.sections)
