"""Read the text of LightGBM models strictly: LightGBM itself ends the process over a text that is wrong.

The format is that of LightGBM's `Booster.model_to_string`, version v4, as `BoostedRegressor` keeps it: a header,
the trees with one line for each property, the importances of features, and the parameters of training. Splits are
numeric, and leaves are constant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from relet.archives.structure import wrong_trees
from relet.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEADER = (
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "objective",
    "feature_names",
    "feature_infos",
    "tree_sizes",
)
# What relet's models have there, whatever they learned.
_FIXED = {"version": "v4", "label_index": "0"}
# The properties of a tree in their order, each with its length: for the tree, for each leaf, or for each branch.
_TREE = {
    "num_leaves": "tree",
    "num_cat": "tree",
    "split_feature": "branch",
    "split_gain": "branch",
    "threshold": "branch",
    "decision_type": "branch",
    "left_child": "branch",
    "right_child": "branch",
    "leaf_value": "leaf",
    "leaf_weight": "leaf",
    "leaf_count": "leaf",
    "internal_value": "branch",
    "internal_weight": "branch",
    "internal_count": "branch",
    "is_linear": "tree",
    "shrinkage": "tree",
}
_WHOLE = {
    "num_leaves",
    "num_cat",
    "split_feature",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_count",
    "internal_count",
    "is_linear",
}
_BLOCK = re.compile(r"Tree=(?P<place>\d+)\n" + "".join(f"{name}=(?P<{name}>.*)\n" for name in _TREE) + "\n\n")
# Numeric splits: whether a missing value goes left (2), and what counts as missing (nothing, 0, or NaN: 0, 4, 8).
_DECISIONS = (0, 2, 4, 6, 8, 10)
_REGRESSION = r"(regression|regression_l1|huber|fair|poisson|quantile|mape|gamma|tweedie)"
_SETTINGS = r"( sqrt| [a-z_]+:[0-9.e+-]{1,30})*"
# The objectives of each estimator; those of several classes say how many.
_OBJECTIVES = {
    "BoostedRegressor": re.compile(_REGRESSION + _SETTINGS),
    "LGBMRegressor": re.compile(_REGRESSION + _SETTINGS),
    "LGBMRanker": re.compile(r"(lambdarank|rank_xendcg)" + _SETTINGS),
    "LGBMClassifier": re.compile(r"(binary|cross_entropy)( sigmoid:[0-9.]{1,20})?"),
}
_CLASSES = re.compile(r"(multiclass|multiclassova) num_class:(\d{1,6})( sigmoid:[0-9.]{1,20})?")
_INFO = re.compile(r"none|\[[0-9.e+-]{1,30}:[0-9.e+-]{1,30}\]")
_PARAMETER = re.compile(r"\[([a-z0-9_]{1,60}): ?([a-zA-Z0-9_.,+-]{0,200})\]")
# Parameters that name files or machines; relet sets none of them.
_PLACES = re.compile(r"data|valid|machines|.*(file|filename|dir|path|model|result)s?")
_IMPORTANCE = re.compile(r"Column_\d{1,9}=[0-9.e+-]{1,30}")
_INFINITE, _LARGEST = re.compile(r"(?<!\S)-?inf(?!\S)"), "1e308"
_INTEGER_SIGNS, _DECIMAL_SIGNS = b"0123456789 -", b"0123456789 .e+-"


# Separates the texts of two boosters.
_NEXT_BOOSTER = "\x1e\n"


def check_boosters(text: str, features: int, count: int) -> None:
    """Raise ModelError unless the text holds `count` LightGBM models that read `features` features each."""
    texts = text.split(_NEXT_BOOSTER)
    if len(texts) != count:
        raise ModelError(f"it holds {len(texts)} boosters of {count}")
    for each in texts:
        check_booster(each, features)


def check_booster(text: str, features: int, outputs: int = 1, of: str = "BoostedRegressor") -> None:
    """Raise ModelError unless the text is a LightGBM model of trees that read `features` features.

    It gives `outputs` numbers for each row, and belongs to the estimator `of`.
    Every line, name and number is checked, and that the branches of each tree lead to its leaves, each once.
    """
    head, separator, rest = text.partition("\n\nTree=0\n")
    body, ended, tail = rest.partition("end of trees\n")
    if not separator or not ended:
        raise ModelError("it holds no trees, or no end of them")
    header = _header(head)
    _check_header(header, features, outputs, of)
    blocks = _blocks("Tree=0\n" + body, header["tree_sizes"])
    if len(blocks) % outputs:
        raise ModelError(f"it has {len(blocks)} trees, which are not one for each of {outputs} classes")
    _check_trees(_columns(blocks), features)
    _check_tail(tail)


def _header(text: str) -> dict[str, str]:
    first, *lines = text.split("\n")
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    if first != "tree" or tuple(line.partition("=")[0] for line in lines) != _HEADER:
        raise ModelError("its header is not that of a model of trees")
    return found


def _check_header(header: Mapping[str, str], features: int, outputs: int, of: str) -> None:
    counts = {"num_class": str(outputs), "num_tree_per_iteration": str(outputs)}
    for name, value in {**_FIXED, **counts}.items():
        if header[name] != value:
            raise ModelError(f"its {name} is {header[name][:30]!r}; only {value!r} is loaded")
    if header["max_feature_idx"] != str(features - 1):
        raise ModelError(f"its max_feature_idx is {header['max_feature_idx'][:30]!r}, for {features} features")
    several = _CLASSES.fullmatch(header["objective"])
    if outputs > 1 and not (several and several[2] == str(outputs)):
        raise ModelError(f"its objective is {header['objective'][:30]!r}, which is not that of {outputs} classes")
    if outputs == 1 and not _OBJECTIVES[of].fullmatch(header["objective"]):
        kind = {"LGBMClassifier": "classification", "LGBMRanker": "ranking"}.get(of, "regression")
        raise ModelError(f"its objective is {header['objective'][:30]!r}, which is no {kind}'s")
    if header["feature_names"] != " ".join(f"Column_{each}" for each in range(features)):
        raise ModelError(f"its feature_names are not Column_0 to Column_{features - 1}")
    infos = header["feature_infos"].split(" ")
    if len(infos) != features or not all(map(_INFO.fullmatch, infos)):
        raise ModelError(f"its feature_infos are not the ranges of {features} numeric features")


def _blocks(body: str, sizes: str) -> list[str]:
    """The text of each tree. The sizes that the header gives have to be theirs: LightGBM jumps by them."""
    found = [f"Tree={each}" for each in body.split("Tree=")[1:]]
    if sizes != " ".join(str(len(each.encode())) for each in found):
        raise ModelError("its tree_sizes are not the sizes of its trees")
    return found


def _columns(blocks: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Each property of all trees, one tree after the other. Its length in each tree is checked."""
    found = [_BLOCK.fullmatch(block) for block in blocks]
    for place, each in enumerate(found):
        if each is None or each["place"] != str(place):
            raise ModelError(f"its tree {place} does not have the properties of a tree, or has others")
    texts = {name: [each[name] for each in found if each] for name in _TREE}
    leaves = _numbers("num_leaves", texts["num_leaves"])
    if len(leaves) != len(blocks) or (leaves < 1).any():
        raise ModelError("its num_leaves are not one number above 0 for each tree")
    return {name: leaves if name == "num_leaves" else _column(name, held, leaves) for name, held in texts.items()}


def _column(name: str, texts: Sequence[str], leaves: NDArray[np.int64]) -> NDArray[Any]:
    expected = {"tree": np.ones_like(leaves), "leaf": leaves, "branch": leaves - 1}[_TREE[name]]
    if name == "leaf_weight":
        # a tree of one leaf has no weight
        expected = np.where(leaves == 1, 0, leaves)
    if [each.count(" ") + 1 if each else 0 for each in texts] != expected.tolist():
        raise ModelError(f"its {name} does not have one number for each {_TREE[name]}")
    return _numbers(name, texts)


def _numbers(name: str, texts: Sequence[str]) -> NDArray[Any]:
    """The numbers of a property, one between every two spaces."""
    # here, since only models of LightGBM need it
    import pyarrow as pa
    import pyarrow.compute as pc

    joined = " ".join(filter(None, texts))
    if name == "threshold":
        # where missing values alone go the other way, the threshold is infinite
        joined = _INFINITE.sub(_LARGEST, joined)
    signs, kind = (_INTEGER_SIGNS, pa.int64()) if name in _WHOLE else (_DECIMAL_SIGNS, pa.float64())
    if joined.encode().translate(None, signs):
        raise ModelError(f"its {name} holds what is no number")
    try:
        parts = pc.split_pattern(pa.scalar(joined), " ").values if joined else pa.array([], pa.string())
        found: NDArray[Any] = pc.cast(parts, kind).to_numpy()
    except pa.ArrowInvalid:
        raise ModelError(f"its {name} holds what is no number, or one that is too large") from None
    if not np.isfinite(found).all() or (name in _WHOLE and (np.abs(found) >= 2**31).any()):
        raise ModelError(f"its {name} holds a number that is too large")
    return found


def _check_trees(held: Mapping[str, NDArray[Any]], features: int) -> None:
    if held["num_cat"].any() or held["is_linear"].any():
        raise ModelError("it holds categorical splits or linear leaves, which are not loaded")
    if not np.isin(held["decision_type"], _DECISIONS).all():
        raise ModelError("its decision_type is not that of numeric splits")
    asked = held["split_feature"]
    if ((asked < 0) | (asked >= features)).any():
        raise ModelError(f"its split_feature names a feature beyond the {features} that there are")
    if (held["leaf_count"] < 0).any() or (held["internal_count"] < 0).any():
        raise ModelError("it counts less than no row")
    leaves = held["num_leaves"]
    of = np.repeat(np.arange(len(leaves)), leaves - 1)
    for side in ("left_child", "right_child"):
        child = held[side]
        if ((child < -leaves[of]) | (child >= leaves[of] - 1)).any():
            raise ModelError(f"its {side} leads out of a tree")
    if wrong := _wrong_branches(held, leaves, of):
        raise ModelError(f"its trees are no trees: {wrong}")


def _wrong_branches(held: Mapping[str, NDArray[Any]], leaves: NDArray[np.int64], of: NDArray[np.int64]) -> str:
    """Why branches and leaves make no trees. A tree's branches are numbered before its leaves."""
    sizes = 2 * leaves - 1
    start = np.cumsum(sizes) - sizes
    own = np.arange(len(of)) - np.repeat(np.cumsum(leaves - 1) - (leaves - 1), leaves - 1) + start[of]
    sides = []
    for name in ("left_child", "right_child"):
        child = held[name]
        side = np.full(int(sizes.sum()), -1, dtype=np.int64)
        # a leaf is stored as -1 minus its number
        side[own] = start[of] + np.where(child >= 0, child, leaves[of] - 2 - child)
        sides.append(side)
    return wrong_trees(sides[0], sides[1], start)


def _check_tail(text: str) -> None:
    """The importances, the parameters, and that no category is named."""
    parts = text.split("\n\n")
    if len(parts) != 4 or parts[3] != "pandas_categorical:null\n" or parts[2] != "end of parameters":
        raise ModelError("it does not end as a model of LightGBM does")
    importances, parameters = parts[0].split("\n"), parts[1].split("\n")
    if importances[:2] not in (["", "feature_importances:"], ["feature_importances:"]):
        raise ModelError("its importances are missing")
    for line in importances[importances.index("feature_importances:") + 1 :]:
        if line and not _IMPORTANCE.fullmatch(line):
            raise ModelError(f"it holds {line[:40]!r} among its importances")
    if parameters[0] not in ("parameters:", ""):
        raise ModelError("its parameters are missing")
    for line in parameters[1:]:
        found = _PARAMETER.fullmatch(line)
        if line != "parameters:" and (not found or (found[2] and _PLACES.fullmatch(found[1]))):
            raise ModelError(f"it holds {line[:60]!r} among its parameters, which is not loaded")
