"""Two-sample tests say what SciPy says of the rows, whether they call it or work from the tallies."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import spatial, stats

from relet.checks.statistics import (
    TwoSampleOutcome,
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
from relet.checks.statistics import pair as pair_module
from relet.checks.statistics.power import anderson_critical
from relet.errors import BadDataError
from tests.unit.checks.every_test import ALL, Array, Test

# Few distinct values, so that there are ties, in samples of unequal size.
ROWS = arrays(np.int64, st.integers(5, 60), elements=st.integers(0, 9))


COUNTS = st.lists(st.integers(1, 80), min_size=4, max_size=4)


ALTERNATIVES = st.sampled_from(["two-sided", "less", "greater"])


BY_FUNCTION = {"two-sided": "two-sided", "less": "greater", "greater": "less"}


@pytest.fixture(params=["on the rows", "from the tallies"], scope="module")
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Both ways are taken: below the limit SciPy's function is called, above it the tallies have to do."""
    before = pair_module.VALUES_A_SIDE
    pair_module.VALUES_A_SIDE = before if request.param == "on the rows" else 0
    yield request.param
    pair_module.VALUES_A_SIDE = before


@settings(deadline=None, max_examples=60)
@given(ROWS, ROWS, ALTERNATIVES)
def test_kolmogorov_smirnov_is_scipys(way: str, a: Array, b: Array, alternative: Any) -> None:
    found = kolmogorov_smirnov(a, b, alternative=alternative)
    method = "auto" if way == "on the rows" else "asymp"
    expected = stats.ks_2samp(a, b, alternative=BY_FUNCTION[alternative], method=method)
    assert found.effect == found.statistic == pytest.approx(expected.statistic, abs=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-300)


@settings(deadline=None, max_examples=60)
@given(ROWS, ROWS)
def test_anderson_darling_is_scipys(way: str, a: Array, b: Array) -> None:
    assume(len(np.unique(np.concatenate([a, b]))) > 1)
    found = anderson_darling(a, b)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = stats.anderson_ksamp([a, b], variant="midrank")
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(ROWS, ROWS, ALTERNATIVES)
def test_mann_whitney_is_scipys(way: str, a: Array, b: Array, alternative: Any) -> None:
    assume(len(np.unique(np.concatenate([a, b]))) > 1)
    found = mann_whitney(a, b, alternative=alternative)
    method = "auto" if way == "on the rows" else "asymptotic"
    expected = stats.mannwhitneyu(a, b, alternative=alternative, method=method)
    assert found.statistic == expected.statistic
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-300)
    more = np.subtract.outer(a, b)
    assert found.effect == pytest.approx((more > 0).mean() - (more < 0).mean(), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(ROWS, ROWS, ALTERNATIVES)
def test_welch_is_scipys(a: Array, b: Array, alternative: Any) -> None:
    assume(np.ptp(a) or np.ptp(b))
    found = welch(a, b, alternative=alternative)
    expected = stats.ttest_ind(a, b, equal_var=False, alternative=alternative)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-300)
    assert found.effect == pytest.approx((a.mean() - b.mean()) / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))


@settings(deadline=None, max_examples=60)
@given(COUNTS, COUNTS)
def test_shares_are_compared_as_scipy_does(one: list[int], other: list[int]) -> None:
    counts = np.array([one, other])
    assume((stats.contingency.expected_freq(counts) >= 5).all())
    a, b = (np.repeat(range(4), each) for each in counts)
    for test, name in ((chi_square, "pearson"), (g_test, "log-likelihood")):
        found = test(a.astype(str).tolist(), b.astype(str).tolist())
        expected = stats.chi2_contingency(counts, correction=False, lambda_=name)
        assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
        assert not found.remarks


def test_the_effect_of_shares_is_cramers_v_where_both_sides_are_equally_large() -> None:
    counts = np.array([[30, 50, 20], [40, 35, 25]])
    a, b = (np.repeat(["x", "y", "z"], each).tolist() for each in counts)
    assert chi_square(a, b).effect == pytest.approx(stats.contingency.association(counts.T, method="cramer"))
    assert chi_square(a, b * 50).effect == pytest.approx(chi_square(a, b).effect, rel=0.1)


@settings(deadline=None, max_examples=60)
@given(COUNTS, COUNTS)
def test_divergences_are_scipys(one: list[int], other: list[int]) -> None:
    counts = np.array([one, other])
    a, b = (np.repeat(range(4), each) for each in counts)
    p, q = counts / counts.sum(axis=1, keepdims=True)
    assert kullback_leibler(a, b).effect == pytest.approx(stats.entropy(p, q, base=2), abs=1e-12)
    distance = spatial.distance.jensenshannon(p, q, base=2)
    assert jensen_shannon(a, b).effect == pytest.approx(distance**2, abs=1e-12)
    both = stats.entropy(p, q) + stats.entropy(q, p)
    assert population_stability(a.astype(str).tolist(), b.astype(str).tolist()).effect == pytest.approx(both)


def test_population_stability_bins_numbers_at_the_references_deciles() -> None:
    reference = np.arange(1000.0)
    assert population_stability(reference, reference).effect == 0
    assert 0 < population_stability(reference + 0.01, reference).effect < 1e-4
    first = population_stability(np.concatenate([reference, np.full(1000, -5.0)]), reference)
    p, q = np.array([0.55, *[0.05] * 9]), np.full(10, 0.1)
    assert first.effect == pytest.approx(float(((p - q) * np.log(p / q)).sum()))
    # what lies above all of the reference lies in its last bin
    assert np.isfinite(population_stability([0, 1, 7], [0, 1]).effect)
    assert population_stability([0, 0], [0, 1]).effect == np.inf


@settings(deadline=None, max_examples=60)
@given(ROWS, ROWS, ALTERNATIVES)
def test_the_two_sides_are_mirror_images(a: Array, b: Array, alternative: Any) -> None:
    mirrored = {"two-sided": "two-sided", "less": "greater", "greater": "less"}[alternative]
    assume(np.ptp(a) and np.ptp(b))
    for test in (kolmogorov_smirnov, mann_whitney, welch):
        one, other = test(a, b, alternative=alternative), test(b, a, alternative=mirrored)
        assert one.p_value == pytest.approx(other.p_value, rel=1e-9), test.__name__
        assert abs(one.effect) == pytest.approx(abs(other.effect), abs=1e-12), test.__name__


def test_greater_says_everywhere_that_the_samples_values_are_the_greater_ones() -> None:
    low, high = np.arange(0, 40), np.arange(20, 60)
    for test in (kolmogorov_smirnov, mann_whitney, welch):
        assert (
            test(high, low, alternative="greater").p_value < 0.001 < test(low, high, alternative="greater").p_value
        )
        assert "greater" in test(high, low, alternative="greater").alternative
    gone, there = [None] * 30 + [1] * 70, [None] * 10 + [1] * 90
    assert missing_share(gone, there, alternative="greater").p_value < 0.001
    assert missing_share(gone, there, alternative="less").p_value > 0.999
    assert missing_share(gone, there).effect == -missing_share(there, gone).effect > 0


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 40), st.integers(0, 60))
def test_missing_values_are_a_test_of_two_proportions(gone: int, lost: int) -> None:
    counts = np.array([[gone, 50], [lost, 70]])
    assume((stats.contingency.expected_freq(counts) >= 5).all())
    found = missing_share([None] * gone + [1] * 50, [None] * lost + [1] * 70)
    expected = stats.chi2_contingency(counts, correction=False)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    assert found.sizes == (gone + 50, lost + 70)
    less, greater = (
        missing_share([None] * gone + [1] * 50, [None] * lost + [1] * 70, alternative=each).p_value
        for each in ("less", "greater")
    )
    assert less + greater == pytest.approx(1) and 2 * min(less, greater) == pytest.approx(expected.pvalue)


def test_missing_values_are_left_out_and_counted() -> None:
    found = kolmogorov_smirnov([1.0, None, 3.0, float("nan")], [1.0, 3.0])
    assert (found.sizes, found.missing, found.effect) == ((2, 2), (2, 0), 0.0)
    assert "2 and 0 missing values are left out" in str(found)
    assert missing_share([None, None], [None]).p_value == 1.0


@pytest.mark.parametrize("test", ALL)
def test_one_value_everywhere_is_no_difference(way: str, test: Test) -> None:
    found = test([7] * 5, [7] * 9)
    assert found.effect == 0 and found.p_value in (1.0, None)


def test_two_constants_are_apart_but_not_for_welch() -> None:
    with pytest.raises(BadDataError, match="7 in every row of the sample and 8 in every row of the reference"):
        welch([7] * 5, [8] * 5)
    with pytest.raises(BadDataError, match="2 values on each side"):
        welch([7], [8, 9])
    with pytest.raises(BadDataError, match="needs 4 values in all"):
        anderson_darling([7], [8, 9])
    assert kolmogorov_smirnov([7] * 5, [8] * 5).effect == 1.0
    assert mann_whitney([7] * 5, [8] * 5).effect == -1.0


def test_a_category_on_one_side_only() -> None:
    old, new = ["Bronx"] * 50 + ["Queens"] * 50, ["Bronx"] * 50 + ["Hoboken"] * 50
    assert chi_square(new, old).p_value < 1e-20
    assert kullback_leibler(new, old).effect == np.inf
    assert np.isfinite(kullback_leibler(old[:50], old).effect)
    assert 0 < jensen_shannon(new, old).effect < 1
    assert population_stability(new, old).effect == np.inf
    assert "inf bits" in str(kullback_leibler(new, old))


def test_rare_categories_are_counted_as_one() -> None:
    common = ["a"] * 100 + ["b"] * 100
    found = chi_square([*common, *"ccddeeff"], [*common, *"gghhiijjkkll"])
    expected = stats.chi2_contingency([[100, 100, 8], [100, 100, 12]], correction=False)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert found.remarks == ("10 rare categories are counted as one",)


def test_where_too_few_are_expected_the_test_is_exact() -> None:
    table = [[1, 9], [8, 2]]
    a, b = (["x"] * one + ["y"] * other for one, other in table)
    for test in (chi_square, g_test):
        assert test(a, b).p_value == pytest.approx(stats.fisher_exact(table).pvalue)
        assert "Fisher" in test(a, b).remarks[-1]
    c, d = ([None] * one + [1] * other for one, other in table)
    for alternative in ("two-sided", "less", "greater"):
        expected = stats.fisher_exact(table, alternative=alternative).pvalue
        assert missing_share(c, d, alternative=alternative).p_value == pytest.approx(expected)  # type: ignore[arg-type]
    # three kinds of three rows each: the largest against the others, so that two are left to compare
    assert chi_square(["a", "b", "c"] * 3, ["a", "b", "c"] * 3).p_value == pytest.approx(1)


def test_rare_categories_do_not_raise_false_alarms() -> None:
    random = np.random.default_rng(5)
    often = [0.5, 0.3, *[0.02] * 10]
    alarms = sum(
        chi_square(*random.choice(12, (2, 60), p=often)).p_value <= 0.05  # type: ignore[operator]
        for _ in range(600)
    )
    low, high = stats.binomtest(alarms, 600).proportion_ci(0.999)
    assert low <= 0.05 and high > 0.02


def test_the_critical_values_of_anderson_darling_are_the_tables() -> None:
    # Scholz and Stephens, and Anderson and Darling's own for one sample, which large samples share
    for alpha, critical in ((0.25, 1.248), (0.05, 2.492), (0.01, 3.857), (0.001, 5.99)):
        assert anderson_critical(alpha) == pytest.approx(critical, rel=0.01)
    assert anderson_critical(1e-5) > anderson_critical(1e-4) > 6


def test_an_outcome_says_in_a_sentence_what_was_measured_and_how_surprising_it_is() -> None:
    import pandas as pd

    found = kolmogorov_smirnov(pd.Series(range(1000), name="price"), pd.Series(range(50, 1050), name="price"))
    assert str(found) == (
        "H0: price is distributed as in the reference. D = 0.05 with 1,000 and 1,000 rows: as far apart or "
        "further in 16% of such pairs if H0 holds; a D of 0.0796 would have been seen with 80% power."
    )
    assert found.alternative == "price is distributed otherwise"


def test_a_test_to_one_side_says_against_what() -> None:
    said = str(mann_whitney(range(100), range(100), alternative="greater"))
    assert said.startswith(
        "H0: the column is as often above the reference's as below, against: the column is more often greater "
        "than in the reference. U = 5,000"
    )
    assert "as far in that direction or further in 50% of such pairs" in said


def test_an_outcome_survives_json() -> None:
    import json

    for test in (*ALL, missing_share):
        found = test([1, 2, 3, 4, 4], [2, 3, 4, 5, 4])
        assert TwoSampleOutcome.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_a_large_sample_is_tested_from_its_tallies_alone() -> None:
    random = np.random.default_rng(3)
    a, b = random.normal(size=10_001), random.normal(0.02, 1, 15_000)
    assert kolmogorov_smirnov(a, b).p_value == pytest.approx(stats.ks_2samp(a, b).pvalue, rel=1e-9)
    assert mann_whitney(a, b).p_value == pytest.approx(stats.mannwhitneyu(a, b).pvalue, rel=1e-9)
