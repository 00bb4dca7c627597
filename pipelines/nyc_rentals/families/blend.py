"""Three families at once, their prices averaged: they err in different places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.pipeline import Pipeline

from pipelines.nyc_rentals.families.boosted import boosted
from pipelines.nyc_rentals.families.histogram import histogram
from pipelines.nyc_rentals.families.linear import linear
from relet.errors import SettingError, nearest
from relet.training.estimators.blend import BlendRegressor

MEMBERS = {"boosted": boosted, "histogram": histogram, "linear": linear}


def blend(*, seed: int, max_tfidf_features: int, parameters: Mapping[str, Any]) -> Pipeline:
    """The inference pipeline, not fitted; `parameters` are `weights`, and each member's own by its name.

    Raises SettingError for a name that is no member's.
    """
    weights = parameters.get("weights") or {}
    for name in {*parameters, *weights} - {"weights"}:
        if name not in MEMBERS:
            raise SettingError(f"modeling.blend got {name!r}: {nearest(name, MEMBERS)}")
    members = [
        (name, build(seed=seed, max_tfidf_features=max_tfidf_features, parameters=parameters.get(name) or {}))
        for name, build in MEMBERS.items()
    ]
    return Pipeline([("model", BlendRegressor(members, weights=dict(weights)))])
