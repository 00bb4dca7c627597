"""Searches as they run: recorded, killed, out of time, shared, and nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from relet.core.record import RunKind, Status
from relet.errors import ComponentError
from relet.store import Store
from relet.trials.search.question import read_question
from relet.trials.search.rounds import SearchOutcome
from relet.trials.search.study import Candidate, candidates
from tests.integration.trials.searches import shape, told, tune
from tests.search_project import Hills, Silent


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
