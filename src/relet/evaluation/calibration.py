"""Calibration of probabilities: whether as many rows are right as the model says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from relet.errors import BadDataError
from relet.evaluation.classified import ClassifiedRows

BINS = 10


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Rows with a probability from `low` to `high`: its mean, the share that was right, and how many rows."""

    low: float
    high: float
    probability: float
    share: float
    rows: int


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """The reliability of probabilities, by bins of equal width that hold rows; `of` names the probability.

    `error` is the expected calibration error: the mean distance between a bin's mean probability and its share,
    weighted by its rows (Naeini, Cooper, Hauskrecht: Obtaining Well Calibrated Probabilities Using Bayesian
    Binning, AAAI 2015). A small share of it is chance, the more the fewer the rows are.
    """

    bins: tuple[ReliabilityBin, ...]
    error: float
    of: str


def reliability(rows: ClassifiedRows, *, bins: int = BINS, positive: Any = None) -> Reliability:
    """The reliability table of a classifier.

    Of two classes it is about the probability of `positive`, by default the second one; of more classes about the
    probability of the most probable class, which is right where it is the true one (Guo et al.: On Calibration of
    Modern Neural Networks, ICML 2017). Raises BadDataError where there are no rows, or no class `positive`.

    >>> import pandas as pd
    >>> from relet.evaluation.classified import classified_rows
    >>> shares = pd.DataFrame({"no": [0.8, 0.8, 0.25], "yes": [0.2, 0.2, 0.75]})
    >>> found = reliability(classified_rows(["no", "yes", "yes"], shares))
    >>> [(each.low, each.probability, each.share, each.rows) for each in found.bins]
    [(0.2, 0.2, 0.5, 2), (0.7, 0.75, 1.0, 1)]
    """
    if not len(rows):
        raise BadDataError("calibration is measured on one row or more, got none")
    if positive is None and rows.known != 2:
        said, right, of = _most_probable(rows)
    else:
        label = rows.classes[1] if positive is None else positive
        place = rows.place_of(label)
        said, right, of = rows.probabilities[:, place], rows.truth == place, f"of {label}"
    # a probability on the border of two bins belongs to the upper one, 1 to the last
    numbers = np.clip(np.floor(said * bins + 1e-9).astype(np.int64), 0, bins - 1)
    held = [(number, numbers == number) for number in range(bins) if (numbers == number).any()]
    found = tuple(
        ReliabilityBin(
            low=number / bins,
            high=(number + 1) / bins,
            probability=float(said[inside].mean()),
            share=float(right[inside].mean()),
            rows=int(inside.sum()),
        )
        for number, inside in held
    )
    return Reliability(bins=found, error=calibration_error(found), of=of)


def _most_probable(rows: ClassifiedRows) -> tuple[Any, Any, str]:
    best = rows.probabilities.argmax(axis=1)
    return rows.probabilities.max(axis=1), rows.truth == best, "of the most probable class"


def calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """The expected calibration error of bins, from 0 to 1."""
    whole = sum(each.rows for each in bins)
    return sum(each.rows * abs(each.probability - each.share) for each in bins) / whole
