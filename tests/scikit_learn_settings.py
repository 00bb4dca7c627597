"""Estimators of scikit-learn with the settings that people give them, beside their defaults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.scikit_learn_models import EstimatorCase


def _neighbours() -> Iterator[tuple[Any, ...]]:
    from sklearn.ensemble import BaggingClassifier
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import DotProduct, Matern, RationalQuadratic, WhiteKernel
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, RadiusNeighborsClassifier
    from sklearn.svm import SVC, SVR, NuSVC, OneClassSVM

    yield "brute", KNeighborsClassifier(algorithm="brute"), "three"
    yield (
        "ball tree",
        KNeighborsRegressor(3, algorithm="ball_tree", metric="manhattan", weights="distance"),
        "numbers",
    )
    yield "kd tree of a power", KNeighborsRegressor(3, algorithm="kd_tree", p=3), "columns"
    yield "neighbours of two targets", KNeighborsClassifier(3), "class columns"
    yield "outliers of a radius", RadiusNeighborsClassifier(2.0, outlier_label="low", weights="distance"), "three"
    yield "linear vectors", SVC(kernel="linear", class_weight="balanced"), "two"
    yield "polynomial vectors", SVC(kernel="poly", degree=2, decision_function_shape="ovo"), "three"
    yield "few vectors", NuSVC(nu=0.3, kernel="sigmoid"), "two"
    yield "support regression", SVR(kernel="poly", C=2.0), "numbers"
    yield "one class", OneClassSVM(nu=0.2), "numbers"
    yield (
        "bagged neighbours",
        BaggingClassifier(KNeighborsClassifier(3), 3, max_features=0.5, random_state=1),
        "two",
    )
    kernel = 2.0 * Matern(nu=1.5) + WhiteKernel() + RationalQuadratic() * DotProduct()
    yield "sum of kernels", GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True), "numbers"


def _boosting() -> Iterator[tuple[Any, ...]]:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import (
        AdaBoostRegressor,
        ExtraTreesRegressor,
        GradientBoostingClassifier,
        GradientBoostingRegressor,
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
        IsolationForest,
    )
    from sklearn.linear_model import Ridge
    from sklearn.multioutput import MultiOutputRegressor

    short = {"max_iter": 4, "random_state": 1}
    yield "histogram of two", HistGradientBoostingClassifier(early_stopping=True, **short), "two"
    yield (
        "histogram of a quantile",
        HistGradientBoostingRegressor(loss="quantile", quantile=0.8, **short),
        "numbers",
    )
    yield "histogram of counts", HistGradientBoostingRegressor(loss="poisson", **short), "positive"
    yield "histogram of a median", HistGradientBoostingRegressor(loss="absolute_error", **short), "numbers", "gaps"
    categories = HistGradientBoostingClassifier(categorical_features=["a", "c"], min_samples_leaf=3, **short)
    yield "histogram of categories", categories, "three", "counts"
    few = {"n_estimators": 3, "random_state": 1}
    yield "boosting of a huber loss", GradientBoostingRegressor(loss="huber", subsample=0.7, **few), "numbers"
    yield "boosting of a quantile", GradientBoostingRegressor(loss="quantile", **few), "numbers"
    yield "boosting from zero", GradientBoostingRegressor(init="zero", n_iter_no_change=2, **few), "numbers"
    yield "boosting of two", GradientBoostingClassifier(loss="exponential", **few), "two"
    yield "boosted lines", AdaBoostRegressor(Ridge(), **few), "numbers"
    yield "several targets", MultiOutputRegressor(HistGradientBoostingRegressor(**short)), "columns"
    yield "forest of several targets", ExtraTreesRegressor(3, random_state=np.random.RandomState(1)), "columns"
    yield (
        "isolation",
        IsolationForest(n_estimators=3, max_features=0.5, contamination=0.1, random_state=1),
        "numbers",
    )
    calibrated = CalibratedClassifierCV(HistGradientBoostingClassifier(**short), method="isotonic", cv=2)
    yield "calibrated histogram", calibrated, "three"


def _lines() -> Iterator[tuple[Any, ...]]:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.covariance import LedoitWolf
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import (
        LassoCV,
        LogisticRegression,
        RANSACRegressor,
        RidgeCV,
        SGDClassifier,
        TweedieRegressor,
    )
    from sklearn.model_selection import KFold
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import LinearSVC

    yield "weights of classes", LogisticRegression(C=0.5, class_weight={"yes": 2.0, "no": 1.0}), "two"
    yield "sparse weights", LogisticRegression(l1_ratio=1.0, solver="liblinear", C=0.1), "two"
    yield "folds by an object", LassoCV(cv=KFold(3, shuffle=True, random_state=1)), "numbers"
    yield "chosen alphas", RidgeCV(alphas=np.array([0.1, 1.0, 10.0])), "numbers"
    yield "most rows", RANSACRegressor(random_state=1), "numbers"
    yield (
        "descent",
        SGDClassifier(loss="modified_huber", average=True, early_stopping=True, random_state=1),
        "three",
    )
    yield "tweedie", TweedieRegressor(power=1.5), "positive"
    shrunk = LinearDiscriminantAnalysis(solver="eigen", covariance_estimator=LedoitWolf())
    yield "discriminant", shrunk, "three"
    yield "network", MLPClassifier((4, 3), early_stopping=True, max_iter=300, random_state=1), "three"
    yield "temperature", CalibratedClassifierCV(LogisticRegression(), method="temperature", cv=2), "three"
    yield "calibrated support", CalibratedClassifierCV(LinearSVC(), cv=2), "two"


def _compositions() -> Iterator[tuple[Any, ...]]:
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
    from sklearn.ensemble import (
        HistGradientBoostingRegressor,
        RandomForestClassifier,
        StackingClassifier,
        VotingClassifier,
    )
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
    from sklearn.model_selection import GridSearchCV
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.naive_bayes import GaussianNB
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, PowerTransformer, StandardScaler
    from sklearn.svm import SVC

    chosen = ColumnTransformer(
        [
            ("numbers", StandardScaler(), make_column_selector(dtype_include="number")),
            ("kinds", OneHotEncoder(handle_unknown="ignore", min_frequency=2), lambda table: ["u"]),
            ("words", TfidfVectorizer(stop_words="english", ngram_range=(1, 2)), "t"),
        ]
    )
    yield "selected columns", make_pipeline(chosen, LogisticRegression()), "three", "mixed"
    yield "sparse support vectors", make_pipeline(chosen, SVC()), "three", "mixed"
    yield "sparse regression", make_pipeline(chosen, SVC(kernel="linear")), "two", "mixed"
    scaled = make_pipeline(StandardScaler(), SVC())
    yield "search of a pipeline", GridSearchCV(scaled, {"svc__C": [0.1, 1.0]}, cv=2), "three"
    yield "pandas inside", make_pipeline(StandardScaler().set_output(transform="pandas"), Ridge()), "numbers"
    power = TransformedTargetRegressor(HistGradientBoostingRegressor(max_iter=3), transformer=PowerTransformer())
    yield "target by a transformer", power, "positive"
    yield "indicator of gaps", make_pipeline(SimpleImputer(add_indicator=True), Ridge()), "numbers", "gaps"
    constant = SimpleImputer(strategy="constant", fill_value=-1.0)
    yield "constant for gaps", make_pipeline(constant, LinearRegression()), "numbers", "gaps"
    members = [("a", LogisticRegression()), ("b", "drop"), ("c", GaussianNB())]
    yield "hard vote", VotingClassifier(members), "three"
    stack = [("a", GaussianNB()), ("b", make_pipeline(StandardScaler(), LogisticRegression()))]
    last = RandomForestClassifier(3, random_state=1)
    yield "stack that passes columns on", StackingClassifier(stack, last, cv=2, passthrough=True), "three"
    yield "several labels", OneVsRestClassifier(LogisticRegression()), "flags"


def _steps() -> Iterator[tuple[Any, ...]]:
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, f_regression, mutual_info_regression
    from sklearn.impute import IterativeImputer, KNNImputer
    from sklearn.linear_model import Lasso
    from sklearn.preprocessing import (
        FunctionTransformer,
        KBinsDiscretizer,
        PolynomialFeatures,
        QuantileTransformer,
        SplineTransformer,
    )

    yield "iterative imputer", IterativeImputer(random_state=1, max_iter=3, tol=0.5), "numbers", "gaps"
    yield "indicator beside neighbours", KNNImputer(add_indicator=True), "numbers", "gaps"
    yield "regression score", SelectKBest(f_regression, k=2), "numbers"
    yield "information score", SelectKBest(mutual_info_regression, k=2), "numbers"
    yield "trees choose", SelectFromModel(ExtraTreesRegressor(3, random_state=1), threshold="median"), "numbers"
    yield "trees leave out", RFE(ExtraTreesRegressor(3, random_state=1), n_features_to_select=2), "numbers"
    yield "line chooses", SelectFromModel(Lasso(0.01)), "numbers"
    yield "absolute values", FunctionTransformer(np.abs), "numbers"
    yield "ordinal bins", KBinsDiscretizer(4, encode="ordinal", strategy="kmeans", random_state=1), "numbers"
    yield "interactions", PolynomialFeatures((2, 3), interaction_only=True), "numbers"
    yield "normal quantiles", QuantileTransformer(n_quantiles=10, output_distribution="normal"), "numbers"
    yield "periodic splines", SplineTransformer(extrapolation="periodic", degree=2), "numbers"


def settings_cases() -> Iterator[EstimatorCase]:
    """Each estimator with settings of its own, under a name of its own."""
    for made in (_neighbours, _boosting, _lines, _compositions, _steps):
        for name, estimator, target, *rows in made():
            yield EstimatorCase(name, estimator, rows[0] if rows else "numbers", target)
