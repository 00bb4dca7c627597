"""What the learned attributes of scikit-learn's estimators may be in a model.

An attribute that is not named in `learned_names` is refused. Most are numbers, or arrays of numbers, which Python
and numpy compute with and never follow outside of an array. What scikit-learn's machine code follows is checked in
`native` and `structure` beside.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from relet.archives.allowed import (
    COUNT,
    FLAG,
    LABELS,
    NOTHING,
    NUMBER,
    TEXT,
    TEXTS,
    TOKENS,
    WEIGHTS,
    WIDTH,
    AllowedValue,
    array,
    by_name,
    list_of,
    object_of,
    only,
    pair_of,
)
from relet.archives.catboost_models import CATBOOST_ESTIMATORS
from relet.archives.learned_names import NAMES
from relet.archives.lightgbm_models import ESTIMATORS, WORD
from relet.archives.making import TREE_METRICS
from relet.archives.xgboost_models import XGBOOST_ESTIMATORS

# Attributes that only fitting needs, or that are made again of others: a model is stored without them.
DROPPED = frozenset(
    (
        *("_rng", "rng", "_random_state", "_feature_subsample_rng", "_seeds"),
        *("_scorer", "scorer_", "_loss_function_", "loss_function_", "_optimizer"),
        *("named_estimators_", "root_", "dummy_leaf_", "_kmeans_single", "_single_linkage_tree_"),
        # an address in memory, times, and what is passed on with rows
        *("_stop_words_id", "_metadata_request", "_init_prev_time", "_iter_prev_time"),
    )
)
# How the names of the types of arrays begin.
_DTYPES = ("<f", "<i", "<u", "|i", "|u", "<U")
_METHOD = only("predict", "predict_proba", "predict_log_proba", "decision_function")


def _is_plain(value: Any, depth: int = 0) -> bool:
    """Numbers, truth values, arrays of numbers or words, and lists and dictionaries of these."""
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return all(_is_plain(each, depth + 1) or isinstance(each, str) for each in value.ravel().tolist())
        return value.dtype.names is None and value.ndim <= 4
    if value is None or isinstance(value, bool | int | float | np.generic):
        return True
    if depth > 3:
        return False
    if isinstance(value, dict):
        return all(_is_plain(each, depth + 1) for each in value.values())
    return isinstance(value, list | tuple) and all(_is_plain(each, depth + 1) for each in value)


NUMBERS = AllowedValue("numbers, or arrays of numbers", _is_plain)
SPARSE = object_of("csr_matrix", "csr_array", "csc_matrix", "csc_array")
ESTIMATOR = object_of() | NOTHING
MEMBERS = list_of(object_of() | only("drop", "passthrough", None))


def _array_of(each: AllowedValue) -> AllowedValue:
    def holds(value: Any) -> bool:
        if not isinstance(value, np.ndarray) or value.dtype != object:
            return False
        return all(map(each.holds, value.ravel().tolist()))

    return AllowedValue(f"an array of {each.words}", holds)


# What a distance takes beside two rows. Other names go on to machine code that does not check them.
_METRIC_OPTIONS = AllowedValue(
    "a dictionary of p, w, V or VI",
    lambda value: isinstance(value, dict) and set(value) <= {"p", "w", "V", "VI"} and _is_plain(value),
)
_TEXTS = (
    *("_algorithm", "_fit_algorithm", "_fit_svd_solver", "_init", "_metric", "_strategy", "algorithm"),
    *("deflation_mode", "effective_metric_", "gcv_mode", "learning_rate", "loss", "mode", "out_activation_"),
    *("penalty", "precompute", "solver_", "target_type_", "termination_condition_", "y_type_", "_beta_loss"),
)
_ESTIMATORS = (
    *("_bin_mapper", "_centerer", "_encoder", "_estimator", "_label_binarizer", "_label_encoder"),
    *("_preprocessor", "_scaler", "base_estimator_", "estimator", "estimator_", "final_estimator_"),
    *("indicator_", "init_", "initial_imputer_", "kernel_pca_", "label_binarizer_", "le_", "nbrs_", "nn_fit"),
    *("one_hot_encoder_", "regressor_", "transformer_", "kernel", "kernel_", "k1", "k2", "left", "right"),
    *("_loss", "_base_loss", "_tfidf", "_bisecting_tree"),
)
_TREE_LISTS = list_of(list_of(object_of("TreePredictor")))
KINDS: dict[str, AllowedValue] = {
    **dict.fromkeys(_TEXTS, TEXT | NUMBERS),
    **dict.fromkeys(_ESTIMATORS, ESTIMATOR),
    "_cached_dict": NOTHING,
    "_fit_dtype": object_of("dtype") | NOTHING,
    "_fill_dtype": object_of("dtype") | NOTHING,
    "_fit_X": NUMBERS | SPARSE,
    "_fit_method": only("brute", "kd_tree", "ball_tree"),
    "_predictors": _TREE_LISTS,
    "_tree": object_of("KDTree", "BallTree") | NOTHING,
    "tree_": object_of("KDTree", "BallTree", "Tree"),
    "affinity_matrix_": NUMBERS | SPARSE,
    "best_params_": by_name(TEXT | NUMBERS),
    "bsplines_": list_of(object_of("BSpline")),
    "calibrated_classifiers_": list_of(object_of("_CalibratedClassifier")),
    "calibrators": MEMBERS,
    "_n_threads": only(1),
    "chain_method_": _METHOD,
    "effective_metric_params_": _METRIC_OPTIONS,
    "coef_": NUMBERS | SPARSE,
    "components_": NUMBERS | SPARSE,
    "constant_value_bounds": TEXT | NUMBERS,
    "_dual_coef_": NUMBERS | SPARSE,
    "dual_coef_": NUMBERS | SPARSE,
    "init_": ESTIMATOR | only("zero"),
    "estimator_params": TEXTS,
    "estimators_": MEMBERS | _array_of(object_of()),
    "feature_names_": TEXTS,
    "imputation_sequence_": list_of(object_of("_ImputerTriplet")),
    "kernels": MEMBERS,
    "method": only("sigmoid", "isotonic", "temperature"),
    "metric": TEXT,
    "multilabel_": FLAG,
    "nodes": array("V", 1),
    "outlier_label_": NUMBERS | list_of(TEXT | NUMBERS),
    "pairwise_kernels_kwargs": NOTHING | by_name(NUMBERS),
    "random_state_": NOTHING | object_of("RandomState"),
    "stack_method": only("auto", "predict"),
    "stack_method_": list_of(_METHOD),
    "support_vectors_": NUMBERS | SPARSE,
    "vocabulary_": by_name(COUNT),
    "_y": NUMBERS | SPARSE,
    "X_": NUMBERS | SPARSE,
    "X_fit_": NUMBERS | SPARSE,
    **dict.fromkeys(
        (
            *("length_scale_bounds", "alpha_bounds", "periodicity_bounds", "sigma_0_bounds"),
            *("noise_level_bounds", "gamma_bounds"),
        ),
        TEXT | NUMBERS,
    ),
}
_LIGHTGBM_VALUE = (
    AllowedValue(
        "a number, a truth value, None or one word",
        lambda value: (
            isinstance(value, bool | int | float | None)
            or (isinstance(value, str) and bool(WORD.fullmatch(value)))
        ),
    )
    | WEIGHTS
)
# As above; XGBoost's objectives have a colon, and what counts as missing may be NaN.
_XGBOOST_VALUE = AllowedValue(
    "a number, a truth value, None, one word or a list of numbers",
    lambda value: (
        isinstance(value, bool | int | float | None)
        or (isinstance(value, str) and bool(WORD.fullmatch(value.replace(":", "_"))))
        or (isinstance(value, list) and all(type(each) in (int, float) for each in value))
    ),
)
_NODE_WHOLES, _NODE_NUMBERS = array("i", 1), array("f", 1)
_XGBOOST = {
    "parameters": by_name(_XGBOOST_VALUE),
    "features": WIDTH,
    "names": TEXTS,
    "objective": TEXT,
    "settings": by_name(by_name(TEXT)),
    "classes": COUNT,
    "targets": COUNT,
    "base": _NODE_NUMBERS,
    "parallel": COUNT,
    **dict.fromkeys(("groups", "sizes", "left_children", "right_children", "split_indices"), _NODE_WHOLES),
    "default_left": array("u", 1),
    **dict.fromkeys(("base_weights", "loss_changes", "sum_hessian", "split_conditions"), _NODE_NUMBERS),
}
_CATBOOST = {
    **dict.fromkeys(("border_counts", "missing", "depths", "asked"), _NODE_WHOLES),
    **dict.fromkeys(("borders", "at", "leaves", "weights", "bias"), _NODE_NUMBERS),
    "has_missing": array("b", 1),
    "names": TEXTS,
    "scale": NUMBER,
    "loss": TEXT,
    "classes": NOTHING | LABELS,
}
# The attributes of objects that are made again, and that `making` takes.
_INDEX = AllowedValue(
    "an array of whole numbers", lambda value: isinstance(value, np.ndarray) and value.dtype.kind in "iu"
)
REMADE: dict[str, dict[str, AllowedValue]] = {
    "functools.partial": {},
    **dict.fromkeys(XGBOOST_ESTIMATORS, _XGBOOST),
    **dict.fromkeys(CATBOOST_ESTIMATORS, _CATBOOST),
    **{
        name: {
            "parameters": by_name(_LIGHTGBM_VALUE),
            "text": TOKENS,
            "features": WIDTH,
            "classes": NOTHING | LABELS,
        }
        for name in ESTIMATORS
    },
    "numpy.dtype": {
        "name": AllowedValue(
            "the type of numbers or text",
            lambda value: (
                (isinstance(value, str) and value[:2] in _DTYPES and value[2:].isdecimal() and len(value) < 7)
                or value in ("|b1", "|O")
            ),
        )
    },
    "numpy.random.mtrand.RandomState": {
        "key": AllowedValue(
            "an array of 624 whole numbers",
            lambda value: isinstance(value, np.ndarray) and value.dtype == np.uint32 and value.shape == (624,),
        ),
        "pos": AllowedValue(
            "a whole number from 0 to 624",
            lambda value: type(value) is int and 0 <= value <= 624,
        ),
        "has_gauss": only(0, 1),
        "gauss": NUMBERS,
    },
    **{
        f"sklearn.neighbors.{each}": {
            "data": NUMBERS,
            "leaf_size": COUNT,
            "metric": only(*TREE_METRICS.values()),
            "options": _METRIC_OPTIONS,
            "sample_weight": NUMBERS,
        }
        for each in ("_kd_tree.KDTree", "_ball_tree.BallTree")
    },
    "sklearn.impute._iterative._ImputerTriplet": {
        "feat_idx": COUNT,
        "neighbor_feat_idx": _INDEX,
        "estimator": object_of(),
    },
    **{
        f"scipy.sparse._{each[:3]}.{each}": {
            "data": NUMBERS,
            "indices": _INDEX,
            "indptr": _INDEX,
            "shape": pair_of(COUNT, COUNT),
        }
        for each in ("csr_matrix", "csr_array", "csc_matrix", "csc_array")
    },
    "scipy.interpolate._bsplines.BSpline": {
        "t": NUMBERS,
        "c": NUMBERS,
        "k": COUNT,
        "extrapolate": FLAG | only("periodic"),
    },
    **{
        f"sklearn._loss.loss.{name}": dict.fromkeys(names, NUMBERS)
        for name, names in {
            "AbsoluteError": (),
            "ExponentialLoss": (),
            "HalfBinomialLoss": (),
            "HalfGammaLoss": (),
            "HalfMultinomialLoss": ("n_classes",),
            "HalfPoissonLoss": (),
            "HalfSquaredError": (),
            "HalfTweedieLoss": ("power",),
            "HalfTweedieLossIdentity": ("power",),
            "HuberLoss": ("quantile", "delta"),
            "PinballLoss": ("quantile",),
        }.items()
    },
}


@cache
def learned_types() -> dict[str, dict[str, AllowedValue]]:
    """Each type of scikit-learn that a model may hold → its learned attributes → what each may be."""
    found: dict[str, dict[str, AllowedValue]] = {}
    for line in NAMES.replace("\n  ", " ").split("\n"):
        name, _, names = line.partition(":")
        if name:
            found[f"sklearn.{name}"] = {each: KINDS.get(each, NUMBERS) for each in names.split()}
    return found
