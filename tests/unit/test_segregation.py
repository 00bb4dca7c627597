"""Segregation loses no row, doubles none, and keeps the shares that it promises."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.errors import SettingError
from relet.segregation import split

SIZES = st.floats(0.05, 0.95)
SEEDS = st.integers(0, 2**32 - 1)
LABELS = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=12, max_size=120)


def numbered(labels: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({"id": range(len(labels)), "label": pd.Series(labels, dtype="object")})


def refused(table: pd.DataFrame, size: float, **by: str) -> bool:
    try:
        split(table, test_size=size, seed=0, **by)
    except SettingError:
        return True
    return False


@settings(deadline=None, max_examples=40)
@given(
    labels=LABELS,
    size=SIZES,
    seed=SEEDS,
    by=st.sampled_from([{}, {"stratify_by": "label"}, {"group_by": "label"}]),
)
def test_every_row_is_on_one_side_in_the_tables_order(
    labels: list[str | None], size: float, seed: int, by: dict[str, str]
) -> None:
    table = numbered(labels)
    if refused(table, size, **by):
        return
    first, second = split(table, test_size=size, seed=seed, **by)
    assert sorted([*first["id"], *second["id"]]) == list(range(len(table)))
    assert first["id"].is_monotonic_increasing and second["id"].is_monotonic_increasing
    assert len(first) and len(second)
    again = split(table, test_size=size, seed=seed, **by)
    assert first.equals(again[0]) and second.equals(again[1])


@settings(deadline=None, max_examples=40)
@given(labels=LABELS, size=SIZES, seed=SEEDS)
def test_every_stratum_has_its_share_to_within_a_row(labels: list[str | None], size: float, seed: int) -> None:
    table = numbered(labels)
    if refused(table, size, stratify_by="label"):
        return
    _, second = split(table, test_size=size, seed=seed, stratify_by="label")
    rows, kept = (each["label"].fillna("").value_counts() for each in (table, second))
    several = rows[rows > 1]
    expected = several * len(second) / several.sum()
    assert ((kept.reindex(several.index, fill_value=0) - expected).abs() <= 1).all()
    assert not set(rows[rows == 1].index) & set(kept.index), "what occurs once is trained on"


@settings(deadline=None, max_examples=40)
@given(
    groups=st.lists(st.integers(0, 12), min_size=12, max_size=120),
    size=SIZES,
    seed=SEEDS,
    stratified=st.booleans(),
)
def test_a_group_is_never_on_both_sides(groups: list[int], size: float, seed: int, stratified: bool) -> None:
    table = pd.DataFrame({"host": groups, "borough": [group % 2 for group in groups]})
    by = {"group_by": "host"} | ({"stratify_by": "borough"} if stratified else {})
    if refused(table, size, **by):
        return
    first, second = split(table, test_size=size, seed=seed, **by)
    assert not set(first["host"]) & set(second["host"])
    assert len(second) <= math.ceil(len(table) * size) + stratified


def test_whole_groups_fill_the_share_of_each_stratum() -> None:
    table = pd.DataFrame({"host": np.arange(2000) // 2 * 1, "borough": ["a"] * 1500 + ["b"] * 500})
    _, second = split(table, test_size=0.2, seed=1, group_by="host", stratify_by="borough")
    assert second["borough"].value_counts().to_dict() == {"a": 300, "b": 100}


def test_the_rows_are_those_that_scikit_learn_draws() -> None:
    from sklearn.model_selection import train_test_split

    table = pd.DataFrame(
        {"id": range(1001), "borough": ["Queens", "Bronx", "Manhattan", "Queens"] * 250 + ["Bronx"]}
    )
    _, second = split(table, test_size=0.2, seed=42, stratify_by="borough")
    _, drawn = train_test_split(table, test_size=0.2, random_state=42, stratify=table["borough"])
    assert second["id"].tolist() == sorted(drawn["id"])


def test_another_seed_draws_other_rows() -> None:
    table = pd.DataFrame({"id": range(100), "host": range(100)})
    for by in ({}, {"group_by": "host"}):
        ids = [split(table, test_size=0.2, seed=seed, **by)[1]["id"].tolist() for seed in (1, 2)]
        assert ids[0] != ids[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"test_size": 20}, r"between 0 and 1, got 20; set test_size \(did you mean 0\.2\?\)"),
        ({"test_size": 0}, "between 0 and 1, got 0"),
        ({"test_size": float("nan")}, "between 0 and 1, got nan"),
        ({"seed": -1}, "seed must lie between 0 and 4294967295, got -1"),
        ({"stratify_by": "labels"}, "no column 'labels': did you mean label"),
        ({"group_by": "hosts"}, "no column 'hosts'"),
        ({"test_size": 0.99}, "too few"),
        ({"stratify_by": "id"}, "can't both hold"),
        ({"group_by": "same"}, "no group of same fits"),
    ],
)
def test_what_cannot_be_split_is_refused_with_advice(change: dict[str, object], said: str) -> None:
    table = numbered(["a", "b"] * 5).assign(same=1)
    if "id" in change.values():
        table = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]})
    values = {"test_size": 0.2, "seed": 42} | change
    with pytest.raises(SettingError, match=said):
        split(table, **values)  # type: ignore[arg-type]
