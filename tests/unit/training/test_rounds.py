"""Estimators that learn in rounds: what the first trees alone predict."""

import numpy as np
import pytest

from relet.evaluation.metrics import mae_by_rounds
from relet.training.estimators.boosted import BoostedRegressor
from relet.training.estimators.histogram import HistogramRegressor

RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(900, 4))
PRICE = np.exp(4 + ROWS[:, 0] - 0.5 * ROWS[:, 1] + RNG.normal(scale=0.2, size=900))

MODELS = {
    "boosted": lambda trees, log: BoostedRegressor(
        n_estimators=trees, num_leaves=7, objectives=["l1", "gamma"], log_target=log
    ),
    "one objective": lambda trees, log: BoostedRegressor(n_estimators=trees, num_leaves=7, log_target=log),
    "histogram": lambda trees, log: HistogramRegressor(max_iter=trees, max_leaf_nodes=7, log_target=log),
}


@pytest.mark.parametrize("log", [True, False], ids=["log", "plain"])
@pytest.mark.parametrize("family", MODELS)
def test_the_first_trees_predict_what_a_model_of_so_many_would(family, log):
    model = MODELS[family](40, log).fit(ROWS, PRICE)
    numbers = [1, 7, 25, 40]
    staged = list(model.staged_predict(ROWS, numbers))
    for number, predicted in zip(numbers, staged, strict=True):
        alone = MODELS[family](number, log).fit(ROWS, PRICE)
        assert alone.rounds == number
        np.testing.assert_allclose(predicted, alone.predict(ROWS), rtol=1e-9)
    np.testing.assert_allclose(staged[-1], model.predict(ROWS), rtol=1e-12)


@pytest.mark.parametrize("family", MODELS)
def test_no_rows_and_no_trees(family):
    model = MODELS[family](5, True).fit(ROWS, PRICE)
    assert [len(each) for each in model.staged_predict(ROWS[:0], [2, 5])] == [0, 0]
    assert model.predict(ROWS[:0]).shape == (0,)
    (nothing,) = model.staged_predict(ROWS[:3], [0])
    assert len(set(nothing)) == 1


@pytest.mark.parametrize(("trees", "points", "numbers"), [(3, 20, [1, 2, 3]), (40, 4, [10, 20, 30, 40])])
def test_the_curve_falls_and_ends_at_the_models_own_error(trees, points, numbers):
    model = MODELS["boosted"](trees, True).fit(ROWS, PRICE)
    curve = mae_by_rounds(model, ROWS, PRICE, points=points)
    assert ([step for step, _ in curve.points], curve.x) == (numbers, "rounds")
    assert curve.points[0][1] > curve.last
    assert curve.last == pytest.approx(np.abs(model.predict(ROWS) - PRICE).mean(), rel=1e-12)
