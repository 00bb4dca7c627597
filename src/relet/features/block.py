"""The base of all feature blocks: they read raw rows and name their output columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


class Block(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer from a table with named columns to a matrix of floats, each row on its own.

    A subclass defines `transform`, and sets `names_` (one name per column) in `fit`. A block that learns nothing
    only defines `_names`.
    """

    names_: list[str]

    def fit(self, rows: pd.DataFrame, y: Any = None) -> Block:
        self.names_ = self._names()
        return self

    def _names(self) -> list[str]:
        raise NotImplementedError

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """The names of the columns that `transform` returns."""
        return np.asarray(self.names_, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "names_")
