"""The flagship's model families: each builds an inference pipeline from the same raw columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from pipelines.nyc_rentals.columns import INPUTS, TARGET
from pipelines.nyc_rentals.families.boosted import boosted
from pipelines.nyc_rentals.families.random_forest import random_forest
from relet.errors import SettingError, nearest

FAMILIES = {"boosted": boosted, "random_forest": random_forest}


def inference_pipeline(
    family: str, *, seed: int, max_tfidf_features: int, parameters: Mapping[str, Any]
) -> Pipeline:
    """Pre-processing and model as one scikit-learn pipeline, not fitted.

    Raises SettingError for an unknown family or parameter, with the nearest.
    """
    if family not in FAMILIES:
        raise SettingError(f"modeling.family got {family!r}: {nearest(family, FAMILIES)}")
    try:
        return FAMILIES[family](seed=seed, max_tfidf_features=max_tfidf_features, parameters=parameters)
    except TypeError as error:
        raise SettingError(f"modeling.{family}: {error}") from None


def fitted(
    rows: pd.DataFrame, *, family: str, seed: int, max_tfidf_features: int, parameters: Mapping[str, Any]
) -> Pipeline:
    """The inference pipeline, fitted on rows of clean listings; raises as `inference_pipeline` does."""
    pipeline = inference_pipeline(family, seed=seed, max_tfidf_features=max_tfidf_features, parameters=parameters)
    pipeline.fit(rows[INPUTS], rows[TARGET])
    if "n_jobs" in pipeline[-1].get_params():
        # trees that are summed in parallel are summed in any order: the last bits would differ
        pipeline[-1].set_params(n_jobs=1)
    return pipeline


def importances(pipeline: Pipeline) -> dict[str, float]:
    """Each feature's share of what the model gained by it, the largest first."""
    model = pipeline[-1]
    gains = getattr(model, "importances_", None)
    gains = np.asarray(model.feature_importances_ if gains is None else gains, dtype=np.float64)
    shares = gains / gains.sum() if gains.sum() else gains
    named = dict(zip(map(str, pipeline[:-1].get_feature_names_out()), shares.tolist(), strict=True))
    return dict(sorted(named.items(), key=lambda each: (-each[1], each[0])))
