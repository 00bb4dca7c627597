"""The coverage of intervals and their width: over all rows, and in each group."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relet.report.wording import number, share

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

# With fewer rows a group's coverage is mostly chance.
SMALLEST = 30
# A shortfall of less than this is not mentioned.
LEEWAY = 0.02
# The normal distribution's 97.5th percentile: ranges hold in 95% of cases.
_Z = 1.959964


@dataclass(frozen=True, kw_only=True)
class MeasuredCoverage:
    """The coverage of intervals or sets on some rows: `share` is the share of true values inside.

    `group` names the rows; empty means all.
    """

    share: float
    rows: int
    group: str = ""

    @property
    def range(self) -> tuple[float, float]:
        """The 95% confidence range of the share (`wilson_range`)."""
        return wilson_range(self.share, self.rows)

    def is_weak(self, coverage: float) -> bool:
        """Whether the share is below the coverage by more than chance explains, and by more than two per cent of
        all rows.
        """
        return self.range[1] < coverage and self.share < coverage - LEEWAY


@dataclass(frozen=True, kw_only=True)
class IntervalCoverage(MeasuredCoverage):
    """The coverage of intervals on some rows; `width` is the mean width in the target's unit."""

    width: float

    def __str__(self) -> str:
        return f"{share(self.share)} inside, {number(round(self.width, 1))} wide"


def wilson_range(share: float, rows: int) -> tuple[float, float]:
    """The 95% confidence range of a share of rows: Wilson's score interval.

    E. B. Wilson, Journal of the American Statistical Association 22, 1927.

    >>> low, high = wilson_range(0.9, 100)
    >>> round(low, 3), round(high, 3)
    (0.826, 0.945)
    """
    grown = _Z * _Z / rows
    middle = (share + grown / 2) / (1 + grown)
    half = _Z * math.sqrt(share * (1 - share) / rows + grown / 4 / rows) / (1 + grown)
    return middle - half, middle + half


def interval_coverage(
    truth: NDArray[np.float64], lower: NDArray[np.float64], upper: NDArray[np.float64], group: str = ""
) -> IntervalCoverage:
    """The share of true values within their bounds, bounds included. There has to be at least one row.

    >>> import numpy as np
    >>> str(interval_coverage(np.array([1.0, 5.0]), np.array([0.0, 0.0]), np.array([2.0, 4.0])))
    '50.0% inside, 3 wide'
    """
    import numpy as np

    inside = (lower <= truth) & (truth <= upper)
    return IntervalCoverage(
        share=float(np.mean(inside)), width=float(np.mean(upper - lower)), rows=len(inside), group=group
    )


def coverage_by_group(
    groups: pd.DataFrame,
    truth: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
) -> Iterator[IntervalCoverage]:
    """The coverage for each value, of each column of `groups`, that at least 30 rows have."""
    for column in groups.columns:
        grouped = groups.groupby(column, observed=True)
        for value in grouped.size().index:
            places = grouped.indices[value]
            if len(places) >= SMALLEST:
                yield interval_coverage(truth[places], lower[places], upper[places], f"{column} = {value}")


def weakness_sentence(groups: Sequence[IntervalCoverage], coverage: float) -> str:
    """One sentence on the groups whose coverage is too low (`IntervalCoverage.is_weak`).

    >>> weakness_sentence([IntervalCoverage(share=0.6, width=150.0, rows=500, group="price = 250 and more")], 0.9)
    'The 90% interval is weak where price = 250 and more: 60.0% of 500 rows inside.'
    """
    weak = sorted((each for each in groups if each.is_weak(coverage)), key=lambda each: (each.share, each.group))
    if not weak:
        least = f"{SMALLEST} rows or more"
        said = f"than chance and {LEEWAY:.0%} allow, in groups of {least}"
        return f"The {coverage:.0%} interval is nowhere weaker {said}."
    said = "; ".join(f"{each.group}: {share(each.share)} of {each.rows:,} rows inside" for each in weak)
    return f"The {coverage:.0%} interval is weak where {said}."
