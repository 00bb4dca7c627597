"""XGBoost's own estimators (`XGBRegressor`, `XGBClassifier`, `XGBRanker`) as plain values.

A model keeps their parameters, and the trees of their booster as arrays. The arrays are checked, and the JSON that
XGBoost reads is written of them by relet: no text of a file reaches XGBoost. Trees split on numbers, and a leaf
gives one number. They predict with one thread.
"""

# mypy: disable-error-code="import-untyped,import-not-found"
# XGBoost is an extra.
from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relet.archives.stored import StoredObject
from relet.archives.structure import wrong_trees
from relet.errors import ModelError

XGBOOST_ESTIMATORS = tuple(
    f"xgboost.sklearn.{each}"
    for each in ("XGBClassifier", "XGBRanker", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor")
)
# Parameters whose values predicting may look at, or that name how the trees were made.
_PARAMETERS = frozenset(
    (
        *("n_estimators", "max_depth", "max_leaves", "max_bin", "grow_policy", "learning_rate", "objective"),
        *("booster", "tree_method", "gamma", "min_child_weight", "max_delta_step", "subsample", "sampling_method"),
        *("colsample_bytree", "colsample_bylevel", "colsample_bynode", "reg_alpha", "reg_lambda", "missing"),
        *("scale_pos_weight", "base_score", "num_parallel_tree", "random_state", "n_jobs", "importance_type"),
        *("validate_parameters", "enable_categorical", "max_cat_to_onehot", "max_cat_threshold", "multi_strategy"),
        *("quantile_alpha", "huber_slope", "tweedie_variance_power", "lambdarank_pair_method"),
        *("lambdarank_num_pair_per_sample", "lambdarank_unbiased", "ndcg_exp_gain"),
    )
)
# The numbers of each node, beside those that lead through a tree.
_OF_NODES = ("base_weights", "loss_changes", "sum_hessian", "split_conditions")
_NODES = ("left_children", "right_children", "split_indices", "default_left", *_OF_NODES)
_KINDS = {"XGBClassifier": ("binary", "multi"), "XGBRFClassifier": ("binary", "multi"), "XGBRanker": ("rank",)}
_REGRESSION = ("reg", "count", "survival", "binary")
# A parameter of an objective is a number, a list of numbers or a word.
_SETTING = re.compile(r"[a-z0-9_]{1,40}|[-+0-9.eE]{1,30}|\[[-+0-9.eE,]{1,2000}\]")
_OBJECTIVE = re.compile(r"([a-z]{1,10}):[a-z0-9_]{1,40}")
_ROOT = 2**31 - 1
_OF_CATEGORIES = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
_WHOLE = ("objective", "settings", "classes", "targets", "base", "parallel", "groups", "sizes", *_NODES)


def xgboost_values(estimator: Any) -> dict[str, Any]:
    """What an estimator of XGBoost is made of. Raises ModelError for trees of a kind that is not stored."""
    label = type(estimator).__name__
    parameters = _parameters(estimator, label)
    if not hasattr(estimator, "_Booster"):
        return {"parameters": parameters}
    booster = estimator.get_booster()
    if (best := booster.attr("best_iteration")) is not None:
        booster = booster[: int(best) + 1]
    try:
        return {"parameters": parameters, **_booster_values(json.loads(bytes(booster.save_raw("json"))), label)}
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{label} writes JSON that relet does not know, at {error}; take the version that locks/boosting.lock "
            "of relet names"
        ) from error


def _booster_values(said: Mapping[str, Any], label: str) -> dict[str, Any]:
    learner = said["learner"]
    if learner["gradient_booster"]["name"] != "gbtree":
        raise ModelError(f"{label}.booster is {learner['gradient_booster']['name']!r}; only 'gbtree' is stored")
    about, model = learner["learner_model_param"], learner["gradient_booster"]["model"]
    name, settings = _objective(learner["objective"])
    return {
        "features": int(about["num_feature"]),
        "names": [str(each) for each in learner["feature_names"]],
        "objective": name,
        "settings": settings,
        "classes": int(about["num_class"]),
        "targets": int(about["num_target"]),
        "base": np.atleast_1d(np.asarray(json.loads(about["base_score"]), dtype=np.float32)),
        "parallel": int(model["gbtree_model_param"]["num_parallel_tree"]),
        "groups": np.asarray(model["tree_info"], dtype=np.int64),
        **_joined_trees(model["trees"], label),
    }


def _parameters(estimator: Any, label: str) -> dict[str, Any]:
    held = estimator.get_params(deep=False)
    if callable(held.get("objective")):
        raise ModelError(f"{label}.objective is a function, which no loader executes")
    # others are needed for fitting alone, or are a matter of the machine
    found = {name: value for name, value in held.items() if name in _PARAMETERS}
    seed = found.get("random_state")
    return {**found, "n_jobs": 1, "random_state": seed if isinstance(seed, int) else None}


def _objective(said: Mapping[str, Any]) -> tuple[str, dict[str, dict[str, str]]]:
    """An objective's name, and its groups of parameters."""
    groups = {name: value for name, value in said.items() if name != "name"}
    settings = {name: {key: str(each) for key, each in held.items()} for name, held in groups.items()}
    return str(said["name"]), settings


def _joined_trees(trees: list[dict[str, Any]], label: str) -> dict[str, Any]:
    """The nodes of all trees, one tree after the other, without those that were pruned."""
    found: dict[str, list[Any]] = {name: [] for name in _NODES}
    sizes = []
    for tree in trees:
        if tree["categories"] or any(tree["split_type"]) or tree["tree_param"]["size_leaf_vector"] != "1":
            raise ModelError(
                f"{label} splits on categories or has leaves of several numbers, which are not stored; encode the "
                "categories before it, with enable_categorical=False and multi_strategy='one_output_per_tree'"
            )
        nodes = _reached_nodes(tree)
        places = {node: place for place, node in enumerate(nodes)}
        sizes.append(len(nodes))
        for name, held in found.items():
            values = [tree[name][node] for node in nodes]
            held += [places.get(each, -1) for each in values] if name.endswith("_children") else values
    kinds = dict.fromkeys(_OF_NODES, np.float32) | {"default_left": np.uint8}
    joined = {name: np.asarray(held, dtype=kinds.get(name, np.int64)) for name, held in found.items()}
    return {"sizes": np.asarray(sizes, dtype=np.int64), **joined}


def _reached_nodes(tree: Mapping[str, Any]) -> list[int]:
    """The nodes of a tree from its root on, each after its parent."""
    nodes = [0]
    for node in nodes:
        nodes += [tree[side][node] for side in ("left_children", "right_children") if tree[side][node] >= 0]
    return nodes


def made_xgboost_estimator(kind: type[Any], held: dict[str, Any]) -> Any:
    """The estimator of checked values."""
    import xgboost

    estimator = kind(**held["parameters"])
    if "sizes" not in held:
        return estimator
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(_model_text(held).encode()))
    booster.set_param({"nthread": 1})
    if held["names"]:
        booster.feature_names = held["names"]
    estimator._Booster = booster
    if kind.__name__ in ("XGBClassifier", "XGBRFClassifier"):
        estimator.n_classes_ = max(held["classes"], 2)
    return estimator


def _model_text(held: Mapping[str, Any]) -> str:
    """The booster as XGBoost's JSON."""
    ends = np.cumsum(held["sizes"])
    trees = [
        _tree_json({name: held[name][end - size : end] for name in _NODES}, place, held["features"])
        for place, (size, end) in enumerate(zip(held["sizes"].tolist(), ends.tolist(), strict=True))
    ]
    per_round = held["parallel"] * _outputs(held)
    model = {
        "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
        "gbtree_model_param": {"num_parallel_tree": str(held["parallel"]), "num_trees": str(len(trees))},
        "iteration_indptr": list(range(0, len(trees) + 1, per_round)),
        "tree_info": held["groups"].tolist(),
        "trees": trees,
    }
    learner = {
        "attributes": {},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": {"model": model, "name": "gbtree"},
        "learner_model_param": {
            "base_score": json.dumps(_floats(held["base"]), separators=(",", ":")),
            "boost_from_average": "1",
            "num_class": str(held["classes"]),
            "num_feature": str(held["features"]),
            "num_target": str(held["targets"]),
        },
        "objective": {"name": held["objective"], **held["settings"]},
    }
    return json.dumps({"learner": learner, "version": [3, 2, 0]}, separators=(",", ":"))


def _tree_json(nodes: Mapping[str, NDArray[Any]], place: int, features: int) -> dict[str, Any]:
    size = len(nodes["left_children"])
    parents = np.full(size, _ROOT, dtype=np.int64)
    for side in ("left_children", "right_children"):
        inner = nodes[side] >= 0
        parents[nodes[side][inner]] = np.flatnonzero(inner)
    nothing: dict[str, Any] = {each: [] for each in _OF_CATEGORIES}
    wholes = ("left_children", "right_children", "split_indices", "default_left")
    about = {"num_deleted": 0, "num_feature": features, "num_nodes": size, "size_leaf_vector": 1}
    return {
        **nothing,
        **{name: nodes[name].tolist() for name in wholes},
        **{name: _floats(nodes[name]) for name in _OF_NODES},
        "id": place,
        "parents": parents.tolist(),
        "split_type": [0] * size,
        "tree_param": {name: str(value) for name, value in about.items()},
    }


def _floats(values: NDArray[np.float32]) -> list[float]:
    """Numbers that read as the shortest text of their 32 bits, as XGBoost writes them."""
    return [float(str(each)) for each in values]


def _outputs(held: Mapping[str, Any]) -> int:
    return int(max(held["classes"], held["targets"], 1))


def wrong_xgboost_estimator(part: StoredObject) -> str:
    """Why stored values are no estimator of XGBoost; empty where they are one."""
    held = part.attributes
    if held.get("parameters", {}).get("n_jobs") != 1 or not _PARAMETERS.issuperset(held["parameters"]):
        return "it has parameters that are not loaded"
    if set(held) == {"parameters"}:
        return ""
    if set(held) != {"parameters", "features", "names", *_WHOLE}:
        return "it has not all that it is made of"
    kind = _OBJECTIVE.fullmatch(held["objective"])
    if kind is None or kind[1] not in _KINDS.get(part.label, _REGRESSION):
        return f"its objective is {held['objective'][:30]!r}"
    if held["names"] and (len(held["names"]) != held["features"] or len(set(held["names"])) != held["features"]):
        return f"it has not a name for each of {held['features']} features"
    outputs = _outputs(held)
    if len(held["base"]) not in (1, outputs) or not np.isfinite(held["base"]).all():
        return f"it begins with {len(held['base'])} numbers, for {outputs} outputs"
    return _wrong_settings(held, outputs) or _wrong_order(held, outputs) or _wrong_nodes(held)


def _wrong_settings(held: Mapping[str, Any], outputs: int) -> str:
    for name, group in held["settings"].items():
        if not all(_SETTING.fullmatch(each) for each in (name, *group, *group.values())):
            return f"its objective has a setting of {name[:30]!r} that is no number and no word"
        if "num_class" in group and group["num_class"] != str(outputs):
            return f"its objective is one of other classes than {outputs}"
    multi = held["objective"].startswith("multi:")
    if multi != (held["classes"] > 1) or held["classes"] == 1 or (held["classes"] > 1 and held["targets"] > 1):
        return f"its objective is {held['objective'][:30]!r}, for {held['classes']} classes"
    return ""


def _wrong_order(held: Mapping[str, Any], outputs: int) -> str:
    """Each round has as many trees for each output, one output after the other."""
    trees, parallel = len(held["sizes"]), held["parallel"]
    if not trees or parallel < 1 or trees % (parallel * outputs):
        return f"it has {trees} trees, which are not {parallel} for each of {outputs} outputs"
    expected = np.tile(np.repeat(np.arange(outputs), parallel), trees // (parallel * outputs))
    return "" if np.array_equal(held["groups"], expected) else "its trees are not in the order of its outputs"


def _wrong_nodes(held: Mapping[str, Any]) -> str:
    sizes, left, right = held["sizes"], held["left_children"], held["right_children"]
    if ((sizes < 1) | (sizes > len(left))).any() or any(len(held[name]) != sizes.sum() for name in _NODES):
        return "its arrays differ in length"
    if any(held[name].dtype != np.float32 or not np.isfinite(held[name]).all() for name in _OF_NODES):
        return "a number of its trees is none"
    starts = np.cumsum(sizes) - sizes
    of = np.repeat(starts, sizes)
    within = [np.where(side >= 0, side + of, side) for side in (left, right)]
    if (left >= np.repeat(sizes, sizes)).any() or (right >= np.repeat(sizes, sizes)).any():
        return "a branch leads out of its tree"
    if wrong := wrong_trees(within[0], within[1], starts):
        return f"its trees are no trees: {wrong}"
    asked = held["split_indices"][left >= 0]
    if (held["split_indices"] < 0).any() or (asked >= held["features"]).any():
        return f"a node asks for a feature beyond the {held['features']} that there are"
    return "" if (held["default_left"] <= 1).all() else "a missing value goes neither left nor right"
