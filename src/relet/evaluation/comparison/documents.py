"""Compare artifacts stored as JSON or SVG text: metrics, verdicts and figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from relet.core.artifact import Check, Verdict
from relet.errors import BadDataError
from relet.evaluation.comparison.numbers import gap_words, is_within, relative_gap
from relet.evaluation.comparison.outcome import Difference, cut_text, only_file
from relet.evaluation.comparison.text import compare_parts, drawing_parts, number_hashed_names, prose_parts


def compare_metrics(recorded: Path, reproduced: Path, tolerance: float | None) -> Iterator[Difference]:
    """Compare metrics by name, and curves point by point, their steps exactly."""
    old, new = _read_metrics(recorded, "recorded"), _read_metrics(reproduced, "reproduced")
    for name in [name for name in old if name not in new]:
        yield Difference(f"{name} is missing; it was {old[name]!r}")
    for name in [name for name in new if name not in old]:
        yield Difference(f"{name} is new: {new[name]!r}")
    for name in [name for name in old if name in new]:
        compare = _compare_values if isinstance(old[name], dict) else _compare_numbers
        yield from compare(name, old[name], new[name], tolerance)


def compare_figures(recorded: Path, reproduced: Path, tolerance: float | None) -> Iterator[Difference]:
    """Compare SVG: the text around the numbers has to be equal, except for names that matplotlib makes from
    hashes. A figure that is a page is compared as text.
    """
    kinds = [only_file(recorded, "recorded").suffix, only_file(reproduced, "reproduced").suffix]
    if kinds[0] != kinds[1]:
        yield Difference(f"the figure is {kinds[1]} instead of {kinds[0]}")
        return
    if kinds[0] == ".html":
        yield from compare_texts(recorded, reproduced, tolerance, what="the page")
        return
    old, new = _document_text(recorded, "recorded"), _document_text(reproduced, "reproduced")
    found = list(
        compare_parts(
            "the drawing",
            drawing_parts(number_hashed_names(old)),
            drawing_parts(number_hashed_names(new)),
            tolerance,
        )
    )
    if not found and old != new:
        found = [Difference("only names that are made by hashing differ", 0.0, is_within(0.0, tolerance))]
    yield from found


def compare_texts(
    recorded: Path, reproduced: Path, tolerance: float | None, what: str = "the text"
) -> Iterator[Difference]:
    """Compare text: its words exactly, the numbers in it by tolerance."""
    old, new = _document_text(recorded, "recorded"), _document_text(reproduced, "reproduced")
    found = list(compare_parts(what, prose_parts(old), prose_parts(new), tolerance)) if old != new else []
    if not found and old != new:
        found = [Difference(f"{what} differs in the ends of its lines")]
    yield from found


def compare_documents(recorded: Path, reproduced: Path, tolerance: float | None) -> Iterator[Difference]:
    """Compare JSON documents entry by entry: floats by tolerance, everything else exactly."""
    old, new = _document_json(recorded, "recorded"), _document_json(reproduced, "reproduced")
    yield from _compare_entries("", old, new, tolerance)


def _compare_entries(place: str, old: Any, new: Any, tolerance: float | None) -> Iterator[Difference]:
    what = cut_text(place or "the document")
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [name for name in old if name not in new]:
            yield Difference(f"{what} has no {name!r}; it was {_json_value_text(old[name])}")
        for name in [name for name in new if name not in old]:
            yield Difference(f"{what} has a new {name!r}: {_json_value_text(new[name])}")
        for name in [name for name in old if name in new]:
            yield from _compare_entries(f"{place}[{name!r}]", old[name], new[name], tolerance)
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            yield Difference(f"{what} has {len(new):,} entries instead of {len(old):,}")
        for number, (one, other) in enumerate(zip(old, new, strict=False)):
            yield from _compare_entries(f"{place}[{number}]", one, other, tolerance)
    elif type(old) in (int, float) and type(new) in (int, float) and old == new and repr(old) != repr(new):
        yield Difference(f"{what}: {old!r} → {new!r}", 0.0, is_within(0.0, tolerance))
    else:
        yield from _compare_values(what, old, new, tolerance)


def compare_verdicts(recorded: Path, reproduced: Path, tolerance: float | None) -> Iterator[Difference]:
    """Compare verdicts: the same checks with the same answers. Numbers, also those in sentences, by tolerance."""
    old, new = _read_verdict(recorded, "recorded"), _read_verdict(reproduced, "reproduced")
    yield from _compare_answers("the verdict", old.passed, new.passed)
    yield from compare_parts("the reason", prose_parts(old.reason), prose_parts(new.reason), tolerance)
    yield from _compare_check_names([check.name for check in old.checks], [check.name for check in new.checks])
    made_again = _checks_by_name(new.checks)
    for place, check in _checks_by_name(old.checks).items():
        if place in made_again:
            yield from _compare_checks(check, made_again[place], tolerance)


def _compare_checks(old: Check, new: Check, tolerance: float | None) -> Iterator[Difference]:
    yield from _compare_answers(old.name, old.passed, new.passed)
    if old.skipped != new.skipped:
        yield Difference(f"{old.name}: {_look_word(old)} → {_look_word(new)}")
    yield from compare_parts(
        f"message of {old.name}", prose_parts(old.message), prose_parts(new.message), tolerance
    )
    yield from _compare_numbers(f"p-value of {old.name}", old.p_value, new.p_value, tolerance)
    yield from _compare_values(f"rows of {old.name}", list(old.rows), list(new.rows), tolerance)
    yield from _compare_values(
        f"measured by {old.name}", _measured_without_sentence(old), _measured_without_sentence(new), tolerance
    )


def _measured_without_sentence(check: Check) -> dict[str, Any]:
    """The measurement of a check without its sentence: that is the check's message, which is compared as prose."""
    return {name: value for name, value in check.measured.items() if name != "sentence"}


def _compare_answers(what: str, old: bool, new: bool) -> Iterator[Difference]:
    if old != new:
        yield Difference(f"{what}: {_answer_word(old)} → {_answer_word(new)}")


def _answer_word(passed: bool) -> str:
    return "passed" if passed else "failed"


def _look_word(check: Check) -> str:
    return "skipped" if check.skipped else "looked at the rows"


def _compare_check_names(old: list[str], new: list[str]) -> Iterator[Difference]:
    for name in (Counter(old) - Counter(new)).elements():
        yield Difference(f"the check {name!r} is missing")
    for name in (Counter(new) - Counter(old)).elements():
        yield Difference(f"the check {name!r} is new")
    if old != new and Counter(old) == Counter(new):
        yield Difference("the checks come in another order")


def _checks_by_name(checks: tuple[Check, ...]) -> dict[tuple[str, int], Check]:
    """Checks by name and by how many checks of that name came before."""
    seen: Counter[str] = Counter()
    found = {}
    for check in checks:
        found[check.name, seen[check.name]] = check
        seen[check.name] += 1
    return found


def _compare_values(what: str, old: Any, new: Any, tolerance: float | None) -> Iterator[Difference]:
    """Compare nested JSON values: whole numbers and text exactly, other numbers by tolerance."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for name in old:
            yield from _compare_values(cut_text(f"{what}, {name}"), old[name], new[name], tolerance)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, pair in enumerate(zip(old, new, strict=True)):
            yield from _compare_values(cut_text(f"{what}, {number}"), *pair, tolerance)
    elif isinstance(old, float) or isinstance(new, float):
        yield from _compare_numbers(what, old, new, tolerance)
    elif type(old) is not type(new) or old != new:
        yield Difference(f"{what}: {_json_value_text(old)} → {_json_value_text(new)}")


def _compare_numbers(what: str, old: Any, new: Any, tolerance: float | None) -> Iterator[Difference]:
    if not all(value is None or type(value) in (int, float) for value in (old, new)):
        if type(old) is not type(new) or old != new:
            yield Difference(f"{what}: {_json_value_text(old)} → {_json_value_text(new)}")
        return
    apart = relative_gap(old, new)
    if apart:
        sentence = f"{what}: {_json_value_text(old)} → {_json_value_text(new)} ({gap_words(apart)})"
        yield Difference(sentence, apart, is_within(apart, tolerance))


def _json_value_text(value: Any) -> str:
    return "null" if value is None else cut_text(repr(value))


def _document_text(folder: Path, side: str) -> str:
    path = only_file(folder, side)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadDataError(f"the {side} {path.name} is no text: {error}") from error


def _document_json(folder: Path, side: str) -> Any:
    try:
        return json.loads(_document_text(folder, side))
    except (ValueError, RecursionError) as error:
        raise BadDataError(f"the {side} {only_file(folder, side).name} is damaged: {error}") from error


def _read_metrics(folder: Path, side: str) -> dict[str, Any]:
    stored = _document_json(folder, side)
    if not isinstance(stored, dict):
        raise BadDataError(f"the {side} metrics are damaged: names with numbers were expected")
    return stored


def _read_verdict(folder: Path, side: str) -> Verdict:
    try:
        verdict = Verdict.from_json(_document_json(folder, side))
        texts = [verdict.reason, *(text for check in verdict.checks for text in (check.name, check.message))]
        flags = [verdict.passed, *(flag for check in verdict.checks for flag in (check.passed, check.skipped))]
    except (KeyError, TypeError) as error:
        raise BadDataError(f"the {side} verdict is damaged: {error}") from error
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(flag, bool) for flag in flags):
        raise BadDataError(f"the {side} verdict is damaged: text and answers were expected")
    return verdict
