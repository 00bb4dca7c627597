"""Processes that write one log at the same time, beside a check of the store, and the commands that show it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relet.store import log_checks, open_store
from tests.stored import enter_what_a_kill_left

WRITER = """
import sys
from relet.core.record import RunRecord, Status
from relet.store import open_store

store, me, steps = open_store(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
facts = {"pipeline": "p", "experiment": "e", "started": "2026-01-01T00:00:00"}
for step in range(steps):
    for status in (Status.RUNNING, Status.FINISHED):
        store.put_run(RunRecord(id=f"{me}-{step}", status=status, **facts))
    store.put_run(RunRecord(id="shared", status=Status.RUNNING, message=f"{me} {step}", **facts))
    sha = store.put_object(f"{me} {step}".encode())
    files = {"verdict.json": sha}
    version = store.add_version(name="report", type="verdict", content=f"{me}-{step}", files=files)
    store.set_alias("report", "latest", version.number, by=me, why="")
    print(step, flush=True)
"""
# The fake verdicts of the writers are false: of all else nothing may be named.
FALSE = "false"


def start(url: str, me: str, steps: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, url, me, str(steps)], stdout=subprocess.PIPE, text=True)


def test_processes_write_one_chain_and_a_check_beside_them_names_nothing_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_checks, "SETTLING", 10.0)
    url = str(tmp_path / "store")
    writers = [start(url, f"w{number}", 12) for number in range(4)]
    store, checks = open_store(url), 0
    while any(writer.poll() is None for writer in writers):
        assert [each for each in store.verify() if each.kind != FALSE] == []
        checks += 1
    assert [writer.communicate(timeout=60)[0].count("\n") for writer in writers] == [13] * 4
    entries = list(store.log())
    assert [each.number for each in entries] == list(range(1, len(entries) + 1))
    assert checks > 1
    put = [each.path for each in entries]
    assert {f"runs/w{me}-{step}.json" for me in range(4) for step in range(12)} <= set(put)
    assert len([each for each in entries if each.kind == "verdict"]) == 48
    assert [each for each in store.verify() if each.kind != FALSE] == []


def test_kills_leave_one_document_at_most_to_enter_and_the_chain_goes_on(tmp_path: Path) -> None:
    url = str(tmp_path / "store")
    for attempt in range(6):
        writer = start(url, f"w{attempt}", 100_000)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(0.02 * attempt + 0.03)
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        left = enter_what_a_kill_left(open_store(url))
        assert [each for each in left if not each.startswith(FALSE)] == []
    assert len(list(open_store(url).log())) > 6


def relet(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "relet", *words], capture_output=True, text=True)


@pytest.mark.long
def test_the_log_is_shown_its_head_kept_and_compared_and_a_document_entered(tmp_path: Path) -> None:
    url = str(tmp_path / "store")
    assert "has no log yet" in relet("artifacts", "log", "--store", url).stdout
    assert relet("artifacts", "log", "--head", "--store", url).returncode == 2
    writer = start(url, "w", 2)
    writer.communicate(timeout=60)
    shown = relet("artifacts", "log", "--last", "3", "--store", url).stdout.splitlines()
    assert len(shown) == 3
    assert all(line.endswith(", unauthenticated") for line in shown)
    head = relet("artifacts", "log", "--head", "--store", url).stdout.strip()
    (tmp_path / "store" / "runs" / "w-1.json").write_text("{}")
    said = relet("artifacts", "verify", "--log-head", head, "--store", url)
    assert said.returncode == 1
    assert "changed: runs/w-1.json: its bytes are not those of its last entry in the log" in said.stdout
    assert relet("artifacts", "log", "--enter", "runs/w-1.json", "--store", url).stdout.split()[2] == "entered"
    assert "changed:" not in relet("artifacts", "verify", "--log-head", head, "--store", url).stdout
    wrong = relet("artifacts", "verify", "--log-head", "99:" + "a" * 64, "--store", url)
    assert "its end was cut off, or the head is that of another store" in wrong.stdout
