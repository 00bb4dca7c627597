"""Estimators that keep what they learned in plain text or arrays."""

# mypy: disable-error-code="import-untyped"
# scikit-learn and LightGBM ship no stubs.
from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

if TYPE_CHECKING:
    from lightgbm import Booster
    from numpy.typing import NDArray

# The parameters that are no part of what was learned, and differ between machines.
_PASSING = re.compile(r"^\[(num_threads|device_type|verbosity|tree_learner): .*\]\n", re.MULTILINE)


class BoostedRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Gradient-boosted trees by LightGBM, the same to the bit on any number of threads.

    `objective` is LightGBM's; with `log_target` the trees learn the target's logarithm. What was learned is kept
    as LightGBM's own text, which `native` gives and `attach` takes, so that no pickle is needed.
    """

    text_: str
    importances_: NDArray[np.float64]

    def __init__(
        self,
        *,
        n_estimators: int = 400,
        learning_rate: float = 0.05,
        num_leaves: int = 63,
        min_child_samples: int = 20,
        feature_fraction: float = 0.5,
        bagging_fraction: float = 0.8,
        max_bin: int = 255,
        lambda_l2: float = 0.0,
        objective: str = "l1",
        log_target: bool = True,
        random_state: int = 42,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.min_child_samples = min_child_samples
        self.feature_fraction = feature_fraction
        self.bagging_fraction = bagging_fraction
        self.max_bin = max_bin
        self.lambda_l2 = lambda_l2
        self.objective = objective
        self.log_target = log_target
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> BoostedRegressor:
        import lightgbm

        target = np.asarray(y, dtype=np.float64)
        learned = np.log(target) if self.log_target else target
        matrix = np.ascontiguousarray(X, dtype=np.float64)
        booster = lightgbm.train(self._parameters(), lightgbm.Dataset(matrix, learned), self.n_estimators)
        self.n_features_in_ = matrix.shape[1]
        self.importances_ = booster.feature_importance("gain")
        self.attach(booster.model_to_string())
        return self

    def _parameters(self) -> dict[str, Any]:
        return {
            "objective": self.objective,
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_data_in_leaf": self.min_child_samples,
            "feature_fraction": self.feature_fraction,
            "bagging_fraction": self.bagging_fraction,
            "bagging_freq": 1,
            "max_bin": self.max_bin,
            "lambda_l2": self.lambda_l2,
            "seed": self.random_state,
            "deterministic": True,
            "force_col_wise": True,
            "verbose": -1,
        }

    def predict(self, X: Any) -> NDArray[np.float64]:
        matrix = np.ascontiguousarray(X, dtype=np.float64)
        predicted = np.asarray(self._booster.predict(matrix), dtype=np.float64)
        # math.exp, not numpy's: numpy takes another routine on another CPU, and the last bit may differ
        return np.array([math.exp(value) for value in predicted]) if self.log_target else predicted

    @property
    def native(self) -> str:
        """What was learned, as the text of a LightGBM model file."""
        return self.text_

    def attach(self, text: str) -> None:
        """Take over what a LightGBM model file holds."""
        import lightgbm

        self.text_ = _PASSING.sub("", text)
        self._booster: Booster = lightgbm.Booster(model_str=self.text_)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what the native file holds."""
        return {name: value for name, value in vars(self).items() if name not in ("_booster", "text_")}
