"""CatBoost's estimators (`CatBoostRegressor`, `CatBoostClassifier`, `CatBoostRanker`) as plain values.

A model keeps the borders of its features and its symmetric trees as arrays. The arrays are checked, and the JSON
that CatBoost reads is written of them by relet: no text of a file reaches CatBoost. Features are numbers.
"""

# mypy: disable-error-code="import-untyped,import-not-found"
# CatBoost is an extra.
from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relet.archives.stored import StoredObject
from relet.errors import ModelError

CATBOOST_ESTIMATORS = tuple(
    f"catboost.core.{each}" for each in ("CatBoostClassifier", "CatBoostRanker", "CatBoostRegressor")
)
# How a missing value compares with a border: as it is, below all, above all.
_MISSING = ("AsIs", "AsFalse", "AsTrue")
# The deepest tree that CatBoost learns.
_DEEPEST = 16
_LOSS = re.compile(
    r"[A-Za-z0-9]{1,40}(:[a-z_]{1,40}=[a-zA-Z0-9.,+-]{1,200}(;[a-z_]{1,40}=[a-zA-Z0-9.,+-]{1,200})*)?"
)
# How CatBoost calls the labels of classes, by the kind of their array.
_LABELS = {"U": "String", "O": "String", "i": "Integer", "b": "Boolean", "f": "Float"}
_OF_FEATURES = ("border_counts", "missing", "has_missing")
_WHOLE = (*_OF_FEATURES, "borders", "names", "depths", "asked", "at", "leaves", "weights", "scale", "bias", "loss")


def catboost_values(estimator: Any) -> dict[str, Any]:
    """What an estimator of CatBoost is made of. Raises ModelError for features or trees that are not stored."""
    label = type(estimator).__name__
    if not estimator.is_fitted():
        raise ModelError(f"{label} was not fitted")
    with _unnamed_file(b"") as path:
        estimator.save_model(path, format="json")
        said = json.loads(Path(path).read_bytes())
    features = said["features_info"]
    if set(features) != {"float_features"}:
        raise ModelError(f"{label} reads categories or text by itself, which is not stored; encode them before it")
    if "oblivious_trees" not in said:
        raise ModelError(f"{label}.grow_policy is not 'SymmetricTree', whose trees alone are stored")
    numeric, trees = features["float_features"], said["oblivious_trees"]
    splits = [split for tree in trees for split in tree["splits"]]
    classes = np.asarray(estimator.classes_) if label == "CatBoostClassifier" else None
    scale, bias = said["scale_and_bias"]
    return {
        "border_counts": np.asarray([len(each["borders"]) for each in numeric], dtype=np.int64),
        "missing": np.asarray([_MISSING.index(each["nan_value_treatment"]) for each in numeric], dtype=np.int64),
        "has_missing": np.asarray([each["has_nans"] for each in numeric], dtype=bool),
        "borders": np.asarray([value for each in numeric for value in each["borders"]], dtype=np.float32),
        "names": [str(each) for each in estimator.feature_names_],
        "depths": np.asarray([len(tree["splits"]) for tree in trees], dtype=np.int64),
        "asked": np.asarray([each["float_feature_index"] for each in splits], dtype=np.int64),
        "at": np.asarray([each["border"] for each in splits], dtype=np.float32),
        "leaves": np.asarray([value for tree in trees for value in tree["leaf_values"]], dtype=np.float64),
        "weights": np.asarray([value for tree in trees for value in tree["leaf_weights"]], dtype=np.float64),
        "scale": float(scale),
        "bias": np.asarray(bias, dtype=np.float64),
        "loss": _loss_text(said["model_info"]["params"]["loss_function"]),
        "classes": classes,
    }


def _loss_text(said: Mapping[str, Any]) -> str:
    """A loss as CatBoost's parameter has it, such as `Quantile:alpha=0.9`."""
    settings = ";".join(f"{name}={value}" for name, value in said.get("params", {}).items() if name[:2] != "__")
    return f"{said['type']}:{settings}" if settings else str(said["type"])


def made_catboost_estimator(kind: type[Any], held: dict[str, Any]) -> Any:
    """The estimator of checked values."""
    estimator = kind(thread_count=1, allow_writing_files=False)
    with _unnamed_file(json.dumps(_model_json(held)).encode()) as path:
        estimator.load_model(path, format="json")
    return estimator


@contextmanager
def _unnamed_file(content: bytes) -> Iterator[str]:
    """The path of a file that lies in memory, where the system has such; CatBoost takes JSON from files alone."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("relet")
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.json"
        place.write_bytes(content)
        yield str(place)


def _model_json(held: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "features_info": {"float_features": list(_features_json(held))},
        "model_info": _about_json(held),
        "oblivious_trees": list(_trees_json(held)),
        "scale_and_bias": [held["scale"], held["bias"].tolist()],
    }


def _about_json(held: Mapping[str, Any]) -> dict[str, Any]:
    kind, _, settings = held["loss"].partition(":")
    said = dict(each.split("=", 1) for each in settings.split(";") if each)
    # without the flat ones, CatBoost prints that parameters are invalid
    params = {"flat_params": {"loss_function": held["loss"]}, "loss_function": {"type": kind, "params": said}}
    labels = held["classes"]
    if labels is None:
        return {"params": params}
    classes = {
        "class_label_type": _LABELS[labels.dtype.kind],
        "class_names": labels.tolist(),
        "class_to_label": list(range(len(labels))),
        "classes_count": 0,
    }
    return {"params": params, "class_params": classes}


def _features_json(held: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    ends = np.cumsum(held["border_counts"])
    for place, (count, end) in enumerate(zip(held["border_counts"].tolist(), ends.tolist(), strict=True)):
        yield {
            "borders": held["borders"][end - count : end].astype(np.float64).tolist(),
            "feature_id": held["names"][place],
            "feature_index": place,
            "flat_feature_index": place,
            "has_nans": bool(held["has_missing"][place]),
            "nan_value_treatment": _MISSING[held["missing"][place]],
        }


def _trees_json(held: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    outputs = len(held["bias"])
    places = _border_places(held)
    split = leaf = 0
    for depth in held["depths"].tolist():
        after = leaf + 2**depth
        yield {
            "leaf_values": held["leaves"][leaf * outputs : after * outputs].tolist(),
            "leaf_weights": held["weights"][leaf:after].tolist(),
            "splits": [
                {
                    "border": float(held["at"][each]),
                    "float_feature_index": int(held["asked"][each]),
                    "split_index": places[int(held["asked"][each]), float(held["at"][each])],
                    "split_type": "FloatFeature",
                }
                for each in range(split, split + depth)
            ],
        }
        split, leaf = split + depth, after


def _border_places(held: Mapping[str, Any]) -> dict[tuple[int, float], int]:
    """Each border of each feature → its number among all."""
    of = np.repeat(np.arange(len(held["border_counts"])), held["border_counts"]).tolist()
    return {each: place for place, each in enumerate(zip(of, held["borders"].astype(float).tolist(), strict=True))}


def wrong_catboost_estimator(part: StoredObject) -> str:
    """Why stored values are no estimator of CatBoost; empty where they are one."""
    held = part.attributes
    if set(held) != {*_WHOLE, "classes"}:
        return "it has not all that it is made of"
    if not _LOSS.fullmatch(held["loss"]):
        return f"its loss is {held['loss'][:30]!r}"
    return _wrong_features(held) or _wrong_leaves(held) or _wrong_labels(part.label, held)


def _wrong_features(held: Mapping[str, Any]) -> str:
    counts, borders = held["border_counts"], held["borders"]
    features = len(counts)
    if not features or any(len(held[name]) != features for name in (*_OF_FEATURES, "names")):
        return "its features differ in number"
    if ((counts < 0) | (counts > len(borders))).any() or counts.sum() != len(borders):
        return "its borders are not those of its features"
    if not np.isin(held["missing"], range(len(_MISSING))).all() or not _is_finite(borders, np.float32):
        return "a border is no number, or a missing value goes nowhere"
    inside = np.ones(max(len(borders) - 1, 0), dtype=bool)
    inside[(ends := np.cumsum(counts)[:-1])[(ends > 0) & (ends < len(borders))] - 1] = False
    return "the borders of a feature do not ascend" if (np.diff(borders)[inside] <= 0).any() else ""


def _wrong_leaves(held: Mapping[str, Any]) -> str:
    depths, asked, outputs = held["depths"], held["asked"], len(held["bias"])
    if not len(depths) or ((depths < 0) | (depths > _DEEPEST)).any() or depths.sum() != len(asked):
        return "its trees are not as deep as they say"
    if len(held["at"]) != len(asked) or ((asked < 0) | (asked >= len(held["names"]))).any():
        return f"a tree asks for a feature beyond the {len(held['names'])} that there are"
    known = _border_places(held)
    if any(each not in known for each in zip(asked.tolist(), held["at"].astype(float).tolist(), strict=True)):
        return "a tree asks for a border that there is not"
    size = int((2**depths).sum())
    if not outputs or len(held["leaves"]) != size * outputs or len(held["weights"]) != size:
        return f"it has {len(held['leaves'])} leaves, and {size} for each of {outputs} outputs are needed"
    numbers = (held["leaves"], held["weights"], held["bias"])
    return "" if all(_is_finite(each, np.float64) for each in numbers) else "a leaf is no number"


def _wrong_labels(label: str, held: Mapping[str, Any]) -> str:
    labels, outputs = held["classes"], len(held["bias"])
    if (label == "CatBoostClassifier") != (labels is not None):
        return "it does not say which classes it knows"
    if labels is None:
        return ""
    if len(labels) != (2 if outputs == 1 else outputs) or len(set(labels.tolist())) != len(labels):
        return f"it has {len(labels)} classes, and gives {outputs} numbers"
    if labels.dtype.kind == "O" and not all(isinstance(each, str) for each in labels.tolist()):
        return "its classes are of several types"
    return ""


def _is_finite(values: NDArray[Any], kind: Any) -> bool:
    return values.dtype == kind and bool(np.isfinite(values).all())
