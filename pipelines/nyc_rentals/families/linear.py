"""A straight line in scaled features, with a penalty: quick, and easy to explain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.pipeline import Pipeline

from pipelines.nyc_rentals.features import for_lines
from relet.training.estimators.linear import LinearRegressor


def linear(*, seed: int, max_tfidf_features: int, parameters: Mapping[str, Any]) -> Pipeline:
    """The inference pipeline, not fitted; `parameters` are those of `LinearRegressor`."""
    del max_tfidf_features
    model = LinearRegressor(**{**parameters, "random_state": seed})
    return Pipeline([("features", for_lines(seed=seed)), ("model", model)])
