"""Differences of tables: columns, rows matched or not, and shifts that are the known statistics."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from relet.data import difference as module
from relet.data.difference import Shift, TableDifference, difference, schema_difference
from relet.data.quarantine import quarantine_by_reason
from relet.errors import BadDataError
from tests.unit.data.test_profile import ODD
from tests.unit.data.test_table import tables

SMALL = st.lists(st.integers(-5, 5), min_size=1, max_size=25)


def shift_of(before: list[Any], after: list[Any], type: pa.DataType | None = None) -> Shift:
    found = difference(pa.table({"x": pa.array(before, type)}), pa.table({"x": pa.array(after, type)}))
    return found.shifts[0]


@given(tables())
@settings(max_examples=25, deadline=None)
def test_a_table_does_not_differ_from_itself(rows: pa.Table) -> None:
    found = difference(rows, rows)
    json.dumps(found.to_json(), allow_nan=False)
    assert not found.schema
    assert found.rows
    assert (found.rows.only_before, found.rows.only_after, found.rows.changed) == (0, 0, 0)
    assert found.rows.equal == rows.num_rows
    assert all(not each.size for each in found.shifts)


@given(SMALL, SMALL)
@settings(max_examples=40, deadline=None)
def test_the_shift_of_numbers_is_the_statistic_of_kolmogorov_and_smirnov(
    before: list[int], after: list[int]
) -> None:
    found = shift_of(before, after)
    assert found.size == pytest.approx(ks_2samp(before, after, method="asymp").statistic or 0.0)
    assert found.before.histogram and found.after.histogram
    assert found.before.histogram.edges == found.after.histogram.edges


@given(st.lists(st.sampled_from("abc"), min_size=1), st.lists(st.sampled_from("bcd"), min_size=1))
@settings(max_examples=30, deadline=None)
def test_the_shift_of_categories_is_the_share_of_rows_that_would_have_to_change(
    before: list[str], after: list[str]
) -> None:
    found = shift_of(before, after)
    was, now = Counter(before), Counter(after)
    moved = sum(max(now[each] / len(after) - was[each] / len(before), 0) for each in "abcd")
    assert (found.size or 0.0) == pytest.approx(moved)
    assert found.new == {
        each: now[each] for each in sorted(now, key=lambda each: (-now[each], each)) if not was[each]
    }
    assert set(found.gone) == set(was) - set(now)
    sizes = [abs(after - before) for before, after in found.shares.values()]
    assert sizes == sorted(sizes, reverse=True)


def test_more_missing_is_a_shift_though_what_is_there_is_spread_alike() -> None:
    assert shift_of([1, 2, None, None], [1, 2], pa.int64()).size == 0.5
    assert shift_of(["a", "b", None, None], ["a", "b"]).size == 0.5
    assert shift_of([None, None], [None], pa.int64()).size is None
    assert shift_of([1], [None], pa.int64()).size == 1.0


def test_long_text_is_compared_by_its_length_and_a_key_not_at_all() -> None:
    short, long = [f"{n:04}" for n in range(1200)] * 2, [f"{n:09}" for n in range(1200)] * 2
    found = shift_of(short, long)
    assert (found.size, found.shares) == (1.0, {})
    assert shift_of(list(range(1000)), list(range(9000, 10_000))).size is None
    assert shift_of(list(range(999)), list(range(9000, 10_000))).size == 1.0
    assert shift_of([str(n) for n in range(30)], [str(n) for n in range(100, 130)]).size is None


def test_the_largest_shift_comes_first_and_what_can_t_be_compared_last() -> None:
    ids = [f"id {n}" for n in range(40)]
    before = pa.table({"id": ids, "same": [1, 2] * 20, "little": [1] * 40, "much": [1] * 40})
    after = pa.table({"id": ids, "same": [2, 1] * 20, "little": [1] * 30 + [2] * 10, "much": [2] * 40})
    assert [each.name for each in difference(before, after).shifts] == ["much", "little", "same", "id"]


def test_columns_are_added_removed_retyped_and_moved() -> None:
    found = schema_difference(
        {"a": "int64", "b": "string", "c": "double"}, {"c": "int64", "a": "int64", "d": "bool"}
    )
    assert (found.added, found.removed, found.retyped) == (
        {"d": "bool"},
        {"b": "string"},
        {"c": ("double", "int64")},
    )
    assert found.reordered
    assert not schema_difference({"a": "int64"}, {"a": "int64"})


def test_columns_that_only_one_table_has_or_of_another_type_are_not_compared() -> None:
    before = pa.table({"id": [1, 2], "gone": ["a", "b"], "price": [1, 2]})
    after = pa.table({"id": [1, 2], "new": ["a", "b"], "price": [1.5, 2.0]})
    found = difference(before, after)
    assert [each.name for each in found.shifts] == ["id"]
    assert found.rows
    assert found.rows.equal == 2


# By id, with two ids of one value, so that the values are no key by chance.
BY_ID = st.builds(
    lambda values, twice: {**values, 16: twice, 17: twice},
    st.dictionaries(st.integers(0, 15), st.integers(0, 2)),
    st.integers(0, 2),
)


@given(BY_ID, BY_ID)
@settings(max_examples=40, deadline=None)
def test_rows_are_matched_by_the_column_whose_values_are_unique(
    before: dict[int, int], after: dict[int, int]
) -> None:
    found = difference(_keyed(before), _keyed(after)).rows
    both = before.keys() & after.keys()
    changed = [key for key in both if before[key] != after[key]]
    assert found
    assert found.key == "id"
    assert (found.only_before, found.only_after) == (len(before) - len(both), len(after) - len(both))
    assert (found.changed, found.equal) == (len(changed), len(both) - len(changed))
    if changed:
        change = found.columns["x"]
        assert change.rows == len(changed)
        assert change.most == max(abs(before[key] - after[key]) for key in changed)
        assert change.examples == tuple(
            (str(key), str(before[key]), str(after[key])) for key in sorted(changed)[:3]
        )


def _keyed(rows: dict[int, int]) -> pa.Table:
    return pa.table({"id": pa.array(rows, pa.int64()), "x": pa.array(rows.values(), pa.int64())})


@given(SMALL, SMALL)
@settings(max_examples=30, deadline=None)
def test_without_a_key_rows_are_matched_as_often_as_they_are_there(before: list[int], after: list[int]) -> None:
    # twice each, so that nothing is unique
    rows = [pa.table({"x": each * 2, "y": each * 2}) for each in (before, after)]
    found = difference(*rows).rows
    same = Counter(before * 2) & Counter(after * 2)
    assert found
    assert (found.key, found.equal, found.changed) == (None, same.total(), 0)
    assert (found.only_before, found.only_after) == (2 * len(before) - same.total(), 2 * len(after) - same.total())


def test_of_two_keys_the_one_that_matches_more_rows_is_taken() -> None:
    before = pa.table({"place": [1, 2, 3], "id": [10, 20, 30], "x": [7, 7, 7]})
    after = pa.table({"place": [4, 5, 3], "id": [10, 20, 30], "x": [7, 7, 8]})
    found = difference(before, after).rows
    assert found
    assert (found.key, found.changed) == ("id", 3)


def test_a_column_of_floats_or_with_a_value_missing_is_no_key() -> None:
    for values in ([0.5, 1.5], [1, None]):
        found = difference(pa.table({"x": values}), pa.table({"x": values})).rows
        assert found
        assert (found.key, found.equal) == (None, 2)


def test_a_value_that_went_missing_is_a_change() -> None:
    before = pa.table({"id": [1, 2, 3], "day": [dt.date(2019, 7, 8)] * 3})
    after = pa.table({"id": [1, 2, 3], "day": [dt.date(2019, 7, 8), None, dt.date(2019, 7, 8)]})
    found = difference(before, after).rows
    assert found
    assert found.columns["day"].examples == (("2", "2019-07-08", None),)
    assert found.columns["day"].most is None


def test_of_very_many_changed_rows_the_first_are_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHANGED_AT_MOST", 5)
    rows = difference(pa.table({"id": range(9), "x": [1] * 9}), pa.table({"id": range(9), "x": [2] * 9})).rows
    assert rows
    assert (rows.changed, rows.examined, rows.columns["x"].rows) == (9, 5, 5)


@pytest.mark.parametrize("name", [*ODD, "b", "changed", "changed_t0"])
def test_columns_may_be_called_anything_when_rows_are_compared(name: str) -> None:
    found = difference(
        pa.table({name: [1, 2, 3], "x": [1, 1, 1]}), pa.table({name: [1, 2, 4], "x": [1, 5, 1]})
    ).rows
    assert found
    assert (found.key, found.only_before, found.only_after, found.changed) == (name, 1, 1, 1)
    other = difference(pa.table({"id": [1, 2], name: [1, 1]}), pa.table({"id": [1, 2], name: [1, 2]})).rows
    assert other
    assert (other.changed, other.columns[name].rows) == (1, 1)


def test_tables_that_share_no_column_or_hold_no_rows_can_be_compared() -> None:
    found = difference(pa.table({"a": [1]}), pa.table({"b": [1]}))
    assert (found.rows, found.shifts) == (None, ())
    empty = difference(pa.table({"a": pa.array([], pa.int64())}), pa.table({"a": [1]}))
    assert empty.rows
    assert (empty.rows.only_after, empty.shifts[0].size) == (1, None)


def test_rows_and_columns_are_left_alone_where_that_is_asked_for() -> None:
    rows = pa.table({"a": [1], "b": [1]})
    found: TableDifference = difference(rows, rows, rows=False, without=["a"])
    assert found.rows is None
    assert [each.name for each in found.shifts] == ["b"]


def test_a_quarantine_is_told_by_reason_with_its_first_rows() -> None:
    rows = pa.table({"id": [4, 3, 2, 1, 5], "reason": ["it's dear", "it's dear", None, "it's dear", "far <b>"]})
    found = quarantine_by_reason(rows, examples=2)
    assert [(each.reason, each.rows) for each in found] == [
        ("it's dear", 3),
        ("far <b>", 1),
        ("no reason given", 1),
    ]
    assert found[0].examples == ({"id": "1"}, {"id": "3"})


def test_a_quarantine_may_be_empty_or_hold_reasons_alone_but_must_have_them() -> None:
    assert (
        quarantine_by_reason(pa.table({"id": pa.array([], pa.int64()), "reason": pa.array([], pa.string())})) == ()
    )
    assert quarantine_by_reason(pa.table({"reason": ["a"]}))[0].examples == ()
    with pytest.raises(BadDataError, match=r"no column 'reason'; did you mean reasons\?"):
        quarantine_by_reason(pa.table({"reasons": ["a"]}))
