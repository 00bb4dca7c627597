"""Prediction sets: what they promise, what they refuse, and that they come back from a model's folder."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from relet.core.artifact import ArtifactType
from relet.errors import ModelError, SettingError
from relet.evaluation.comparison import compare
from relet.training.model import Model, export_model, load_model
from relet.training.prediction_sets import PredictionSets, calibrated_sets
from relet.training.pyfunc import ServedModel
from tests.unit.training.test_grounds import amended

CLASSES = ["high", "low", "middle"]


def drawn(size: int, seed: int, sharpness: float = 1.0) -> tuple[list[str], pd.DataFrame]:
    """Labels, and the probabilities of a model that is too sure of itself."""
    random = np.random.default_rng(seed)
    shares = random.dirichlet([0.6, 1.0, 1.5], size)
    truth = [CLASSES[random.choice(3, p=row)] for row in shares]
    sure = shares**sharpness
    return truth, pd.DataFrame(sure / sure.sum(axis=1, keepdims=True), columns=CLASSES)


def hit(sets: PredictionSets, truth: list[str], shares: pd.DataFrame, coverage: float) -> np.ndarray:
    members = sets.members(shares.to_numpy(), coverage)
    return members[np.arange(len(truth)), [CLASSES.index(each) for each in truth]]


@pytest.mark.parametrize("sharpness", [1.0, 4.0])
@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.97])
def test_the_true_label_is_in_the_set_as_often_as_was_asked_whatever_the_model_thinks(coverage, sharpness):
    truth, shares = drawn(2000, 1, sharpness)
    found = [
        hit(calibrated_sets(*drawn(150, seed, sharpness)), truth, shares, coverage).mean() for seed in range(2, 62)
    ]
    error = 4 * np.std(found) / math.sqrt(len(found)) + 2 * math.sqrt(0.25 / 2000)
    assert np.mean(found) >= coverage - error
    # the most probable label is always in the set, so that small coverages are exceeded
    alone = (shares.to_numpy().argmax(axis=1) == [CLASSES.index(each) for each in truth]).mean()
    assert np.mean(found) <= max(coverage + 1 / 151, alone) + error + 0.03


@given(
    size=st.integers(9, 300),
    seed=st.integers(0, 99),
    coverage=st.floats(0.5, 0.9),
    digits=st.sampled_from([1, 16]),
)
def test_enough_of_the_held_out_rows_themselves_have_their_label_in_the_set(size, seed, coverage, digits):
    truth, shares = drawn(size, seed)
    # trees give many rows the same probability
    shares = shares.round(digits)
    assert hit(calibrated_sets(truth, shares), truth, shares, coverage).sum() >= (size + 1) * coverage - 1e-6


@given(seed=st.integers(0, 99), less=st.floats(0.5, 0.99), more=st.floats(0.5, 0.99))
def test_sets_grow_with_the_coverage_and_are_never_empty(seed, less, more):
    less, more = sorted((less, more))
    sets = calibrated_sets(*drawn(120, seed))
    _, shares = drawn(40, seed + 1)
    small, large = (sets.members(shares.to_numpy(), coverage) for coverage in (less, more))
    assert (small <= large).all()
    assert small.any(axis=1).all()


def test_of_many_held_out_rows_some_scores_are_kept_and_sets_are_not_smaller_for_it():
    truth, shares = drawn(5000, 3)
    sets = calibrated_sets(truth, shares)
    assert (len(sets.scores), sets.size) == (2001, 5000)
    exact = np.sort(1 - shares.to_numpy()[np.arange(5000), [CLASSES.index(each) for each in truth]])
    assert 0 <= sets.threshold(0.9) - exact[math.ceil(5001 * 0.9) - 1] < 0.01


def test_a_label_that_the_model_does_not_know_is_a_miss():
    sets = calibrated_sets(["new"] * 10 + ["low"] * 10, pd.DataFrame({"low": [0.9] * 20, "high": [0.1] * 20}))
    assert sets.scores == (0.1,) * 10 + (1.0,) * 10


def test_too_few_rows_and_impossible_coverages_are_refused():
    sets = calibrated_sets(*drawn(10, 1))
    with pytest.raises(SettingError, match=r"95% needs at least 19 rows that were held out .* has 10"):
        sets.threshold(0.95)
    assert list(sets.thresholds((0.5, 0.9, 0.95))) == [0.5, 0.9]
    with pytest.raises(SettingError, match=r"between 0.5 and 0.99, got 90 \(did you mean 0.9\?\)"):
        sets.threshold(90)
    with pytest.raises(SettingError, match=r"got 0 labels.*set val_size above 0"):
        calibrated_sets([], pd.DataFrame({"a": [], "b": []}))
    with pytest.raises(SettingError, match="a label for each row"):
        calibrated_sets(["a", None], pd.DataFrame({"a": [1.0, 1.0], "b": [0.0, 0.0]}))


@given(scores=st.lists(st.floats(0, 1), min_size=1, max_size=30).map(sorted))
def test_sets_come_back_from_text_as_they_were(scores):
    found = PredictionSets(scores=tuple(scores), size=len(scores))
    assert PredictionSets.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"scores": [], "size": 0},
        {"scores": "0.5", "size": 1},
        {"scores": [0.5], "size": 0},
        {"scores": [0.5], "size": 2},
        {"scores": [0.5], "size": True},
        {"scores": [0.5, 0.2], "size": 2},
        {"scores": [0.5, 1.2], "size": 2},
        {"scores": [-0.5, 0.2], "size": 2},
        {"scores": [float("nan")], "size": 1},
        {"scores": [[0.5]], "size": 1},
    ],
    ids=str,
)
def test_what_holds_no_sets_is_refused(stored):
    with pytest.raises(ModelError, match="the prediction sets can't be read"):
        PredictionSets.from_json(stored)


# --- of a model


@pytest.fixture(scope="module")
def model():
    random = np.random.default_rng(3)
    rows = pd.DataFrame(random.normal(size=(300, 2)), columns=["x", "y"])
    labels = np.where(rows["x"] + random.normal(size=300) > 0, "yes", "no")
    fitted = LogisticRegression().fit(rows[:200], labels[:200])
    plain = Model(pipeline=fitted, example=rows.head(3), target="kind")
    return replace(plain, sets=calibrated_sets(labels[200:], plain.probabilities(rows[200:])))


ROWS = pd.DataFrame({"x": [-3.0, 0.0, 3.0], "y": [0.0, 1.0, -1.0]}, index=[7, 5, 9])


def test_a_loaded_model_gives_the_same_sets_and_is_exported_to_the_same_bytes(model, tmp_path):
    export_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    pd.testing.assert_frame_equal(again.predict_set(ROWS), model.predict_set(ROWS))
    assert model.predict_set(ROWS).loc[7].to_dict() == {"no": True, "yes": False}
    assert model.predict_set(ROWS).loc[5].to_dict() == {"no": True, "yes": True}
    export_model(again, tmp_path / "again")
    assert (tmp_path / "model" / "sets.json").is_file()
    for path in (tmp_path / "model").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_mlflow_gives_the_labels_of_a_set(model, tmp_path):
    export_model(model, tmp_path)
    signature = json.loads((tmp_path / "MLmodel").read_text())["signature"]
    assert [each["name"] for each in json.loads(signature["params"])] == ["coverage", "probabilities"]
    served = ServedModel(load_model(tmp_path))
    assert served.predict(ROWS, {"coverage": 0.9})["set"].tolist() == [["no"], ["no", "yes"], ["yes"]]
    whole = served.predict(ROWS, {"coverage": 0.9, "probabilities": True})
    assert list(whole.columns) == ["label", "set", "probability_no", "probability_yes"]
    assert list(whole.index) == [7, 5, 9]


def test_a_model_without_sets_says_how_to_get_them(model):
    with pytest.raises(ModelError, match=r"gives no prediction sets: .* train it again"):
        replace(model, sets=None).predict_set(ROWS)


@pytest.mark.parametrize("estimator", [LinearSVC(), LinearRegression()], ids=["labels alone", "numbers"])
def test_sets_without_probabilities_are_refused_at_export(model, estimator, tmp_path):
    fitted = estimator.fit(ROWS, [0, 1, 1])
    with pytest.raises(ModelError, match="only a model that gives probabilities"):
        export_model(replace(model, pipeline=fitted), tmp_path)


def test_sets_that_were_changed_are_refused(model, tmp_path):
    export_model(model, tmp_path)
    amended(tmp_path, "sets.json", lambda held: held.update(scores=[0.1] * 50, size=50))
    with pytest.raises(ModelError, match="no longer gives the 50% sets that it gave at export"):
        load_model(tmp_path)


def test_sets_of_a_model_without_probabilities_are_refused(model, tmp_path):
    export_model(model, tmp_path / "model")
    plain = replace(model, pipeline=LinearRegression().fit(ROWS, [0.0, 1.0, 2.0]), sets=None)
    export_model(plain, tmp_path / "plain")
    (tmp_path / "plain" / "sets.json").write_bytes((tmp_path / "model" / "sets.json").read_bytes())
    amended(tmp_path / "plain", "sets.json", lambda held: None)
    with pytest.raises(ModelError, match="has prediction sets and gives no probabilities"):
        load_model(tmp_path / "plain")


def test_models_with_other_sets_differ(model, tmp_path):
    folders = {name: tmp_path / name for name in ("old", "same", "other", "without")}
    others = {"other": calibrated_sets(*drawn(100, 8)), "without": None}
    for name, folder in folders.items():
        export_model(replace(model, sets=others.get(name, model.sets)), folder)
    found = {
        name: compare(ArtifactType.MODEL, folders["old"], folders[name], tolerance=1e-6)
        for name in ("same", *others)
    }
    said = {name: str(each) for name, each in found.items()}
    assert "sets" not in said["same"]
    assert "prediction sets" in said["other"]
    assert "only the recorded model gives prediction sets" in said["without"]
