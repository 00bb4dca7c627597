"""The types that a model may hold, and the values that each of their attributes may have.

The loader owns these tables: neither a file's own list nor skops' counts. A type belongs here if nothing that its
attributes may be can run, read or start anything, or keep a processor busy without an end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from relet.archives.allowed import (
    COUNT,
    DATE,
    FLAG,
    FLOATS,
    GAP,
    LABELS,
    MATRIX,
    NOTHING,
    NUMBER,
    SEED,
    STEPS,
    TEXT,
    TEXTS,
    TOKENS,
    WHOLES,
    WIDTH,
    AllowedValue,
    array,
    by_name,
    list_of,
    object_of,
    only,
    pair_of,
)
from relet.archives.functions import FUNCTIONS
from relet.archives.learned import REMADE, learned_types
from relet.archives.lightgbm_models import ESTIMATORS
from relet.archives.own_values import refused_own_values, refused_place
from relet.archives.parameters import parameter_values
from relet.archives.scikit_types import LEARNERS, PARTS
from relet.archives.stored import StoredObject, StoredType, inner_values
from relet.archives.xgboost_models import XGBOOST_ESTIMATORS

_NAMES = {"names": TEXTS, "names_": TEXTS}
_LEARNED = {
    "log_target": FLAG,
    "random_state": SEED,
    "n_features_in_": WIDTH,
    "importances_": FLOATS,
    "offset_": NUMBER,
}

_FEATURE_BLOCKS: dict[str, dict[str, AllowedValue]] = {
    "relet.features.encoding.CrossFittedScore": {
        "text": TEXT,
        "categories": list_of(TEXT | TEXTS),
        "group": NOTHING | TEXT,
        "alpha": NUMBER,
        "min_count": COUNT,
        "folds": COUNT,
        "group_folds": COUNT,
        "group_smoothing": NUMBER,
        "forget": NUMBER,
        "seed": SEED,
        "log_target": FLAG,
        "names_": TEXTS,
        "offset_": NUMBER,
        "tokens_": TOKENS,
        "idf_": FLOATS,
        "weights_": FLOATS,
        "group_keys_": WHOLES,
        "group_means_": FLOATS,
    },
    "relet.features.encoding.CrossFittedTargetEncoder": {
        **_NAMES,
        "smoothing": NUMBER,
        "folds": COUNT,
        "seed": SEED,
        "log_target": FLAG,
        "values_": TOKENS,
        "overall_": NUMBER,
        "means_": FLOATS,
    },
    "relet.features.numeric.Combinations": {"weights": by_name(by_name(NUMBER)), "names_": TEXTS},
    "relet.features.numeric.DaysSince": {
        "name": TEXT,
        "missing": NOTHING | DATE,
        "names_": TEXTS,
        "newest_": DATE,
    },
    "relet.features.numeric.Logarithms": _NAMES,
    "relet.features.numeric.Numbers": {**_NAMES, "missing": NOTHING | NUMBER | GAP},
    "relet.features.scaling.Scaled": {"means_": FLOATS, "scales_": FLOATS, "gaps_": WHOLES},
    "relet.features.text.PatternFeatures": {
        "name": TEXT,
        # RE2 searches in time that grows with the text alone
        "patterns": by_name(TEXT),
        "numerals": NOTHING | by_name(NUMBER),
        "names_": TEXTS,
    },
    "relet.features.text.TextWeights": {
        "name": TEXT,
        "max_features": COUNT,
        "stop_words": only(None, "english"),
        "vectorizer_": object_of("TfidfVectorizer"),
        "names_": TEXTS,
    },
    "relet.features.text.TitleStyle": {"name": TEXT, "names_": TEXTS},
}

_ESTIMATORS: dict[str, dict[str, AllowedValue]] = {
    "relet.training.estimators.blend.BlendRegressor": {
        "members": STEPS,
        "members_": list_of(pair_of(TEXT, object_of("Pipeline"))),
        "weights": NOTHING | by_name(NUMBER),
    },
    "relet.training.estimators.boosted.BoostedRegressor": {
        **_LEARNED,
        "n_estimators": COUNT,
        "learning_rate": NUMBER,
        "num_leaves": COUNT,
        "min_child_samples": COUNT,
        "feature_fraction": NUMBER,
        "bagging_fraction": NUMBER,
        "max_bin": COUNT,
        "lambda_l2": NUMBER,
        "objectives": TEXTS,
    },
    "relet.training.estimators.histogram.HistogramRegressor": {
        **_LEARNED,
        "loss": TEXT,
        "max_iter": COUNT,
        "learning_rate": NUMBER,
        "max_leaf_nodes": NOTHING | COUNT,
        "min_samples_leaf": COUNT,
        "l2_regularization": NUMBER,
        "max_features": NUMBER,
        "max_bins": COUNT,
        "roots_": WHOLES,
        "feature_": WHOLES,
        "threshold_": FLOATS,
        "left_": WHOLES,
        "right_": WHOLES,
        "missing_left_": array("b", 1),
        "value_": FLOATS,
    },
    "relet.training.estimators.linear.LinearRegressor": {
        **_LEARNED,
        "alpha": NUMBER,
        "l1_ratio": NUMBER,
        "max_iter": COUNT,
        "weights_": FLOATS,
    },
    "relet.training.estimators.network.NetworkRegressor": {
        **_LEARNED,
        "hidden": list_of(COUNT),
        "epochs": COUNT,
        "batch_size": COUNT,
        "learning_rate": NUMBER,
        "weight_decay": NUMBER,
        "dropout": NUMBER,
        "weights_": list_of(MATRIX),
        "biases_": list_of(FLOATS),
        "centre_": NUMBER,
        "scale_": NUMBER,
    },
}
_SPLITTERS = ("GroupKFold", "GroupShuffleSplit", "KFold", "LeaveOneOut", "ShuffleSplit", "StratifiedGroupKFold")
_SPLIT_RULE = {
    "n_splits": COUNT,
    "shuffle": FLAG,
    "random_state": NOTHING | SEED,
    "test_size": NOTHING | NUMBER,
    "train_size": NOTHING | NUMBER,
    "max_train_size": NOTHING | COUNT,
    "gap": COUNT,
    "_default_test_size": NOTHING | NUMBER,
}
_EXPLICIT: dict[str, dict[str, AllowedValue]] = {
    **_FEATURE_BLOCKS,
    **_ESTIMATORS,
    **PARTS,
    **LEARNERS,
    **REMADE,
    **{
        f"sklearn.model_selection._split.{name}": _SPLIT_RULE
        for name in (*_SPLITTERS, "StratifiedKFold", "StratifiedShuffleSplit", "TimeSeriesSplit")
    },
}
# What every estimator of scikit-learn may have: its version, its inputs, and the kind of table that it gives.
_COMMON = {
    "_sklearn_version": TEXT,
    "n_features_in_": WIDTH,
    "feature_names_in_": LABELS,
    "_sklearn_output_config": by_name(only("default", "pandas", "polars")),
}
# The types of plain values.
_NUMBERS = ("bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64")
_PLAIN_TYPES = (
    *(f"builtins.{each}" for each in ("bool", "dict", "float", "int", "list", "slice", "str", "tuple")),
    *(f"numpy.{each}" for each in (*_NUMBERS, "uint8", "uint16", "uint32", "uint64", "ndarray")),
)
# Estimators of boosting libraries, fitted or not.
_WITH_TWO_STATES = (*ESTIMATORS, *XGBOOST_ESTIMATORS)
TRUSTED = frozenset((*_EXPLICIT, *learned_types(), *_PLAIN_TYPES, *FUNCTIONS))


@cache
def allowed_attributes(name: str) -> Mapping[str, AllowedValue]:
    """The attributes that an object of a trusted type may have, and what each may be."""
    explicit = _EXPLICIT.get(name, {})
    learned = learned_types().get(name)
    return explicit if learned is None else {**learned, **parameter_values(name), **_COMMON, **explicit}


def refused_values(value: Any) -> Iterator[str]:
    """Each attribute of the stored objects in a value that is not what it may be, in words."""
    if isinstance(value, StoredObject):
        if value.is_own:
            yield from refused_own_values(value, allowed_attributes, _COMMON)
        else:
            yield from _refused_attributes(value)
        yield from refused_values(list(value.attributes.values()))
    else:
        for each in inner_values(value):
            yield from refused_values(each)


def _refused_attributes(part: StoredObject) -> Iterator[str]:
    allowed = allowed_attributes(part.type)
    for name, held in part.attributes.items():
        if name not in allowed:
            yield f"{part.label}.{name[:60]} is no attribute that is loaded"
        elif not allowed[name].holds(held) or refused_place(name, held):
            yield f"{part.label}.{name} is {described(held)}; only {allowed[name].words} is loaded"
    whole = part.type in REMADE and part.type not in _WITH_TWO_STATES
    if whole and set(part.attributes) != set(allowed):
        yield f"{part.label} has not all that it is made of"


def described(value: Any) -> str:
    """A value as a message shows it: short, and without what lies in it.

    >>> described("filename"), described([1, 2]), described("x" * 90)[:9]
    ("'filename'", 'a list of 2', "'xxxxxxxx")
    """
    if isinstance(value, StoredObject):
        return f"an object of {value.type}"
    if isinstance(value, StoredType):
        return value.name
    if isinstance(value, dict | list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    if hasattr(value, "dtype") and value.ndim:
        return f"an array of {value.ndim} dimensions of {value.dtype.name}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
