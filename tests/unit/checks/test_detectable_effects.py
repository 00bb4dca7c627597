"""The effect that a test would see in four of five samples is seen in so many."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import chndtr

from relet.checks.statistics import (
    anderson_darling,
    chi_square,
    g_test,
    jensen_shannon,
    kolmogorov_smirnov,
    kullback_leibler,
    mann_whitney,
    missing_share,
    population_stability,
    welch,
)
from relet.checks.statistics.power import detectable_effect
from tests.unit.checks.every_test import Array


@pytest.mark.parametrize(
    ("test", "alternative"),
    [
        (mann_whitney, "two-sided"),
        (mann_whitney, "greater"),
        (welch, "two-sided"),
        (welch, "greater"),
        (anderson_darling, "two-sided"),
    ],
)
def test_a_shift_as_large_as_the_detectable_one_is_seen_in_four_of_five_samples(
    test: Any, alternative: Any
) -> None:
    n, m, pairs = 300, 500, 300
    shift = _shift_of(test, alternative, n, m)
    random = np.random.default_rng(7)
    found = [
        test(random.normal(shift, 1, n), random.normal(0, 1, m), alternative=alternative) for _ in range(pairs)
    ]
    power = np.mean([each.p_value <= 0.05 for each in found])
    assert 0.72 < power < 0.88, power


def _shift_of(test: Any, alternative: Any, n: int, m: int) -> float:
    """The shift of a normal law, in standard deviations, that has the detectable effect."""
    random = np.random.default_rng(1)
    seen = test(random.normal(0, 1, n), random.normal(0, 1, m), alternative=alternative).detectable
    at = np.linspace(-8, 8, 4001)

    def effect(shift: float) -> float:
        f, g = stats.norm.cdf(at, shift), stats.norm.cdf(at)
        if test is mann_whitney:
            return float(2 * stats.norm.cdf(shift / np.sqrt(2)) - 1)
        if test is welch:
            return shift
        pooled = (n * f + m * g) / (n + m)
        inner = (pooled > 1e-12) & (pooled < 1 - 1e-12)
        weight = np.gradient(pooled[inner]) / (pooled[inner] * (1 - pooled[inner]))
        return float(np.sqrt((weight * (f - g)[inner] ** 2).sum()))

    shifts = np.linspace(0, 2, 401)
    return float(np.interp(seen, [effect(shift) for shift in shifts], shifts))


@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
def test_kolmogorov_smirnov_sees_the_detectable_distance_in_four_of_five_samples_at_least(
    alternative: Any,
) -> None:
    n, pairs = 400, 300
    random = np.random.default_rng(13)
    seen = kolmogorov_smirnov(range(n), range(n), alternative=alternative).detectable or 0.0

    def power(draw: Callable[[float], Array]) -> float:
        pairs_drawn = ((draw(1), draw(0)) for _ in range(pairs))
        found = [kolmogorov_smirnov(a, b, alternative=alternative).p_value or 0.0 for a, b in pairs_drawn]
        return float(np.mean(np.array(found) <= 0.05))

    # the whole difference at one value, and spread over all: a normal law that is shifted until D is as large
    shift = 2 * stats.norm.ppf((1 + seen) / 2)
    assert 0.72 < power(lambda side: random.random(n) < 0.5 + seen * (side - 0.5)) < 0.88
    assert power(lambda side: random.normal(side * shift, 1, n)) > 0.85


@pytest.mark.parametrize("test", [chi_square, g_test, missing_share])
def test_a_difference_of_shares_as_large_as_the_detectable_one_is_seen_in_four_of_five_samples(test: Any) -> None:
    n, pairs = 300, 300
    random = np.random.default_rng(11)

    def drawn(share: float) -> list[Any]:
        return [None if test is missing_share and each else int(each) for each in random.random(n) < share]

    # near one half and with sides of one size, Cramér's V is the difference of the shares
    seen = test(drawn(0.5), drawn(0.5)).detectable
    power = np.mean([test(drawn(0.5 + seen / 2), drawn(0.5 - seen / 2)).p_value <= 0.05 for _ in range(pairs)])
    assert 0.73 < power < 0.87, power


def test_the_detectable_divergence_is_what_the_likelihood_ratio_would_see() -> None:
    a, b = ["a"] * 500 + ["b"] * 300 + ["c"] * 200, ["a"] * 480 + ["b"] * 320 + ["c"] * 200
    moved = stats.chi2.isf(0.05, 2)
    for test, scale in (
        (kullback_leibler, 2 * np.log(2)),
        (jensen_shannon, 8 * np.log(2)),
        (population_stability, 1),
    ):
        ncp = test(a, b).detectable * 500 * scale
        assert 1 - chndtr(moved, 2, ncp) == pytest.approx(0.8)
        # small divergences are about the chi-square statistic: the units are right
        assert test(a, b).effect * 500 * scale == pytest.approx(chi_square(a, b).statistic, rel=0.01)


def test_where_no_effect_would_be_seen_none_is_named() -> None:
    found = kolmogorov_smirnov([1, 2], [1, 2])
    assert found.detectable is None and "no D would have been seen" in str(found)
    assert chi_square(["a"] * 5, ["a"] * 5).detectable is None


def test_a_smaller_alpha_needs_a_larger_effect() -> None:
    a, b = list(range(100)), list(range(50, 150))
    for test in (kolmogorov_smirnov, anderson_darling, mann_whitney, welch, chi_square, kullback_leibler):
        sensitivity = replace(test(a, b).sensitivity, largest=np.inf)
        assert (detectable_effect(sensitivity, 0.001) or 0) > (detectable_effect(sensitivity, 0.05) or 0) > 0
