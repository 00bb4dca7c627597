"""A small neural network on scaled features. To fit it takes PyTorch, an extra: `pip install 'relet[torch]'`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.pipeline import Pipeline

from pipelines.nyc_rentals.features import for_lines
from relet.training.estimators.network import NetworkRegressor


def mlp(*, seed: int, max_tfidf_features: int, parameters: Mapping[str, Any]) -> Pipeline:
    """The inference pipeline, not fitted; `parameters` are those of `NetworkRegressor`."""
    del max_tfidf_features
    model = NetworkRegressor(**{**parameters, "random_state": seed})
    return Pipeline([("features", for_lines(seed=seed)), ("model", model)])
