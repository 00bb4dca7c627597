"""What a command shows while it works, and what becomes of it when nobody reads that."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relet.cli import main, screen
from relet.cli.progress import progress_display
from relet.cli.sweeps import SweepScreen
from relet.core.plan import Action, Step
from relet.core.record import Status
from relet.project.call import ProgressReport
from relet.trials.pool import PlannedTrial, TrialResult
from tests.command import relet

WIDTH = 40


class Terminal(io.StringIO):
    """A terminal that keeps what was written to it."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def new(self) -> str:
        """What was written since this was last asked."""
        written = self.getvalue()
        self.seek(0)
        self.truncate()
        return written


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """From the call on, output goes to a terminal of 40 columns. pytest has set its own stdout by then."""

    def start() -> Terminal:
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(WIDTH))
        monkeypatch.delenv("NO_COLOR", raising=False)
        return terminal

    return start


class Recorded:
    """A display that remembers what it was asked to show."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.lines: list[str] = []
        self.now: list[str] = []

    def event(self, name: str, **facts: Any) -> None:
        self.events.append((name, facts))

    def line(self, text: str = "") -> None:
        self.lines.append(text)

    def moving(self, text: str) -> None:
        self.now.append(text)

    def still(self, text: str) -> None:
        self.lines.append(text)


def test_a_file_gets_lines_and_a_program_gets_events(capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for as_json in (False, True):
        with progress_display(as_json=as_json) as display:
            display.event("started", component="get", path=Path("a"))
            display.moving("get: first run")
            display.line("get  run  first run")
        printed.append(capsys.readouterr().out)
    assert printed == [
        "get  run  first run\n",
        '{"schema": 1, "event": "started", "component": "get", "path": "a"}\n',
    ]


def test_a_terminal_sees_what_goes_on_until_the_next_line(on_terminal: Callable[[], Terminal]) -> None:
    terminal = on_terminal()
    with progress_display(as_json=False) as display:
        display.event("started", component="get")
        display.moving("get: first run")
        display.line("get  run")
        moving, _, line = terminal.new().rpartition("\x1b[2K")
        assert "get: first run" in moving and line == "get  run\n"
        display.moving("train: first run")
    ended = terminal.new()
    assert "train: first run" in ended
    assert ended.endswith("\x1b[2K") and "\x1b[?25h" in ended  # the line is cleared, the cursor is shown again


def test_what_goes_on_is_one_line_of_plain_text_whatever_stands_in_it(on_terminal: Callable[[], Terminal]) -> None:
    terminal = on_terminal()
    with progress_display(as_json=False) as display:
        display.moving("[red]a[/red]\nb\x07\x1b[31m c")
    assert r"[red]a[/red] b\x07\x1b[31m c" in terminal.new()
    with progress_display(as_json=False) as display:
        display.moving("x" * 100)
    assert f" {'x' * (WIDTH - 3)}…\n" in terminal.new()


def test_the_moving_line_is_cleared_where_the_command_fails(on_terminal: Callable[[], Terminal]) -> None:
    terminal = on_terminal()
    with pytest.raises(ValueError, match="no rows"), progress_display(as_json=False) as display:
        display.moving("get: first run")
        raise ValueError("no rows")
    assert terminal.new().endswith("\x1b[2K")


def test_a_long_step_shows_how_long_it_runs_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(screen, "monotonic", lambda: clock[0])
    display = Recorded()
    watch = screen.RunScreen(display)
    watch.started(Step(component="train", action=Action.RUN, reason="first run"))
    for seconds, report in (
        (1.2, None),
        (3, ProgressReport(done=1, total=4, text="epoch")),
        (61, None),
        (70, None),
    ):
        clock[0] = 100 + seconds
        watch.progressed("train", report)
    assert display.now == [
        "train: first run",
        "train: first run   1 s",
        "train: first run   3 s   epoch 1 of 4 (25%)",
        "train: first run   1 min 1 s   epoch 1 of 4 (25%)",
        "train: first run   1 min 10 s   epoch 1 of 4 (25%)",
    ]
    assert display.lines == ["train           still 1 min 1 s   epoch 1 of 4 (25%)"]
    assert display.events[1:] == [("progress", {"component": "train", "done": 1, "total": 4, "text": "epoch"})]


def test_only_a_person_who_sees_no_moving_line_is_told_that_a_step_still_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for as_json in (False, True):
        with progress_display(as_json=as_json) as display:
            display.still("train  still 1 min 0 s")
    assert capsys.readouterr().out == "train  still 1 min 0 s\n"


def test_a_sweep_shows_what_each_trial_does_until_that_ends() -> None:
    display = Recorded()
    screen = SweepScreen(display)
    first, second = (PlannedTrial(number=number) for number in (1, 2))
    screen.fetched(1_500_000, 3_000_000)
    screen.doing(second, "train")
    screen.doing(first, "x" * 50)
    screen.tried(TrialResult(trial=first, run_id="a", status=Status.FAILED, error="no\n  rows"))
    screen.tried(TrialResult(trial=second, run_id="b", status=Status.FINISHED, seconds=2.0))
    assert display.now == [
        "fetching the source: 1.5 of 3.0 MB (50%)",
        "0/0 done   trial 2: train",
        f"0/0 done   trial 1: {'x' * 39}…   trial 2: train",
        "1/0 done   trial 2: train",
    ]
    assert [name for name, _ in display.events] == ["doing", "doing", "trial", "trial"]
    assert [facts["error"] for name, facts in display.events if name == "trial"] == ["no\n  rows", None]
    assert len(display.lines) == 2 and "failed" in display.lines[0] and display.lines[0].endswith(": no rows")
    assert display.lines[1].endswith("2.0 s  nothing to run")


# --- a pipe that nobody reads


def ending(monkeypatch: pytest.MonkeyPatch, output: io.TextIOBase, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["relet", *words])
    monkeypatch.setattr(sys, "stdout", output)
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.mark.parametrize(
    "words", [["--help"], ["runs", "--help"], ["run", "--help"], ["run"], ["artifacts", "list"]]
)
def test_output_that_nobody_reads_ends_relet_as_it_ends_other_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.setenv("RELET_STORE", str(tmp_path / "store"))
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as unread:
        assert ending(monkeypatch, unread, *words) == 141
    assert capsys.readouterr().err == ""


def test_a_pipe_that_breaks_elsewhere_is_an_error_with_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise BrokenPipeError("the worker is gone")

    monkeypatch.setattr("relet.cli.runs.open_default_store", broken)
    with (tmp_path / "out").open("w") as output, pytest.raises(BrokenPipeError, match="the worker is gone"):
        ending(monkeypatch, output, "runs")


def test_a_run_of_nothing_shows_its_help_and_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = relet(capsys, "run")
    assert (status, out.startswith("Usage: relet run")) == (2, True)
    assert relet(capsys, "run", "--help")[0] == 0
