"""Record which functions of relet each test enters: a pytest plugin, which child processes load at their start.

A process that finds the variable RELET_CALL_MAP writes into that folder a line for each function of relet that it
enters, with the test that runs: pytest names it in PYTEST_CURRENT_TEST, which child processes inherit. Only calls
are traced, no lines, so that the tests take about a third longer. `bench/mutations.py` reads what is written.

PYTEST_DONT_REWRITE: it is loaded before pytest could rewrite its assertions, of which it has none.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

FOLDER = "RELET_CALL_MAP"
_MARK = "/relet/"


class _CallWriter:
    """The trace function of a process, with the calls that it has seen; ids hash faster than code objects."""

    def __init__(self, folder: Path) -> None:
        self.file = os.open(folder / f"{os.getpid()}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.test = ""
        self.foreign: set[int] = set()
        self.entered: set[int] = set()
        # another code object could get the id of one that is freed
        self.kept: dict[int, CodeType] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        key = id(code)
        if key in self.foreign or key in self.entered:
            return
        self.kept[key] = code
        _, mark, module = code.co_filename.rpartition(_MARK)
        if mark:
            self.entered.add(key)
            # relet removes the variable where it runs a suite of data tests
            self.test = os.environ.get("PYTEST_CURRENT_TEST") or self.test
            self.write("call", self.test, f"{module}:{code.co_qualname}")
        else:
            self.foreign.add(key)

    def write(self, *words: str) -> None:
        os.write(self.file, ("\t".join(words) + "\n").encode())


_writer: _CallWriter | None = None


def watch() -> None:
    """Trace this process, if the variable is set."""
    global _writer
    folder = os.environ.get(FOLDER)
    if folder and _writer is None:
        _writer = _CallWriter(Path(folder))
        threading.settrace(_writer)
        sys.settrace(_writer)


def pytest_runtest_logstart(nodeid: str) -> None:
    watch()
    if _writer is not None:
        # the calls of the next test are recorded anew
        _writer.entered.clear()
        # a test may have removed the trace function
        sys.settrace(_writer)


def pytest_runtest_logreport(report: Any) -> None:
    if _writer is not None:
        _writer.write("took", report.nodeid, report.when, report.outcome, f"{report.duration:.3f}")
