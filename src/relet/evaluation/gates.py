"""Whether a model is good enough: gates that return a verdict with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from relet.core.artifact import Check, Verdict
from relet.evaluation.metrics import regression

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

# A group with fewer rows says nothing that could be relied on.
SMALLEST_SLICE = 30


def judge(
    metrics: dict[str, float],
    *,
    min_r2: float,
    max_worse: float,
    champion: dict[str, float] | None = None,
    slices: Sequence[Check] = (),
) -> Verdict:
    """Yes where R² reaches `min_r2`, and the MAE is at most `max_worse` times the champion's, if there is one."""
    checks = [_better_than_nothing(metrics, min_r2)]
    if champion is not None:
        checks.append(_not_worse(metrics, champion, max_worse))
    failed = [check.message for check in checks if not check.passed]
    passed = f"MAE {metrics['mae']:.2f}, R2 {metrics['r2']:.3f}"
    reason = "; ".join(failed) if failed else passed
    return Verdict(passed=not failed, reason=reason, checks=(*checks, *slices))


def _better_than_nothing(metrics: dict[str, float], min_r2: float) -> Check:
    message = f"R2 {metrics['r2']:.3f}, at least {min_r2:g} is asked for"
    return Check(name="r2", passed=metrics["r2"] >= min_r2, message=message)


def _not_worse(metrics: dict[str, float], champion: dict[str, float], max_worse: float) -> Check:
    ratio = metrics["mae"] / champion["mae"] if champion["mae"] else float("inf")
    message = f"MAE {ratio:.3f} times the champion's, at most {max_worse:g} times is asked for"
    return Check(name="champion", passed=ratio <= max_worse, message=message)


def slices(rows: pd.DataFrame, target: str, predicted: NDArray[np.float64], by: Sequence[str]) -> Iterator[Check]:
    """The metrics of each group of at least 30 rows, as checks that always pass: they are there to be read."""
    for column in by:
        for value, positions in sorted(rows.groupby(column, observed=True).indices.items()):
            if len(positions) >= SMALLEST_SLICE:
                found = regression(rows[target].to_numpy()[positions], predicted[positions])
                message = f"MAE {found['mae']:.2f}, R2 {found['r2']:.3f} on {len(positions):,} rows"
                yield Check(name=f"{column} = {value}", passed=True, message=message)
