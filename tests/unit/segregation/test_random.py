"""Parts drawn at random lose no row, double none, and keep the shares that they promise."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relet.errors import SettingError
from relet.segregation import Rule, assign, split

SIZES = st.floats(0.05, 0.95)
SEEDS = st.integers(0, 2**32 - 1)
LABELS = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=12, max_size=120)
METHODS = (
    {"method": "random"},
    {"method": "stratified", "stratify_by": "label"},
    {"method": "by_group", "group_by": "label"},
)


def numbered(labels: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({"id": range(len(labels)), "label": pd.Series(labels, dtype="object")})


def parted(table: pd.DataFrame, size: float, **rule: object) -> tuple[pd.DataFrame, ...] | None:
    """The two parts; None where the table can't be parted so."""
    try:
        return split(table, {"train": None, "test": size}, Rule(**rule))  # type: ignore[arg-type]
    except SettingError:
        return None


@settings(deadline=None, max_examples=40)
@given(labels=LABELS, size=SIZES, seed=SEEDS, by=st.sampled_from(METHODS))
def test_every_row_is_on_one_side_in_the_tables_order(
    labels: list[str | None], size: float, seed: int, by: dict[str, str]
) -> None:
    table = numbered(labels)
    parts = parted(table, size, seed=seed, **by)
    if parts is None:
        return
    first, second = parts
    assert sorted([*first["id"], *second["id"]]) == list(range(len(table)))
    assert first["id"].is_monotonic_increasing and second["id"].is_monotonic_increasing
    assert len(first) and len(second)
    again = parted(table, size, seed=seed, **by)
    assert again and first.equals(again[0]) and second.equals(again[1])


@settings(deadline=None, max_examples=40)
@given(labels=LABELS, size=SIZES, seed=SEEDS)
def test_every_stratum_has_its_share_to_within_a_row(labels: list[str | None], size: float, seed: int) -> None:
    table = numbered(labels)
    parts = parted(table, size, seed=seed, method="stratified", stratify_by="label")
    if parts is None:
        return
    rows, kept = (each["label"].fillna("").value_counts() for each in (table, parts[1]))
    several = rows[rows > 1]
    expected = several * len(parts[1]) / several.sum()
    assert ((kept.reindex(several.index, fill_value=0) - expected).abs() <= 1).all()
    assert not set(rows[rows == 1].index) & set(kept.index), "what occurs once is trained on"


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.integers(2, 60), min_size=1, max_size=6),
    weights=st.lists(st.integers(1, 20), min_size=2, max_size=6),
    seed=SEEDS,
)
@example(rows=[14, 50, 34], weights=[4, 17, 9], seed=98)
def test_each_of_many_parts_has_its_share_of_each_stratum_to_within_a_row(
    rows: list[int], weights: list[int], seed: int
) -> None:
    strata = np.repeat(np.arange(len(rows)), rows)
    table = pd.DataFrame({"stratum": np.random.default_rng(seed).permutation(strata)})
    shares = {f"part_{number}": weight / sum(weights) for number, weight in enumerate(weights)}
    try:
        found = assign(table, shares, Rule(method="stratified", stratify_by="stratum", seed=seed))
    except SettingError:
        return
    # what is rounded up to whole rows is shared out among the strata, as scikit-learn does
    exact = {name: size / len(table) for name, size in _sizes(len(table), shares).items()}
    for stratum, count in enumerate(rows):
        for name, share in exact.items():
            there = int((found.rows(name) & (table["stratum"] == stratum)).sum())
            assert abs(there - count * share) < 1 + 1e-6


def _sizes(rows: int, shares: dict[str, float]) -> dict[str, int]:
    values = list(shares.values())
    ends = [rows, *(math.ceil(round(rows * math.fsum(values[k:]), 6)) for k in range(1, len(values))), 0]
    return {name: ends[k] - ends[k + 1] for k, name in enumerate(shares)}


def test_the_sizes_of_many_parts_are_exact_without_strata() -> None:
    table = pd.DataFrame({"id": range(1003)})
    found = assign(table, {"train": None, "validation": 0.1, "test": 0.2}, Rule(method="random"))
    assert found.sizes == {"train": 702, "validation": 100, "test": 201}


def test_a_share_s_last_bit_adds_no_row() -> None:
    found = assign(pd.DataFrame({"id": range(100)}), {"train": None, "test": 0.07}, Rule(method="random"))
    assert found.sizes["test"] == 7


@settings(deadline=None, max_examples=40)
@given(
    groups=st.lists(st.integers(0, 12), min_size=12, max_size=120),
    size=SIZES,
    seed=SEEDS,
    stratified=st.booleans(),
)
def test_a_group_is_never_on_both_sides(groups: list[int], size: float, seed: int, stratified: bool) -> None:
    table = pd.DataFrame({"host": groups, "borough": [group % 2 for group in groups]})
    stratify_by = "borough" if stratified else None
    parts = parted(table, size, seed=seed, method="by_group", group_by="host", stratify_by=stratify_by)
    if parts is None:
        return
    assert not set(parts[0]["host"]) & set(parts[1]["host"])
    assert len(parts[1]) <= math.ceil(len(table) * size) + stratified


@settings(deadline=None, max_examples=60)
@given(groups=st.lists(st.integers(0, 30), min_size=12, max_size=300), size=SIZES, seed=SEEDS)
def test_whole_groups_go_over_as_if_tried_one_after_the_other(groups: list[int], size: float, seed: int) -> None:
    table = pd.DataFrame({"host": groups})
    parts = parted(table, size, seed=seed, method="by_group", group_by="host")
    hosts = sorted(set(groups))
    room = math.ceil(round(len(groups) * size, 6))
    chosen = set()
    for place in np.random.RandomState(seed).permutation(len(hosts)):
        if groups.count(hosts[place]) <= room:
            chosen.add(hosts[place])
            room -= groups.count(hosts[place])
    if parts is None:
        return
    assert set(parts[1]["host"]) == chosen


def test_whole_groups_fill_the_share_of_each_stratum() -> None:
    table = pd.DataFrame({"host": np.arange(2000) // 2, "borough": ["a"] * 1500 + ["b"] * 500})
    rule = Rule(method="by_group", group_by="host", stratify_by="borough", seed=1)
    _, second = split(table, {"train": None, "test": 0.2}, rule)
    assert second["borough"].value_counts().to_dict() == {"a": 300, "b": 100}


def test_groups_stay_together_in_many_parts() -> None:
    table = pd.DataFrame({"host": np.arange(3000) % 700})
    rule = Rule(method="by_group", group_by="host")
    parts = split(table, {"train": None, "validation": 0.1, "test": 0.2}, rule)
    for part, most in zip(parts[1:], (300, 600), strict=True):
        assert most - 5 < len(part) <= most
    assert sum(part["host"].nunique() for part in parts) == 700


def test_the_rows_are_those_that_scikit_learn_draws() -> None:
    from sklearn.model_selection import train_test_split

    table = pd.DataFrame(
        {"id": range(1001), "borough": ["Queens", "Bronx", "Manhattan", "Queens"] * 250 + ["Bronx"]}
    )
    for stratify_by in ("borough", None):
        _, second = split(table, {"train": None, "test": 0.2}, Rule(method="random", stratify_by=stratify_by))
        strata = table["borough"] if stratify_by else None
        _, drawn = train_test_split(table, test_size=0.2, random_state=42, stratify=strata)
        assert second["id"].tolist() == sorted(drawn["id"])


def test_another_share_for_validation_leaves_the_random_test_as_it_is() -> None:
    table = pd.DataFrame({"id": range(500)})
    drawn = [
        assign(table, {"train": None, "validation": size, "test": 0.2}, Rule(method="random")).rows("test")
        for size in (0.1, 0.3)
    ]
    assert (drawn[0] == drawn[1]).all()


def test_another_seed_draws_other_rows() -> None:
    table = pd.DataFrame({"id": range(100), "host": range(100)})
    for by in ({"method": "random"}, {"method": "by_group", "group_by": "host"}, {"method": "keyed"}):
        found = [assign(table, {"train": None, "test": 0.2}, Rule(seed=seed, **by)) for seed in (1, 2)]  # type: ignore[arg-type]
        assert (found[0].of_row != found[1].of_row).any()


@pytest.mark.parametrize(
    ("size", "rule", "said"),
    [
        (0.99, {}, "10 rows are too few to keep"),
        (0.2, {"stratify_by": "labels"}, "no column 'labels': did you mean label.*set stratify_by"),
        (0.2, {"method": "stratified"}, "goes by a column; name it: set stratify_by"),
        (0.2, {"method": "by_group", "group_by": "hosts"}, "no column 'hosts'.*set group_by"),
        (0.2, {"method": "by_group"}, "goes by a column; name it: set group_by"),
        (0.2, {"stratify_by": "pair"}, "can't both hold each of 5 values of pair; set another stratify_by"),
        (0.2, {"method": "by_group", "group_by": "same"}, "no group of same fits.*set another group_by"),
    ],
)
def test_what_cannot_be_split_is_refused_with_advice(size: float, rule: dict[str, str], said: str) -> None:
    table = numbered(["a", "b"] * 5).assign(same=1, pair=[1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    with pytest.raises(SettingError, match=said):
        split(table, {"train": None, "test": size}, Rule(**({"method": "random"} | rule)))  # type: ignore[arg-type]
