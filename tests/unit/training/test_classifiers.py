"""A model that predicts labels, or several targets: exported, loaded, asked through MLflow's door."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import mean_pinball_loss
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from relet.errors import ModelError
from relet.evaluation.metrics import quantile_metrics, regression_by_target
from relet.training.explanation import background_rows
from relet.training.golden import recorded_predictions
from relet.training.interval import Interval
from relet.training.model import Model, export_model, load_model
from relet.training.pyfunc import ServedModel

RANDOM = np.random.default_rng(5)
ROWS = pd.DataFrame(RANDOM.normal(size=(90, 3)), columns=["x", "y", "z"])
VALUE = ROWS["x"] + ROWS["y"] ** 2
LABELS = {
    "texts": np.where(VALUE > 1.5, "high", np.where(VALUE > 0, "middle", "low")),
    "whole numbers": np.where(VALUE > 1, 7, -3),
    "truth values": np.asarray(VALUE > 0),
    "numbers": np.where(VALUE > 1, 1.0, 2.0),
}
TYPES = {"texts": "string", "whole numbers": "long", "truth values": "boolean", "numbers": "double"}


def model_of(estimator, target):
    return Model(pipeline=Pipeline([("model", estimator)]).fit(ROWS, target), example=ROWS.head(3), target="kind")


@pytest.fixture(params=LABELS)
def kind(request):
    return request.param


def test_labels_come_back_as_they_were_with_their_order_and_their_probabilities(kind, tmp_path):
    model = model_of(RandomForestClassifier(3, random_state=1), LABELS[kind])
    export_model(model, tmp_path)
    again = load_model(tmp_path)
    assert again.classes == model.classes == sorted(set(LABELS[kind].tolist()))
    assert (again.predict(ROWS) == model.pipeline.predict(ROWS)).all()
    assert set(again.predict(ROWS).tolist()) <= set(again.classes)
    found = again.probabilities(ROWS)
    assert list(found.columns) == again.classes
    assert np.allclose(found.sum(axis=1), 1)
    assert (found.to_numpy() == model.pipeline.predict_proba(ROWS)).all()
    assert json.loads((tmp_path / "golden.json").read_text())["classes"] == model.classes


def test_mlflow_is_told_the_type_of_labels_and_how_to_ask_for_probabilities(kind, tmp_path):
    export_model(model_of(LogisticRegression(), LABELS[kind]), tmp_path)
    signature = json.loads((tmp_path / "MLmodel").read_text())["signature"]
    assert json.loads(signature["outputs"]) == [{"type": TYPES[kind], "required": True}]
    assert [each["name"] for each in json.loads(signature["params"])] == ["probabilities"]
    served = ServedModel(load_model(tmp_path))
    assert served.predict(ROWS).tolist() == served.model.predict(ROWS).tolist()
    table = served.predict(ROWS, {"probabilities": True})
    assert list(table.columns) == ["label", *(f"probability_{each}" for each in served.model.classes)]
    best = table.drop(columns="label").to_numpy().argmax(axis=1)
    assert [served.model.classes[each] for each in best] == table["label"].tolist()


def test_a_classifier_without_probabilities_says_what_to_do(tmp_path):
    export_model(model_of(LinearSVC(), LABELS["texts"]), tmp_path)
    again = load_model(tmp_path)
    assert set(again.predict(ROWS)) == {"high", "middle", "low"}
    assert json.loads((tmp_path / "MLmodel").read_text())["signature"]["params"] is None
    with pytest.raises(ModelError, match="labels alone; calibrate it with CalibratedClassifierCV"):
        again.probabilities(ROWS)
    with pytest.raises(ModelError, match="its estimator predicts numbers"):
        model_of(LinearRegression(), VALUE).probabilities(ROWS)


def test_the_probability_of_a_class_is_explained_and_its_contributions_add_up(tmp_path):
    plain = model_of(RandomForestClassifier(5, random_state=1), LABELS["texts"])
    held = replace(plain, background=background_rows(ROWS, plain.probabilities(ROWS)["high"].to_numpy()))
    export_model(held, tmp_path)
    again = load_model(tmp_path)
    for each, row in zip(
        again.explain(ROWS[:4], label="high"), plain.probabilities(ROWS[:4])["high"], strict=True
    ):
        assert each.estimate == row
        assert sum(each.contributions.values()) == pytest.approx(each.estimate - each.base)
    with pytest.raises(ModelError, match="say which class is to be explained: there are high, low, middle"):
        again.explain(ROWS[:1])
    with pytest.raises(ModelError, match="no class 'hihg': did you mean high"):
        again.explain(ROWS[:1], label="hihg")


def test_of_two_classes_the_second_is_explained_through_mlflow_too(tmp_path):
    plain = model_of(LogisticRegression(), LABELS["truth values"])
    held = replace(plain, background=background_rows(ROWS, plain.probabilities(ROWS)[True].to_numpy()))
    export_model(held, tmp_path)
    found = ServedModel(load_model(tmp_path)).predict(ROWS[:3], {"explain": True, "probabilities": True})
    assert found["explained"].tolist() == found["probability_True"].tolist()
    assert [sum(each.values()) for each in found["contributions"]] == pytest.approx(
        found["explained"] - found["base"]
    )
    assert held.explain(ROWS[:1], label=False)[0].estimate == plain.probabilities(ROWS[:1])[False][0]


def test_a_regression_has_no_label_to_explain_and_several_targets_say_what_they_lack(tmp_path):
    one = replace(model_of(LinearRegression(), VALUE), background=ROWS)
    with pytest.raises(ModelError, match="the model predicts numbers: no label such as 'high'"):
        one.explain(ROWS[:1], label="high")
    two = model_of(LinearRegression(), np.column_stack([VALUE, -VALUE]))
    export_model(two, tmp_path)
    again = load_model(tmp_path)
    assert again.predict(ROWS).shape == (len(ROWS), 2)
    metrics = regression_by_target(pd.DataFrame({"up": VALUE, "down": -VALUE}), again.predict(ROWS))
    assert metrics["mae_up"] == pytest.approx(metrics["mae_down"])
    with pytest.raises(ModelError, match="predicts 2 targets, and explains one alone: train a model for each"):
        replace(again, background=ROWS).explain(ROWS[:1])
    interval = Interval(by=(), widths={}, scores=(0.0,) * 99, size=99, low=1, high=9)
    with pytest.raises(ModelError, match="predicts 2 targets, and gives intervals of one alone"):
        replace(again, interval=interval).predict_interval(ROWS)


def test_a_model_of_a_quantile_is_a_model_like_any_other(tmp_path):
    noisy = VALUE + np.random.default_rng(1).normal(size=len(ROWS))
    model = model_of(HistGradientBoostingRegressor(loss="quantile", quantile=0.8, max_iter=40), noisy)
    export_model(model, tmp_path)
    found = quantile_metrics(noisy, load_model(tmp_path).predict(ROWS), 0.8)
    assert found["share_below"] == pytest.approx(0.8, abs=0.1)
    assert found["pinball_loss"] == pytest.approx(mean_pinball_loss(noisy, model.predict(ROWS), alpha=0.8))


def test_a_table_without_rows_has_no_predictions():
    model = model_of(LogisticRegression(), LABELS["texts"])
    assert model.predict(ROWS.head(0)).tolist() == []
    assert model.probabilities(ROWS.head(0)).shape == (0, 3)


def amended(folder, change):
    import hashlib

    golden, about = (json.loads((folder / name).read_text()) for name in ("golden.json", "relet.json"))
    change(golden)
    (folder / "golden.json").write_text(json.dumps(golden))
    about["files"]["golden.json"] = hashlib.sha256((folder / "golden.json").read_bytes()).hexdigest()
    (folder / "relet.json").write_text(json.dumps(about))


def other_label(golden):
    golden["predictions"][0] = "low" if golden["predictions"][0] != "low" else "high"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_label, "no longer predicts the labels"),
        (lambda golden: golden["classes"].reverse(), "no longer has the classes"),
        (lambda golden: golden["probabilities"][0].__setitem__(0, (0.25).hex()), "a probability of golden row 0"),
        (lambda golden: golden["predictions"].pop(), "no longer predicts the labels"),
        (lambda golden: golden["probabilities"].pop(), "as many values"),
    ],
)
def test_a_classifier_that_says_something_else_than_at_export_is_refused(change, said, tmp_path):
    export_model(model_of(HistGradientBoostingClassifier(max_iter=2), LABELS["texts"]), tmp_path)
    amended(tmp_path, change)
    with pytest.raises(ModelError, match=said):
        load_model(tmp_path)


@pytest.mark.parametrize("target", [("up", "down"), [], ["up", 1], None, 3])
def test_a_target_that_no_model_could_be_loaded_with_is_refused_when_it_is_made(target):
    with pytest.raises(ModelError, match="a model's target is a column's name, or a list of names: got"):
        replace(model_of(LinearRegression(), VALUE), target=target)


def test_several_targets_are_columns_in_the_model_and_for_mlflow(tmp_path):
    model = replace(model_of(LinearRegression(), np.column_stack([VALUE, -VALUE])), target=["up", "down"])
    export_model(model, tmp_path)
    again = load_model(tmp_path)
    assert again.target == ["up", "down"]
    assert again.predict(ROWS).shape == (90, 2)
    assert (again.predict(ROWS) == model.predict(ROWS)).all()
    stored = json.loads((tmp_path / "golden.json").read_text())
    assert recorded_predictions(stored).shape[1] == 2
    outputs = json.loads(json.loads((tmp_path / "MLmodel").read_text())["signature"]["outputs"])
    assert outputs == [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]


def test_what_multiplies_matrices_may_differ_in_the_last_bits_and_no_further(tmp_path):
    export_model(model_of(LinearRegression(), VALUE), tmp_path)

    def moved(share):
        def change(golden):
            golden["predictions"][0] = (float.fromhex(golden["predictions"][0]) * (1 + share)).hex()

        return change

    amended(tmp_path, moved(1e-12))
    assert load_model(tmp_path).target == "kind"
    amended(tmp_path, moved(1e-3))
    with pytest.raises(ModelError, match="golden row 0 gives"):
        load_model(tmp_path)
