"""A copy of this process, which is forked off for one call and ends with it."""

from __future__ import annotations

import atexit
import gc
import json
import math
import os
import select
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

from relet.engine.answering import LOOK, close_in_children, how_a_process_ended
from relet.engine.descent import end_with_parent, heed_interruptions, kill_with_descendants
from relet.engine.printed import PrintedOutput, flush_native_streams
from relet.engine.progress import PAUSE, Send, bar_report

# Seconds that a copy has to end, once it has answered.
PATIENCE = 2.0
# How a line begins that is a report of progress, and no answer.
_REPORT = b'{"progress":'


class ForkedCopy:
    """A copy of this process that answers one question: `answer` is called in the copy, which then ends.

    It is called with what sends a report of progress to this process, where `report` is called with it; so it is
    with what a bar says that the copy prints. Without `report` there are none.
    """

    def __init__(self, answer: Callable[[Send | None], Mapping[str, Any]], report: Send | None = None) -> None:
        self._answers, into = os.pipe()
        self._report = report
        self._last_bar = -math.inf
        self._printed = PrintedOutput(self._tell_of_bar if report else None)
        self._ended = False
        parent = os.getpid()
        sys.stderr.flush()
        # What is loaded by now is no garbage: a copy that looked through it would copy its memory.
        gc.freeze()
        self._pid = os.fork()
        if self._pid == 0:
            gc.enable()
            os.close(self._answers)
            self._printed.take_over()
            _draw_anew()
            send = partial(_send_report, into) if report else None
            _answer_and_end(partial(answer, send), into, parent)
        os.close(into)
        self._printed.begin()

    def answer(self, asker: int, tasks: deque[Callable[[], object]]) -> dict[str, Any]:
        """The answer, or how the copy ended without one. Meanwhile this process works on `tasks`.

        `asker` is the file descriptor of questions: where it ends, nobody asks any more, and the copy is killed.
        """
        content = b""
        while not content.endswith(b"\n"):
            heard = self._printed.goes_on and self._printed.is_heard()
            files: list[int | PrintedOutput] = [self._answers, asker, *([self._printed] if heard else [])]
            ready = select.select(files, [], [], 0 if tasks else None if heard else LOOK)[0]
            if not ready and tasks:
                tasks.popleft()()
            elif not ready:
                continue
            elif self._answers in ready:
                piece = os.read(self._answers, 1 << 16)
                content = self._without_reports(content + piece)
                if not piece:
                    break
            elif self._printed in ready:
                self._printed.pass_on()
            else:
                kill_with_descendants(self._pid)
                self._ended = True
                self._printed.pass_on(0.1)
                return {"interrupted": True, "printed": self._printed.text}
        os.close(self._answers)
        if content.endswith(b"\n"):
            self._printed.pass_on(PATIENCE)
            answer: dict[str, Any] = json.loads(content)
            return {**answer, "printed": self._printed.text}
        status = self.end()
        how = "closed the line to whoever asks, and was killed"
        if status is not None:
            how = how_a_process_ended(status, by_itself="ended its process")
        return {"ended": how, "printed": self._printed.text}

    def _without_reports(self, content: bytes) -> bytes:
        """What has come, without the lines that are reports of progress, which are passed on."""
        while (end := content.find(b"\n") + 1) and content.startswith(_REPORT):
            line, content = content[:end], content[end:]
            if self._report:
                self._report(json.loads(line)["progress"])
        return content

    def _tell_of_bar(self, printed: bytes) -> None:
        now = time.monotonic()
        if self._report and now - self._last_bar >= PAUSE and (found := bar_report(printed)):
            self._last_bar = now
            self._report(found)

    def end(self) -> int | None:
        """Wait until the copy has ended; its status, or None where it did not end in time, and was killed."""
        if self._ended:
            return None
        self._ended = True
        status = self._wait()
        self._printed.pass_on(PATIENCE)
        self._printed.end()
        return status

    def _wait(self) -> int | None:
        until = time.monotonic() + 2 * PATIENCE
        while not (ended := os.waitpid(self._pid, os.WNOHANG))[0]:
            if time.monotonic() > until:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                return None
            self._printed.pass_on()
            time.sleep(0.002)
        return os.waitstatus_to_exitcode(ended[1])


def _send_report(into: int, report: Mapping[str, Any]) -> None:
    """Send a report, unless that would make the component wait."""
    if select.select([], [into], [], 0)[1]:
        os.write(into, json.dumps({"progress": report}).encode() + b"\n")


def _draw_anew() -> None:
    """Give NumPy's global generator another state than the copies before have: Python's own gets it by itself."""
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _answer_and_end(answer: Callable[[], Mapping[str, Any]], into: int, parent: int) -> NoReturn:
    status = 1
    try:
        end_with_parent(parent)
        heed_interruptions()
        own = os.getpid()
        close_in_children(into)
        content = json.dumps(answer()).encode() + b"\n"
        _flush_streams()
        # A process that the component forked, and that goes on after the call, has no answer to give.
        if os.getpid() == own:
            with os.fdopen(into, "wb") as file:
                file.write(content)
            status = 0
        threading.Timer(PATIENCE, os._exit, [0]).start()
        atexit._run_exitfuncs()
    finally:
        _flush_streams()
        os._exit(status)


def _flush_streams() -> None:
    """Write out what was printed: Python's streams, which a component may have closed, and those of libraries."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    flush_native_streams()
