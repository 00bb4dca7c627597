"""Rows with their true classes beside what a model says of them, on which all measures of classes work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from relet.errors import BadDataError, nearest

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from relet.training.model import Model


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassifiedRows:
    """Rows of known classes with a model's probabilities and labels.

    `classes` are the model's labels in its order, then labels that only the truth has. `truth` and `predicted` are
    the places of each row's labels in `classes`; `probabilities` has a column for each of `classes`, which is 0
    for a class that the model does not know. The first `known` classes are the model's.
    """

    classes: tuple[Any, ...]
    known: int
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.truth)

    def place_of(self, label: Any) -> int:
        """The place of a label in `classes`. Raises BadDataError where there is none, with the nearest."""
        if label not in self.classes:
            raise BadDataError(f"there is no class {label!r}: {nearest(str(label), map(str, self.classes))}")
        return self.classes.index(label)

    def at(self, places: Any) -> ClassifiedRows:
        """Some of the rows, by their places or by a mask."""
        return replace(
            self,
            truth=self.truth[places],
            predicted=self.predicted[places],
            probabilities=self.probabilities[places],
        )


def classified_rows(
    truth: ArrayLike, probabilities: pd.DataFrame, predicted: ArrayLike | None = None
) -> ClassifiedRows:
    """The rows with labels `truth`, for which a model gives `probabilities` and predicts `predicted`.

    `probabilities` has a column for each class, named by its label (`Model.probabilities`). Without `predicted` a
    row's class is the most probable one. Raises BadDataError for a row without a label, for other numbers of rows,
    and for fewer than two classes.

    >>> import pandas as pd
    >>> rows = classified_rows(["no", "yes"], pd.DataFrame({"no": [0.9, 0.6], "yes": [0.1, 0.4]}))
    >>> rows.truth.tolist(), rows.predicted.tolist()
    ([0, 1], [0, 0])
    """
    held = _labels(truth, "true class")
    shares = np.asarray(probabilities, dtype=np.float64)
    if len(shares) != len(held):
        raise BadDataError(f"there are {len(held)} true classes, and probabilities of {len(shares)} rows")
    own = list(probabilities.columns)
    said = [] if predicted is None else _labels(predicted, "predicted class")
    classes = list(dict.fromkeys([*own, *held, *said]))
    if len(classes) < 2:
        raise BadDataError(f"a classification has two classes or more, got {classes}")
    places = {label: place for place, label in enumerate(classes)}
    # a class that the model never saw has the probability 0
    shares = np.hstack([shares, np.zeros((len(shares), len(classes) - len(own)))])
    return ClassifiedRows(
        classes=tuple(classes),
        known=len(own),
        truth=np.array([places[label] for label in held], dtype=np.int64),
        predicted=shares.argmax(axis=1)
        if predicted is None
        else np.array([places[label] for label in said], dtype=np.int64),
        probabilities=shares,
    )


def classified_by(model: Model, rows: pd.DataFrame) -> ClassifiedRows:
    """The rows of a table that holds the model's target, as the model classifies them.

    Raises what `Model.probabilities` and `classified_rows` raise, and BadDataError for rows without the target.
    """
    if isinstance(model.target, list):
        raise BadDataError(f"the model predicts {', '.join(model.target)}: classes of one target are measured")
    if model.target not in rows:
        raise BadDataError(f"the rows have no column {model.target!r}, which the model predicts")
    # some estimators refuse a column that they did not learn from; one that is missing the model itself names
    inputs = rows[[name for name in model.example.columns if name in rows]]
    return classified_rows(rows[model.target], model.probabilities(inputs), model.predict(inputs))


def share_baseline(labels: ArrayLike, truth: ArrayLike, classes: Sequence[Any] = ()) -> ClassifiedRows:
    """The baseline: each row has the class shares of the training rows' `labels` for its probabilities.

    `classes` gives the order; without it labels are in the order of their text.

    >>> share_baseline(["a", "a", "a", "b"], ["b"]).probabilities.tolist()
    [[0.75, 0.25]]
    """
    import pandas as pd

    held, known = _labels(labels, "class of a training row"), _labels(truth, "true class")
    order = list(dict.fromkeys([*classes, *sorted(set(held), key=str)]))
    shares = [held.count(label) / len(held) for label in order]
    return classified_rows(known, pd.DataFrame([shares] * len(known), columns=order, dtype=np.float64))


def _labels(values: ArrayLike, what: str) -> list[Any]:
    """The labels as Python's own values. Raises BadDataError where one is missing."""
    import pandas as pd

    found: list[Any] = pd.Series(values).astype(object).tolist()
    missing = sum(1 for each in found if pd.isna(each))
    if missing:
        raise BadDataError(f"{missing} of {len(found)} rows have no {what}; leave them out")
    return [each.item() if isinstance(each, np.generic) else each for each in found]
