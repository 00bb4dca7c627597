"""Scale features and fill missing values, for models that add up weighted features."""

# mypy: disable-error-code="import-untyped"
# scikit-learn ships no stubs.
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The largest distance from the mean, in standard deviations. A linear model says nothing beyond ordinary rows.
FARTHEST = 10.0


class Scaled(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Each feature as (value − mean) / standard deviation of the training rows, clipped to ±10.

    A missing value becomes the mean, 0. For each feature that was missing in training a further column is 1 where
    the value is missing, else 0.

    >>> Scaled().fit_transform(np.array([[1.0, 5.0], [3.0, np.nan]]))
    array([[-1.,  0.,  0.],
           [ 1.,  0.,  1.]])
    """

    means_: NDArray[np.float64]
    scales_: NDArray[np.float64]
    gaps_: NDArray[np.int64]

    def fit(self, X: Any, y: Any = None) -> Scaled:
        rows = np.asarray(X, dtype=np.float64)
        known = ~np.isnan(rows)
        count = np.maximum(known.sum(axis=0), 1)
        self.means_ = np.where(known, rows, 0.0).sum(axis=0) / count
        deviations = np.where(known, rows - self.means_, 0.0)
        scales = np.sqrt((deviations**2).sum(axis=0) / count)
        self.scales_ = np.where(scales > 0, scales, 1.0)
        self.gaps_ = np.flatnonzero(~known.all(axis=0))
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        rows = np.asarray(X, dtype=np.float64)
        scaled = np.clip((rows - self.means_) / self.scales_, -FARTHEST, FARTHEST)
        gaps = np.isnan(rows)
        return np.column_stack([np.where(gaps, 0.0, scaled), gaps[:, self.gaps_].astype(np.float64)])

    def get_feature_names_out(self, input_features: Sequence[str]) -> NDArray[np.object_]:
        """The names of the features and of the columns that mark missing values."""
        names = list(map(str, input_features))
        return np.asarray([*names, *(f"{names[each]}_missing" for each in self.gaps_)], dtype=object)
