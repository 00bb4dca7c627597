"""A linear model with a penalty that drops features of little use."""

# mypy: disable-error-code="import-untyped"
# scikit-learn and threadpoolctl ship no stubs.
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from relet.training.estimators.products import exponential, product

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LinearRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """scikit-learn's elastic net, the same to the bit on any number of threads.

    The penalty is alpha·(l1_ratio·|w|₁ + (1 − l1_ratio)/2·|w|²); features should have one scale. With `log_target`
    it learns the target's logarithm.
    """

    weights_: NDArray[np.float64]
    offset_: float

    def __init__(
        self,
        *,
        alpha: float = 0.001,
        l1_ratio: float = 0.5,
        max_iter: int = 1000,
        log_target: bool = True,
        random_state: int = 42,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.max_iter = max_iter
        self.log_target = log_target
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> LinearRegressor:
        from sklearn.linear_model import ElasticNet
        from threadpoolctl import threadpool_limits

        target = np.asarray(y, dtype=np.float64)
        line = ElasticNet(
            alpha=self.alpha, l1_ratio=self.l1_ratio, max_iter=self.max_iter, random_state=self.random_state
        )
        # BLAS would split a sum of products among threads and so change the order of addition
        with threadpool_limits(1):
            line.fit(np.asarray(X, dtype=np.float64), np.log(target) if self.log_target else target)
        self.n_features_in_ = len(line.coef_)
        self.weights_ = np.asarray(line.coef_, dtype=np.float64)
        self.offset_ = float(line.intercept_)
        return self

    @property
    def importances_(self) -> NDArray[np.float64]:
        """The size of each feature's weight."""
        return np.abs(self.weights_)

    def predict(self, X: Any) -> NDArray[np.float64]:
        rows = np.asarray(X, dtype=np.float64)
        predicted = product(rows, self.weights_.reshape(-1, 1))[:, 0] + self.offset_
        return exponential(predicted) if self.log_target else predicted
