"""Decide whether two numbers are close enough."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def relative_gap(recorded: float | None, reproduced: float | None) -> float:
    """How far two numbers lie apart, relative to max(1, |recorded|).

    Whole numbers are not rounded first. Missing (None or NaN) equals missing, and is infinitely far from every
    number; an infinite number is infinitely far from every other.

    >>> relative_gap(1000, 1001), relative_gap(0.5, 0.25)
    (0.001, 0.25)
    >>> relative_gap(math.nan, None), relative_gap(math.nan, 1.0)
    (0.0, inf)
    """
    old = math.nan if recorded is None else recorded
    new = math.nan if reproduced is None else reproduced
    if old == new or (old != old and new != new):
        return 0.0
    try:
        apart = abs(old - new) / max(1, abs(old))
    except OverflowError:  # a whole number that is too large for a float is compared with a float
        return math.inf
    # NaN remains where a number is compared with NaN, or where only the recorded number is infinite.
    return math.inf if apart != apart else apart


def relative_gaps(recorded: NDArray[np.float64], reproduced: NDArray[np.float64]) -> NDArray[np.float64]:
    """`relative_gap` for arrays. NaN stands for missing."""
    import numpy as np

    with np.errstate(invalid="ignore", over="ignore"):
        found = np.abs(recorded - reproduced) / np.maximum(1, np.abs(recorded))
    found[(recorded == reproduced) | (np.isnan(recorded) & np.isnan(reproduced))] = 0
    found[np.isnan(found)] = np.inf
    return found


def is_within(size: float, tolerance: float | None) -> bool:
    """Whether a difference is within the tolerance. An infinite one never is.

    >>> is_within(0.1, 0.1), is_within(0.1, 0.01), is_within(0.0, None), is_within(math.inf, math.inf)
    (True, False, False, False)
    """
    return tolerance is not None and size <= tolerance and size < math.inf


def gap_words(size: float) -> str:
    """A relative gap in words.

    >>> gap_words(0.00012345), gap_words(math.inf)
    ('relative 0.000123', 'a number on one side only')
    """
    return f"relative {size:.3g}" if size < math.inf else "a number on one side only"
