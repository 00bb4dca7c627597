"""Folds are parts of equal shares by every method: each row is validated on once."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.errors import SettingError
from relet.segregation import METHODS, Rule, folds

COLUMNS = {"stratify_by": "borough", "group_by": "host", "time_by": "batch"}


def listings(rows: int, seed: int) -> pd.DataFrame:
    drawn = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "borough": drawn.integers(0, 3, rows),
            "host": drawn.integers(0, rows // 2, rows),
            "batch": drawn.integers(0, 40, rows),
        }
    )


@settings(deadline=None, max_examples=25)
@given(
    method=st.sampled_from(sorted(METHODS)),
    count=st.integers(2, 8),
    rows=st.integers(200, 500),
    seed=st.integers(0, 99),
)
def test_folds_partition_the_rows(method: str, count: int, rows: int, seed: int) -> None:
    table = listings(rows, seed)
    found = folds(table, count, Rule(method=method, seed=seed, **COLUMNS))
    assert found.names == tuple(f"fold_{number}" for number in range(1, count + 1))
    assert sum(found.rows(name).astype(int) for name in found.names).tolist() == [1] * rows  # type: ignore[union-attr]
    sizes = list(found.sizes.values())
    if method in ("random", "stratified"):
        # of each borough a fold has its share of all rows, to within a row
        shares = np.array(list(folds(table, count, Rule(method="random", seed=seed)).sizes.values())) / rows
        for borough in range(3):
            inside = (table["borough"] == borough).to_numpy()
            found_here = np.array([int(found.rows(name)[inside].sum()) for name in found.names])
            assert np.abs(found_here - shares * inside.sum()).max() <= 1 + 1e-9
    if method == "by_group":
        for name in found.names:
            inside = found.rows(name)
            assert not set(table["host"][inside]) & set(table["host"][~inside])
        assert max(sizes[1:]) <= rows / count + 3
    if method == "by_time":
        ends = [
            (table["batch"][found.rows(name)].min(), table["batch"][found.rows(name)].max())
            for name in found.names
        ]
        assert all(before[1] < after[0] for before, after in pairwise(ends))
    if method == "keyed":
        half = folds(table[::2], count, Rule(method=method, seed=seed, **COLUMNS))
        assert (half.of_row == found.of_row[::2]).all()


def test_without_strata_folds_differ_by_one_row_at_most() -> None:
    found = folds(listings(103, 0), 5, Rule(method="random"))
    assert sorted(found.sizes.values()) == [20, 20, 21, 21, 21]


def test_one_fold_is_refused() -> None:
    with pytest.raises(SettingError, match="at least 2 folds, got 1; set folds"):
        folds(listings(20, 0), 1, Rule(method="random"))
