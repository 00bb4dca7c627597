"""How a table that was made again is compared with the recorded one."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from relet.evaluation.comparison import alignment
from tests.unit.evaluation.comparing import NOTHING, TABLE, compared, only, quick

OTHERS: dict[Any, tuple[Any, Any]] = {
    pa.int8(): (-1, 2),
    pa.int64(): (2**53, 2**53 + 1),
    pa.uint64(): (0, 2**64 - 1),
    pa.bool_(): (True, False),
    pa.string(): ("", "Ünknown 家 🏠"),
    pa.binary(): (b"\0", b"\xff"),
    pa.date32(): (dt.date(1900, 1, 1), dt.date(2019, 7, 8)),
    pa.time64("us"): (dt.time(1), dt.time(1, 0, 0, 1)),
    pa.timestamp("us"): (dt.datetime(2019, 7, 8), dt.datetime(2019, 7, 8, 0, 0, 0, 1)),
    pa.timestamp("us", "UTC"): (dt.datetime(2019, 7, 8, tzinfo=dt.UTC), dt.datetime(2020, 7, 8, tzinfo=dt.UTC)),
    pa.decimal128(12, 3): (Decimal("1.001"), Decimal("1.002")),
    pa.float32(): (0.5, 0.75),
    pa.float64(): (0.25, -0.5),
}
NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=4)


@st.composite
def tables(draw: st.DrawFn, min_rows: int = 0, kinds: tuple[Any, ...] = tuple(OTHERS)) -> pa.Table:
    """Tables of few distinct values, nulls among them, so that rows are alike or equal."""
    types = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=5))
    names = draw(st.lists(NAMES, min_size=len(types), max_size=len(types), unique_by=str.casefold))
    assume("id" not in map(str.casefold, names))
    rows = draw(st.integers(min_rows, 10))
    columns = [
        pa.array(draw(st.lists(st.sampled_from([None, *OTHERS[kind]]), min_size=rows, max_size=rows)), kind)
        for kind in types
    ]
    return pa.table(columns, names=names)


def with_ids(rows: pa.Table) -> pa.Table:
    return rows.add_column(0, "id", pa.array([f"guest {row}" for row in range(rows.num_rows)], pa.string()))


def replaced(rows: pa.Table, column: int, row: int, value: Any) -> pa.Table:
    cells = rows.column(column).to_pylist()
    cells[row] = value
    field = rows.schema.field(column)
    return rows.set_column(column, field.name, pa.array(cells, field.type))


@quick
@given(tables(), st.randoms(use_true_random=False), st.sampled_from([None, 0.0, 0.1]))
def test_a_table_is_within_any_tolerance_of_itself_in_another_order(
    rows: pa.Table, random: Any, tolerance: float | None
) -> None:
    order = random.sample(range(rows.num_rows), rows.num_rows)
    assert compared(TABLE, rows, rows.take(pa.array(order, pa.int64())), tolerance) == NOTHING


@quick
@given(tables(min_rows=1), st.data())
def test_one_changed_cell_is_found_by_its_column_and_its_key(rows: pa.Table, data: st.DataObject) -> None:
    rows = with_ids(rows)
    column = data.draw(st.integers(1, rows.num_columns - 1))
    row = data.draw(st.integers(0, rows.num_rows - 1))
    field, old = rows.schema.field(column), rows.column(column)[row].as_py()
    new = data.draw(st.sampled_from([value for value in (None, *OTHERS[field.type]) if value != old]))
    found = compared(TABLE, rows, replaced(rows, column, row, new), 1e-3)
    assert not found.within
    assert only(found).startswith(f"{field.name}: 1 of {rows.num_rows:,} row")
    assert f"id 'guest {row}': " in only(found)
    if pa.types.is_floating(field.type):
        expected = math.inf if None in (old, new) else abs(old - new)
        assert found.largest == pytest.approx(expected)
    else:
        assert found.largest is None


@quick
@given(tables(min_rows=1), st.data())
def test_one_changed_cell_is_found_without_any_key(rows: pa.Table, data: st.DataObject) -> None:
    assume(rows.num_columns > 1)
    twice = pa.concat_tables([rows, rows])
    column, row = data.draw(st.integers(0, rows.num_columns - 1)), data.draw(st.integers(0, rows.num_rows - 1))
    field, old = rows.schema.field(column), rows.column(column)[row].as_py()
    new = data.draw(st.sampled_from([value for value in (None, *OTHERS[field.type]) if value != old]))
    found = compared(TABLE, twice, replaced(twice, column, row, new), 1e-3)
    assert not found.within
    assert only(found).startswith(f"{field.name}: 1 of {twice.num_rows:,} rows differ")


@quick
@given(tables(min_rows=1, kinds=(pa.float64(), pa.float64(), pa.bool_())), st.data())
def test_floats_are_within_the_tolerance_just_as_far_as_it_reaches(rows: pa.Table, data: st.DataObject) -> None:
    rows = with_ids(rows.append_column("a price", pa.array(np.linspace(-500, 500, rows.num_rows))))
    tolerance = data.draw(st.sampled_from([1e-12, 1e-6, 1e-2]))
    old = np.asarray(rows.column("a price"))
    for share, within in ((0.9, True), (1.1, False)):
        moved = old + share * tolerance * np.maximum(1, np.abs(old))
        found = compared(TABLE, rows, rows.set_column(rows.num_columns - 1, "a price", pa.array(moved)), tolerance)
        assert found.within is within
        assert found.largest == pytest.approx(share * tolerance, rel=1e-2)
        assert only(found).startswith("a price: ")


@quick
@given(tables(), st.data(), st.sampled_from([None, 0.0, 0.3, 0.8]))
def test_within_has_no_direction_for_numbers_below_one(
    rows: pa.Table, data: st.DataObject, tolerance: float | None
) -> None:
    other = rows
    if rows.num_rows:
        column, row = (data.draw(st.integers(0, size - 1)) for size in (rows.num_columns, rows.num_rows))
        value = data.draw(st.sampled_from([None, *OTHERS[rows.schema.field(column).type]]))
        other = replaced(rows, column, row, value).slice(data.draw(st.integers(0, 1)))
    forth, back = compared(TABLE, rows, other, tolerance), compared(TABLE, other, rows, tolerance)
    assert (forth.within, forth.largest) == (back.within, back.largest)
    assert forth.within or forth.differences


@quick
@given(st.integers(0, 1000), st.sampled_from([1e-15, 1e-12, 1e-7]), st.booleans())
def test_other_last_bits_find_their_rows_though_the_order_is_another(seed: int, noise: float, flag: bool) -> None:
    """The first column, which the stored order is by, has ties that the noise breaks; there is no key."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {"a": random.integers(0, 3, 60) / 7, "b": random.normal(size=60)}
    noisy = {name: values + noise * random.uniform(-1, 1, 60) for name, values in columns.items()}
    if flag:
        columns["flag"] = noisy["flag"] = random.integers(0, 2, 60) == 1
    assert compared(TABLE, pa.table(columns), pa.table(noisy), 2e-7).within
    found = compared(
        TABLE, pa.table(columns), pa.table({name: values[1:] for name, values in noisy.items()}), 2e-7
    )
    assert found.differences[0] == "59 rows instead of 60"
    assert "1 row is only in the recorded table" in found.differences[1]
    assert found.largest is None or found.largest <= 2e-7


def test_sorted_floats_are_paired_as_a_whole_where_the_nearest_would_leave_one_alone() -> None:
    """Equal numbers of a group are not paired first, nor rows by position."""
    old = pa.table({"a": [0.0, 0.1, 0.15, 0.15], "k": ["p", "p", "q", "q"]})
    new = pa.table({"a": [0.1, 0.2, 0.15, 0.15], "k": ["p", "p", "q", "q"]})
    assert compared(TABLE, old, new, 0.11).within
    assert not compared(TABLE, old, new, 0.09).within


def test_a_tolerance_wider_than_the_rows_lie_apart_does_not_mix_them_up() -> None:
    random = np.random.default_rng(0)
    old = {"a": random.integers(0, 20, 300) / 20, "b": random.normal(size=300)}
    new = old | {"a": old["a"] + 1e-14 * random.uniform(-1, 1, 300)}
    found = compared(TABLE, pa.table(old), pa.table(new), 0.06)
    assert found.within
    assert found.largest is not None and found.largest < 1e-13


def test_swapped_values_are_said_to_be_in_their_column() -> None:
    old = pa.table({"k": ["p", "q", "p"], "n": [1, 2, 3], "m": [1, 1, 3]})
    new = pa.table({"k": ["q", "p", "p"], "n": [1, 2, 3], "m": [1, 1, 3]})
    assert only(compared(TABLE, old, new)).startswith("k: 2 of 3 rows differ")
    twice = compared(TABLE, pa.concat_tables([old, old]), pa.concat_tables([old, new]))
    assert only(twice).startswith("k: 2 of 6 rows differ")


def test_another_key_of_the_only_row_that_is_left_is_said_to_differ() -> None:
    old = pa.table({"id": [1, 2, 3, 4], "flag": [True, True, False, False]})
    new = pa.table({"id": [1, 2, 3, 9], "flag": [True, True, False, False]})
    assert only(compared(TABLE, old, new)) == "id: 1 of 4 rows differ, most of all id 4: 4 → 9"


def test_rows_of_other_keys_are_no_others_made_again_only_because_they_look_alike() -> None:
    old = pa.table({"id": [1, 2, 3, 4, 5, 6], "flag": [True] * 6})
    new = pa.table({"id": [3, 4, 5, 6, 7, 8], "flag": [True] * 6})
    assert compared(TABLE, old, new).differences == (
        "2 rows are only in the recorded table: id 1",
        "2 rows are only in the reproduced table: id 7",
    )


def test_values_that_are_unique_by_chance_are_no_key_where_few_are_in_both() -> None:
    old = pa.table({"n": [1, 2, 3, 4], "t": ["a", "a", "b", "b"], "x": [0.1, 0.2, 0.3, 0.4]})
    new = pa.table({"n": [4, 6, 7, 8], "t": ["a", "a", "b", "b"], "x": [0.1, 0.2, 0.3, 0.4]})
    assert only(compared(TABLE, old, new)).startswith("n: 4 of 4 rows differ, most of all row ")


@pytest.mark.parametrize("values", [[None, 1, 2, 3], [1, 1, 2, 3]])
@pytest.mark.parametrize("sample", [2, 10_000])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_column_with_nulls_or_a_value_twice_is_no_key(
    values: list[int | None], sample: int, swapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alignment, "SAMPLE", sample)
    both = [pa.table({"n": numbers, "t": ["a", "b", "c", "c"]}) for numbers in (values, [0, 1, 2, 3])]
    said = only(compared(TABLE, *(both[::-1] if swapped else both)))
    assert said.startswith("n: 1 of 4 rows differ, most of all row 0: ")


@pytest.mark.parametrize("odd", [None, -math.inf])
def test_what_is_no_finite_number_finds_its_like(odd: float | None) -> None:
    old, more, fewer = (
        pa.table({"k": ["p"] * len(xs), "x": pa.array(xs, pa.float64())})
        for xs in ([odd, 5.0, 5.0], [odd, odd, 5.0, 5.0], [odd, 5.0, 5.0, 5.0])
    )
    for new, alone in ((more, "null" if odd is None else "-inf"), (fewer, "5.0")):
        assert compared(TABLE, old, new, 1.0).differences == (
            "4 rows instead of 3",
            f"1 row is only in the reproduced table: k 'p', x {alone}",
        )


def test_a_few_rows_that_are_like_no_others_are_not_compared_by_position() -> None:
    alike = [f"alike {row // 2}" for row in range(10)]
    old = pa.table({"a": [*alike, "x", "x"], "b": [*range(0, 5)] * 2 + [1, 1]})
    new = pa.table({"a": [*alike, "y", "y"], "b": [*range(0, 5)] * 2 + [8, 8]})
    assert compared(TABLE, old, new).differences == (
        "2 rows are only in the recorded table: a 'x', b 1",
        "2 rows are only in the reproduced table: a 'y', b 8",
    )


def test_whole_numbers_are_compared_exactly_whatever_the_tolerance() -> None:
    found = compared(
        TABLE, pa.table({"n": [2**53, 5], "k": ["a", "b"]}), pa.table({"n": [2**53 + 1, 5], "k": ["a", "b"]}), 0.5
    )
    assert not found.within
    assert only(found) == f"n: 1 of 2 rows differ, most of all k 'a': {2**53} → {2**53 + 1}"
    assert found.largest is None


def test_without_a_tolerance_no_difference_is_within() -> None:
    for tolerance in (None, 0.0, math.nan):
        found = compared(TABLE, pa.table({"a": [1.0]}), pa.table({"a": [np.nextafter(1.0, 2)]}), tolerance)
        assert not found.within
        assert found.largest == pytest.approx(2.2e-16, rel=0.01)


def test_the_most_telling_row_is_the_example() -> None:
    old = pa.table({"id": [1, 2, 3], "price": [10.0, 10.0, 10.0], "n": [1, 1, 1]})
    new = pa.table({"id": [1, 2, 3], "price": [10.5, 20.0, 10.0], "n": [1, 2, 9]})
    assert compared(TABLE, old, new, 0.1).differences == (
        "n: 2 of 3 rows differ, most of all id 3: 1 → 9",
        "price: 2 of 3 rows differ, most of all id 2: 10.0 → 20.0 (relative 1)",
    )


def test_null_is_null_and_infinitely_far_from_any_number() -> None:
    old, new = pa.table({"id": [1, 2], "a": [None, 1.5]}), pa.table({"id": [1, 2], "a": [None, None]})
    new = new.set_column(1, "a", new.column("a").cast(pa.float64()))
    found = compared(TABLE, old, new, math.inf)
    assert (found.within, found.largest) == (False, math.inf)
    assert only(found) == "a: 1 of 2 rows differ, most of all id 2: 1.5 → null (a number on one side only)"
    infinite = pa.table({"id": [1, 2], "a": [math.inf, -math.inf]})
    assert compared(TABLE, infinite, infinite, None) == NOTHING
    assert compared(TABLE, infinite, pa.table({"id": [1, 2], "a": [1e308, -math.inf]}), 1.0).largest == math.inf


def test_rows_of_only_one_table_are_counted_with_an_example() -> None:
    old, new = pa.table({"id": [1, 2, 3, 4]}), pa.table({"id": [2, 3, 4, 5, 6]})
    found = compared(TABLE, old, new, 1.0)
    assert found.differences == (
        "5 rows instead of 4",
        "1 row is only in the recorded table: id 1",
        "2 rows are only in the reproduced table: id 5",
    )
    assert not found.within
    no_key = compared(TABLE, pa.table({"a": ["x", "x", "y"]}), pa.table({"a": ["x", "x"]}))
    assert "1 row is only in the recorded table: a 'y'" in no_key.differences


def test_a_key_that_was_numbered_anew_is_said_to_differ_and_nothing_else() -> None:
    texts = [f"listing {row}" for row in range(20)] * 2
    old = pa.table({"id": range(40), "text": texts, "x": np.arange(40.0)})
    new = pa.table({"id": range(1000, 1040), "text": texts, "x": np.arange(40.0)})
    assert only(compared(TABLE, old, new)).startswith("id: 40 of 40 rows differ, most of all row 0: 0 → 1000")


def test_rows_with_nothing_in_common_are_compared_by_position() -> None:
    old, new = pa.table({"a": ["x", "x"], "b": [1, 1]}), pa.table({"a": ["y", "y"], "b": [2, 2]})
    assert compared(TABLE, old, new).differences == (
        "a: 2 of 2 rows differ, most of all row 0: 'x' → 'y'",
        "b: 2 of 2 rows differ, most of all row 0: 1 → 2",
    )


def test_columns_are_compared_before_rows_in_words() -> None:
    old = pa.table({"id": [1, 2], "gone": ["a", "b"], "kind": [1, 2]})
    new = pa.table({"kind": [1.0, 2.0], "id": [1, 3], "new": [dt.date(2019, 7, 8)] * 2})
    found = compared(TABLE, old, new, 1.0)
    assert not found.within
    assert found.differences[:4] == (
        "the column 'gone' is missing (text, string)",
        "the column 'new' is new (dates, date32[day])",
        "the column 'kind' holds numbers, double instead of whole numbers, int64",
        "the columns come in another order: kind, id, new",
    )
    assert found.differences[4:] == (
        "1 row is only in the recorded table: id 2",
        "1 row is only in the reproduced table: id 3",
    )
    nothing = compared(TABLE, pa.table({"a": [1]}), pa.table({"b": [1]}), 1.0)
    assert not nothing.within and len(nothing.differences) == 2


@pytest.mark.parametrize("kind", OTHERS, ids=str)
def test_every_type_can_be_the_only_one(kind: pa.DataType) -> None:
    old, new = (pa.table({"a.b": pa.array([value, None], kind)}) for value in OTHERS[kind])
    assert not compared(TABLE, old, new, 0.0).within
    assert compared(TABLE, old, old, None) == NOTHING
    assert compared(TABLE, old.slice(2), old.slice(2), None) == NOTHING
    assert compared(TABLE, old.slice(2), old, 1.0).differences[0] == "2 rows instead of 0"


def test_times_beyond_pythons_calendar_are_shown_as_they_are_stored() -> None:
    old, new = (pa.table({"k": ["a"], "t": pa.array([value], pa.timestamp("us"))}) for value in (2**62, 2**62 + 1))
    assert only(compared(TABLE, old, new)).endswith(f"{2**62} → {2**62 + 1}")


def test_single_floats_are_shown_with_the_digits_they_have() -> None:
    old, new = (pa.table({"a": pa.array([value], pa.float32())}) for value in (0.1, 0.2))
    assert only(compared(TABLE, old, new)).startswith("a: 1 of 1 row differ, most of all row 0: 0.1 → 0.2")


def test_long_values_are_cut() -> None:
    old, new = pa.table({"k": [1], "a": ["x" * 500]}), pa.table({"k": [1], "a": ["y" * 500]})
    assert len(only(compared(TABLE, old, new))) < 250


def test_ten_differences_are_said_and_the_others_counted() -> None:
    old = pa.table({"id": [1]} | {f"c{n}": [0.0] for n in range(14)} | {"text": ["a"]})
    new = pa.table({"id": [1]} | {f"c{n}": [float(n)] for n in range(14)} | {"text": ["b"]})
    found = compared(TABLE, old, new, 5.0)
    assert found.differences[0].startswith("text: ")
    assert found.differences[1].startswith("c13: ")
    assert found.differences[-1] == "and 4 more"
    assert len(found.differences) == 11
