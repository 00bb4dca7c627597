"""Gradient-boosted trees on the logarithm of the price, and on what the title says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.pipeline import Pipeline

from pipelines.nyc_rentals.features import for_trees
from relet.training.estimators.boosted import BoostedRegressor


def boosted(*, seed: int, max_tfidf_features: int, parameters: Mapping[str, Any]) -> Pipeline:
    """The inference pipeline, not fitted; `parameters` are those of `BoostedRegressor`.

    The title enters by a cross-fitted score of all its words, so `max_tfidf_features` has no say here.
    """
    del max_tfidf_features
    model = BoostedRegressor(**{**parameters, "random_state": seed})
    return Pipeline([("features", for_trees(seed=seed)), ("model", model)])
