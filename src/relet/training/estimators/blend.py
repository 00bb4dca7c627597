"""An average of the predictions of several inference pipelines."""

# mypy: disable-error-code="import-untyped"
# scikit-learn ships no stubs.
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone

from relet.errors import SettingError
from relet.training.estimators.products import exponential

if TYPE_CHECKING:
    from numpy.typing import NDArray


class BlendRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Each member learns from the same raw rows; their predictions are averaged on the logarithm of the target.

    `members` are pairs of a name and a pipeline that predicts numbers above 0; `weights` are the members' weights
    (None: equal); a weight of 0 leaves a member out. Raises SettingError, before a member is fitted, for weights
    that make no average.
    """

    members_: list[tuple[str, Any]]

    def __init__(self, members: Sequence[tuple[str, Any]], *, weights: Mapping[str, float] | None = None) -> None:
        self.members = members
        self.weights = weights

    def fit(self, X: Any, y: Any) -> BlendRegressor:
        self._check_weights()
        self.members_ = [(name, clone(member).fit(X, y)) for name, member in self.members]
        return self

    def _check_weights(self) -> None:
        for name, weight in (self.weights or {}).items():
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
                raise SettingError(f"a blend's weights must be numbers of 0 or more, {name!r} got {weight!r}")
        if not sum((self.weights or {}).get(name, 1.0) for name, _ in self.members) > 0:
            raise SettingError(f"a blend's weights must add up to more than 0, got {dict(self.weights or {})}")

    @property
    def shares(self) -> dict[str, float]:
        """Each member's share of the average."""
        given = {name: float((self.weights or {}).get(name, 1.0)) for name, _ in self.members}
        return {name: weight / sum(given.values()) for name, weight in given.items()}

    def predict(self, X: Any) -> NDArray[np.float64]:
        total = np.zeros(len(X))
        for name, member in self.members_:
            total += self.shares[name] * np.array([math.log(value) for value in member.predict(X)])
        return exponential(total)
