"""Estimators beside the libraries that fit them: the same predictions, of plain numbers, a row like many rows."""

import math
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import ElasticNet
from sklearn.pipeline import Pipeline

from relet.errors import ModelError, SettingError, SetUpError
from relet.features.numeric import Numbers
from relet.features.scaling import Scaled
from relet.training.estimators.blend import BlendRegressor
from relet.training.estimators.boosted import BoostedRegressor
from relet.training.estimators.histogram import HistogramRegressor
from relet.training.estimators.linear import LinearRegressor
from relet.training.estimators.network import NetworkRegressor
from relet.training.estimators.products import product
from relet.training.model import Model, export_model, load_model


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(4)
    made = random.normal(size=(700, 3))
    made[random.random(700) < 0.2, 1] = np.nan
    return made


@pytest.fixture(scope="module")
def prices(rows):
    return np.exp(4 + rows[:, 0] + np.nan_to_num(rows[:, 1], nan=2.0) * rows[:, 2] / 2)


def test_histogram_trees_as_arrays_predict_what_scikit_learn_s_predict(rows, prices):
    own = HistogramRegressor(max_iter=30, max_features=1.0, log_target=False, random_state=3).fit(rows, prices)
    theirs = HistGradientBoostingRegressor(
        max_iter=30, learning_rate=0.08, max_features=1.0, early_stopping=False, random_state=3
    ).fit(rows, prices)
    gaps = np.where(np.random.default_rng(1).random(rows.shape) < 0.3, np.nan, rows * 2)
    for seen in (rows, gaps):
        assert (own.predict(seen) == theirs.predict(seen)).all()


def test_a_feature_that_no_training_row_has_is_of_no_use_to_histogram_trees(rows, prices):
    empty = np.column_stack([rows, np.full(len(rows), np.nan)])
    found = HistogramRegressor(max_iter=5, max_features=1.0).fit(empty, prices)
    assert found.importances_[3] == 0
    other = np.column_stack([rows, rows[:, 0]])
    assert (found.predict(empty) == found.predict(other)).all()


@pytest.mark.parametrize("side", ["left_", "right_"])
@pytest.mark.parametrize("where", ["the first node", "itself", "behind the last node", "far away"])
def test_trees_that_no_row_could_walk_through_are_refused(rows, prices, side, where):
    state = HistogramRegressor(max_iter=3).fit(rows, prices).__getstate__()
    # the last branch, whose place no other check names
    branch = int(np.flatnonzero(state["left_"] >= 0)[-1])
    led = {"the first node": 0, "itself": branch, "behind the last node": len(state["value_"]), "far away": 10**6}
    state[side] = state[side].copy()
    state[side][branch] = led[where]
    with pytest.raises(ModelError, match="a branch leads nowhere"):
        HistogramRegressor().__setstate__(state)


@pytest.mark.parametrize("name", ["feature_", "threshold_", "left_", "right_", "missing_left_"])
def test_trees_whose_arrays_differ_in_length_are_refused(rows, prices, name):
    state = HistogramRegressor(max_iter=3).fit(rows, prices).__getstate__()
    with pytest.raises(ModelError, match="its arrays differ in length"):
        HistogramRegressor().__setstate__({**state, name: state[name][:-1]})


def test_the_line_is_the_elastic_net_s(rows, prices):
    scaled = Scaled().fit_transform(rows)
    own = LinearRegressor(alpha=0.01, log_target=False).fit(scaled, prices)
    theirs = ElasticNet(alpha=0.01, l1_ratio=0.5).fit(scaled, prices)
    assert np.allclose(own.predict(scaled), theirs.predict(scaled), rtol=1e-9)
    assert (own.importances_ == np.abs(own.weights_)).all()


def test_several_objectives_are_averaged_on_the_logarithm(rows, prices):
    given = {"n_estimators": 20, "num_leaves": 8}
    each = [BoostedRegressor(objectives=[one], **given).fit(rows, prices) for one in ("l1", "gamma")]
    both = BoostedRegressor(objectives=["l1", "gamma"], **given).fit(rows, prices)
    expected = np.exp(np.mean([np.log(one.predict(rows)) for one in each], axis=0))
    assert np.allclose(both.predict(rows), expected, rtol=1e-12)
    assert both.importances_.sum() == pytest.approx(1)


@given(seed=st.integers(0, 1000), size=st.integers(1, 40), inputs=st.integers(1, 30), outputs=st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_a_row_s_product_is_the_same_to_the_bit_alone_and_among_others(seed, size, inputs, outputs):
    random = np.random.default_rng(seed)
    rows, weights = random.normal(size=(size, inputs)), random.normal(size=(inputs, outputs))
    together = product(rows, weights)
    assert np.allclose(together, rows @ weights)
    for place in range(size):
        assert (product(rows[place : place + 1], weights)[0] == together[place]).all()


def test_scaling_fills_gaps_with_the_mean_and_says_where_they_were():
    scaler = Scaled().fit(np.array([[1.0, 5.0, 7.0], [3.0, np.nan, 7.0]]))
    assert scaler.transform(np.array([[np.nan, 5.0, 1e9]])).tolist() == [[0.0, 0.0, 10.0, 0.0]]
    assert list(scaler.get_feature_names_out(["a", "b", "c"])) == ["a", "b", "c", "b_missing"]


def test_columns_of_any_spread_are_scaled_to_one_and_those_of_none_to_zero():
    rows = np.array([[0.01, 500.0, 3.0], [0.03, 900.0, 3.0]])
    assert np.allclose(Scaled().fit_transform(rows), [[-1.0, -1.0, 0.0], [1.0, 1.0, 0.0]])


def test_a_line_asked_far_outside_gives_a_number():
    line = LinearRegressor()
    line.weights_, line.offset_ = np.array([5.0]), 0.0
    assert np.isfinite(line.predict(np.array([[1e9], [-1e9]]))).all()
    assert (line.predict(np.array([[1e9], [-1e9]])) > 0).all()


def a_network():
    """A network that was fitted elsewhere: |x| - 2y, by two hidden units and a third."""
    network = NetworkRegressor(hidden=[3], log_target=False)
    network.weights_ = [np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]), np.array([[1.0], [1.0], [-2.0]])]
    network.biases_ = [np.zeros(3), np.zeros(1)]
    network.centre_, network.scale_, network.n_features_in_ = 0.0, 1.0, 2
    return network


def test_a_network_predicts_is_exported_and_loaded_without_torch(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    table = pd.DataFrame({"x": [1.0, -3.0, 0.5], "y": [0.0, 1.0, 2.0]})
    pipeline = Pipeline([("numbers", Numbers(["x", "y"], missing=0.0).fit(table)), ("model", a_network())])
    model = Model(pipeline=pipeline, example=table, target="z")
    assert model.predict(table).tolist() == [1.0, 1.0, -3.5]
    assert a_network().importances_.tolist() == [2.0, 2.0]
    export_model(model, tmp_path / "model")
    assert load_model(tmp_path / "model").predict(table).tolist() == [1.0, 1.0, -3.5]


def test_without_torch_the_fit_says_what_to_install(rows, prices, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SetUpError, match=r"pip install 'relet\[torch\]'.*modeling\.family"):
        NetworkRegressor().fit(rows, prices)


def test_a_network_learns_and_is_the_same_to_the_bit_each_time():
    pytest.importorskip("torch", reason="to fit it takes PyTorch: pip install 'relet[torch]'")
    rows = np.random.default_rng(2).normal(size=(600, 2))
    target = np.exp(np.abs(rows[:, 0]))
    fits = [NetworkRegressor(hidden=[16], epochs=20, learning_rate=0.02).fit(rows, target) for _ in range(2)]
    assert (fits[0].predict(rows) == fits[1].predict(rows)).all()
    assert np.abs(fits[0].predict(rows) - target).mean() < np.abs(np.median(target) - target).mean() / 4


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"a": 0, "b": 0.0}, "weights.*add up to more than 0"),
        ({"a": -1.0}, "weights.*'a'.*got -1.0"),
        ({"b": math.nan}, "weights.*'b'.*got nan"),
        ({"b": math.inf}, "weights.*'b'.*got inf"),
        ({"b": "much"}, "weights.*'b'.*got 'much'"),
    ],
)
def test_weights_that_make_no_average_are_refused_before_a_member_is_fitted(rows, prices, weights, said):
    class Unfitted(LinearRegressor):
        def fit(self, X, y):
            pytest.fail("a member was fitted")

    with pytest.raises(SettingError, match=said):
        BlendRegressor([("a", Unfitted()), ("b", Unfitted())], weights=weights).fit(rows, prices)


@pytest.mark.parametrize("objectives", [[], (), None, "l1", [3]])
def test_objectives_that_are_none_are_refused_by_name(rows, prices, objectives):
    with pytest.raises(SettingError, match="objectives must"):
        BoostedRegressor(n_estimators=2, objectives=objectives).fit(rows, prices)


def test_a_blend_averages_on_the_logarithm_by_its_weights_and_is_exported_whole(rows, prices, tmp_path):
    table = pd.DataFrame(np.nan_to_num(rows), columns=["x", "y", "z"])
    numbers = Numbers(["x", "y", "z"], missing=0.0)
    members = [
        ("trees", Pipeline([("n", numbers), ("m", BoostedRegressor(n_estimators=9))])),
        ("more", Pipeline([("n", numbers), ("m", BoostedRegressor(n_estimators=5, objectives=["l1", "gamma"]))])),
        ("line", Pipeline([("n", numbers), ("m", LinearRegressor())])),
    ]
    blend = BlendRegressor(members, weights={"trees": 2.0}).fit(table, prices)
    assert blend.shares == {"trees": 0.5, "more": 0.25, "line": 0.25}
    logs = [blend.shares[name] * np.log(member.predict(table)) for name, member in blend.members_]
    assert np.allclose(blend.predict(table), np.exp(sum(logs)), rtol=1e-12)
    model = Model(pipeline=Pipeline([("model", blend)]), example=table.head(3), target="price")
    export_model(model, tmp_path / "model")
    assert (load_model(tmp_path / "model").predict(table) == model.predict(table)).all()
