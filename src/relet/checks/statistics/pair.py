"""The tallies of a sample and its reference, over the values that either of them has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from relet.checks.statistics.tally import tally
from relet.data.tally import Tally
from relet.errors import BadDataError, SettingError, nearest

if TYPE_CHECKING:
    from relet.checks.statistics.tally import Array

Alternative = Literal["two-sided", "less", "greater"]

# Up to so many values per side SciPy's functions get the values themselves and may compute exact p-values.
VALUES_A_SIDE = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class TallyPair:
    """How often each value occurs in the sample and in the reference; `column` is what the values are called."""

    column: str
    values: Array
    sample: Array
    reference: Array
    missing: tuple[int, int]

    @property
    def sizes(self) -> tuple[int, int]:
        """How many rows of each side have a value."""
        return int(self.sample.sum()), int(self.reference.sum())

    @property
    def effective(self) -> float:
        """n·m / (n + m): so many rows of one sample would say as much about a known law."""
        return effective_size(self.sizes)

    @property
    def is_small(self) -> bool:
        return max(self.sizes) <= VALUES_A_SIDE

    def rows(self) -> tuple[Array, Array]:
        """The values of each side themselves."""
        import numpy as np

        return np.repeat(self.values, self.sample), np.repeat(self.values, self.reference)


def effective_size(sizes: tuple[int, int]) -> float:
    """n·m / (n + m).

    >>> effective_size((20_000, 20_000))
    10000.0
    """
    n, m = sizes
    return n * m / (n + m)


def number_pair(test: str, sample: Any, reference: Any) -> TallyPair:
    """Pair two columns of numbers. Raises BadDataError for text, infinity, or a side without values."""
    import numpy as np

    pair = value_pair(test, sample, reference)
    if pair.values.dtype == object:
        raise BadDataError(
            f"{test} compares numbers, and {pair.column} holds text such as {pair.values[0]!r}; "
            "categories are compared by chi_square"
        )
    if not np.isfinite(pair.values).all():
        raise BadDataError(f"{test}: {pair.column} holds an infinite value; leave it out before the test")
    return pair


def value_pair(test: str, sample: Any, reference: Any) -> TallyPair:
    """Pair two columns of any values.

    Raises BadDataError for a side without values, and for text beside numbers.
    """
    import numpy as np

    ours, theirs = tally(sample), tally(reference)
    column = ours.name or theirs.name or "the column"
    for side, counted in (("sample", ours), ("reference", theirs)):
        if not counted.size:
            rows = f"all of its {counted.missing:,} values are missing" if counted.missing else "it has no rows"
            raise BadDataError(f"{test}: {column} has no value in the {side}: {rows}")
    if ours.is_text != theirs.is_text:
        text, other = ("sample", "reference") if ours.is_text else ("reference", "sample")
        raise BadDataError(f"{test}: {column} is text in the {text} and numbers in the {other}")
    found = np.union1d(ours.values, theirs.values)
    return TallyPair(
        column=column,
        values=found,
        sample=_counts_at(ours, found),
        reference=_counts_at(theirs, found),
        missing=(ours.missing, theirs.missing),
    )


def _counts_at(counted: Tally, found: Array) -> Array:
    import numpy as np

    counts = np.zeros(len(found), dtype=np.int64)
    counts[np.searchsorted(found, counted.values)] = counted.counts
    return counts


def check_arguments(test: str, alternative: str, alpha: float, *, only: str = "") -> None:
    """Raise SettingError for an unknown alternative, and for one that the test does not have (`only` says why)."""
    if alternative not in get_args(Alternative):
        raise SettingError(
            f"{test}: alternative={alternative!r}: {nearest(str(alternative), get_args(Alternative))}"
        )
    if only and alternative != "two-sided":
        raise SettingError(f"{test} has no alternative={alternative!r}: {only}; leave it two-sided")
    check_alpha(test, alpha)


def check_alpha(where: str, alpha: float) -> None:
    if not 0 < alpha < 1:
        raise SettingError(f"{where}: alpha must lie between 0 and 1, got {alpha:g}; 0.05 is usual")
