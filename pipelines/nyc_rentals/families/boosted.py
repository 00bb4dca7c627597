"""Gradient-boosted trees on the logarithm of the price, and on what the title says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.nyc_rentals.learner import check_number
from relet.errors import SettingError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True, kw_only=True)
class Boosted:
    """LightGBM's settings; `objectives` has a booster for each, averaged (`l1`: the median, `gamma`: the mean).

    The title enters by a cross-fitted score of all its words.
    """

    objectives: tuple[str, ...] = ("l1", "gamma")
    n_estimators: int = 300
    learning_rate: float = 0.08
    num_leaves: int = 31
    min_child_samples: int = 20
    feature_fraction: float = 0.5
    bagging_fraction: float = 0.8
    max_bin: int = 255
    lambda_l2: float = 0.0

    def __post_init__(self) -> None:
        if not self.objectives:
            raise SettingError("objectives must be a list of LightGBM's, such as [l1, gamma], got []")
        check_number("n_estimators", self.n_estimators, least=1)
        check_number("learning_rate", self.learning_rate, above=0)
        check_number("num_leaves", self.num_leaves, least=2, most=131072)
        check_number("min_child_samples", self.min_child_samples, least=0)
        check_number("feature_fraction", self.feature_fraction, above=0, most=1)
        check_number("bagging_fraction", self.bagging_fraction, above=0, most=1)
        check_number("max_bin", self.max_bin, least=2)
        check_number("lambda_l2", self.lambda_l2, least=0)

    def pipeline(self, *, seed: int) -> Pipeline:
        """The inference pipeline, not fitted."""
        from sklearn.pipeline import Pipeline

        from pipelines.nyc_rentals.features import for_trees
        from relet.training.estimators.boosted import BoostedRegressor

        model = BoostedRegressor(**{**vars(self), "objectives": [*self.objectives], "random_state": seed})
        return Pipeline([("features", for_trees(seed=seed)), ("model", model)])
