"""The tests of a batch read by cell: the most surprising first, each beside its floor."""

from __future__ import annotations

from typing import Any

import pytest

from relet.core.artifact import Check, Verdict
from relet.report.verdict import verdict_html, verdict_words
from tests.unit.report.reading import drawing_of, read_part


def test_each_measured_test_is_a_row_and_the_most_surprising_come_first() -> None:
    def check(name: str, passed: bool, **measured: Any) -> Check:
        return Check(name=name, passed=passed, measured=measured)

    checks = (
        check("test_b", True, effect=0.01, floor=0.1, p_value=0.001, adjusted=0.03, alpha=0.05),
        check("test_a", True, effect=0.04, floor=0.1, p_value=0.4, adjusted=0.9, alpha=0.05, detectable=0.2),
        check("test_c", False, effect=0.3, floor=0.1, p_value=1e-9, adjusted=2e-8, alpha=0.05, effect_name="KS"),
        check("test_d", False, effect=-0.25, floor=0.1, adjusted=0.05, alpha=0.05, test="chi"),
        check("test_e", True, effect=0.01, floor=0.0, p_value=0.5),
        check("test_f", True, adjusted=0.05, alpha=0.05),
    )
    part = read_part(verdict_html(Verdict(passed=False, reason="", checks=checks)))
    (table,) = part.tables
    assert [tuple(row.values())[:2] for row in table.rows] == [
        ("c", "failed"),
        ("d", "failed"),
        ("b", "below its floor"),
        ("f", "below its floor"),
        ("a", "passed"),
        ("e", "passed"),
    ]
    assert tuple(table.rows[0].values()) == ("c", "failed", "0.3", "0.1", "< 0.0001", "< 0.0001", "–", "KS")
    assert tuple(table.rows[1].values()) == ("d", "failed", "−0.25", "0.1", "–", "0.05", "–", "chi")
    assert tuple(table.rows[4].values()) == ("a", "passed", "0.04", "0.1", "0.4", "0.9", "0.2", "")
    found = drawing_of(part, "Each effect as a multiple of its floor")
    assert [(each.words) for each in found.texts if each.anchor == "end"] == ["c", "d", "a", "b"]
    assert [each.kind for each in found.dots] == ["s1", "s1", "s0", "s0"]
    assert [each.tip for each in found.dots] == ["3", "2.5", "0.4", "0.1"]


def test_what_failed_shows_the_rows_that_speak_against_it() -> None:
    rows = tuple({f"c{n}": n for n in range(9)} | {"d": None} for _ in range(2))
    checks = (
        Check(name="test_prices", passed=False, message="2 are negative", rows=rows),
        Check(name="test_ids", passed=True, message="all differ"),
        Check(name="test_names", passed=True),
    )
    part = read_part(verdict_html(Verdict(passed=False, reason="", checks=checks)))
    assert part.said[:2] == ["1 test failed, 2 passed.", "failed prices: 2 are negative"]
    assert part.tables[0].columns == tuple(f"c{n}" for n in range(8)) and len(part.tables[0].rows) == 2
    assert part.folds["2 deterministic tests passed"].facts == {"ids": "all differ", "names": "passed"}
    assert [each.get("class") for each in part.elements("span")] == ["mark bad"]


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        ((True,), "The one test passed."),
        ((True, True), "All 2 tests passed."),
        ((False,), "1 test failed, 0 passed."),
        ((False, False, True), "2 tests failed, 1 passed."),
        ((), "It names no single test."),
    ],
)
def test_a_verdict_counts_its_tests(passed: tuple[bool, ...], words: str) -> None:
    checks = tuple(Check(name=f"test_{n}", passed=each) for n, each in enumerate(passed))
    assert read_part(verdict_html(Verdict(passed=all(passed), reason="", checks=checks))).said[0] == words


def test_a_test_that_was_skipped_is_counted_apart_with_its_reason() -> None:
    checks = (
        Check(name="test_a", passed=True),
        Check(name="test_b", passed=True, skipped=True, message="the file has no <price>"),
    )
    part = read_part(verdict_html(Verdict(passed=True, reason="", checks=checks)))
    assert part.said[:2] == ["1 test passed, 1 skipped.", "skipped b: the file has no <price>"]
    assert part.folds["1 deterministic test passed"].facts == {"a": "passed"}
    worse = Verdict(passed=False, reason="", checks=(*checks, Check(name="test_c", passed=False)))
    assert read_part(verdict_html(worse)).said[0] == "1 test failed, 1 passed, 1 skipped."


def test_a_no_names_three_tests_and_counts_the_others() -> None:
    def told(failed: int) -> str:
        checks = tuple(Check(name=f"test_{n}", passed=n >= failed) for n in range(5))
        return verdict_words(Verdict(passed=not failed, reason="", checks=checks))

    assert told(3) == "The tests say no: 3 of 5 tests failed: 0, 1, 2."
    assert told(4) == "The tests say no: 4 of 5 tests failed: 0, 1, 2 and 1 more."
    assert told(0) == "The tests say yes: 5 tests."
