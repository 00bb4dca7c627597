"""The importance of each setting of a sweep or search for the result of its trials."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# With fewer trials a forest would find patterns in noise.
FEWEST = 8
TREES, REPEATS, SEED = 100, 10, 0


@dataclass(frozen=True, kw_only=True)
class Importance:
    """Each setting's share of all importance, the largest first.

    The shares sum to 1, or are all 0. `explained` is the R2 of the forest on the trials that each tree did not
    see; near 0 or below, the shares mean nothing.
    """

    shares: Mapping[str, float]
    explained: float
    trials: int


def importance(settings: Mapping[str, Sequence[Any]], result: Sequence[float | None]) -> Importance | None:
    """Permutation importance of settings in a forest of trials; None where fewer than `FEWEST` have a result.

    `settings` maps each setting to one value per trial (None where a trial lacks it); `result` has each trial's
    result. The importance of a setting is the loss of the forest's R2 when the setting's values are shuffled among
    the trials, at least 0 (L. Breiman, Random Forests, Machine Learning 45, 2001). It does not depend on the order
    of the trials. Two settings that vary together share their importance.

    >>> trials = list(range(8))
    >>> found = importance({"a": trials, "b": [1, 1, 2, 2, 1, 1, 2, 2]}, trials)
    >>> next(iter(found.shares))
    'a'
    >>> importance({"a": [1, 2]}, [1.0, 2.0]) is None
    True
    """
    rows = [place for place, value in enumerate(result) if value is not None and math.isfinite(value)]
    if len(rows) < FEWEST or not settings:
        return None
    import numpy as np
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    names = sorted(settings)
    columns = [_setting_as_numbers([settings[name][row] for row in rows]) for name in names]
    table = np.column_stack([*columns, [float(result[row] or 0.0) for row in rows]])
    # sorted, so that the order of the trials does not decide which of them a tree sees
    table = table[np.lexsort(table.T)]
    given, came = table[:, :-1], table[:, -1]
    forest = RandomForestRegressor(n_estimators=TREES, oob_score=True, random_state=SEED, n_jobs=1)
    forest.fit(given, came)
    found = permutation_importance(forest, given, came, n_repeats=REPEATS, random_state=SEED, n_jobs=1)
    lost = dict(zip(names, np.maximum(found.importances_mean, 0.0).tolist(), strict=True))
    whole = sum(lost.values())
    shares = {name: value / whole if whole else 0.0 for name, value in lost.items()}
    ordered = dict(sorted(shares.items(), key=lambda each: (-each[1], each[0])))
    return Importance(shares=ordered, explained=float(forest.oob_score_), trials=len(rows))


def _setting_as_numbers(values: Sequence[Any]) -> list[float]:
    """A setting as numbers: numbers as they are, other values by their rank.

    Missing stays missing; forests handle it.
    """
    if all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values):
        return [math.nan if value is None else float(value) for value in values]
    places = {text: float(place) for place, text in enumerate(sorted({str(v) for v in values if v is not None}))}
    return [math.nan if value is None else places[str(value)] for value in values]
