"""What the parameters of scikit-learn's estimators may be in a model.

Each estimator of scikit-learn declares what it accepts, and checks that before it fits. The same declarations are
read here, with functions, files and caches left out.
"""

# mypy: disable-error-code="import-untyped"
# scikit-learn ships no stubs.
from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from relet.archives.allowed import (
    COLUMNS,
    NOTHING,
    ONE_THREAD,
    PATTERNS,
    QUIET,
    AllowedValue,
    only,
    pair_of,
    whole,
)
from relet.archives.functions import FUNCTIONS, NUMBER_TYPES
from relet.archives.learned import KINDS, SPARSE
from relet.archives.making import type_by_name
from relet.archives.stored import StoredObject, StoredType

# Parameters that name files or programs, format text, or decide about machines, whatever scikit-learn accepts.
_NARROWED: dict[str, AllowedValue] = {
    "analyzer": only("word", "char", "char_wb"),
    "encoding": only("utf-8"),
    "input": only("content"),
    "kw_args": NOTHING,
    "inv_kw_args": NOTHING,
    "memory": NOTHING,
    "metric_params": NOTHING | KINDS["effective_metric_params_"],
    "n_jobs": ONE_THREAD,
    "ngram_range": pair_of(whole(1, 5), whole(1, 5)),
    "preprocessor": NOTHING,
    "token_pattern": PATTERNS | NOTHING,
    "tokenizer": NOTHING,
    "verbose": QUIET | NOTHING,
    "verbose_feature_names_out": only(True, False),
}
# Parameters whose number is how often something is done for each row that is predicted.
_REPEATED = {
    "max_doc_update_iter": whole(1, 10_000),
    "transform_max_iter": whole(1, 10_000) | NOTHING,
    "sample_steps": whole(1, 100),
    "degree": whole(0, 100) | pair_of(whole(0, 100), whole(0, 100)) | NOTHING,
}
# The largest number of values in a list or array that is a parameter.
_VALUES = 1_000_000


@cache
def parameter_values(name: str) -> Mapping[str, AllowedValue]:
    """The parameters of a type of scikit-learn, and what each may be. Empty for a type without declarations."""
    kind = type_by_name(name)
    if not hasattr(kind, "_get_param_names"):
        return {}
    declared = getattr(kind, "_parameter_constraints", {})
    return {
        each: _NARROWED.get(each) or _REPEATED.get(each) or _declared_value(declared.get(each, "no_validation"))
        for each in kind._get_param_names()
    }


def _declared_value(declared: Any) -> AllowedValue:
    from sklearn.utils._param_validation import make_constraint

    if isinstance(declared, str):
        return AllowedValue("a plain value, an estimator or a list of these", _is_any)
    constraints = [make_constraint(each) for each in declared]
    words = " or ".join(dict.fromkeys(str(each) for each in constraints))[:300]

    def holds(value: Any) -> bool:
        if isinstance(value, StoredObject):
            return _holds_object(value, constraints)
        if isinstance(value, StoredType):
            return _holds_function(value, constraints)
        if not _is_any(value):
            return False
        if not isinstance(value, list | tuple | dict | np.ndarray):
            return any(each.is_satisfied_by(value) for each in constraints)
        return any(not _takes_numbers_alone(each) for each in constraints)

    return AllowedValue(words, holds)


def _takes_numbers_alone(constraint: Any) -> bool:
    return type(constraint).__name__ in (
        "Interval",
        "StrOptions",
        "_Booleans",
        "_NoneConstraint",
        "_NanConstraint",
    )


def _holds_object(value: StoredObject, constraints: list[Any]) -> bool:
    """Whether an object may be a parameter: an estimator, a rule of splitting, a kernel."""
    names = {type(each).__name__ for each in constraints}
    for label, wanted in (("RandomState", "_RandomStates"), ("partial", "_Callables")):
        if value.label == label:
            return wanted in names
    if SPARSE.holds(value):
        return bool(names & {"_SparseMatrices", "_ArrayLikes"})
    return bool(names - {"Interval", "StrOptions", "_Booleans", "_NoneConstraint", "_ArrayLikes"})


def _holds_function(value: StoredType, constraints: list[Any]) -> bool:
    names = {type(each).__name__ for each in constraints}
    if value.name in FUNCTIONS or value.is_own:
        return "_Callables" in names
    return value.name in NUMBER_TYPES and bool(names & {"Options", "_InstancesOf"})


def _is_any(value: Any, depth: int = 0) -> bool:
    """Plain values, estimators, and lists, dictionaries and arrays of these, of bounded size."""
    if isinstance(value, np.ndarray):
        return value.size <= _VALUES and value.dtype.names is None and value.ndim <= 3
    if isinstance(value, str):
        return len(value) <= 10_000
    if value is None or isinstance(value, bool | int | float | np.generic | StoredObject):
        return True
    if isinstance(value, StoredType):
        return value.name in NUMBER_TYPES
    if isinstance(value, slice):
        return COLUMNS.holds(value)
    if depth > 5:
        return False
    parts = value.values() if isinstance(value, dict) else value
    return isinstance(value, dict | list | tuple) and all(_is_any(each, depth + 1) for each in parts)
