"""Metrics and gates: what passes, what does not, and what is said."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, r2_score, root_mean_squared_error

from relet.errors import BadDataError
from relet.evaluation.gates import judge_model, slice_checks
from relet.evaluation.metrics import baseline, quantile_metrics, regression, regression_by_target

GOOD = {"mae": 10.0, "rmse": 12.0, "r2": 0.6}


@given(arrays(float, 12, elements=st.floats(1, 500)), arrays(float, 12, elements=st.floats(1, 500)))
def test_metrics_are_scikit_learns(truth, predicted):
    if np.ptp(truth) < 1e-3:
        return
    found = regression(truth, predicted)
    assert found["mae"] == pytest.approx(mean_absolute_error(truth, predicted))
    assert found["rmse"] == pytest.approx(root_mean_squared_error(truth, predicted))
    assert found["r2"] == pytest.approx(r2_score(truth, predicted))


@given(
    arrays(float, 12, elements=st.floats(-500, 500)),
    arrays(float, 12, elements=st.floats(-500, 500)),
    st.floats(0.01, 0.99),
)
def test_the_loss_of_a_quantile_is_scikit_learns(truth, predicted, quantile):
    found = quantile_metrics(truth, predicted, quantile)
    assert found["pinball_loss"] == pytest.approx(mean_pinball_loss(truth, predicted, alpha=quantile), abs=1e-9)
    assert found["share_below"] == np.mean(truth <= predicted)


def test_several_targets_are_measured_one_by_one_and_refused_as_one():
    truth = pd.DataFrame({"price": [1.0, 2.0, 5.0], "nights": [1.0, 1.0, 2.0]})
    predicted = [[1.0, 1.0], [3.0, 1.0], [5.0, 1.0]]
    found = regression_by_target(truth, predicted)
    assert {name: found[f"{name}_price"] for name in GOOD} == regression(truth["price"], [1.0, 3.0, 5.0])
    assert found["mae_nights"] == pytest.approx(1 / 3)
    with pytest.raises(BadDataError, match="several targets are measured by regression_by_target"):
        regression(truth, predicted)
    with pytest.raises(BadDataError, match="rows and targets are needed"):
        regression_by_target(truth, [1.0, 2.0, 3.0])
    for quantile in (0.0, 1.0, 50):
        with pytest.raises(BadDataError, match="a quantile lies between 0 and 1"):
            quantile_metrics([1.0], [1.0], quantile)


def test_the_baseline_is_the_median_of_those_alike_else_of_all():
    train = pd.DataFrame({"place": ["a", "a", "b"], "price": [1.0, 3.0, 10.0]})
    rows = pd.DataFrame({"place": ["b", "a", "new"]}, index=[7, 3, 9])
    assert baseline(train, rows, "price", ["place"]).tolist() == [10.0, 2.0, 3.0]
    nowhere = [frame.assign(city=None) for frame in (train, rows)]
    assert baseline(*nowhere, "price", ["place", "city"]).tolist() == [10.0, 2.0, 3.0]
    assert baseline(*nowhere, "price", ["city"]).tolist() == [3.0, 3.0, 3.0]


def test_a_column_without_values_has_no_slices_and_says_so():
    rows = pd.DataFrame({"city": [None] * 60, "room": ["a"] * 60, "price": np.linspace(1, 60, 60)})
    found = list(slice_checks(rows, "price", rows["price"].to_numpy(), ["city", "room"]))
    assert [(check.name, check.skipped) for check in found] == [("city", True), ("room = a", False)]
    assert found[0].message == "no row has a city: no slice is measured"


def test_a_model_at_the_gate_passes_and_one_below_does_not():
    assert judge_model(GOOD, min_r2=0.6, max_worse=1.0).passed
    refused = judge_model(GOOD, min_r2=0.61, max_worse=1.0)
    assert not refused.passed
    assert "R2 0.600, at least 0.61" in refused.reason


@pytest.mark.parametrize(("mae", "passed"), [(10.0, True), (10.2, True), (10.21, False)])
def test_a_model_may_be_worse_than_the_champion_by_so_much(mae, passed):
    verdict = judge_model({**GOOD, "mae": mae}, min_r2=0.0, max_worse=1.02, champion=GOOD)
    assert verdict.passed is passed
    assert passed or "times the champion's" in verdict.reason


def test_a_model_without_any_r2_does_not_pass():
    assert not judge_model({**GOOD, "r2": float("nan")}, min_r2=0.0, max_worse=1.0).passed


def test_small_groups_are_not_reported():
    rows = pd.DataFrame({"place": ["a"] * 40 + ["b"] * 3, "price": np.arange(43.0)})
    (only,) = slice_checks(rows, "price", rows["price"].to_numpy() + 2, ["place"])
    assert (only.name, only.passed) == ("place = a", True)
    assert "MAE 2.00" in only.message
