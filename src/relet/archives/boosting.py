"""Whether the trees of scikit-learn's two kinds of boosting fit together: machine code walks through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from relet.archives.stored import StoredObject
from relet.archives.structure import wrong_trees

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The steps that number categories before the trees, and hand on all other columns.
_ENCODED = ["OrdinalEncoder", "FunctionTransformer"]
# How deep a tree of histogram boosting may be, and the shape of a set of categories, one bit for each.
_DEEPEST, _WORDS = 1_000, 8


def _gradient(part: StoredObject) -> str:
    """Gradient boosting adds the trees of a step to as many columns as it says."""
    held = part.attributes
    trees = held.get("estimators_")
    if trees is None:
        return ""
    columns = held.get("n_trees_per_iteration_")
    if not isinstance(trees, np.ndarray) or trees.ndim != 2 or trees.shape[1] != columns:
        return f"it has not {columns!r:.20} trees for each step"
    for tree in trees.ravel().tolist():
        if (
            not isinstance(tree, StoredObject)
            or tree.label != "DecisionTreeRegressor"
            or "tree_" not in tree.attributes
        ):
            return "one of its trees is none"
        if (tree.attributes.get("n_features_in_"), tree.attributes.get("n_outputs_")) != (
            held.get("n_features_in_"),
            1,
        ):
            return "its trees differ from it in n_features_in_"
    return _first_estimate(held, int(trees.shape[1]))


def _first_estimate(held: Mapping[str, Any], columns: int) -> str:
    """What boosting begins with has to have as many columns as there are trees in a step."""
    first, loss = held.get("init_"), held.get("_loss")
    if first == "zero":
        return ""
    if not isinstance(loss, StoredObject) or not isinstance(first, StoredObject):
        return "it does not say what it begins with"
    if first.label == "DummyRegressor":
        found = np.asarray(first.attributes.get("constant_")).shape
        return (
            ""
            if (found, first.attributes.get("n_outputs_"), columns) == ((1, 1), 1, 1)
            else f"it begins with {found}"
        )
    if first.label != "DummyClassifier":
        return f"it begins with a {first.label}; only init=None or 'zero' is loaded"
    classes = len(held.get("classes_", ()))
    expected = classes if loss.label == "HalfMultinomialLoss" else 1
    shares = np.asarray(first.attributes.get("class_prior_")).shape
    if shares != (classes,) or len(first.attributes.get("classes_", ())) != classes or columns != expected:
        return f"it has {classes} classes, begins with {shares}, and has {columns} trees for each step"
    return "" if first.attributes.get("_strategy") == "prior" else "it does not begin with the share of each class"


def _histogram(part: StoredObject) -> str:
    """Histogram boosting: each node of each tree, and the categories that a node knows."""
    held = part.attributes
    if "_predictors" not in held:
        return ""
    mapper, features = held.get("_bin_mapper"), held.get("n_features_in_")
    if not isinstance(mapper, StoredObject) or not isinstance(features, int):
        return "it does not say how many features it takes"
    kinds: Any = mapper.attributes.get("is_categorical_")
    known = mapper.attributes.get("bin_thresholds_")
    if np.shape(kinds) != (features,) or not isinstance(known, list) or len(known) != features:
        return f"it does not know of {features} features whether they are categories"
    for place in np.flatnonzero(kinds):
        if not isinstance(known[place], np.ndarray) or not ((known[place] >= 0) & (known[place] < 256)).all():
            return "a category has no number from 0 to 255"
    if wrong := _encoded_categories(held.get("_preprocessor"), features):
        return wrong
    for tree in (tree for step in held["_predictors"] for tree in step):
        if wrong := _histogram_tree(tree.attributes, features, kinds):
            return wrong
    return ""


def _encoded_categories(part: Any, features: int) -> str:
    """What numbers categories before the trees has to give as many columns as it takes: trees read that many."""
    if part is None:
        return ""
    steps: Any = part.attributes.get("transformers_", ()) if isinstance(part, StoredObject) else ()
    labels = [step[1].label if isinstance(step[1], StoredObject) else step[1] for step in steps]
    # what is left over is nothing
    if labels not in (_ENCODED, [*_ENCODED, "drop"]):
        return "it prepares its columns in another way than scikit-learn's"
    encoder, others = steps[0][1].attributes, steps[1][1].attributes
    masks: list[Any] = [np.asarray(step[2]) for step in steps[:2]]
    if any(mask.dtype != bool or mask.shape != (features,) for mask in masks) or (masks[0] == masks[1]).any():
        return f"it does not take each of {features} columns once"
    taken: dict[str, list[int]] = {step[0]: [] for step in steps[2:]}
    taken |= {step[0]: np.flatnonzero(mask).tolist() for step, mask in zip(steps[:2], masks, strict=True)}
    handed_on = getattr(others.get("func"), "label", "") == "partial"
    if part.attributes.get("_transformer_to_input_indices") != taken or not handed_on:
        return f"it does not give each of {features} columns once"
    return "" if encoder.get("n_features_in_") == int(masks[0].sum()) else "it encodes other columns than it takes"


def _histogram_tree(held: Mapping[str, Any], features: int, kinds: NDArray[Any]) -> str:
    nodes: Any = held.get("nodes")
    sets: Any = held.get("raw_left_cat_bitsets")
    if not isinstance(nodes, np.ndarray) or "bitset_idx" not in (nodes.dtype.names or ()) or nodes.ndim != 1:
        return "its trees have no nodes"
    leaf = nodes["is_leaf"] != 0
    left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
    if wrong := wrong_trees(left, right, np.zeros(1, dtype=np.int64), deepest=_DEEPEST):
        return wrong
    asked = nodes["feature_idx"][~leaf]
    if ((asked < 0) | (asked >= features)).any():
        return f"a node asks for a feature beyond the {features} that there are"
    if np.isnan(nodes["num_threshold"][~leaf]).any() or not np.isfinite(nodes["value"]).all():
        return "a threshold or a value is no number"
    named = ~leaf & (nodes["is_categorical"] != 0)
    if not isinstance(sets, np.ndarray) or sets.dtype != np.uint32 or sets.shape[1:] != (_WORDS,):
        return "its sets of categories are none"
    if (nodes["bitset_idx"][named] >= len(sets)).any() or not kinds[nodes["feature_idx"][named]].all():
        return "a node asks for categories that there are not"
    return ""


CHECKS: dict[str, Callable[[StoredObject], str]] = {
    "GradientBoostingClassifier": _gradient,
    "GradientBoostingRegressor": _gradient,
    "HistGradientBoostingClassifier": _histogram,
    "HistGradientBoostingRegressor": _histogram,
}
