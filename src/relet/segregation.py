"""Data segregation: train, validation and test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relet.errors import SettingError, nearest

if TYPE_CHECKING:
    import pandas as pd


def split(
    table: pd.DataFrame,
    *,
    test_size: float,
    seed: int,
    stratify_by: str | None = None,
    group_by: str | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two parts of a table, the second with the share `test_size` of its rows; the same for the same seed.

    With `stratify_by` each value of that column has the same share on both sides, to within a row; a value that
    occurs once goes to the first part. With `group_by` the rows that share a value of that column stay together,
    and the share is that of the groups; it comes before `stratify_by`.

    Raises SettingError for a share outside (0, 1), an unknown column, and a table too small to split.
    """
    if not 0 < test_size < 1:
        advice = f"; set test_size (did you mean {_share(test_size)}?)" if test_size > 1 else "; set test_size"
        raise SettingError(f"split: test_size must lie between 0 and 1, got {test_size:g}{advice}")
    for column in filter(None, (stratify_by, group_by)):
        if column not in table.columns:
            raise SettingError(f"split: there is no column {column!r}: {nearest(column, map(str, table.columns))}")
    size = round(len(table) * test_size)
    if not 0 < size < len(table):
        raise SettingError(f"split: {len(table)} rows are too few to keep {test_size:g} of them apart")
    if group_by is not None:
        return _by_group(table, group_by, test_size, seed)
    return _stratified(table, stratify_by, size, seed)


def _share(size: float) -> str:
    """What a person who gave a percentage, or a count, probably meant."""
    return f"{size / 100:g}" if size < 100 else "0.2"


def _by_group(table: pd.DataFrame, column: str, test_size: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    from sklearn.model_selection import GroupShuffleSplit

    groups = table[column].astype("object").where(table[column].notna(), "")
    if groups.nunique() < 2:
        raise SettingError(f"split: all rows share one value of {column}; choose another group_by")
    splitter = GroupShuffleSplit(n_splits=1, test_size=test_size, random_state=seed)
    train, test = next(splitter.split(table, groups=groups.map(str)))
    return _parts(table, train, test)


def _stratified(
    table: pd.DataFrame, column: str | None, size: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    import numpy as np
    from sklearn.model_selection import train_test_split

    positions = np.arange(len(table))
    if column is None:
        train, test = train_test_split(positions, test_size=size, random_state=seed)
        return _parts(table, train, test)
    labels = table[column].astype("object").where(table[column].notna(), "").map(str).to_numpy()
    values, counts = np.unique(labels, return_counts=True)
    alone = np.isin(labels, values[counts == 1])
    several = positions[~alone]
    strata = (counts > 1).sum()
    if size < strata or len(several) - size < strata:
        raise SettingError(
            f"split: {size} of {len(table)} rows can't hold one of each of {strata} values of {column}; "
            "choose another stratify_by, or another test_size"
        )
    train, test = train_test_split(several, test_size=size, random_state=seed, stratify=labels[~alone])
    return _parts(table, np.concatenate([train, positions[alone]]), test)


def _parts(table: pd.DataFrame, train: object, test: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    import numpy as np

    first, second = (table.iloc[np.sort(np.asarray(each))].reset_index(drop=True) for each in (train, test))
    return first, second
