"""How what was made again is compared with what was recorded: what is within a tolerance, and what is said."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeRegressor

from relet.core.artifact import ArtifactType, Check, Curve, Figure, Verdict
from relet.data.table import write_table
from relet.evaluation.comparison import Comparison, alignment, compare, models
from relet.features.numeric import Numbers
from relet.training.model import Model, export_model

TABLE, METRICS, FIGURE = ArtifactType.TABLE, ArtifactType.METRICS, ArtifactType.FIGURE
VERDICT, MODEL, FILE, FOLDER = ArtifactType.VERDICT, ArtifactType.MODEL, ArtifactType.FILE, ArtifactType.FOLDER
NOTHING = Comparison(within=True, largest=None, differences=())

quick = settings(max_examples=15, deadline=None)


def stored(type: ArtifactType, value: Any, folder: Path) -> Path:
    """A folder with the files of an artifact, as the engine writes them."""
    folder.mkdir(parents=True)
    if type is TABLE:
        write_table(value, folder / "table.parquet")
    elif type is METRICS:
        (folder / "metrics.json").write_text(json.dumps(value))
    elif type is VERDICT:
        (folder / "verdict.json").write_text(json.dumps(value.to_json(), default=str))
    elif type is FIGURE:
        (folder / "figure.svg").write_text(value.svg, encoding="utf-8")
    else:
        for name, content in value.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder


def compared(type: ArtifactType, recorded: Any, reproduced: Any, tolerance: float | None = None) -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        old, new = stored(type, recorded, Path(folder, "a")), stored(type, reproduced, Path(folder, "b"))
        return compare(type, old, new, tolerance=tolerance)


def only(found: Comparison) -> str:
    (sentence,) = found.differences
    return sentence


# --- tables

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
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=4)


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


# --- what can't be read

DAMAGES: dict[str, Callable[[Path], Any]] = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "nonsense": lambda path: path.write_bytes(b"\xff\xfe{["),
    "deep": lambda path: path.write_bytes(b"[" * 100_000),
    "another thing": lambda path: path.write_bytes(b'[{"checks": 1}]'),
    "half a thing": lambda path: path.write_bytes(b'{"passed": 1, "reason": 2, "checks": [3]}'),
    "no flag": lambda path: path.write_bytes(b'{"passed": 1, "reason": "fine", "checks": []}'),
    "no reason": lambda path: path.write_bytes(b'{"passed": true, "reason": 2, "checks": []}'),
    "gone": lambda path: path.unlink(),
    "two": lambda path: (path.parent / "second").write_bytes(b""),
    "no folder": lambda path: shutil.rmtree(path.parent),
}
WHOLE: dict[ArtifactType, Any] = {
    TABLE: pa.table({"a": range(1000)}),
    METRICS: {"mae": 1.0},
    VERDICT: Verdict(passed=True, reason="fine"),
    FIGURE: Figure(svg="<svg>1</svg>"),
    FILE: {"a.txt": b"text"},
}


@pytest.mark.parametrize("type", WHOLE, ids=str)
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("side", ["recorded", "reproduced"])
def test_what_can_not_be_read_is_not_within_and_says_so(
    type: ArtifactType, damage: str, side: str, tmp_path: Path
) -> None:
    for folder in ("recorded", "reproduced"):
        stored(type, WHOLE[type], tmp_path / folder)
    (path,) = (tmp_path / side).iterdir()
    DAMAGES[damage](path)
    found = compare(type, tmp_path / "recorded", tmp_path / "reproduced", tolerance=1e9)
    assert not found.within
    assert found.differences[0] and str(tmp_path) not in found.differences[0].partition(":")[0]
    if type in (METRICS, VERDICT) and damage in ("deep", "cut off", "nonsense"):
        assert found.differences[0].startswith(f"the {side} ")


@pytest.mark.parametrize("type", ArtifactType, ids=str)
def test_what_is_not_there_twice_is_not_equal(type: ArtifactType, tmp_path: Path) -> None:
    found = compare(type, tmp_path / "a", tmp_path / "b", tolerance=1.0)
    assert not found.within
    assert only(found) == f"the recorded {type} has no folder"
    assert type is FOLDER or not compare(type, tmp_path, tmp_path, tolerance=1.0).within


@pytest.mark.parametrize("depth", [10, 300, 600, 800, 900, 1000, 100_000])
def test_however_deep_a_file_is_nested_nothing_is_raised(depth: int, tmp_path: Path) -> None:
    for side, end in (("a", 1), ("b", 2)):
        stored(VERDICT, verdict(), tmp_path / side)
        path = tmp_path / side / "verdict.json"
        path.write_text(path.read_text().replace('"rows": []', f'"rows": {"[" * depth}{end}{"]" * depth}'))
    assert not compare(VERDICT, tmp_path / "a", tmp_path / "b", tolerance=1.0).within


def test_damage_inside_of_a_table_is_found(tmp_path: Path) -> None:
    for side in ("a", "b"):
        stored(TABLE, pa.table({"a": [f"text {row}" for row in range(5000)]}), tmp_path / side)
    path = tmp_path / "b" / "table.parquet"
    content = bytearray(path.read_bytes())
    content[500:600] = bytes(100)
    path.write_bytes(content)
    assert not compare(TABLE, tmp_path / "a", tmp_path / "b", tolerance=1.0).within
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), path)
    found = compare(TABLE, tmp_path / "b", tmp_path / "b", tolerance=1.0)
    assert only(found) == "the recorded table has two columns of one name"
    pq.write_table(pa.table({"a": pa.array([b"\xff"]).view(pa.string())}), path)
    found = compare(TABLE, tmp_path / "b", tmp_path / "b", tolerance=1.0)
    assert only(found).startswith("the recorded table can't be read: ")


# --- metrics


def test_metrics_are_compared_by_name() -> None:
    old = {"mae": 200.0, "gone": 1.0, "same": 3.0, "none": math.nan}
    new = {"new": 2.0, "none": math.nan, "same": 3.0, "mae": 202.0}
    found = compared(METRICS, old, new, 0.02)
    assert found.differences == (
        "gone is missing; it was 1.0",
        "new is new: 2.0",
        "mae: 200.0 → 202.0 (relative 0.01)",
    )
    assert (found.within, found.largest) == (False, 0.01)
    assert compared(METRICS, {"mae": 200.0}, {"mae": 202.0}, 0.01).within
    assert not compared(METRICS, {"mae": 200.0}, {"mae": 202.0}, 0.0099).within


def test_curves_are_compared_point_by_point() -> None:
    old, new, fewer = (
        {"error": Curve(points=points, x="rounds").to_json()}
        for points in ([(1, 200.0), (2, 100.0)], [(1, 202.0), (2, 100.0)], [(1, 200.0), (3, 100.0)])
    )
    found = compared(METRICS, old, new, 0.02)
    assert (found.within, found.largest) == (True, 0.01)
    assert found.differences == ("error, points, 0, 1: 200.0 → 202.0 (relative 0.01)",)
    assert not compared(METRICS, old, new, 0.0099).within
    assert not compared(METRICS, old, fewer, 100.0).within  # another step is another measurement


@given(st.dictionaries(st.text(max_size=3), st.none() | st.floats(), max_size=4))
def test_metrics_are_within_any_tolerance_of_themselves(metrics: dict[str, float]) -> None:
    assert compared(METRICS, metrics, metrics, None) == NOTHING


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 2))
def test_two_numbers_below_one_are_within_what_they_differ_by(old: float, new: float, tolerance: float) -> None:
    assert compared(METRICS, {"a": old}, {"a": new}, tolerance).within is (abs(old - new) <= tolerance)


@pytest.mark.parametrize(
    ("old", "new"),
    [(math.nan, 1.0), (None, 1.0), (1.0, math.nan), (math.inf, 1.0), (-math.inf, math.inf), (10**400, 1.5)],
)
def test_a_number_is_infinitely_far_from_none(old: float, new: float) -> None:
    found = compared(METRICS, {"a": old}, {"a": new}, math.inf)
    assert (found.within, found.largest) == (False, math.inf)


def test_whole_numbers_are_not_rounded_before_they_are_compared() -> None:
    assert not compared(METRICS, {"a": 2**53}, {"a": 2**53 + 1}, 0.0).within


def test_what_is_no_number_among_metrics_has_to_be_equal() -> None:
    assert compared(METRICS, {"a": "x"}, {"a": "x"}) == NOTHING
    assert only(compared(METRICS, {"a": True}, {"a": 1}, 1.0)) == "a: True → 1"


# --- verdicts


def verdict(passed: bool = True, reason: str = "MAE 61.50", **check: Any) -> Verdict:
    checks = Check(**{"name": "r2", "passed": True, "message": "R2 0.600 of 1,200 rows", "p_value": 0.5, **check})
    return Verdict(passed=passed, reason=reason, checks=(checks,))


@pytest.mark.parametrize(
    ("other", "within", "said"),
    [
        (verdict(passed=False), False, "the verdict: passed → failed"),
        (verdict(reason="MAE 61.51"), True, "61.50 → 61.51 (relative 0.000163)"),
        (verdict(reason="MAE 62.50"), False, "the reason: 1 of 1 numbers differ"),
        (verdict(reason="RMSE 61.50"), False, "the reason: other text in line 1: 'MAE ' → 'RMSE '"),
        (verdict(message="R2 0.6005 of 1,200 rows"), True, "message of r2: 1 of 2 numbers differ"),
        (verdict(message="R2 0.600 of 1,201 rows"), True, "1,200 → 1,201 (relative 0.000833)"),
        (verdict(message="R3 0.600 of 1,200 rows"), False, "other text"),
        (verdict(message="R2 0.600 of 1,200 rows, 7"), False, "other text"),
        (verdict(p_value=0.5005), True, "p-value of r2: 0.5 → 0.5005 (relative 0.0005)"),
        (verdict(p_value=0.6), False, "p-value of r2: 0.5 → 0.6"),
        (verdict(p_value=None), False, "p-value of r2: 0.5 → null (a number on one side only)"),
        (verdict(passed=True, name="mae"), False, "the check 'r2' is missing"),
        (verdict(rows=({"id": 7},)), False, "rows of r2: [] → [{'id': 7}]"),
        (Verdict(passed=True, reason="MAE 61.50", checks=verdict().checks * 2), False, "the check 'r2' is new"),
    ],
)  # fmt: skip
def test_a_verdict_may_differ_in_the_digits_of_its_numbers_alone(other: Verdict, within: bool, said: str) -> None:
    found = compared(VERDICT, verdict(), other, 0.001)
    assert found.within is within
    assert any(said in sentence for sentence in found.differences), found.differences
    assert not compared(VERDICT, verdict(), other, None).within


def test_what_a_check_measured_may_differ_in_its_numbers_alone() -> None:
    def measuring(**found: object) -> Verdict:
        return verdict(measured={"test": "KS", "statistic": 0.5, "sizes": [9, 8], "sentence": "D = 0.5", **found})

    near = compared(VERDICT, measuring(), measuring(statistic=0.5004, sentence="D = 0.5004"), 0.001)
    assert near.within
    assert "measured by r2, statistic: 0.5 → 0.5004 (relative 0.0004)" in near.differences
    assert not compared(VERDICT, measuring(), measuring(statistic=0.6), 0.001).within
    assert not compared(VERDICT, measuring(), measuring(sizes=[9, 7]), 1.0).within
    assert not compared(VERDICT, measuring(), measuring(test="AD"), 1.0).within
    assert not compared(VERDICT, measuring(), verdict(), 1.0).within


def test_a_check_that_failed_is_said_by_its_name() -> None:
    other = Verdict(passed=True, reason="MAE 61.50", checks=(Check(name="r2", passed=False),))
    assert "r2: passed → failed" in compared(VERDICT, verdict(), other, 1.0).differences


def test_checks_are_compared_by_name_in_their_order() -> None:
    one, two = Check(name="one", passed=True), Check(name="two", passed=False)
    old, new = (Verdict(passed=False, reason="", checks=checks) for checks in ((one, two), (two, one)))
    assert only(compared(VERDICT, old, new, 1.0)) == "the checks come in another order"
    assert compared(VERDICT, old, old) == NOTHING


def test_rows_that_speak_against_a_check_are_compared_as_a_tables_are() -> None:
    old, near = (verdict(rows=({"id": 7, "x": x, "t": "a 1", "no": None},)) for x in (1.0, 1.0001))
    assert compared(VERDICT, old, near, 0.001).within
    for changed in ({"id": 8}, {"t": "a 1.0001"}, {"no": 1}, {"x": None}):
        other = verdict(rows=({"id": 7, "x": 1.0, "t": "a 1", "no": None} | changed,))
        assert not compared(VERDICT, old, other, 0.5).within


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("since 2019-07-08", "since 2019-07-09"),
        ("since 2019-07-08", "since 2020-07-08"),
        ("at 10:30", "at 10:31"),
        ("at 10:30", "at 11:30"),
        ("with numpy 2.3.1", "with numpy 2.3.2"),
        ("object 3fa9b7", "object 4fa9b7"),
        ("x300", "x301"),
        ("data/12", "data/13"),
        ("nan", "0.5"),
    ],
)
def test_digits_in_dates_versions_and_names_are_text(old: str, new: str) -> None:
    found = compared(VERDICT, verdict(reason=old), verdict(reason=new), 1e9)
    assert not found.within
    assert "other text" in only(found)


def test_numbers_written_in_another_way_differ_by_nothing() -> None:
    found = compared(VERDICT, verdict(reason="p 1.0"), verdict(reason="p 1.00"), 0.0)
    assert (found.within, found.largest) == (True, None)
    assert not compared(VERDICT, verdict(reason="p 1.0"), verdict(reason="p 1.00"), None).within
    large = compared(VERDICT, verdict(reason=f"{2**53}"), verdict(reason=f"{2**53 + 1}"), 0.0)
    assert not large.within


# --- figures

SVG = '<svg viewBox="0 0 10 10">\n<path d="M1.5-2.25L3 4" fill="#112233"/>\n<text x="5px">−0.5 of 7</text></svg>'


@pytest.mark.parametrize(
    ("new", "within", "said"),
    [
        ("M1.5-2.2501L3 4", True, "1 of 11 numbers differ, most of all in line 2: -2.25 → -2.2501"),
        ("M1.5-2.35L3 4", False, "-2.25 → -2.35 (relative 0.0444)"),
        ("M1.5-2.25C3 4", False, "other text in line 2"),
    ],
)
def test_a_drawing_may_differ_in_its_numbers(new: str, within: bool, said: str) -> None:
    found = compared(FIGURE, Figure(svg=SVG), Figure(svg=SVG.replace("M1.5-2.25L3 4", new)), 0.001)
    assert found.within is within
    assert said in only(found)


@pytest.mark.parametrize(
    ("old", "new"), [("#112233", "#112234"), ("−0.5", "0.5"), ("of 7", "of  7"), ("<text", "<g")]
)
def test_the_rest_of_a_drawing_has_to_be_equal(old: str, new: str) -> None:
    found = compared(FIGURE, Figure(svg=SVG), Figure(svg=SVG.replace(old, new)), 1e9)
    assert not found.within
    assert "other text in line" in only(found)


def test_names_that_matplotlib_hashes_do_not_count_as_text() -> None:
    old, new = (
        f'<svg><path id="{name}" d="M0 {y}"/><use href="#{name}"/><g style="clip-path: url(#{name})"/></svg>'
        for name, y in (("m0123456789", "1"), ("mabcdef0123", "1.0001"))
    )
    assert compared(FIGURE, Figure(svg=old), Figure(svg=new), 0.001).within
    renamed = Figure(svg=old.replace("m0123456789", "mabcdef0123"))
    assert compared(FIGURE, Figure(svg=old), renamed, 0.0).within
    assert not compared(FIGURE, Figure(svg=old), renamed, None).within
    assert not compared(FIGURE, Figure(svg=old), Figure(svg=old.replace("m0123456789", "legend")), 1.0).within


# --- files


def test_files_that_were_added_removed_or_differ_are_named_with_their_sizes() -> None:
    old = {"a.txt": b"one\ntwo\nthree\n", "gone": b"1", "sub/same": b"x", "b.bin": b"\0\1"}
    new = {"a.txt": b"one\nTWO\n", "new": b"", "sub/same": b"x", "b.bin": b"\0\2"}
    found = compared(FOLDER, old, new, 1e9)
    assert found == Comparison(
        within=False,
        largest=None,
        differences=(
            "gone is missing (1 byte)",
            "new is new (0 bytes)",
            "a.txt differs (14 bytes → 8 bytes) in line 2: 'two\\n' → 'TWO\\n'",
            "b.bin differs (2 bytes → 2 bytes)",
        ),
    )
    assert compared(FOLDER, old, old) == NOTHING
    assert compared(FILE, {"a": b"x"}, {"a": b"x"}) == NOTHING
    assert compared(FILE, {"a": b"x"}, {"b": b"x"}, 1.0).differences == (
        "a is missing (1 byte)",
        "b is new (1 byte)",
    )


def test_of_a_long_line_the_place_where_it_differs_is_shown() -> None:
    found = compared(FILE, {"a": b"x" * 5000 + b"1"}, {"a": b"x" * 5000 + b"2"}, 1.0)
    assert f"'{'x' * 40}1' → '{'x' * 40}2'" in only(found)
    ended = compared(FILE, {"a": b"1\n2\n"}, {"a": b"1\n"}, 1.0)
    assert only(ended).endswith("in line 2: '2\\n' → nothing")


# --- models


def model(shift: float = 0.0, columns: tuple[str, ...] = ("x", "y")) -> Model:
    random = np.random.default_rng(0)
    rows = pd.DataFrame({name: random.normal(size=40) for name in columns})
    pipeline = Pipeline([("n", Numbers(list(columns), missing=0.0)), ("m", LinearRegression())])
    pipeline.fit(rows, rows[columns[0]] * 0.3)
    pipeline[-1].intercept_ = pipeline[-1].intercept_ + shift
    return Model(pipeline=pipeline, example=rows.head(3), target="z")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name, made in {
        "one": model(),
        "same": model(),
        "near": model(1e-6),
        "wider": model(columns=("x", "y", "w")),
    }.items():
        export_model(made, folder / name)
    return folder


def copied(exported: Path, name: str, folder: Path) -> Path:
    shutil.copytree(exported / name, folder / name)
    return folder / name


def by_other_code(folder: Path, **golden: Any) -> Path:
    """The same export as another version of relet would have made it: it can't be loaded here."""
    about = json.loads((folder / "relet.json").read_text())
    about["code"]["relet.features.numeric"] = "0" * 64
    if golden:
        changed = json.loads((folder / "golden.json").read_text()) | golden
        (folder / "golden.json").write_text(json.dumps(changed))
        about["files"]["golden.json"] = hashlib.sha256((folder / "golden.json").read_bytes()).hexdigest()
    (folder / "relet.json").write_text(json.dumps(about))
    return folder


def test_the_same_model_twice_is_equal(exported: Path) -> None:
    assert compare(MODEL, exported / "one", exported / "same", tolerance=None) == NOTHING


def test_models_are_compared_by_what_they_predict_and_their_files_are_named(exported: Path) -> None:
    found = compare(MODEL, exported / "one", exported / "near", tolerance=1e-5)
    assert found.within
    assert found.largest == pytest.approx(1e-6, rel=1e-3)
    assert "golden rows of the re" in found.differences[0] and "(relative 1e-06)" in found.differences[0]
    assert any(sentence.startswith("inference.skops differs (") for sentence in found.differences)
    for tolerance in (1e-7, None):
        assert not compare(MODEL, exported / "one", exported / "near", tolerance=tolerance).within


def test_a_models_bytes_may_differ(exported: Path, tmp_path: Path) -> None:
    folder = copied(exported, "one", tmp_path)
    (folder / "requirements.txt").write_text("numpy==0\n")
    found = compare(MODEL, exported / "one", folder, tolerance=None)
    assert (found.within, found.largest) == (True, None)
    assert only(found).startswith("requirements.txt differs (")


def test_models_predict_on_the_tables_that_have_their_columns(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "MOST_ROWS", 5)
    numbers = np.arange(50.0)
    paths = {
        "fits": pa.table({"y": numbers, "x": numbers, "more": numbers}),
        "lacks": pa.table({"x": numbers}),
        "text": pa.table({"x": ["a"], "y": [dt.date(2019, 7, 8)]}),
    }
    rows = [stored(TABLE, table, tmp_path / name) / "table.parquet" for name, table in paths.items()]
    found = compare(MODEL, exported / "one", exported / "near", tolerance=1e-5, rows=rows)
    assert found.within
    said = [sentence for sentence in found.differences if "table.parquet" in sentence]
    assert any(sentence.startswith("rows of fits/table.parquet: 5 of 5 predictions differ") for sentence in said)
    assert not any("lacks" in sentence for sentence in said)
    assert any("text/table.parquet: neither model predicts on them: " in sentence for sentence in said)


def test_a_difference_that_only_a_tables_rows_show_counts(tmp_path: Path) -> None:
    for name, last in (("five", 5.0), ("four", 4.0)):
        learned = pd.DataFrame({"x": [0.0, last, 6.0]})
        tree = Pipeline([("n", Numbers(["x"], missing=0.0)), ("m", DecisionTreeRegressor(random_state=0))])
        tree.fit(learned, [0.0, 0.0, 1.0])
        example = pd.DataFrame({"x": [0.5, 1.5]})
        export_model(Model(pipeline=tree, example=example, target="z"), tmp_path / name)
    rows = stored(TABLE, pa.table({"x": [1.0, 5.25, 9.0]}), tmp_path / "rows") / "table.parquet"
    assert compare(MODEL, tmp_path / "five", tmp_path / "four", tolerance=0.0).within
    found = compare(MODEL, tmp_path / "five", tmp_path / "four", tolerance=0.5, rows=[rows])
    assert (found.within, found.largest) == (False, 1.0)
    said = "rows of rows/table.parquet: 1 of 3 predictions differ, most of all in row 1: 0.0 → 1.0 (relative 1)"
    assert found.differences[0] == said


def test_a_table_to_predict_on_that_can_not_be_read_is_said(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "table.parquet").write_bytes(b"nonsense")
    found = compare(MODEL, exported / "one", exported / "same", tolerance=1.0, rows=[tmp_path / "table.parquet"])
    assert not found.within
    assert "can't be read, to predict on its rows" in only(found)


def test_models_of_other_columns_are_not_the_same(exported: Path) -> None:
    found = compare(MODEL, exported / "one", exported / "wider", tolerance=1e9)
    assert not found.within
    assert found.differences[0] == "only one of the models needs the column 'w'"


def test_a_model_that_can_not_be_loaded_here_is_compared_by_its_recorded_predictions(
    exported: Path, tmp_path: Path
) -> None:
    other = by_other_code(copied(exported, "near", tmp_path))
    found = compare(MODEL, exported / "one", other, tolerance=1e-5)
    assert found.within
    assert found.largest == pytest.approx(1e-6, rel=1e-3)
    assert "golden rows: " in found.differences[0]
    assert (
        "only the golden predictions recorded at export are compared: near was made with" in found.differences[1]
    )
    assert not compare(MODEL, other, exported / "one", tolerance=1e-7).within


@pytest.mark.parametrize(
    ("golden", "said"),
    [
        ({"rows": []}, "the golden rows differ, so that"),
        ({"predictions": []}, "0 predictions instead of"),
        ({"predictions": ["nonsense"]}, "the reproduced model is damaged"),
        ({"rows": 5}, "the reproduced model is damaged"),
    ],
)
def test_without_the_same_golden_rows_nothing_is_within(
    golden: dict[str, Any], said: str, exported: Path, tmp_path: Path
) -> None:
    other = by_other_code(copied(exported, "same", tmp_path), **golden)
    found = compare(MODEL, exported / "one", other, tolerance=1e9)
    assert not found.within
    assert said in found.differences[0]


@pytest.mark.parametrize("file", ["inference.skops", "golden.json", "relet.json", "input_example.json"])
@pytest.mark.parametrize("damage", [name for name in DAMAGES if name != "two"])
def test_a_damaged_model_is_not_within_though_its_golden_predictions_are_equal(
    file: str, damage: str, exported: Path, tmp_path: Path
) -> None:
    folder = copied(exported, "same", tmp_path)
    DAMAGES[damage](folder / file)
    found = compare(MODEL, exported / "one", folder, tolerance=1e9)
    assert not found.within
    assert found.differences[0].startswith(
        ("the reproduced model is damaged", "the reproduced model has no folder")
    )
    assert not compare(MODEL, folder, exported / "one", tolerance=1e9).within


def test_whatever_makes_a_reader_stumble_is_a_model_that_can_not_be_loaded(exported: Path, tmp_path: Path) -> None:
    folder = copied(exported, "same", tmp_path)
    about = json.loads((folder / "relet.json").read_text())
    del about["code"]
    (folder / "relet.json").write_text(json.dumps(about))
    found = compare(MODEL, exported / "one", folder, tolerance=1e9)
    assert "same can't be loaded: KeyError" in found.differences[0]
