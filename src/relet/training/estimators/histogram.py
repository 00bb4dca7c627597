"""scikit-learn's gradient boosting on binned features, with its trees kept as plain arrays."""

# mypy: disable-error-code="import-untyped"
# scikit-learn ships no stubs.
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from relet.errors import ModelError
from relet.training.estimators.products import exponential

if TYPE_CHECKING:
    from numpy.typing import NDArray

# How many rows pass through all trees at once: their data fits into a processor's cache.
BATCH = 512


class HistogramRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """scikit-learn's `HistGradientBoostingRegressor`.

    An archive holds its numbers, and none of its inner objects. `loss` and the others are its parameters; with
    `log_target` the trees learn the target's logarithm. Values may be missing: each split says where they go.
    """

    # one entry per node, tree after tree; `left_` and `right_` are -1 in a leaf
    feature_: NDArray[np.int64]
    threshold_: NDArray[np.float64]
    left_: NDArray[np.int64]
    right_: NDArray[np.int64]
    missing_left_: NDArray[np.bool_]
    value_: NDArray[np.float64]
    roots_: NDArray[np.int64]
    offset_: float
    importances_: NDArray[np.float64]

    def __init__(
        self,
        *,
        loss: str = "squared_error",
        max_iter: int = 300,
        learning_rate: float = 0.08,
        max_leaf_nodes: int = 31,
        min_samples_leaf: int = 20,
        l2_regularization: float = 0.0,
        max_features: float = 0.5,
        max_bins: int = 255,
        log_target: bool = True,
        random_state: int = 42,
    ) -> None:
        self.loss = loss
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.max_bins = max_bins
        self.log_target = log_target
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> HistogramRegressor:
        from sklearn.ensemble import HistGradientBoostingRegressor

        own = self.get_params(deep=False)
        log_target = own.pop("log_target")
        target = np.asarray(y, dtype=np.float64)
        rows = np.asarray(X, dtype=np.float64)
        # scikit-learn can't bin a feature that is missing in every row; it ignores a constant one
        rows = np.where(np.isnan(rows).all(axis=0), 0.0, rows)
        boosting = HistGradientBoostingRegressor(**own, early_stopping=False)
        boosting.fit(rows, np.log(target) if log_target else target)
        self.n_features_in_ = boosting.n_features_in_
        self._take([each.nodes for (each,) in boosting._predictors])
        self.offset_ = float(boosting._baseline_prediction.item())
        return self

    def _take(self, trees: list[NDArray[Any]]) -> None:
        """Keep the nodes of all trees. Children are numbered from the first tree's root."""
        self.roots_ = np.cumsum([0, *map(len, trees[:-1])])
        start = np.repeat(self.roots_, [len(each) for each in trees])
        nodes: Any = np.concatenate(trees)
        leaf = nodes["is_leaf"].astype(bool)
        self.feature_ = np.where(leaf, 0, nodes["feature_idx"]).astype(np.int64)
        self.threshold_ = np.where(leaf, 0.0, nodes["num_threshold"])
        self.left_ = np.where(leaf, -1, nodes["left"] + start)
        self.right_ = np.where(leaf, -1, nodes["right"] + start)
        self.missing_left_ = nodes["missing_go_to_left"].astype(bool)
        self.value_ = nodes["value"].astype(np.float64)
        gains = nodes["gain"][~leaf].astype(np.float64)
        self.importances_ = np.asarray(np.bincount(self.feature_[~leaf], gains, minlength=self.n_features_in_))

    def predict(self, X: Any) -> NDArray[np.float64]:
        (predicted,) = self.staged_predict(X, [self.rounds])
        return predicted

    @property
    def rounds(self) -> int:
        """The number of trees."""
        return len(self.roots_)

    def staged_predict(self, X: Any, rounds: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """The predictions of the first trees, for each number of trees in `rounds`, ascending."""
        rows = np.asarray(X, dtype=np.float64)
        parts = [self._sums(rows[start : start + BATCH])[:, rounds] for start in range(0, len(rows), BATCH)]
        for predicted in np.concatenate(parts).T if parts else np.empty((len(rounds), 0)):
            yield exponential(predicted) if self.log_target else predicted

    def _sums(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pass each row through all trees at once, one level per step; then sum its leaves, tree after tree.

        The first column is the sum of no tree.
        """
        number = np.arange(len(rows))[:, np.newaxis]
        node = np.tile(self.roots_, (len(rows), 1))
        while (inner := self.left_[node] >= 0).any():
            seen = rows[number, self.feature_[node]]
            goes_left = np.where(np.isnan(seen), self.missing_left_[node], seen <= self.threshold_[node])
            node = np.where(inner, np.where(goes_left, self.left_[node], self.right_[node]), node)
        values = np.column_stack([np.full(len(rows), self.offset_), self.value_[node]])
        # cumsum adds in order; sum would add long and short rows in different orders
        return np.asarray(np.cumsum(values, axis=1))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state of an archive. A child must come after its parent, so that every row reaches a leaf."""
        super().__setstate__(state)
        if not hasattr(self, "left_"):
            return
        size = len(self.value_)
        arrays = (self.feature_, self.threshold_, self.left_, self.right_, self.missing_left_)
        if any(len(each) != size for each in arrays):
            raise ModelError("a histogram model's trees are no trees: its arrays differ in length; train it again")
        inner = self.left_ >= 0
        children = np.concatenate([self.left_[inner], self.right_[inner]])
        parents = np.tile(np.flatnonzero(inner), 2)
        if not ((children > parents) & (children < size)).all():
            raise ModelError("a histogram model's trees are no trees: a branch leads nowhere; train it again")
