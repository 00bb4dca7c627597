"""Metrics: the distance of predictions from the true values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from relet.core.artifact import Curve
from relet.errors import BadDataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


def regression(truth: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """Mean absolute error and root mean squared error, in the target's units, and R², of one target.

    Raises BadDataError for several targets: they may have several units (`regression_by_target`).

    >>> regression([1.0, 3.0], [1.0, 2.0])
    {'mae': 0.5, 'rmse': 0.7071067811865476, 'r2': 0.5}
    """
    y, p = np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if y.ndim != 1 or y.shape != p.shape:
        raise BadDataError(
            f"one target is measured by as many predictions, got {y.shape} and {p.shape}; several targets are "
            "measured by regression_by_target"
        )
    errors = y - p
    spread = float(np.sum((y - y.mean()) ** 2))
    explained = 1 - float(np.sum(errors**2)) / spread if spread else float("nan")
    return {"mae": float(np.mean(np.abs(errors))), "rmse": float(np.sqrt(np.mean(errors**2))), "r2": explained}


def regression_by_target(truth: pd.DataFrame, predicted: ArrayLike) -> dict[str, float]:
    """The metrics of `regression` for each column of `truth`, under names such as `mae_price`.

    `predicted` has a column for each target, in the order of `truth` (`Model.predict` of such a model). Raises
    BadDataError for other numbers of rows or columns.

    >>> import pandas as pd
    >>> regression_by_target(pd.DataFrame({"a": [1.0, 3.0], "b": [0.0, 1.0]}), [[1, 0], [2, 1]])["mae_a"]
    0.5
    """
    p = np.asarray(predicted, dtype=np.float64)
    if p.shape != truth.shape:
        raise BadDataError(f"predictions of {truth.shape} rows and targets are needed, got {p.shape}")
    return {
        f"{metric}_{name}": value
        for place, name in enumerate(truth.columns)
        for metric, value in regression(truth[name], p[:, place]).items()
    }


def quantile_metrics(truth: ArrayLike, predicted: ArrayLike, quantile: float) -> dict[str, float]:
    """The pinball loss of predictions of one quantile, in the target's units, and the share of rows below them.

    The share is near `quantile` where the predictions are right over all rows. A model for several quantiles is a
    model for each, or one with several targets. Raises BadDataError for a quantile that is not between 0 and 1.

    >>> quantile_metrics([1.0, 2.0, 9.0], [3.0, 3.0, 3.0], 0.5)
    {'pinball_loss': 1.5, 'share_below': 0.6666666666666666}
    """
    if not 0 < quantile < 1:
        raise BadDataError(f"a quantile lies between 0 and 1, got {quantile!r}")
    y, p = np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if y.ndim != 1 or y.shape != p.shape:
        raise BadDataError(f"one target is measured by as many predictions, got {y.shape} and {p.shape}")
    errors = y - p
    loss = np.maximum(quantile * errors, (quantile - 1) * errors)
    return {"pinball_loss": float(loss.mean()), "share_below": float(np.mean(y <= p))}


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
    where none agrees. A column of which no training row has a value says nothing.
    """
    overall = float(train[target].median())
    known = [name for name in by if train[name].notna().any()]
    if not known:
        return np.full(len(rows), overall)
    medians = train.groupby(known, observed=True)[target].median().rename("median")
    joined: Any = rows[known].merge(medians, how="left", left_on=known, right_index=True)["median"]
    return np.asarray(joined.fillna(overall), dtype=np.float64)


def with_baseline(model: dict[str, float], base: dict[str, float]) -> dict[str, float]:
    """The model's metrics, joined with the baseline's under the names `baseline_…`."""
    return {**model, **{f"baseline_{name}": value for name, value in base.items()}}
