"""The process that records with W&B's client. Nothing leaves the machine."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relet.store import Store, open_store
from relet.tracking import courier
from relet.tracking.outbox import deliver
from relet.tracking.wandb import ledger, upload
from relet.tracking.wandb.tracker import WandbMode, WandbTracker
from tests.command import relet
from tests.integration.tracking.wandb_client.records import artifact, component_run, pipeline_run
from tests.tiny_project import Tiny
from tests.wandb_log import recorded, runs_of
from tests.wandb_server import serving

pytest.importorskip("wandb", reason="wandb is not installed")


def cores() -> set[int]:
    """W&B's service processes on this machine that have not ended."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"wandb-core"):
            found.add(int(entry.name))
    return found


def gone(pids: set[int], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while cores() & pids:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def started_by(parent: int) -> set[int]:
    return {
        pid for pid in cores() if str(parent).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    }


def eventually(what: Callable[[], Any], seconds: float = 30) -> Any:
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def test_starting_and_parting_imports_no_wandb() -> None:
    modules = "relet.tracking.courier, relet.tracking.outbox, relet.tracking.wandb, relet.cli"
    code = f"import {modules}, sys; print('wandb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.long
def test_a_run_is_recorded_by_a_process_that_says_nothing_sends_nothing_and_leaves_nothing_running(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # The service of a program around this one, which uses W&B itself, is not ours.
    monkeypatch.setenv("WANDB_SERVICE", "2-1-unix-/nowhere")
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        threading.Thread(target=lambda: connections.append(proxy.accept()), daemon=True).start()
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "http_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        started = courier.start(store.url, tmp_path, ["wandb"])
        process = started.processes[0].process
        record = component_run(store, pipeline_run(store), metrics={"mae": 1.0})
        mine = eventually(lambda: started_by(process.pid))
        (delivery,) = started.finish()
    assert delivery.complete and not connections
    assert recorded(tmp_path / "wandb", record.id).summary["mae"] == 1.0
    assert gone(mine) and capfd.readouterr() == ("", "")


@pytest.mark.long
def test_wandb_sync_uploads_what_was_recorded_with_who_made_and_who_used_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    _, link = artifact(store, "sample", "table", {"table.parquet": b"rows"}, description="What came.")
    parent = pipeline_run(store)
    user = component_run(store, parent, inputs={"sample": link}, metrics={"mae": 1.0})
    maker = component_run(store, parent, outputs={"sample": link}, job_type="get_data")
    (tmp_path / "current").mkdir()
    monkeypatch.chdir(tmp_path / "current")
    with serving() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        report = deliver(store, WandbTracker(tmp_path / "wandb"))
    assert (report.passed_on, report.failed) == ("3 runs uploaded by wandb sync", None)
    assert not list((tmp_path / "current").iterdir())
    # The first word on a run is the whole of it; another says what changed.
    runs = {said["name"]: said for said in reversed(server.heard("UpsertBucket"))}
    assert runs.keys() == {parent.id, user.id, maker.id}
    assert (runs[maker.id]["groupName"], runs[maker.id]["jobType"]) == ("prices", "get_data")
    assert runs[maker.id]["project"] == "rentals"
    first, second = server.heard("CreateArtifact")
    # Who uses an artifact brings it, too, and does not pass for its maker.
    assert (first["runName"], second["runName"]) == (maker.id, None)
    assert first["digest"] == second["digest"]
    assert {each["alias"] for each in first["aliases"]} == {"latest", "relet-v1"}
    assert (first["artifactTypeName"], first["description"]) == ("table", "What came.")
    assert server.uploads["/artifact/table.parquet"] == b"rows"
    (use,) = server.heard("UseArtifact")
    assert (use["runName"], use["artifactID"]) == (user.id, first["digest"])
    # The user's, who comes last.
    assert b'"mae":1' in server.uploads["/run/wandb-summary.json"]


@pytest.mark.long
def test_a_pipeline_is_run_with_both_trackers_and_sync_says_where_wandbs_runs_are(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    status, out, _ = relet(capsys, "run", "tiny", "tracking=[mlflow,wandb]")
    assert status == 0 and "tracked in wandb" in out and (tiny.root / "mlflow.db").exists()
    store = open_store(tiny.root / ".relet")
    records = list(store.runs())
    assert not store.pending("wandb") and len(records) == 5
    found = {record.component or "": recorded(tiny.root / "wandb", record.id) for record in records}
    assert found["train"].config["factor"] == 2.0 and found["train"].summary["mae"] == 11
    assert found["train"].summary["drawing"]["_type"] == "html-file"
    assert found["train"].artifacts["clean_sample"].use_after_commit
    assert {"latest", "reference"} <= set(found["clean"].artifacts["clean_sample"].aliases)
    assert found["train"].run.run_group == "tiny" and found[""].run.job_type == "pipeline"
    status, out, _ = relet(capsys, "sync")
    assert status == 0
    assert re.search(r"^wandb: 0 sent; 5 runs are kept in .*wandb; log in with `wandb login`", out, re.MULTILINE)
    status, out, _ = relet(capsys, "run", "tiny", "tracking=wandb")
    assert status == 0 and "4 skipped" in out


@pytest.mark.long
def test_wandb_sync_ends_by_itself_where_no_server_answers_and_nobody_waits_for_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline_run(store)
    deliver(store, WandbTracker(tmp_path / "wandb", mode=WandbMode.OFFLINE))
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    folders = [str(path.parent) for path in (tmp_path / "wandb").glob("offline-run-*/*.wandb")]
    # W&B's own client tries a dead port for days.
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", upload.PROGRAM, "4", "sync", *folders],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    services = eventually(lambda: started_by(process.pid))
    assert process.wait(30) == -signal.SIGALRM
    assert gone(services) and len(ledger.waiting_entries(tmp_path / "wandb")) == 1


@pytest.mark.long
def test_killing_the_process_leaves_no_service_and_loses_nothing(store: Store, tmp_path: Path) -> None:
    records = [pipeline_run(store) for _ in range(6)]
    started = courier.start(store.url, tmp_path, ["wandb"])
    process = started.processes[0].process
    mine = eventually(lambda: started_by(process.pid))
    eventually(lambda: len(store.pending("wandb")) < 5)
    process.kill()
    (delivery,) = started.finish()
    assert delivery.queued == len(store.pending("wandb"))
    assert gone(mine)
    (delivery,) = courier.start(store.url, tmp_path, ["wandb"]).finish(patience=60)
    assert delivery.complete
    assert all(len(runs_of(tmp_path / "wandb", each.id)) == 1 for each in records)


@pytest.mark.long
def test_a_service_that_hangs_costs_the_patience_and_no_more(store: Store, tmp_path: Path) -> None:
    pipeline_run(store)
    started = courier.start(store.url, tmp_path, ["wandb"])
    process = started.processes[0].process
    (service,) = eventually(lambda: started_by(process.pid))
    os.kill(service, signal.SIGSTOP)
    pipeline_run(store)
    began = time.monotonic()
    (delivery,) = started.finish(patience=3)
    assert time.monotonic() - began < 6
    os.kill(service, signal.SIGCONT)
    assert delivery.queued >= 1 and "3 s" in delivery.reason and gone({service})


@pytest.mark.long
def test_without_the_extra_a_runs_own_report_says_what_to_install(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline_run(store)
    without = "import sys; sys.modules['wandb'] = None; from relet.tracking.deliver import main; sys.exit(main())"
    monkeypatch.setattr(courier, "PROGRAM", (sys.executable, "-c", without))
    (delivery,) = courier.start(store.url, tmp_path, ["wandb"]).finish()
    assert delivery.queued == 1 and "pip install 'relet[wandb]'" in delivery.reason
