"""CatBoost's estimators are stored as arrays, and loaded with equal predictions; wrong arrays are refused."""

import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline, make_pipeline

from relet.errors import ModelError
from relet.training.model import Model, export_model, load_model
from tests.hostile.folders import set_array, set_value

catboost = pytest.importorskip("catboost", reason="catboost is not installed: pip install 'relet[catboost]'")

RANDOM = np.random.default_rng(5)
ROWS = pd.DataFrame(RANDOM.normal(size=(200, 3)), columns=["a", "b", "c"])
ROWS.loc[3, "b"] = np.nan
TARGET = (ROWS["a"] * 2 + ROWS["c"]).to_numpy()
FEW = {"iterations": 5, "depth": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
THREE = np.digitize(TARGET, [-1, 1])
KINDS = {
    "regressor": (catboost.CatBoostRegressor(**FEW), TARGET),
    "poisson": (catboost.CatBoostRegressor(**FEW, loss_function="Poisson"), np.exp(TARGET / 3)),
    "quantile": (catboost.CatBoostRegressor(**FEW, loss_function="Quantile:alpha=0.9"), TARGET),
    "tweedie": (catboost.CatBoostRegressor(**FEW, loss_function="Tweedie:variance_power=1.5"), np.exp(TARGET / 3)),
    "several targets": (catboost.CatBoostRegressor(**FEW, loss_function="MultiRMSE"), np.c_[TARGET, -TARGET]),
    "two classes": (catboost.CatBoostClassifier(**FEW), np.where(TARGET > 0, "yes", "no")),
    "truth values": (catboost.CatBoostClassifier(**FEW), TARGET > 0),
    "three classes": (catboost.CatBoostClassifier(**FEW), THREE),
    "three words": (catboost.CatBoostClassifier(**FEW), np.array(["low", "middle", "high"])[THREE]),
}


def exported(estimator, target, folder):
    pipeline = make_pipeline(estimator).fit(ROWS, target)
    model = Model(pipeline=pipeline, example=ROWS.head(5), target="t", missing=["b"])
    export_model(model, folder)
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_an_estimator_predicts_the_same_after_it_was_loaded(kind, tmp_path, capfd):
    model = exported(*KINDS[kind], tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    if model.is_classifier:
        assert (loaded.predict(ROWS) == model.predict(ROWS)).all()
        assert loaded.classes == model.classes
        assert np.allclose(loaded.probabilities(ROWS), model.probabilities(ROWS), rtol=1e-12, atol=0)
    else:
        assert np.allclose(loaded.predict(ROWS), model.predict(ROWS), rtol=1e-12, atol=1e-12)
    # CatBoost reads the last bit of a number in JSON in its own way, and says nothing about it
    assert capfd.readouterr() == ("", "")


def test_a_ranker_predicts_the_same(tmp_path):
    ranker = catboost.CatBoostRanker(**FEW).fit(ROWS, (TARGET > 0).astype(int), group_id=np.repeat(range(20), 10))
    model = Model(pipeline=Pipeline([("model", ranker)]), example=ROWS.head(5), target="t", missing=["b"])
    export_model(model, tmp_path / "model")
    assert np.allclose(load_model(tmp_path / "model").predict(ROWS), model.predict(ROWS), rtol=1e-12)


def test_what_is_not_stored_is_refused_in_words(tmp_path):
    with pytest.raises(ModelError, match="grow_policy is not 'SymmetricTree'"):
        exported(catboost.CatBoostRegressor(**FEW, grow_policy="Lossguide"), TARGET, tmp_path / "model")
    words = ROWS.assign(b=np.where(TARGET > 0, "x", "y"))
    estimator = catboost.CatBoostRegressor(**FEW, cat_features=["b"]).fit(words, TARGET)
    model = Model(pipeline=Pipeline([("model", estimator)]), example=words.head(5), target="t")
    with pytest.raises(ModelError, match="reads categories or text by itself"):
        export_model(model, tmp_path / "words")


def _changed(place, value):
    def change(array):
        array[place] = value
        return array

    return change


HOSTILE = {
    "a feature far away": ("asked", _changed(0, 2**30)),
    "a feature below 0": ("asked", _changed(0, -1)),
    "a border that is not there": ("at", _changed(0, 1e9)),
    "a tree far too deep": ("depths", _changed(0, 60)),
    "a depth below 0": ("depths", _changed(0, -3)),
    "a leaf is no number": ("leaves", _changed(0, np.nan)),
    "fewer leaves": ("leaves", lambda each: each[:-3]),
    "fewer weights": ("weights", lambda each: each[:-3]),
    "borders of nobody": ("border_counts", _changed(0, 10_000)),
    "a border is infinite": ("borders", _changed(0, np.inf)),
    "borders descend": ("borders", lambda each: np.ascontiguousarray(each[::-1])),
    "missing values go elsewhere": ("missing", _changed(0, 9)),
    "more outputs": ("bias", lambda each: np.repeat(each, 5)),
    "no outputs": ("bias", lambda each: each[:0]),
    "more classes": ("classes", lambda each: np.arange(9)),
    "classes twice": ("classes", lambda each: each * 0),
}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    exported(*KINDS["three classes"], folder / "model")
    return folder / "model"


@pytest.mark.parametrize("name", HOSTILE)
def test_wrong_arrays_are_refused_in_words(name, classifier, tmp_path):
    folder = shutil.copytree(classifier, tmp_path / "model")
    set_array(folder, "CatBoostClassifier", *HOSTILE[name])
    with pytest.raises(ModelError, match="CatBoostClassifier: "):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [("loss", 'RMSE", "x": "'), ("loss", 3), ("scale", None), ("names", ["a"]), ("classes", None)],
)
def test_wrong_values_are_refused_in_words(name, value, classifier, tmp_path):
    folder = shutil.copytree(classifier, tmp_path / "model")
    set_value(folder, "CatBoostClassifier", name, value)
    with pytest.raises(ModelError, match="model is not loaded"):
        load_model(folder)
