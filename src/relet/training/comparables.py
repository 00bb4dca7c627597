"""Comparable rows: the training rows most like a given row, with their true targets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from relet.errors import BadDataError, ModelError, nearest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

# A missing value counts as a difference of one scale.
UNKNOWN = 1.0
# Values closer than so many scales are equal, since values sent as JSON may have lost their last digits.
EQUAL = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparables:
    """Training rows, sorted by their `id`, and a measure of their distance.

    Rows that agree in the first column of `same` come first, among them those that agree in the second, and so on.
    Rows that agree equally are ordered by the root of the summed squared differences in each column of `scales`,
    each divided by its scale; equal distances by id. The model's estimates do not count: otherwise rows would be
    chosen that confirm the estimate.
    """

    rows: pd.DataFrame
    id: str
    same: tuple[str, ...]
    scales: Mapping[str, float]
    target: str

    def to_json(self) -> dict[str, Any]:
        """Everything but the rows and the target."""
        return {"id": self.id, "same": list(self.same), "scales": list(self.scales.items())}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], rows: pd.DataFrame, target: str) -> Comparables:
        """Read the output of `to_json`, with its rows.

        Raises ModelError for rows that can't be compared; other input than that of `to_json` may also raise
        KeyError, TypeError or ValueError.
        """
        scales = {name: float(scale) for name, scale in stored["scales"]}
        for name in (stored["id"], *stored["same"], *scales, target):
            if name not in rows.columns:
                near = nearest(str(name), map(str, rows.columns))
                raise ModelError(f"rows can't be compared: the column {name!r} is missing; {near}")
        for name, scale in scales.items():
            if not 0 < scale < math.inf:
                raise ModelError(f"the scale of {name!r} must be a number above 0, got {scale:g}")
        return cls(rows=rows, id=stored["id"], same=tuple(stored["same"]), scales=scales, target=target)

    def nearest(self, rows: pd.DataFrame, count: int = 5) -> list[list[dict[str, Any]]]:
        """For each row the `count` nearest training rows, nearest first, as their stored columns by name.

        The row itself is left out: the training row with the same id as text; for a row without an id, every
        training row that agrees with it in all columns of `same` and `scales`. Raises BadDataError for a column
        that is missing.

        >>> import pandas as pd
        >>> known = pd.DataFrame({"id": [1, 2], "place": ["a", "a"], "size": [3.0, 9.0], "price": [50, 90]})
        >>> held = comparables(known, id="id", same=["place"], scales={"size": 1.0}, target="price")
        >>> held.nearest(pd.DataFrame({"place": ["a"], "size": [8.0]}), count=1)
        [[{'id': 2, 'place': 'a', 'size': 9.0, 'price': 90}]]
        """
        from relet.features.columns import column, numbers, texts

        labels = [texts(rows, name).to_pylist() for name in self.same]
        values = [numbers(rows, name) for name in self.scales]
        ids = _ids_as_text(column(rows, self.id)) if self.id in rows.columns else [None] * len(rows)
        return [
            self._nearest([each[place] for each in labels], [each[place] for each in values], ids[place], count)
            for place in range(len(rows))
        ]

    def _nearest(
        self, labels: list[Any], values: list[float], own: str | None, count: int
    ) -> list[dict[str, Any]]:
        import numpy as np

        known_labels, known_values, ids = self._arrays
        unlike = np.zeros(len(ids))
        for names, label in zip(known_labels, labels, strict=True):
            unlike = 2 * unlike + (names != label)
        squares = np.zeros(len(ids))
        agrees = unlike == 0
        for known, value, scale in zip(known_values, values, self.scales.values(), strict=True):
            apart = (known - value) / scale
            squares += np.where(np.isnan(apart), UNKNOWN, apart) ** 2
            agrees &= (np.abs(apart) <= EQUAL) | (np.isnan(known) & np.isnan(value))
        # lexsort is stable: equal rows stay in the order of their ids
        order = np.lexsort((squares, unlike))
        itself = agrees if own is None else ids == own
        return [self._shown(int(place)) for place in order[~itself[order]][:count]]

    @cached_property
    def _arrays(
        self,
    ) -> tuple[list[NDArray[np.object_]], list[NDArray[np.float64]], NDArray[np.object_]]:
        import numpy as np

        from relet.features.columns import numbers, texts

        labels = [np.array(texts(self.rows, name).to_pylist(), dtype=object) for name in self.same]
        ids = np.array(_ids_as_text(self.rows[self.id]), dtype=object)
        return labels, [numbers(self.rows, name) for name in self.scales], ids

    def _shown(self, place: int) -> dict[str, Any]:
        import pandas as pd

        row = {str(name): self.rows[name].iloc[place] for name in self.rows.columns}
        plain = {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}
        return {name: None if pd.isna(value) else value for name, value in plain.items()}


def _ids_as_text(ids: pd.Series[Any]) -> list[str | None]:
    """Ids as text, whole numbers without a decimal point: a column with gaps holds floats, JSON may hold text."""
    import pandas as pd

    whole = [int(each) if isinstance(each, float) and each.is_integer() else each for each in ids]
    return [None if pd.isna(each) else str(each) for each in whole]


def comparables(
    rows: pd.DataFrame, *, id: str, same: list[str], scales: Mapping[str, float], target: str
) -> Comparables:
    """Keep training rows to compare others with: their id, target, and the columns of `same` and `scales`.

    Raises BadDataError for a column that is missing.
    """
    wanted = list(dict.fromkeys([id, *same, *scales, target]))
    for name in wanted:
        if name not in rows.columns:
            raise BadDataError(
                f"rows can't be compared: the column {name!r} is missing; {nearest(name, map(str, rows.columns))}"
            )
    kept = rows[wanted].sort_values(wanted, na_position="first", ignore_index=True)
    return Comparables(rows=kept, id=id, same=tuple(same), scales=dict(scales), target=target)
