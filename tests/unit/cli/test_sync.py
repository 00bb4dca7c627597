"""`relet sync`, as a person meets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from relet.core.record import RunRecord
from relet.errors import TrackerError
from relet.store import Store, open_store
from relet.tracking.memory import MemoryTracker
from tests.command import relet
from tests.experiment_store import pipeline_run


class Unreachable(MemoryTracker):
    """A tracker that nothing can be sent to."""

    def send(self, record: RunRecord, store: Store) -> None:
        raise TrackerError("nobody answers")


Place = Callable[..., None]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with a run that waits for the trackers `first` and `second`."""
    (tmp_path / "pipelines").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELET_STORE", str(tmp_path / "store"))
    found = open_store(tmp_path / "store")
    record = pipeline_run(1)
    found.put_run(record)
    for name in ("first", "second"):
        found.put_pending(name, record.id)
    return found


@pytest.fixture
def trackers(monkeypatch: pytest.MonkeyPatch) -> Place:
    """From the call on, there are these trackers and no others."""

    def place(**found: MemoryTracker) -> None:
        for name, each in found.items():
            each.name = name
        openers = {name: lambda _, each=each: each for name, each in found.items()}
        monkeypatch.setattr("relet.tracking.TRACKERS", openers)

    return place


def test_what_waits_is_sent_to_every_tracker_and_then_nothing_waits(
    store: Store, trackers: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    trackers(first=MemoryTracker(), second=MemoryTracker())
    assert relet(capsys, "sync") == (0, "first: 1 sent\nsecond: 1 sent\n", "")
    assert relet(capsys, "sync") == (0, "first: nothing waits\nsecond: nothing waits\n", "")


def test_a_tracker_that_is_down_keeps_what_waits_and_sync_ends_with_1(
    store: Store, trackers: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    trackers(first=Unreachable(), second=MemoryTracker())
    status, out, _ = relet(capsys, "sync")
    assert (status, out) == (1, "first: 0 sent, 1 wait: nobody answers\nsecond: 1 sent\n")
    assert len(store.pending("first")) == 1 and store.pending("second") == []
    trackers(first=MemoryTracker(), second=MemoryTracker())
    assert relet(capsys, "sync")[:2] == (0, "first: 1 sent\nsecond: nothing waits\n")


def test_only_the_named_tracker_is_sent_what_waits(
    store: Store, trackers: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    trackers(first=Unreachable(), second=MemoryTracker())
    assert relet(capsys, "sync", "--tracker", "second") == (0, "second: 1 sent\n", "")
    assert len(store.pending("first")) == 1
