"""Report on a segregation: sizes, shares of each stratum, and leaks between parts."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from relet.core.artifact import Check, Verdict
from relet.core.wording import count
from relet.segregation.columns import check_columns, codes_of, columns_of, in_one_order
from relet.segregation.leaks import Leak, leak_of_column, leak_of_rows

if TYPE_CHECKING:
    from relet.segregation.assignment import Assignment
    from relet.segregation.rule import Rule

# Two-sided 99%: of a hundred correct strata one lies outside.
CHANCE = 2.576
# A probability below this is not explained by a hash alone.
SURPRISE = 0.001
# How many reasons a failed verdict names; the checks hold all of them.
MOST_REASONS = 3
MISSING = "(missing)"


@dataclass(frozen=True, kw_only=True)
class SegregationReport:
    """The facts of a segregation.

    Counts are rows by the parts' names, in order, the test part last. `asked` are the requested shares; `strata`
    has the rows of each value of `stratify_by` in each part (none where all values are missing); `spans` has the
    oldest and newest `time_by` of each part that has one, `undated` the rows without it. `keys`, `twins` and
    `groups` are the leaks: the same `key`, the same row except for its key, the same `group_by` (None: not looked
    for).
    """

    rule: Rule
    asked: Mapping[str, float]
    sizes: Mapping[str, int]
    strata: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    spans: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    undated: int = 0
    keys: Leak | None = None
    twins: Leak | None = None
    groups: Leak | None = None

    def share(self, name: str) -> float:
        """The share that a part has of all rows."""
        return self.sizes[name] / max(1, sum(self.sizes.values()))

    def verdict(self) -> Verdict:
        """The verdict on the segregation.

        It fails where the method's promise is broken: an empty part; the same key on both sides; the same group,
        where groups should stay together; times that overlap; and, when stratified, a stratum that is absent from
        a part although it has rows enough (two by its share; by hash or by group, so many that chance hardly
        explains it). Other leaks are reported and fail nothing: a random split has hosts on both sides.
        """
        checks = tuple(_report_checks(self))
        broken = [check.message for check in checks if not check.passed]
        more = [f"and {len(broken) - MOST_REASONS} more"] if len(broken) > MOST_REASONS else []
        reason = "; ".join([*broken[:MOST_REASONS], *more, _report_sentence(self)])
        return Verdict(passed=not broken, reason=reason, checks=checks)


def report_on(table: Any, assignment: Assignment) -> SegregationReport:
    """Report on an assignment of the rows of a table.

    Raises SettingError for a column that the rule names and the table lacks.

    >>> import pyarrow as pa
    >>> from relet.segregation import Rule, assign
    >>> table = pa.table({"id": range(1000), "host": [1, 2] * 500})
    >>> rule = Rule(method="random", group_by="host")
    >>> report = report_on(table, assign(table, {"train": None, "test": 0.2}, rule))
    >>> report.verdict().reason.partition("; ")[2]
    'on both sides: 0 ids, 200 rows equal but for the id, 2 hosts (100.0% of test)'
    """
    rule = assignment.rule
    table = in_one_order(table)
    check_columns(table, key=rule.key, stratify_by=rule.stratify_by, group_by=rule.group_by, time_by=rule.time_by)
    # most of the time goes into hashing and sorting, during which other threads can run
    with ThreadPoolExecutor(1, thread_name_prefix="relet-leaks") as beside:
        twins = beside.submit(leak_of_rows, table, assignment, but_for=rule.key)
        keys = leak_of_column(table, rule.key, assignment) if rule.key else None
        groups = leak_of_column(table, rule.group_by, assignment) if rule.group_by else None
        spans, undated = _time_spans(table, assignment) if rule.time_by else ({}, 0)
        return SegregationReport(
            rule=rule,
            asked=assignment.shares,
            sizes=assignment.sizes,
            strata=_rows_by_stratum(table, assignment) if rule.stratify_by else {},
            spans=spans,
            undated=undated,
            keys=keys,
            twins=twins.result(),
            groups=groups,
        )


def _rows_by_stratum(table: Any, assignment: Assignment) -> dict[str, dict[str, int]]:
    import numpy as np

    name = assignment.rule.stratify_by or ""
    codes, values = codes_of(columns_of(table, [name]).column(name))
    if all(value is None for value in values):
        return {}
    parts = len(assignment.names)
    counts = np.bincount(codes * parts + assignment.of_row, minlength=len(values) * parts).reshape(-1, parts)
    missing = MISSING
    while missing in values:  # text that reads like the word for missing is not missing
        missing = f"{missing}*"
    return {
        missing if value is None else str(value): dict(zip(assignment.names, row, strict=True))
        for value, row in zip(values, counts.tolist(), strict=True)
    }


def _time_spans(table: Any, assignment: Assignment) -> tuple[dict[str, tuple[Any, Any]], int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    name = assignment.rule.time_by or ""
    column = columns_of(table, [name]).column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    found = {}
    for part in assignment.names:
        ends = pc.min_max(column.filter(pa.array(assignment.rows(part)))).as_py()
        if ends["min"] is not None:
            found[part] = (ends["min"], ends["max"])
    return found, int(column.null_count)


def _report_checks(report: SegregationReport) -> Iterator[Check]:
    yield _size_check(report)
    yield from _stratum_checks(report)
    if report.spans:
        yield _time_check(report)
    rule = report.rule
    if report.keys is not None:
        yield _both_sides_check(_value_nouns(rule.key), report.keys, report, promised=True)
    if report.twins is not None:
        yield _both_sides_check(_twin_nouns(rule), report.twins, report, promised=False)
    if report.groups is not None:
        promised = rule.method == "by_group"
        yield _both_sides_check(_value_nouns(rule.group_by), report.groups, report, promised=promised)


def _size_check(report: SegregationReport) -> Check:
    empty = [name for name, rows in report.sizes.items() if not rows]
    told = ", ".join(
        f"{name} {rows:,} rows ({report.share(name):.1%}, {report.asked[name]:.1%} asked for)"
        for name, rows in report.sizes.items()
    )
    message = f"no row came to {' and '.join(empty)}; set a greater share, or another method" if empty else told
    measured = {"rows": dict(report.sizes), "asked": dict(report.asked)}
    return Check(name="sizes", passed=not empty, message=message, measured=measured)


def _stratum_checks(report: SegregationReport) -> Iterator[Check]:
    """One check for each stratum."""
    column, rule = report.rule.stratify_by, report.rule
    if column and not report.strata:
        message = f"no row has a {column}, which makes no strata"
        yield Check(name=column, passed=True, skipped=True, message=message)
    for value, rows in report.strata.items():
        whole = sum(rows.values())
        told = ", ".join(f"{name} {count / whole:.1%}" for name, count in rows.items())
        if rule.method == "keyed":
            name, share = list(report.asked.items())[-1]
            told += f"; chance allows {name} {share:.1%} ± {CHANCE * math.sqrt(share * (1 - share) / whole):.1%}"
        without = [name for name in rows if _is_missed(report, name, rows)]
        if without:
            told = f"{' and '.join(without)} has none of the {whole:,} rows of {value}; set another stratify_by"
        yield Check(name=f"{column} = {value}", passed=not without, message=told, measured={"rows": dict(rows)})


def _is_missed(report: SegregationReport, name: str, rows: Mapping[str, int]) -> bool:
    """Whether a part should have rows of a stratum and has none. An empty part is reported elsewhere."""
    if rows[name] or not report.sizes[name]:
        return False
    whole, share = sum(rows.values()), report.asked[name]
    match report.rule.method:
        case "by_time" | "by_group":
            # nothing was promised: new rows may come from one place, and a group can't be cut
            return False
        case "keyed":
            return (1 - share) ** whole < SURPRISE
    # to within a row, plus one for a rounded share
    return whole * share >= 2


def _time_check(report: SegregationReport) -> Check:
    told = ", ".join(f"{name} {first} to {last}" for name, (first, last) in report.spans.items())
    if report.undated:
        told += f"; {report.undated:,} rows without {report.rule.time_by}"
        told += f" are in {next(iter(report.sizes))}" if report.rule.method == "by_time" else ""
    spans = list(report.spans.values())
    overlap = any(before[1] >= after[0] for before, after in pairwise(spans))
    broken = report.rule.method == "by_time" and overlap
    return Check(
        name=f"times by {report.rule.time_by}",
        passed=not broken,
        message=f"the parts overlap in time: {told}" if broken else told,
    )


def _both_sides_check(what: tuple[str, str], leak: Leak, report: SegregationReport, *, promised: bool) -> Check:
    broken = promised and leak.values > 0
    name = f"{what[1]} on both sides"
    told = f"{count(leak.values, *what)} on both sides"
    if leak.total:
        told += f": {_leaked_rows_text(leak, report)}"
    if broken:
        told += f" (such as {', '.join(map(str, leak.examples))})"
    shares = {part: rows / max(1, report.sizes[part]) for part, rows in leak.rows.items()}
    measured = {"values": leak.values, "rows": dict(leak.rows), "shares": shares}
    return Check(name=name, passed=not broken, message=told, measured=measured)


def _leaked_rows_text(leak: Leak, report: SegregationReport) -> str:
    return ", ".join(
        f"{rows:,} of {report.sizes[part]:,} rows of {part} ({rows / report.sizes[part]:.1%})"
        for part, rows in leak.rows.items()
        if rows
    )


def _report_sentence(report: SegregationReport) -> str:
    """The facts that a person wants to see on the screen, in one sentence."""
    parts = [
        f"{name} {rows:,}{' rows' if not place else ''} ({report.share(name):.1%})"
        for place, (name, rows) in enumerate(report.sizes.items())
    ]
    told = [", ".join(parts)]
    if report.strata:
        told.append(_strata_range(report))
    if report.rule.method == "by_time":
        told.append(_time_check(report).message)
    shared = list(_leaks_in_words(report))
    if shared:
        told.append(f"on both sides: {', '.join(shared)}")
    return "; ".join(told)


def _strata_range(report: SegregationReport) -> str:
    """The last part's share of the strata, from the lowest to the highest."""
    last = list(report.sizes)[-1]
    shares = {value: rows[last] / max(1, sum(rows.values())) for value, rows in report.strata.items()}
    in_order = sorted(shares, key=lambda value: (shares[value], value))
    ends = dict.fromkeys((in_order[0], in_order[-1]))
    return f"{last} has " + " … ".join(f"{shares[value]:.1%} of {value}" for value in ends)


def _leaks_in_words(report: SegregationReport) -> Iterator[str]:
    rule = report.rule
    if report.keys is not None:
        yield count(report.keys.values, *_value_nouns(rule.key))
    if report.twins is not None:
        yield count(report.twins.total, *_twin_nouns(rule))
    if report.groups is not None:
        last = list(report.sizes)[-1]
        share = report.groups.rows[last] / max(1, report.sizes[last])
        of_last = f" ({share:.1%} of {last})" if report.groups.values else ""
        yield f"{count(report.groups.values, *_value_nouns(rule.group_by))}{of_last}"


def _twin_nouns(rule: Rule) -> tuple[str, str]:
    """The noun for rows on both sides, singular and plural."""
    but_for = f" equal but for the {rule.key}" if rule.key else ""
    return f"row{but_for}", f"rows{but_for}"


def _value_nouns(column: str | None) -> tuple[str, str]:
    """The noun for a column's values, singular and plural: host and hosts for host_id."""
    name = (column or "").removesuffix("_id")
    return (name, f"{name}s") if not name.endswith("s") else (f"value of {column}", f"values of {column}")
