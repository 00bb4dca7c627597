"""Metrics of classification: how good labels and probabilities are, over all classes and for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from relet.core.artifact import Check
from relet.errors import BadDataError
from relet.evaluation.classified import ClassifiedRows
from relet.report.wording import share

if TYPE_CHECKING:
    import pandas as pd

# A group with fewer rows is too small to rely on.
SMALLEST_GROUP = 30


@dataclass(frozen=True, kw_only=True)
class ClassMeasures:
    """How well one class is found.

    `precision` is the share of the rows with this predicted class that have it, `recall` the share of the rows of
    this class that were predicted so, both 0 where there are no such rows; `f1` is their harmonic mean. So many
    `rows` have this class, and so many were `predicted` to have it.
    """

    label: Any
    precision: float
    recall: float
    f1: float
    rows: int
    predicted: int


def classification(rows: ClassifiedRows, *, positive: Any = None) -> dict[str, float]:
    """Log loss, Brier score, ROC AUC, average precision, F1, accuracy and balanced accuracy, as scikit-learn's.

    Of two classes the Brier score is the mean squared error of one probability, of more the sum over the classes.
    ROC AUC and average precision are those of `positive`, by default the second of two classes; of more classes
    the mean over those that occur, each against all others (NaN where only one class occurs). `f1_macro` is the
    mean over the classes that occur or are predicted; `balanced_accuracy` the mean recall of those that occur. A
    class that the model does not know has the probability 0, which log loss takes for the smallest number. Raises
    BadDataError where there are no rows, or no class `positive`.

    >>> import pandas as pd
    >>> from relet.evaluation.classified import classified_rows
    >>> shares = pd.DataFrame({"no": [0.9, 0.6, 0.2], "yes": [0.1, 0.4, 0.8]})
    >>> found = classification(classified_rows(["no", "yes", "yes"], shares))
    >>> round(found["log_loss"], 3), found["roc_auc"], round(found["accuracy"], 3)
    (0.415, 1.0, 0.667)
    """
    from sklearn.metrics import accuracy_score, f1_score, log_loss, recall_score

    if not len(rows):
        raise BadDataError("a classification is measured on one row or more, got none")
    truth, predicted = rows.truth, rows.predicted
    squared = np.sum((rows.probabilities - np.eye(len(rows.classes))[truth]) ** 2, axis=1).mean()
    found = {
        "log_loss": log_loss(truth, rows.probabilities, labels=np.arange(len(rows.classes))),
        "brier": squared / 2 if rows.known == 2 else squared,
        **_ranking(rows, positive),
        "f1_macro": f1_score(truth, predicted, average="macro", zero_division=0),
        "accuracy": accuracy_score(truth, predicted),
        # scikit-learn's own balanced accuracy warns of a predicted class that does not occur
        "balanced_accuracy": recall_score(
            truth, predicted, labels=np.unique(truth), average="macro", zero_division=0
        ),
    }
    return {name: float(value) for name, value in found.items()}


def _ranking(rows: ClassifiedRows, positive: Any) -> dict[str, float]:
    """How well the probabilities order the rows."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    occurring = np.unique(rows.truth)
    if len(occurring) < 2:
        return {"roc_auc": float("nan"), "average_precision": float("nan")}
    if positive is not None:
        occurring = np.array([rows.place_of(positive)])
    elif len(rows.classes) == 2:
        occurring = occurring[1:]
    each = [(rows.truth == place, rows.probabilities[:, place]) for place in occurring]
    if not all(0 < of.sum() < len(of) for of, _ in each):
        return {"roc_auc": float("nan"), "average_precision": float("nan")}
    return {
        "roc_auc": float(np.mean([roc_auc_score(of, shares) for of, shares in each])),
        "average_precision": float(np.mean([average_precision_score(of, shares) for of, shares in each])),
    }


def measures_by_class(rows: ClassifiedRows) -> tuple[ClassMeasures, ...]:
    """Precision, recall and F1 of each class, in the order of the classes."""
    from sklearn.metrics import precision_recall_fscore_support

    places = np.arange(len(rows.classes))
    precision, recall, f1, count = precision_recall_fscore_support(
        rows.truth, rows.predicted, labels=places, zero_division=0
    )
    predicted = np.bincount(rows.predicted, minlength=len(places))
    return tuple(
        ClassMeasures(
            label=label,
            precision=float(precision[place]),
            recall=float(recall[place]),
            f1=float(f1[place]),
            rows=int(count[place]),
            predicted=int(predicted[place]),
        )
        for place, label in enumerate(rows.classes)
    )


def confusion(rows: ClassifiedRows) -> list[list[int]]:
    """How many rows of each true class were predicted to be of each class: a list for each true class.

    >>> import pandas as pd
    >>> from relet.evaluation.classified import classified_rows
    >>> shares = pd.DataFrame({"no": [0.9, 0.6, 0.2], "yes": [0.1, 0.4, 0.8]})
    >>> confusion(classified_rows(["no", "yes", "yes"], shares))
    [[1, 0], [1, 1]]
    """
    size = len(rows.classes)
    counts = np.bincount(rows.truth * size + rows.predicted, minlength=size * size).reshape(size, size)
    return [[int(each) for each in row] for row in counts]


def class_checks(rows: ClassifiedRows, target: str) -> Iterator[Check]:
    """The measures of each class, as checks that always pass: they only inform."""
    for each in measures_by_class(rows):
        right = f"{share(each.precision)} of {each.predicted:,} predicted rows right"
        message = f"F1 {each.f1:.3f}: {share(each.recall)} of {each.rows:,} rows found, {right}"
        measured = {"precision": each.precision, "recall": each.recall, "f1": each.f1, "rows": each.rows}
        yield Check(name=f"{target} = {each.label}", passed=True, message=message, measured=measured)


def class_slice_checks(rows: ClassifiedRows, groups: pd.DataFrame) -> Iterator[Check]:
    """The metrics of each value, of each column of `groups`, that at least 30 rows have: checks that only inform.

    `groups` has one row for each of `rows`, in their order.
    """
    for column in groups.columns:
        grouped = groups.groupby(column, observed=True)
        for value in grouped.size().index:
            places = grouped.indices[value]
            if len(places) >= SMALLEST_GROUP:
                found = classification(rows.at(places))
                said = f"accuracy {found['accuracy']:.3f}, log loss {found['log_loss']:.3f}"
                yield Check(
                    name=f"{column} = {value}",
                    passed=True,
                    message=f"{said} on {len(places):,} rows",
                    measured={**{name: each for name, each in found.items() if each == each}, "rows": len(places)},
                )
