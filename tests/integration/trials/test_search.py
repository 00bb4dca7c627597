"""Searches: the same trials whoever measures them, and nothing lost whatever ends them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.core.record import RunKind, Status
from relet.errors import ComponentError, ReletError, SettingError
from relet.store import Store
from relet.trials.pool import PlannedTrial, TrialResult
from relet.trials.search.question import read_question, timeout_seconds
from relet.trials.search.rounds import SearchOutcome, search
from relet.trials.search.study import Candidate, candidates
from tests.search_project import Hills, Silent
from tests.tiny_project import Tiny


def shape(found: Candidate) -> tuple[Any, ...]:
    """All of a trial that has to be the same whoever measured it."""
    return found.number, dict(found.values), found.outcome, found.folds, found.error, found.beside


def told(hills: Hills, *words: str, trials: int, **more: Any) -> list[tuple[Any, ...]]:
    return [shape(each) for each in hills.imagine(hills.question(*words), trials, **more).trials]


def tune(hills: Hills, *words: str, watch: Silent | None = None) -> SearchOutcome:
    question, wishes = read_question("hills", words)
    return search(question, wishes, watch or Silent())


# the trials


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


# the question


def test_an_override_widens_a_dimension_or_fixes_a_setting(hills: Hills) -> None:
    wide = hills.question("modeling.depth=interval(2,20)", "modeling.kind=square")
    assert [str(each) for each in wide.dimensions] == [
        "modeling.depth: 2 to 20",
        "modeling.rate: 0.001 to 1, on a log scale",
    ]
    assert wide.dimensions[0].kind == "int"
    assert wide.order.overrides == ("modeling.kind=square",)


def test_the_steps_are_those_that_the_measure_needs(hills: Hills) -> None:
    assert hills.question().order.steps == ("draw", "measure")


def test_a_search_is_named_by_all_that_decides_it_and_by_nothing_else(
    hills: Hills, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relet.trials.search.question._check_dimensions", lambda *_: None)
    plain = hills.question().id
    for same in (["trials=3", "workers=1", "timeout=1m"], ["modeling.title=other"], ["search.trials=99"]):
        assert hills.question(*same).id == plain, same
    others = [
        ["search.seed=1"],
        ["search.batch=3"],
        ["search.folds=2"],
        ["search.direction=maximize"],
        ["search.metric=other"],
        ["search.prune=false"],
        ["count=4"],
        ["modeling.kind=square"],
        ["modeling.depth=interval(2,9)"],
        ["model=flat", "search=steep"],
    ]
    named = [hills.question(*words).id for words in others]
    assert len({plain, *named}) == len(others) + 1
    hills.edit("measure.py", "/ 10 + off", "/ 20 + off")
    assert hills.question().id != plain


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["modeling.deepth=interval(1,9)"], r"modeling.deepth.*did you mean modeling.depth"),
        (["modeling.depth=interval(1.5,9)"], r"takes a whole number, got 1.5; write .*int\(interval\(1, 9\)\)"),
        (["modeling.rate=interval(1,1)"], "from a smaller number to a larger one"),
        (["modeling.rate=tag(log,interval(0,1))"], "a log scale starts above 0, got 0"),
        (["modeling.kind=interval(0,1)"], "modeling.kind takes text, got 0.0"),
        (["modeling.title=choice(a,b)"], "nothing that measure measures depends on it"),
        (["model=steep,flat"], "several options of model.*relet run … -m"),
        (["model=flat"], r"nothing to search with model=flat.*search=NAME of steep"),
        (["search.fold=2"], "a search measures every fold"),
        (["steps=draw"], "runs the steps that its measure needs"),
        (["search.batch=0"], "search.batch must be at least 1, got 0"),
        (["search.direction=up"], "there are maximize, minimize"),
        (["search.folds=2,3"], "search.folds: 2, 3: that is the search's own, which no trial changes"),
        (["search.folds=0"], "search.folds must be at least 1"),
        (["trials=0"], "trials must be at least 1"),
        (["trials=many"], "trials takes a whole number, got 'many'"),
        (["workers=0"], "workers must be at least 1"),
        (["timeout=soon"], "timeout takes a span of time above 0, got 'soon'"),
        (["timeout=0s"], "timeout takes a span of time above 0"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_what_is_wrong_is_said_before_anything_runs(hills: Hills, words: list[str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        hills.question(*words)
    assert not (hills.root / ".relet").exists()


def test_a_pipeline_that_measures_no_fold_is_told_what_it_lacks(tiny: Tiny) -> None:
    with pytest.raises(SettingError, match="tiny has no component that measures settings on a fold"):
        read_question("tiny", [])


def test_a_component_alone_is_no_search(hills: Hills) -> None:
    with pytest.raises(SettingError, match="write hills"):
        read_question("hills.measure", [])


def test_without_optuna_the_extra_is_named(hills: Hills, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    monkeypatch.setattr("relet.trials.search.question.prepare", lambda order, **_: Tiny)
    with pytest.raises(SettingError, match=r"pip install 'relet\[tune\]'"):
        hills.question()


def test_a_span_of_time_has_a_unit_or_is_in_seconds() -> None:
    assert [timeout_seconds(each) for each in ("90", "90s", "10m", "2h")] == [90, 90, 600, 7200]


# processes


def everything(store: Store, question_id: str) -> list[tuple[Any, ...]]:
    question = read_question("hills", [])[0]
    logs = [entry for piece in store.journal(question_id).pieces() for entry in piece.logs]
    return [shape(each) for each in candidates(question, logs)]


@pytest.mark.long
def test_one_worker_and_two_give_the_same_trials_and_the_same_winner(hills: Hills) -> None:
    one = tune(hills, "trials=6", "workers=1")
    two = tune(hills, "trials=6", "workers=2", f"store.url={hills.root / 'other'}")
    assert one.status is two.status is Status.FINISHED
    assert one.question.id == two.question.id
    assert [shape(each) for each in one.candidates] == [shape(each) for each in two.candidates]
    assert one.winner and two.winner and shape(one.winner) == shape(two.winner)
    assert [shape(each) for each in one.candidates] == told(hills, trials=6, journal="imagined")


def test_a_search_has_a_record_with_its_trials_below_it(hills: Hills) -> None:
    found = tune(hills, "trials=4", "search.folds=2", "workers=1")
    record = hills.store.run(found.run_id)
    assert found.winner is not None and found.winner.value is not None
    assert (record.kind, record.status, record.job_type) == (RunKind.SEARCH, Status.FINISHED, "search")
    assert record.metrics["loss"] == found.winner.value
    assert record.metrics["default_loss"] == found.candidates[0].value
    assert record.winner == found.winner.runs[-1]
    below = [each for each in hills.store.runs() if each.parent == found.run_id]
    assert {(each.trial, each.overrides[-1]) for each in below} == {
        (number, f"search.fold={fold}") for number in (1, 2, 3, 4) for fold in (1, 2)
    }


@pytest.mark.long
def test_what_is_known_costs_nothing_and_more_trials_go_on_from_it(hills: Hills) -> None:
    tune(hills, "trials=4", "workers=1")
    again = Silent()
    assert tune(hills, "trials=4", "workers=1", watch=again).known == 4
    assert again.folds == []
    more = Silent()
    assert len(tune(hills, "trials=5", "workers=1", watch=more).candidates) == 5
    assert {number for number, _ in more.folds} == {5}


def test_configured_settings_that_fail_end_the_search_at_once(hills: Hills) -> None:
    watch = Silent()
    found = tune(hills, "modeling.kind=broken", "trials=8", "workers=1", watch=watch)
    assert found.status is Status.FAILED and found.exit_status == 1
    assert isinstance(found.error, ComponentError)
    assert "the configured settings can't be measured: measure raised ValueError: no such hill" in str(found.error)
    assert watch.folds == [(1, 1)]
    assert found.candidates == ()


def test_a_metric_that_is_not_measured_is_named_with_those_that_are(hills: Hills) -> None:
    found = tune(hills, "search.metric=los", "trials=4", "workers=1")
    assert found.exit_status == 2
    assert "search.metric is 'los', which measure does not measure: did you mean loss?" in str(found.error)


def test_the_time_that_is_over_ends_what_runs(hills: Hills, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILLS_SLOW", "60")
    clock = time.monotonic
    began, later = clock(), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock() + later[0])

    class Late(Silent):
        """The time is over a second after the first fold has begun."""

        def doing(self, number: int, what: str) -> None:
            if what == "measure":
                threading.Timer(1.0, lambda: later.__setitem__(0, 6000.0)).start()

    found = tune(hills, "trials=4", "workers=2", "timeout=90m", watch=Late())
    assert clock() - began < 40
    assert (found.out_of_time, found.status, found.candidates) == (True, Status.FINISHED, ())
    # written by the trial's own process, which was interrupted rather than killed
    (measuring,) = [each for each in hills.store.runs() if each.component == "measure"]
    assert measuring.status is Status.INTERRUPTED


@pytest.mark.long
def test_a_search_that_is_out_of_time_keeps_whole_batches_and_goes_on_later(
    hills: Hills, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.monotonic
    later = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock() + later[0])

    class Late(Silent):
        """The time is over in the middle of the second batch."""

        def measured(self, number: int, fold: int, found: Any) -> None:
            super().measured(number, fold, found)
            if number == 6:
                later[0] = 10_000

    found = tune(hills, "trials=40", "workers=1", "timeout=90m", watch=Late())
    assert found.out_of_time and found.status is Status.FINISHED and found.exit_status == 0
    assert len(found.candidates) == 4 and found.winner is not None
    whole = Silent()
    found = tune(hills, "trials=8", "workers=1", watch=whole)
    assert [shape(each) for each in found.candidates] == told(hills, trials=8, journal="imagined")


@pytest.mark.long
def test_code_that_is_edited_while_it_is_searched_is_not_mixed(hills: Hills) -> None:
    class Editing(Silent):
        def told(self, found: Any) -> None:
            super().told(found)
            hills.edit("measure.py", "/ 10 + off", "/ 20 + off")

    found = tune(hills, "trials=8", "workers=1", watch=Editing())
    assert found.exit_status == 2
    assert "changed while it was searched" in str(found.error)
    assert len(found.candidates) == 4


COMMAND = (sys.executable, "-m", "relet", "tune", "hills", "workers=2", "--json")


def start(hills: Hills, *words: str, slow: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *words],
        cwd=hills.root,
        env={**os.environ, "HILLS_SLOW": str(slow)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(process: subprocess.Popen[str], event: str, count: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == event:
            count -= 1
            if count == 0:
                return
    raise AssertionError(f"it ended without {event}: {process.communicate()[1]}")


@pytest.mark.long
def test_a_search_that_was_killed_goes_on_and_comes_to_the_same(hills: Hills) -> None:
    expected = told(hills, trials=12, journal="imagined")
    process = start(hills, "trials=12", slow=0.2)
    wait_for(process, "measured", 17)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = {each.trial: each.overrides for each in hills.store.runs() if each.component == "measure"}
    watch = Silent()
    found = tune(hills, "trials=12", "workers=1", watch=watch)
    assert [shape(each) for each in found.candidates] == expected
    assert 0 < found.known < 12
    assert before
    measures = [each for each in hills.store.runs() if each.component == "measure"]
    finished = [each.key for each in measures if each.status is Status.FINISHED]
    assert len(finished) == len(set(finished)), "a fold was measured twice"


@pytest.mark.long
def test_ctrl_c_keeps_what_is_there_and_ends_with_130(hills: Hills) -> None:
    process = start(hills, "trials=12", slow=0.3)
    wait_for(process, "trial", 4)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    last = json.loads(out.splitlines()[-1])
    assert process.returncode == last["exit_status"] == 130
    assert last["status"] == "interrupted" and last["trials"] >= 4
    assert last["winner"] is not None
    found = tune(hills, "trials=12", "workers=2")
    assert [shape(each) for each in found.candidates] == told(hills, trials=12, journal="imagined")


@pytest.mark.long
def test_two_processes_share_a_search_and_lose_nothing(hills: Hills) -> None:
    expected = told(hills, trials=12, journal="imagined")
    first = start(hills, "trials=12", slow=0.4)
    time.sleep(1)
    second = start(hills, "trials=12", "--as", "other", slow=0.4)
    outs = [process.communicate(timeout=110)[0] for process in (first, second)]
    winners = [json.loads(out.splitlines()[-1])["winner"] for out in outs]
    assert winners[0] is not None and {**winners[0], "seconds": 0} == {**winners[1], "seconds": 0}
    found = tune(hills, "trials=12", "workers=1")
    assert found.known == 12
    assert [shape(each) for each in found.candidates] == expected
    measures = [each for each in hills.store.runs() if each.component == "measure"]
    finished = [each.key for each in measures if each.status is Status.FINISHED]
    assert len(finished) == len(set(finished)), "a fold was measured twice"
    # each of the two measured some
    parents = {each.id: each.parent for each in hills.store.runs()}
    assert len({parents[str(each.parent)] for each in measures}) == 2


def test_the_winner_of_a_search_is_the_first_of_equals(hills: Hills) -> None:
    question = hills.question()
    values = {"modeling.depth": 3}
    trials = [
        Candidate(number=number, values=values, outcome="complete", folds=(value,))
        for number, value in ((1, 2.0), (2, 1.0), (3, 1.0))
    ]
    found = SearchOutcome(
        question=question,
        run_id="a",
        status=Status.FINISHED,
        candidates=tuple(trials),
        known=0,
        seconds=0.0,
    )
    assert found.winner is trials[1]
    assert found.default is trials[0]


def test_the_store_says_what_was_searched(hills: Hills) -> None:
    found = tune(hills, "trials=1", "workers=1")
    about = hills.store.journal(found.question.id).about()
    assert about is not None and about["metric"] == "loss"
    assert hills.store.searches() == [found.question.id]
    assert Path(hills.root / ".relet" / "searches").is_dir()
    assert hills.store.verify() == []
