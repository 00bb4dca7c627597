"""Conformal intervals around estimates, calibrated on held-out rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relet.errors import ModelError, SettingError
from relet.training.conformal import KEPT, checked_coverage, evenly_spread_places, kept_ranks, wrong_scores

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

# The share of misses that lie below an interval. Prices err further upward than downward, so intervals get shorter
# when more misses lie above. On validation rows 0.2 gave the shortest intervals; 0.3 makes them a dollar longer
# and misses expensive listings less often.
BELOW = 0.3
# A group's width is shrunk towards the width of all rows, as if so many more rows had it: for training rows, and
# for held-out rows, whose errors give the scores. Both were chosen on separate rows of the training part.
PRIOR, HELD_OUT_PRIOR = 30, 200
# A model fits the training rows of small groups more closely: in a group with a tenth of the rows the training
# errors are 1 − 10^−0.08, or 17%, too small. Estimated on the same rows.
BY_HEART = 0.08
# At most so many training rows of each group are used, evenly spaced, since their estimates take time.
SAMPLED = 500
# The least and the largest width of a group, relative to all rows. A ratio of errors close to 0 means nothing, and
# a width of 0 has no scores.
NARROWEST, WIDEST = 0.05, 20.0
# The coverage at whose interval ends the group widths are compared.
TAIL = 0.9
# e to the power of this is near the limit of doubles, and far beyond any range.
_FAR = 700.0


@dataclass(frozen=True, kw_only=True)
class Interval:
    """The data that a model needs to give intervals.

    A row's score is log(truth ÷ estimate) ÷ the width of its group. `scores` are the sorted scores of `size`
    held-out rows, at most `KEPT` of them. `widths` maps a group, given by its values in the columns `by`, to its
    width; a group without an entry has the width 1. Everything is clipped to `low` and `high`.
    """

    by: tuple[str, ...]
    widths: Mapping[tuple[str | None, ...], float]
    scores: tuple[float, ...]
    size: int
    low: float
    high: float

    def bounds(
        self, rows: pd.DataFrame, estimates: NDArray[np.float64], coverage: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Lower bounds, estimates within `low` and `high`, and upper bounds, one for each row.

        Raises SettingError for a coverage below 0.5 or above 0.99, or one that too few rows were held out for.
        """
        import numpy as np

        down, up = self.ends(coverage)
        groups = _groups_of_rows(rows, self.by)
        # math.exp, not numpy's: numpy takes another routine on another CPU, and the last bit may differ
        times = {
            group: tuple(math.exp(min(max(end * width, -_FAR), _FAR)) for end in (down, up))
            for group in set(groups)
            for width in (self.widths.get(group, 1.0),)
        }
        factors = np.array([times[group] for group in groups], dtype=np.float64).reshape(-1, 2)
        within = np.clip(estimates, self.low, self.high)
        lower = np.clip(within * factors[:, 0], self.low, within)
        return lower, within, np.clip(within * factors[:, 1], within, self.high)

    def ends(self, coverage: float) -> tuple[float, float]:
        """The two scores between which a new row's score lies with at least this probability.

        Among n + 1 exchangeable rows the new row's score has each rank with the same probability (Vovk, Gammerman,
        Shafer: Algorithmic Learning in a Random World, 2005): it lies below the k-th smallest of n scores with a
        probability of at most k ÷ (n + 1), and above accordingly.
        """
        coverage = checked_coverage(coverage)
        missed = 1 - coverage
        first = math.floor((self.size + 1) * missed * BELOW + 1e-9)
        last = math.ceil((self.size + 1) * (1 - missed * (1 - BELOW)) - 1e-9)
        if first < 1 or last > self.size:
            needed = math.ceil(1 / (missed * BELOW) - 1e-9) - 1
            raise SettingError(
                f"an interval of {coverage:.0%} needs at least {needed} rows that were held out from training, "
                f"the model has {self.size}; train it with a larger val_size, or ask for less coverage"
            )
        # rounded outward where not every rank was kept
        ranks = kept_ranks(self.size, len(self.scores))
        below = max(place for place, rank in enumerate(ranks) if rank <= first)
        above = min(place for place, rank in enumerate(ranks) if rank >= last)
        return self.scores[below], self.scores[above]

    def to_json(self) -> dict[str, Any]:
        widths = [[list(group), width] for group, width in sorted(self.widths.items(), key=repr)]
        return {
            "by": list(self.by),
            "widths": widths,
            "scores": list(self.scores),
            "size": self.size,
            "low": self.low,
            "high": self.high,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Interval:
        """Read the output of `to_json`. Raises ModelError for anything else."""
        try:
            found = cls(
                by=tuple(_stored_text(name) for name in _stored_list(stored["by"])),
                widths={
                    tuple(None if value is None else _stored_text(value) for value in _stored_list(group)): float(
                        width
                    )
                    for group, width in stored["widths"]
                },
                scores=tuple(map(float, stored["scores"])),
                size=stored["size"],
                low=float(stored["low"]),
                high=float(stored["high"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ModelError(f"the interval can't be read: {type(error).__name__}: {error}") from error
        if wrong := found._wrong():
            raise ModelError(f"the interval can't be read: {wrong}")
        return found

    def _wrong(self) -> str:
        """What is impossible in stored intervals; empty where all is well."""
        if wrong := wrong_scores(self.scores, self.size):
            return wrong
        if not 0 < self.low < self.high < math.inf:
            return f"a range from {self.low:g} to {self.high:g}"
        for group, width in self.widths.items():
            if len(group) != len(self.by) or not 0 < width < math.inf:
                return f"the group {group!r} has the width {width:g}"
        return ""


def calibrate(
    predict: Callable[[pd.DataFrame], NDArray[np.float64]],
    learned: pd.DataFrame,
    held_out: pd.DataFrame,
    *,
    estimates: NDArray[np.float64],
    target: str,
    by: Sequence[str],
    low: float,
    high: float,
) -> Interval:
    """Calibrate a model's intervals by its errors on training rows and on held-out rows.

    The relative widths of groups, given by the text columns `by`, come from the training rows, which are many.
    Training errors are too small, but equally so in all groups, and a little more so in small ones. Where a group
    has many held-out rows, their errors correct its width. The absolute width comes from the held-out rows alone,
    so that the coverage holds whatever the training rows say. The correction costs about four tenths of a per cent
    of coverage, since it learns one number per group from hundreds of rows. `estimates` are those of the held-out
    rows, `low` and `high` the target's range. Raises SettingError where the range does not lie above zero, or no
    row was held out.

    >>> import numpy as np, pandas as pd
    >>> rows = pd.DataFrame({"room": ["whole", "shared"] * 50, "price": np.linspace(80.0, 130.0, 100)})
    >>> def hundred(rows):
    ...     return np.full(len(rows), 100.0)
    >>> found = calibrate(
    ...     hundred, rows, rows, estimates=hundred(rows), target="price", by=["room"], low=10, high=350
    ... )
    >>> [round(float(each[0])) for each in found.bounds(rows[:1], np.array([200.0]), 0.9)]
    [162, 200, 254]
    """
    import numpy as np

    if not 0 < low < high:
        raise SettingError(
            f"intervals are ratios to the estimate: they need a range above 0, got {low:g} to {high:g}"
        )
    if not len(held_out):
        raise SettingError("intervals need rows that were held out from training, got none; set val_size above 0")
    widths = _group_widths(predict, learned, target, by, low, high)
    groups = _groups_of_rows(held_out, by)
    errors = _log_errors(held_out[target].to_numpy(), estimates, low, high)
    widths = _corrected_widths(widths, groups, np.abs(errors))
    scores = np.sort(errors / _widths_of_rows(widths, groups)).round(6)
    return Interval(
        by=tuple(by),
        widths=widths,
        scores=tuple(scores[evenly_spread_places(len(scores), KEPT)].tolist()),
        size=len(scores),
        low=float(low),
        high=float(high),
    )


def _group_widths(
    predict: Callable[[pd.DataFrame], NDArray[np.float64]],
    learned: pd.DataFrame,
    target: str,
    by: Sequence[str],
    low: float,
    high: float,
) -> dict[tuple[str | None, ...], float]:
    """How far a group's errors reach relative to all rows, shrunk towards 1 where the group has few rows."""
    import numpy as np

    groups = _places_by_group(_groups_of_rows(learned, by))
    chosen = {group: places[evenly_spread_places(len(places), SAMPLED)] for group, places in groups.items()}
    rows = learned.iloc[np.concatenate(list(chosen.values()))]
    errors = np.abs(_log_errors(rows[target].to_numpy(), predict(rows), low, high))
    everywhere = float(np.quantile(errors, TAIL))
    usual = sum(len(places) * math.log(len(places)) for places in groups.values()) / len(learned)
    found, start = {}, 0
    for group, places in chosen.items():
        own = errors[start : start + len(places)]
        start += len(places)
        ratio = _reach_ratio(own, everywhere)
        # a group that the model fits exactly says nothing about its width
        share = len(places) / (len(places) + PRIOR) if ratio > 0 else 0.0
        known = BY_HEART * (usual - math.log(len(groups[group])))
        found[group] = round(math.exp(share * math.log(ratio or 1.0) + known), 6)
    return found


def _corrected_widths(
    widths: Mapping[tuple[str | None, ...], float],
    groups: Sequence[tuple[str | None, ...]],
    errors: NDArray[np.float64],
) -> dict[tuple[str | None, ...], float]:
    """The widths, each multiplied by how far the group's held-out errors reach beyond it, shrunk towards 1."""
    import numpy as np

    reached = errors / _widths_of_rows(widths, groups)
    everywhere = float(np.quantile(reached, TAIL))
    found = dict(widths)
    for group, places in _places_by_group(groups).items():
        ratio = _reach_ratio(reached[places], everywhere)
        share = len(places) / (len(places) + HELD_OUT_PRIOR) if ratio > 0 else 0.0
        found[group] = round(widths.get(group, 1.0) * math.exp(share * math.log(ratio or 1.0)), 6)
    return found


def _reach_ratio(own: NDArray[np.float64], everywhere: float) -> float:
    """How far a group's errors reach relative to `everywhere`. 0 where either says nothing."""
    import numpy as np

    reach = float(np.quantile(own, TAIL))
    return min(max(reach / everywhere, NARROWEST), WIDEST) if reach > 0 and everywhere > 0 else 0.0


def _widths_of_rows(
    widths: Mapping[tuple[str | None, ...], float], groups: Sequence[tuple[str | None, ...]]
) -> NDArray[np.float64]:
    import numpy as np

    return np.array([widths.get(group, 1.0) for group in groups], dtype=np.float64)


def _log_errors(
    truth: NDArray[np.float64], estimates: NDArray[np.float64], low: float, high: float
) -> NDArray[np.float64]:
    """The logarithms of truth ÷ estimate, both clipped to the range."""
    import numpy as np

    within = np.clip(np.asarray(estimates, dtype=np.float64), low, high)
    return np.asarray(np.log(np.clip(np.asarray(truth, dtype=np.float64), low, high) / within))


def _groups_of_rows(rows: pd.DataFrame, by: Sequence[str]) -> list[tuple[str | None, ...]]:
    """The group of each row."""
    from relet.features.columns import texts

    if not by:
        return [()] * len(rows)
    return list(zip(*(texts(rows, name).to_pylist() for name in by), strict=True))


def _places_by_group(groups: Sequence[tuple[str | None, ...]]) -> dict[tuple[str | None, ...], NDArray[np.int64]]:
    """The positions of each group's rows, in the order of the rows."""
    import numpy as np

    found: dict[tuple[str | None, ...], list[int]] = {}
    for place, group in enumerate(groups):
        found.setdefault(group, []).append(place)
    return {group: np.asarray(places, dtype=np.int64) for group, places in found.items()}


def _stored_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text was expected, got {value!r}")
    return value


def _stored_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, got {value!r}")
    return value
