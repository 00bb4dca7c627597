"""How far a component is: what it reports itself, and what the bars of tqdm say that it prints."""

from __future__ import annotations

import math
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

# Seconds between two reports that are sent: a loop may report each of its turns.
PAUSE = 0.2
# The most letters of a report's text: a report fits into a pipe at once.
LETTERS = 200
# In a bar of tqdm: where the drawing begins, and what stands behind it. A component may print lines of any length,
# so each pattern begins with what is rare, and looks no further than a few letters.
_DRAWING = re.compile(r"\d%\|")
_COUNTS = re.compile(rb"\| *(\d+)/(\d+) \[")
_LINE_ENDS = re.compile(rb"[\r\n]")

Send = Callable[[Mapping[str, Any]], None]


class _Reporter:
    """Where this process's reports go: nowhere, but in the process of a component's call."""

    def __init__(self) -> None:
        self.send: Send | None = None
        self.process = 0
        self.last = -math.inf
        self.lock = threading.Lock()


_reporter = _Reporter()


def progress(done: float, total: float | None = None, text: str = "") -> None:
    """Say how far a component is: `done` of `total`, and what it is doing.

    The command that runs the component shows it. It enters no key, no record and no log, and outside of a run it
    does nothing; so it does in processes that the component starts. Raises TypeError where `done` or `total` is no
    number.

    >>> progress(3, 10, "epoch 3")
    """
    report = {"done": _number("done", done), "total": None if total is None else _number("total", total)}
    finished = report["total"] is not None and report["done"] == report["total"]
    if _reporter.process != os.getpid() or not all(map(_is_finite, report.values())):
        return  # a process that was forked off may have been born with the lock taken
    with _reporter.lock:
        now = time.monotonic()
        if _reporter.send is None:
            return
        if finished or now - _reporter.last >= PAUSE:
            _reporter.last = now
            _reporter.send({**report, "text": str(text)[:LETTERS]})


def _number(name: str, value: Any) -> float:
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise TypeError(f"relet.progress takes numbers: {name} is {value!r}")
    return float(value)


def _is_finite(value: float | None) -> bool:
    return value is None or math.isfinite(value)


@contextmanager
def reporting(send: Send | None) -> Iterator[None]:
    """Send this process's reports, until the end of the block."""
    with _reporter.lock:
        _reporter.send, _reporter.process, _reporter.last = send, os.getpid(), -math.inf
    try:
        yield
    finally:
        with _reporter.lock:
            _reporter.send = None


def bar_report(printed: bytes) -> dict[str, Any] | None:
    """What the last bar of tqdm says in what was printed; None where there is none.

    >>> bar_report(b"\\rfitting:  40%|####      | 4/10 [00:01<00:02,  2.5it/s]")
    {'done': 4.0, 'total': 10.0, 'text': 'fitting'}
    """
    for line in reversed(_LINE_ENDS.split(printed)):
        head, found, drawing = line.partition(b"%|")
        counts = _COUNTS.search(drawing) if found and head[-1:].isdigit() else None
        if counts:
            name = head.rpartition(b"|")[2].rstrip(b"0123456789")
            text = name.decode(errors="replace").strip().removesuffix(":")
            return {"done": float(counts[1]), "total": float(counts[2]), "text": text[:LETTERS]}
    return None


def is_bar(printed: bytes) -> bool:
    """Whether nothing but bars was printed, which the next ones overwrite."""
    first, *states = printed.decode("latin-1").split("\r")
    return not first and bool(states) and all("\n" not in each and _DRAWING.search(each) for each in states)


def without_overwritten_bars(printed: str) -> str:
    """What was printed, with the last one of bars that overwrite each other.

    >>> without_overwritten_bars("\\r 50%|#  | 1/2 [00:01]\\r100%|###| 2/2 [00:02]\\ndone\\n")
    '100%|###| 2/2 [00:02]\\ndone\\n'
    """
    return "\n".join(map(_last_state, printed.split("\n")))


def _last_state(line: str) -> str:
    """A line without the states of a bar that the next one overwrites."""
    first, *states = line.split("\r")
    kept, was_bar = [first], False
    for each in states:
        is_state = _DRAWING.search(each) is not None
        if is_state and was_bar:
            kept[-1] = each
        else:
            kept.append(each if is_state else f"\r{each}")
        was_bar = is_state
    return "".join(kept)
