"""The processes that run the trials of a sweep or search: started, fed, replaced where one dies, and ended."""

from __future__ import annotations

import math
import os
import selectors
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from relet.core.record import RunRecord, Status, new_run_id
from relet.engine.answering import AnsweringProcess
from relet.engine.recording import close
from relet.errors import SettingError
from relet.project.job import Job, TrialIdentity
from relet.project.order import Order

if TYPE_CHECKING:
    from relet.store import Store

# -P: a file in the current folder must not be taken for a module.
PROGRAM = (sys.executable, "-P", "-m", "relet.trials.process")
# The variables that say how many threads the numeric libraries start: trials side by side share the processors.
THREAD_COUNTS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
# How long one look for answers lasts, in seconds.
LOOK = 0.2
# Seconds until a process is killed: one whose trial was interrupted, and one that has nothing to do.
PATIENCE, IDLE_PATIENCE = 10.0, 2.0
# How often a trial is run whose process ends by itself, which may have another cause than the trial.
TRIES = 2

Tell = Callable[["PlannedTrial", str], None]
# Whether the first of the trials that wait has to end before the next one begins.
Alone = Callable[[Sequence["PlannedTrial"]], bool]


@dataclass(frozen=True, kw_only=True)
class PlannedTrial:
    """One of a sweep's runs: its number, from 1, and what it sets by itself, in Hydra's syntax."""

    number: int
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """What became of a trial.

    `run_id` is its run (None where it could not begin). `status` is finished, failed, stopped (a verdict failed)
    or interrupted; `error` says why it did not finish. `seconds` is wall time in its process. `outputs` are the
    versions that it has; `ran` are the components that were run, not skipped. `lost` says that its process ended
    by itself, which may have another cause than the trial.
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
    """At most `workers` processes that run trials of one order; they live until the `with` block ends.

    The run of a trial is `order` with the trial's overrides added, as a child of the run `parent`; `job` is the
    order's own job. `tell` is called with what each trial does now; `alone` says which trials have to end before
    the next one begins. The results do not depend on `workers`; the numbers that versions get do.
    """

    def __init__(
        self,
        order: Order,
        job: Job,
        *,
        workers: int,
        parent: RunRecord,
        tell: Tell = lambda trial, what: None,
        alone: Alone = lambda waiting: False,
    ) -> None:
        if workers < 1:
            raise SettingError(f"workers must be at least 1, got {workers}; set workers={available_processors()}")
        check_store(job.store)
        self._order = order
        self._job = job
        self._workers = workers
        self._parent = parent
        self._tell = tell
        self._alone = alone
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
            each.close_input()
        until = time.monotonic() + (PATIENCE if any(each.task for each in self._processes) else IDLE_PATIENCE)
        for each in self._processes:
            with suppress(KeyboardInterrupt):
                each.end(max(0.0, until - time.monotonic()))
        self._processes.clear()
        self._selector.close()

    def run(
        self, trials: Sequence[PlannedTrial], *, deadline: float = math.inf
    ) -> Generator[TrialResult, None, None]:
        """Run trials, and yield the result of each as it ends. May be called again once it has ended.

        A trial that fails has a result as well. At the `deadline`, a time of `time.monotonic`, the trials that run
        are interrupted and their results yielded, and no other trial begins. After Ctrl-C the same happens, and
        KeyboardInterrupt is raised at the end.
        """
        waiting = deque(_QueuedTrial(trial=trial, run_id=new_run_id()) for trial in trials)
        self._deadline = deadline
        with self._listening():
            while self._first_goes_alone(waiting):
                yield from self._until_done(deque([waiting.popleft()]))
            yield from self._until_done(waiting)

    def _first_goes_alone(self, waiting: deque[_QueuedTrial]) -> bool:
        side_by_side = self._workers > 1 and len(waiting) > 1 and not self._is_over
        return side_by_side and self._alone([each.trial for each in waiting])

    def _until_done(self, waiting: deque[_QueuedTrial]) -> Iterator[TrialResult]:
        interrupted_at = 0.0
        while waiting or any(each.task for each in self._processes):
            if self._is_over:
                waiting.clear()
                interrupted_at = interrupted_at or self._interrupt()
                if self._interrupted > 1 or time.monotonic() - interrupted_at > PATIENCE:
                    self._kill()
            else:
                self._hand_out(waiting)
            for key, _ in self._selector.select(LOOK):
                yield from self._new_results(key.data, waiting)
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
        # A session of its own: Ctrl-C in the terminal reaches this process alone, which interrupts the others.
        process = _WorkerProcess(
            PROGRAM, environment={**dict.fromkeys(THREAD_COUNTS, share), **os.environ}, own_session=True
        )
        self._selector.register(process, selectors.EVENT_READ, process)
        self._processes.append(process)
        return process

    def _give(self, process: _WorkerProcess, task: _QueuedTrial) -> None:
        order = self._order
        trial = task.trial
        part = TrialIdentity(
            run_id=task.run_id, parent=self._parent.id, number=trial.number, overrides=tuple(trial.overrides)
        )
        overrides = [*order.overrides, *trial.overrides]
        steps = [f"steps={','.join(order.steps)}"] if order.steps else []
        process.task = replace(task, tries=task.tries + 1)
        process.ask(
            {
                "pipeline": order.pipeline,
                "steps": order.steps,
                "overrides": overrides,
                "command": ["relet", "run", order.pipeline, *steps, *overrides],
                "part": asdict(part),
            }
        )

    def _new_results(self, process: _WorkerProcess, waiting: deque[_QueuedTrial]) -> Iterator[TrialResult]:
        """The results that a process has sent; where it has ended, what becomes of its trial."""
        for answer in process.answers():
            task = process.task
            if task is None:
                continue
            if answer["event"] == "doing":
                self._tell(task.trial, answer["what"])
            else:
                process.task = None
                yield from self._result_or_another_try(task, answer, waiting)
        if process.closed:
            self._selector.unregister(process)
            self._processes.remove(process)
            yield from self._lost_trial(process, waiting)

    def _result_or_another_try(
        self, task: _QueuedTrial, answer: Mapping[str, Any], waiting: deque[_QueuedTrial]
    ) -> Iterator[TrialResult]:
        """The result of a trial; where the process of a component ended by itself, the trial waits once more."""
        result = _trial_result(task, answer)
        if not result.lost or self._is_over:
            yield result
        elif task.tries < TRIES:
            self._tell(task.trial, f"{result.error}; it runs once more")
            waiting.appendleft(task)
        else:
            yield replace(result, error=f"{result.error}, {task.tries} times")

    def _lost_trial(self, process: _WorkerProcess, waiting: deque[_QueuedTrial]) -> Iterator[TrialResult]:
        """Where a process has ended by itself, its trial waits for another process, or has failed."""
        ended = process.how_it_ended(IDLE_PATIENCE, by_itself="ended")
        process.end(IDLE_PATIENCE)
        task, process.task = process.task, None
        if task is None:
            return
        over = self._is_over
        if task.tries < TRIES and not over:
            self._tell(task.trial, f"its process {ended}; it runs once more")
            waiting.appendleft(task)
            return
        status = Status.INTERRUPTED if over else Status.FAILED
        reason = "interrupted" if over else f"its process {ended}, {task.tries} times"
        began = close(self._job, task.run_id, status, reason)
        yield TrialResult(
            trial=task.trial,
            run_id=task.run_id if began else None,
            status=status,
            error=reason,
            exit_status=130 if over else 1,
            lost=True,
        )

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """While the block runs, Ctrl-C is counted; `_until_done` acts on it between two looks for answers."""
        self._interrupted = 0
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def count(number: int, frame: FrameType | None) -> None:
            self._interrupted += 1

        before = signal.signal(signal.SIGINT, count)
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
    """A trial with the id of its run, and how many processes were given it."""

    trial: PlannedTrial
    run_id: str
    tries: int = 0


class _WorkerProcess(AnsweringProcess):
    """One of the pool's processes, with the trial that it runs now."""

    task: _QueuedTrial | None = None


def _trial_result(task: _QueuedTrial, answer: Mapping[str, Any]) -> TrialResult:
    return TrialResult(
        trial=task.trial,
        run_id=answer.get("run_id"),
        status=Status(answer["status"]),
        metrics=answer.get("metrics", {}),
        seconds=answer.get("seconds", 0.0),
        error=answer["error"],
        exit_status=answer["exit_status"],
        outputs=answer.get("outputs", {}),
        ran=tuple(answer.get("ran", ())),
        lost=answer.get("lost", False),
    )


def check_store(store: Store) -> None:
    """Raise SettingError for a store in memory, which the processes of a pool can't share."""
    if store.url.startswith("memory:"):
        raise SettingError(
            f"trials run in processes of their own, which can't share a store in memory, got {store.url}; "
            "set store.url to a folder or a bucket"
        )
