"""Five expected rows in a cell are enough for the chi-square law; with fewer Fisher's exact test decides."""

from __future__ import annotations

import pytest
from scipy import stats

from relet.checks.statistics import TwoSampleOutcome, chi_square, missing_share


def is_exact(found: TwoSampleOutcome) -> bool:
    return any("Fisher" in remark for remark in found.remarks)


@pytest.mark.parametrize(("many", "exact"), [(5, False), (4, True)])
def test_missing_values_are_tested_exactly_where_fewer_than_five_are_expected(many: int, exact: bool) -> None:
    # the same share on both sides of the same size: so many are expected as there are
    rows = [None] * many + [1] * 20
    found = missing_share(rows, rows)
    assert is_exact(found) is exact
    assert found.p_value == pytest.approx(1.0)


@pytest.mark.parametrize(("many", "exact"), [(5, False), (4, True)])
def test_two_categories_are_tested_exactly_where_fewer_than_five_are_expected(many: int, exact: bool) -> None:
    sample, reference = ["a"] * many + ["b"] * 20, ["a"] * many + ["b"] * 20
    assert is_exact(chi_square(sample, reference)) is exact


def test_the_exact_test_is_fisher_s_of_the_counts() -> None:
    found = missing_share([None] * 3 + [1] * 7, [1] * 10, alternative="greater")
    expected = stats.fisher_exact([[3, 7], [0, 10]], alternative="greater")
    assert found.p_value == pytest.approx(expected.pvalue)
