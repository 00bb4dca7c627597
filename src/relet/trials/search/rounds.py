"""A search while it goes on: batch by batch, and within a batch fold by fold."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from relet.core.record import RunKind, Status
from relet.errors import ComponentError, ReletError, SettingError
from relet.experiments.experiment import FOLD
from relet.trials.group import begin, end
from relet.trials.pool import PlannedTrial, TrialPool, TrialResult, available_processors, check_store
from relet.trials.precedence import first_goes_alone
from relet.trials.search.known import SearchRuns, check_unchanged, study_to_go_on, told_candidates
from relet.trials.search.question import SearchDefinition, SearchLimits, is_still_asked, unknown_metric
from relet.trials.search.study import Candidate, FoldResult, Log, TrialBatch

if TYPE_CHECKING:
    from relet.store import Store
    from relet.store.journal import JournalPiece, SearchJournal
    from relet.tracking.courier import Delivery

Run = Callable[[Sequence[PlannedTrial]], Iterator[TrialResult]]


class SearchWatcher(Protocol):
    """Somebody who looks on while a search goes on."""

    def begun(
        self, question: SearchDefinition, limits: SearchLimits, known: Sequence[Candidate], others: bool
    ) -> None:
        """A search begins, or goes on from the trials that are `known`.

        `others` says that another process works on the same search, or was killed while it did.
        """

    def doing(self, number: int, what: str) -> None:
        """What a trial does now."""

    def measured(self, number: int, fold: int, found: FoldResult) -> None:
        """A fold of a trial was measured."""

    def told(self, found: Sequence[Candidate]) -> None:
        """A batch is complete: these are its trials."""


@dataclass(frozen=True, kw_only=True)
class SearchOutcome:
    """What became of a search: its trials in the order of their numbers, and how it ended.

    `known` is how many trials it began with; `out_of_time` says that it ended because its time was over.
    """

    question: SearchDefinition
    run_id: str
    status: Status
    candidates: tuple[Candidate, ...]
    known: int
    seconds: float
    out_of_time: bool = False
    error: BaseException | None = None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def winner(self) -> Candidate | None:
        """The best trial that was measured on every fold; of equal ones the first."""
        return best_candidate(self.question, self.candidates)

    @property
    def default(self) -> Candidate | None:
        """The trial of the configured settings."""
        return next((each for each in self.candidates if each.number == 1 and each.value is not None), None)

    @property
    def is_improved(self) -> bool:
        """Whether the winner is better than the configured settings, which may lie outside the space."""
        winner, default = self.winner, self.default
        if winner is None or winner.value is None or winner.number == 1:
            return False
        if default is None or default.value is None:
            return True
        return self.question.better * (winner.value - default.value) > 0

    @property
    def exit_status(self) -> int:
        if self.status is Status.INTERRUPTED:
            return 130
        return getattr(self.error, "exit_status", 1) if self.error else 0


class OutOfTimeError(Exception):
    """The time that a search may take is over."""


def best_candidate(question: SearchDefinition, found: Sequence[Candidate]) -> Candidate | None:
    """The trial with the best value; the configured settings count only where they lie in the space."""
    complete = [each for each in found if each.value is not None and not each.beside]
    return min(complete, key=lambda each: (-question.better * (each.value or 0.0), each.number), default=None)


def search(question: SearchDefinition, limits: SearchLimits, watch: SearchWatcher) -> SearchOutcome:
    """Search, and keep a record of it. What is finished stays finished, whatever happens after it.

    Where what the steps read undeclared changed since, a study of its own begins: see `study_to_go_on`. Errors are
    returned, not raised. The journal holds complete batches only; the store holds every fold that was
    measured.
    """
    began = time.monotonic()
    store = question.job.store
    check_store(store)
    question = study_to_go_on(question, SearchRuns(store))
    journal = store.journal(question.id, dict(question.facts))
    before = _stored_candidates(question, journal, limits.trials)
    group = begin(question.job, RunKind.SEARCH, _search_parameters(question, limits))
    journal.describe(dict(question.facts))
    others = _has_other_runs(store, journal, group.record.id)
    watch.begun(question, limits, before, others)
    error: BaseException | None = None
    status, out_of_time = Status.FINISHED, False
    workers = limits.workers or available_processors()
    try:
        with TrialPool(
            question.order,
            question.job,
            workers=workers,
            parent=group.record,
            tell=lambda trial, what: watch.doing(trial.number, what),
            alone=first_goes_alone(question.order, question.job),
        ) as pool:
            run = pool.run if limits.timeout is None else _run_until(began + limits.timeout, pool)
            search_until(question, limits.trials, journal, run, watch, mixed=others)
    except OutOfTimeError:
        out_of_time = True
    except KeyboardInterrupt as raised:
        status, error = Status.INTERRUPTED, raised
    except Exception as raised:
        status, error = Status.FAILED, raised
    outcome = SearchOutcome(
        question=question,
        run_id=group.record.id,
        status=status,
        candidates=tuple(_stored_candidates(question, journal, limits.trials)),
        known=len(before),
        seconds=time.monotonic() - began,
        out_of_time=out_of_time,
        error=error,
    )
    winner = _winner_result(outcome, store)
    return replace(outcome, deliveries=end(group, status=status, winner=winner, message=str(error or "")))


def search_until(
    question: SearchDefinition,
    trials: int,
    journal: SearchJournal,
    run: Run,
    watch: SearchWatcher,
    *,
    mixed: bool = False,
) -> None:
    """Measure batches until there are so many trials.

    Where another process has stored a batch first, that one counts. With `mixed` the trials of a batch begin in a
    random order, so that two processes that search the same rarely wait for each other.
    """
    runs = SearchRuns(question.job.store)
    while True:
        known = _stored_candidates(question, journal, trials)
        check_unchanged(question, runs, [run for each in known for run in each.runs])
        if len(known) >= trials:
            return
        logs, complete = _complete_batches(question, journal)
        batch = TrialBatch(question, logs, min(question.batch, trials - complete * question.batch))
        _measure_batch(batch, run, watch, mixed=mixed)
        if not is_still_asked(question):
            raise SettingError(
                "the code, the settings or the source changed while it was searched, so the last batch does not "
                "count; the same command searches with what there is now"
            )
        found = [each for each in batch.candidates() if each.number in batch.values]
        check_unchanged(question, runs, [run for each in found for run in each.runs])
        journal.append(complete + 1, len(batch.values), batch.logs)
        watch.told(found)


def _measure_batch(batch: TrialBatch, run: Run, watch: SearchWatcher, *, mixed: bool) -> None:
    """Measure a batch one fold after the other: the first folds decide which trials are given up."""
    question = batch.question
    fold = 0
    while batch.alive:
        fold += 1
        planned = [
            PlannedTrial(number=each, overrides=(*question.overrides(batch.values[each]), f"{FOLD}={fold}"))
            for each in batch.alive
        ]
        if mixed:
            random.shuffle(planned)
        measured: dict[int, FoldResult] = {}
        # The configured settings are measured first, alone: where that fails, the search ends.
        configured = [each for each in planned if (each.number, fold) == (1, 1)]
        for together in (configured, [each for each in planned if each not in configured]):
            for tried in run(together) if together else ():
                number = tried.trial.number
                measured[number] = _measurement(question, tried)
                watch.measured(number, fold, measured[number])
            if configured and measured[1].value is None:
                raise ComponentError(f"the configured settings can't be measured: {measured[1].error}")
        if len(measured) > 1 and not any(each.value is not None for each in measured.values()):
            error = measured[min(measured)].error
            raise ComponentError(f"every trial of a batch failed, so it does not count: {error}")
        batch.tell(measured)


def _measurement(question: SearchDefinition, tried: TrialResult) -> FoldResult:
    """The metric of a trial's run, or why it has none: its component raised an error, or a verdict failed.

    Raises ReletError where the run failed for another reason, which may not come again: a search does not remember
    that as the failure of a trial.
    """
    lost = tried.run_id is None or tried.lost
    if tried.status is Status.FAILED and (lost or tried.exit_status != ComponentError.exit_status):
        raise ReletError(
            f"trial {tried.trial.number} ({' '.join(tried.trial.overrides)}): {tried.error}; what was measured is "
            "kept, and the same command goes on; if this comes again, narrow the search's space"
        )
    value, error = None, tried.error or str(tried.status)
    if tried.finished:
        if question.metric not in tried.metrics:
            raise unknown_metric(question.metric, tried.metrics, question.component)
        value, error = tried.metrics[question.metric], ""
        if not math.isfinite(value):
            value, error = None, f"{question.metric} is {value}"
    return FoldResult(value=value, error=error, run=tried.run_id, seconds=tried.seconds)


def _complete_batches(question: SearchDefinition, journal: SearchJournal) -> tuple[list[Log], int]:
    """The entries of the complete batches, from the first on, and how many batches those are."""
    logs: list[Log] = []
    count = 0
    for piece in journal.pieces():
        if piece.size < question.batch:
            break
        logs += piece.logs
        count += 1
    return logs, count


def _stored_candidates(question: SearchDefinition, journal: SearchJournal, trials: int) -> list[Candidate]:
    """The first trials of the journal, at most so many; the last batch may hold fewer than a complete one."""
    counted: list[JournalPiece] = []
    for piece in journal.pieces():
        counted.append(piece)
        if piece.size < question.batch:
            break
    return told_candidates(question, counted)[:trials]


def _run_until(deadline: float, pool: TrialPool) -> Run:
    """The `run` of a pool until a deadline: trials that still run then are interrupted, and do not count.

    It raises OutOfTimeError where trials are left at the deadline.
    """

    def limited(trials: Sequence[PlannedTrial]) -> Iterator[TrialResult]:
        left = len(trials)
        with closing(pool.run(trials, deadline=deadline)) as results:
            for tried in results:
                if tried.status is not Status.INTERRUPTED:
                    yield tried
                    left -= 1
        if left:
            raise OutOfTimeError

    return limited


def _has_other_runs(store: Store, journal: SearchJournal, run_id: str) -> bool:
    """Whether another run works on this search now, or was killed while it did."""
    for other in journal.join(run_id):
        try:
            if store.run(other).status is Status.RUNNING:
                return True
        except ReletError:
            continue
    return False


def _search_parameters(question: SearchDefinition, limits: SearchLimits) -> dict[str, Any]:
    """What a person asked of the search, as its record and the trackers show it."""
    return {
        "search": question.id,
        "metric": question.metric,
        "direction": str(question.direction),
        "trials": limits.trials,
        "timeout": limits.timeout,
        "seed": question.seed,
        "batch": question.batch,
        "folds": question.folds,
        "overrides": list(question.order.overrides),
        "space": {each.setting: str(each).partition(": ")[2] for each in question.dimensions},
    }


def _winner_result(found: SearchOutcome, store: Store) -> TrialResult | None:
    """The winner as the search's record names it: the run of its last fold, with the mean of all folds."""
    winner, default = found.winner, found.default
    if winner is None or winner.value is None:
        return None
    metrics = {found.question.metric: winner.value, "trials": float(len(found.candidates))}
    if default is not None and default.value is not None:
        metrics[f"default_{found.question.metric}"] = default.value
    run_id = winner.runs[-1] if winner.runs else None
    outputs: dict[str, str] = {}
    if run_id:
        try:
            steps = store.run(run_id).steps.values()
        except ReletError:
            run_id = None  # The record was pruned, or was not copied with the rest of a store.
        else:
            outputs = {name: version for each in steps for name, version in each.get("outputs", {}).items()}
    return TrialResult(
        trial=PlannedTrial(number=winner.number, overrides=found.question.overrides(winner.values)),
        run_id=run_id,
        status=Status.FINISHED,
        metrics=metrics,
        outputs=outputs,
    )
