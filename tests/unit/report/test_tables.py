"""What pages say of tables: the profile card, the difference of two, and the page of a batch."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings

from relet.core.artifact import Check, Verdict
from relet.data.difference import TableDifference, difference
from relet.data.outline import Outline
from relet.data.profile import profile
from relet.data.quarantine import QuarantinedRows
from relet.report.batch import batch_page
from relet.report.card import profile_card
from relet.report.columns import shift_words
from relet.report.difference import difference_lines, difference_page
from relet.report.page import Section, page
from relet.report.verdict import name_words, p_words, verdict_html, verdict_words
from tests.unit.data.test_table import tables
from tests.unit.report.reading import Reading, stands_alone

EVIL = "<script>alert(1)</script>"
LISTINGS = pa.table(
    {
        "id": [f"id {number:02}" for number in range(60)],
        "borough": ["Bronx"] * 20 + ["Queens"] * 40,
        "price": [*range(50, 109), 9000],
        "last_review": [dt.date(2019, 1, 1) + dt.timedelta(days=day) for day in range(59)] + [None],
        "share": [place / 7 for place in range(60)],
    }
)


def carded(rows: pa.Table) -> Reading:
    return stands_alone(profile_card(profile(rows), title="listings:v1", head={"made by": "get_data"}))


def compared(before: pa.Table, after: pa.Table) -> tuple[list[str], Reading]:
    found = difference(before, after)
    lines = list(difference_lines(found, "old:v1", "new:v2"))
    return lines, stands_alone(difference_page(found, before="old:v1", after="new:v2"))


def test_a_card_says_what_the_table_is_and_shows_all_of_its_profile() -> None:
    reading = carded(LISTINGS)
    for words in (
        "60 rows, 5 columns",
        "get_data",
        "50 to 9,000, median 79",
        "1.7% missing",
        "most often Queens (66.7%)",
        "2019-01-01 to 2019-02-28",
        "1 value above, up to 9,000",
        "share and price",
    ):
        assert words in reading.words
    assert reading.headings == [
        "listings:v1",
        "What it is",
        "Columns",
        "Distributions",
        "Quantiles",
        "Most frequent values",
        "Correlations",
    ]
    # one drawing for each column in which values come twice, and a square for each kind of correlation
    assert reading.tags.count("svg") == 4 + 2


@given(tables())
@settings(max_examples=20, deadline=None)
def test_any_table_has_a_card_and_a_difference_to_its_first_rows(rows: pa.Table) -> None:
    assert f"{len(rows.column_names)} column" in carded(rows).words
    half = rows.num_rows // 2
    lines, reading = compared(rows, rows.slice(0, half))
    assert any(line.startswith(f"rows      {rows.num_rows:,} → {half:,}") for line in lines)
    assert "old:v1" in reading.words and "new:v2" in reading.words


def test_what_the_data_holds_is_shown_and_not_obeyed() -> None:
    rows = pa.table({EVIL: [EVIL, EVIL, "\x00\u202e"], "x": [1, 2, 3]})
    other = pa.table({EVIL: [EVIL, "y", "z"], "y" + EVIL: [1, 2, 3]})
    assert EVIL in carded(rows).words
    assert EVIL in compared(rows, other)[1].words


@pytest.mark.long
def test_a_table_of_a_thousand_columns_has_a_card_and_a_difference_below_three_megabytes() -> None:
    numbers, words = [*range(50), *range(50)], ["w" * 150 + str(place) for place in range(10)] * 10
    names = [f"{number} {'a long name ' * 12}" for number in range(1100)]
    rows = pa.table({name: words if place % 2 else numbers for place, name in enumerate(names)})
    reading = carded(rows)
    assert "The first 1,000 of 1,100 columns" in reading.words
    assert "The first 120 of 1,100 columns" in reading.words
    compared(rows, rows.slice(30))


def test_long_text_and_many_values_do_not_make_a_card_large() -> None:
    rows = pa.table({"text": [f"{n}" + "x" * 100_000 for n in range(200)] * 2, "ints": range(400)})
    assert len(profile_card(profile(rows), title="x", head={})) < 100_000


def test_equal_tables_have_the_same_card_to_the_byte() -> None:
    pages = [
        profile_card(profile(rows), title="x", head={}) for rows in (LISTINGS, LISTINGS.take([*range(59, -1, -1)]))
    ]
    drop = re.compile(r"<section id=\"correlations\">.*", re.DOTALL)
    assert drop.sub("", pages[0]) == drop.sub("", pages[1])
    assert pages[0] == profile_card(profile(LISTINGS), title="x", head={})


def test_a_difference_is_told_on_the_terminal_from_columns_to_shifts() -> None:
    before = LISTINGS.append_column("gone", pa.array(["x"] * 60))
    after = LISTINGS.slice(10).set_column(4, "share", pa.array(range(50)))
    after = after.set_column(2, "price", pa.array([price + 5 for price in after.column("price").to_pylist()]))
    lines, reading = compared(before, after)
    assert lines == [
        "old:v1 → new:v2",
        "",
        "columns   1 removed, 1 retyped",
        "  - share  double",
        "  + share  int64",
        "  - gone   string",
        "rows      60 → 50, matched by id",
        "  only in old:v1                        10",
        "  only in new:v2                         0",
        "  changed                               50  price 50 (by at most 5)",
        "  equal                                  0",
        "shifts    largest first; 0% is the same, 100% has nothing in common",
        "  price          25.0%  median 79 → 89; range 50 to 9,000 → 65 to 9,005",
        "  last_review    16.9%  median 2019-01-30 → 2019-02-04; range 2019-01-01 to 2019-02-28 "
        "→ 2019-01-11 to 2019-02-28; missing 1.7% → 2.0%",
        "  borough        13.3%  Queens 66.7% → 80.0%",
        "  id                 –  no two rows alike, 60 → 50 values",
    ]
    for words in (
        "60 rows before, 50 rows after",
        "What moved most is price (25.0%)",
        "- share double",
        "id 10: 60 → 65",
    ):
        assert words in reading.words
    assert reading.tags.count("svg") == 3


def test_what_came_is_green_and_what_went_is_red() -> None:
    html = difference_page(difference(pa.table({"a": [1]}), pa.table({"b": [1]})), before="a:v1", after="b:v1")
    assert '<span class="bad">- a  int64</span><span class="good">+ b  int64</span>' in html


def test_equal_tables_differ_in_nothing() -> None:
    lines, reading = compared(LISTINGS, LISTINGS)
    assert "columns   the same" in lines
    assert all("the same distribution" in line or "no two rows alike" in line for line in lines[9:])
    assert "The values of every column are spread alike." in reading.words
    assert "same columns, with the same types" in reading.words


def test_every_new_and_gone_category_is_listed_with_its_rows() -> None:
    before = pa.table({"x": [f"old {n}" for n in range(120)] * 2 + ["both"] * 9})
    reading = compared(before, pa.table({"x": ["new <b>"] * 300 + ["both"]}))[1]
    assert "121 categories that one of the two alone has" in reading.words
    assert "x new <b> new 300" in reading.words
    assert "The 100 most frequent of 121." in reading.words
    assert "alone has" not in compared(LISTINGS, LISTINGS)[1].words


def test_columns_in_another_order_and_rows_without_a_key_are_said() -> None:
    before, after = pa.table({"a": [1, 1], "b": [2, 2]}), pa.table({"b": [2, 2], "a": [1, 1]})
    lines, reading = compared(before, after)
    assert "  their order is another" in lines
    assert any("matched as wholes" in line for line in lines)
    assert "The columns of both come in another order." in reading.words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ([1, 2, 3], [2, 3, 4], "median 2 → 3; range 1 to 3 → 2 to 4"),
        ([1, 2, 2, 3], [1, 2, 2, 9], "median 2 as before; 95% of rows up to 3 → 9; range 1 to 3 → 1 to 9"),
        (["a", "a", "b"], ["a", "c", "c"], "c 0% → 66.7%; new: c (2 rows); gone: b (1 row)"),
        ([1.0, None], [1.0, 1.0], "median 1 as before; missing 50.0% → 0%"),
        ([1.0, math.inf], [1.0, 1.0], "infinite 1 → 0"),
        (["a", None], ["a", "a"], "missing 50.0% → 0%"),
        ([True, False], [True, True], "false 50.0% → 0%; gone: false (1 row)"),
    ],
)
def test_what_moved_is_said_in_words(before: list[Any], after: list[Any], words: str) -> None:
    (found,) = difference(pa.table({"x": before}), pa.table({"x": after})).shifts
    assert shift_words(found) == words


def check(name: str, passed: bool = True, **measured: Any) -> Check:
    return Check(name=name, passed=passed, message=f"{name} says so", measured=measured)


def test_a_verdict_shows_what_failed_first_and_each_measure_beside_its_floor() -> None:
    measured = {"effect": 0.12, "floor": 0.1, "p_value": 1e-9, "adjusted": 2e-8, "rejected": True}
    small = {"effect": 0.01, "floor": 0.1, "p_value": 0.001, "adjusted": 0.03, "alpha": 0.05, "rejected": False}
    rows = ({"id": 7, "price": -1, "name": EVIL},)
    verdict = Verdict(
        passed=False,
        reason="2 of 4 tests failed",
        checks=(
            check("checks/test_a.py::test_ids_are_unique"),
            Check(name="test_prices", passed=False, message="1 price is negative", rows=rows),
            check("test_median", passed=False, sentence="H0: no change.", detectable=0.02, **measured),
            check("test_boroughs", **small),
        ),
    )
    reading = stands_alone(page("x", sections=[Section(title="Tests", html=verdict_html(verdict))]))
    assert "2 tests failed, 2 passed." in reading.words
    assert "failed prices: 1 price is negative" in reading.words
    assert "failed median: H0: no change." in reading.words
    assert reading.words.index("median failed") < reading.words.index("boroughs below")
    assert re.search(r"median failed 0\.12 0\.1 < 0\.0001 < 0\.0001 0\.02", reading.words)
    assert re.search(r"boroughs below its floor 0\.01 0\.1 0\.001 0\.03", reading.words)
    assert EVIL in reading.words
    assert "1 deterministic test passed" in reading.words
    assert reading.tags.count("circle") == 2


@pytest.mark.parametrize(
    "measured",
    [
        {"test": "kolmogorov-smirnov"},
        {"effect": None, "floor": None, "p_value": None},
        {"effect": 0.5, "floor": 0},
        {"effect": math.nan, "floor": 0.1, "p_value": math.nan},
        {"effect": math.inf, "floor": 0.1},
        {"effect": "large", "floor": "small", "p_value": "tiny", "adjusted": "too", "sizes": [3, 4]},
    ],
)
def test_a_measure_may_lack_anything(measured: dict[str, Any]) -> None:
    verdict = Verdict(passed=True, reason="", checks=(check("test_a", **measured),))
    reading = stands_alone(page("x", sections=[Section(title="Tests", html=verdict_html(verdict))]))
    assert "a passed" in reading.words
    assert "circle" not in reading.tags


def test_a_verdict_without_tests_says_so() -> None:
    assert "names no single test" in verdict_html(Verdict(passed=True, reason="fine"))
    assert verdict_words(Verdict(passed=True, reason="")) == "The tests say yes: 0 tests."
    assert verdict_words(Verdict(passed=False, reason="no rows.")) == "The tests say no: no rows."


def test_a_no_names_the_tests_that_failed_and_no_more_than_fit_into_a_sentence() -> None:
    checks = tuple(check(f"test_column_{number}", passed=number > 4) for number in range(9))
    words = verdict_words(Verdict(passed=False, reason="a long reason " * 50, checks=checks))
    assert words == "The tests say no: 5 of 9 tests failed: column 0, column 1, column 2 and 2 more."


def test_names_and_p_values_are_words() -> None:
    assert name_words("test_a_b") == "a b"
    assert name_words("checks/x.py::test_range[price]") == "range [price]"
    assert [p_words(value) for value in (0.5, 0.0499, 1.0, 0.00001, math.nan, None, "x")] == [
        "0.5",
        "0.05",
        "1",
        "< 0.0001",
        None,
        None,
        None,
    ]


ARRIVED = Outline(rows=60, columns={"id": ("int64", 0), "price": ("int64", 3)})
YES = Verdict(passed=True, reason="14 passed, family-wise p 0.61", checks=(check("test_ids"),))
LEFT = [QuarantinedRows(reason=f"price above 350 {EVIL}", rows=9, examples=({"id": "1", "price": "999"},))]


def batch(**changed: Any) -> Reading:
    given: dict[str, Any] = {"arrived": ARRIVED, "kept": 51, "quarantine": LEFT, "verdict": YES, "shifted": None}
    return stands_alone(batch_page(title="A batch", noun="listing", **{**given, **changed}))


def moved() -> TableDifference:
    after = LISTINGS.set_column(2, "price", pa.array([*range(60, 119), 9000]))
    return difference(LISTINGS, after, rows=False, without=["id"])


def test_the_page_of_a_batch_says_the_verdict_first_then_what_arrived_left_and_shifted() -> None:
    reading = batch(shifted=moved(), units={"price": "dollars"})
    for words in (
        "The tests say yes: 14 passed, family-wise p 0.61.",
        "60 listings arrived in 2 columns; 51 listings stay and 9 left (15.0%), most for: price above 350",
        "(60 rows) 1 column shifted by 1% more than by chance: price (16.7%): median 79 → 89.",
        "the first 1 of 9",
        "150 dollars",
        "5.0%",
    ):
        assert words in reading.words
    assert reading.headings[1:] == [
        "In short",
        "What left, and why",
        "What the tests said",
        "What shifted",
        "Side by side",
        "Quantiles",
        "What arrived",
    ]
    assert reading.words.index("The tests say yes") < reading.words.index("60 listings arrived")


def test_the_first_batch_and_an_empty_quarantine_read_well() -> None:
    reading = batch(kept=60, quarantine=[])
    assert "60 listings arrived in 2 columns; all of them stay." in reading.words
    assert "Nothing left: all 60 listings stay." in reading.words
    assert "This batch is the reference itself" in reading.words


def test_a_no_is_said_in_words_and_in_colour() -> None:
    no = Verdict(passed=False, reason="1 test failed")
    html = batch_page(title="x", arrived=ARRIVED, kept=51, quarantine=LEFT, verdict=no, shifted=None)
    assert '<p class="verdict bad">The tests say no: 1 test failed.</p>' in html


def test_a_batch_that_nothing_shifted_in_or_with_other_columns_says_so() -> None:
    same = difference(LISTINGS, LISTINGS, rows=False)
    assert "nothing shifted by 1% more than by chance" in batch(shifted=same).words
    other = difference(LISTINGS, LISTINGS.append_column("new", pa.array(range(60))), rows=False)
    reading = batch(shifted=other)
    assert "Its columns are not those of the reference." in reading.words
    assert "+ new int64" in reading.words


def test_a_batch_of_no_rows_has_a_page() -> None:
    empty = LISTINGS.slice(0, 0)
    reading = batch(
        arrived=Outline(rows=0, columns={"id": ("int64", 0)}),
        kept=0,
        quarantine=[],
        shifted=difference(LISTINGS, empty, rows=False),
    )
    assert "0 listings arrived" in reading.words


def test_sections_of_one_s_own_come_near_the_end() -> None:
    reading = batch(more=[Section(title="Where they are", html="<p>here</p>")])
    assert reading.headings[-2:] == ["Where they are", "What arrived"]
