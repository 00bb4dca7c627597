"""The page of a difference read by cell: which rows are where, what moved, and which drawing shows it."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from relet.data.difference import ColumnChange, RowDifference, SchemaDifference, Shift, TableDifference, difference
from relet.report.difference import difference_page
from tests.unit.report.reading import PageReading, drawing_of, read_page
from tests.unit.report.specimens import NUMBERS, WORDS


def test_a_difference_says_which_rows_are_where_and_what_changed_in_each_column() -> None:
    before = pa.table({"id": [1, 2, 3, 4], "price": [10, 20, 30, 40], "name": ["a", "b", "c", "d"]})
    after = pa.table({"id": [2, 3, 4, 5, 6], "price": [25, 30, 30, 9, 9], "name": ["b", None, "d", "e", "f"]})
    page = read_page(difference_page(difference(before, after), before="s:v1", after="s:v2"))
    assert (page.title, page.subtitle) == ("s:v1 → s:v2", "What differs between two tables")
    rows = page["Rows"]
    assert rows.facts == {"only in s:v1": "1", "only in s:v2": "2", "changed": "3", "equal": "0"}
    assert rows.said == ["Rows are matched by id, which is there once in each."]
    (table,) = rows.tables
    assert table.columns == ("column", "changed rows", "largest change", "examples, by id")
    assert [tuple(row.values()) for row in table.rows] == [
        ("price", "2", "10", "2: 20 → 254: 40 → 30"),
        ("name", "1", "–", "3: c → missing"),
    ]
    assert page["Columns"].said == ["Both tables have the same columns, with the same types."]


def test_a_difference_has_the_largest_shift_first_in_words_and_drawn_before_beside_after() -> None:
    before = pa.table({"kind": ["a"] * 6 + ["b"] * 4, "price": [*range(10)]})
    after = pa.table({"kind": ["a"] * 3 + ["c"] * 7, "price": [*range(1, 11)]})
    page = read_page(difference_page(difference(before, after, rows=False), before="old", after="new"))
    (table, gone) = page["What shifted"].tables
    assert table.columns == ("column", "shift", "what moved")
    assert [(row["column"], row["shift"]) for row in table.rows] == [("kind", "70.0%"), ("price", "10.0%")]
    assert table.rows[0]["what moved"] == "c 0% → 70.0%; new: c (7 rows); gone: b (4 rows)"
    assert gone.columns == ("column", "category", "", "rows")
    assert [tuple(row.values()) for row in gone.rows] == [("kind", "c", "new", "7"), ("kind", "b", "gone", "4")]
    assert list(page["What shifted"].folds) == ["2 categories that one of the two alone has"]
    drawings = page["Side by side"]
    assert list(drawings.drawings) == ["kind", "price"]
    tips = {each.tip for each in drawing_of(drawings, "kind").boxes}
    assert {"a, old: 60.0%", "a, new: 30.0%", "c, old: 0%", "c, new: 70.0%", "b, old: 40.0%"} <= tips
    bins = [each.tip for each in drawing_of(drawings, "price").boxes if each.kind == "tip"]
    assert bins[0].endswith("old: 10.0%, new: 0%") and bins[-1].endswith("new: 10.0%")
    quantiles = page["Quantiles"].folds["price"].tables[0]
    assert [(row[""], row["0%"], row["100%"]) for row in quantiles.rows] == [("old", "0", "9"), ("new", "1", "10")]
    assert page["In short"].said == [
        "10 rows before, 10 rows after. Columns: the same. What moved most is kind (70.0%): c 0% → 70.0%."
    ]


def test_only_the_first_shifts_are_listed_and_drawn() -> None:
    shifts = tuple(
        Shift(before=replace(NUMBERS, name=f"c{n}"), after=replace(NUMBERS, name=f"c{n}"), size=0.5)
        for n in range(501)
    )
    found = TableDifference(schema=SchemaDifference(), before=1, after=1, shifts=shifts)
    page = read_page(difference_page(found, before="a", after="b"))
    assert len(page["What shifted"].tables[0].rows) == 500
    assert len(page["Side by side"].drawings) == 60 and len(page["Quantiles"].folds) == 60


def test_a_column_without_a_size_has_neither_a_drawing_nor_quantiles() -> None:
    shift = Shift(before=replace(NUMBERS, name="a"), after=replace(NUMBERS, name="a"))
    found = TableDifference(schema=SchemaDifference(), before=1, after=1, shifts=(shift,))
    page = read_page(difference_page(found, before="a", after="b"))
    assert {"Side by side", "Quantiles"}.isdisjoint(page.sections)
    assert page["What shifted"].tables[0].rows[0]["shift"] == "–"


def test_of_new_categories_a_hundred_are_listed_and_ten_drawn() -> None:
    def shift(new: int) -> TableDifference:
        held = Shift(
            before=replace(WORDS, name="k"),
            after=replace(WORDS, name="k"),
            size=0.5,
            shares={f"n{n}": (0.0, n / 5050) for n in range(1, new + 1)},
            new={f"n{n}": n for n in range(1, new + 1)},
        )
        return TableDifference(schema=SchemaDifference(), before=1, after=1, shifts=(held,))

    page = read_page(difference_page(shift(101), before="a", after="b"))
    part = page["What shifted"].folds["101 categories that one of the two alone has"]
    assert [row["rows"] for row in part.tables[0].rows] == [str(n) for n in range(101, 1, -1)]
    assert part.said == ["The 100 most frequent of 101."]
    labels = [each.words for each in drawing_of(page["Side by side"], "k").texts if each.anchor == "end"]
    assert labels == [f"n{n}" for n in range(101, 91, -1)]
    hundred = read_page(difference_page(shift(100), before="a", after="b"))["What shifted"]
    assert not hundred.folds["100 categories that one of the two alone has"].said


def test_only_some_of_the_changed_rows_were_looked_at_and_the_page_says_so() -> None:
    def told(examined: int) -> PageReading:
        rows = RowDifference(
            before=9,
            after=9,
            only_before=0,
            only_after=0,
            changed=5,
            equal=4,
            key="id",
            examined=examined,
            columns={"price": ColumnChange(rows=3, most=2.5, examples=(("7", "1", "2"),))},
        )
        found = TableDifference(schema=SchemaDifference(), before=9, after=9, rows=rows)
        return read_page(difference_page(found, before="a", after="b"))

    assert told(4)["Rows"].tables[0].columns[1] == "changed rows of the first 4"
    assert told(5)["Rows"].tables[0].columns[1] == "changed rows"
