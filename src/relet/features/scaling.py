"""A matrix of features on one scale and without gaps, for what adds up weighted features."""

# mypy: disable-error-code="import-untyped"
# scikit-learn ships no stubs.
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

if TYPE_CHECKING:
    from numpy.typing import NDArray

# How many standard deviations from the mean count: a line through ordinary rows says nothing of what lies beyond.
FARTHEST = 10.0


class Scaled(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Each feature as (value − mean) / standard deviation of the training rows, at most 10 of them away.

    A missing value becomes the mean, 0, and for each feature that was missing in training a further column says
    where it is: 1 there, 0 elsewhere.

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
        """The names of the features, and those of the columns that say where one is missing."""
        names = list(map(str, input_features))
        return np.asarray([*names, *(f"{names[each]}_missing" for each in self.gaps_)], dtype=object)
