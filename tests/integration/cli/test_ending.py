"""SIGTERM and SIGHUP end a run as Ctrl-C does, and what killed processes leave behind is removed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from relet.core.record import RunKind, RunRecord, Status
from relet.store import open_store
from tests.tiny_project import Tiny

SLEEPS = """
    import os, subprocess, sys, time
    from pathlib import Path

    # a process that the step started, and one that this one left to itself
    start = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL).pid)"
    sleep = [sys.executable, "-S", "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"]
    left = subprocess.run([sys.executable, "-S", "-c", start, *sleep], stdout=subprocess.PIPE, text=True).stdout
    for pid in (subprocess.Popen(["sleep", "60"]).pid, left.strip(), os.getpid()):
        Path(os.environ["PIDS"], str(pid)).touch()
    time.sleep(60)
"""


def started(tiny: Tiny, *words: str, workers: int = 1) -> subprocess.Popen[str]:
    """A run whose step `clean` sleeps, once it does so; `pids` names its process and two that it started."""
    tiny.edit("steps/clean.py", "    keep =", f"{SLEEPS}    keep =")
    pids, temporary = tiny.root / "pids", tiny.root / "temporary"
    pids.mkdir()
    temporary.mkdir(exist_ok=True)
    run = subprocess.Popen(
        [sys.executable, "-P", "-m", "relet", "run", "tiny", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PIDS": str(pids), "TMPDIR": str(temporary)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    until = time.monotonic() + 60
    while len(list(pids.iterdir())) < 3 * workers and time.monotonic() < until:
        assert run.poll() is None, run.communicate()
        time.sleep(0.05)
    return run


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def records(tiny: Tiny) -> list[RunRecord]:
    return list(open_store(tiny.root / ".relet").runs())


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
@pytest.mark.sampled
def test_a_signal_ends_a_run_with_its_record_written_and_a_word_on_how_to_go_on(
    tiny: Tiny, number: signal.Signals, status: int
) -> None:
    run = started(tiny)
    run.send_signal(number)
    out, err = run.communicate(timeout=30)
    assert run.returncode == status, err
    assert "every finished step is kept: the same command goes on from here" in out
    assert "relet:" not in err
    assert {each.status for each in records(tiny)} == {Status.INTERRUPTED, Status.FINISHED}
    assert [each.status for each in records(tiny) if each.component is None] == [Status.INTERRUPTED]
    assert not any(is_alive(int(path.name)) for path in (tiny.root / "pids").iterdir())
    assert list((tiny.root / "temporary").iterdir()) == []


@pytest.mark.long
def test_a_signal_ends_a_sweep_with_all_its_processes(tiny: Tiny) -> None:
    run = started(tiny, "-m", "etl.low=1,2", "search.metric=mae", "workers=2", workers=2)
    run.send_signal(signal.SIGTERM)
    out, err = run.communicate(timeout=40)
    assert run.returncode == 143, err
    assert "every finished trial is kept: the same command goes on from here" in out
    assert "relet:" not in err
    kinds = {each.kind: each.status for each in records(tiny) if each.kind is not RunKind.COMPONENT}
    assert kinds == {RunKind.SWEEP: Status.INTERRUPTED, RunKind.PIPELINE: Status.INTERRUPTED}
    assert not any(is_alive(int(path.name)) for path in (tiny.root / "pids").iterdir())


@pytest.mark.long
def test_a_signal_that_the_process_was_told_to_ignore_stays_ignored(tiny: Tiny) -> None:
    """As `nohup relet run …` in a terminal that is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = started(tiny)
    finally:
        signal.signal(signal.SIGHUP, before)
    run.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert run.poll() is None
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=30)
    assert run.returncode == 143


@pytest.mark.long
def test_the_scratch_of_a_killed_run_goes_with_the_next_one_and_that_of_a_living_run_stays(tiny: Tiny) -> None:
    run = started(tiny)
    temporary = tiny.root / "temporary"
    (scratch,) = temporary.iterdir()
    long_ago = time.time() - 3600
    os.utime(scratch, (long_ago, long_ago))

    def next_run() -> None:
        words = [sys.executable, "-P", "-m", "relet", "run", "tiny", "steps=get"]
        done = subprocess.run(words, env={**os.environ, "TMPDIR": str(temporary)}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    next_run()
    assert list(temporary.iterdir()) == [scratch]
    assert any(scratch.iterdir())
    run.kill()
    run.communicate(timeout=10)
    os.utime(scratch, (long_ago, long_ago))
    next_run()
    assert list(temporary.iterdir()) == []
