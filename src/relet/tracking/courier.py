"""Starts one process per tracker, which sends a run's records, and waits for these processes after the run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from relet.errors import ReletError
from relet.files import remove_left_scratch, scratch_prefix, try_flock

# Settings of mlflow: print little, give up soon, send no telemetry. What the user has set wins.
ENVIRONMENT = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

# -P: a file called mlflow.py in the project must not be taken for mlflow.
PROGRAM = (sys.executable, "-P", "-m", "relet.tracking.deliver")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a tracker has after a run: `queued` records were not sent, for this reason, and wait for `relet sync`.

    `log` holds the output of the tracker's process; it is kept only where something went wrong.
    """

    tracker: str
    queued: int = 0
    reason: str = ""
    log: Path | None = None

    @property
    def complete(self) -> bool:
        return not self.queued and not self.reason


@dataclass(frozen=True, kw_only=True)
class _TrackerProcess:
    tracker: str
    log: Path
    process: subprocess.Popen[bytes]


@dataclass(frozen=True, kw_only=True)
class Courier:
    """The processes of a run's trackers; `failures` has an entry for each tracker whose process did not start."""

    store_url: str
    processes: tuple[_TrackerProcess, ...]
    failures: tuple[Delivery, ...] = ()

    def finish(self, patience: float = 20) -> tuple[Delivery, ...]:
        """Wait until all records are sent, `patience` seconds for all trackers together; the rest stays queued."""
        for each in self.processes:
            _tell_to_end(each.process)
        until = time.monotonic() + patience
        ended = tuple(self._end(each, until, patience) for each in self.processes)
        return (*self.failures, *ended)

    def _end(self, each: _TrackerProcess, until: float, patience: float) -> Delivery:
        try:
            status = each.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            _stop(each.process)
            reason = f"{each.tracker} was not done {patience:g} s after the run"
        else:
            if status == 0:
                each.log.unlink(missing_ok=True)
                return Delivery(tracker=each.tracker)
            reason = _last_line(each.log) or f"its process ended with status {status}"
        queued = _queued_count(self.store_url, each.tracker)
        return Delivery(tracker=each.tracker, queued=queued, reason=reason, log=each.log)


def start(store_url: str, project_root: Path, trackers: Sequence[str]) -> Courier:
    """Start one process per tracker and return at once. A tracker that fails raises nothing here."""
    processes: list[_TrackerProcess] = []
    failures: list[Delivery] = []
    for tracker in trackers:
        if store_url.startswith("memory:"):
            reason = "no other process sees a store in memory; send it with relet.tracking.outbox.deliver"
            failures.append(Delivery(tracker=tracker, reason=reason))
            continue
        try:
            processes.append(_start(store_url, project_root, tracker))
        except OSError as error:
            reason = f"the tracker's process can't be started: {error}"
            failures.append(Delivery(tracker=tracker, queued=_queued_count(store_url, tracker), reason=reason))
    return Courier(store_url=store_url, processes=tuple(processes), failures=tuple(failures))


def _start(store_url: str, project_root: Path, tracker: str) -> _TrackerProcess:
    remove_left_scratch(Path(tempfile.gettempdir()))
    descriptor, log = tempfile.mkstemp(prefix=scratch_prefix(tracker), suffix=".log")
    try:
        # The lock passes to the process with its output: as long as it lives, nobody removes the log.
        try_flock(descriptor)
        # A session of its own: Ctrl-C in the terminal ends the run, and this process sends the remaining records.
        process = subprocess.Popen(
            [*PROGRAM, "--store", store_url, "--project-root", str(project_root.absolute()), "--tracker", tracker],
            stdin=subprocess.PIPE,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            env=_deliverer_environment(),
        )
    except OSError:
        Path(log).unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    return _TrackerProcess(tracker=tracker, log=Path(log), process=process)


def _deliverer_environment() -> dict[str, str]:
    # A program that itself uses W&B sets this variable: its service is not for this process.
    return ENVIRONMENT | {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}


def _tell_to_end(process: subprocess.Popen[bytes]) -> None:
    """Write to the process's input, then close it; closing alone does not end a pipe that a fork holds open."""
    assert process.stdin is not None
    try:
        process.stdin.write(b"end\n")
        process.stdin.close()
    except OSError:
        pass  # The process has ended already.


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _queued_count(store_url: str, tracker: str) -> int:
    """How many records wait for a tracker; 0 where the store can't be read."""
    from relet.store import open_store

    try:
        return len(list(open_store(store_url).pending(tracker)))
    except ReletError:
        return 0
