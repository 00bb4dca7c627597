"""How what was made again is compared with what was recorded: what is within a tolerance, and what is said."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.core.artifact import ArtifactType, Check, Curve, Figure, Verdict
from relet.evaluation.comparison import Comparison, compare
from tests.unit.evaluation.comparing import (
    DAMAGES,
    FIGURE,
    FILE,
    FOLDER,
    METRICS,
    NOTHING,
    TABLE,
    VERDICT,
    compared,
    only,
    stored,
    verdict,
)

WHOLE: dict[ArtifactType, Any] = {
    TABLE: pa.table({"a": range(1000)}),
    METRICS: {"mae": 1.0},
    VERDICT: Verdict(passed=True, reason="fine"),
    FIGURE: Figure(svg="<svg>1</svg>"),
    FILE: {"a.txt": b"text"},
    ArtifactType.DOCUMENT: {"a": [1.0, "b"]},
    ArtifactType.ARRAY: np.arange(100.0),
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


@pytest.mark.parametrize("name", ["passed", "skipped"])
def test_an_answer_of_a_check_that_is_none_is_damage(name: str, tmp_path: Path) -> None:
    for side in ("a", "b"):
        stored(VERDICT, verdict(skipped=True), tmp_path / side)
        path = tmp_path / side / "verdict.json"
        changed = json.loads(path.read_text())
        changed["checks"][0][name] = "perhaps"
        path.write_text(json.dumps(changed))
    found = compare(VERDICT, tmp_path / "a", tmp_path / "b", tolerance=1.0)
    assert not found.within and "verdict is damaged" in only(found)


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
        (verdict(skipped=True), False, "r2: looked at the rows → skipped"),
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
