"""XGBoost's estimators are stored as arrays, and loaded with equal predictions; wrong arrays are refused."""

import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline, make_pipeline

from relet.errors import ModelError
from relet.training.model import Model, export_model, load_model
from tests.hostile.folders import attributes, edit_archive, objects, plain, set_array, set_value

xgboost = pytest.importorskip("xgboost", reason="xgboost is not installed: pip install 'relet[xgboost]'")

RANDOM = np.random.default_rng(5)
ROWS = pd.DataFrame(RANDOM.normal(size=(80, 3)), columns=["a", "b", "c"])
ROWS.loc[3, "b"] = np.nan
TARGET = ROWS["a"] * 2 + ROWS["c"]
FEW = {"n_estimators": 3, "max_depth": 3, "random_state": 1, "n_jobs": 1}
CLASSES = np.digitize(TARGET, [-1, 1])
KINDS = {
    "regressor": (xgboost.XGBRegressor(**FEW), TARGET),
    "pruned": (xgboost.XGBRegressor(**FEW, gamma=20.0, tree_method="exact"), TARGET),
    "poisson": (xgboost.XGBRegressor(**FEW, objective="count:poisson"), np.exp(TARGET / 3)),
    "quantiles": (
        xgboost.XGBRegressor(**FEW, objective="reg:quantileerror", quantile_alpha=[0.1, 0.9]),
        TARGET,
    ),
    "several targets": (xgboost.XGBRegressor(**FEW), np.c_[TARGET, -TARGET]),
    "two classes": (xgboost.XGBClassifier(**FEW), (TARGET > 0).astype(int)),
    "three classes": (xgboost.XGBClassifier(**FEW), CLASSES),
    "softmax": (xgboost.XGBClassifier(**FEW, objective="multi:softmax"), CLASSES),
    "forest": (xgboost.XGBRFRegressor(**FEW), TARGET),
    "forest of classes": (xgboost.XGBRFClassifier(**FEW), CLASSES),
}


def exported(estimator, target, folder):
    pipeline = make_pipeline(estimator).fit(ROWS, target)
    model = Model(pipeline=pipeline, example=ROWS.head(5), target="t", missing=["b"])
    export_model(model, folder)
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_an_estimator_predicts_the_same_after_it_was_loaded(kind, tmp_path):
    model = exported(*KINDS[kind], tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert np.array_equal(loaded.predict(ROWS), model.predict(ROWS))
    assert np.array_equal(loaded.pipeline[-1].feature_importances_, model.pipeline[-1].feature_importances_)
    if model.gives_probabilities:
        assert np.array_equal(loaded.probabilities(ROWS), model.probabilities(ROWS))
    # equal models have equal bytes, and what was loaded is stored as before
    export_model(loaded, tmp_path / "again")
    for name in ("inference.skops", "golden.json", "requirements.txt"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()


def test_a_ranker_predicts_the_same(tmp_path):
    groups = np.repeat(range(8), 10)
    ranker = xgboost.XGBRanker(**FEW).fit(ROWS, (TARGET > 0).astype(int), qid=groups)
    model = Model(pipeline=Pipeline([("model", ranker)]), example=ROWS.head(5), target="t", missing=["b"])
    export_model(model, tmp_path / "model")
    assert np.array_equal(load_model(tmp_path / "model").predict(ROWS), model.predict(ROWS))


def test_a_fit_that_was_stopped_early_keeps_its_best_trees(tmp_path):
    estimator = xgboost.XGBRegressor(**{**FEW, "n_estimators": 200}, early_stopping_rounds=2)
    estimator.fit(ROWS, TARGET, eval_set=[(ROWS, RANDOM.permutation(TARGET))], verbose=False)
    model = Model(pipeline=Pipeline([("model", estimator)]), example=ROWS.head(5), target="t", missing=["b"])
    export_model(model, tmp_path / "model")
    assert np.array_equal(load_model(tmp_path / "model").predict(ROWS), model.predict(ROWS))


def test_the_environment_of_the_model_names_xgboost(tmp_path):
    exported(*KINDS["regressor"], tmp_path / "model")
    assert (
        f"=={xgboost.__version__}\n" in (tmp_path / "model/requirements.txt").read_text().partition("xgboost")[2]
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"booster": "dart"}, "booster is 'dart'; only 'gbtree' is stored"),
        ({"booster": "gblinear"}, "booster is 'gblinear'; only 'gbtree' is stored"),
        ({"objective": lambda y, p: (p - y, np.ones_like(p))}, "objective is a function"),
    ],
)
def test_what_is_not_stored_is_refused_in_words(settings, said, tmp_path):
    given = {name: value for name, value in FEW.items() if name != "max_depth"}
    with pytest.raises(ModelError, match=said):
        exported(xgboost.XGBRegressor(**given, **settings), TARGET, tmp_path / "model")


def _changed(place, value):
    def change(array):
        array[place] = value
        return array

    return change


def _wrapped(sizes):
    """Sizes whose sum is the right one again, past the largest whole number."""
    sizes[:4] += 2**62
    return sizes


HOSTILE = {
    "a branch leads out of its tree": ("left_children", _changed(0, 10_000)),
    "a branch leads back": ("left_children", _changed(1, 0)),
    "a branch leads to a negative place": ("right_children", _changed(0, -7)),
    "a node asks for a feature far away": ("split_indices", _changed(0, 2**30)),
    "a node asks for a negative feature": ("split_indices", _changed(0, -1)),
    "a threshold is no number": ("split_conditions", _changed(0, np.nan)),
    "a leaf is infinite": ("split_conditions", _changed(-1, np.inf)),
    "a tree has no node": ("sizes", _changed(0, 0)),
    "sizes add up to more": ("sizes", _changed(0, 10_000)),
    "a size is below 0": ("sizes", _changed(0, -(2**62))),
    "sizes wrap around": ("sizes", _wrapped),
    "a tree belongs to an output far away": ("groups", _changed(0, 2**30)),
    "it begins with many numbers": ("base", lambda base: np.repeat(base, 7)),
    "arrays differ in length": ("loss_changes", lambda each: each[:-1]),
    "missing values go elsewhere": ("default_left", _changed(0, 9)),
}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    exported(*KINDS["three classes"], folder / "model")
    return folder / "model"


@pytest.mark.parametrize("name", HOSTILE)
def test_wrong_arrays_are_refused_in_words(name, classifier, tmp_path):
    folder = shutil.copytree(classifier, tmp_path / "model")
    set_array(folder, "XGBClassifier", *HOSTILE[name])
    with pytest.raises(ModelError, match="XGBClassifier: "):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("features", 2),
        ("classes", 2**31),
        ("classes", 1),
        ("classes", 0),
        ("targets", 7),
        ("parallel", 0),
        ("parallel", 2),
        ("objective", "reg:squarederror"),
        ("objective", "binary:logistic"),
        ("objective", 'multi:softprob", "x": "'),
        ("objective", 3),
        ("names", None),
        ("settings", None),
    ],
)
def test_wrong_values_are_refused_in_words(name, value, classifier, tmp_path):
    folder = shutil.copytree(classifier, tmp_path / "model")
    set_value(folder, "XGBClassifier", name, value)
    with pytest.raises(ModelError) as refused:
        load_model(folder)
    assert "model is not loaded" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"), [("n_jobs", 64), ("device", "cuda"), ("callbacks", 1), ("objective", "a b"), ("other", 1)]
)
def test_wrong_parameters_are_refused_in_words(name, value, classifier, tmp_path):
    folder = shutil.copytree(classifier, tmp_path / "model")

    def change(schema, members):
        held = attributes(next(objects(schema, "XGBClassifier")))["parameters"]
        if name not in held["content"]:
            held["key_types"]["content"].append(held["key_types"]["content"][0])
        held["content"][name] = plain(value)

    edit_archive(folder, change)
    with pytest.raises(ModelError, match="XGBClassifier"):
        load_model(folder)
