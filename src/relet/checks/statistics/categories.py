"""Tests of shares: chi-square and G for categories, and whether values are missing more often."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from relet.checks.statistics.outcome import TwoSampleOutcome
from relet.checks.statistics.pair import Alternative, check_arguments, effective_size, value_pair
from relet.checks.statistics.power import Sensitivity
from relet.checks.statistics.tally import tally
from relet.errors import BadDataError

if TYPE_CHECKING:
    from relet.checks.statistics.tally import Array

# With fewer expected rows in a cell the chi-square law is a poor approximation: Cochran 1954, Biometrics 10.
EXPECTED = 5


def chi_square(
    sample: Any, reference: Any, *, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> TwoSampleOutcome:
    """Whether the categories of a column have the reference's shares: Pearson's chi-square.

    By `scipy.stats.chi2_contingency` on the two rows of counts, without a continuity correction. Categories with
    fewer than 5 expected rows on a side are pooled. Where pooling leaves one category, the p-value is that of
    Fisher's exact test of the largest category against the others. The effect is Cramér's V (1946, ch. 21) as if
    both sides were equally large, ½√(χ² (n + m) / (n m)): from 0 to 1; for two categories of similar size it is
    the difference of the shares. Raises BadDataError where a side is empty.

    >>> chi_square(["a"] * 30 + ["b"] * 70, ["a"] * 50 + ["b"] * 50).effect.__round__(3)
    0.204
    """
    return _compare_shares("chi_square", "pearson", sample, reference, alternative, alpha)


def g_test(
    sample: Any, reference: Any, *, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> TwoSampleOutcome:
    """Whether the categories of a column have the reference's shares: the likelihood ratio G.

    As `chi_square`, with `lambda_="log-likelihood"` (Sokal and Rohlf 1995, ch. 17).
    """
    return _compare_shares("g_test", "log-likelihood", sample, reference, alternative, alpha)


def missing_share(
    sample: Any, reference: Any, *, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> TwoSampleOutcome:
    """Whether values are missing as often as in the reference.

    The chi-square test of two proportions; the one-sided form uses its root, which is normal. With fewer than 5
    expected rows in a cell, Fisher's exact test. The effect is Cramér's V as in `chi_square`, with the sign of the
    difference; `greater` means that values are missing more often. Raises BadDataError where a side has no rows.

    >>> found = missing_share([1, None] * 50, [1, 2, 3, None] * 50, alternative="greater")
    >>> found.effect.__round__(3), found.p_value < 0.001
    (0.265, True)
    """
    check_arguments("missing_share", alternative, alpha)
    ours, theirs = tally(sample), tally(reference)
    column = ours.name or theirs.name or "the column"
    table = [[each.missing, each.size] for each in (ours, theirs)]
    if not all(map(sum, table)):
        side = "sample" if not sum(table[0]) else "reference"
        raise BadDataError(f"missing_share: {column} has no rows in the {side}")
    import numpy as np

    counts = np.array(table, dtype=np.int64)
    sizes = int(counts[0].sum()), int(counts[1].sum())
    shares = counts[:, 0] / counts.sum(axis=1)
    statistic, p_value, remark = _compare_two_shares(counts, alternative)
    said = {
        "two-sided": "not missing as often as",
        "less": "missing less often than",
        "greater": "missing more often than",
    }[alternative]
    return TwoSampleOutcome(
        test="missing_share",
        column=column,
        null=f"{column} is missing as often as in the reference",
        alternative=f"{column} is {said} in the reference",
        statistic_name="χ²",
        statistic=statistic,
        p_value=p_value,
        effect_name="Cramér's V",
        effect=math.copysign(_balanced_cramers_v(statistic, sizes), float(shares[0] - shares[1])),
        sizes=sizes,
        alpha=alpha,
        sensitivity=Sensitivity(
            law="normal",
            unit=0.5 / math.sqrt(effective_size(sizes)),
            sides=2 if alternative == "two-sided" else 1,
            largest=1.0,
        ),
        remarks=(f"{shares[0]:.1%} and {shares[1]:.1%} are missing", *remark),
    )


def _compare_two_shares(counts: Array, alternative: str) -> tuple[float, float, tuple[str, ...]]:
    """The statistic, the p-value and the remarks for a table of two by two."""
    from scipy import special, stats

    if not counts.sum(axis=0).all():
        return 0.0, 1.0, ()
    found = stats.chi2_contingency(counts, correction=False)
    statistic = float(found.statistic)
    if found.expected_freq.min() < EXPECTED:
        exact = stats.fisher_exact(counts, alternative=alternative)
        return statistic, float(exact.pvalue), ("p by Fisher's exact test: few rows are expected",)
    if alternative == "two-sided":
        return statistic, float(found.pvalue), ()
    z = math.copysign(math.sqrt(statistic), float(counts[0, 0] - found.expected_freq[0, 0]))
    return statistic, float(special.ndtr(-z if alternative == "greater" else z)), ()


def _compare_shares(
    test: str, statistic: str, sample: Any, reference: Any, alternative: Alternative, alpha: float
) -> TwoSampleOutcome:
    from scipy import stats

    check_arguments(test, alternative, alpha, only="shares have no direction")
    import numpy as np

    pair = value_pair(test, sample, reference)
    counts, remarks = _pool_rare_categories(np.stack([pair.sample, pair.reference]))
    df = counts.shape[1] - 1
    found, p_value = 0.0, 1.0
    if df:
        tested = stats.chi2_contingency(counts, correction=False, lambda_=statistic)
        found, p_value = float(tested.statistic), float(tested.pvalue)
        if tested.expected_freq.min() < EXPECTED:
            p_value = float(stats.fisher_exact(counts).pvalue)
            remarks += ("p by Fisher's exact test: few rows are expected",)
    return TwoSampleOutcome(
        test=test,
        column=pair.column,
        null=f"{pair.column} has the reference's shares",
        alternative=f"{pair.column} has other shares than the reference",
        statistic_name="χ²" if test == "chi_square" else "G",
        statistic=found,
        p_value=p_value,
        effect_name="Cramér's V",
        effect=_balanced_cramers_v(found, pair.sizes),
        sizes=pair.sizes,
        missing=pair.missing,
        alpha=alpha,
        sensitivity=Sensitivity(law="chi-square", unit=0.5 / math.sqrt(pair.effective), df=df, largest=1.0),
        remarks=remarks,
    )


def _balanced_cramers_v(statistic: float, sizes: tuple[int, int]) -> float:
    """Cramér's V of two samples as if both were equally large, so that it does not depend on their sizes."""
    return 0.5 * math.sqrt(max(0.0, statistic) / effective_size(sizes))


def _pool_rare_categories(counts: Array) -> tuple[Array, tuple[str, ...]]:
    """Pool rare categories, so that every cell has 5 expected rows; gives the counts and a remark.

    Both sides together decide which categories are rare, which says nothing about their difference. Where there
    were two categories, at least two remain.
    """
    import numpy as np

    if counts.shape[1] == 1:
        return counts, ("there is one value only",)
    smaller = counts.sum(axis=1).min() / counts.sum()
    expected = counts.sum(axis=0) * smaller
    order = np.argsort(expected, kind="stable")
    if expected[order[0]] >= EXPECTED:
        return counts, ()
    cumulated = np.cumsum(expected[order])
    rare = int((expected < EXPECTED).sum())
    rare = max(rare, 1 + int(np.searchsorted(cumulated, EXPECTED)))
    rare = min(rare, counts.shape[1] - 1)
    if rare == 1:
        return counts, ()
    together = counts[:, order[:rare]].sum(axis=1, keepdims=True)
    kept = counts[:, np.sort(order[rare:])]
    return np.concatenate([kept, together], axis=1), (f"{rare} rare categories are counted as one",)
