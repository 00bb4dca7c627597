"""Samples and options that no two-sample test takes are refused in words."""

import pytest

from relet.checks import statistics
from relet.checks.statistics import (
    anderson_darling,
    chi_square,
    g_test,
    jensen_shannon,
    kullback_leibler,
    missing_share,
    population_stability,
)
from relet.errors import BadDataError, SettingError
from tests.unit.checks.every_test import ALL, OF_NUMBERS, Test


def test_every_public_test_is_tried_on_bad_input() -> None:
    assert {test.__name__ for test in (*ALL, missing_share)} == set(statistics.__all__) - {
        "TwoSampleOutcome",
        "Tally",
        "tally",
    }


@pytest.mark.parametrize("test", ALL)
def test_a_side_without_values_is_an_error_that_says_which(test: Test) -> None:
    with pytest.raises(BadDataError, match="no value in the sample: it has no rows"):
        test([], [1, 2, 3])
    with pytest.raises(BadDataError, match="no value in the reference: all of its 3 values are missing"):
        test([1, 2, 3], [None] * 3)


def test_missing_shares_of_no_rows_are_an_error() -> None:
    with pytest.raises(BadDataError, match="no rows in the reference"):
        missing_share([1], [])


@pytest.mark.parametrize("test", OF_NUMBERS)
def test_text_and_infinity_are_no_numbers(test: Test) -> None:
    with pytest.raises(BadDataError, match="holds text such as 'Bronx'; categories are compared by chi_square"):
        test(["Bronx"] * 5, ["Queens"] * 5)
    with pytest.raises(BadDataError, match="holds an infinite value"):
        test([1.0, float("inf"), 2.0, 3.0], [1.0, 2.0, 3.0])


@pytest.mark.parametrize("test", ALL)
def test_text_on_one_side_and_numbers_on_the_other_are_not_compared(test: Test) -> None:
    with pytest.raises(BadDataError, match="text in the reference and numbers in the sample"):
        test([1, 2, 3], ["1", "2", "3"])


@pytest.mark.parametrize("test", [*ALL, missing_share])
def test_an_alternative_or_alpha_that_is_none_is_refused(test: Test) -> None:
    with pytest.raises(SettingError, match="did you mean greater"):
        test([1, 2, 3], [1, 2, 3], alternative="graeter")
    with pytest.raises(SettingError, match="alpha must lie between 0 and 1, got 5"):
        test([1, 2, 3], [1, 2, 3], alpha=5)


@pytest.mark.parametrize(
    ("test", "why"),
    [
        (anderson_darling, "squares the differences"),
        (chi_square, "shares have no direction"),
        (g_test, "shares have no direction"),
        (kullback_leibler, "a divergence has no direction"),
        (jensen_shannon, "a divergence has no direction"),
        (population_stability, "a divergence has no direction"),
    ],
)
def test_a_test_without_a_direction_says_why(test: Test, why: str) -> None:
    with pytest.raises(SettingError, match=f"no alternative='less': .*{why}"):
        test([1, 2, 3, 4], [1, 2, 3, 4], alternative="less")
