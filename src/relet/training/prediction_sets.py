"""Conformal prediction sets: labels among which the true one is as often as was asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relet.errors import ModelError, SettingError
from relet.training.conformal import KEPT, checked_coverage, evenly_spread_places, kept_ranks, wrong_scores

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

# Scores are rounded up to so many steps between 0 and 1, so that another processor's last bits change no model.
STEPS = 10**6
# Far below a step, and far above the last bit of a probability.
_LAST_BITS = 1e-9


@dataclass(frozen=True, kw_only=True)
class PredictionSets:
    """The data that a classifier needs to give prediction sets.

    A row's score is 1 − the probability that the model gave its true class. `scores` are the sorted scores of
    `size` held-out rows, at most `KEPT` of them.
    """

    scores: tuple[float, ...]
    size: int

    def threshold(self, coverage: float) -> float:
        """The score that a new row's true class exceeds with at most the probability 1 − `coverage`.

        Among n + 1 exchangeable rows the new row's score has each rank with the same probability: it is at most
        the k-th smallest of n scores with at least the probability k ÷ (n + 1) (Vovk, Gammerman, Shafer:
        Algorithmic Learning in a Random World, 2005). Raises SettingError for a coverage below 0.5 or above 0.99,
        or one that too few rows were held out for.
        """
        coverage = checked_coverage(coverage)
        rank = math.ceil((self.size + 1) * coverage - 1e-9)
        if rank > self.size:
            needed = math.ceil(coverage / (1 - coverage) - 1e-9)
            raise SettingError(
                f"a set of {coverage:.0%} needs at least {needed} rows that were held out from training, the "
                f"model has {self.size}; train it with a larger val_size, or ask for less coverage"
            )
        # rounded up where not every rank was kept
        ranks = kept_ranks(self.size, len(self.scores))
        return self.scores[min(place for place, kept in enumerate(ranks) if kept >= rank)]

    def thresholds(self, coverages: Sequence[float]) -> dict[float, float]:
        """The threshold of each coverage that enough rows were held out for."""
        found = {}
        for coverage in coverages:
            with suppress(SettingError):
                found[coverage] = self.threshold(coverage)
        return found

    def members(self, probabilities: NDArray[np.float64], coverage: float) -> NDArray[np.bool_]:
        """Whether each class is in each row's set; `probabilities` have a row and a column for each.

        A class is in the set where its score would not exceed the threshold (Sadinle, Lei, Wasserman: Least
        Ambiguous Set-Valued Classifiers, JASA 114, 2019); the most probable class always is, which only adds to
        the coverage. Raises what `threshold` raises.

        >>> import numpy as np
        >>> held = PredictionSets(scores=tuple(place / 100 for place in range(1, 100)), size=99)
        >>> held.members(np.array([[0.7, 0.2, 0.1], [0.05, 0.05, 0.9]]), 0.8).tolist()
        [[True, True, False], [False, False, True]]
        """
        import numpy as np

        shares = np.asarray(probabilities, dtype=np.float64)
        found = 1 - shares <= self.threshold(coverage) + _LAST_BITS
        found[np.arange(len(shares)), shares.argmax(axis=1)] = True
        return found

    def to_json(self) -> dict[str, Any]:
        return {"scores": list(self.scores), "size": self.size}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> PredictionSets:
        """Read the output of `to_json`. Raises ModelError for anything else."""
        try:
            if not isinstance(stored["scores"], list):
                raise TypeError(f"a list was expected, got {stored['scores']!r:.40}")
            found = cls(scores=tuple(map(float, stored["scores"])), size=stored["size"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ModelError(f"the prediction sets can't be read: {type(error).__name__}: {error}") from error
        wrong = wrong_scores(found.scores, found.size)
        if not wrong and len(found.scores) != min(found.size, KEPT):
            wrong = f"{len(found.scores)} scores of {found.size} rows"
        if not wrong and not (found.scores[0] >= 0 and found.scores[-1] <= 1):
            wrong = f"scores from {found.scores[0]:g} to {found.scores[-1]:g}"
        if wrong:
            raise ModelError(f"the prediction sets can't be read: {wrong}")
        return found


def calibrated_sets(truth: ArrayLike, probabilities: pd.DataFrame) -> PredictionSets:
    """Calibrate prediction sets on held-out rows: `truth` are their labels, as they stand in the rows.

    `probabilities` has a column for each class, named by its label (`Model.probabilities`), from a model that
    learned nothing from these rows. A label that the model does not know counts as missed. Sets of a model that is
    fitted again on these rows too cover about as much, without a proof. Raises SettingError where no row was held
    out, or one has no label.

    >>> import pandas as pd
    >>> held_out = pd.DataFrame({"no": [0.9, 0.3], "yes": [0.1, 0.7]})
    >>> calibrated_sets(["no", "no"], held_out).scores
    (0.1, 0.7)
    """
    import numpy as np
    import pandas as pd

    labels: Sequence[Any] = pd.Series(truth).astype(object).tolist()
    if not labels or len(labels) != len(probabilities):
        raise SettingError(
            f"prediction sets need rows that were held out from training, got {len(labels)} labels and "
            f"{len(probabilities)} rows of probabilities; set val_size above 0"
        )
    if any(pd.isna(each) for each in labels):
        raise SettingError("prediction sets need a label for each row that was held out: leave out the others")
    places = {label: place for place, label in enumerate(probabilities.columns)}
    shares = np.asarray(probabilities, dtype=np.float64)
    given = np.array([shares[row, places[each]] if each in places else 0.0 for row, each in enumerate(labels)])
    scores = np.clip(np.ceil(np.sort(1 - given) * STEPS - _LAST_BITS) / STEPS, 0.0, 1.0)
    return PredictionSets(scores=tuple(scores[evenly_spread_places(len(scores), KEPT)].tolist()), size=len(scores))
