"""LightGBM's own estimators (`LGBMRegressor`, `LGBMClassifier`, `LGBMRanker`) as plain values.

A model keeps their parameters, their classes and the text of their booster, which `boosters` reads strictly before
LightGBM does. They predict with one thread, and take no other parameters of the booster than their own.
"""

# mypy: disable-error-code="import-untyped"
# scikit-learn ships no stubs.
from __future__ import annotations

import re
from inspect import signature
from typing import Any

import numpy as np

from relet.archives.boosters import check_booster
from relet.archives.stored import StoredObject
from relet.errors import ModelError

ESTIMATORS = tuple(f"lightgbm.sklearn.{each}" for each in ("LGBMClassifier", "LGBMRanker", "LGBMRegressor"))
# LightGBM reads parameters as words between spaces: a value must not bring more of them.
WORD = re.compile(r"[a-z0-9_]{1,40}")
# What differs between two fits that learned the same.
_PASSING = re.compile(r"^\[(?:num_threads|machines|local_listen_port): .*\]\n", re.MULTILINE)


def lightgbm_values(estimator: Any) -> dict[str, Any]:
    """What a fitted estimator of LightGBM is made of. Raises ModelError for one that was not fitted."""
    if not getattr(estimator, "fitted_", False):
        return {"parameters": _parameters(estimator)}
    text = _PASSING.sub("", estimator._Booster.model_to_string(num_iteration=estimator._best_iteration or None))
    classes = getattr(estimator, "_classes", None)
    return {
        "parameters": _parameters(estimator),
        "text": _numbered_features(text, int(estimator._n_features)),
        "features": int(estimator._n_features),
        "classes": None if classes is None else np.asarray(classes),
    }


def _parameters(estimator: Any) -> dict[str, Any]:
    """The parameters that the estimator's constructor names. Others would reach the booster unchecked."""
    named = [each for each in signature(type(estimator)).parameters if each != "kwargs"]
    held = {name: getattr(estimator, name) for name in named}
    if callable(held.get("objective")):
        raise ModelError(f"{type(estimator).__name__}.objective is a function, which no loader executes")
    seed = held.get("random_state")
    return {**held, "n_jobs": 1, "random_state": seed if isinstance(seed, int) else None}


def _numbered_features(text: str, features: int) -> str:
    """A booster's text with the names of its features as LightGBM gives them to columns without any."""
    head, separator, rest = text.partition("\nfeature_names=")
    names, _, rest = rest.partition("\n")
    numbered = [f"Column_{place}" for place in range(features)]
    numbers = dict(zip(names.split(" "), numbered, strict=True))
    before, said, after = rest.partition("feature_importances:\n")
    lines = after.split("\n")
    for place, line in enumerate(lines[: lines.index("")]):
        name, _, gain = line.rpartition("=")
        lines[place] = f"{numbers[name]}={gain}"
    if lines[-2:] == ["pandas_categorical:[]", ""]:
        # a table without categories
        lines[-2] = "pandas_categorical:null"
    return f"{head}{separator}{' '.join(numbered)}\n{before}{said}" + "\n".join(lines)


def made_estimator(kind: type[Any], held: dict[str, Any]) -> Any:
    """The estimator of checked values."""
    import lightgbm

    estimator = kind(**held["parameters"])
    if "text" not in held:
        return estimator
    estimator._Booster = lightgbm.Booster(model_str=held["text"])
    estimator._n_features = estimator._n_features_in = held["features"]
    estimator._objective = re.split(r"[ \n]", held["text"].partition("\nobjective=")[2], maxsplit=1)[0]
    estimator._best_iteration, estimator.fitted_ = 0, True
    if (classes := held["classes"]) is not None:
        from sklearn.preprocessing import LabelEncoder

        estimator._le = LabelEncoder()
        estimator._le.classes_ = estimator._classes = classes
        estimator._n_classes = len(classes)
        estimator._class_map = dict(zip(classes.tolist(), range(len(classes)), strict=True))
    return estimator


def wrong_estimator(part: StoredObject) -> str:
    """Why stored values are no estimator of LightGBM; empty where they are one."""
    held = part.attributes
    if set(held) == {"parameters"}:
        return ""
    if set(held) != {"parameters", "text", "features", "classes"}:
        return "it has not all that it is made of"
    classes = held["classes"]
    if (part.label == "LGBMClassifier") != (classes is not None):
        return "it does not say which classes it knows"
    outputs = len(classes) if classes is not None and len(classes) > 2 else 1
    try:
        check_booster(held["text"], held["features"], outputs, part.label)
    except ModelError as error:
        return str(error)
    return ""
