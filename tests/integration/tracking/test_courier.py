"""The process that mirrors a run: it never stalls the run, and what it can't send stays queued."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from relet.core.record import RunRecord, Status, new_run_id, now
from relet.store import Store, open_store
from relet.tracking import courier, open_tracker
from relet.tracking.outbox import deliver


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "logs").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "logs"))


def program(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(courier, "PROGRAM", (sys.executable, "-c", text))


def waiting(store: Store, count: int = 1) -> list[str]:
    ids = []
    for _ in range(count):
        record = RunRecord(
            id=new_run_id(), pipeline="p", experiment="e", status=Status.FINISHED, started=now(), ended=now()
        )
        store.put_run(record)
        store.put_pending("mlflow", record.id)
        ids.append(record.id)
    return ids


def test_a_process_that_sends_all_leaves_no_log(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program(monkeypatch, "import sys; print('noise'); print('more', file=sys.stderr); sys.stdin.read()")
    (delivery,) = courier.start(store.url, tmp_path, ["mlflow"]).finish()
    assert delivery.complete and not list((tmp_path / "logs").iterdir())
    assert capfd.readouterr() == ("", "")


def test_a_process_that_fails_gives_its_last_line_as_the_reason(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(store, 2)
    program(monkeypatch, "import sys; print('first'); print('the server is down', file=sys.stderr); sys.exit(1)")
    (delivery,) = courier.start(store.url, tmp_path, ["mlflow"]).finish()
    assert (delivery.queued, delivery.reason, delivery.complete) == (2, "the server is down", False)
    assert delivery.log is not None and "first" in delivery.log.read_text()


@pytest.mark.parametrize("ignores", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN);"])
def test_a_process_that_hangs_costs_the_patience_and_no_more(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ignores: str
) -> None:
    waiting(store)
    program(monkeypatch, f"import signal, time; {ignores} time.sleep(60)")
    started = courier.start(store.url, tmp_path, ["mlflow"])
    time.sleep(0.3)
    began = time.monotonic()
    (delivery,) = started.finish(patience=0.5)
    assert time.monotonic() - began < 3
    assert delivery.queued == 1 and "0.5 s" in delivery.reason
    assert started.processes[0].process.poll() is not None


def test_several_trackers_share_one_patience(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(monkeypatch, "import time; time.sleep(60)")
    started = courier.start(store.url, tmp_path, ["mlflow", "other", "third"])
    began = time.monotonic()
    assert len(started.finish(patience=0.5)) == 3
    assert time.monotonic() - began < 2


def test_a_process_that_can_not_start_is_a_reason_and_no_error(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(store)
    monkeypatch.setattr(courier, "PROGRAM", (str(tmp_path / "nowhere"),))
    (delivery,) = courier.start(store.url, tmp_path, ["mlflow"]).finish()
    assert delivery.queued == 1 and "can't be started" in delivery.reason


def test_a_store_in_memory_is_not_for_another_process(tmp_path: Path) -> None:
    (delivery,) = courier.start("memory://", tmp_path, ["mlflow"]).finish()
    assert "memory" in delivery.reason


def test_an_unknown_tracker_is_told_by_the_process(store: Store, tmp_path: Path) -> None:
    (delivery,) = courier.start(store.url, tmp_path, ["mlfow"]).finish()
    assert "did you mean mlflow" in delivery.reason


def test_starting_and_parting_imports_no_mlflow(store: Store) -> None:
    modules = "relet.tracking.courier, relet.tracking.outbox, relet.tracking.mlflow"
    code = f"import {modules}, sys; print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.long
def test_a_run_is_mirrored_while_it_goes_on(store: Store, tmp_path: Path) -> None:
    started = courier.start(store.url, tmp_path, ["mlflow"])
    waiting(store, 3)
    until = time.monotonic() + 60
    while store.pending("mlflow"):
        assert time.monotonic() < until
        time.sleep(0.1)
    waiting(store)
    began = time.monotonic()
    (delivery,) = started.finish()
    assert delivery.complete and time.monotonic() - began < 5
    assert (tmp_path / "mlflow.db").exists() and not store.pending("mlflow")


@pytest.mark.long
def test_killing_the_process_loses_nothing(store: Store, tmp_path: Path) -> None:
    ids = waiting(store, 12)
    for _ in range(2):
        started = courier.start(store.url, tmp_path, ["mlflow"])
        left, until = len(store.pending("mlflow")), time.monotonic() + 60
        while len(store.pending("mlflow")) > left - 2 and time.monotonic() < until:
            time.sleep(0.005)
        os.kill(started.processes[0].process.pid, signal.SIGKILL)
        (delivery,) = started.finish()
        assert delivery.queued == len(store.pending("mlflow"))
    tracker = open_tracker("mlflow", tmp_path)
    assert deliver(store, tracker).waiting == 0
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("e")
    found = client.search_runs([experiment.experiment_id])
    assert sorted(run.data.tags["relet.run_id"] for run in found) == ids
    assert {run.info.status for run in found} == {"FINISHED"}


@pytest.fixture
def hanging() -> Iterator[str]:
    """A server that accepts and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(20)
        held: list[socket.socket] = []

        def accept() -> None:
            try:
                while True:
                    held.append(listener.accept()[0])
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for each in held:
            each.close()


@pytest.mark.long
def test_a_server_that_never_answers_costs_the_patience(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hanging: str
) -> None:
    waiting(store)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", hanging)
    started = courier.start(store.url, tmp_path, ["mlflow"])
    began = time.monotonic()
    (delivery,) = started.finish(patience=6)
    assert time.monotonic() - began < 8
    assert delivery.queued == 1 and delivery.reason


@pytest.mark.long
def test_a_dead_port_fails_fast_and_names_the_setting(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(store)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    (delivery,) = courier.start(store.url, tmp_path, ["mlflow"]).finish(patience=60)
    assert delivery.queued == 1
    assert "http://127.0.0.1:9" in delivery.reason and "MLFLOW_TRACKING_URI" in delivery.reason


@pytest.mark.long
def test_the_process_ends_by_itself_when_the_run_was_killed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hanging: str
) -> None:
    waiting(store)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", hanging)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    monkeypatch.setattr(courier, "PROGRAM", (*courier.PROGRAM, "--linger", "1"))
    process = courier.start(store.url, tmp_path, ["mlflow"]).processes[0].process
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(40) != 0
    assert len(store.pending("mlflow")) == 1
