"""What a run shows while it works."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.command import relet
from tests.tiny_project import Tiny
from tests.unit.cli.test_progress import Terminal, on_terminal

__all__ = ["on_terminal"]


def test_a_run_on_a_terminal_shows_the_step_that_runs(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], on_terminal: Callable[[], Terminal]
) -> None:
    terminal = on_terminal()
    assert relet(capsys, "run", "tiny", "steps=get")[0] == 0
    written = terminal.new()
    assert "get: first run" in written
    assert written.index("get: first run") < written.index("sample:v1")


def test_the_events_of_a_run_are_those_that_programs_know(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = relet(capsys, "run", "tiny", "steps=get", "--json")
    run, started, ended, finished = (json.loads(line) for line in out.splitlines())
    assert (run["event"], run["steps"]) == ("run", ["get"])
    assert started == {"schema": 1, "event": "started", "component": "get", "reason": "first run"}
    assert list(ended) == [
        "schema",
        "event",
        "component",
        "action",
        "reason",
        "outputs",
        "new",
        "seconds",
        "metrics",
        "verdict",
    ]
    assert (ended["outputs"], ended["new"]) == ({"sample": "tiny/sample:v1"}, ["sample"])
    assert (finished["event"], finished["exit_status"]) == ("finished", 0)
