"""Make the objects of checked values, and take the values of objects whose inner state is not plain.

Search trees, splines, losses and generators of random numbers hold what only their library can check. A model
keeps what they are made of, and they are made again.
"""

# mypy: disable-error-code="import-untyped"
# scikit-learn and SciPy ship no stubs.
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np

from relet.archives.catboost_models import CATBOOST_ESTIMATORS, catboost_values, made_catboost_estimator
from relet.archives.functions import function_name
from relet.archives.lightgbm_models import ESTIMATORS, lightgbm_values, made_estimator
from relet.archives.own_code import needed_own_code
from relet.archives.stored import StoredObject, StoredType
from relet.archives.torch_modules import is_torch_module, made_torch_module
from relet.archives.xgboost_models import XGBOOST_ESTIMATORS, made_xgboost_estimator, xgboost_values
from relet.errors import ModelError

# The distances by which search trees are made, by the type of their object.
TREE_METRICS = {
    "EuclideanDistance": "euclidean",
    "ManhattanDistance": "manhattan",
    "ChebyshevDistance": "chebyshev",
    "MinkowskiDistance": "minkowski",
    "SEuclideanDistance": "seuclidean",
    "MahalanobisDistance": "mahalanobis",
    "HaversineDistance": "haversine",
    "CanberraDistance": "canberra",
    "BrayCurtisDistance": "braycurtis",
    "HammingDistance": "hamming",
    "JaccardDistance": "jaccard",
}


@dataclass(frozen=True)
class RebuiltType:
    """How an object of a type is taken apart into plain values, and made again of them."""

    take: Callable[[Any], dict[str, Any]]
    make: Callable[[type[Any], dict[str, Any]], Any]


def made(value: Any) -> Any:
    """The objects of checked values. It calls `__setstate__`, and for a rebuilt type or a tree its constructor."""
    if isinstance(value, StoredObject):
        return _made_object(value)
    if isinstance(value, StoredType):
        return needed_own_code(value.name).function_of(value.name) if value.is_own else type_by_name(value.name)
    if isinstance(value, np.ndarray):
        return _made_array(value)
    if isinstance(value, list):
        return [made(each) for each in value]
    if isinstance(value, tuple):
        return tuple(made(each) for each in value)
    return {key: made(each) for key, each in value.items()} if isinstance(value, dict) else value


def _made_array(value: np.ndarray[Any, Any]) -> Any:
    if value.dtype != object:
        return value.copy(order="K")
    found = np.empty(value.size, dtype=object)
    for place, each in enumerate(value.ravel().tolist()):
        found[place] = made(each)
    return found.reshape(value.shape)


def _made_object(stored: StoredObject) -> Any:
    attributes = made(stored.attributes)
    if stored.is_own:
        own = needed_own_code(stored.type).class_of(stored.type)
        if is_torch_module(own):
            return made_torch_module(own, attributes)
        return _with_state(object.__new__(own), attributes)
    kind = type_by_name(stored.type)
    if stored.type in REBUILT:
        return REBUILT[stored.type].make(kind, attributes)
    instance = kind.__new__(kind) if stored.arguments is None else kind(*made(stored.arguments))
    if attributes.get("n_jobs") == -1:
        attributes["n_jobs"] = 1
    if stored.label in _NAMED and "estimators_" in attributes:
        attributes["named_estimators_"] = _named_estimators(attributes)
    return _with_state(instance, attributes)


def _with_state(instance: Any, attributes: dict[str, Any]) -> Any:
    # the state of some estimators is kept by a base class that knows `__setstate__` of no state
    if hasattr(instance, "__setstate__"):
        instance.__setstate__(attributes)
    else:
        vars(instance).update(attributes)
    return instance


@cache
def type_by_name(name: str) -> Any:
    """A type or function by its full name. The name must have been found in a table of the loader before."""
    module, _, label = name.rpartition(".")
    try:
        return getattr(import_module(module), label)
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        raise ModelError(
            f"it holds a {label}, and {error.name} is not installed: pip install 'relet[{error.name}]'"
        ) from None


# Packages that are installed with an extra of that name.
EXTRAS = ("catboost", "lightgbm", "torch", "xgboost")
# The estimators that keep the ones they are made of a second time, by name.
_NAMED = ("StackingClassifier", "StackingRegressor", "VotingClassifier", "VotingRegressor")


def _named_estimators(attributes: Mapping[str, Any]) -> Any:
    """Each fitted estimator by its name, as scikit-learn keeps them; one that was dropped is a word."""
    from sklearn.utils import Bunch

    fitted = iter(attributes["estimators_"])
    found = Bunch()
    for name, given in attributes["estimators"]:
        found[name] = "drop" if given == "drop" else next(fitted, None)
    return found


def _of_attributes(*names: str) -> RebuiltType:
    """A type whose constructor takes some of its attributes by name."""
    return RebuiltType(
        lambda value: {name: getattr(value, name) for name in names},
        lambda kind, attributes: kind(**{name: attributes[name] for name in names}),
    )


def _search_tree_values(tree: Any) -> dict[str, Any]:
    """What a KD-tree or ball tree is made of: points, metric, size of a leaf, weights."""
    state = tree.__getstate__()
    metric = state[11]
    name = TREE_METRICS.get(type(metric).__name__.removesuffix("64").removesuffix("32"), type(metric).__name__)
    power, vector, matrix = metric.__getstate__()[:3]
    options = {
        "minkowski": {"p": float(power)},
        "seuclidean": {"V": np.array(vector)},
        "mahalanobis": {"VI": np.array(matrix)},
    }
    return {
        "data": np.asarray(state[0]),
        "leaf_size": state[4],
        "metric": name,
        "options": options.get(name, {}),
        "sample_weight": None if state[12] is None else np.array(state[12]),
    }


def _search_tree(kind: type[Any], held: dict[str, Any]) -> Any:
    weights = {} if held["sample_weight"] is None else {"sample_weight": held["sample_weight"]}
    given = {"leaf_size": held["leaf_size"], "metric": held["metric"], **held["options"]}
    return kind(held["data"], **given, **weights)


def _random_values(state: Any) -> dict[str, Any]:
    held = state.get_state(legacy=False)
    return {**held["state"], "has_gauss": held["has_gauss"], "gauss": float(held["gauss"])}


def _random_state(kind: type[Any], held: dict[str, Any]) -> Any:
    made_state = kind()
    made_state.set_state(("MT19937", held["key"], held["pos"], held["has_gauss"], held["gauss"]))
    return made_state


def _sparse(kind: type[Any], held: dict[str, Any]) -> Any:
    return kind((held["data"], held["indices"], held["indptr"]), shape=held["shape"])


# How histogram boosting takes the columns that are no categories.
_TAKEN_COLUMNS = {"dtype": [np.float64], "ensure_all_finite": False}


def _column_check(value: Any) -> dict[str, Any]:
    """Nothing: the one partial function that a model may hold is histogram boosting's check of its columns."""
    from sklearn.utils import check_array

    if value.func is not check_array or value.args or value.keywords != _TAKEN_COLUMNS:
        function_name(value, "a step of the model")
    return {}


def _made_column_check(kind: type[Any], held: dict[str, Any]) -> Any:
    from sklearn.utils import check_array

    return partial(check_array, **_TAKEN_COLUMNS)


_SEARCH_TREE = RebuiltType(_search_tree_values, _search_tree)
_SPARSE = RebuiltType(
    lambda value: {
        "data": value.data,
        "indices": value.indices,
        "indptr": value.indptr,
        "shape": tuple(map(int, value.shape)),
    },
    _sparse,
)
_LOSSES = {
    "AbsoluteError": (),
    "ExponentialLoss": (),
    "HalfBinomialLoss": (),
    "HalfGammaLoss": (),
    "HalfMultinomialLoss": ("n_classes",),
    "HalfPoissonLoss": (),
    "HalfSquaredError": (),
}
REBUILT: dict[str, RebuiltType] = {
    **{f"sklearn._loss.loss.{name}": _of_attributes(*given) for name, given in _LOSSES.items()},
    **{
        f"sklearn._loss.loss.{name}": RebuiltType(
            lambda value: {"power": float(value.closs.power)}, lambda kind, held: kind(power=held["power"])
        )
        for name in ("HalfTweedieLoss", "HalfTweedieLossIdentity")
    },
    "sklearn._loss.loss.PinballLoss": RebuiltType(
        lambda value: {"quantile": float(value.closs.quantile)}, lambda kind, held: kind(quantile=held["quantile"])
    ),
    "sklearn._loss.loss.HuberLoss": RebuiltType(
        lambda value: {"quantile": float(value.quantile), "delta": float(value.closs.delta)},
        lambda kind, held: kind(quantile=held["quantile"], delta=held["delta"]),
    ),
    "sklearn.neighbors._kd_tree.KDTree": _SEARCH_TREE,
    "sklearn.neighbors._ball_tree.BallTree": _SEARCH_TREE,
    "sklearn.impute._iterative._ImputerTriplet": _of_attributes("feat_idx", "neighbor_feat_idx", "estimator"),
    **{name: RebuiltType(lightgbm_values, made_estimator) for name in ESTIMATORS},
    **{name: RebuiltType(catboost_values, made_catboost_estimator) for name in CATBOOST_ESTIMATORS},
    **{name: RebuiltType(xgboost_values, made_xgboost_estimator) for name in XGBOOST_ESTIMATORS},
    "numpy.random.mtrand.RandomState": RebuiltType(_random_values, _random_state),
    "functools.partial": RebuiltType(_column_check, _made_column_check),
    "numpy.dtype": RebuiltType(lambda value: {"name": value.str}, lambda kind, held: kind(held["name"])),
    **{
        f"scipy.sparse._{each[:3]}.{each}": _SPARSE
        for each in ("csr_matrix", "csr_array", "csc_matrix", "csc_array")
    },
    "scipy.interpolate._bsplines.BSpline": RebuiltType(
        lambda value: {"t": value.t, "c": value.c, "k": int(value.k), "extrapolate": value.extrapolate},
        lambda kind, held: kind(held["t"], held["c"], held["k"], extrapolate=held["extrapolate"]),
    ),
}
