"""A sweep: every combination of what the overrides name several values of, each a run of its own."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from relet.config.combinations import combinations
from relet.config.own import takes_text, wiring_of
from relet.core.directions import Direction
from relet.core.record import RunKind, Status
from relet.errors import ReletError, SettingError
from relet.project.folder import open_project
from relet.project.job import Job
from relet.project.order import VISITED, Order, read_order
from relet.project.request import Progress, checked_settings, prepare
from relet.trials import group
from relet.trials.pool import PlannedTrial, TrialPool, TrialResult, available_processors, check_store
from relet.trials.precedence import first_goes_alone

if TYPE_CHECKING:
    from relet.config import Settings
    from relet.core.pipeline import Pipeline
    from relet.tracking.courier import Delivery

WORKERS = "workers="


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What is to be tried.

    `order` is what all trials have in common; `job` is the order with the settings of the first trial. `metric`
    and `direction` say which trial is the best; `evaluates` whether a selected trial is then tested. `doubt` is
    what is odd about the metric, in words.
    """

    order: Order
    job: Job
    trials: tuple[PlannedTrial, ...]
    workers: int
    metric: str
    direction: Direction
    evaluates: bool
    doubt: str = ""

    @property
    def warning(self) -> str:
        """What a person should know about the metric, or an empty text."""
        if not self.metric.startswith("test_"):
            return self.doubt
        return (
            f"search.metric={self.metric} selects by rows that are there to test what was selected: the winner's "
            "own test will look better than it is; select by a validation metric"
        )

    def selection(self, trial: PlannedTrial) -> list[str]:
        """The command that runs a trial's settings as a run of their own: what the trial made is skipped, and the
        result is tested."""
        order = self.order
        steps = [f"steps={','.join(order.steps)}"] if order.steps else []
        kept = [each for each in order.overrides if not self._is_about_search(each)]
        tested = ["main.evaluate=true"] if self.evaluates else []
        visited = shlex.split(os.environ.get(VISITED, ""))
        return ["relet", "run", *visited, order.pipeline, *steps, *kept, *trial.overrides, *tested]

    def _is_about_search(self, override: str) -> bool:
        """Whether an override says how trials are compared, and feeds no step that is selected."""
        key = override.partition("=")[0].lstrip("+~")
        if not key.startswith("search."):
            return False
        pipeline = self.job.request.pipeline
        selected = {each.name for each in pipeline.select(self.order.steps, all_of_them=True)}
        return not any(fed.component in selected for fed in wiring_of(pipeline).reach(key).fed)


@dataclass(frozen=True, kw_only=True)
class SweepOutcome:
    """What became of a sweep.

    `tried` are all results, in the order of the trials; `ranked` are those that finished, the best first. `error`
    is why there is no ranking, or what ended the sweep early.
    """

    run_id: str
    status: Status
    tried: tuple[TrialResult, ...]
    ranked: tuple[TrialResult, ...]
    seconds: float
    error: BaseException | None = None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def winner(self) -> TrialResult | None:
        return self.ranked[0] if self.ranked else None

    @property
    def exit_status(self) -> int:
        """130 after Ctrl-C, else that of the error, else 1, 2 or 3: the lowest that a trial has."""
        if self.status is Status.INTERRUPTED:
            return 130
        if self.error is not None:
            return getattr(self.error, "exit_status", 1)
        statuses = {each.exit_status for each in self.tried}
        return next((status for status in (1, 2, 3) if status in statuses), 0)


class SweepWatcher(Protocol):
    """Somebody who looks on while a sweep goes."""

    def doing(self, trial: PlannedTrial, what: str) -> None:
        """What a trial does now: the name of a component, or something that a person should know."""

    def tried(self, tried: TrialResult) -> None:
        """A trial has ended."""


def read_sweep(target: str, words: Sequence[str], command: Sequence[str] = ()) -> tuple[Order, int | None]:
    """An order with all its overrides, and how many workers were asked for (None: no number was given).

    >>> read_sweep("nyc_rentals", ["etl.min_price=10,20", "workers=2"])[1]
    2
    """
    workers: int | None = None
    others = []
    for word in words:
        if word.startswith(WORKERS):
            workers = _worker_count(word.removeprefix(WORKERS))
        else:
            others.append(word)
    if "." in target:
        raise SettingError(
            f"a sweep runs a pipeline, got the component {target}; write steps={target.partition('.')[2]}"
        )
    return read_order(target, others, command), workers


def _worker_count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise SettingError(
            f"workers takes a whole number from 1 on, got {text!r}; this machine has {available_processors()}"
        )
    return int(text)


def prepare_sweep(
    order: Order, workers: int | None = None, *, start: Path | None = None, progress: Progress | None = None
) -> Sweep:
    """The trials of an order, each composed and checked; nothing has run yet.

    Raises what `prepare` raises, with the number and the overrides of the trial that is wrong.
    """
    project = open_project(order.pipeline, start)
    wiring = wiring_of(project.pipeline)
    overrides = combinations(order.overrides, project.conf, lambda key: takes_text(wiring, key))
    common = replace(order, overrides=overrides.fixed)
    trials = tuple(PlannedTrial(number=number, overrides=each) for number, each in enumerate(overrides.trials, 1))
    chosen: Settings | None = None
    job: Job | None = None
    sources: set[str] = set()
    for trial in trials:
        try:
            composed = checked_settings(project, (*common.overrides, *trial.overrides))
            chosen = chosen or composed
            if job is None or _source_settings(project.pipeline, composed) not in sources:
                # A source that is missing, or can't be read, is an error before anything runs.
                sources.add(_source_settings(project.pipeline, composed))
                whole = replace(common, overrides=(*common.overrides, *trial.overrides))
                prepared = prepare(whole, start=start, progress=progress)
                job = job or prepared
        except ReletError as error:
            raise _trial_error(error, trial, len(trials)) from error
    assert chosen is not None and job is not None
    check_store(job.store)
    main = chosen.values.get("main", {})
    has_requested_steps = project.pipeline.select(None, all_of_them=True) != project.pipeline.select(None)
    return Sweep(
        order=common,
        job=job,
        trials=trials,
        workers=min(workers or available_processors(), len(trials)),
        metric=chosen.search.metric,
        direction=group.chosen_direction(chosen.search),
        doubt=group.check_measured(chosen.search.metric, job.request.components, job.store),
        evaluates=has_requested_steps and order.steps is None and "evaluate" in main and not chosen.evaluate,
    )


def _source_settings(pipeline: Pipeline, composed: Settings) -> str:
    """The values of the parameters that name something outside, as one text."""
    values = [
        composed.parameters[each.name][parameter.name]
        for each in pipeline.components
        for parameter in each.parameters_with(composed.parameters[each.name])
        if parameter.source is not None
    ]
    return repr(values)


def _trial_error(error: ReletError, trial: PlannedTrial, count: int) -> ReletError:
    if count == 1:
        return error
    return type(error)(f"trial {trial.number} of {count} ({' '.join(trial.overrides)}): {error}")


def run_sweep(sweep: Sweep, watch: SweepWatcher, *, patience: float = 20) -> SweepOutcome:
    """Run the trials of a sweep. What is finished stays finished, whatever happens after it.

    A trial that fails or is refused has a result as well. `patience` is how many seconds the end waits for the
    trackers. Errors are returned in the outcome, not raised.
    """
    began = perf_counter()
    parameters = {
        "trials": len(sweep.trials),
        "metric": sweep.metric,
        "direction": str(sweep.direction),
        "overrides": list(sweep.order.overrides),
    }
    run = group.begin(sweep.job, RunKind.SWEEP, parameters)
    tried: list[TrialResult] = []
    error: BaseException | None = None
    try:
        with (
            TrialPool(
                sweep.order,
                sweep.job,
                workers=sweep.workers,
                parent=run.record,
                tell=watch.doing,
                alone=first_goes_alone(sweep.order, sweep.job),
            ) as pool,
            closing(pool.run(sweep.trials)) as results,
        ):
            for each in results:
                tried.append(each)
                watch.tried(each)
    except (KeyboardInterrupt, Exception) as raised:
        error = raised
    tried.sort(key=lambda each: each.trial.number)
    status = Status.INTERRUPTED if isinstance(error, KeyboardInterrupt) else group.status_of(tried)
    ranked: list[TrialResult] = []
    try:
        ranked = group.ranked_trials(tried, metric=sweep.metric, direction=sweep.direction)
    except SettingError as unranked:
        error = error or unranked
    if error is not None and status is Status.FINISHED:
        status = Status.FAILED
    deliveries = group.end(
        run,
        status=status,
        winner=ranked[0] if ranked else None,
        message=str(error or "") or _errors_text(tried),
        patience=patience,
    )
    return SweepOutcome(
        run_id=run.record.id,
        status=status,
        tried=tuple(tried),
        ranked=tuple(ranked),
        seconds=perf_counter() - began,
        error=error,
        deliveries=deliveries,
    )


def _errors_text(tried: Sequence[TrialResult]) -> str:
    return "; ".join(f"trial {each.trial.number}: {each.error}" for each in tried if each.error)[:2000]
