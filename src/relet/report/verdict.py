"""The results of data tests for a page: the verdict first, then each test with its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from relet.core.artifact import Check, Verdict
from relet.report.charts.categories import dots
from relet.report.columns import value_words
from relet.report.elements import charts, facts, fold_away, mark, paragraph, table
from relet.report.markup import NOTHING, PageMarkup, element
from relet.report.wording import count, shorten

# How many columns of an offending row are shown, and how many failed tests the verdict names.
COLUMNS, NAMED = 8, 3


def verdict_words(verdict: Verdict) -> str:
    """The verdict in one sentence: its reason, or the tests that failed.

    >>> verdict_words(Verdict(passed=True, reason="14 passed, family-wise p 0.61"))
    'The tests say yes: 14 passed, family-wise p 0.61.'
    """
    failed = [name_words(each.name) for each in verdict.failed]
    if failed and not verdict.passed:
        named = ", ".join(failed[:NAMED]) + (f" and {len(failed) - NAMED} more" if len(failed) > NAMED else "")
        return f"The tests say no: {len(failed):,} of {count(len(verdict.checks), 'test')} failed: {named}."
    reason = verdict.reason.rstrip(".") or count(len(verdict.checks), "test")
    return f"The tests say {'yes' if verdict.passed else 'no'}: {reason}."


def verdict_banner(verdict: Verdict) -> PageMarkup:
    """The verdict's sentence, in colour."""
    return paragraph(verdict_words(verdict), f"verdict {'good' if verdict.passed else 'bad'}")


def verdict_html(verdict: Verdict) -> PageMarkup:
    """The failed tests with their offending rows, those that were skipped, the non-deterministic tests, and the
    tests that passed.
    """
    measured = [each for each in verdict.checks if each.measured]
    plain = [each for each in verdict.checks if each.passed and not (each.measured or each.skipped)]
    parts = [paragraph(_test_counts(len(verdict.failed), len(verdict.skipped), len(verdict.checks)))]
    parts += [_failed_test_html(each) for each in verdict.failed]
    parts += [_skipped_test_html(each) for each in verdict.skipped]
    if measured:
        parts.append(_measured_tests_html(measured))
    if plain:
        title = f"{count(len(plain), 'deterministic test')} passed"
        parts.append(fold_away(title, facts({name_words(each.name): each.message or "passed" for each in plain})))
    return NOTHING.join(parts)


def _test_counts(failed: int, skipped: int, every: int) -> str:
    if not every:
        return "It names no single test."
    if not failed and not skipped:
        return f"All {count(every, 'test')} passed." if every > 1 else "The one test passed."
    counts = {"failed": failed, "passed": every - failed - skipped, "skipped": skipped}
    told = [(each, word) for word, each in counts.items() if each or word == "passed"]
    (first, word), *others = told
    return ", ".join([f"{count(first, 'test')} {word}", *(f"{each:,} {word}" for each, word in others)]) + "."


def name_words(name: str) -> str:
    """A test's name as a sentence: without its file, and without `test_`.

    >>> name_words("checks/test_listings.py::test_prices_lie_in_bounds[low]")
    'prices lie in bounds [low]'
    """
    words = name.rpartition("::")[2].removeprefix("test_").replace("_", " ")
    return words.replace("[", " [", 1) if "[" in words and " [" not in words else words


def _failed_test_html(check: Check) -> PageMarkup:
    html = element("p", mark("failed", "bad"), f" {name_words(check.name)}: {_check_sentence(check)}")
    if check.rows:
        columns = list(dict.fromkeys(name for row in check.rows for name in row))[:COLUMNS]
        rows = [[_plain_value(row.get(name)) for name in columns] for row in check.rows]
        html += table(columns, rows)
    return html


def _skipped_test_html(check: Check) -> PageMarkup:
    return element("p", mark("skipped", "odd"), f" {name_words(check.name)}: {check.message}")


def _plain_value(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _measured_tests_html(checks: Iterable[Check]) -> PageMarkup:
    """A row for each non-deterministic test: the failed ones first, then by their adjusted p-values."""
    ordered = sorted(
        checks, key=lambda check: (check.passed, _number_or(check.measured.get("adjusted"), 2.0), check.name)
    )
    note = (
        "A test fails if what it measured would be too surprising by chance (its p-value, adjusted for how many "
        "tests there are) and its effect reaches the floor below which nobody would care; one without a p-value "
        "fails above its floor."
    )
    parts = [element("h3", "Non-deterministic tests"), paragraph(note, "faint")]
    if ratios := _ordered_floor_ratios(ordered):
        title = "Each effect as a multiple of its floor"
        parts.append(charts([dots(ratios, title=title, mark_label="floor")]))
    head = ["test", "", "effect", "floor", "p-value", "adjusted", "seen with 80% power", "effect in terms of"]
    parts.append(table(head, [_check_cells(check) for check in ordered]))
    sentences = {name_words(check.name): PageMarkup.escape(_check_sentence(check)) for check in ordered}
    parts.append(fold_away("Each of them in a sentence", facts(sentences)))
    return NOTHING.join(parts)


def _check_sentence(check: Check) -> str:
    return str(check.measured.get("sentence") or check.message or ("passed" if check.passed else "failed"))


def _check_cells(check: Check) -> list[object]:
    found = check.measured
    passed = mark("passed", "good") if check.passed else mark("failed", "bad")
    surprising = _number_or(found.get("adjusted"), 2.0) <= _number_or(found.get("alpha"), 0.0)
    verdict = mark("below its floor", "odd") if check.passed and surprising else passed
    return [
        name_words(check.name),
        verdict,
        _rounded_words(found.get("effect")),
        _rounded_words(found.get("floor")),
        p_words(found.get("p_value", check.p_value)),
        p_words(found.get("adjusted")),
        _rounded_words(found.get("detectable")),
        shorten(str(found.get("effect_name") or found.get("test") or ""), 40),
    ]


def p_words(value: Any) -> str | None:
    """A p-value as a person reads it.

    >>> p_words(0.0312), p_words(1e-12), p_words(None)
    ('0.031', '< 0.0001', None)
    """
    if not isinstance(value, int | float) or math.isnan(value):
        return None
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}" if value < 0.995 else "1"


def _rounded_words(value: Any) -> str | None:
    if isinstance(value, bool) or value is None:
        return None
    return value_words(round(value, 4) if isinstance(value, float) and math.isfinite(value) else value)


def _ordered_floor_ratios(checks: Iterable[Check]) -> dict[str, float]:
    return dict(sorted(_floor_ratios(checks), key=lambda each: -each[1]))


def _floor_ratios(checks: Iterable[Check]) -> Iterator[tuple[str, float]]:
    for check in checks:
        effect, floor = (
            _number_or(check.measured.get("effect"), math.nan),
            _number_or(check.measured.get("floor"), 0.0),
        )
        if floor > 0 and math.isfinite(effect / floor):
            yield name_words(check.name), abs(effect) / floor


def _number_or(value: Any, default: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default
