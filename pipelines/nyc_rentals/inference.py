"""An inference pipeline fitted, and what its model gained by each feature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.nyc_rentals.columns import INPUTS, TARGET
from pipelines.nyc_rentals.learner import Learner

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def fitted_pipeline(rows: pd.DataFrame, learner: Learner, *, seed: int) -> Pipeline:
    """The inference pipeline of a family's settings, fitted on rows of clean listings."""
    pipeline = learner.pipeline(seed=seed)
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
