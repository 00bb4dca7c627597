"""The process that runs trials for a pool: `python -P -m relet.trials.process`.

Trials come on standard input, what becomes of them goes out on what was standard output, a line of JSON each. It
ends with its standard input: whoever asked is gone then, and what still runs is interrupted.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TextIO

from relet.core.plan import Action, Step
from relet.core.record import Status
from relet.engine.run import execute
from relet.engine.worker import own_streams
from relet.errors import EditedError, ReletError
from relet.project.job import ComponentResult, RunOutcome, TrialIdentity
from relet.project.order import Order
from relet.project.request import prepare
from relet.trials.pool import close

# Seconds that an interrupted trial has to come to its end, where nobody is left to end it.
PATIENCE = 10.0


def main() -> None:
    questions, answers = own_streams()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asked: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
    over = threading.Event()
    asker, last = os.getppid(), None

    def listen() -> None:
        for line in questions:
            asked.put(json.loads(line))
        asked.put(None)
        if not over.wait(0.1):
            # what still runs is wanted by nobody any more
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(PATIENCE)
            os._exit(1)

    threading.Thread(target=listen, name="relet-listen", daemon=True).start()
    # Ctrl-C between two trials is told of by whoever asks: there is nothing to interrupt here.
    while True:
        try:
            while (question := asked.get()) is not None:
                last = question
                _answer_question(question, answers)
        except KeyboardInterrupt:
            continue
        over.set()
        if last is not None and os.getppid() != asker:
            _close_group(last)
        sys.stderr.flush()
        # taking the libraries down takes longer than a trial that was skipped, and serves nobody
        os._exit(0)


def _answer_question(question: Mapping[str, Any], answers: TextIO) -> None:
    try:
        told = _run_trial(question, answers)
    except KeyboardInterrupt:
        told = {"status": Status.INTERRUPTED, "error": "interrupted", "exit_status": 130}
    except ReletError as error:
        told = {"status": Status.FAILED, "error": str(error), "exit_status": error.exit_status}
    except BaseException as error:
        told = {"status": Status.FAILED, "error": f"{type(error).__name__}: {error}", "exit_status": 1}
    _send_event(answers, event="tried", **told)


def _close_group(question: Mapping[str, Any]) -> None:
    """Write down that a sweep or search has ended, whose own process was killed."""
    # nobody is left to be told of trouble
    with suppress(Exception):
        job = prepare(_order_asked_for(question))
        close(job, question["part"]["parent"], Status.INTERRUPTED, "its process was ended")


def _order_asked_for(question: Mapping[str, Any]) -> Order:
    return Order(
        pipeline=question["pipeline"],
        steps=None if question["steps"] is None else tuple(question["steps"]),
        overrides=tuple(question["overrides"]),
        command=tuple(question["command"]),
    )


def _run_trial(question: Mapping[str, Any], answers: TextIO) -> dict[str, Any]:
    part = TrialIdentity(**{**question["part"], "overrides": tuple(question["part"]["overrides"])})
    outcome = execute(replace(prepare(_order_asked_for(question)), part=part), TrialReporter(answers))
    if isinstance(outcome.error, EditedError):
        # another process, with what the code is now, runs the trial once more
        print(f"relet: {outcome.error}: another process does", file=sys.stderr, flush=True)
        os._exit(outcome.exit_status)
    return {
        "run_id": outcome.run_id,
        "status": outcome.status,
        "metrics": outcome.metrics,
        "seconds": outcome.seconds,
        "error": _failure_reason(outcome),
        "exit_status": outcome.exit_status,
        "outputs": {name: str(version) for each in outcome.results for name, version in each.outputs.items()},
        "ran": [each.component for each in outcome.results if each.action is Action.RUN],
    }


def _failure_reason(outcome: RunOutcome) -> str:
    """Why a trial is no candidate, in one line; empty where it is one."""
    if isinstance(outcome.error, KeyboardInterrupt):
        return "interrupted"
    if outcome.error is not None:
        return str(outcome.error)
    refusals = (
        f"{each.component} says no: {each.verdict.reason}"
        for each in outcome.results
        if each.verdict is not None and not each.verdict.passed
    )
    held_back = (each.reason for each in outcome.results if each.action is Action.WAITS)
    return next(refusals, "") or next(held_back, "")


class TrialReporter:
    """A watcher that tells the pool what a trial does now."""

    def __init__(self, answers: TextIO) -> None:
        self.answers = answers

    def started(self, step: Step) -> None:
        _send_event(self.answers, event="doing", what=step.component)

    def ended(self, result: ComponentResult) -> None: ...

    def noted(self, message: str) -> None:
        _send_event(self.answers, event="doing", what=message)


def _send_event(answers: TextIO, **facts: Any) -> None:
    # where nobody is left to hear it, standard input has ended too: that is what ends this process
    with suppress(BrokenPipeError):
        answers.write(json.dumps(facts) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
