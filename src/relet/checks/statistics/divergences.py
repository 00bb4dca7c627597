"""Divergences: how far the shares of two columns lie apart. They have no p-value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from relet.checks.statistics.outcome import TwoSampleOutcome
from relet.checks.statistics.pair import Alternative, TallyPair, check_arguments, number_pair, value_pair
from relet.checks.statistics.power import Sensitivity
from relet.checks.statistics.tally import tally

if TYPE_CHECKING:
    from relet.checks.statistics.tally import Array

BINS = 10
_NO_SIDES = "a divergence has no direction"


def kullback_leibler(
    sample: Any, reference: Any, *, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> TwoSampleOutcome:
    """Σ p log2(p / q) in bits over the sample's shares p and the reference's q (Kullback and Leibler 1951).

    Every value is a category, numbers too. Infinite where the sample has a value that the reference lacks. Under
    the null hypothesis 2 ln 2 · n m / (n + m) times the divergence is approximately chi-square distributed, which
    gives the detectable effect. Raises BadDataError where a side is empty.

    >>> round(kullback_leibler(["a", "a", "a", "b"], ["a", "b"]).effect, 3)
    0.189
    """
    check_arguments("kullback_leibler", alternative, alpha, only=_NO_SIDES)
    pair = value_pair("kullback_leibler", sample, reference)
    p, q = _shares_of_pair(pair)
    return _divergence_outcome(
        "kullback_leibler", pair, "bits", _relative_entropy(p, q) / math.log(2), alpha, 2 * math.log(2)
    )


def jensen_shannon(
    sample: Any, reference: Any, *, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> TwoSampleOutcome:
    """The mean divergence in bits of both sides' shares from their average: from 0 to 1 (Lin 1991).

    It is the square of `scipy.spatial.distance.jensenshannon(base=2)`. Every value is a category. Raises
    BadDataError where a side is empty.

    >>> jensen_shannon(["a"], ["b"]).effect
    1.0
    """
    check_arguments("jensen_shannon", alternative, alpha, only=_NO_SIDES)
    pair = value_pair("jensen_shannon", sample, reference)
    p, q = _shares_of_pair(pair)
    middle = (p + q) / 2
    found = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2 / math.log(2)
    return _divergence_outcome("jensen_shannon", pair, "bits", max(0.0, found), alpha, 8 * math.log(2))


def population_stability(
    sample: Any, reference: Any, *, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> TwoSampleOutcome:
    """Σ (p - q) ln(p / q) over the shares of both sides: the population stability index, from 0 up.

    Numbers are binned at the reference's deciles, categories taken as they are. It is the Kullback-Leibler
    divergence both ways (Jeffreys 1946); by custom (Siddiqi 2006, Credit Risk Scorecards) below 0.1 is stable,
    above 0.25 shifted. Infinite where a bin has rows on one side only. Raises BadDataError where a side is empty.
    """
    check_arguments("population_stability", alternative, alpha, only=_NO_SIDES)
    ours, theirs = tally(sample), tally(reference)
    if ours.is_text or theirs.is_text:
        pair = value_pair("population_stability", ours, theirs)
    else:
        pair = _decile_pair(number_pair("population_stability", ours, theirs))
    p, q = _shares_of_pair(pair)
    return _divergence_outcome(
        "population_stability", pair, "", _relative_entropy(p, q) + _relative_entropy(q, p), alpha, 1.0
    )


def _shares_of_pair(pair: TallyPair) -> tuple[Array, Array]:
    n, m = pair.sizes
    return pair.sample / n, pair.reference / m


def _relative_entropy(p: Array, q: Array) -> float:
    from scipy import special

    return float(special.rel_entr(p, q).sum())


def _decile_pair(pair: TallyPair) -> TallyPair:
    """The counts in bins that end at the reference's deciles. Equal deciles end the same bin."""
    import numpy as np

    below = np.cumsum(pair.reference)
    # a decile is the smallest value that this share of the reference does not exceed
    wanted = below[-1] * np.arange(1, BINS) / BINS
    deciles = np.unique(np.searchsorted(below, wanted))
    # no bin beyond the reference's largest value, since the reference would have no rows there
    last = np.append(deciles[below[deciles] < below[-1]], len(below) - 1)
    starts = np.append(0, last[:-1] + 1)
    return TallyPair(
        column=pair.column,
        values=pair.values[last],
        sample=np.add.reduceat(pair.sample, starts),
        reference=np.add.reduceat(pair.reference, starts),
        missing=pair.missing,
    )


def _divergence_outcome(
    test: str, pair: TallyPair, unit: str, found: float, alpha: float, scale: float
) -> TwoSampleOutcome:
    """Under H0, `scale` times n m / (n + m) times the divergence is approximately chi-square distributed."""
    return TwoSampleOutcome(
        test=test,
        column=pair.column,
        null=f"{pair.column} has the reference's shares",
        alternative=f"{pair.column} has other shares than the reference",
        statistic_name="divergence" if unit else "index",
        statistic=found,
        p_value=None,
        effect_name="divergence" if unit else "index",
        effect=found,
        unit=unit,
        sizes=pair.sizes,
        missing=pair.missing,
        alpha=alpha,
        sensitivity=Sensitivity(law="divergence", unit=1 / (scale * pair.effective), df=len(pair.values) - 1),
    )
