"""Gradient-boosted trees by LightGBM, stored as LightGBM's own text."""

# mypy: disable-error-code="import-untyped"
# scikit-learn and LightGBM ship no stubs.
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from relet.errors import SettingError
from relet.training.estimators.products import exponential

if TYPE_CHECKING:
    from lightgbm import Booster
    from numpy.typing import NDArray

# Parameters that are not learned and differ between machines.
_PASSING = re.compile(r"^\[(num_threads|device_type|verbosity|tree_learner): .*\]\n", re.MULTILINE)
# LightGBM's objectives that learn the target itself, with trees that add up to its logarithm.
_LOG_LINK = frozenset(("gamma", "poisson", "tweedie"))
# Separates the texts of two boosters; no text contains it.
_NEXT = "\x1e\n"


class BoostedRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Gradient-boosted trees by LightGBM, the same to the bit on any number of threads.

    `objectives` are LightGBM's. There is one booster for each, and their predictions are averaged: `l1` aims at
    the median, `l2` and `gamma` at the mean. With `log_target` the trees add up to the target's logarithm, and the
    average is taken there. The boosters are kept as LightGBM's own text, which `native` gives and `attach` takes,
    so that no pickle is needed. `fit` raises SettingError for `objectives` that are no list of names.
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
        objectives: Sequence[str] = ("l1",),
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
        self.objectives = objectives
        self.log_target = log_target
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> BoostedRegressor:
        import lightgbm

        self._check_objectives()
        target = np.asarray(y, dtype=np.float64)
        matrix = np.ascontiguousarray(X, dtype=np.float64)
        rows = lightgbm.Dataset(matrix, params=self._parameters(), free_raw_data=False)
        boosters = []
        for objective in self.objectives:
            rows.set_label(np.log(target) if self.log_target and objective not in _LOG_LINK else target)
            boosters.append(
                lightgbm.train({**self._parameters(), "objective": objective}, rows, self.n_estimators)
            )
        self.n_features_in_ = matrix.shape[1]
        gains = [np.asarray(each.feature_importance("gain"), dtype=np.float64) for each in boosters]
        # as shares, since each objective's gains have their own unit
        self.importances_ = np.mean([each / max(each.sum(), 1e-300) for each in gains], axis=0)
        self.attach(_NEXT.join(each.model_to_string() for each in boosters))
        return self

    def _check_objectives(self) -> None:
        given = self.objectives
        names = [] if given is None or isinstance(given, str) else list(given)
        if not names or not all(isinstance(name, str) for name in names):
            raise SettingError(f"objectives must be a list of LightGBM's, such as [l1, gamma], got {given!r}")

    def _parameters(self) -> dict[str, Any]:
        return {
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
        predicted = np.zeros(len(matrix))
        for each in self._boosters:
            predicted += np.asarray(each.predict(matrix, raw_score=self.log_target)) / len(self._boosters)
        return exponential(predicted) if self.log_target else predicted

    @property
    def rounds(self) -> int:
        """The number of trees of the largest booster."""
        return max(each.num_trees() for each in self._boosters)

    def staged_predict(self, X: Any, rounds: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """The predictions of the first trees of each booster, for each number of trees in `rounds`, ascending."""
        matrix = np.ascontiguousarray(X, dtype=np.float64)
        sums = np.zeros((len(self._boosters), len(matrix)))
        before = 0
        for upto in rounds:
            for held, each in zip(sums, self._boosters, strict=True):
                held += _between(each, matrix, before, upto)
            before = upto
            yield self._averaged(sums)

    def _averaged(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The prediction, from the sum of each booster's trees."""
        if self.log_target:
            return exponential(np.asarray(sums.mean(axis=0)))
        pairs = zip(self.objectives, sums, strict=True)
        each_predicts = [exponential(held) if name in _LOG_LINK else held for name, held in pairs]
        return np.asarray(np.mean(each_predicts, axis=0), dtype=np.float64)

    @property
    def native(self) -> str:
        """The boosters as the text of LightGBM model files."""
        return self.text_

    def attach(self, text: str) -> None:
        """Take the boosters from the text of LightGBM model files."""
        import lightgbm

        self.text_ = _PASSING.sub("", text)
        self._boosters: list[Booster] = [lightgbm.Booster(model_str=each) for each in self.text_.split(_NEXT)]

    def __getstate__(self) -> dict[str, Any]:
        """The state without the boosters, which the native file holds."""
        return {name: value for name, value in vars(self).items() if name not in ("_boosters", "text_")}


def _between(booster: Booster, matrix: NDArray[np.float64], first: int, end: int) -> NDArray[np.float64]:
    """The sum of some of a booster's trees. For no trees, LightGBM itself would use all remaining ones."""
    trees = min(end, booster.num_trees()) - first
    if trees <= 0:
        return np.zeros(len(matrix))
    return np.asarray(booster.predict(matrix, start_iteration=first, num_iteration=trees, raw_score=True))
