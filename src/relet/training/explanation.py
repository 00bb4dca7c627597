"""Explain an estimate or a probability: the contribution of each column of a row, in the unit of the estimate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from relet.errors import ModelError, nearest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from relet.training.model import Model

    Predict = Callable[[pd.DataFrame], NDArray[np.float64]]

# How many background rows stand for all others. An explanation takes this number times (columns − 1) estimates.
# On listings, contributions from 128 rows differ from those of 400 rows by 0.6 dollars on average; from 64 rows by
# 1.1, from 16 rows by 2.1.
BACKGROUND = 128
# How many rows are explained together: their estimates are made in one call.
TOGETHER = 8


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The explanation of one row's estimate: the one that `predict` gives, of a classifier a probability.

    The contributions add up to `estimate` − `base`; `base` is the mean estimate of the background rows.
    `comparables` are the nearest training rows, nearest first, each with its columns by name; empty where the
    model keeps none.
    """

    estimate: float
    base: float
    contributions: Mapping[str, float]
    comparables: Sequence[Mapping[str, Any]] = ()


def explained_predict(model: Model, label: Any = None) -> Predict:
    """What is explained of each row: a regression's estimate, or a classifier's probability of `label`.

    Of two classes `label` is the second one, where none is given. Raises ModelError for more classes without a
    label, for a label that the model does not have, and for a model that predicts labels alone.
    """
    if not model.is_classifier:
        if label is not None:
            raise ModelError(f"the model predicts numbers: no label such as {label!r} can be explained")
        return model.predict
    classes = model.classes
    if label is None and len(classes) == 2:
        label = classes[1]
    if label not in classes:
        said = "say which class is to be explained" if label is None else f"there is no class {label!r}"
        raise ModelError(f"{said}: {nearest(str(label or ''), map(str, classes))}; write explain(rows, label=…)")

    def predict(rows: pd.DataFrame) -> NDArray[np.float64]:
        found: NDArray[np.float64] = model.probabilities(rows)[label].to_numpy()
        return found

    return predict


def background_rows(rows: pd.DataFrame, estimates: NDArray[np.float64]) -> pd.DataFrame:
    """The rows that stand for all: 128 rows, evenly spaced from the lowest to the highest estimate."""
    import numpy as np

    from relet.training import golden

    order = np.argsort(estimates, kind="stable")
    size = min(BACKGROUND, len(order))
    places = order[((np.arange(size) + 0.5) / size * len(order)).astype(np.int64)]
    # in the form in which they are read again from the model's folder
    return golden.rows_from_json(golden.rows_to_json(rows.iloc[places]), list(rows.columns))


def contributions(
    predict: Predict, rows: pd.DataFrame, estimates: NDArray[np.float64], others: pd.DataFrame
) -> tuple[float, NDArray[np.float64]]:
    """The mean estimate of the rows in `others`, and what each column adds to it in each explained row.

    Shapley values of the columns (Shapley 1953; for models Štrumbelj and Kononenko, JMLR 11, 2010): on the way
    from a background row to the explained row, one column after the other takes its new value, and gets the change
    of the estimate as its contribution. The mean is taken over all background rows, each with another order of the
    columns. Only estimates are needed, so it works for every family; a column that the model ignores gets exactly
    0, and the contributions add up. Returns the base, and for each row one number per column.
    """
    import numpy as np

    names = [str(name) for name in others.columns]
    before = predict(others)
    found = np.zeros((len(rows), len(names)))
    plain = _plain_rows(rows[names])
    walks = list(_column_orders(names, len(others)))
    for start in range(0, len(rows), TOGETHER):
        chosen = plain.iloc[start : start + TOGETHER]
        between = predict(_rows_between(chosen, others, walks)) if len(names) > 1 else np.empty(0)
        steps = between.reshape(len(chosen), len(walks), len(names) - 1)
        for place in range(len(chosen)):
            for (of, order), seen in zip(walks, steps[place], strict=True):
                path = np.concatenate([before[of : of + 1], seen, estimates[start + place : start + place + 1]])
                found[start + place, order] += np.diff(path)
    return float(np.mean(before)), found / len(walks)


def _column_orders(names: Sequence[str], size: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """An order of the columns for each background row; every second order is the reverse of the one before.

    The orders depend neither on chance, nor on a library, nor on the position of a column.
    """
    import numpy as np

    for of in range(size):
        digests = [sha256(f"{of // 2} {name}".encode()).digest() for name in names]
        order = np.array(sorted(range(len(names)), key=digests.__getitem__), dtype=np.int64)
        yield of, order[::-1] if of % 2 else order


def _rows_between(
    rows: pd.DataFrame, others: pd.DataFrame, walks: Sequence[tuple[int, NDArray[np.int64]]]
) -> pd.DataFrame:
    """The rows between background and explained row: for each row, each order, and each step but the last."""
    import numpy as np
    import pandas as pd

    size = len(others.columns)
    # taken[walk, step, column]: whether the column has the explained row's value
    taken = np.zeros((len(walks), size - 1, size), dtype=bool)
    for walk, (_, order) in enumerate(walks):
        for step in range(size - 1):
            taken[walk, step, order[: step + 1]] = True
    flat = taken.reshape(-1, size)
    origin = np.repeat([of for of, _ in walks], size - 1)
    made = {}
    for place, name in enumerate(others.columns):
        own = np.repeat(_as_objects(rows[name]), len(flat))
        theirs = np.tile(_as_objects(others[name])[origin], len(rows))
        made[name] = np.where(np.tile(flat[:, place], len(rows)), own, theirs)
    return pd.DataFrame(made, dtype=object)


def _as_objects(values: pd.Series[Any]) -> NDArray[np.object_]:
    import numpy as np

    return np.asarray(values, dtype=object)


def _plain_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose values can share a column with values from JSON: dates as text, missing values as None."""
    import pandas as pd

    made = {}
    for name in rows.columns:
        values = rows[name]
        if pd.api.types.is_datetime64_any_dtype(values):
            values = values.dt.strftime("%Y-%m-%dT%H:%M:%S")
        held = [value.isoformat() if hasattr(value, "isoformat") else value for value in values.astype(object)]
        made[name] = [None if pd.isna(value) else value for value in held]
    return pd.DataFrame(made, dtype=object)
