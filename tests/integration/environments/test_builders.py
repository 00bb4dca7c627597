"""Processes that make one environment at a time, and one that is killed or fails on the way."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.environments.machine import (
    LOCK,
    PYTHON,
    TESTS,
    Machine,
    refusal,
)

BUILDER = """
import sys
from pathlib import Path
from relet.environments import build
sys.executable = sys.argv[1]
build("uv", sys.argv[2].encode(), python=sys.argv[3], cache=Path(sys.argv[4]), progress=lambda _: None)
"""


def killed_half_way(machine: Machine, slow: float) -> None:
    """Kill a process that builds, alone, while its uv is still installing."""
    arguments = [str(machine.bin / "interpreter"), LOCK.decode(), PYTHON, str(machine.cache)]
    environment = {**os.environ, "SLOW": str(slow)}
    builder = subprocess.Popen([TESTS, "-c", BUILDER, *arguments], env=environment)
    while not any(call.startswith("uv pip sync") for call in machine.calls):
        assert builder.poll() is None
        time.sleep(0.01)
    builder.send_signal(signal.SIGKILL)
    builder.wait()


def test_a_build_that_was_killed_half_way_is_done_anew(uv: Machine) -> None:
    killed_half_way(uv, slow=0.3)
    (left,) = uv.cache.glob("environments/*/env/bin/python")
    (left.parent / "of_the_killed").touch()
    made = uv.build()
    assert made.made
    assert made.command == (str(left),)
    assert not (left.parent / "of_the_killed").exists()


def test_a_killed_builder_s_last_program_keeps_the_next_builder_waiting(uv: Machine) -> None:
    killed_half_way(uv, slow=1)
    said: list[str] = []
    start = time.monotonic()
    assert uv.build(progress=said.append).made
    assert time.monotonic() - start > 0.5
    assert said[1].startswith("making an environment") and said[0].startswith("waiting for another process")


def test_two_builders_at_once_end_with_one_whole_environment(uv: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOW", "0.5")
    said: list[str] = []
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(lambda _: uv.build(progress=said.append), range(2)))
    assert sorted(each.made for each in both) == [False, True]
    assert both[0].command == both[1].command
    assert sum(call.startswith("uv pip sync") for call in uv.calls) == 1
    assert [line.split()[0] for line in sorted(said)] == ["making", "waiting"]


def test_a_builder_that_failed_leaves_the_work_to_who_waits_for_it(
    uv: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_half_way(uv, slow=0.5)
    monkeypatch.setenv("SAYS", "error: no")
    refusal(uv.build)
    monkeypatch.delenv("SAYS")
    assert uv.build().made
