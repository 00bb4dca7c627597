"""A sweep as a person runs it: killed, interrupted, started again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relet.core.record import Status
from tests.sums_project import Sums

pytestmark = pytest.mark.long
SCALES = "scale=1,2,3,4,5,6"
RELET = (sys.executable, "-P", "-m", "relet")


@pytest.fixture
def slow(sums: Sums) -> Sums:
    """A project whose trials take a second each."""
    conf = sums.path("conf/config.yaml")
    conf.write_text(conf.read_text() + "search: {metric: total, direction: minimize}\n")
    sums.edit("add.py", "value = scale", "import time; time.sleep(1)\n    value = scale")
    return sums


def started(project: Sums, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*RELET, "run", "sums", "-m", SCALES, "workers=2", *words],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def added(project: Sums) -> Counter[float]:
    """How often each scale was added with to the end."""
    return Counter(
        each.parameters["scale"]
        for each in project.store.runs()
        if each.component == "add" and each.status is Status.FINISHED
    )


def at_work_in(folder: Path) -> list[int]:
    """The processes whose current folder is this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder and int(process.name) != os.getpid():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def done(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    said, errors = process.communicate(timeout=90)
    assert process.returncode == 0, errors
    return [json.loads(line) for line in said.splitlines()]


def trials(said: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {each["trial"]: each for each in said if each["event"] == "trial"}


def test_a_sweep_that_was_killed_and_is_started_again_runs_only_the_trials_that_are_missing(slow: Sums) -> None:
    killed = started(slow)
    until(lambda: len(added(slow)) >= 2)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=30)
    # the trials' processes see that nobody listens any more
    until(lambda: at_work_in(slow.root) == [], 15)
    finished = set(added(slow))
    assert 2 <= len(finished) < 6
    again = trials(done(started(slow, "--json")))
    assert {each["overrides"][0]: each["ran"] for each in again.values()} == {
        f"scale={scale}": [] if scale in finished else ["add"] for scale in range(1, 7)
    }
    assert added(slow) == dict.fromkeys(range(1, 7), 1)


def test_a_worker_that_is_killed_costs_nothing_but_its_time(slow: Sums) -> None:
    sweep = started(slow, "--json")
    until(lambda: len(added(slow)) >= 1)
    workers = [pid for pid in at_work_in(slow.root) if pid != sweep.pid and b"trials" in cmdline(pid)]
    os.kill(workers[0], signal.SIGKILL)
    found = trials(done(sweep))
    assert {each["status"] for each in found.values()} == {"finished"}
    assert added(slow) == dict.fromkeys(range(1, 7), 1)


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_ctrl_c_shows_what_there_is_and_leaves_no_process(slow: Sums) -> None:
    sweep = started(slow)
    until(lambda: len(added(slow)) >= 2)
    os.killpg(sweep.pid, signal.SIGINT)
    said, errors = sweep.communicate(timeout=30)
    assert sweep.returncode == 130, errors
    assert "interrupted; every finished trial is kept" in said
    assert "Traceback" not in errors
    assert len([line for line in said.splitlines() if "  finished  " in line]) >= 2
    assert at_work_in(slow.root) == []


def test_two_sweeps_at_once_share_what_they_have_in_common(slow: Sums) -> None:
    both = [started(slow, "--json") for _ in range(2)]
    for each in both:
        assert len(trials(done(each))) == 6
    assert added(slow) == dict.fromkeys(range(1, 7), 1)


def test_mlflow_shows_the_sweep_its_trials_and_their_steps_nested(slow: Sums) -> None:
    said = done(started(slow, "--json", "tracking=[mlflow]"))
    assert [each["reason"] for each in said[-1]["trackers"]] == [""]
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{slow.root}/mlflow.db")
    experiment = client.get_experiment_by_name("sums")
    assert experiment is not None
    runs = {each.data.tags["relet.run_id"]: each for each in client.search_runs([experiment.experiment_id])}
    kinds = Counter(each.data.tags["relet.kind"] for each in runs.values())
    assert kinds == {"sweep": 1, "pipeline": 6, "component": 7}
    by_id = {each.info.run_id: each for each in runs.values()}
    below = {"pipeline": "sweep", "component": "pipeline"}
    for each in runs.values():
        kind = each.data.tags["relet.kind"]
        if kind in below:
            above = by_id[each.data.tags["mlflow.parentRunId"]]
            assert above.data.tags["relet.kind"] == below[kind]
    trial = runs[trials(said)[3]["run"]]
    assert (trial.info.run_name, trial.data.metrics["total"]) == ("3 scale=3", trials(said)[3]["metrics"]["total"])
    assert runs[said[-1]["run"]].data.metrics == runs[said[-1]["winner"]["run"]].data.metrics
