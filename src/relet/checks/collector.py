"""A pytest plugin that turns the report of each test into a check."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from relet.checks.family import JudgedOutcome, SubmittedOutcome
from relet.checks.fixtures import HANDED_IN, REFERENCE
from relet.core.artifact import Check


class CheckCollector:
    """Gathers one check per test, and one per file that can't be collected.

    A test's `record_property("p_value", …)` becomes the check's p-value. A skipped test, or file, is a check that
    says so, with its reason. The outcomes that tests hand in are judged once, at the end, as one family.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self._found: dict[str, Check] = {}
        self._says: dict[str, str] = {}
        self._comparing: set[str] = set()

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks of all tests, before the family is judged."""
        return tuple(self._found.values())

    def judged(self, judged: Iterable[JudgedOutcome]) -> tuple[Check, ...]:
        """The checks, joined with the judgement on the outcomes that each test handed in."""
        of_node: dict[str, list[JudgedOutcome]] = {}
        for each in judged:
            of_node.setdefault(each.node, []).append(each)
        return tuple(
            check for node, found in self._found.items() for check in _checks_of_test(found, of_node.get(node, []))
        )

    @property
    def complete(self) -> bool:
        """Whether every test that was collected has been run."""
        return self._says.keys() <= self._found.keys()

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        documented = getattr(getattr(item, "obj", None), "__doc__", None) or ""
        self._says[item.nodeid] = documented.strip().partition("\n")[0]
        if REFERENCE in getattr(item, "fixturenames", ()):
            self._comparing.add(item.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        name = report.nodeid or "collection"
        if report.failed:
            self._found[name] = Check(name=name, passed=False, message=f"can't be collected: {_last_line(report)}")
        elif report.skipped:
            self._found[name] = Check(name=name, passed=True, skipped=True, message=_skip_reason(report))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        before = self._found.get(report.nodeid)
        if (before and not before.passed) or (report.passed and report.when != "call"):
            return
        if report.skipped and not hasattr(report, "wasxfail"):
            name = _short_test_name(report.nodeid)
            self._found[report.nodeid] = Check(name=name, passed=True, skipped=True, message=_skip_reason(report))
            return
        properties = dict(report.user_properties)
        p_value: Any = properties.get("p_value")
        self._found[report.nodeid] = Check(
            name=_short_test_name(report.nodeid),
            passed=report.passed,
            message=self._says.get(report.nodeid, "") if report.passed else _why_not_passed(report),
            rows=tuple(properties.get("rows", ())),  # type: ignore[arg-type]
            p_value=None if p_value is None else float(p_value),
            compared=not report.passed and report.nodeid in self._comparing,
        )

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.interrupted = excinfo.type is KeyboardInterrupt


class OutcomeCollector:
    """Gathers the outcomes that the tests of a session hand in.

    It is a plugin of its own, so that it works under xdist too.
    """

    def __init__(self) -> None:
        self._entries: dict[str, list[SubmittedOutcome]] = {}

    @property
    def entries(self) -> list[SubmittedOutcome]:
        return [entry for entries in self._entries.values() for entry in entries]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # each phase of a test reports everything that was handed in so far
        found = [SubmittedOutcome.from_json(value) for name, value in report.user_properties if name == HANDED_IN]  # type: ignore[arg-type]
        if found:
            self._entries[report.nodeid] = found


def _checks_of_test(check: Check, judged: list[JudgedOutcome]) -> Iterator[Check]:
    """The check of a test with its measurement.

    A test that handed in several outcomes has its own check and one for each.
    """
    if len(judged) != 1:
        yield check
        for each in judged:
            yield _measured_check(f"{check.name}: {each.outcome.test} of {each.outcome.column}", each)
        return
    found = _measured_check(check.name, judged[0])
    if not check.passed:
        found = replace(found, passed=False, message=check.message, rows=check.rows, compared=check.compared)
    yield found


def _measured_check(name: str, judged: JudgedOutcome) -> Check:
    measured = judged.measured()
    return Check(
        name=name,
        passed=not judged.rejected,
        message=judged.sentence,
        p_value=measured["p_value"],
        measured=measured,
    )


def _short_test_name(node: str) -> str:
    """The test's name without its file, and with its class where it has one.

    >>> _short_test_name("test_listings.py::test_borough[Bronx]")
    'test_borough[Bronx]'
    """
    return node.partition("::")[2] or node


def _why_not_passed(report: pytest.TestReport) -> str:
    """Why a test did not pass, in one line that is the same in every process."""
    if report.skipped:
        return f"expected to fail, and it did: {getattr(report, 'wasxfail', '') or 'no reason was given'}"
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash else report.longrepr).strip()
    said = text.partition("\n")[0].removeprefix("AssertionError: ").removeprefix("Failed: ")
    when = "" if report.when == "call" else f"in its {report.when}: "
    return when + re.sub(r" at 0x[0-9a-fA-F]+", "", said)


def _skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    return str(reason).removeprefix("Skipped: ").partition("\n")[0] or "no reason was given"


def _last_line(report: pytest.CollectReport) -> str:
    lines = [line for line in str(report.longrepr).splitlines() if line.strip()]
    return re.sub(r"^E\s+", "", lines[-1]) if lines else "no reason was given"
