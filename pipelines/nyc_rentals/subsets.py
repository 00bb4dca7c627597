"""Parts of the training rows, each twice as large as the one before and holding it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# The smallest part is a 32nd of all rows.
DOUBLED = 5
# With fewer rows there is nothing to learn from.
SMALLEST = 50


def subsets(rows: pd.DataFrame, seed: int) -> Iterator[pd.DataFrame]:
    """A 32nd of the rows, a 16th and so on to all of them, those chosen that `seed` says; parts of fewer than 50
    rows are left out.

    >>> import pandas as pd
    >>> [len(part) for part in subsets(pd.DataFrame({"id": range(400)}), seed=1)]
    [50, 100, 200, 400]
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    for power in range(DOUBLED, -1, -1):
        size = len(rows) >> power
        if size >= SMALLEST or not power:
            yield rows.iloc[np.sort(order[:size])].reset_index(drop=True)
