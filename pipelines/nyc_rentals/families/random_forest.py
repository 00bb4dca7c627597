"""The reference's model: a random forest on plain features and a few words of the title."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.nyc_rentals.columns import NUMBERS
from pipelines.nyc_rentals.learner import check_number

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True, kw_only=True)
class RandomForest:
    """The settings of scikit-learn's forest, and how many words of the titles it sees."""

    n_estimators: int = 100
    max_depth: int | None = 15
    min_samples_split: int = 4
    min_samples_leaf: int = 3
    criterion: Literal["squared_error", "absolute_error", "friedman_mse", "poisson"] = "squared_error"
    max_features: float | int | str | None = 0.5
    max_tfidf_features: int = 5

    def __post_init__(self) -> None:
        check_number("n_estimators", self.n_estimators, least=1)
        check_number("max_depth", self.max_depth, least=1)
        check_number("min_samples_split", self.min_samples_split, least=2)
        check_number("min_samples_leaf", self.min_samples_leaf, least=1)
        check_number("max_tfidf_features", self.max_tfidf_features, least=1)

    def pipeline(self, *, seed: int) -> Pipeline:
        """The inference pipeline, not fitted."""
        from sklearn.compose import ColumnTransformer
        from sklearn.ensemble import RandomForestRegressor
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

        from relet.features.numeric import DaysSince, Numbers
        from relet.features.text import TextWeights

        settings = asdict(self)
        words = settings.pop("max_tfidf_features")
        features = ColumnTransformer(
            [
                ("room", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["room_type"]),
                ("borough", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["neighbourhood_group"]),
                ("numbers", Numbers(NUMBERS, missing=0.0), NUMBERS),
                # a listing that was never reviewed counts as last reviewed long ago
                ("reviewed", DaysSince("last_review", missing="2010-01-01"), ["last_review"]),
                ("title", TextWeights("name", max_features=words), ["name"]),
            ],
            verbose_feature_names_out=False,
        )
        forest = RandomForestRegressor(**settings, n_jobs=-1, random_state=seed)
        return Pipeline([("features", features), ("model", forest)])
