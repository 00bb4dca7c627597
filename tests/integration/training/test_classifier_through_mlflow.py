"""MLflow loads a classifier's folder, knows its signature, and hands on the wish for probabilities."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from relet.training.model import Model, export_model

mlflow = pytest.importorskip("mlflow")


@pytest.mark.filterwarnings("ignore")
def test_a_classifier_answers_labels_and_on_demand_probabilities_through_mlflow(tmp_path):
    random = np.random.default_rng(1)
    rows = pd.DataFrame({"x": random.normal(size=60), "n": random.integers(0, 9, 60)})
    kinds = np.where(rows["x"] > 0.5, "high", np.where(rows["x"] > -0.5, "middle", "low"))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, kinds)
    export_model(Model(pipeline=pipeline, example=rows.head(3), target="kind"), tmp_path / "model")
    served = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert served.metadata.signature.outputs.to_dict() == [{"type": "string", "required": True}]
    assert list(served.predict(rows)) == list(pipeline.predict(rows))
    table = served.predict(rows, params={"probabilities": True})
    assert list(table.columns) == ["label", "probability_high", "probability_low", "probability_middle"]
    assert np.allclose(table.drop(columns="label"), pipeline.predict_proba(rows))
    assert list(table["label"]) == list(pipeline.predict(rows))
