"""A straight line in scaled features, with a penalty: quick, and easy to explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.nyc_rentals.learner import check_number

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True, kw_only=True)
class Linear:
    """An elastic net: `alpha` is what a weight costs, `l1_ratio` the share of it that drops features."""

    alpha: float = 0.001
    l1_ratio: float = 0.5
    max_iter: int = 1000

    def __post_init__(self) -> None:
        check_number("alpha", self.alpha, least=0)
        check_number("l1_ratio", self.l1_ratio, least=0, most=1)
        check_number("max_iter", self.max_iter, least=1)

    def pipeline(self, *, seed: int) -> Pipeline:
        """The inference pipeline, not fitted."""
        from sklearn.pipeline import Pipeline

        from pipelines.nyc_rentals.features import for_lines
        from relet.training.estimators.linear import LinearRegressor

        model = LinearRegressor(**vars(self), random_state=seed)
        return Pipeline([("features", for_lines(seed=seed)), ("model", model)])
