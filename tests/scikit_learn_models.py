"""Every estimator of scikit-learn, made as people make it and fitted to a small table.

A case is a name, an estimator, and the kind of rows that it learns from. Meta-estimators come in usual
compositions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import all_estimators

SIZE = 80


@dataclass(frozen=True)
class EstimatorCase:
    """An estimator that is not fitted yet, with the kind of its rows and of its target."""

    name: str
    estimator: Any
    rows: str = "numbers"
    target: str = ""

    @property
    def label(self) -> str:
        return type(self.estimator).__name__


def small_rows(kind: str) -> Any:
    """Rows of a kind: tables of numbers, counts, categories, texts; lists for what takes no table."""
    random = np.random.default_rng(11)
    numbers = pd.DataFrame(random.normal(size=(SIZE, 4)), columns=["a", "b", "c", "d"])
    words = random.choice(["big room", "small house", "quiet flat near park", "loft"], SIZE)
    if kind == "gaps":
        return numbers.mask(random.random(numbers.shape) < 0.15)
    if kind == "counts":
        return pd.DataFrame(random.integers(0, 6, size=(SIZE, 4)), columns=["a", "b", "c", "d"])
    if kind == "one":
        return numbers[["a"]]
    if kind == "categories":
        return pd.DataFrame({"u": random.choice(list("xyz"), SIZE), "v": random.choice(["yes", "no"], SIZE)})
    if kind == "mixed":
        return numbers[["a", "b"]].assign(u=random.choice(list("xyz"), SIZE), t=words)
    if kind == "texts":
        return pd.DataFrame({"t": words})
    if kind == "dictionaries":
        return [{"u": word, "n": float(place % 5)} for place, word in enumerate(words)]
    if kind == "images":
        return random.normal(size=(5, 6, 6))
    if kind == "square":
        values = numbers.to_numpy()
        return values @ values.T
    if kind == "labels":
        return words
    if kind == "label sets":
        return [{word, "all"} for word in words]
    return numbers


def small_target(kind: str) -> Any:
    """Targets: numbers, positive numbers, two or three classes as text, several columns of these."""
    random = np.random.default_rng(11)
    numbers = random.normal(size=(SIZE, 4))
    value = numbers[:, 0] * 2 + np.abs(numbers[:, 1]) + random.normal(size=SIZE) / 10
    three = np.where(value > 1.5, "high", np.where(value > 0, "middle", "low"))
    found = {
        "numbers": value,
        "positive": np.exp(value / 3),
        "two": np.where(value > 0, "yes", "no"),
        "three": three,
        "marked": np.where(random.random(SIZE) < 0.3, -1, (value > 0).astype(int)),
        "columns": np.column_stack([value, -value + numbers[:, 2]]),
        "class columns": np.column_stack([np.where(value > 0, "yes", "no"), three]),
        "flags": np.column_stack([value > 0, numbers[:, 2] > 0]).astype(int),
    }
    return found[kind]


_ROWS = {
    "AdditiveChi2Sampler": "counts",
    "BernoulliRBM": "counts",
    "CategoricalNB": "counts",
    "ComplementNB": "counts",
    "MultinomialNB": "counts",
    "LatentDirichletAllocation": "counts",
    "NMF": "counts",
    "MiniBatchNMF": "counts",
    "SkewedChi2Sampler": "counts",
    "TfidfTransformer": "counts",
    "IsotonicRegression": "one",
    "DictVectorizer": "dictionaries",
    "FeatureHasher": "dictionaries",
    "KernelCenterer": "square",
    "KNNImputer": "gaps",
    "SimpleImputer": "gaps",
    "MissingIndicator": "gaps",
    "LabelBinarizer": "labels",
    "LabelEncoder": "labels",
    "MultiLabelBinarizer": "label sets",
    "OneHotEncoder": "categories",
    "OrdinalEncoder": "categories",
    "TargetEncoder": "categories",
    "PatchExtractor": "images",
    "CountVectorizer": "texts",
    "HashingVectorizer": "texts",
    "TfidfVectorizer": "texts",
}
_TARGETS = {
    **dict.fromkeys(
        ("GenericUnivariateSelect", "SelectFdr", "SelectFpr", "SelectFwe", "SelectKBest", "SelectPercentile"),
        "three",
    ),
    "GammaRegressor": "positive",
    "PoissonRegressor": "positive",
    "CCA": "columns",
    "PLSCanonical": "columns",
    "PLSRegression": "columns",
    "PLSSVD": "columns",
    "LabelPropagation": "marked",
    "LabelSpreading": "marked",
    "SelfTrainingClassifier": "marked",
    "MultiOutputClassifier": "class columns",
    "ClassifierChain": "flags",
    "FixedThresholdClassifier": "two",
    "NeighborhoodComponentsAnalysis": "three",
    "TunedThresholdClassifierCV": "two",
}
# Parameters that keep the fit short, or without which an estimator gives nothing for new rows.
_PARAMETERS: dict[str, dict[str, Any]] = {
    "BernoulliRBM": {"n_iter": 2},
    "FeatureHasher": {"n_features": 16},
    "HashingVectorizer": {"n_features": 16},
    "GaussianRandomProjection": {"n_components": 2},
    "SparseRandomProjection": {"n_components": 2},
    "HistGradientBoostingClassifier": {"max_iter": 5},
    "HistGradientBoostingRegressor": {"max_iter": 5},
    "LocalOutlierFactor": {"novelty": True},
    "MLPClassifier": {"hidden_layer_sizes": (5,), "max_iter": 300, "tol": 0.01, "solver": "lbfgs"},
    "MLPRegressor": {"hidden_layer_sizes": (5,), "max_iter": 500, "tol": 0.01, "solver": "lbfgs"},
    "DictionaryLearning": {"n_components": 3, "max_iter": 5, "tol": 0.1},
    "MiniBatchDictionaryLearning": {"n_components": 3, "max_iter": 5, "batch_size": 40},
    "NMF": {"n_components": 2, "tol": 0.01},
    "MiniBatchNMF": {"n_components": 2, "max_iter": 10},
    "PatchExtractor": {"patch_size": (2, 2)},
    "SparseCoder": {"dictionary": np.eye(4)},
    "KNeighborsTransformer": {"n_neighbors": 3},
    "RadiusNeighborsClassifier": {"radius": 9.0},
    "RadiusNeighborsRegressor": {"radius": 9.0},
    "RadiusNeighborsTransformer": {"radius": 2.0},
    "QuantileTransformer": {"n_quantiles": 20},
    "GraphicalLassoCV": {"cv": 2},
    "Nystroem": {"n_components": 5},
    "RandomTreesEmbedding": {"n_estimators": 3},
    "GenericUnivariateSelect": {"mode": "k_best", "param": 2},
    "SelectKBest": {"k": 2},
}
_FORESTS = ("RandomForest", "ExtraTrees", "Bagging", "GradientBoosting", "AdaBoost", "IsolationForest")


def _default_target(label: str, estimator: Any) -> str:
    from sklearn.base import is_classifier

    if label.startswith("MultiTask"):
        return "columns"
    return "three" if is_classifier(estimator) else "numbers"


def _case(name: str, estimator: Any, rows: str | None = None, target: str | None = None) -> EstimatorCase:
    label = type(estimator).__name__
    if "random_state" in estimator.get_params() and not estimator.get_params()["random_state"]:
        estimator.set_params(random_state=3)
    rows = rows or _ROWS.get(label, "numbers")
    target = target or _TARGETS.get(label) or _default_target(label, estimator)
    return EstimatorCase(name, estimator, rows, target)


def plain_cases() -> Iterator[EstimatorCase]:
    """Each estimator that is made without another one, with its defaults and what a small table takes."""
    for label, kind in all_estimators():
        if label in _COMPOSED:
            continue
        parameters = dict(_PARAMETERS.get(label, {}))
        if label.startswith(_FORESTS):
            parameters.setdefault("n_estimators", 3)
        yield _case(label, kind(**parameters))


def _composed() -> dict[str, Any]:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
    from sklearn.ensemble import (
        RandomForestClassifier,
        StackingClassifier,
        StackingRegressor,
        VotingClassifier,
        VotingRegressor,
    )
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.feature_selection import RFE, RFECV, SelectFromModel, SequentialFeatureSelector
    from sklearn.frozen import FrozenEstimator
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import (
        FixedThresholdClassifier,
        GridSearchCV,
        KFold,
        RandomizedSearchCV,
        TunedThresholdClassifierCV,
    )
    from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
    from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from sklearn.semi_supervised import SelfTrainingClassifier
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    del make_column_selector
    line, logistic, tree = Ridge(), LogisticRegression(), DecisionTreeClassifier(max_depth=3, random_state=3)
    regressors = [("line", line), ("tree", DecisionTreeRegressor(max_depth=3, random_state=3))]
    classifiers = [("line", logistic), ("tree", tree)]
    numeric = Pipeline([("fill", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    columns = [
        ("numbers", numeric, ["a", "b"]),
        ("kinds", OneHotEncoder(handle_unknown="ignore"), ["u"]),
        ("words", CountVectorizer(), "t"),
    ]
    return {
        "CalibratedClassifierCV": CalibratedClassifierCV(logistic, cv=3),
        "ClassifierChain": ClassifierChain(logistic, order="random", random_state=3),
        "ColumnTransformer": (ColumnTransformer(columns, remainder="passthrough"), "mixed"),
        "FeatureUnion": FeatureUnion([("same", "passthrough"), ("scaled", StandardScaler())]),
        "FixedThresholdClassifier": FixedThresholdClassifier(logistic, threshold=0.3),
        "FrozenEstimator": FrozenEstimator(Ridge().fit(small_rows("numbers"), small_target("numbers"))),
        "GridSearchCV": GridSearchCV(logistic, {"C": [0.1, 1.0]}, cv=2),
        "MultiOutputClassifier": MultiOutputClassifier(logistic),
        "MultiOutputRegressor": (MultiOutputRegressor(line), "numbers", "columns"),
        "OneVsOneClassifier": OneVsOneClassifier(logistic),
        "OneVsRestClassifier": OneVsRestClassifier(logistic),
        "OutputCodeClassifier": OutputCodeClassifier(logistic, random_state=3),
        "Pipeline": Pipeline([("same", "passthrough"), ("forest", RandomForestClassifier(3, random_state=3))]),
        "RandomizedSearchCV": RandomizedSearchCV(
            line, {"alpha": [0.1, 1.0]}, n_iter=2, random_state=1, cv=KFold(2)
        ),
        "RegressorChain": (RegressorChain(line), "numbers", "columns"),
        "RFE": RFE(line, n_features_to_select=2),
        "RFECV": RFECV(line, cv=2),
        "SelectFromModel": SelectFromModel(line),
        "SelfTrainingClassifier": SelfTrainingClassifier(logistic),
        "SequentialFeatureSelector": SequentialFeatureSelector(line, n_features_to_select=2, cv=2),
        "StackingClassifier": StackingClassifier(classifiers, cv=2),
        "StackingRegressor": StackingRegressor(regressors, cv=2),
        "TransformedTargetRegressor": (
            TransformedTargetRegressor(line, func=np.log1p, inverse_func=np.expm1),
            "numbers",
            "positive",
        ),
        "TunedThresholdClassifierCV": TunedThresholdClassifierCV(logistic, cv=3),
        "VotingClassifier": VotingClassifier(classifiers, voting="soft"),
        "VotingRegressor": VotingRegressor(regressors),
    }


_COMPOSED = frozenset(_composed())


def composed_cases() -> Iterator[EstimatorCase]:
    """Each estimator that is made of others, once."""
    for label, made in _composed().items():
        estimator, *others = made if isinstance(made, tuple) else (made,)
        yield _case(label, estimator, *others)


# Estimators whose rows are no table, or that tell rows apart in another way than by predict or transform.
PARTS = {
    "DictVectorizer": "it takes dictionaries, and rows of a model are a table",
    "FeatureHasher": "it takes dictionaries, and rows of a model are a table",
    "PatchExtractor": "it takes images, and rows of a model are a table",
    "LabelBinarizer": "it encodes the labels of a target",
    "LabelEncoder": "it encodes the labels of a target",
    "MultiLabelBinarizer": "it encodes the labels of a target",
    "EmpiricalCovariance": "it measures distances",
    "GraphicalLasso": "it measures distances",
    "GraphicalLassoCV": "it measures distances",
    "LedoitWolf": "it measures distances",
    "MinCovDet": "it measures distances",
    "OAS": "it measures distances",
    "ShrunkCovariance": "it measures distances",
    "KernelDensity": "it gives a density",
    "NearestNeighbors": "it gives the places of neighbours",
}
# Estimators that describe the rows that they learned from, and say nothing of new ones.
SILENT = dict.fromkeys(
    (
        *("AgglomerativeClustering", "ClassicalMDS", "DBSCAN", "HDBSCAN", "MDS", "OPTICS"),
        *("SpectralBiclustering", "SpectralClustering", "SpectralCoclustering", "SpectralEmbedding", "TSNE"),
    ),
    "it says nothing of rows that it did not learn from",
)
_METHODS = (
    *("predict", "predict_proba", "decision_function", "transform", "score_samples", "mahalanobis", "kneighbors"),
    *("labels_", "embedding_", "row_labels_"),
)


def fitted_case(case: EstimatorCase) -> Any:
    """The estimator of a case, fitted: a pipeline that predicts, or the estimator where it can stand in none."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import Pipeline

    rows, target, estimator = small_rows(case.rows), small_target(case.target), case.estimator
    if case.label in PARTS or case.label in SILENT:
        return (
            estimator.fit(rows) if case.rows in ("images", "labels", "label sets") else estimator.fit(rows, target)
        )
    if case.rows == "texts":
        estimator = ColumnTransformer([("text", estimator, "t")])
    if hasattr(estimator, "predict"):
        return Pipeline([("model", estimator)]).fit(table_of(rows), target)
    numbers = target if target.dtype.kind == "f" else (target == target[0]).astype(float)
    # a step that learns from classes has learned before the last one learns from numbers
    first = estimator.fit(table_of(rows), target)
    made = first.transform(table_of(rows))
    return Pipeline([("step", first), ("model", Ridge().fit(made, numbers))])


def table_of(rows: Any) -> pd.DataFrame:
    """Rows as a table whose columns have names."""
    if isinstance(rows, pd.DataFrame):
        return rows
    return pd.DataFrame(rows, columns=[f"c{place}" for place in range(rows.shape[1])])


def answers(estimator: Any, rows: Any) -> dict[str, str]:
    """A digest of what an estimator, and each step of a pipeline, says of rows, by method."""
    found = {}
    for name, part, given in _parts(estimator, rows):
        for method in _METHODS:
            if hasattr(part, method):
                said = getattr(part, method)
                found[f"{name}.{method}"] = _digest(said(given) if callable(said) else said)
    return found


def _parts(estimator: Any, rows: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "all", estimator, rows
    steps = getattr(estimator, "steps", ())
    if steps and hasattr(steps[0][1], "transform"):
        yield "step", steps[0][1], rows


def _digest(value: Any) -> str:
    from hashlib import sha256

    if isinstance(value, tuple | list):
        return " ".join(map(_digest, value))
    held = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    return sha256(repr((held.shape, held.tolist())).encode()).hexdigest()[:16]
