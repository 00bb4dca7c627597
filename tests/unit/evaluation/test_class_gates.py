"""Gates of classifiers: what passes, what does not, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.core.artifact import Check
from relet.errors import SettingError
from relet.evaluation.class_gates import judge_classifier

GOOD = {"log_loss": 0.4, "accuracy": 0.8, "roc_auc": 0.9}


@given(limit=st.floats(0, 1))
def test_a_metric_at_its_limit_passes_and_beyond_it_does_not(limit):
    verdict = judge_classifier(GOOD, least={"accuracy": limit}, most={"log_loss": limit})
    assert [each.passed for each in verdict.checks] == [limit <= 0.8, limit >= 0.4]
    assert verdict.passed is (0.4 <= limit <= 0.8)


@pytest.mark.parametrize(("by", "value", "passed"), [("log_loss", 0.41, False), ("log_loss", 0.408, True)])
def test_a_classifier_may_be_worse_than_the_champion_by_so_much(by, value, passed):
    verdict = judge_classifier({**GOOD, by: value}, champion=GOOD, max_worse=1.02, compared_by=by)
    assert verdict.passed is passed
    assert passed or verdict.reason == "log loss 0.4100, the champion's is 0.4000; up to 1.02 times as bad passes"


def test_a_better_one_passes_also_by_a_metric_of_which_more_is_better():
    for auc, passed in ((0.99, True), (0.9, True), (0.83, True), (0.81, False)):
        verdict = judge_classifier({**GOOD, "roc_auc": auc}, champion=GOOD, max_worse=1.1, compared_by="roc_auc")
        assert verdict.passed is passed, auc


def test_what_was_not_measured_passes_nothing():
    assert not judge_classifier({**GOOD, "roc_auc": float("nan")}, least={"roc_auc": 0.0}).passed
    with pytest.raises(SettingError, match="asks for 'acuracy', which was not measured: did you mean accuracy"):
        judge_classifier(GOOD, least={"acuracy": 0.5})
    with pytest.raises(SettingError, match="compared by 'total'"):
        judge_classifier({**GOOD, "total": 1.0}, champion={"total": 1.0}, compared_by="total")


def test_a_limit_on_the_wrong_side_is_refused():
    with pytest.raises(
        SettingError, match=r"log_loss has a gate of at least 0\.5, but less of it is better: set most"
    ):
        judge_classifier(GOOD, least={"log_loss": 0.5})
    with pytest.raises(
        SettingError, match=r"accuracy has a gate of at most 0\.5, but more of it is better: set least"
    ):
        judge_classifier(GOOD, most={"accuracy": 0.5})


def test_other_checks_count_and_their_messages_are_the_reason():
    fails = Check(name="coverage", passed=False, message="too few inside")
    assert judge_classifier(GOOD, others=[fails]).reason == "too few inside"
    assert judge_classifier(GOOD).reason == "accuracy 0.800, log loss 0.400"
