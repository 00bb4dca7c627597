"""Tests on the order of values: Kolmogorov-Smirnov, Anderson-Darling, Mann-Whitney."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from relet.checks.statistics.outcome import TwoSampleOutcome
from relet.checks.statistics.pair import Alternative, TallyPair, check_arguments, number_pair
from relet.checks.statistics.power import Sensitivity, anderson_table
from relet.errors import BadDataError

if TYPE_CHECKING:
    from relet.checks.statistics.tally import Array

# SciPy names the alternative of its Kolmogorov-Smirnov test by the distribution function. The function is lower
# where the values are greater.
_BY_FUNCTION = {"two-sided": "two-sided", "less": "greater", "greater": "less"}


def kolmogorov_smirnov(
    sample: Any, reference: Any, *, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> TwoSampleOutcome:
    """Whether two columns of numbers have one distribution, by the largest distance D of their functions.

    The effect is D itself, from 0 to 1: the share of rows that lie elsewhere. `greater` means that the sample's
    values are greater somewhere (SciPy calls that `less`, after the distribution function). Up to 10,000 values
    per side `scipy.stats.ks_2samp` is called; above, D comes from the tallies and the p-value from
    `scipy.stats.kstwo` (one-sided: Hodges 1958, Arkiv för Matematik 3, 469-486, eq. 5.3). Ties make it
    conservative. Raises BadDataError for a column that is no number, infinite or empty.

    >>> found = kolmogorov_smirnov([1, 2, 3, 4], [3, 4, 5, 6], alternative="less")
    >>> found.effect, round(found.p_value, 3)
    (0.5, 0.4)
    """
    check_arguments("kolmogorov_smirnov", alternative, alpha)
    pair = number_pair("kolmogorov_smirnov", sample, reference)
    distance, p_value = _exact_ks(pair, alternative) if pair.is_small else _large_ks(pair, alternative)
    sides = 2 if alternative == "two-sided" else 1
    return TwoSampleOutcome(
        test="kolmogorov_smirnov",
        column=pair.column,
        null=f"{pair.column} is distributed as in the reference",
        alternative=_alternative_words(
            f"{pair.column} is", alternative, "distributed otherwise", "somewhere less", "somewhere greater"
        ),
        statistic_name="D",
        statistic=distance,
        p_value=p_value,
        effect_name="D",
        effect=distance,
        sizes=pair.sizes,
        missing=pair.missing,
        alpha=alpha,
        sensitivity=Sensitivity(law="kolmogorov", unit=1 / math.sqrt(pair.effective), sides=sides, largest=1.0),
    )


def _alternative_words(subject: str, alternative: str, otherwise: str, less: str, greater: str) -> str:
    said = {"two-sided": otherwise, "less": less, "greater": greater}[alternative]
    return f"{subject} {said}{'' if alternative == 'two-sided' else ' than in the reference'}"


def _exact_ks(pair: TallyPair, alternative: str) -> tuple[float, float]:
    from scipy import stats

    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # where the exact computation fails, SciPy takes the limit law
        found = stats.ks_2samp(*pair.rows(), alternative=_BY_FUNCTION[alternative])
    return float(found.statistic), float(found.pvalue)


def _large_ks(pair: TallyPair, alternative: str) -> tuple[float, float]:
    import numpy as np
    from scipy import stats

    n, m = sorted(map(float, pair.sizes))
    ours, theirs = (np.cumsum(counts) / counts.sum() for counts in (pair.sample, pair.reference))
    lower, higher = max(0.0, float((theirs - ours).max())), max(0.0, float((ours - theirs).max()))
    if alternative == "two-sided":
        distance = max(lower, higher)
        return distance, float(np.clip(stats.kstwo.sf(distance, round(pair.effective)), 0, 1))
    distance = lower if alternative == "greater" else higher
    z = math.sqrt(pair.effective) * distance
    return distance, min(1.0, math.exp(-2 * z * z - 2 * z * (m + 2 * n) / math.sqrt(m * n * (m + n)) / 3))


def anderson_darling(
    sample: Any, reference: Any, *, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> TwoSampleOutcome:
    """Whether two columns of numbers have one distribution, with more weight on its tails.

    The statistic is A², standardised, in its form for ties (Scholz and Stephens 1987, J. Am. Stat. Assoc. 82,
    918-924, eq. 7). The effect is the root of the mean of (F - G)² / (H (1 - H)) over the pooled rows, with the
    distribution functions F, G and that of the pooled rows H: a difference of shares, weighted to the tails. Up to
    10,000 values per side `scipy.stats.anderson_ksamp` is called; above, the same is computed from the tallies.
    P-values lie between 0.001 and 0.25, as in Scholz and Stephens' table, so that a family of more than 50 tests
    can't reject by this test. There is no one-sided form. Raises BadDataError for a column that is no number,
    infinite or empty, and for fewer than 4 rows in all.
    """
    check_arguments("anderson_darling", alternative, alpha, only="its statistic squares the differences")
    pair = number_pair("anderson_darling", sample, reference)
    if sum(pair.sizes) < 4:
        raise BadDataError(f"anderson_darling needs 4 values in all, {pair.column} has {sum(pair.sizes)}")
    raw = _anderson_statistic(pair)
    standard, p_value = (0.0, 1.0) if len(pair.values) == 1 else _anderson_p(pair, raw)
    remarks = ("there is one value only",) if len(pair.values) == 1 else _table_remarks(p_value)
    return TwoSampleOutcome(
        test="anderson_darling",
        column=pair.column,
        null=f"{pair.column} is distributed as in the reference",
        alternative=f"{pair.column} is distributed otherwise",
        statistic_name="standardised A²",
        statistic=standard,
        p_value=p_value,
        effect_name="weighted distance",
        effect=math.sqrt(raw / pair.effective),
        sizes=pair.sizes,
        missing=pair.missing,
        alpha=alpha,
        sensitivity=Sensitivity(law="anderson", unit=1 / math.sqrt(pair.effective)),
        remarks=remarks,
    )


def _table_remarks(p_value: float) -> tuple[str, ...]:
    highest, *_, lowest = anderson_table()[1]
    if lowest < p_value < highest:
        return ()
    return (f"the table of p-values reaches from {lowest:g} to {highest:g}",)


def _anderson_statistic(pair: TallyPair) -> float:
    """A² before it is standardised, for ties: Scholz and Stephens' eq. 7."""
    if len(pair.values) == 1:
        return 0.0
    rows = sum(pair.sizes)
    pooled = pair.sample + pair.reference
    below = _rows_below(pooled)
    weight = pooled / (below * (rows - below) - rows * pooled / 4.0)
    total = 0.0
    for counts in (pair.sample, pair.reference):
        size = float(counts.sum())
        total += float((weight * (rows * _rows_below(counts) - size * below) ** 2).sum()) / size
    return total * (rows - 1) / rows / rows


def _rows_below(counts: Array) -> Array:
    """How many rows lie below each value, plus half of the rows at the value."""
    import numpy as np

    return np.asarray(np.cumsum(counts) - counts / 2.0)


def _anderson_p(pair: TallyPair, raw: float) -> tuple[float, float]:
    if pair.is_small:
        from scipy import stats

        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # SciPy warns that the p-value was capped; the docstring of anderson_darling says so
            found = stats.anderson_ksamp(list(pair.rows()), variant="midrank")
        return float(found.statistic), float(found.pvalue)
    import numpy as np

    standard = (raw - 1) / math.sqrt(_anderson_variance(pair.sizes))
    values, levels = anderson_table()
    if not values[0] <= standard <= values[-1]:
        return standard, levels[0] if standard < values[0] else levels[-1]
    return standard, float(np.exp(np.polyval(np.polyfit(values, np.log(levels), 2), standard)))


def _anderson_variance(sizes: tuple[int, int]) -> float:
    """The variance of A² for two samples of these sizes under H0: Scholz and Stephens' eq. 4, with k = 2."""
    import numpy as np

    rows, k = float(sum(sizes)), 2
    inverse = sum(1.0 / size for size in sizes)
    sums = np.cumsum(1.0 / np.arange(rows - 1, 1, -1))
    h = float(sums[-1]) + 1
    g = float((sums / np.arange(2, rows)).sum())
    a = (4 * g - 6) * (k - 1) + (10 - 6 * g) * inverse
    b = (2 * g - 4) * k**2 + 8 * h * k + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6
    c = (6 * h + 2 * g - 2) * k**2 + (4 * h - 4 * g + 6) * k + (2 * h - 6) * inverse + 4 * h
    d = (2 * h + 6) * k**2 - 4 * h * k
    return (a * rows**3 + b * rows**2 + c * rows + d) / ((rows - 1) * (rows - 2) * (rows - 3))


def mann_whitney(
    sample: Any, reference: Any, *, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> TwoSampleOutcome:
    """Whether a value of the sample is as often above one of the reference as below it.

    The effect is the rank-biserial correlation 2U / (n·m) - 1, from -1 to 1: how much more often the sample's
    value is the greater one than the smaller one (Kerby 2014, Comprehensive Psychology 3). Up to 10,000 values per
    side `scipy.stats.mannwhitneyu` is called; above, U comes from the tallies, and the p-value from the normal law
    with its corrections for ties and continuity (Hollander and Wolfe 1999, ch. 4.1). Power by Noether (1987, J.
    Am. Stat. Assoc. 82, 645-647). Raises BadDataError for a column that is no number, infinite or empty.

    >>> mann_whitney([1, 2, 3], [4, 5, 6], alternative="less").p_value
    0.05
    """
    check_arguments("mann_whitney", alternative, alpha)
    pair = number_pair("mann_whitney", sample, reference)
    n, m = pair.sizes
    u = float((pair.sample * _rows_below(pair.reference)).sum())
    spread = _spread_of_u(pair)
    p_value = _mann_whitney_p(pair, u, spread, alternative) if spread else 1.0
    return TwoSampleOutcome(
        test="mann_whitney",
        column=pair.column,
        null=f"{pair.column} is as often above the reference's as below",
        alternative=_alternative_words(
            f"{pair.column} is more often", alternative, "on one side", "less", "greater"
        ),
        statistic_name="U",
        statistic=u,
        p_value=p_value,
        effect_name="rank-biserial correlation",
        effect=2 * u / (float(n) * m) - 1,
        sizes=pair.sizes,
        missing=pair.missing,
        alpha=alpha,
        sensitivity=Sensitivity(
            law="normal",
            unit=2 * spread / (float(n) * m),
            sides=2 if alternative == "two-sided" else 1,
            largest=1.0,
        ),
        remarks=() if spread else ("there is one value only",),
    )


def _spread_of_u(pair: TallyPair) -> float:
    """The standard deviation of U under H0, corrected for ties."""
    n, m = map(float, pair.sizes)
    rows = n + m
    ties = (pair.sample + pair.reference).astype(float)
    return math.sqrt(max(0.0, n * m / 12 * (rows + 1 - float((ties**3 - ties).sum()) / (rows * (rows - 1)))))


def _mann_whitney_p(pair: TallyPair, u: float, spread: float, alternative: str) -> float:
    n, m = map(float, pair.sizes)
    if pair.is_small:
        from scipy import stats

        return float(stats.mannwhitneyu(*pair.rows(), alternative=alternative).pvalue)
    from scipy import special

    above = u - n * m / 2
    extreme = {"two-sided": abs(above), "greater": above, "less": -above}[alternative]
    tail = float(special.ndtr(-(extreme - 0.5) / spread))
    return min(1.0, 2 * tail) if alternative == "two-sided" else tail
