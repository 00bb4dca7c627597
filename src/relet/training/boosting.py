"""Gradient-boosted trees as a scikit-learn regressor that keeps LightGBM's own model text and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The same trees for any number of threads, and column by column: LightGBM's choice between column- and row-wise
# histograms depends on timings.
DETERMINISTIC = {"deterministic": True, "force_col_wise": True, "verbosity": -1}
FEW_ROWS = 1000


class BoostedRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """LightGBM with `parameters` for `rounds` rounds; with `log_target` it learns the target's logarithm.

    `predict` gives the target's own units. `threads` (0: all) changes the time, never the trees.
    """

    model_text_: str

    def __init__(
        self,
        parameters: Mapping[str, Any],
        *,
        rounds: int = 100,
        log_target: bool = False,
        seed: int = 0,
        threads: int = 0,
    ) -> None:
        self.parameters = parameters
        self.rounds = rounds
        self.log_target = log_target
        self.seed = seed
        self.threads = threads

    def fit(self, features: NDArray[np.float64], y: Any) -> BoostedRegressor:
        import lightgbm

        target = np.asarray(y, dtype=np.float64)
        if self.log_target:
            if not (target > 0).all():
                raise ValueError(f"a log target must be above 0, got {target.min()}")
            target = np.log(target)
        settings = {**self.parameters, **DETERMINISTIC, "seed": self.seed, "num_threads": self.threads}
        booster = lightgbm.train(settings, lightgbm.Dataset(features, target), self.rounds)
        self.model_text_ = trees_only(booster.model_to_string())
        self._booster = booster
        return self

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        # Starting threads costs more than a few rows take.
        threads = 1 if len(features) < FEW_ROWS else self.threads
        raw = np.asarray(self.booster.predict(features, num_threads=threads))
        # math.exp, not numpy's: numpy takes another routine on another CPU, and the last bit may differ.
        return np.array([math.exp(value) for value in raw]) if self.log_target else raw

    @property
    def booster(self) -> Any:
        """LightGBM's booster, read from the model text once."""
        if getattr(self, "_booster", None) is None:
            import lightgbm

            self._booster = lightgbm.Booster(model_str=self.model_text_)
        return self._booster

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """The share of the whole gain that splits on each feature brought."""
        gain = np.asarray(self.booster.feature_importance("gain"), dtype=np.float64)
        return gain / gain.sum() if gain.sum() else gain

    def __getstate__(self) -> dict[str, Any]:
        # The text is the model: the booster is an address in LightGBM's memory.
        return {name: value for name, value in super().__getstate__().items() if name != "_booster"}

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_text_")


def trees_only(text: str) -> str:
    """LightGBM's model text without its list of parameters, which holds the number of threads.

    >>> trees_only("tree\\n...\\nparameters:\\n[num_threads: 2]\\nend of parameters\\n\\npandas_categorical:[]\\n")
    'tree\\n...\\n'
    """
    return text.partition("\nparameters:\n")[0] + "\n"
