"""Calibration, the coverage of sets, the confusion matrix, and the page that shows them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.errors import BadDataError
from relet.evaluation.calibration import reliability
from relet.evaluation.class_gates import judge_classifier
from relet.evaluation.class_page import class_page, confusion_figure, reliability_figure
from relet.evaluation.classification import classification, confusion
from relet.evaluation.classified import ClassifiedRows, classified_rows
from relet.evaluation.set_coverage import (
    SetCoverage,
    set_coverage,
    set_coverage_by_class,
    set_coverage_check,
    set_members,
)
from relet.report.charts.confusion import confusion_chart
from relet.training.prediction_sets import calibrated_sets
from tests.unit.report.drawn import drawn


def rows_of(size: int, seed: int, labels: tuple[str, ...] = ("no", "yes"), honest: bool = True) -> ClassifiedRows:
    """Rows whose true labels are drawn by the probabilities; the model of dishonest ones is too sure."""
    random = np.random.default_rng(seed)
    shares = random.dirichlet([1.0] * len(labels), size)
    truth = [labels[random.choice(len(labels), p=row)] for row in shares]
    said = shares if honest else shares**4
    return classified_rows(truth, pd.DataFrame(said / said.sum(axis=1, keepdims=True), columns=list(labels)))


@settings(max_examples=30)
@given(size=st.integers(1, 200), seed=st.integers(0, 99), bins=st.integers(1, 20), many=st.booleans())
def test_bins_hold_each_row_once_and_the_error_is_that_of_the_definition(size, seed, bins, many):
    rows = rows_of(size, seed, ("a", "b", "c") if many else ("no", "yes"))
    found = reliability(rows, bins=bins)
    assert sum(each.rows for each in found.bins) == size
    assert all(each.low - 1e-6 <= each.probability <= each.high + 1e-6 for each in found.bins)
    said = rows.probabilities.max(axis=1) if many else rows.probabilities[:, 1]
    right = rows.truth == (rows.probabilities.argmax(axis=1) if many else 1)
    # the means of all rows are the weighted means of the bins
    assert sum(each.rows * each.probability for each in found.bins) / size == pytest.approx(said.mean())
    assert sum(each.rows * each.share for each in found.bins) / size == pytest.approx(right.mean())
    assert abs(said.mean() - right.mean()) - 1e-9 <= found.error <= 1


def test_honest_probabilities_are_calibrated_and_others_are_not():
    for labels in (("no", "yes"), ("a", "b", "c")):
        assert reliability(rows_of(20_000, 1, labels)).error < 0.02
        assert reliability(rows_of(20_000, 1, labels, honest=False)).error > 0.1


def test_calibration_can_be_asked_for_one_class():
    rows = rows_of(500, 3, ("a", "b", "c"))
    found = reliability(rows, positive="b")
    assert found.of == "of b"
    assert sum(each.rows * each.share for each in found.bins) / 500 == pytest.approx((rows.truth == 1).mean())
    assert reliability(rows).of == "of the most probable class"
    with pytest.raises(BadDataError, match="no class 'x'"):
        reliability(rows, positive="x")
    with pytest.raises(BadDataError, match="one row or more"):
        reliability(rows.at([]))


@settings(max_examples=20)
@given(seed=st.integers(0, 99))
def test_the_coverage_of_all_rows_is_the_mean_of_the_classes(seed):
    rows = rows_of(400, seed, ("a", "b", "c"))
    held_out = rows_of(200, seed + 1, ("a", "b", "c"))
    labels = [held_out.classes[place] for place in held_out.truth]
    sets = calibrated_sets(labels, pd.DataFrame(held_out.probabilities, columns=list(held_out.classes)))
    members = set_members(sets, rows, 0.8)
    found, each = set_coverage(rows, members), list(set_coverage_by_class(rows, members))
    assert [of.group for of in each] == ["a", "b", "c"]
    assert sum(of.rows * of.share for of in each) / 400 == pytest.approx(found.share)
    assert sum(of.rows * of.size for of in each) / 400 == pytest.approx(found.size)


def test_a_class_that_the_model_does_not_know_is_in_no_set():
    rows = classified_rows(["new"] * 40, pd.DataFrame({"a": [0.9] * 40, "b": [0.1] * 40}))
    sets = calibrated_sets(["a"] * 20, pd.DataFrame({"a": [0.9] * 20, "b": [0.1] * 20}))
    members = set_members(sets, rows, 0.9)
    assert members.tolist() == [[True, False, False]] * 40
    assert set_coverage(rows, members).share == 0


def test_a_class_of_few_rows_is_not_told_by_itself():
    rows = classified_rows(["a"] * 30 + ["b"] * 29, pd.DataFrame({"a": [0.9] * 59, "b": [0.1] * 59}))
    (only,) = set_coverage_by_class(rows, rows.probabilities > 0.5)
    assert (only.group, only.rows, only.share) == ("a", 30, 1.0)


def test_a_model_passes_with_enough_coverage_and_not_with_less():
    found = SetCoverage(share=0.85, size=1.25, single=0.75, rows=200)
    good, bad = (set_coverage_check(found, least) for least in (0.85, 0.86))
    assert judge_classifier({"accuracy": 1.0}, others=[good]).passed
    refused = judge_classifier({"accuracy": 1.0}, others=[bad])
    assert refused.reason == "prediction sets: 85.0% inside, 1.25 labels; at least 86% inside is asked for"
    assert bad.measured == {"coverage": 0.85, "set_size": 1.25, "single": 0.75, "rows": 200}


@pytest.mark.parametrize(
    ("share", "rows", "weak"), [(0.62, 700, True), (0.8, 30, False), (0.885, 100_000, False), (0.875, 10**5, True)]
)
def test_weak_is_what_chance_and_two_per_cent_do_not_explain(share, rows, weak):
    assert SetCoverage(share=share, size=1.0, single=1.0, rows=rows).is_weak(0.9) is weak


@settings(max_examples=20)
@given(seed=st.integers(0, 99), size=st.integers(1, 60))
def test_counts_stand_where_the_truth_and_the_prediction_say(seed, size):
    rows = rows_of(size, seed, ("a", "b", "c"))
    counts = np.array(confusion(rows))
    assert counts.sum() == size
    assert np.trace(counts) / size == pytest.approx(classification(rows)["accuracy"])
    assert counts.sum(axis=1).tolist() == np.bincount(rows.truth, minlength=3).tolist()
    shown = drawn(confusion_figure(rows, target="kind"))
    cells = [each for each in shown.boxes if each.tip]
    assert [int(each.tip.split(": ")[1].split()[0]) for each in cells] == counts.ravel().tolist()
    assert [each.kind for each in cells] == ["right" if at % 4 == 0 else "wrong" for at in range(9)]


def test_of_many_classes_the_largest_are_drawn():
    counts = np.diag(range(1, 41)).tolist()
    names = [f"c{place}" for place in range(40)]
    shown = drawn(confusion_chart(counts, names, title="Many"))
    assert len([each for each in shown.boxes if each.tip]) == 25 * 25
    assert "the 25 largest of 40 classes" in str(confusion_chart(counts, names, title="Many"))
    assert "no classes" in confusion_chart([], [], title="None")


def test_the_page_shows_all_of_it_and_fetches_nothing():
    rows = rows_of(300, 4, ("<b>bad", "fine", "good"))
    weak = SetCoverage(share=0.5, size=1.5, single=0.5, rows=100, group="<b>bad")
    whole = SetCoverage(share=0.9, size=1.4, single=0.6, rows=300)
    found = class_page(rows, classification(rows), target="kind", sets=whole, by_class=[weak], notes=["Read on."])
    assert "<b>bad" not in found
    assert "&lt;b&gt;bad" in found
    assert "Weaker than chance and two per cent explain: &lt;b&gt;bad" in found
    assert "Read on." in found
    assert "expected calibration error" in found
    assert "http" not in found.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_a_page_without_sets_says_why():
    rows = rows_of(50, 4)
    found = class_page(rows, classification(rows), target="kind", reason="too few rows were held out")
    assert "too few rows were held out" in found
    assert "gives no prediction sets" in class_page(rows, {}, target="kind")


def test_points_of_the_reliability_drawing_are_its_bins():
    found = reliability(rows_of(400, 2))
    shown = str(reliability_figure(found))
    assert shown.count("<circle") == len(found.bins)
    assert "probability of yes" in shown
