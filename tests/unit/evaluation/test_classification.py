"""Metrics of classes: equal to scikit-learn's, whatever the labels are, and beside a baseline."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression

from relet.errors import BadDataError, ModelError
from relet.evaluation.classification import (
    class_checks,
    class_slice_checks,
    classification,
    measures_by_class,
)
from relet.evaluation.classified import classified_by, classified_rows, share_baseline
from relet.training.model import Model

LABELS = {
    "texts": ("bad", "fine", "good"),
    "whole numbers": (-3, 7, 9),
    "truth values": (False, True),
    "numbers": (0.5, 2.0),
    "texts of two": ("no", "yes"),
}


@st.composite
def drawn(draw, kind=None):
    """Labels in the order of a model, true labels of some rows, and their probabilities."""
    labels = LABELS[kind or draw(st.sampled_from(sorted(LABELS)))]
    size = draw(st.integers(len(labels), 40))
    truth = draw(st.lists(st.sampled_from(labels), min_size=size, max_size=size))
    # each class occurs
    truth[: len(labels)] = labels
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    probabilities = random.dirichlet([draw(st.sampled_from([0.3, 1.0, 5.0]))] * len(labels), size)
    return labels, truth, pd.DataFrame(probabilities, columns=list(labels))


@settings(max_examples=20)
@given(drawn())
def test_metrics_are_scikit_learns(found):
    labels, truth, shares = found
    got = classification(classified_rows(truth, shares))
    names = [str(labels.index(each)) for each in truth]
    order = [str(place) for place in range(len(labels))]
    best = [order[place] for place in shares.to_numpy().argmax(axis=1)]
    assert got["log_loss"] == pytest.approx(theirs.log_loss(names, shares, labels=order))
    assert got["brier"] == pytest.approx(theirs.brier_score_loss(names, shares, labels=order))
    assert got["accuracy"] == pytest.approx(theirs.accuracy_score(names, best))
    assert got["f1_macro"] == pytest.approx(theirs.f1_score(names, best, average="macro", zero_division=0))
    assert got["balanced_accuracy"] == pytest.approx(theirs.balanced_accuracy_score(names, best))
    if len(labels) == 2:
        of = np.array(names) == "1"
        assert got["roc_auc"] == pytest.approx(theirs.roc_auc_score(of, shares.iloc[:, 1]))
        assert got["average_precision"] == pytest.approx(theirs.average_precision_score(of, shares.iloc[:, 1]))
    else:
        auc = theirs.roc_auc_score(names, shares, multi_class="ovr", labels=order)
        assert got["roc_auc"] == pytest.approx(auc)
        one_hot = np.array([[name == each for each in order] for name in names])
        assert got["average_precision"] == pytest.approx(theirs.average_precision_score(one_hot, shares))


@settings(max_examples=20)
@given(drawn(), st.randoms())
def test_neither_the_order_of_rows_nor_the_names_of_classes_matter(found, random):
    labels, truth, shares = found
    order = list(range(len(truth)))
    random.shuffle(order)
    renamed = dict(zip(labels, ("x", "y", "z"), strict=False))
    other = classified_rows(
        [renamed[truth[place]] for place in order],
        shares.iloc[order].rename(columns=renamed).reset_index(drop=True),
    )
    expected = classification(classified_rows(truth, shares))
    assert classification(other) == pytest.approx(expected)


@settings(max_examples=20)
@given(drawn(kind="texts of two"))
def test_the_positive_class_is_the_second_unless_another_is_named(found):
    _, truth, shares = found
    rows = classified_rows(truth, shares)
    assert classification(rows) == classification(rows, positive="yes")
    of = [each == "no" for each in truth]
    precision = theirs.average_precision_score(of, shares["no"])
    assert classification(rows, positive="no")["average_precision"] == pytest.approx(precision)
    with pytest.raises(BadDataError, match="no class 'yess': did you mean yes"):
        classification(rows, positive="yess")


@settings(max_examples=20)
@given(drawn())
def test_measures_of_each_class_are_scikit_learns(found):
    labels, truth, shares = found
    rows = classified_rows(truth, shares)
    report = theirs.classification_report(rows.truth, rows.predicted, output_dict=True, zero_division=0)
    for place, each in enumerate(measures_by_class(rows)):
        expected = report[str(place)]
        assert (each.label, each.rows) == (labels[place], expected["support"])
        assert (each.precision, each.recall, each.f1) == pytest.approx(
            (expected["precision"], expected["recall"], expected["f1-score"])
        )
    assert sum(each.predicted for each in measures_by_class(rows)) == len(truth)


@settings(max_examples=20)
@given(drawn())
def test_the_shares_of_the_training_rows_are_the_best_that_knows_no_column(found):
    labels, truth, _ = found
    base = classification(share_baseline(truth, truth, labels))
    assert base["roc_auc"] == 0.5
    for name in ("log_loss", "brier"):
        other = classification(share_baseline([*truth, labels[0]], truth, labels))
        assert base[name] <= other[name] + 1e-12


def test_a_class_that_the_model_does_not_know_counts_as_missed_and_warns_nobody():
    shares = pd.DataFrame({"a": [0.5, 0.25, 1.0], "b": [0.5, 0.75, 0.0]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = classification(classified_rows(["a", "b", "new"], shares))
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["log_loss"] > 10
    assert found["brier"] == pytest.approx((0.5 + 0.125 + 2) / 3 / 2)


def test_where_one_class_occurs_nothing_is_ranked():
    shares = pd.DataFrame({"a": [0.5, 0.25], "b": [0.5, 0.75]})
    found = classification(classified_rows(["a", "a"], shares))
    assert np.isnan([found["roc_auc"], found["average_precision"]]).all()
    assert found["balanced_accuracy"] == 0.5
    (check,) = class_slice_checks(classified_rows(["a"] * 40, shares.loc[[0] * 40]), pd.DataFrame({"x": [1] * 40}))
    assert "roc_auc" not in check.measured


def test_a_model_is_measured_by_the_labels_that_it_predicts():
    rows = pd.DataFrame({"x": np.linspace(-1, 1, 60)}).assign(kind=["low"] * 20 + ["middle"] * 20 + ["high"] * 20)
    rows["kind"] = rows["kind"].astype("str")
    fitted = LogisticRegression().fit(rows[["x"]], rows["kind"])
    model = Model(pipeline=fitted, example=rows[["x"]].head(2), target="kind")
    found = classified_by(model, rows)
    assert found.classes == ("high", "low", "middle")
    assert classification(found)["accuracy"] == fitted.score(rows[["x"]], rows["kind"])
    with pytest.raises(BadDataError, match="no column 'kind'"):
        classified_by(model, rows[["x"]])


def test_slices_and_classes_inform_and_small_groups_are_left_out():
    shares = pd.DataFrame({"no": [0.8] * 43, "yes": [0.2] * 43})
    rows = classified_rows(["no"] * 30 + ["yes"] * 13, shares)
    (only,) = class_slice_checks(rows, pd.DataFrame({"place": ["a"] * 40 + ["b"] * 3}))
    assert (only.name, only.passed, only.measured["rows"]) == ("place = a", True, 40)
    assert only.message == "accuracy 0.750, log loss 0.570 on 40 rows"
    no, yes = class_checks(rows, "left")
    assert (no.name, no.message) == (
        "left = no",
        "F1 0.822: 100% of 30 rows found, 69.8% of 43 predicted rows right",
    )
    assert (yes.passed, yes.measured["recall"]) == (True, 0.0)


@pytest.mark.parametrize(
    ("truth", "shares", "message"),
    [
        (["a", None], {"a": [1.0, 1.0], "b": [0.0, 0.0]}, "1 of 2 rows have no true class"),
        (["a"], {"a": [1.0, 1.0], "b": [0.0, 0.0]}, "1 true classes, and probabilities of 2 rows"),
        (["a"], {"a": [1.0]}, "two classes or more"),
    ],
)
def test_rows_that_can_not_be_compared_are_refused(truth, shares, message):
    with pytest.raises(BadDataError, match=message):
        classified_rows(truth, pd.DataFrame(shares))


def test_no_rows_are_not_measured():
    with pytest.raises(BadDataError, match="one row or more"):
        classification(classified_rows([], pd.DataFrame({"a": [], "b": []})))


def test_a_regression_has_no_classes():
    rows = pd.DataFrame({"x": [0.0, 1.0], "kind": [0.5, 1.5]})
    model = Model(pipeline=LinearRegression().fit(rows[["x"]], rows["kind"]), example=rows[["x"]], target="kind")
    with pytest.raises(ModelError, match="gives no probabilities: its estimator predicts numbers"):
        classified_by(model, rows)
