"""What conformal intervals and prediction sets share: the coverages to ask for, and the scores that are kept."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any

from relet.errors import SettingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The coverages that may be requested.
LEAST, MOST = 0.5, 0.99
# At most so many scores are kept, evenly spaced by rank.
KEPT = 2001


def checked_coverage(coverage: Any) -> float:
    """The coverage as a number. Raises SettingError for one below 0.5 or above 0.99."""
    share = float(coverage) if isinstance(coverage, Real) and not isinstance(coverage, bool) else math.nan
    if not LEAST <= share <= MOST:
        meant = f" (did you mean {share / 100:g}?)" if LEAST <= share / 100 <= MOST else ""
        raise SettingError(f"coverage must lie between {LEAST:g} and {MOST:g}, got {coverage!r}{meant}")
    return share


def evenly_spread_places(size: int, most: int) -> NDArray[np.int64]:
    """At most `most` places from 0 to `size` − 1, the first and the last always among them."""
    import numpy as np

    return np.linspace(0, size - 1, min(size, most)).round().astype(np.int64)


def kept_ranks(size: int, kept: int) -> list[int]:
    """The ranks of the scores that are kept, counted from 1. The first and the last are always kept."""
    found: list[int] = (evenly_spread_places(size, kept) + 1).tolist()
    return found


def wrong_scores(scores: tuple[float, ...], size: Any) -> str:
    """What is impossible in stored scores of `size` rows; empty where all is well.

    From 2⁵³ on not every whole number is a double.
    """
    if type(size) is not int or not 0 < len(scores) <= size < 2**53:
        return f"{len(scores)} scores of {size!r} rows"
    if not all(map(math.isfinite, scores)) or list(scores) != sorted(scores):
        return "the scores are not sorted, or no numbers"
    return ""
