"""Three families at once, their prices averaged: they err in different places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.nyc_rentals.families.boosted import Boosted
from pipelines.nyc_rentals.families.histogram import Histogram
from pipelines.nyc_rentals.families.linear import Linear
from relet.errors import SettingError, nearest

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

MEMBERS = ("boosted", "histogram", "linear")


@dataclass(frozen=True, kw_only=True)
class Blend:
    """The settings of each member, and its weight in the average (of one without a weight: 1; 0 leaves it out).

    Raises SettingError for a weight of what is no member, and for weights that are no shares.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    boosted: Boosted = Boosted(objectives=("l1",))
    histogram: Histogram = Histogram()
    linear: Linear = Linear()

    def __post_init__(self) -> None:
        for name in self.weights:
            if name not in MEMBERS:
                raise SettingError(f"weights got {name!r}: {nearest(name, MEMBERS)}")

    def pipeline(self, *, seed: int) -> Pipeline:
        """The inference pipeline, not fitted."""
        from sklearn.pipeline import Pipeline

        from relet.training.estimators.blend import BlendRegressor

        members = [(name, getattr(self, name).pipeline(seed=seed)) for name in MEMBERS]
        return Pipeline([("model", BlendRegressor(members, weights=dict(self.weights)))])
