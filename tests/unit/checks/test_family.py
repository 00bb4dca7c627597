"""The tests of a session are one family: corrected together, with a floor on the effect."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from relet.checks.family import CORRECTIONS, FamilyRules, SubmittedOutcome, correct_p_values, judge_family
from relet.checks.statistics import chi_square, kolmogorov_smirnov, kullback_leibler, mann_whitney
from relet.checks.statistics.outcome import TwoSampleOutcome
from relet.errors import BadDataError, SettingError

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)

WITH_P = kolmogorov_smirnov(list(range(100)), list(range(100)))
DIVERGENCE = kullback_leibler(["a", "a", "b"], ["a", "b"])


def entry(p_value: float, effect: float = 0.5, **more: Any) -> SubmittedOutcome:
    return SubmittedOutcome(
        node="test_a", outcome=replace(WITH_P, p_value=p_value, effect=effect, statistic=effect), **more
    )


def rejected(entries: list[SubmittedOutcome], **rules: Any) -> list[bool]:
    return [each.rejected for each in judge_family(entries, FamilyRules(**rules))]


def test_a_worked_example() -> None:
    p_values = [0.01, 0.04, 0.03, 0.005]
    assert correct_p_values(p_values, "bonferroni") == pytest.approx((0.04, 0.16, 0.12, 0.02))
    assert correct_p_values(p_values, "holm") == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert correct_p_values(p_values, "sidak") == pytest.approx([1 - (1 - p) ** 4 for p in p_values])
    assert correct_p_values(p_values, "benjamini-hochberg") == pytest.approx((0.02, 0.04, 0.04, 0.02))
    assert correct_p_values([], "holm") == ()


@settings(deadline=None)
@given(P_VALUES)
def test_corrected_p_values_are_no_smaller_and_in_the_same_order(p_values: list[float]) -> None:
    for method in CORRECTIONS:
        adjusted = correct_p_values(p_values, method)
        assert all(p <= a * (1 + 1e-12) + 1e-300 and a <= 1 for p, a in zip(p_values, adjusted, strict=True)), (
            method
        )
        order = np.argsort(p_values, kind="stable")
        assert (np.diff(np.array(adjusted)[order]) >= -1e-12).all(), method


@settings(deadline=None)
@given(P_VALUES)
def test_what_is_stricter_stays_stricter(p_values: list[float]) -> None:
    bonferroni, holm, sidak, hochberg = (
        np.array(correct_p_values(p_values, each))
        for each in ("bonferroni", "holm", "sidak", "benjamini-hochberg")
    )
    assert (holm <= bonferroni + 1e-12).all() and (sidak <= bonferroni + 1e-12).all()
    assert (hochberg <= holm + 1e-12).all()
    assert hochberg == pytest.approx(stats.false_discovery_control(p_values))


@settings(deadline=None)
@given(P_VALUES, st.floats(0.001, 0.5))
def test_holm_rejects_by_adjusted_p_values_what_it_rejects_step_by_step(
    p_values: list[float], alpha: float
) -> None:
    standing = sorted(p_values)
    while standing and standing[0] * len(standing) <= alpha:
        standing.pop(0)
    assert sum(p <= alpha for p in correct_p_values(p_values, "holm")) == len(p_values) - len(standing)


@pytest.mark.parametrize("method", CORRECTIONS)
def test_the_family_raises_as_many_false_alarms_as_alpha_says(method: str) -> None:
    families = np.random.default_rng(2).random((4_000, 10))
    alarms = sum(min(correct_p_values(each.tolist(), method)) <= 0.05 for each in families)
    low, high = stats.binomtest(alarms, len(families)).proportion_ci(0.999)
    assert low <= 0.05 and high >= 0.045
    assert (families.min(axis=1) <= 0.05).mean() > 0.3  # uncorrected


def test_the_same_p_value_is_rejected_alone_and_not_among_others() -> None:
    assert rejected([entry(0.02)]) == [True]
    assert rejected([entry(0.02), entry(0.5), entry(0.9)]) == [False] * 3
    assert rejected([entry(0.02), entry(0.5), entry(0.9)], alpha=0.1) == [True, False, False]
    assert rejected([entry(0.03), entry(0.04)], correction="benjamini-hochberg") == [True, True]
    assert rejected([entry(0.03), entry(0.04)]) == [False, False]


def test_an_effect_below_the_floor_is_let_pass_and_said_so() -> None:
    small, large = entry(1e-9, 0.049), entry(1e-9, 0.051)
    assert rejected([small, large], min_effect=0.05) == [False, True]
    assert rejected([small, large], min_effect=0.0) == [True, True]
    own = [small, entry(1e-9, 0.051, floor=0.2), entry(1e-9, 0.01, floor=0.0)]
    assert rejected(own, min_effect=0.05) == [False, False, True]
    assert rejected([entry(1e-9, -0.2), entry(1e-9, 0.05)], min_effect=0.05) == [True, True]
    (judged,) = judge_family([small], FamilyRules(min_effect=0.05))
    assert "That is hardly chance, but a D below 0.05 is let pass." in judged.sentence


def test_a_divergence_is_judged_by_its_threshold_and_is_no_member_of_the_family() -> None:
    near = SubmittedOutcome(node="test_a", outcome=DIVERGENCE, threshold=0.2)
    far = replace(near, threshold=0.01)
    assert rejected([near, far, entry(0.04)]) == [False, True, True]
    passed, failed, _ = judge_family([near, far, entry(0.04)], FamilyRules())
    assert passed.adjusted is None and passed.measured()["p_value"] is None
    assert "not more than the 0.2 bits that is allowed" in passed.sentence
    assert "more than the 0.01 bits that is allowed" in failed.sentence and failed.measured()["floor"] == 0.01
    infinite = SubmittedOutcome(node="test_a", outcome=kullback_leibler(["a"], ["b"]), threshold=0.2)
    (judged,) = judge_family([infinite], FamilyRules())
    assert judged.rejected and judged.measured()["effect"] is None
    json.dumps(judged.measured(), allow_nan=False)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"alpha": 0.0}, "alpha must lie between 0 and 1, got 0"),
        ({"alpha": 5}, "alpha must lie between 0 and 1, got 5"),
        ({"correction": "hlm"}, "no correction 'hlm'; did you mean holm"),
        ({"min_effect": -1}, "min_effect must be a number from 0 up, got -1"),
        ({"min_effect": float("nan")}, "min_effect must be a number from 0 up, got nan"),
    ],
)
def test_rules_that_cannot_be_are_refused(rules: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        FamilyRules(**rules)


def test_rules_are_taken_from_the_hyperparameters_of_these_names() -> None:
    assert FamilyRules.of({"alpha": 0.01, "kl_threshold": 3, "correction": None}) == FamilyRules(alpha=0.01)


def test_an_entry_that_cannot_be_judged_is_refused() -> None:
    with pytest.raises(SettingError, match=r"kullback_leibler has no p-value: .*threshold="):
        SubmittedOutcome(node="a", outcome=DIVERGENCE)
    with pytest.raises(SettingError, match="judged by its p-value: threshold= is for divergences"):
        SubmittedOutcome(node="a", outcome=WITH_P, threshold=0.2)
    with pytest.raises(SettingError, match="floor must be a number from 0 up"):
        SubmittedOutcome(node="a", outcome=WITH_P, floor=-0.1)


def test_what_is_no_probability_is_refused() -> None:
    for p_values in ([0.5, 1.5], [float("nan")], [-0.1]):
        with pytest.raises(BadDataError, match="lies between 0 and 1"):
            correct_p_values(p_values)
    with pytest.raises(SettingError, match="did you mean sidak"):
        correct_p_values([0.5], "sidac")


def test_what_is_detectable_is_said_at_the_level_that_the_family_holds_a_test_to() -> None:
    one, other = chi_square(["a", "b"] * 50, ["a", "b"] * 50), mann_whitney(range(50), range(50))
    judged = judge_family(
        [SubmittedOutcome(node="a", outcome=one), SubmittedOutcome(node="b", outcome=other)], FamilyRules()
    )
    for each, outcome in zip(judged, (one, other), strict=True):
        assert each.outcome.detectable == replace(outcome, alpha=0.025).detectable
        assert (each.outcome.detectable or 0) > (outcome.detectable or 0)
    (alone,) = judge_family([SubmittedOutcome(node="a", outcome=one)], FamilyRules())
    assert alone.outcome.detectable == one.detectable
    sidak = judge_family([SubmittedOutcome(node="a", outcome=one)] * 2, FamilyRules(correction="sidak"))
    assert sidak[0].outcome.alpha == pytest.approx(1 - 0.95**0.5)


def test_a_judgement_is_kept_as_json_with_its_sentence() -> None:
    (judged,) = judge_family(
        [SubmittedOutcome(node="a", outcome=chi_square(["a", "b"] * 500, ["a", "a", "b"] * 400))], FamilyRules()
    )
    kept = json.loads(json.dumps(judged.measured(), allow_nan=False))
    assert kept == judged.measured()
    named = "test null alternative statistic p_value adjusted effect effect_name floor detectable sizes alpha "
    assert set((named + "correction rejected sentence").split()) <= set(kept)
    assert kept["sizes"] == [1000, 1200] and kept["rejected"] and kept["adjusted"] == kept["p_value"]
    assert kept["sentence"] == (
        "H0: the column has the reference's shares. χ² = 62.7, Cramér's V 0.169, with 1,000 and 1,200 rows: as "
        "far apart or further in fewer than 0.001% of such pairs if H0 holds (Holm: 2.4e-15); a Cramér's V of "
        "0.06 would have been seen with 80% power. H0 is rejected."
    )


def test_an_entry_survives_json() -> None:
    for each in (entry(0.3, floor=0.1), SubmittedOutcome(node="b", outcome=DIVERGENCE, threshold=0.2)):
        back = SubmittedOutcome.from_json(json.loads(json.dumps(each.to_json())))
        assert back == each and isinstance(back.outcome, TwoSampleOutcome)
