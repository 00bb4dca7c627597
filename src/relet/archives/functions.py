"""The functions and types that a model may name: they compute on arrays, and do nothing else."""

from __future__ import annotations

import ast
from inspect import isfunction
from typing import Any

from relet.archives.own_code import own_code
from relet.errors import ModelError

# numpy's functions of one array that give a value for each of its values.
_ELEMENTWISE = (
    *("abs", "absolute", "arccos", "arcsin", "arcsinh", "arctan", "arctanh", "cbrt", "ceil", "cos", "cosh"),
    *("deg2rad", "exp", "exp2", "expm1", "fabs", "floor", "isfinite", "isinf", "isnan", "log", "log10", "log1p"),
    *("log2", "logical_not", "negative", "positive", "rad2deg", "reciprocal", "rint", "sign", "sin", "sinh"),
    *("sqrt", "square", "tan", "tanh", "trunc"),
)
# numpy's functions that make one number of many.
_POOLING = ("max", "mean", "median", "min", "sum")
_SCORES = ("chi2", "f_classif", "f_oneway", "f_regression", "r_regression")
_INFORMATION = ("mutual_info_classif", "mutual_info_regression")
_NUMBER_TYPES = ("bool", "float32", "float64", "int32", "int64")
ELEMENTWISE = tuple(f"numpy.{each}" for each in _ELEMENTWISE)
POOLING = tuple(f"numpy.{each}" for each in _POOLING)
SCORES = (
    *(f"sklearn.feature_selection._univariate_selection.{each}" for each in _SCORES),
    *(f"sklearn.feature_selection._mutual_info.{each}" for each in _INFORMATION),
)
NUMBER_TYPES = (
    *(f"numpy.{each}" for each in _NUMBER_TYPES),
    *(f"builtins.{each}" for each in ("bool", "float", "int", "str")),
)
FUNCTIONS = frozenset((*ELEMENTWISE, *POOLING, *SCORES))


def function_name(value: Any, where: str) -> str:
    """The full name of a function or type. Raises ModelError, with what to do, unless a model may name it."""
    label = getattr(value, "__name__", type(value).__name__)
    module = getattr(value, "__module__", None) or "numpy"
    name = f"{module}.{label}"
    if name in FUNCTIONS or name in NUMBER_TYPES:
        return name
    own = own_code() if isfunction(value) else None
    if own and value.__qualname__ == label and own.defines(name, ast.FunctionDef):
        if own.trusts(name):
            return name
        raise ModelError(f"{where} is a function that is not trusted: {own.refusal(name)}")
    kind = "type" if isinstance(value, type) else "function"
    raise ModelError(
        f"{where} is the {kind} {name[:80]}, which a loader would have to execute without knowing it: no loader "
        "trusts it; take one of numpy's functions such as numpy.log1p, define it at the top level of a module of "
        "the project, compute that column in a component before, or return the model's files as a Path, which "
        "relet keeps, but not as an inference artifact"
    )
