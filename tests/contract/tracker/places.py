"""The trackers that the laws hold for, each with what keeps its runs: started, and stopped again."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from relet.core.record import RunRecord
from relet.tracking import Tracker
from relet.tracking.memory import MemoryTracker
from relet.tracking.mlflow import MlflowTracker
from relet.tracking.wandb import WandbTracker
from relet.tracking.wandb.tracker import WandbMode
from tests.wandb_log import recorded, runs_of


@dataclass(frozen=True)
class Place:
    """A tracker's backing: `open` gives another handle on it, `ids` the tracker's runs that show a record,
    `verdict` what it says of having made the run again, and `curve` a metric's history as (step, value).
    """

    open: Callable[[], Tracker]
    ids: Callable[[Tracker, str], list[str]]
    verdict: Callable[[Tracker, str], str | None]
    curve: Callable[[Tracker, str, str], list[tuple[int, float]]]


@contextmanager
def _memory(_: Path) -> Iterator[Place]:
    tracker = MemoryTracker()
    yield Place(
        open=lambda: tracker,
        ids=lambda _, run_id: [run_id] if run_id in tracker.runs else [],
        verdict=lambda _, run_id: tracker.verdicts.get(run_id),
        curve=lambda _, run_id, name: list(tracker.curves[run_id][name].points),
    )


def _mlflow(uri: str, artifacts: Path | None) -> Place:
    return Place(
        open=lambda: MlflowTracker(uri, artifacts=artifacts),
        ids=lambda tracker, id: [r.info.run_id for r in runs(tracker, id)],
        verdict=lambda tracker, id: runs(tracker, id)[0].data.tags.get("relet.reproduction"),
        curve=_mlflow_history,
    )


def _mlflow_history(tracker: Tracker, run_id: str, name: str) -> list[tuple[int, float]]:
    assert isinstance(tracker, MlflowTracker)
    (found,) = runs(tracker, run_id)
    history = tracker._client().get_metric_history(found.info.run_id, name)
    return sorted((each.step, each.value) for each in history)


@contextmanager
def _sqlite(folder: Path) -> Iterator[Place]:
    yield _mlflow(f"sqlite:///{folder}/mlflow.db", folder / "mlruns")


@contextmanager
def _server(folder: Path) -> Iterator[Place]:
    port = free_port()
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *command,
                "--backend-store-uri",
                f"sqlite:///{folder}/server.db",
                "--artifacts-destination",
                folder / "files",
            ],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + 60
        while not _answers(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None and time.monotonic() < until, (folder / "server.log").read_text()[-2000:]
            time.sleep(0.2)
        yield _mlflow(f"http://127.0.0.1:{port}", None)
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def _postgres(folder: Path) -> Iterator[Place]:
    driver = next((each for each in ("psycopg", "psycopg2") if importlib.util.find_spec(each)), None)
    if driver is None:
        pytest.skip("neither psycopg nor psycopg2 is installed, through which MLflow speaks to PostgreSQL")
    found = [shutil.which("initdb"), *map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    initdb = next((each for each in found if each), None)
    if initdb is None:
        pytest.skip("there is no PostgreSQL on this machine")
    # initdb refuses to run as root, so that another user is needed there.
    user: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    data, port = Path(f"/tmp/relet-postgres-{os.getpid()}"), free_port()
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(data, "nobody", "nogroup")
    run = {"check": True, "cwd": data, "capture_output": True, "timeout": 60, **user}
    control = str(Path(initdb).with_name("pg_ctl"))
    try:
        subprocess.run([initdb, "-D", data / "db", "-U", "relet", "--auth", "trust", "--no-sync"], **run)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} -c fsync=off"
        subprocess.run([control, "-D", data / "db", "-o", options, "-l", data / "log", "-w", "start"], **run)
        try:
            uri = f"postgresql+{driver}://relet@127.0.0.1:{port}/postgres"
            yield _mlflow(uri, folder / "mlruns")
        finally:
            subprocess.run([control, "-D", data / "db", "-m", "immediate", "stop"], **run)
    finally:
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def _wandb(folder: Path) -> Iterator[Place]:
    pytest.importorskip("wandb", reason="wandb is not installed")
    runs = folder / "wandb"
    yield Place(
        open=lambda: WandbTracker(runs, mode=WandbMode.OFFLINE),
        ids=lambda _, id: [path.name for path in runs_of(runs, id)],
        verdict=lambda _, id: recorded(runs, id).config["relet"].get("reproduction"),
        curve=lambda _, id, name: [
            (row["steps/rounds"], row[name]) for row in recorded(runs, id).history if name in row
        ],
    )


PLACES = {"memory": _memory, "sqlite": _sqlite, "server": _server, "postgres": _postgres, "wandb": _wandb}
LONG = [pytest.param(name, marks=[pytest.mark.long, pytest.mark.timeout(300)]) for name in ("server", "postgres")]
MLFLOW = ["sqlite", *LONG]


def runs(tracker: Tracker, run_id: str) -> list[Any]:
    assert isinstance(tracker, MlflowTracker)
    client = tracker._client()
    experiments = [each.experiment_id for each in client.search_experiments()]
    return list(client.search_runs(experiments, f"tags.`relet.run_id` = '{run_id}'"))


def the_run(tracker: Tracker, record: RunRecord) -> Any:
    assert isinstance(tracker, MlflowTracker)
    (found,) = runs(tracker, record.id)
    return tracker._client().get_run(found.info.run_id)
