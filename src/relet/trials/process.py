"""The process that runs trials for a pool: `python -P -m relet.trials.process`.

Where its standard input ends, the pool is gone: the trial that still runs is interrupted, and the process ends.
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
from relet.core.wording import printable, without_credentials
from relet.engine.answering import own_streams, send_answer
from relet.engine.recording import close
from relet.engine.run import execute
from relet.errors import EditedError, LostError, ReletError
from relet.project.call import ProgressReport
from relet.project.job import ComponentResult, RunOutcome, TrialIdentity
from relet.project.order import Order
from relet.project.request import prepare

# Seconds that an interrupted trial has to end where the pool is gone.
PATIENCE = 10.0


def main() -> None:
    questions, answers = own_streams()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    waiting: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
    over = threading.Event()
    asker, last_question = os.getppid(), None

    def listen() -> None:
        for line in questions:
            waiting.put(json.loads(line))
        waiting.put(None)
        if not over.wait(0.1):
            # Nobody waits for the trial that still runs.
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(PATIENCE)
            os._exit(1)

    threading.Thread(target=listen, name="relet-listen", daemon=True).start()
    while True:
        try:
            while (question := waiting.get()) is not None:
                last_question = question
                _answer_question(question, answers)
        except KeyboardInterrupt:
            continue  # Between two trials there is nothing to interrupt; the pool reports Ctrl-C.
        over.set()
        if last_question is not None and os.getppid() != asker:
            _close_group(last_question)
        sys.stderr.flush()
        # Unloading the libraries would take longer than a trial that is skipped.
        os._exit(0)


def _answer_question(question: Mapping[str, Any], answers: TextIO) -> None:
    try:
        result = _run_trial(question, answers)
    except KeyboardInterrupt:
        result = {"status": Status.INTERRUPTED, "error": "interrupted", "exit_status": 130}
    except ReletError as error:
        result = {"status": Status.FAILED, "error": str(error), "exit_status": error.exit_status}
    except BaseException as error:
        result = {"status": Status.FAILED, "error": f"{type(error).__name__}: {error}", "exit_status": 1}
    send_answer(answers, {"event": "tried", **result})


def _close_group(question: Mapping[str, Any]) -> None:
    """End the record of a sweep or search whose own process was killed."""
    with suppress(Exception):  # Nobody is left who could read an error.
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
        # Another process, which imports the code as it is now, runs the trial once more.
        reason = printable(without_credentials(str(outcome.error)))
        print(f"relet: {reason}: another process does", file=sys.stderr, flush=True)
        os._exit(outcome.exit_status)
    return {
        "run_id": outcome.run_id,
        "status": outcome.status,
        "metrics": outcome.metrics,
        "seconds": outcome.seconds,
        "error": _failure_reason(outcome),
        "lost": isinstance(outcome.error, LostError),
        "exit_status": outcome.exit_status,
        "outputs": {name: str(version) for each in outcome.results for name, version in each.outputs.items()},
        "ran": [each.component for each in outcome.results if each.action is Action.RUN],
    }


def _failure_reason(outcome: RunOutcome) -> str:
    """Why a trial did not finish, in one line; empty where it did."""
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
    """A watcher that reports to the pool what a trial does now."""

    def __init__(self, answers: TextIO) -> None:
        self.answers = answers

    def started(self, step: Step) -> None:
        self.noted(step.component)

    def ended(self, result: ComponentResult) -> None: ...

    def progressed(self, component: str, report: ProgressReport | None) -> None: ...

    def noted(self, message: str) -> None:
        send_answer(self.answers, {"event": "doing", "what": message})


if __name__ == "__main__":
    main()
