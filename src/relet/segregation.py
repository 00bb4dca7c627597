"""Data segregation: train, validation and test."""

# mypy: disable-error-code="import-untyped"
# scikit-learn ships no stubs.
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from relet.errors import SettingError, nearest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Integers = np.ndarray[Any, np.dtype[np.int64]]


def split(
    table: pd.DataFrame,
    *,
    test_size: float,
    seed: int,
    stratify_by: str | None = None,
    group_by: str | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two parts of a table, the second with the share `test_size` of its rows; the same for the same seed.

    Both keep the table's order; rows are counted up, as scikit-learn's `train_test_split` does, which draws them.
    With `stratify_by` each value of that column has the same share on both sides, to within a row; a value that
    occurs once goes to the first part; missing counts as a value. With `group_by` the rows that share a value of
    that column stay on one side, and the second part has as many rows as whole groups allow, at most its share
    (with `stratify_by`: of each stratum).

    Raises SettingError for a share outside (0, 1), an unknown column, and a table too small to split.

    >>> import pandas as pd
    >>> first, second = split(pd.DataFrame({"id": range(10)}), test_size=0.2, seed=42)
    >>> len(first), second["id"].tolist()
    (8, [1, 8])
    """
    if not 0 < test_size < 1:
        advice = f"; set test_size (did you mean {_share(test_size)}?)" if test_size > 1 else "; set test_size"
        raise SettingError(f"split: test_size must lie between 0 and 1, got {test_size:g}{advice}")
    for column in filter(None, (stratify_by, group_by)):
        if column not in table.columns:
            raise SettingError(f"split: there is no column {column!r}: {nearest(column, map(str, table.columns))}")
    if not 0 <= seed < 2**32:
        raise SettingError(f"split: seed must lie between 0 and {2**32 - 1}, got {seed}; set seed")
    size = math.ceil(len(table) * test_size)
    if not 0 < size < len(table):
        raise SettingError(f"split: {len(table)} rows are too few to keep {test_size:g} of them apart")
    if group_by is not None:
        return _by_group(table, group_by, stratify_by, size, seed)
    return _stratified(table, stratify_by, size, seed)


def _share(size: float) -> str:
    """What a person who gave a percentage, or a count, probably meant."""
    return f"{size / 100:g}" if size < 100 else "0.2"


def _by_group(
    table: pd.DataFrame, column: str, stratify_by: str | None, size: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Groups in random order go to the second part as long as they fit into it: a few hosts have many listings."""
    import numpy as np

    groups, _ = _codes(table, column)
    strata = _codes(table, stratify_by)[0] if stratify_by is not None else np.zeros_like(groups)
    rows = np.zeros((groups.max() + 1, strata.max() + 1), dtype=np.int32)
    np.add.at(rows, (groups, strata), 1)
    room = np.round(rows.sum(axis=0) * size / len(table)).astype(np.int32)
    chosen = np.zeros(len(rows), dtype=bool)
    for group in np.random.RandomState(seed).permutation(len(rows)):
        if (rows[group] <= room).all():
            chosen[group] = True
            room -= rows[group]
    if not chosen.any() or chosen.all():
        raise SettingError(
            f"split: no group of {column} fits into {size} of {len(table)} rows; "
            "set another group_by, stratify_by or test_size"
        )
    second = chosen[groups]
    return _parts(table, np.flatnonzero(~second), np.flatnonzero(second))


def _stratified(
    table: pd.DataFrame, column: str | None, size: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    import numpy as np
    from sklearn.model_selection import train_test_split

    positions = np.arange(len(table))
    if column is None:
        train, test = train_test_split(positions, test_size=size, random_state=seed)
        return _parts(table, train, test)
    codes, rows = _codes(table, column)
    several = rows[codes] > 1
    strata = int((rows > 1).sum())
    if size < strata or several.sum() - size < strata:
        raise SettingError(
            f"split: {size} of {len(table)} rows and the rest can't both hold each of {strata} values "
            f"of {column}; set another stratify_by, or another test_size"
        )
    train, test = train_test_split(positions[several], test_size=size, random_state=seed, stratify=codes[several])
    return _parts(table, np.concatenate([train, positions[~several]]), test)


def _codes(table: pd.DataFrame, column: str) -> tuple[Integers, Integers]:
    """For each row the number of its value among the sorted values, and how many rows each has."""
    import numpy as np

    codes = table.groupby(column, dropna=False, sort=True).ngroup().to_numpy()
    return codes.astype(np.int64), np.bincount(codes)


def _parts(table: pd.DataFrame, train: Integers, test: Integers) -> tuple[pd.DataFrame, pd.DataFrame]:
    import numpy as np

    first, second = (table.iloc[np.sort(each)].reset_index(drop=True) for each in (train, test))
    return first, second
