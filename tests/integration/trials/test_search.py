"""Searches: the same trials whoever measures them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.core.record import Status
from relet.errors import ComponentError, ReletError
from relet.trials.pool import PlannedTrial, TrialResult
from relet.trials.search.study import candidates
from tests.integration.trials.searches import shape, told
from tests.search_project import Hills


def test_a_search_finds_the_top_of_the_hill(hills: Hills) -> None:
    found = hills.imagine(hills.question(), 32).trials
    whole = [each for each in found if each.value is not None]
    assert min(each.value or 9 for each in whole) < 0.1
    assert found[0].values == {"modeling.depth": 3, "modeling.kind": "round", "modeling.rate": 0.5}
    assert any(each.outcome == "pruned" and len(each.folds) < 3 for each in found)


def test_the_first_trials_of_a_long_search_are_those_of_a_short_one(hills: Hills) -> None:
    long = told(hills, trials=9, journal="long")
    for trials in (1, 4, 6):
        assert told(hills, trials=trials, journal=f"short{trials}") == long[:trials]


@pytest.mark.long
def test_a_search_that_goes_on_asks_what_one_in_one_go_would_have(hills: Hills) -> None:
    whole = told(hills, trials=10, journal="whole")
    pieces = [told(hills, trials=trials, journal="pieces") for trials in (3, 6, 10)]
    # a batch that was cut short is told again, whole
    assert pieces == [whole[:3], whole[:6], whole[4:]]


@pytest.mark.long
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000), batch=st.integers(3, 5))
def test_the_order_in_which_trials_end_changes_nothing(hills: Hills, seed: int, batch: int) -> None:
    words = (f"search.seed={seed}", f"search.batch={batch}")
    name = f"s{seed}b{batch}"
    forwards = told(hills, *words, trials=6, journal=f"{name}f")
    # where the same example comes again, its journals are there already, and nothing is told
    assert told(hills, *words, trials=6, journal=f"{name}b", backwards=True) == forwards


@pytest.mark.long
def test_each_batch_has_a_seed_of_its_own_that_the_seed_of_the_search_decides(
    hills: Hills, monkeypatch: pytest.MonkeyPatch
) -> None:
    import optuna

    seeds: list[int] = []
    sampler = optuna.samplers.TPESampler

    def seen(**options: Any) -> optuna.samplers.TPESampler:
        # a study that is opened to be read has a sampler without a seed
        seeds.extend([options["seed"]] if "seed" in options else [])
        return sampler(**options)

    monkeypatch.setattr(optuna.samplers, "TPESampler", seen)
    hills.imagine(hills.question(), 12, journal="one")
    of_one, seeds[:] = list(seeds), []
    hills.imagine(hills.question(), 12, journal="other")
    assert seeds == of_one
    assert len(set(of_one)) == 3
    seeds.clear()
    hills.imagine(hills.question("search.seed=43"), 12)
    assert not set(seeds) & set(of_one)


def test_another_seed_asks_for_other_points(hills: Hills) -> None:
    one, other = told(hills, trials=4), told(hills, "search.seed=43", trials=4)
    assert one[0] == other[0]
    assert one[1:] != other[1:]


def test_pruning_can_be_left_out(hills: Hills) -> None:
    found = told(hills, "search.prune=false", trials=24)
    assert {each[2] for each in found} == {"complete"}


def test_the_batch_that_was_stored_first_counts(hills: Hills) -> None:
    question = hills.question()
    first = hills.imagine(question, 4).trials
    journal = hills.store.journal(question.id)
    (piece,) = journal.pieces()
    assert not journal.append(1, 4, [])
    assert [shape(each) for each in candidates(question, piece.logs)] == [shape(each) for each in first]


def test_a_trial_that_fails_is_told_as_failed_and_the_others_go_on(hills: Hills) -> None:
    words = ("modeling.kind=choice(round,broken)",)
    found = told(hills, *words, trials=12)
    failed = [each for each in found if each[2] == "failed"]
    assert failed and all(each[4] == "measure raised ValueError: no such hill" for each in failed)
    assert found[0][2] == "complete"
    assert told(hills, *words, trials=12, journal="again") == found


@pytest.mark.parametrize(
    ("error", "exit_status", "run_id"),
    [("its process was ended by SIGKILL, 2 times", 1, "a"), ("the disk is full", 2, "a"), ("no store", 1, None)],
)
@pytest.mark.sampled
def test_what_may_not_come_again_is_never_told(
    hills: Hills, error: str, exit_status: int, run_id: str | None
) -> None:
    def lost(trial: PlannedTrial) -> TrialResult | None:
        status = Status.FAILED
        told = TrialResult(trial=trial, run_id=run_id, status=status, error=error, exit_status=exit_status)
        told = replace(told, lost=error.startswith("its process"))
        return told if trial.number == 3 else None

    question = hills.question()
    with pytest.raises(ReletError, match=f"trial 3 .*{error}.*the same command goes on"):
        hills.imagine(question, 4, instead=lost)
    assert hills.store.journal(question.id).pieces() == []
    assert told(hills, trials=4) == told(hills, trials=4, journal="unbroken")


def test_a_number_that_is_none_is_a_failed_trial(hills: Hills) -> None:
    def endless(trial: PlannedTrial) -> TrialResult | None:
        metrics = {"loss": float("nan")}
        told = TrialResult(trial=trial, run_id="a", status=Status.FINISHED, metrics=metrics)
        return told if trial.number == 3 else None

    found = told(hills, trials=4, instead=endless)
    assert [each[2] for each in found] == ["complete", "complete", "failed", "complete"]
    assert found[2][4] == "loss is nan"


def test_a_batch_that_fails_as_a_whole_is_never_told(hills: Hills) -> None:
    def broken(trial: PlannedTrial) -> TrialResult | None:
        told = TrialResult(trial=trial, run_id="a", status=Status.FAILED, error="no network", exit_status=1)
        return told if trial.number > 4 else None

    question = hills.question()
    with pytest.raises(ComponentError, match=r"every trial of a batch failed.*no network"):
        hills.imagine(question, 8, instead=broken)
    assert [each.number for each in hills.store.journal(question.id).pieces()] == [1]


def test_a_batch_of_two_that_both_fail_on_a_later_fold_is_never_told_either(hills: Hills) -> None:
    def broken(trial: PlannedTrial) -> TrialResult | None:
        told = TrialResult(trial=trial, run_id="a", status=Status.FAILED, error="no network", exit_status=1)
        return told if "search.fold=2" in trial.overrides else None

    question = hills.question("search.batch=2", "search.prune=false")
    with pytest.raises(ComponentError, match=r"every trial of a batch failed.*no network"):
        hills.imagine(question, 2, instead=broken)
    assert hills.store.journal(question.id).pieces() == []


def test_a_refusal_is_a_failed_trial(hills: Hills) -> None:
    def refused(trial: PlannedTrial) -> TrialResult | None:
        told = TrialResult(trial=trial, run_id="a", status=Status.STOPPED, error="check says no", exit_status=3)
        return told if trial.number == 2 else None

    assert told(hills, trials=4, instead=refused)[1][2:5] == ("failed", (), "check says no")


def test_configured_settings_outside_the_space_are_measured_beside_it(hills: Hills) -> None:
    question = hills.question("modeling.depth=interval(6,9)")
    found = hills.imagine(question, 9).trials
    assert found[0].beside and found[0].value is not None and found[0].values["modeling.depth"] == 3
    assert all(6 <= int(str(each.values["modeling.depth"])) <= 9 for each in found[1:])


def test_a_number_keeps_four_digits_and_is_run_as_it_is_told(hills: Hills) -> None:
    for each in hills.imagine(hills.question(), 8).trials:
        rate = each.values["modeling.rate"]
        assert isinstance(rate, float) and float(f"{rate:.4g}") == rate
