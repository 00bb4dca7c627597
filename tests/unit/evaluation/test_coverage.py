"""Coverage of intervals: what is measured, what is called weak, and the page that says so."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from relet.evaluation.coverage import IntervalCoverage, coverage_by_group, interval_coverage, weakness_sentence
from relet.evaluation.coverage_page import coverage_page
from relet.evaluation.gates import judge_model, slice_checks

GOOD = {"mae": 10.0, "rmse": 12.0, "r2": 0.6}


def group(share: float, rows: int, name: str = "room = a") -> IntervalCoverage:
    return IntervalCoverage(share=share, width=100.0, rows=rows, group=name)


def test_a_truth_on_a_bound_is_inside():
    found = interval_coverage(np.array([1.0, 2.0, 3.0, 3.1]), np.full(4, 1.0), np.full(4, 3.0))
    assert (found.share, found.width, found.rows) == (0.75, 2.0, 4)


@given(rows=st.integers(1, 5000), data=st.data())
def test_the_range_is_wilson_s(rows, data):
    inside = data.draw(st.integers(0, rows))
    expected = binomtest(inside, rows).proportion_ci(method="wilson")
    assert group(inside / rows, rows).range == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_groups_keep_their_order_and_small_ones_are_left_out():
    bands = pd.Categorical(["low"] * 30 + ["high"] * 40 + ["rare"] * 29, ["low", "high", "rare"], ordered=True)
    truth = np.arange(99.0)
    found = list(coverage_by_group(pd.DataFrame({"band": bands}), truth, truth - 1, truth + (truth < 50)))
    assert [each.group for each in found] == ["band = low", "band = high"]
    assert [each.share for each in found] == [1.0, 1.0]
    assert found[1].width == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("share", "rows", "weak"),
    [(0.62, 700, True), (0.7, 12, True), (0.8, 30, False), (0.885, 100_000, False), (0.875, 100_000, True)],
)
def test_weak_is_what_chance_and_two_per_cent_do_not_explain(share, rows, weak):
    assert group(share, rows).is_weak(0.9) is weak


def test_the_sentence_names_the_weakest_first_and_says_where_there_is_none():
    groups = [group(0.8, 5000, "room = a"), group(0.9, 5000, "room = b"), group(0.6, 5000, "band = dear")]
    assert weakness_sentence(groups, 0.9).startswith(
        "The 90% interval is weak where band = dear: 60.0% of 5,000 rows inside; "
    )
    assert "room = b" not in weakness_sentence(groups, 0.9)
    assert "nowhere weaker" in weakness_sentence(groups[1:2], 0.9)


@given(share=st.floats(0.7, 1), rows=st.integers(30, 200_000))
def test_the_sentence_calls_weak_what_is_weak(share, rows):
    only = group(share, rows)
    assert ("is weak where room = a" in weakness_sentence([only], 0.9)) is only.is_weak(0.9)


def test_chance_and_two_per_cent_make_no_weak_group_in_a_good_paragraph():
    found = coverage_page(group(0.89, 10**5, ""), [group(0.885, 10**5)], coverage=0.9, unit="dollars")
    assert "verdict good" in found
    assert "weak where" not in found


def test_a_model_passes_with_enough_coverage_and_not_with_less():
    limits = {"min_r2": 0.0, "max_worse": 1.0, "min_coverage": 0.85}
    assert judge_model(GOOD, **limits, intervals=group(0.85, 100)).passed
    refused = judge_model(GOOD, **limits, intervals=group(0.84, 100))
    assert not refused.passed
    assert "84.0% inside, 100 wide; at least 85% inside" in refused.reason
    assert judge_model(GOOD, **limits).passed


def test_slices_say_what_the_intervals_of_a_group_did():
    rows = pd.DataFrame({"room": ["a"] * 40, "price": np.arange(40.0)})
    (only,) = slice_checks(rows, "price", rows["price"].to_numpy(), ["room"], [group(0.9, 40)])
    assert only.message.endswith("on 40 rows; intervals: 90.0% inside, 100 wide")
    assert (only.measured["coverage"], only.measured["width"], only.measured["mae"]) == (0.9, 100.0, 0.0)


def test_the_page_shows_every_group_marks_the_weak_ones_and_fetches_nothing():
    groups = [group(0.9, 5000, "room = <a>"), group(0.6, 700, "band = dear")]
    page = coverage_page(group(0.89, 5700, ""), groups, coverage=0.9, unit="dollars", notes=["Read on."])
    assert "weak where band = dear: 60.0% of 700 rows inside" in page
    assert page.count('<circle class="s1" cx') == 3  # its coverage, and both widths, as wide as the mean
    assert "&lt;a&gt;" in page
    assert "<a>" not in page
    assert "Read on." in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_groups_of_the_same_value_are_told_apart_on_the_page():
    groups = [group(0.9, 500, "room = other"), group(0.9, 500, "place = other")]
    page = coverage_page(group(0.9, 500, ""), groups, coverage=0.9, unit="dollars")
    assert page.count(">room = other<") == 3  # in both drawings and in the table
    assert page.count(">place = other<") == 3
