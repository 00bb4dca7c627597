"""Whether the parts of a model fit together where scikit-learn's and SciPy's machine code follows their numbers.

That code reads and writes without a look at where an array ends. The checks of trees and of encoders are in
`structure`, those of boosting in `boosting`; here are those of support vectors, neighbours and sparse matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from relet.archives import boosting, structure
from relet.archives.catboost_models import CATBOOST_ESTIMATORS, wrong_catboost_estimator
from relet.archives.lightgbm_models import wrong_estimator
from relet.archives.own_values import library_views
from relet.archives.stored import StoredObject, inner_values
from relet.archives.xgboost_models import XGBOOST_ESTIMATORS, wrong_xgboost_estimator

# How many columns a transformer may give.
_WIDEST = 1_000_000


def broken_parts(value: Any) -> Iterator[str]:
    """What does not fit together in the stored objects of a value, in words."""
    if isinstance(value, StoredObject):
        for part in library_views(value) if value.is_own else (value,):
            check = _CHECKS.get(part.label)
            if check and (wrong := check(part)):
                yield f"{value.label}: {wrong}"
        yield from broken_parts(list(value.attributes.values()))
    else:
        for each in inner_values(value):
            yield from broken_parts(each)


def _shape(value: Any) -> tuple[int, ...]:
    """The shape of an array or a sparse matrix; empty for anything else."""
    if isinstance(value, StoredObject):
        return tuple(value.attributes.get("shape", ()))
    return value.shape if isinstance(value, np.ndarray) else ()


def _is_finite(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and bool(np.isfinite(value).all())


def _support_vectors(part: StoredObject) -> str:
    """libsvm takes a number of vectors for each class, and for each pair of classes an intercept."""
    held = part.attributes
    if "support_vectors_" not in held:
        return ""
    counts, support = held.get("_n_support"), held.get("support_")
    if not isinstance(counts, np.ndarray) or not isinstance(support, np.ndarray):
        return "it does not say which rows support it"
    classes = len(held.get("classes_", ())) if part.label in ("SVC", "NuSVC") else 2
    pairs, vectors = classes * (classes - 1) // 2, int(support.shape[0])
    if counts.dtype != np.int32 or counts.shape != (classes,) or (counts < 0).any() or classes < 2:
        return f"it has {classes} classes, and support vectors of {counts.shape}"
    if part.label in ("SVC", "NuSVC") and int(counts.sum()) != vectors:
        return f"it has {vectors} support vectors, and counts {counts.sum()}"
    if support.dtype != np.int32 or support.shape != (vectors,):
        return "its support is no list of rows"
    rows = held.get("shape_fit_", (0,))[0]
    if (support < 0).any() or (support >= rows).any():
        return f"a support vector is none of the {rows} rows that there were"
    if _shape(held.get("intercept_")) != (pairs,) or _shape(held.get("_intercept_")) != (pairs,):
        return f"it has not one intercept for each of {pairs} pairs of classes"
    for name in ("_probA", "_probB"):
        if _shape(held.get(name, np.empty(0))) not in ((0,), (pairs,), (1,) if classes == 2 else (pairs,)):
            return f"its {name} is not one number for each of {pairs} pairs of classes"
    return _vectors(held, vectors, classes - 1)


def _vectors(held: Mapping[str, Any], vectors: int, rows: int) -> str:
    """Whether support vectors and their weights have the shapes that libsvm takes."""
    found, weights = held["support_vectors_"], held.get("_dual_coef_")
    sparse = held.get("_sparse")
    if type(sparse) is not bool or sparse != isinstance(found, StoredObject):
        return "it does not say whether its vectors are sparse"
    if sparse and held.get("kernel") == "precomputed":
        return "its kernel was computed before, and its vectors are sparse"
    if _shape(weights) != (rows, vectors) or isinstance(weights, StoredObject) != sparse:
        return f"it has {vectors} support vectors, and weights of the shape {_shape(weights)}"
    if sparse and weights is not None and len(weights.attributes["data"]) != rows * vectors:
        return f"it has {vectors} support vectors, and leaves out some of their weights"
    # where the kernel was computed before, the vectors are not kept
    width = 0 if held.get("kernel") == "precomputed" else held.get("n_features_in_")
    if not vectors or (_shape(found) != (vectors, width) and (width or _shape(found)[1:] != (0,))):
        return f"its {vectors} support vectors have the shape {_shape(found)}, for {width} features"
    parts = [each.attributes["data"] if isinstance(each, StoredObject) else each for each in (found, weights)]
    return "" if all(map(_is_finite, parts)) else "a support vector or its weight is no number"


def _neighbours(part: StoredObject) -> str:
    """The rows that neighbours are looked for among, and their classes."""
    held = part.attributes
    if "_fit_X" not in held:
        return ""
    shape = _shape(held["_fit_X"])
    if len(shape) != 2 or held.get("n_samples_fit_") != shape[0] or held.get("n_features_in_") != shape[1]:
        return f"its rows have the shape {shape}, for {held.get('n_samples_fit_')!r:.20} rows"
    tree = held.get("_tree")
    if isinstance(tree, StoredObject) and _shape(tree.attributes.get("data")) != shape:
        return "its search tree is one of other rows"
    wanted = held.get("n_neighbors")
    if part.label.startswith("KNeighbors") and (type(wanted) is not int or not 0 < wanted <= shape[0]):
        return f"it looks for {wanted!r:.20} neighbours among {shape[0]} rows"
    places = held.get("_y")
    if not part.label.endswith("Classifier") or not isinstance(places, np.ndarray):
        return ""
    classes: Any = held.get("classes_")
    each = list(zip(places.T, classes, strict=False)) if places.ndim == 2 else [(places, classes)]
    for column, names in each:
        if not hasattr(names, "__len__") or (column < 0).any() or (column >= len(names)).any():
            return "a row is of a class that there is not"
    return "" if len(places) == shape[0] and places.dtype.kind in "iu" else "its rows and their classes differ"


def _search_tree(part: StoredObject) -> str:
    held = part.attributes
    data, weights = held.get("data"), held.get("sample_weight")
    if len(_shape(data)) != 2 or not all(_shape(data)) or not _is_finite(data):
        return f"its points are no table of numbers, but of the shape {_shape(data)}"
    if weights is not None and (_shape(weights) != _shape(data)[:1] or not _is_finite(weights)):
        return "it has not one weight for each point"
    return ""


def _sparse(part: StoredObject) -> str:
    """Whether each value of a sparse matrix has a place in it."""
    held = part.attributes
    data, indices, starts, shape = (held[name] for name in ("data", "indices", "indptr", "shape"))
    if not isinstance(shape, tuple) or any(len(_shape(each)) != 1 for each in (data, indices, starts)):
        return "it is no matrix"
    lines, width = shape if part.label.startswith("csr") else shape[::-1]
    if len(starts) != lines + 1 or starts[0] != 0 or starts[-1] != len(indices) or (np.diff(starts) < 0).any():
        return f"its {lines} lines do not begin and end where its values do"
    if len(data) != len(indices) or (indices < 0).any() or (indices >= width).any():
        return f"a value has no place among {width}"
    return ""


def _centres(part: StoredObject) -> str:
    """Centres, and other rows that each row is compared with, have as many columns as the rows."""
    for name in ("cluster_centers_", "subcluster_centers_", "centroids_", "X_train_", "X_fit_", "X_"):
        shape = _shape(part.attributes.get(name))
        if name in part.attributes and (
            len(shape) != 2 or shape[1] != part.attributes.get("n_features_in_", shape[1])
        ):
            return f"its {name} has the shape {shape}, for {part.attributes.get('n_features_in_')} features"
    norms = part.attributes.get("_subcluster_norms")
    if norms is not None and _shape(norms) != _shape(part.attributes.get("subcluster_centers_"))[:1]:
        return f"it has {len(norms)} lengths of its centres"
    return ""


def _sketch(part: StoredObject) -> str:
    held = part.attributes
    degree, width, places = held.get("degree"), held.get("n_components"), _shape(held.get("indexHash_"))
    if not isinstance(degree, int) or not isinstance(width, int) or degree * width > _WIDEST:
        return f"it computes {width!r:.20} columns {degree!r:.20} times"
    return "" if places in ((), (degree, places[-1])) else f"it has the places of {places} columns"


def _bisected(part: StoredObject) -> str:
    """The tree of a clustering in halves: each centre has as many columns as the rows."""
    width, waiting = part.attributes.get("n_features_in_"), [part.attributes.get("_bisecting_tree")]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, StoredObject) or node.label != "_BisectingTree":
            return _centres(part) if node is None else "its halves are no tree"
        if _shape(node.attributes.get("center")) != (width,):
            return f"a centre has the shape {_shape(node.attributes.get('center'))}, for {width} features"
        waiting += [
            each for each in (node.attributes.get("left"), node.attributes.get("right")) if each is not None
        ]
    return _centres(part)


def _agglomerated(part: StoredObject) -> str:
    labels, width = part.attributes.get("labels_"), part.attributes.get("n_features_in_", 0)
    if labels is None:
        return ""
    if _shape(labels) != (width,) or (labels < 0).any() or (labels >= width).any():
        return f"its {width} features have no place each"
    return ""


def _isolation(part: StoredObject) -> str:
    """Each tree reads as many features as it is given, which scikit-learn does not look at."""
    held = part.attributes
    trees, chosen = held.get("estimators_"), held.get("estimators_features_")
    if trees is None:
        return ""
    width = held.get("n_features_in_")
    if not isinstance(chosen, list | tuple) or len(chosen) != len(trees):
        return "it does not say which features its trees read"
    for tree, features in zip(trees, chosen, strict=True):
        given = width if held.get("_max_features") == width else len(features)
        if tree.label != "ExtraTreeRegressor" or tree.attributes.get("n_features_in_") != given:
            return f"a tree reads other features than the {given} that it is given"
        if (features < 0).any() or (features >= width).any():
            return f"a tree reads a feature beyond the {width} that there are"
    return ""


def _polynomial(part: StoredObject) -> str:
    widths = [part.attributes.get(name, 0) for name in ("n_output_features_", "_n_out_full")]
    return (
        ""
        if all(type(each) is int and 0 <= each <= _WIDEST for each in widths)
        else f"it gives {max(widths)} columns"
    )


_CHECKS: dict[str, Callable[[StoredObject], str]] = {
    **structure.CHECKS,
    **boosting.CHECKS,
    **dict.fromkeys(("SVC", "NuSVC", "SVR", "NuSVR", "OneClassSVM"), _support_vectors),
    **dict.fromkeys(("csr_matrix", "csr_array", "csc_matrix", "csc_array"), _sparse),
    **dict.fromkeys(("KDTree", "BallTree"), _search_tree),
    **dict.fromkeys(
        (
            *("KNeighborsClassifier", "KNeighborsRegressor", "KNeighborsTransformer", "LocalOutlierFactor"),
            *("NearestNeighbors", "RadiusNeighborsClassifier", "RadiusNeighborsRegressor"),
            "RadiusNeighborsTransformer",
        ),
        _neighbours,
    ),
    **dict.fromkeys(
        (
            *("AffinityPropagation", "Birch", "GaussianProcessRegressor", "KMeans", "KernelPCA", "KernelRidge"),
            *("LabelPropagation", "LabelSpreading", "MeanShift", "MiniBatchKMeans", "NearestCentroid"),
        ),
        _centres,
    ),
    **dict.fromkeys(("LGBMClassifier", "LGBMRanker", "LGBMRegressor"), wrong_estimator),
    **dict.fromkeys((each.rpartition(".")[2] for each in XGBOOST_ESTIMATORS), wrong_xgboost_estimator),
    **dict.fromkeys((each.rpartition(".")[2] for each in CATBOOST_ESTIMATORS), wrong_catboost_estimator),
    "BisectingKMeans": _bisected,
    "FeatureAgglomeration": _agglomerated,
    "IsolationForest": _isolation,
    "PolynomialCountSketch": _sketch,
    "PolynomialFeatures": _polynomial,
}
