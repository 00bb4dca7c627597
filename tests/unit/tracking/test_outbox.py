"""What waits for a tracker is sent once, and nothing is lost when it can't be."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from relet.core.record import RunRecord, Status, new_run_id
from relet.errors import SettingError, TrackerError
from relet.store import Store, open_store
from relet.tracking import RefusedError, Tracker, open_tracker
from relet.tracking.lease import lease
from relet.tracking.memory import MemoryTracker
from relet.tracking.outbox import deliver


class Troubled(MemoryTracker):
    """Raises `error` for the runs in `bad`, or for all."""

    def __init__(self, error: Exception, bad: set[str] | None = None) -> None:
        super().__init__()
        self.error, self.bad = error, bad

    def send(self, record: RunRecord, store: Store) -> None:
        if self.bad is None or record.id in self.bad:
            raise self.error
        super().send(record, store)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def waiting(store: Store) -> RunRecord:
    record = RunRecord(
        id=new_run_id(), pipeline="p", experiment="e", status=Status.FINISHED, started="2026-01-01T00:00:00+00:00"
    )
    store.put_run(record)
    store.put_pending("memory", record.id)
    return record


def test_the_oldest_is_sent_first(store: Store) -> None:
    records = [waiting(store) for _ in range(3)]
    tracker = MemoryTracker()
    assert deliver(store, tracker).sent == tuple(record.id for record in records)
    assert list(tracker.runs) == [record.id for record in records]


def test_a_tracker_that_is_down_leaves_everything_waiting_until_it_is_back(store: Store) -> None:
    records = [waiting(store) for _ in range(3)]
    said: list[str] = []
    report = deliver(store, Troubled(TrackerError("nobody answers")), log=said.append)
    assert (report.sent, report.waiting, report.failed) == ((), 3, "nobody answers")
    assert str(report) == "0 sent, 3 wait: nobody answers" and said == ["nobody answers"]
    assert deliver(store, MemoryTracker()).sent == tuple(record.id for record in records)


@pytest.mark.parametrize("error", [RefusedError("no"), ValueError("ours"), KeyError("ours")])
def test_one_record_that_can_not_be_sent_does_not_keep_the_others_back(store: Store, error: Exception) -> None:
    first, second = waiting(store), waiting(store)
    report = deliver(store, Troubled(error, {first.id}))
    assert report.sent == (second.id,)
    assert list(report.refused) == store.pending("memory") == [first.id]


def test_a_record_that_changed_while_it_was_sent_is_sent_again(store: Store) -> None:
    record = waiting(store)

    class Meanwhile(MemoryTracker):
        def send(self, sent: RunRecord, store: Store) -> None:
            super().send(sent, store)
            if sent.message != "ended":
                other = open_store(store.url)
                other.put_run(replace(record, message="ended"))
                other.put_pending("memory", record.id)

    tracker = Meanwhile()
    assert deliver(store, tracker).waiting == 1
    assert deliver(store, tracker).waiting == 0
    assert tracker.runs[record.id].message == "ended"


def test_a_run_whose_record_is_gone_leaves_the_outbox(store: Store) -> None:
    store.put_pending("memory", "20260101T000000000000-0000")
    assert deliver(store, MemoryTracker()).waiting == 0


def test_a_deliverer_waits_for_another_and_says_so_when_it_takes_too_long(store: Store) -> None:
    waiting(store)
    with lease(store.url, "memory", wait=0):
        report = deliver(store, MemoryTracker(), wait=0.05)
    assert report.waiting == 1
    assert report.failed == (
        f"memory: another process (id {os.getpid()}) is sending what waits; waited 0.05 s for it"
    )
    assert deliver(store, MemoryTracker(), wait=0.05).failed is None


def _hold(url: str, held: multiprocessing.synchronize.Event) -> None:
    with lease(url, "memory", wait=0):
        held.set()
        signal.pause()


def test_the_lease_of_a_killed_deliverer_is_free_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # the other process imports this module by its name
    monkeypatch.syspath_prepend(Path(__file__).parents[3])
    waiting(store)
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=_hold, args=(store.url, held))
    holder.start()
    assert held.wait(30)
    assert deliver(store, MemoryTracker(), wait=0).failed
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    assert deliver(store, MemoryTracker(), wait=0).failed is None


@pytest.mark.parametrize("url", ["memory://", "s3://bucket/prefix"])
def test_a_lease_needs_no_folder_of_the_store(url: str) -> None:
    with lease(url, "memory", wait=0), pytest.raises(TrackerError), lease(url, "memory", wait=0):
        pass


def test_an_alias_of_a_model_is_mirrored_and_latest_is_not() -> None:
    store = open_store("memory://")
    run = waiting(store)
    sha = store.put_object(b"model")
    version = store.add_version(name="model", type="model", content=sha, files={"MLmodel": sha}, producer=run.id)
    for alias in ("prod", "latest"):
        store.set_alias("model", alias, version.number, by="test", why="test")
    tracker = MemoryTracker()
    tracker.models["p_model"] = [sha]
    deliver(store, tracker)
    assert tracker.aliases == {("p_model", "prod"): sha}


def test_an_unknown_tracker_is_named_with_the_nearest_known_one(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="did you mean mlflow"):
        open_tracker("mlfow", tmp_path)


def test_the_tracker_in_memory_is_a_tracker() -> None:
    assert isinstance(MemoryTracker(), Tracker)
