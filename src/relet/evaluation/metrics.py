"""Metrics: the distance of predictions from the true values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from relet.core.artifact import Curve

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


def regression(truth: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """Mean absolute error and root mean squared error, in the target's units, and R².

    >>> regression([1.0, 3.0], [1.0, 2.0])
    {'mae': 0.5, 'rmse': 0.7071067811865476, 'r2': 0.5}
    """
    y, p = np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    errors = y - p
    spread = float(np.sum((y - y.mean()) ** 2))
    explained = 1 - float(np.sum(errors**2)) / spread if spread else float("nan")
    return {"mae": float(np.mean(np.abs(errors))), "rmse": float(np.sqrt(np.mean(errors**2))), "r2": explained}


def mae_by_rounds(model: Any, rows: Any, truth: ArrayLike, *, points: int = 20) -> Curve:
    """The mean absolute error of the model after each of at most `points` numbers of rounds, evenly spaced.

    `model` is a fitted estimator that learns in rounds: it has `rounds` and `staged_predict(rows, numbers)`.

    >>> class Halving:
    ...     rounds = 3
    ...     def staged_predict(self, rows, rounds):
    ...         return (np.full(len(rows), 8 * 0.5**number) for number in rounds)
    >>> mae_by_rounds(Halving(), [[0], [0]], [0, 0]).points
    ((1, 4.0), (2, 2.0), (3, 1.0))
    """
    numbers = sorted({max(1, round(model.rounds * place / points)) for place in range(1, points + 1)})
    y = np.asarray(truth, dtype=np.float64)
    staged = zip(numbers, model.staged_predict(rows, numbers), strict=True)
    return Curve(points=[(number, float(np.mean(np.abs(y - p)))) for number, p in staged], x="rounds")


def baseline(train: pd.DataFrame, rows: pd.DataFrame, target: str, by: list[str]) -> NDArray[np.float64]:
    """The baseline prediction: the median target of the training rows that agree in `by`, or of all training rows
    where none agrees.
    """
    medians = train.groupby(by, observed=True)[target].median().rename("median")
    joined: Any = rows[by].merge(medians, how="left", left_on=by, right_index=True)["median"]
    return np.asarray(joined.fillna(float(train[target].median())), dtype=np.float64)


def with_baseline(model: dict[str, float], base: dict[str, float]) -> dict[str, float]:
    """The model's metrics, joined with the baseline's under the names `baseline_…`."""
    return {**model, **{f"baseline_{name}": value for name, value in base.items()}}
