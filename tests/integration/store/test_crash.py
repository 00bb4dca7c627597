"""Processes that are killed, and processes that write at the same time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relet.store import open_store
from tests.stored import enter_what_a_kill_left

WRITER = """
import sys
from relet.core.record import ArtifactLink, RunRecord, Status
from relet.store import open_store

store, me, steps = open_store(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
for step in range(steps):
    rows = f"{me}/{step}".encode() * 5_000
    sha = store.put_object(rows)
    version = store.add_version(name="sample", type="file", content=sha, files={"data.csv": sha})
    link = ArtifactLink(version=str(version), type="file", content=sha)
    facts = {"pipeline": "p", "experiment": "e", "status": Status.FINISHED, "started": "2026-01-01T00:00:00"}
    store.put_run(RunRecord(id=f"{me}-{step}", key=f"{me}-{step}", outputs={"sample": link}, **facts))
    store.set_alias("sample", "latest", version.number, by=me, why="")
    store.put_key(f"{me}-{step}", {"sample": str(version)})
    store.put_pending("mlflow", f"{me}-{step}")
    print(version.number, step, flush=True)
"""


def start(url: str, me: str, steps: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, url, me, str(steps)], stdout=subprocess.PIPE, text=True)


@pytest.mark.long
def test_eight_kills_break_nothing_and_lose_nothing_that_was_said_to_be_stored(tmp_path: Path) -> None:
    url = str(tmp_path / "store")
    dice = random.Random(8)
    said: dict[int, str] = {}
    for attempt in range(8):
        writer = start(url, f"w{attempt}", 100_000)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(dice.uniform(0.01, 0.15))
        os.kill(writer.pid, signal.SIGKILL)
        for line in writer.communicate()[0].splitlines():
            number, _, step = line.partition(" ")
            if step:
                assert said.setdefault(int(number), f"w{attempt}/{step}") == f"w{attempt}/{step}"
        store = open_store(url)
        assert enter_what_a_kill_left(store) == []
    assert len(said) > 8
    stored = {version.number: version for version in store.versions("sample")}
    for number, text in said.items():
        assert store.read_object(stored[number].files["data.csv"]) == text.encode() * 5_000
        assert store.key(text.replace("/", "-")) == {"sample": f"sample:v{number}"}


def test_processes_that_write_at_once_never_share_a_number_and_lose_none(tmp_path: Path) -> None:
    url = str(tmp_path / "store")
    writers = [start(url, f"w{number}", 8) for number in range(3)]
    said = [line.split()[0] for writer in writers for line in writer.communicate(timeout=60)[0].splitlines()[1:]]
    assert sorted(map(int, said)) == list(range(1, 25))
    store = open_store(url)
    assert len({version.content for version in store.versions("sample")}) == 24
    assert len(store.pending("mlflow")) == len(list(store.runs())) == 24
    assert store.verify() == []


def test_importing_the_store_imports_no_heavy_library() -> None:
    heavy = ("obstore", "tarfile", "asyncio", "numpy")
    look = f"import sys, relet.store; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True).stdout == "[]\n"
