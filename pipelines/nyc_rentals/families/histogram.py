"""Gradient-boosted trees by scikit-learn alone, on the default's features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.pipeline import Pipeline

from pipelines.nyc_rentals.features import for_trees
from relet.training.estimators.histogram import HistogramRegressor


def histogram(*, seed: int, max_tfidf_features: int, parameters: Mapping[str, Any]) -> Pipeline:
    """The inference pipeline, not fitted; `parameters` are those of `HistogramRegressor`."""
    del max_tfidf_features
    model = HistogramRegressor(**{**parameters, "random_state": seed})
    return Pipeline([("features", for_trees(seed=seed)), ("model", model)])
