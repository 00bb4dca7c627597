"""What a component reports of its progress, on the way from its process to whoever watches the run."""

from __future__ import annotations

from typing import Any

import pytest

import relet
from relet.engine import interpreter
from relet.project.call import ProgressReport
from relet.project.job import SilentWatcher
from tests.command import relet as command
from tests.sums_project import Sums

REPORTING = """
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple
import relet
from relet import component

class Drawn(NamedTuple):
    drawn: Path

@component(job_type="draw")
def draw(*, source: str = "none", count: int = 3, seed: int = 42) -> Drawn:
    '''Draw numbers, and say how far it is.'''
    BODY
    path = Path(tempfile.mkdtemp()) / "drawn.txt"
    path.write_text("1 2 3")
    return Drawn(path)
"""


class Listening(SilentWatcher):
    def __init__(self) -> None:
        self.heard: list[tuple[str, ProgressReport | None]] = []

    def progressed(self, component: str, report: ProgressReport | None) -> None:
        self.heard.append((component, report))

    @property
    def reports(self) -> list[str]:
        return [str(report) for _, report in self.heard if report]


def run(sums: Sums, body: str) -> Listening:
    """Run a step with that body, and listen to it."""
    text = REPORTING.replace("    BODY\n", "".join(f"    {line}\n" for line in body.strip().splitlines()))
    sums.path("draw.py").write_text(text)
    watch = Listening()
    relet.run("sums", steps=["draw"], watch=watch)
    return watch


def test_reports_reach_the_watcher_and_nothing_that_is_kept(
    sums: Sums, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = run(
        sums,
        """
relet.progress(1, 4, "reading")
relet.progress(2, 4, "too soon after the one before")
time.sleep(0.3)
relet.progress(3, text="no total")
relet.progress(4, 4, "the last one is always sent")
print("printed")
""",
    )
    assert watch.reports == ["reading 1 of 4 (25%)", "no total 3", "the last one is always sent 4 of 4 (100%)"]
    assert {name for name, _ in watch.heard} == {"draw"}
    assert command(capsys, "logs", "draw")[1].splitlines()[1:] == ["printed"]
    record = sums.store.runs(limit=1)
    assert "reading" not in str([each.to_json() for each in record])
    # what relet itself does to report is no part of the key
    parts = next(each.parts for each in sums.store.runs() if each.component == "draw")
    assert parts is not None
    assert [name for name in parts.code if name.startswith("relet.engine")] == []


def test_a_step_that_says_nothing_is_heard_of_while_it_works(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "TICK", 0.1)
    watch = run(sums, "time.sleep(0.8)")
    assert watch.heard.count(("draw", None)) >= 2
    assert watch.reports == []


def test_a_bar_of_tqdm_is_a_report_and_the_log_has_its_last_state(
    sums: Sums, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = run(
        sums,
        """
for n in range(4):
    sys.stderr.write(f"\\rfitting: {25 * n:3}%|##  | {n}/3 [00:01<00:02,  2.5it/s]")
    sys.stderr.flush()
    time.sleep(0.3)
print()
""",
    )
    assert watch.reports == [f"fitting {n} of 3 ({n / 3:.0%})" for n in range(4)]
    assert command(capsys, "logs", "draw")[1].splitlines()[1:] == [
        "fitting:  75%|##  | 3/3 [00:01<00:02,  2.5it/s]"
    ]


def test_processes_that_a_step_starts_report_nothing_and_break_nothing(sums: Sums) -> None:
    watch = run(
        sums,
        """
for _ in range(2):
    child = os.fork()
    if child == 0:
        relet.progress(1, 1, "a child")
        os._exit(0)
    os.waitpid(child, 0)
together = [threading.Thread(target=relet.progress, args=(1, 1, f"thread {n}")) for n in range(3)]
[each.start() for each in together]
[each.join() for each in together]
""",
    )
    assert sorted(watch.reports) == [f"thread {n} 1 of 1 (100%)" for n in range(3)]


def test_a_step_that_reports_very_much_ends_as_usual(sums: Sums) -> None:
    watch = run(sums, "[relet.progress(n, n, 'x' * 10_000) for n in range(20_000)]")
    assert len(watch.reports) >= 1
    assert max(map(len, watch.reports)) < 250


def test_a_step_that_goes_on_reporting_after_its_end_does_not_disturb_the_answer(sums: Sums) -> None:
    watch = run(
        sums,
        """
def go_on():
    while True:
        relet.progress(1, 1, "on")

threading.Thread(target=go_on, daemon=True).start()
time.sleep(0.2)
""",
    )
    assert set(watch.reports) == {"on 1 of 1 (100%)"}


def test_an_older_relet_that_asks_gets_the_answer_alone(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = interpreter._call_question

    def older(call: Any) -> dict[str, Any]:
        return {name: value for name, value in asked(call).items() if name not in ("progress", "step", "names")}

    monkeypatch.setattr(interpreter, "_call_question", older)
    assert run(sums, "relet.progress(1, 1, 'unheard')").reports == []


def test_a_report_of_what_is_no_number_fails_the_step_in_words(sums: Sums) -> None:
    with pytest.raises(Exception, match=r"draw raised TypeError: relet\.progress takes numbers: done is 'one'"):
        run(sums, "relet.progress('one')")
