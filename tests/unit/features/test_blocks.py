"""Blocks: what each makes of raw rows, and that rows never move each other."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer

from relet.errors import BadDataError
from relet.features.columns import days, keys, numbers, texts
from relet.features.encoding import CrossFittedScore, CrossFittedTargetEncoder, fold_of, ridge
from relet.features.numeric import Combinations, DaysSince, Numbers
from relet.features.text import PatternFeatures, TextWeights, TitleStyle

NAMES = ["Sunny 2BR loft", "cozy studio!!", None, "Big house, 3 bath", "sunny room", "", "ROOM 漢字 🙂"]


def rows(size=60):
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "name": [NAMES[i] for i in random.integers(0, len(NAMES), size)],
            "place": random.choice(["north", "south", "east"], size),
            "host": random.integers(1, 15, size),
            "x": random.normal(size=size),
            "y": random.normal(size=size),
            "seen": pd.Series(np.datetime64("2019-01-01") + random.integers(0, 300, size)).astype("datetime64[s]"),
        }
    )


BLOCKS = [
    Numbers(["x", "y"]),
    Combinations({"d": {"x": 1.0, "y": -1.0}}),
    DaysSince("seen"),
    PatternFeatures("name", {"rooms": r"(?P<n>[0-9]+) ?br", "studio": "studio"}),
    TitleStyle("name"),
    TextWeights("name", max_features=4),
    CrossFittedTargetEncoder(["place"], log_target=True),
    CrossFittedScore("name", categories=["place", ["place", "name"]], group="host", min_count=2, log_target=True),
]
TARGET = 50 + 100 * np.random.default_rng(1).random(60)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_a_block_gives_each_row_the_same_bits_whatever_lies_beside_it(block):
    table = rows()
    fitted = clone(block).fit(table, TARGET)
    together = fitted.transform(table)
    alone = np.vstack([fitted.transform(table[i : i + 1]) for i in range(len(table))])
    assert together.tobytes() == alone.tobytes()
    assert together.shape[1] == len(fitted.get_feature_names_out())


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_a_block_names_the_column_that_is_missing(block):
    fitted = clone(block).fit(rows(), TARGET)
    with pytest.raises(BadDataError, match=r"column '\w+' is missing"):
        fitted.transform(pd.DataFrame({"other": [1]}))


def test_days_are_counted_from_the_newest_date_in_training():
    block = DaysSince("seen").fit(pd.DataFrame({"seen": ["2019-07-01", "2019-07-08"]}))
    assert block.transform(pd.DataFrame({"seen": ["2019-07-06"]})).tolist() == [[2.0]]
    assert block.transform(pd.DataFrame({"seen": ["2019-07-09"]})).tolist() == [[-1.0]]
    assert np.isnan(block.transform(pd.DataFrame({"seen": [None]}))).all()


def test_text_weights_are_the_vectorizers():
    table = rows()
    expected = TfidfVectorizer(max_features=4, stop_words="english").fit_transform(
        table["name"].fillna("").tolist()
    )
    assert (TextWeights("name", max_features=4).fit_transform(table) == expected.toarray()).all()


def test_no_training_row_sees_its_own_target():
    table = rows()
    for block in (
        CrossFittedTargetEncoder(["place"]),
        CrossFittedScore("name", categories=["place"], group="host"),
    ):
        before = clone(block).fit_transform(table, TARGET)
        changed = TARGET.copy()
        changed[7] += 1000
        after = clone(block).fit_transform(table, changed)
        # the row moves the overall mean, and the scores of the rows that its host's residual is taken from; seen
        # directly, it would move a host of a few rows by hundreds
        assert np.nanmax(np.abs(after[7] - before[7])) < 50


def test_an_unknown_place_gets_the_overall_mean_and_an_unknown_host_none():
    table = rows()
    encoder = CrossFittedTargetEncoder(["place"]).fit(table, TARGET)
    unknown = table[:1].assign(place="Atlantis", host=99)
    assert encoder.transform(unknown)[0, 0] == TARGET.mean()
    score = CrossFittedScore("name", group="host", min_count=2).fit(table, TARGET)
    assert np.isnan(score.transform(unknown)[0, 1])
    assert np.isfinite(score.transform(unknown)[0, 0])


def test_a_fitted_block_learns_from_the_target_or_says_so():
    with pytest.raises(ValueError, match="needs y"):
        CrossFittedTargetEncoder(["place"]).fit(rows())


@settings(max_examples=30, deadline=None)
@given(size=st.integers(2, 200), folds=st.integers(2, 7), seed=st.integers(0, 9))
def test_folds_are_as_even_as_can_be(size, folds, seed):
    counts = np.bincount(fold_of(size, folds, seed), minlength=folds)
    assert counts.max() - counts.min() <= 1
    assert counts.sum() == size


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), alpha=st.floats(0.1, 10))
def test_ridge_solves_the_normal_equations(seed, alpha):
    from scipy.sparse import csr_array

    random = np.random.default_rng(seed)
    features, target = random.normal(size=(30, 6)), random.normal(size=30)
    exact = np.linalg.solve(features.T @ features + alpha * np.eye(6), features.T @ target)
    assert np.allclose(ridge(csr_array(features), target, alpha, tolerance=1e-10), exact)


@given(st.lists(st.none() | st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_any_text_can_be_read(names):
    table = pd.DataFrame({"name": pd.Series(names, dtype=object), "place": "a", "host": 1})
    fitted = CrossFittedScore("name", categories=["place"], min_count=1).fit(rows(), TARGET)
    assert np.isfinite(fitted.transform(table)).all()
    assert np.isfinite(TitleStyle("name").fit_transform(table)).all()


@pytest.mark.parametrize(
    ("read", "values", "said"),
    [
        (numbers, ["many"], "must hold numbers"),
        (days, ["soon"], "must hold dates"),
        (days, [20190708], "must hold dates, got numbers"),
        (texts, [3.5], "must hold text"),
    ],
)
def test_a_value_of_the_wrong_kind_names_the_column(read, values, said):
    with pytest.raises(BadDataError, match=f"column 'c' {said}"):
        read(pd.DataFrame({"c": values}), "c")


def test_ids_with_gaps_stay_whole():
    assert keys(pd.DataFrame({"c": [7.0, np.nan]}), "c").tolist() == [7, -1]
