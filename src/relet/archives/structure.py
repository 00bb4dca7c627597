"""Whether the stored parts of a model fit together: libraries follow their numbers wherever they lead.

scikit-learn and SciPy read and write outside of an array where a tree's child, a word's place or a width is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from relet.archives.stored import StoredObject

if TYPE_CHECKING:
    from numpy.typing import NDArray

# How deep a tree may be, and how many branches a row may pass in all trees of a model.
DEEPEST, BRANCHES = 10_000, 10_000_000


def wrong_trees(
    left: NDArray[np.int64], right: NDArray[np.int64], roots: NDArray[np.int64], *, deepest: int = DEEPEST
) -> str:
    """Why the nodes of one or several trees are no trees; empty where they are.

    `left` and `right` hold the place of each node's children, counted over all nodes, and -1 in a leaf; `roots` is
    the place of each tree's first node, ascending. Every node but a root must be the child of exactly one node
    before it, in the same tree.
    """
    size = len(left)
    if not size or not len(roots) or roots[0] != 0 or (np.diff(roots) < 1).any() or roots[-1] >= size:
        return "a tree begins where no node is"
    inner = left >= 0
    if (left < -1).any() or (right[inner] < 0).any() or (right[~inner] != -1).any():
        return "a node has one child, or none that exists"
    parents = np.tile(np.flatnonzero(inner), 2)
    children = np.concatenate([left[inner], right[inner]])
    ends = np.append(roots[1:], size)
    tree_of = np.searchsorted(roots, parents, side="right") - 1
    if not ((children > parents) & (children < ends[tree_of])).all():
        return "a branch leads nowhere"
    expected = np.ones(size, dtype=np.int64)
    expected[roots] = 0
    if (np.bincount(children, minlength=size) != expected).any():
        return "two branches lead to one node"
    return _too_deep(left, right, roots, deepest)


def _too_deep(left: NDArray[np.int64], right: NDArray[np.int64], roots: NDArray[np.int64], deepest: int) -> str:
    """Whether rows would pass too many branches; the trees are known to be trees."""
    level, depth = roots, 0
    while len(level := level[left[level] >= 0]):
        depth += 1
        if depth > deepest or depth * len(roots) > BRANCHES:
            return f"{len(roots)} trees are more than {depth - 1} branches deep"
        level = np.concatenate([left[level], right[level]])
    return ""


def _forest(part: StoredObject) -> str:
    """Each tree is checked by itself, and has to read as many features as the forest takes."""
    trees = part.attributes.get("estimators_", [])
    if not trees:
        return "it has no trees" if "n_features_in_" in part.attributes else ""
    for name in ("n_features_in_", "n_outputs_"):
        if len({part.attributes.get(name), *(each.attributes.get(name) for each in trees)}) != 1:
            return f"its trees differ from it in {name}"
    classes = {_class_count(each) for each in (part, *trees)}
    return "" if len(classes) == 1 else "its trees differ from it in their classes"


def _class_count(part: StoredObject) -> int:
    return len(part.attributes.get("classes_", ()))


def _decision_tree(part: StoredObject) -> str:
    tree = part.attributes.get("tree_")
    if not isinstance(tree, StoredObject):
        return ""
    features, outputs = part.attributes.get("n_features_in_"), part.attributes.get("n_outputs_")
    classes = part.attributes.get("n_classes_", 1)
    if not isinstance(features, int) or not isinstance(outputs, int):
        return "it does not say how many features it takes"
    if _class_count(part) not in (0, classes):
        return f"it has {_class_count(part)} classes and says {classes}"
    return _tree(tree, features, outputs, int(classes))


def _tree(tree: StoredObject, features: int, outputs: int, classes: int) -> str:
    """What is wrong with scikit-learn's own tree, which is made of a call and of arrays."""
    held, arguments = tree.attributes, tree.arguments
    if set(held) != {"max_depth", "node_count", "nodes", "values"} or arguments is None or len(arguments) != 3:
        return "its tree is not whole"
    counts = arguments[1]
    if (arguments[0], arguments[2]) != (features, outputs) or not isinstance(counts, np.ndarray):
        made = f"{arguments[0]!r:.20} features and {arguments[2]!r:.20} outputs"
        return f"its tree is made for {made}, and not for {features} and {outputs}"
    if counts.dtype != np.int64 or counts.shape != (outputs,) or (counts != classes).any():
        return "its tree has other classes"
    nodes, values = held["nodes"], held["values"]
    if held["node_count"] != len(nodes) or values.shape != (len(nodes), outputs, classes):
        return (
            f"its tree says {held['node_count']} nodes, has {len(nodes)}, and values of the shape {values.shape}"
        )
    return _tree_nodes(nodes, values, features)


def _tree_nodes(nodes: NDArray[Any], values: NDArray[Any], features: int) -> str:
    left, right = nodes["left_child"], nodes["right_child"]
    if wrong := wrong_trees(left, right, np.zeros(1, dtype=np.int64)):
        return wrong
    inner = left >= 0
    asked, at = nodes["feature"][inner], nodes["threshold"][inner]
    if ((asked < 0) | (asked >= features)).any():
        return f"a node asks for a feature beyond the {features} that there are"
    # a split of known from missing values has the threshold infinity
    if not (at > -np.inf).all() or not np.isfinite(values).all():
        return "a threshold or a value is no number"
    count, weight = nodes["n_node_samples"], nodes["weighted_n_node_samples"]
    if (count < 1).any() or not (np.isfinite(weight) & (weight >= 0)).all():
        return "a node has no training row"
    if (count[inner] != count[left[inner]] + count[right[inner]]).any():
        return "the training rows of a node are not those of its children"
    return ""


def _histogram(part: StoredObject) -> str:
    held = part.attributes
    if "left_" not in held:
        return ""
    size, features = len(held["left_"]), held.get("n_features_in_", 0)
    names = ("feature_", "threshold_", "right_", "missing_left_", "value_")
    if any(len(held.get(name, ())) != size for name in names) or "roots_" not in held:
        return "its trees are no trees: its arrays differ in length; train it again"
    if wrong := wrong_trees(held["left_"], held["right_"], held["roots_"], deepest=1_000):
        return f"its trees are no trees: {wrong}; train it again"
    asked = held["feature_"]
    if ((asked < 0) | (asked >= features)).any():
        return f"a node asks for a feature beyond the {features} that there are"
    if np.isnan(held["threshold_"]).any() or not np.isfinite(held["value_"]).all():
        return "a threshold or a value is no number"
    return ""


def _linear(part: StoredObject) -> str:
    weights = part.attributes.get("weights_")
    if weights is None:
        return ""
    features = part.attributes.get("n_features_in_")
    if len(weights) != features or not np.isfinite(weights).all():
        return f"it has {len(weights)} weights of {features} features, or one that is no number"
    return ""


def _network(part: StoredObject) -> str:
    """Each layer has to take what the layer before gives."""
    weights, biases = part.attributes.get("weights_"), part.attributes.get("biases_")
    if weights is None or biases is None:
        return ""
    width = part.attributes.get("n_features_in_")
    if len(weights) != len(biases):
        return f"it has {len(weights)} layers and {len(biases)} biases"
    for weight, bias in zip(weights, biases, strict=True):
        if weight.shape != (width, len(bias)) or not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            return f"a layer of the shape {weight.shape} takes {width} numbers, or a weight is no number"
        width = len(bias)
    return "" if width == 1 else f"it gives {width} numbers"


def _boosted(part: StoredObject) -> str:
    return "" if part.attributes.get("objectives") else "it has no objectives"


def _vocabulary(part: StoredObject) -> str:
    """Each word has a place of its own, from 0 on."""
    words = part.attributes.get("vocabulary_")
    if words is None:
        return ""
    if sorted(words.values()) != list(range(len(words))):
        return f"its {len(words)} words have no place each from 0 to {len(words) - 1}"
    weights = part.attributes.get("_tfidf")
    found = weights.attributes.get("idf_") if isinstance(weights, StoredObject) else None
    return (
        "" if found is None or len(found) == len(words) else f"it has {len(found)} weights of {len(words)} words"
    )


def _score(part: StoredObject) -> str:
    held = part.attributes
    if "tokens_" not in held:
        return ""
    known = _token_count(held["tokens_"])
    sizes = [len(held.get(name, ())) for name in ("idf_", "weights_")]
    if sizes != [known, known]:
        return f"it has {known} tokens, and weights of {sizes}"
    if len(held.get("group_keys_", ())) != len(held.get("group_means_", ())):
        return "its groups and their means differ in number"
    return ""


def _target_encoder(part: StoredObject) -> str:
    held = part.attributes
    if "values_" not in held or len(held.get("means_", ())) == _token_count(held["values_"]):
        return ""
    return f"it has {_token_count(held['values_'])} values and {len(held.get('means_', ()))} means"


def _token_count(joined: str) -> int:
    return joined.count("\n") + 1 if joined else 0


def _scaled(part: StoredObject) -> str:
    held = part.attributes
    if "means_" not in held:
        return ""
    size, gaps = len(held["means_"]), held.get("gaps_", ())
    if len(held.get("scales_", ())) != size or any(not 0 <= each < size for each in gaps):
        return f"its {size} means, its scales and its gaps do not fit together"
    return ""


def _encoder(part: StoredObject) -> str:
    """Whether each category has a place among the columns that the encoder gives."""
    held = part.attributes
    if "categories_" not in held:
        return ""
    sizes = [len(each) for each in held["categories_"]]
    if len(sizes) != held.get("n_features_in_"):
        return f"it has the categories of {len(sizes)} of {held.get('n_features_in_')} columns"
    groups = held.get("_default_to_infrequent_mappings") if held.get("_infrequent_enabled") else None
    if groups is not None:
        for group, size in zip(groups, sizes, strict=False):
            if group is not None and (len(group) != size or (group < 0).any() or (group >= size).any()):
                return "a rare category has no place"
        sizes = _grouped_sizes(groups, sizes)
    if part.label == "TargetEncoder":
        return _target_encodings(held, sizes)
    return _indicator_widths(held, sizes) if part.label == "OneHotEncoder" else ""


def _grouped_sizes(groups: Sequence[NDArray[np.int64] | None], sizes: list[int]) -> list[int]:
    """How many categories are left in each column where rare ones count as one."""
    return [size if group is None else int(group.max()) + 1 for group, size in zip(groups, sizes, strict=False)]


def _indicator_widths(held: Mapping[str, Any], sizes: list[int]) -> str:
    dropped = held.get("_drop_idx_after_grouping")
    places = [None] * len(sizes) if dropped is None else dropped.tolist()
    if len(places) != len(sizes) or any(
        place is not None and place >= size for place, size in zip(places, sizes, strict=False)
    ):
        return "it drops a category that it does not have"
    widths = [size - (place is not None) for place, size in zip(places, sizes, strict=True)]
    if held.get("_n_features_outs") != widths:
        return f"it says that it gives {held.get('_n_features_outs')} columns, and has {widths}"
    return ""


def _target_encodings(held: Mapping[str, Any], sizes: list[int]) -> str:
    classes = len(held["classes_"]) if held.get("target_type_") == "multiclass" else 1
    expected = [size for size in sizes for _ in range(classes)]
    if [len(each) for each in held.get("encodings_", ())] != expected:
        return f"it has other means than those of {expected} categories"
    return ""


def _column_transformer(part: StoredObject) -> str:
    """Each part gives the columns that lie at its place: places are slices, from 0 on and without gaps."""
    end = 0
    for place in part.attributes.get("output_indices_", {}).values():
        if not isinstance(place.start, int) or not isinstance(place.stop, int) or place.step is not None:
            return f"a part gives the columns {place!r}"
        end = max(end, place.stop)
    return "" if end <= 1_000_000 else f"it gives {end} columns"


CHECKS: dict[str, Callable[[StoredObject], str]] = {
    "BoostedRegressor": _boosted,
    "CountVectorizer": _vocabulary,
    "DictVectorizer": _vocabulary,
    "ColumnTransformer": _column_transformer,
    "CrossFittedScore": _score,
    "CrossFittedTargetEncoder": _target_encoder,
    "DecisionTreeClassifier": _decision_tree,
    "DecisionTreeRegressor": _decision_tree,
    "ExtraTreeClassifier": _decision_tree,
    "ExtraTreeRegressor": _decision_tree,
    "ExtraTreesClassifier": _forest,
    "ExtraTreesRegressor": _forest,
    "HistogramRegressor": _histogram,
    "LinearRegressor": _linear,
    "NetworkRegressor": _network,
    "OneHotEncoder": _encoder,
    "OrdinalEncoder": _encoder,
    "RandomTreesEmbedding": _forest,
    "RandomForestClassifier": _forest,
    "RandomForestRegressor": _forest,
    "Scaled": _scaled,
    "TargetEncoder": _encoder,
    "TfidfVectorizer": _vocabulary,
}
