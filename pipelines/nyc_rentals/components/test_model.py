"""Test a model on rows that nothing was learned from or chosen by."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from relet import Metrics, Model, Stored, Verdict, component
from relet.errors import SettingError
from relet.evaluation.coverage import IntervalCoverage, coverage_by_group, interval_coverage
from relet.evaluation.coverage_page import coverage_page
from relet.evaluation.gates import judge_model, slice_checks
from relet.evaluation.metrics import regression

BAND = "price_band"
SLICES = ("neighbourhood_group", "room_type", BAND)
# Where one band of true prices ends and the next begins, in dollars a night.
BANDS = (75, 125, 175, 250)
COVERAGE = 0.9
NOTES = (
    "A price band holds listings by their true price, which nobody knows beforehand: among the dearest are those "
    "that the model takes for cheaper, so that fewer of them lie inside, whatever the interval.",
)


class Tested(NamedTuple):
    evaluation: Verdict
    test_metrics: Metrics
    interval_report: Path


@component(job_type="test_model", judges=("model",), tolerance=1e-6)
def test_model(
    model: Annotated[Model, Stored("model:prod")],
    test: pd.DataFrame,
    champion: Annotated[Model | None, Stored("model:prod")] = None,
    *,
    min_r2: float = 0.0,
    max_worse: float = 1.02,
    min_coverage: float = 0.85,
) -> Tested:
    """Measure the model on the test rows, beside the champion, and say whether it passes the gates.

    Errors in dollars a night. It passes with an R² of at least `min_r2`, an MAE of at most `max_worse` times the
    champion's, where there is one, and at least the share `min_coverage` of prices inside their 90% interval,
    where it gives intervals. The page says where these are weak.
    """
    predicted = model.predict(test)
    found = regression(test[model.target], predicted)
    before = regression(test[champion.target], champion.predict(test)) if champion else None
    rows = test.assign(**{BAND: _price_bands(test[model.target].to_numpy())})
    intervals, groups, reason = _measured_intervals(model, rows, predicted)
    verdict = judge_model(
        found,
        min_r2=min_r2,
        max_worse=max_worse,
        champion=before,
        intervals=intervals,
        min_coverage=min_coverage,
        slices=tuple(slice_checks(rows, model.target, predicted, SLICES, groups)),
    )
    metrics = {f"test_{name}": value for name, value in found.items()}
    metrics |= {f"champion_{name}": value for name, value in (before or {}).items()}
    if intervals:
        # those of each group are in the verdict: as metrics they would fill the screen
        metrics |= {"test_coverage": intervals.share, "test_interval_width": intervals.width}
        metrics["test_coverage_least"] = min((each.share for each in groups), default=intervals.share)
    page = Path(tempfile.mkdtemp()) / "interval_report.html"
    drawn = coverage_page(intervals, groups, coverage=COVERAGE, unit="dollars", reason=reason, notes=NOTES)
    page.write_text(drawn, encoding="utf-8")
    return Tested(verdict, metrics, page)


def _measured_intervals(
    model: Model, rows: pd.DataFrame, predicted: NDArray[np.float64]
) -> tuple[IntervalCoverage | None, Sequence[IntervalCoverage], str]:
    """What the model's intervals did, on all rows and by group; None and why, where it gives none."""
    if model.interval is None:
        return None, (), "the model gives no intervals; train it again"
    try:
        lower, _, upper = model.interval.bounds(rows, predicted, COVERAGE)
    except SettingError as error:
        return None, (), str(error)
    truth = rows[model.target].to_numpy()
    return (
        interval_coverage(truth, lower, upper),
        tuple(coverage_by_group(rows[list(SLICES)], truth, lower, upper)),
        "",
    )


def _price_bands(prices: NDArray[np.float64]) -> pd.Categorical:
    """The band that each price lies in, ordered from low to high."""
    names = [f"below {BANDS[0]}", *(f"{low} to {high}" for low, high in pairwise(BANDS)), f"{BANDS[-1]} and more"]
    return pd.Categorical.from_codes(np.digitize(prices, BANDS), names, ordered=True)
