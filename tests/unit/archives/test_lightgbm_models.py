"""LightGBM's own estimators: stored by their text, loaded with the same predictions, refused where it is wrong."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from relet.archives import archive
from relet.errors import ModelError
from relet.training.model import Model, export_model, load_model

RANDOM = np.random.default_rng(8)
ROWS = pd.DataFrame(RANDOM.normal(size=(120, 3)), columns=["x", "a b", "z"])
VALUE = (ROWS["x"] + ROWS["z"] ** 2).to_numpy()
SHORT = {"n_estimators": 4, "num_leaves": 4, "verbose": -1}


def fitted(name):
    three = np.where(VALUE > 1.5, "high", np.where(VALUE > 0, "middle", "low"))
    if name == "ranker":
        order = LGBMRanker(**SHORT).fit(ROWS, np.clip(VALUE, 0, 4).astype(int), group=[60, 60])
        return Pipeline([("model", order)])
    made = {
        "regressor": (LGBMRegressor(objective="l1", **SHORT), VALUE),
        "two classes": (LGBMClassifier(class_weight="balanced", **SHORT), VALUE > 1),
        "three classes": (LGBMClassifier(random_state=np.random.RandomState(1), **SHORT), three),
        "each class against the others": (LGBMClassifier(objective="multiclassova", **SHORT), three),
        "scaled": (make_pipeline(StandardScaler(), LGBMRegressor(n_jobs=2, **SHORT)), VALUE),
        "in a vote": (
            VotingClassifier([("a", LGBMClassifier(**SHORT)), ("b", LogisticRegression())], voting="soft"),
            three,
        ),
    }[name]
    return Pipeline([("model", made[0])]).fit(ROWS, made[1])


KINDS = [
    "regressor",
    "two classes",
    "three classes",
    "each class against the others",
    "scaled",
    "in a vote",
    "ranker",
]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("kind", [*KINDS, "ranker"])
def test_an_estimator_of_lightgbm_predicts_the_same_when_it_is_loaded(kind, tmp_path):
    model = Model(pipeline=fitted(kind), example=ROWS.head(3), target="y")
    export_model(model, tmp_path / "one")
    again = load_model(tmp_path / "one")
    assert (again.predict(ROWS) == model.predict(ROWS)).all()
    assert again.classes == model.classes
    if again.gives_probabilities:
        assert (again.probabilities(ROWS).to_numpy() == model.probabilities(ROWS).to_numpy()).all()
    export_model(again, tmp_path / "two")
    assert (tmp_path / "one" / "inference.skops").read_bytes() == (
        tmp_path / "two" / "inference.skops"
    ).read_bytes()


@pytest.mark.parametrize(
    ("wrong", "put"),
    [
        ("num_class=3", "num_class=30"),
        ("num_tree_per_iteration=3", "num_tree_per_iteration=1"),
        ("objective=multiclass num_class:3", "objective=multiclass num_class:2"),
        ("objective=multiclass num_class:3", "objective=regression"),
        ("max_feature_idx=2", "max_feature_idx=200"),
        ("left_child=1", "left_child=100000"),
        ("split_feature=", "split_feature=70000 "),
        ("pandas_categorical:null", "pandas_categorical:[[1]]"),
    ],
)
def test_a_text_that_lightgbm_would_end_the_process_over_is_refused(wrong, put):
    value = archive.plain_value(fitted("three classes")[-1])
    assert wrong in value.attributes["text"]
    changed = value.attributes["text"].replace(wrong, put, 1)
    content = archive.written_archive(
        type(value)(type=value.type, attributes={**value.attributes, "text": changed})
    )
    with pytest.raises(ModelError, match="is not loaded: LGBMClassifier: "):
        archive.load_estimator(content, "changed")


@pytest.mark.parametrize("name", ["boosting_type", "importance_type"])
def test_a_parameter_brings_no_other_parameters(name):
    estimator = fitted("regressor")[-1]
    setattr(estimator, name, "gbdt output_result=/tmp/elsewhere")
    with pytest.raises(ModelError, match=r"LGBMRegressor\.parameters is"):
        archive.dump_estimator(estimator)


def test_a_function_as_an_objective_is_refused_by_name():
    estimator = fitted("regressor")[-1].set_params(objective=lambda truth, seen: (seen - truth, truth))
    with pytest.raises(ModelError, match=r"LGBMRegressor\.objective is a function"):
        archive.dump_estimator(estimator)
