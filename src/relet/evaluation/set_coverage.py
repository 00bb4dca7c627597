"""The coverage of prediction sets and their size: over all rows, and for each class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from relet.core.artifact import Check
from relet.evaluation.classified import ClassifiedRows
from relet.evaluation.coverage import SMALLEST, MeasuredCoverage
from relet.report.wording import number, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from relet.training.prediction_sets import PredictionSets


@dataclass(frozen=True, kw_only=True)
class SetCoverage(MeasuredCoverage):
    """The coverage of prediction sets on some rows.

    `size` is the mean number of labels in a set, `single` the share of rows with one label.
    """

    size: float
    single: float

    @property
    def metrics(self) -> dict[str, float]:
        return {"coverage": self.share, "set_size": self.size}

    def __str__(self) -> str:
        return f"{share(self.share)} inside, {number(round(self.size, 2))} labels"


def set_members(sets: PredictionSets, rows: ClassifiedRows, coverage: float) -> NDArray[np.bool_]:
    """Whether each class is in each row's set; a class that the model does not know is in none.

    Raises what `PredictionSets.threshold` raises.
    """
    known = sets.members(rows.probabilities[:, : rows.known], coverage)
    return np.hstack([known, np.zeros((len(rows), len(rows.classes) - rows.known), dtype=bool)])


def set_coverage(rows: ClassifiedRows, members: NDArray[np.bool_], group: str = "") -> SetCoverage:
    """The coverage on all rows. There has to be at least one row.

    >>> import pandas as pd
    >>> from relet.evaluation.classified import classified_rows
    >>> rows = classified_rows(["no", "yes"], pd.DataFrame({"no": [0.9, 0.6], "yes": [0.1, 0.4]}))
    >>> str(set_coverage(rows, np.array([[True, False], [True, True]])))
    '100% inside, 1.5 labels'
    """
    sizes = members.sum(axis=1)
    return SetCoverage(
        share=float(members[np.arange(len(rows)), rows.truth].mean()),
        size=float(sizes.mean()),
        single=float((sizes == 1).mean()),
        rows=len(rows),
        group=group,
    )


def set_coverage_by_class(rows: ClassifiedRows, members: NDArray[np.bool_]) -> Iterator[SetCoverage]:
    """The coverage of each class that at least 30 rows have."""
    for place, label in enumerate(rows.classes):
        inside = rows.truth == place
        if inside.sum() >= SMALLEST:
            yield set_coverage(rows.at(inside), members[inside], str(label))


def set_coverage_check(found: SetCoverage, min_coverage: float) -> Check:
    """Passes where the share of rows whose set has the true label reaches `min_coverage`."""
    message = f"prediction sets: {found}; at least {min_coverage:.0%} inside is asked for"
    return Check(
        name="coverage",
        passed=found.share >= min_coverage,
        message=message,
        measured={**found.metrics, "single": found.single, "rows": found.rows},
    )
