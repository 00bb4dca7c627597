"""Golden rows: hard ones, but none that training did not know; what an estimator refuses is told as what it is."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from relet.errors import ModelError
from relet.training.model import Model, export_model, load_model

RANDOM = np.random.default_rng(6)
ROWS = pd.DataFrame({"x": RANDOM.normal(size=60), "u": RANDOM.choice(["a", "b", "c"], 60), "n": range(60)})
TARGET = ROWS["x"] * 2 + ROWS["n"]


def columns(*numbers, unknown="ignore"):
    return ColumnTransformer(
        [("kinds", OneHotEncoder(handle_unknown=unknown), ["u"]), ("numbers", "passthrough", list(numbers))]
    )


def golden_of(folder):
    return json.loads((folder / "golden.json").read_text())


def exported(pipeline, folder, rows=ROWS, **given):
    export_model(Model(pipeline=pipeline.fit(rows, TARGET), example=rows.head(3), target="y", **given), folder)
    return golden_of(folder)


def missing_columns(golden):
    return {name for row in golden["rows"] for name, value in row.items() if value is None}


def test_an_estimator_that_takes_no_missing_values_is_not_asked_for_any(tmp_path):
    golden = exported(make_pipeline(columns("x", "n"), LinearRegression()), tmp_path)
    assert missing_columns(golden) == set()
    assert "left_out" not in golden
    assert len(golden["rows"]) > 8
    assert load_model(tmp_path).missing == []


def test_columns_that_training_rows_had_missing_are_missing_in_golden_rows_too(tmp_path):
    gaps = ROWS.assign(x=ROWS["x"].mask(ROWS.index == 1))
    steps = make_pipeline(columns("x", "n"), HistGradientBoostingRegressor(max_iter=2))
    assert missing_columns(exported(steps, tmp_path / "seen", gaps)) == {"x"}
    # the example is only a few rows: whoever trained knows more
    golden = exported(steps, tmp_path / "told", missing=["n", "x"])
    assert missing_columns(golden) == {"n", "x"}
    assert load_model(tmp_path / "told").missing == ["x", "n"]


def test_a_row_that_an_estimator_refuses_is_left_out_and_its_words_are_kept(tmp_path):
    golden = exported(
        make_pipeline(columns("x", "n", unknown="error"), LinearRegression()), tmp_path, missing=["x"]
    )
    assert any("a row without x: ValueError" in each and "NaN" in each for each in golden["left_out"])
    assert any("unknown categories" in each for each in golden["left_out"])
    assert missing_columns(golden) == set()
    assert load_model(tmp_path).predict(ROWS).shape == (60,)


def test_a_prediction_that_is_no_number_is_left_out(tmp_path):
    steps = make_pipeline(columns("n"), FunctionTransformer(np.sqrt), SimpleImputer(), LinearRegression())
    golden = exported(steps, tmp_path)
    assert all(np.isfinite(float.fromhex(each)) for each in golden["predictions"])
    load_model(tmp_path)


def test_a_model_that_does_not_predict_its_own_example_says_what_its_estimator_says(tmp_path):
    pipeline = make_pipeline(columns("x"), LinearRegression()).fit(ROWS, TARGET)
    broken = ROWS.assign(x=np.nan).head(2)
    with pytest.raises(
        ModelError, match=r"does not predict the rows of its own example: ValueError: Input X.*NaN"
    ):
        export_model(Model(pipeline=pipeline, example=broken, target="y"), tmp_path)


def test_rows_from_outside_get_the_types_that_the_pipeline_learned_from(tmp_path):
    steps = [
        ("kinds", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), ["u"]),
        ("numbers", SimpleImputer(strategy="constant", fill_value=0.0), ["x", "n"]),
    ]
    rows = ROWS.assign(u=ROWS["u"].mask(ROWS["n"] % 7 == 1), x=ROWS["x"].mask(ROWS["n"] % 5 == 2))
    exported(Pipeline([("columns", ColumnTransformer(steps)), ("line", LinearRegression())]), tmp_path, rows)
    model = load_model(tmp_path)
    outside = pd.DataFrame(json.loads(rows.to_json(orient="records")), dtype=object)
    assert outside["u"].isna().sum() and outside["u"].dtype == object
    assert np.allclose(model.predict(outside), model.pipeline.predict(rows))
    with pytest.raises(ValueError, match=r"unknown categories \[None\]"):
        model.pipeline.predict(outside)


def test_what_is_no_number_stays_what_it_is_and_the_estimator_says_so(tmp_path):
    exported(make_pipeline(columns("x", "n"), LinearRegression()), tmp_path)
    with pytest.raises(ValueError, match="could not convert string"):
        load_model(tmp_path).predict(ROWS.astype(object).assign(x="much"))
