"""Two-sample tests: does a new sample have the distribution of a known reference?

These are the non-deterministic tests: another sample of the same market gives another statistic. Each has a null
and an alternative hypothesis, a test statistic, a p-value where one exists, a type I error (alpha: rejecting a
null hypothesis that holds) and a type II error (0.2: not seeing the effect that `detectable` names).

Each takes a sample and a reference as anything that can be tallied (an Ibis column, a pandas or Polars series, a
pyarrow or NumPy array, a list, a `Tally`) and returns a `TwoSampleOutcome`. Everywhere `alternative="greater"`
means that the sample's values are the greater ones, and `"less"` that they are the smaller ones.
"""

from __future__ import annotations

from relet.checks.statistics.categories import chi_square, g_test, missing_share
from relet.checks.statistics.divergences import jensen_shannon, kullback_leibler, population_stability
from relet.checks.statistics.outcome import TwoSampleOutcome
from relet.checks.statistics.ranks import anderson_darling, kolmogorov_smirnov, mann_whitney
from relet.checks.statistics.shift import welch
from relet.checks.statistics.tally import tally
from relet.data.tally import Tally

__all__ = [
    "Tally",
    "TwoSampleOutcome",
    "anderson_darling",
    "chi_square",
    "g_test",
    "jensen_shannon",
    "kolmogorov_smirnov",
    "kullback_leibler",
    "mann_whitney",
    "missing_share",
    "population_stability",
    "tally",
    "welch",
]
