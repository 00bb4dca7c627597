"""The reference's model: a random forest on plain features and a few words of the title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from pipelines.nyc_rentals.columns import NUMBERS
from relet.features.numeric import DaysSince, Numbers
from relet.features.text import TextWeights


def random_forest(*, seed: int, max_tfidf_features: int, parameters: Mapping[str, Any]) -> Pipeline:
    """The inference pipeline, not fitted; `parameters` are those of scikit-learn's forest."""
    # here, since the table of families imports this module for the other ones too
    from sklearn.ensemble import RandomForestRegressor

    features = ColumnTransformer(
        [
            ("room", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["room_type"]),
            ("borough", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["neighbourhood_group"]),
            ("numbers", Numbers(NUMBERS, missing=0.0), NUMBERS),
            # a listing that was never reviewed counts as last reviewed long ago
            ("reviewed", DaysSince("last_review", missing="2010-01-01"), ["last_review"]),
            ("title", TextWeights("name", max_features=max_tfidf_features), ["name"]),
        ],
        verbose_feature_names_out=False,
    )
    forest = RandomForestRegressor(**{"n_jobs": -1, **parameters, "random_state": seed})
    return Pipeline([("features", features), ("model", forest)])
