"""Welch's t-test: whether two columns have one mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from relet.checks.statistics.outcome import TwoSampleOutcome
from relet.checks.statistics.pair import Alternative, check_arguments, number_pair
from relet.checks.statistics.power import Sensitivity
from relet.errors import BadDataError

if TYPE_CHECKING:
    from relet.checks.statistics.tally import Array


def welch(
    sample: Any, reference: Any, *, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> TwoSampleOutcome:
    """Whether two columns have one mean, whatever their spreads: Welch's t (1947, Biometrika 34, 28-35).

    The effect is the difference of the means in standard deviations, the root of the mean of both variances
    (Cohen 1988, eq. 2.3.2). Mean and variance come from the tallies, the p-value from
    `scipy.stats.ttest_ind_from_stats`. Raises BadDataError for a column that is no number, infinite or empty, for
    fewer than 2 rows on a side, and where each side holds one single value and the two values differ.

    >>> round(welch([1, 2, 3, 4], [3, 4, 5, 6]).effect, 3)
    -1.549
    """
    from scipy import stats

    check_arguments("welch", alternative, alpha)
    pair = number_pair("welch", sample, reference)
    if min(pair.sizes) < 2:
        raise BadDataError(
            f"welch needs 2 values on each side, {pair.column} has {pair.sizes[0]} and {pair.sizes[1]}"
        )
    ours, theirs = _mean_and_variance(pair.values, pair.sample), _mean_and_variance(pair.values, pair.reference)
    variances = [ours[1] / pair.sizes[0], theirs[1] / pair.sizes[1]]
    spread = math.sqrt((ours[1] + theirs[1]) / 2)
    if not spread and ours[0] != theirs[0]:
        raise BadDataError(
            f"welch: {pair.column} is {ours[0]:g} in every row of the sample and {theirs[0]:g} in every "
            "row of the reference: there is no spread to measure the shift by; use kolmogorov_smirnov"
        )
    t, p_value, df = 0.0, 1.0, math.inf
    if spread:
        df = sum(variances) ** 2 / sum(v**2 / (size - 1) for v, size in zip(variances, pair.sizes, strict=True))
        found = stats.ttest_ind_from_stats(
            ours[0], math.sqrt(ours[1]), pair.sizes[0], theirs[0], math.sqrt(theirs[1]), pair.sizes[1],
            equal_var=False, alternative=alternative,
        )  # fmt: skip
        t, p_value = float(found.statistic), float(found.pvalue)
    said = {"two-sided": "not that", "less": "less than that", "greater": "greater than that"}[alternative]
    return TwoSampleOutcome(
        test="welch",
        column=pair.column,
        null=f"the mean of {pair.column} is that of the reference",
        alternative=f"the mean of {pair.column} is {said} of the reference",
        statistic_name="t",
        statistic=t,
        p_value=p_value,
        effect_name="standardised difference",
        effect=(ours[0] - theirs[0]) / spread if spread else 0.0,
        sizes=pair.sizes,
        missing=pair.missing,
        alpha=alpha,
        sensitivity=Sensitivity(
            law="t",
            unit=math.sqrt(sum(variances)) / spread if spread else 0.0,
            df=df,
            sides=2 if alternative == "two-sided" else 1,
        ),
        remarks=() if spread else ("there is one value only",),
    )


def _mean_and_variance(values: Array, counts: Array) -> tuple[float, float]:
    """Mean and unbiased variance, computed around one of the values, so that few digits cancel."""
    import numpy as np

    size = float(counts.sum())
    middle = float(values[counts.argmax()])
    apart = values.astype(np.float64) - middle
    mean = float((apart * counts).sum()) / size
    variance = float((counts * (apart - mean) ** 2).sum()) / (size - 1)
    return middle + mean, variance
