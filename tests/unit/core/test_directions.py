"""Which metrics are minimized and which are maximized, by their names."""

import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from relet.core.directions import AROUND, MAXIMIZED, MINIMIZED, Direction, direction_of, is_usual

# Less of it is better, whatever scikit-learn calls it.
BELIED = {"brier_score_loss": "minimize", "davies_bouldin_score": "minimize", "consensus_score": "maximize"}
USUAL = st.sampled_from(sorted(MINIMIZED | MAXIMIZED))


@pytest.mark.parametrize("scorer", sklearn.metrics.get_scorer_names())
def test_more_of_each_scorer_of_scikit_learn_is_better(scorer):
    assert direction_of(scorer) is Direction.MAXIMIZE
    assert is_usual(scorer)


@pytest.mark.parametrize("function", sklearn.metrics.__all__)
def test_functions_of_scikit_learn_go_by_their_last_word(function):
    told = {"score": "maximize", "error": "minimize", "loss": "minimize", "deviance": "minimize"}
    expected = BELIED.get(function, told.get(function.rpartition("_")[2]))
    if expected:
        assert direction_of(function) == expected


def test_no_name_is_both():
    assert not MINIMIZED & MAXIMIZED
    assert not (MINIMIZED | MAXIMIZED) & AROUND


@given(name=USUAL, before=st.lists(st.sampled_from(sorted(AROUND)), max_size=2), joint=st.sampled_from("_/.- "))
def test_what_stands_around_a_name_changes_nothing(name, before, joint):
    assert direction_of(joint.join([*before, name])) is direction_of(name) is not None


@given(first=st.sampled_from(sorted(MINIMIZED)), second=st.sampled_from(sorted(MAXIMIZED)))
def test_a_name_of_both_directions_has_none(first, second):
    joined = f"{first}_of_{second}"
    assert direction_of(joined) is None
    assert not is_usual(joined)


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("baseline_roc_auc", "maximize"),
        ("test_interval_width", "minimize"),
        ("test_coverage_least", "maximize"),
        ("f1_setosa", "maximize"),
        ("val/Loss", "minimize"),
        ("accuracy_std", None),
        ("total", None),
        ("", None),
        ("²", None),
    ],
)
def test_a_few_names_by_hand(name, direction):
    assert direction_of(name) == direction
