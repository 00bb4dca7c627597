"""The flagship's model families: each builds an inference pipeline from the same raw columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from pipelines.nyc_rentals.columns import INPUTS, TARGET
from relet.errors import SettingError, nearest

# A module each, with a function of its name. Which one is imported, a component's parameter says by
# `Annotated[str, Module("pipelines.nyc_rentals.families")]`: no other family's code is then part of its key.
FAMILIES = "pipelines.nyc_rentals.families"


def inference_pipeline(
    family: str, *, seed: int, max_tfidf_features: int, parameters: Mapping[str, Any]
) -> Pipeline:
    """Pre-processing and model as one scikit-learn pipeline, not fitted.

    Raises SettingError for an unknown family or parameter, with the nearest.
    """
    build = _family_builder(family)
    try:
        return build(seed=seed, max_tfidf_features=max_tfidf_features, parameters=parameters)
    except TypeError as error:
        raise SettingError(f"modeling.{family}: {error}") from None


def _family_builder(name: str) -> Callable[..., Pipeline]:
    """The function that builds a family's pipeline. relet checks the name; who calls by hand may get it wrong."""
    if not name.isidentifier() or find_spec(f"{FAMILIES}.{name}") is None:
        known = [module.name for module in iter_modules(import_module(FAMILIES).__path__)]
        raise SettingError(f"modeling.family got {name!r}: {nearest(name, known)}")
    build: Callable[..., Pipeline] | None = getattr(import_module(f"{FAMILIES}.{name}"), name, None)
    if build is None:
        raise SettingError(f"modeling.family got {name!r}, but {FAMILIES}.{name} has no function {name}; write it")
    return build


def fitted_pipeline(
    rows: pd.DataFrame, *, family: str, seed: int, max_tfidf_features: int, parameters: Mapping[str, Any]
) -> Pipeline:
    """The inference pipeline, fitted on rows of clean listings; raises as `inference_pipeline` does."""
    pipeline = inference_pipeline(family, seed=seed, max_tfidf_features=max_tfidf_features, parameters=parameters)
    pipeline.fit(rows[INPUTS], rows[TARGET])
    if "n_jobs" in pipeline[-1].get_params():
        # trees that are summed in parallel are summed in any order: the last bits would differ
        pipeline[-1].set_params(n_jobs=1)
    return pipeline


def importances(pipeline: Pipeline) -> dict[str, float]:
    """Each feature's share of what the model gained by it, the largest first; of a blend its members' average."""
    model = pipeline[-1]
    if hasattr(model, "members_"):
        found: dict[str, float] = {}
        for name, member in model.members_:
            for feature, share in importances(member).items():
                found[feature] = found.get(feature, 0.0) + model.shares[name] * share
        return _largest_first(found)
    names = [str(name) for name in pipeline[:-1].get_feature_names_out()]
    gains = getattr(model, "importances_", None)
    if gains is None:
        # a model that says nothing of its features still has a place here
        gains = getattr(model, "feature_importances_", np.zeros(len(names)))
    gains = np.asarray(gains, dtype=np.float64)
    shares = gains / gains.sum() if gains.sum() else gains
    named = dict(zip(names, shares.tolist(), strict=True))
    return _largest_first(named)


def _largest_first(shares: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(shares.items(), key=lambda each: (-each[1], each[0])))
