"""Several processes that run the trials of a sweep or search, each process one trial after the other."""

from __future__ import annotations

import json
import math
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from relet.core.record import RunRecord, Status, new_run_id, now
from relet.errors import ReletError, SettingError
from relet.project.job import Job, TrialIdentity
from relet.project.order import Order
from relet.project.request import prepare

if TYPE_CHECKING:
    from relet.store import Store

# -P: a file in the current folder must not be taken for a module.
PROGRAM = (sys.executable, "-P", "-m", "relet.trials.process")
# What says how many threads the numeric libraries start: where trials run side by side, each has its share.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
# Seconds: how long one look for news lasts; what a trial has to end once it is interrupted, a process once idle.
SLICE, PATIENCE, LEAVING = 0.2, 10.0, 2.0
# A process that died took its trial with it, which is run once more: it may have been no fault of the trial's.
TRIES = 2

Tell = Callable[["PlannedTrial", str], None]


@dataclass(frozen=True, kw_only=True)
class PlannedTrial:
    """One of a sweep's runs: its number, from 1, and what it sets by itself, in Hydra's syntax."""

    number: int
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """What became of a trial: its run (None where it could not even begin), how that ended, and why.

    `status` is finished, failed, stopped (a verdict said no) or interrupted; `error` is empty where it finished.
    `seconds` is wall time in its process; `outputs` are the versions it has, `ran` the components that were run
    rather than skipped; `lost` says that its process ended, which may have been no fault of the trial's.
    """

    trial: PlannedTrial
    run_id: str | None
    status: Status
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""
    exit_status: int = 0
    outputs: Mapping[str, str] = field(default_factory=dict)
    ran: tuple[str, ...] = ()
    lost: bool = False

    @property
    def finished(self) -> bool:
        return self.status is Status.FINISHED


def available_processors() -> int:
    """How many processors this process may use.

    >>> available_processors() > 0
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class TrialPool:
    """At most `workers` processes that run trials of one order; they stay, warm, until the `with` block ends.

    A trial's run is `order` with the trial's overrides after its own, as a child of the run `parent`. `job` is the
    order's own: where its store is and what it runs. `tell` is told what each trial does now. What comes out does
    not depend on `workers`, but for the order in which versions get their numbers.
    """

    def __init__(
        self, order: Order, job: Job, *, workers: int, parent: RunRecord, tell: Tell = lambda trial, what: None
    ) -> None:
        if workers < 1:
            raise SettingError(f"workers must be at least 1, got {workers}; set workers={available_processors()}")
        check_store(job.store)
        self._order = order
        self._job = job
        self._workers = workers
        self._parent = parent
        self._tell = tell
        self._selector = selectors.DefaultSelector()
        self._processes: list[_WorkerProcess] = []
        self._interrupted = 0
        self._deadline = math.inf

    def __enter__(self) -> TrialPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._processes:
            each.leave()
        until = time.monotonic() + (PATIENCE if any(each.task for each in self._processes) else LEAVING)
        for each in self._processes:
            each.end(until)
        self._processes.clear()
        self._selector.close()

    def run(
        self, trials: Sequence[PlannedTrial], *, deadline: float = math.inf
    ) -> Generator[TrialResult, None, None]:
        """Run trials and give what became of each as it ends. May be called again, when it has come to its end.

        A trial that fails is one of the results. At the `deadline`, a time of `time.monotonic`, what runs is
        interrupted and given, and no other trial begins. Raises KeyboardInterrupt after Ctrl-C, once what was
        running has been interrupted and given, too.
        """
        waiting = deque(_QueuedTrial(trial=trial, run_id=new_run_id()) for trial in trials)
        self._deadline = deadline
        with self._listening():
            for task in self._one_by_one(waiting):
                yield from self._until_done(deque([task]))
            yield from self._until_done(waiting)

    def _until_done(self, waiting: deque[_QueuedTrial]) -> Iterator[TrialResult]:
        told_at = 0.0
        while waiting or any(each.task for each in self._processes):
            if self._is_over:
                waiting.clear()
                told_at = told_at or self._interrupt()
                if self._interrupted > 1 or time.monotonic() - told_at > PATIENCE:
                    self._kill()
            else:
                self._hand_out(waiting)
            for key, _ in self._selector.select(SLICE):
                yield from self._heard(key.data, waiting)
        if self._interrupted:
            raise KeyboardInterrupt

    @property
    def _is_over(self) -> bool:
        return self._interrupted > 0 or time.monotonic() >= self._deadline

    def _hand_out(self, waiting: deque[_QueuedTrial]) -> None:
        while waiting:
            free = next((each for each in self._processes if each.task is None), None)
            if free is None and len(self._processes) < self._workers:
                free = self._start()
            if free is None:
                return
            self._give(free, waiting.popleft())

    def _start(self) -> _WorkerProcess:
        share = str(max(1, available_processors() // self._workers))
        # a session of its own: Ctrl-C in the terminal comes to this process alone, which tells the others once
        process = subprocess.Popen(
            PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**dict.fromkeys(THREADS, share), **os.environ},
        )
        started = _WorkerProcess(process)
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ, started)
        self._processes.append(started)
        return started

    def _give(self, to: _WorkerProcess, task: _QueuedTrial) -> None:
        order = self._order
        trial = task.trial
        part = TrialIdentity(
            run_id=task.run_id, parent=self._parent.id, number=trial.number, overrides=tuple(trial.overrides)
        )
        overrides = [*order.overrides, *trial.overrides]
        steps = [f"steps={','.join(order.steps)}"] if order.steps else []
        to.task = replace(task, tries=task.tries + 1)
        to.ask(
            {
                "pipeline": order.pipeline,
                "steps": order.steps,
                "overrides": overrides,
                "command": ["relet", "run", order.pipeline, *steps, *overrides],
                "part": asdict(part),
            }
        )

    def _heard(self, process: _WorkerProcess, waiting: deque[_QueuedTrial]) -> Iterator[TrialResult]:
        for told in process.read():
            task = process.task
            if task is None:
                continue
            if told["event"] == "doing":
                self._tell(task.trial, told["what"])
            else:
                process.task = None
                yield _trial_result(task, told)
        if process.closed:
            self._selector.unregister(process.stdout)
            self._processes.remove(process)
            yield from self._lost(process, waiting)

    def _lost(self, process: _WorkerProcess, waiting: deque[_QueuedTrial]) -> Iterator[TrialResult]:
        """A process that ended by itself: its trial is run once more, by another one, or has failed."""
        how = process.how_it_ended()
        task, process.task = process.task, None
        if task is None:
            return
        over = self._is_over
        if task.tries < TRIES and not over:
            self._tell(task.trial, f"its process {how}; it runs once more")
            waiting.appendleft(task)
            return
        status = Status.INTERRUPTED if over else Status.FAILED
        reason = "interrupted" if over else f"its process {how}, {task.tries} times"
        began = close(self._job, task.run_id, status, reason)
        yield TrialResult(
            trial=task.trial,
            run_id=task.run_id if began else None,
            status=status,
            error=reason,
            exit_status=130 if over else 1,
            lost=True,
        )

    def _one_by_one(self, waiting: deque[_QueuedTrial]) -> Iterator[_QueuedTrial]:
        """Take off `waiting` those that have to be done before the next one begins: what later trials are compared
        with is the product of the first one that is not refused, and theirs would be another."""
        found: list[Mapping[str, Any] | None] = []
        while (
            len(waiting) > 1
            and self._workers > 1
            and not self._is_over
            and (missing := self._missing_references())
        ):
            found = found or [self._parameters(each.trial) for each in waiting]
            makers = _steps_making(self._job, missing)
            made = [
                {name: each.get(name) for name in makers} for each in found[-len(waiting) :] if each is not None
            ]
            if all(each == made[0] for each in made):
                return
            yield waiting.popleft()

    def _missing_references(self) -> set[str]:
        """The artifacts whose first version becomes what later ones are compared with, where there is none yet."""
        job = self._job
        return {
            each.stored.initially
            for component in job.request.components
            for each in component.inputs
            if each.stored and each.stored.initially and job.store.find(each.stored.reference) is None
        }

    def _parameters(self, trial: PlannedTrial) -> Mapping[str, Any] | None:
        """What a trial's components are set to; None where it can't be composed, which the trial itself tells."""
        try:
            request = prepare(replace(self._order, overrides=(*self._order.overrides, *trial.overrides))).request
        except ReletError:
            return None
        return request.key_parameters

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """While the block runs Ctrl-C is noted, and acted on where that breaks nothing."""
        self._interrupted = 0
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def note(number: int, frame: FrameType | None) -> None:
            self._interrupted += 1

        before = signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _interrupt(self) -> float:
        for each in self._processes:
            if each.task:
                each.interrupt()
        return time.monotonic()

    def _kill(self) -> None:
        for each in self._processes:
            each.kill()


@dataclass(frozen=True, kw_only=True)
class _QueuedTrial:
    """A trial with the id of its run, and how often a process was given it."""

    trial: PlannedTrial
    run_id: str
    tries: int = 0


class _WorkerProcess:
    """One of the pool's processes: what it runs now, and what it has said up to the last whole line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None and process.stdout is not None
        self.stdin, self.stdout = process.stdin, process.stdout
        self.task: _QueuedTrial | None = None
        self.closed = False
        self._process = process
        self._half = b""

    def ask(self, question: Mapping[str, Any]) -> None:
        # where it has ended, reading from it says how
        with suppress(OSError):
            self.stdin.write(json.dumps(question).encode() + b"\n")
            self.stdin.flush()

    def read(self) -> list[dict[str, Any]]:
        content = os.read(self.stdout.fileno(), 1 << 16)
        self.closed = not content
        *lines, self._half = (self._half + content).split(b"\n")
        return [json.loads(line) for line in lines]

    def how_it_ended(self) -> str:
        try:
            status = self._process.wait(LEAVING)
        except subprocess.TimeoutExpired:
            self.kill()
            status = self._process.wait()
        self._close()
        if status >= 0:
            return f"ended with status {status}"
        known = {each.value: each.name for each in signal.Signals}
        memory = " (no memory left?)" if status == -signal.SIGKILL else ""
        return f"was ended by {known.get(-status, f'signal {-status}')}{memory}"

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        self._process.kill()

    def leave(self) -> None:
        """Let it end by itself: it sees its input end, and interrupts what it still runs."""
        with suppress(OSError):
            self.stdin.close()

    def end(self, until: float) -> None:
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self.kill()
            self._process.wait()
        self._close()

    def _close(self) -> None:
        for stream in (self.stdin, self.stdout):
            with suppress(OSError):
                stream.close()


def _trial_result(task: _QueuedTrial, told: Mapping[str, Any]) -> TrialResult:
    return TrialResult(
        trial=task.trial,
        run_id=told.get("run_id"),
        status=Status(told["status"]),
        metrics=told.get("metrics", {}),
        seconds=told.get("seconds", 0.0),
        error=told["error"],
        exit_status=told["exit_status"],
        outputs=told.get("outputs", {}),
        ran=tuple(told.get("ran", ())),
    )


def close(job: Job, run_id: str, status: Status, reason: str) -> bool:
    """Write down how a run ended whose process could not; False where it had not begun."""
    try:
        record = job.store.run(run_id)
    except ReletError:
        return False
    if record.status is Status.RUNNING:
        job.store.put_run(replace(record, status=status, message=reason, ended=now()))
        for tracker in job.trackers:
            job.store.put_pending(tracker, run_id)
    return True


def check_store(store: Store) -> None:
    """Raise SettingError where the pool's processes could not share a store: one in memory is a process's own."""
    if store.url.startswith("memory:"):
        raise SettingError(
            f"trials run in processes of their own, which can't share a store in memory, got {store.url}; "
            "set store.url to a folder or a bucket"
        )


def _steps_making(job: Job, names: set[str]) -> list[str]:
    """The selected components that make the artifacts of these names, and those that make what they take."""
    found: list[str] = []
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        for component in job.request.components:
            if component.name not in found and any(output.name == name for output in component.outputs):
                found.append(component.name)
                waiting |= {each.name for each in component.inputs}
    return found
