"""The record of a run from its beginning to its end, and who sends it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relet.core.record import Status
from relet.engine import recording
from relet.errors import NotFoundError
from relet.project.job import Job, TrialIdentity
from relet.project.order import read_order
from relet.project.request import prepare
from tests.tiny_project import Tiny


class Courier:
    """Notes that it was started and finished."""

    def __init__(self) -> None:
        self.started: list[tuple[str, ...]] = []
        self.patience: list[float] = []

    def start(self, store_url: str, place: Any, trackers: tuple[str, ...]) -> Courier:
        self.started.append(trackers)
        return self

    def finish(self, patience: float) -> tuple[str, ...]:
        self.patience.append(patience)
        return ("delivered",)


@pytest.fixture
def courier(monkeypatch: pytest.MonkeyPatch) -> Courier:
    courier = Courier()
    monkeypatch.setattr("relet.tracking.courier.start", courier.start)
    return courier


@pytest.fixture
def job(tiny: Tiny) -> Job:
    return replace(prepare(read_order("tiny", [])), trackers=("mlflow", "wandb"))


def test_a_record_is_stored_and_pending_for_each_tracker_from_its_beginning(job: Job, courier: Courier) -> None:
    run = recording.begin(job, parameters={"get": {"a": 1}})
    stored = job.store.run(run.record.id)
    assert (stored.status, stored.ended, stored.parameters) == (Status.RUNNING, None, {"get": {"a": 1}})
    assert stored.machine and stored.pipeline == "tiny"
    assert all(list(job.store.pending(each)) == [run.record.id] for each in ("mlflow", "wandb"))
    assert courier.started == [("mlflow", "wandb")]


def test_the_end_is_stored_pending_and_waited_for(job: Job, courier: Courier) -> None:
    run = recording.begin(job)
    for tracker in job.trackers:
        job.store.done(tracker, run.record.id)
    assert recording.end(run, patience=3.0, status=Status.FAILED, message="why") == ("delivered",)
    stored = job.store.run(run.record.id)
    assert (stored.status, stored.message, stored.ended is not None) == (Status.FAILED, "why", True)
    assert list(job.store.pending("wandb")) == [run.record.id]
    assert courier.patience == [3.0]


def test_a_run_with_nothing_to_do_is_recorded_at_its_end_and_starts_no_courier(job: Job, courier: Courier) -> None:
    run = recording.begin(job, announced=False)
    with pytest.raises(NotFoundError):
        job.store.run(run.record.id)
    assert recording.end(run, patience=3.0, status=Status.FINISHED) == ()
    assert job.store.run(run.record.id).status is Status.FINISHED
    assert courier.started == []


def test_the_courier_of_a_trial_is_that_of_its_sweep(job: Job, courier: Courier) -> None:
    part = TrialIdentity(run_id="trial", parent="sweep", number=1)
    run = recording.begin(replace(job, part=part))
    assert (run.courier, courier.started) == (None, [])
    assert list(job.store.pending("mlflow")) == [run.record.id]


def test_a_run_that_was_killed_is_closed_and_one_that_has_ended_stays_as_it_is(job: Job, courier: Courier) -> None:
    run = recording.begin(job)
    assert recording.close(job, run.record.id, Status.INTERRUPTED, "it was killed")
    closed = job.store.run(run.record.id)
    assert (closed.status, closed.message) == (Status.INTERRUPTED, "it was killed")
    assert recording.close(job, run.record.id, Status.FAILED, "again")
    assert job.store.run(run.record.id) == closed
    assert not recording.close(job, "20260101T000000000000-00000000", Status.FAILED, "it never began")
