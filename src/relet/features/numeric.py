"""Blocks that pass numbers and dates on, or combine them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from relet.features import columns
from relet.features.block import Block

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


class Numbers(Block):
    """Columns as floats; missing values become `missing` (NaN keeps them missing).

    >>> import pandas as pd
    >>> Numbers(["nights"], missing=0.0).fit_transform(pd.DataFrame({"nights": [3, None]}))
    array([[3.],
           [0.]])
    """

    def __init__(self, names: Sequence[str], *, missing: float | None = None) -> None:
        self.names = names
        self.missing = missing

    def _names(self) -> list[str]:
        return list(self.names)

    def transform(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        found = np.column_stack([columns.numbers(rows, name) for name in self.names])
        return found if self.missing is None else np.where(np.isnan(found), self.missing, found)


class Logarithms(Block):
    """log(1 + value) of count columns. Missing values stay missing; values below 0 count as 0.

    >>> import pandas as pd
    >>> Logarithms(["nights"]).fit_transform(pd.DataFrame({"nights": [0, -3]}))
    array([[0.],
           [0.]])
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def _names(self) -> list[str]:
        return [f"log_{name}" for name in self.names]

    def transform(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        found = np.column_stack([columns.numbers(rows, name) for name in self.names])
        # math.log1p, since numpy's routine depends on the CPU and may differ in the last bit
        made = [math.log1p(value) for value in np.maximum(found, 0.0).ravel()]
        return np.array(made).reshape(found.shape)


class Combinations(Block):
    """Weighted sums of columns, such as rotated coordinates: `{"diagonal": {"latitude": 1, "longitude": 1}}`.

    >>> import pandas as pd
    >>> Combinations({"d": {"x": 1, "y": -1}}).fit_transform(pd.DataFrame({"x": [3.0], "y": [1.0]}))
    array([[2.]])
    """

    def __init__(self, weights: Mapping[str, Mapping[str, float]]) -> None:
        self.weights = weights

    def _names(self) -> list[str]:
        return list(self.weights)

    def transform(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        made = np.zeros((len(rows), len(self.weights)))
        for position, parts in enumerate(self.weights.values()):
            for name, weight in parts.items():
                made[:, position] += weight * columns.numbers(rows, name)
        return made


class DaysSince(Block):
    """Days from each date to the newest date in training.

    That date is fixed by training, so rows do not affect each other. A missing date counts as `missing` (an ISO
    8601 date), or stays missing.

    >>> import pandas as pd
    >>> seen = pd.DataFrame({"seen": ["2019-07-01", "2019-07-08", None]})
    >>> DaysSince("seen").fit(seen).transform(seen.head(1))
    array([[7.]])
    """

    newest_: str

    def __init__(self, name: str, *, missing: str | None = None) -> None:
        self.name = name
        self.missing = missing

    def _names(self) -> list[str]:
        return [f"days_since_{self.name}"]

    def fit(self, rows: pd.DataFrame, y: Any = None) -> DaysSince:
        super().fit(rows, y)
        found = self._days(rows)
        found = found[~np.isnat(found)]
        self.newest_ = str(found.max()) if len(found) else "1970-01-01"
        return self

    def _days(self, rows: pd.DataFrame) -> NDArray[np.datetime64]:
        found = columns.days(rows, self.name)
        if self.missing is not None:
            found = np.where(np.isnat(found), np.datetime64(self.missing, "D"), found)
        return found

    def transform(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        found = self._days(rows)
        since = (np.datetime64(self.newest_, "D") - found).astype(np.float64)
        return np.where(np.isnat(found), np.nan, since).reshape(-1, 1)
