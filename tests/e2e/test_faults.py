"""What a run survives: an end at any of its writes, kills, and another run beside it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relet.store import open_store
from tests.stored import enter_what_a_kill_left
from tests.sums_project import FILES
from tests.written_project import write_files

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("faults_driver.py")
SMALL = ("etl.rows=2000", "data_check.min_rows=1000", "modeling.boosted.n_estimators=5", "tracking=[]")
KILLS = 8
# How far apart the writes lie at which a run of the flagship is ended: each run of it takes seconds.
APART = 9


def wrong_after_ends(project: Path, pipeline: str, when: str, scratch: Path, *, apart: int = 1) -> object:
    """What was wrong after a run that was ended at a write, by the number of the write."""
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(project), pipeline, str(scratch), when, "1", str(apart)],
        capture_output=True,
        text=True,
        timeout=800,
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["writes"] > 40
    return found["wrong"]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_ends_at_any_write_breaks_nothing_and_goes_on(when: str, tmp_path: Path) -> None:
    write_files(tmp_path / "project", FILES)
    assert wrong_after_ends(tmp_path / "project", "sums", when, tmp_path) == {}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_of_the_flagship_that_ends_at_a_write_breaks_nothing_and_goes_on(when: str, tmp_path: Path) -> None:
    assert wrong_after_ends(ROOT, "nyc_rentals", when, tmp_path, apart=APART) == {}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    return tmp_path


def started(project: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "relet", "run", "nyc_rentals", *SMALL, *words]
    return subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.mark.timeout(600)
def test_eight_kills_break_nothing_and_the_next_run_completes(project: Path) -> None:
    began = time.monotonic()
    whole = started(project)
    whole.communicate(timeout=120)
    length = time.monotonic() - began
    chance = random.Random(7)
    killed = 0
    for number in range(KILLS):
        # other parameters, so that there is something to run each time
        run = started(project, f"etl.max_price={300 - number}")
        time.sleep(length * chance.uniform(0.2, 0.95))
        killed += run.poll() is None
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=60)
        assert enter_what_a_kill_left(open_store(project / ".relet")) == []
    assert killed >= KILLS // 2
    last = started(project, f"etl.max_price={300 - KILLS + 1}")
    said, _ = last.communicate(timeout=120)
    assert last.returncode == 0, said.decode()
    assert open_store(project / ".relet").verify() == []
    again = started(project, f"etl.max_price={300 - KILLS + 1}")
    said, _ = again.communicate(timeout=120)
    assert b"0 run, 6 skipped" in said


@pytest.mark.timeout(300)
def test_two_runs_started_together_lose_no_version_and_double_no_number(project: Path) -> None:
    runs = [started(project, f"etl.max_price={price}") for price in (340, 330)]
    for run in runs:
        said, _ = run.communicate(timeout=200)
        assert run.returncode == 0, said.decode()
    store = open_store(project / ".relet")
    assert store.verify() == []
    versions = store.versions("clean_sample")
    assert [version.number for version in versions] == [1, 2]
    assert len({version.content for version in versions}) == 2
