"""Gates: decide whether a model is good enough, with a verdict and its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from relet.core.artifact import Check, Verdict
from relet.evaluation.coverage import IntervalCoverage
from relet.evaluation.metrics import regression

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

# A group with fewer rows is too small to rely on.
SMALLEST_SLICE = 30


def judge_model(
    metrics: dict[str, float],
    *,
    min_r2: float,
    max_worse: float,
    champion: dict[str, float] | None = None,
    intervals: IntervalCoverage | None = None,
    min_coverage: float = 0.0,
    slices: Sequence[Check] = (),
) -> Verdict:
    """The verdict on a model.

    It passes where R² reaches `min_r2`, and the MAE is at most `max_worse` times the champion's, if there is a
    champion. Where the model gives intervals, their coverage has to reach `min_coverage`.
    """
    checks = [_r2_check(metrics, min_r2)]
    if champion is not None:
        checks.append(_champion_check(metrics, champion, max_worse))
    if intervals is not None:
        checks.append(_coverage_check(intervals, min_coverage))
    failed = [check.message for check in checks if not check.passed]
    passed = f"MAE {metrics['mae']:.2f}, R2 {metrics['r2']:.3f}"
    reason = "; ".join(failed) if failed else passed
    return Verdict(passed=not failed, reason=reason, checks=(*checks, *slices))


def _r2_check(metrics: dict[str, float], min_r2: float) -> Check:
    message = f"R2 {metrics['r2']:.3f}, at least {min_r2:g} is asked for"
    return Check(name="r2", passed=metrics["r2"] >= min_r2, message=message)


def _champion_check(metrics: dict[str, float], champion: dict[str, float], max_worse: float) -> Check:
    ratio = metrics["mae"] / champion["mae"] if champion["mae"] else float("inf")
    message = f"MAE {ratio:.3f} times the champion's, at most {max_worse:g} times is asked for"
    return Check(name="champion", passed=ratio <= max_worse, message=message)


def _coverage_check(intervals: IntervalCoverage, min_coverage: float) -> Check:
    message = f"intervals: {intervals}; at least {min_coverage:.0%} inside is asked for"
    return Check(name="coverage", passed=intervals.share >= min_coverage, message=message)


def slice_checks(
    rows: pd.DataFrame,
    target: str,
    predicted: NDArray[np.float64],
    by: Sequence[str],
    intervals: Sequence[IntervalCoverage] = (),
) -> Iterator[Check]:
    """The metrics of each group of at least 30 rows, as checks that always pass: they only inform.

    `intervals` has the coverage of some groups. A column without any value is a check that is skipped.
    """
    held = {each.group: each for each in intervals}
    for column in by:
        if rows[column].isna().all():
            message = f"no row has a {column}: no slice is measured"
            yield Check(name=column, passed=True, skipped=True, message=message)
        groups = rows.groupby(column, observed=True)
        for value in groups.size().index:
            positions = groups.indices[value]
            if len(positions) >= SMALLEST_SLICE:
                found = regression(rows[target].to_numpy()[positions], predicted[positions])
                message = f"MAE {found['mae']:.2f}, R2 {found['r2']:.3f} on {len(positions):,} rows"
                measured = {**found, "rows": len(positions)}
                covered = held.get(name := f"{column} = {value}")
                if covered:
                    message += f"; intervals: {covered}"
                    measured |= {"coverage": covered.share, "width": covered.width}
                yield Check(name=name, passed=True, message=message, measured=measured)
