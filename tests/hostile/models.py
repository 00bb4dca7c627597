"""Small real models of each family, made of a small generated table, that attackers' changes begin with."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.cluster import BisectingKMeans, FeatureAgglomeration, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestRegressor,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
)
from sklearn.svm import SVC

from relet.features.encoding import CrossFittedScore, CrossFittedTargetEncoder
from relet.features.numeric import DaysSince, Numbers
from relet.features.scaling import Scaled
from relet.features.text import PatternFeatures, TextWeights
from relet.training.comparables import comparables
from relet.training.estimators.blend import BlendRegressor
from relet.training.estimators.boosted import BoostedRegressor
from relet.training.estimators.histogram import HistogramRegressor
from relet.training.estimators.linear import LinearRegressor
from relet.training.estimators.network import NetworkRegressor
from relet.training.explanation import background_rows
from relet.training.interval import calibrate
from relet.training.model import Model, export_model

INPUTS = ["id", "room", "city", "title", "nights", "seen"]


def table(size: int = 240) -> pd.DataFrame:
    """Flats with a price: text, categories, numbers and dates."""
    random = np.random.default_rng(7)
    rooms, cities = random.choice(["whole", "private", "shared"], size), random.choice(["north", "south"], size)
    words = random.choice(["sunny loft", "quiet room with garden", "big flat near park"], size)
    nights = random.integers(1, 30, size)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300, size), unit="D")
    price = 50 + 40 * (rooms == "whole") + 20 * (cities == "north") + nights + random.normal(0, 5, size)
    return pd.DataFrame(
        {
            "id": np.arange(size),
            "room": rooms,
            "city": cities,
            "title": words,
            "nights": nights,
            "seen": days,
            "price": price,
        }
    )


def _features(*, encoded: bool) -> ColumnTransformer:
    learned = [
        ("score", CrossFittedScore("title", group="id", min_count=2), ["title", "id"]),
        ("means", CrossFittedTargetEncoder(["city"]), ["city"]),
        ("says", PatternFeatures("title", {"big": "big"}), ["title"]),
    ]
    return ColumnTransformer(
        [
            ("room", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["room"]),
            ("city", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["city"]),
            ("numbers", Numbers(["nights"], missing=0.0), ["nights"]),
            ("seen", DaysSince("seen", missing="2024-01-01"), ["seen"]),
            ("words", TextWeights("title", max_features=4), ["title"]),
            *(learned if encoded else []),
        ],
        verbose_feature_names_out=False,
    )


def _network() -> NetworkRegressor:
    """A network as PyTorch would leave it: two features, three hidden units."""
    network = NetworkRegressor(hidden=[3], log_target=False)
    network.weights_ = [np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]), np.array([[1.0], [1.0], [-2.0]])]
    network.biases_ = [np.zeros(3), np.zeros(1)]
    network.centre_, network.scale_, network.n_features_in_ = 0.0, 1.0, 2
    return network


def _pipelines() -> dict[str, Pipeline]:
    def line() -> Pipeline:
        return Pipeline([("columns", _features(encoded=True)), ("scaled", Scaled()), ("model", LinearRegressor())])

    def boosted(*objectives: str) -> Pipeline:
        model = BoostedRegressor(n_estimators=4, num_leaves=4, objectives=list(objectives))
        return Pipeline([("features", _features(encoded=True)), ("model", model)])

    histogram = HistogramRegressor(max_iter=4, max_leaf_nodes=4)
    forest = RandomForestRegressor(3, max_depth=4, n_jobs=1, random_state=1)
    return {
        "boosted": boosted("l1", "gamma"),
        "histogram": Pipeline([("features", _features(encoded=True)), ("model", histogram)]),
        "linear": line(),
        "blend": Pipeline([("model", BlendRegressor([("trees", boosted("l1")), ("line", line())]))]),
        "random_forest": Pipeline([("features", _features(encoded=False)), ("model", forest)]),
    }


def _scikit_pipelines() -> dict[str, Any]:
    """Estimators of scikit-learn whose machine code follows what they learned, on two columns of numbers."""
    few = {"n_estimators": 2, "max_depth": 2, "random_state": 1}
    categories = {"categorical_features": ["room"], "max_iter": 2, "min_samples_leaf": 5, "random_state": 1}
    sparse = make_pipeline(
        FunctionTransformer(), SplineTransformer(n_knots=3, sparse_output=True), SVC(gamma=0.01)
    )
    return {
        "support": SVC(gamma=0.01),
        "support_sparse": sparse,
        "neighbours": KNeighborsClassifier(3, algorithm="kd_tree"),
        "neighbours_brute": KNeighborsClassifier(3, algorithm="brute"),
        "gradient": GradientBoostingRegressor(**few),
        "gradient_classes": GradientBoostingClassifier(**few),
        "histogram_scikit": HistGradientBoostingClassifier(**categories),
        "centres": KMeans(3, n_init=1, random_state=1),
        "halves": BisectingKMeans(3, random_state=1),
        "isolation": IsolationForest(n_estimators=2, random_state=1),
        "splines": make_pipeline(SplineTransformer(n_knots=3), Ridge()),
        "powers": make_pipeline(PolynomialFeatures(2), Ridge()),
        "groups": make_pipeline(FeatureAgglomeration(2), Ridge()),
        "dropped": make_pipeline(IterativeImputer(max_iter=2, tol=1.0, random_state=1), Ridge()),
        "rounded": make_pipeline(FunctionTransformer(np.log1p), Ridge()),
    }


def _export_scikit_models(folder: Path, rows: pd.DataFrame) -> dict[str, Path]:
    numbers = rows[["id", "nights"]].astype(float).assign(room=(rows["room"] == "whole") * 1.0)
    for family, estimator in _scikit_pipelines().items():
        pipeline = Pipeline([("model", estimator)])
        with warnings.catch_warnings():
            # what is learned from so few rows does not matter
            warnings.simplefilter("ignore")
            pipeline.fit(numbers, rows["room"] if is_classifier(estimator) else rows["price"])
        export_model(Model(pipeline=pipeline, example=numbers.head(3), target="price"), folder / family)
    return {family: folder / family for family in _scikit_pipelines()}


def export_small_models(folder: Path) -> dict[str, Path]:
    """Export one small model of each family below a folder: family → its folder."""
    rows = table()
    found = {}
    for family, pipeline in _pipelines().items():
        pipeline.fit(rows[INPUTS], rows["price"])
        made = Model(pipeline=pipeline, example=rows[INPUTS].head(3), target="price")
        estimates = made.predict(rows)
        interval = calibrate(
            made.predict, rows, rows, estimates=estimates, target="price", by=["room"], low=10, high=500
        )
        grounds = Model(
            pipeline=pipeline,
            example=made.example,
            target="price",
            interval=interval,
            background=background_rows(rows[INPUTS], estimates),
            comparables=comparables(rows, id="id", same=["room"], scales={"nights": 2.0}, target="price"),
        )
        found[family] = folder / family
        export_model(grounds, found[family])
    two = rows[["id", "nights"]].astype(float)
    network = Pipeline([("numbers", Numbers(["id", "nights"], missing=0.0).fit(two)), ("model", _network())])
    found["mlp"] = folder / "mlp"
    export_model(Model(pipeline=network, example=two.head(3), target="price"), found["mlp"])
    return found | _export_scikit_models(folder, rows)
