"""Gradient-boosted trees by scikit-learn alone, on the default's features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.nyc_rentals.learner import check_number

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """The settings of `HistogramRegressor`, which are scikit-learn's."""

    loss: Literal["squared_error", "absolute_error", "gamma", "poisson"] = "squared_error"
    max_iter: int = 300
    learning_rate: float = 0.08
    max_leaf_nodes: int = 31
    min_samples_leaf: int = 20
    l2_regularization: float = 0.0
    max_features: float = 0.5
    max_bins: int = 255

    def __post_init__(self) -> None:
        check_number("max_iter", self.max_iter, least=1)
        check_number("learning_rate", self.learning_rate, above=0)
        check_number("max_leaf_nodes", self.max_leaf_nodes, least=2)
        check_number("min_samples_leaf", self.min_samples_leaf, least=1)
        check_number("l2_regularization", self.l2_regularization, least=0)
        check_number("max_features", self.max_features, above=0, most=1)
        check_number("max_bins", self.max_bins, least=2, most=255)

    def pipeline(self, *, seed: int) -> Pipeline:
        """The inference pipeline, not fitted."""
        from sklearn.pipeline import Pipeline

        from pipelines.nyc_rentals.features import for_trees
        from relet.training.estimators.histogram import HistogramRegressor

        model = HistogramRegressor(**vars(self), random_state=seed)
        return Pipeline([("features", for_trees(seed=seed)), ("model", model)])
