"""Models of XGBoost and CatBoost that were made elsewhere are tried in a process of their own, as any other."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from relet.training.model import Model, export_model, load_model

ROWS = pd.DataFrame(np.random.default_rng(1).normal(size=(400, 3)), columns=["a", "b", "c"])


def estimator(package):
    if package == "xgboost":
        return pytest.importorskip(
            "xgboost", reason="xgboost is not installed: pip install 'relet[xgboost]'"
        ).XGBRegressor(n_estimators=300, n_jobs=1)
    found = pytest.importorskip("catboost", reason="catboost is not installed: pip install 'relet[catboost]'")
    return found.CatBoostRegressor(iterations=300, verbose=0, allow_writing_files=False)


@pytest.mark.parametrize("package", ["xgboost", "catboost"])
def test_a_model_from_elsewhere_is_tried_and_loaded(package, tmp_path):
    pipeline = make_pipeline(estimator(package)).fit(ROWS, ROWS["a"] * 2)
    export_model(Model(pipeline=pipeline, example=ROWS.head(3), target="y"), tmp_path / "model")
    loaded = load_model(tmp_path / "model", trusted=False)
    assert np.allclose(loaded.predict(ROWS), pipeline.predict(ROWS), rtol=1e-9)
