"""Runs that belong together: the record of a sweep or search, from its beginning to its winner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING, Any

from relet.core.record import RunKind, RunRecord, Status, new_run_id, now
from relet.errors import SettingError, nearest
from relet.project.job import Job
from relet.project.surroundings import machine, surroundings
from relet.trials.pool import TrialResult

if TYPE_CHECKING:
    from relet.tracking.courier import Courier, Delivery

DIRECTIONS = ("minimize", "maximize")


@dataclass(frozen=True, kw_only=True)
class RunGroup:
    """A sweep or search while it goes: its record, and the process that sends its trials' records, if any."""

    job: Job
    record: RunRecord
    courier: Courier | None


def begin(job: Job, kind: RunKind, parameters: Mapping[str, Any]) -> RunGroup:
    """Write the record down and start what sends it, and its trials', to the trackers.

    `job` is what its trials have in common; `parameters` what a person asked of the sweep itself: how many trials,
    by which metric the best is found, …
    """
    from relet.engine.run import files_of

    around = surroundings(job.project.root, job.project.lock, files_of(job), job.store)
    record = RunRecord(
        id=new_run_id(),
        pipeline=job.request.pipeline.name,
        experiment=job.experiment,
        status=Status.RUNNING,
        started=now(),
        job_type=str(kind),
        parameters=dict(parameters),
        code=around.code,
        lock=around.lock,
        machine=machine(),
        command=job.command,
    )
    _put_group_record(job, record)
    courier = None
    if job.trackers:
        from relet.tracking.courier import start

        courier = start(job.store.url, job.project.place, job.trackers)
    return RunGroup(job=job, record=record, courier=courier)


def end(
    group: RunGroup, *, status: Status, winner: TrialResult | None, message: str = "", patience: float = 20
) -> tuple[Delivery, ...]:
    """Write down how it ended, let `latest` be what the winner has, and wait for the trackers at most `patience`
    seconds; how each of them took it."""
    record = replace(
        group.record,
        status=status,
        ended=now(),
        message=message,
        metrics=dict(winner.metrics) if winner else {},
        winner=winner.run_id if winner else None,
    )
    if winner:
        _make_latest(group, winner)
    _put_group_record(group.job, record)
    return group.courier.finish(patience) if group.courier else ()


def _put_group_record(job: Job, record: RunRecord) -> None:
    job.store.put_run(record)
    for tracker in job.trackers:
        job.store.put_pending(tracker, record.id)


def _make_latest(group: RunGroup, winner: TrialResult) -> None:
    """Whichever trial ended last has set `latest`: that is chance, and nobody looks for its model."""
    store = group.job.store
    for name, reference in winner.outputs.items():
        version = store.find(reference)
        if version:
            why = f"the best trial of the {group.record.kind}"
            store.set_alias(name, "latest", version.number, by=group.record.id, why=why)


def status_of(tried: Iterable[TrialResult]) -> Status:
    """How a sweep stands: failed or stopped where a trial is, interrupted where one was."""
    found = {each.status for each in tried}
    order = (Status.INTERRUPTED, Status.FAILED, Status.STOPPED)
    return next((status for status in order if status in found), Status.FINISHED)


def ranked_trials(tried: Sequence[TrialResult], *, metric: str, direction: str) -> list[TrialResult]:
    """The trials that finished and have the metric, the best first; of equal ones the one with the lower number.

    Raises SettingError, naming the metrics that there are, where trials finished and none has it.
    """
    check_direction(direction)
    finished = [each for each in tried if each.finished]
    found = [each for each in finished if metric in each.metrics and not isnan(each.metrics[metric])]
    if finished and not found:
        known = dict.fromkeys(name for each in finished for name in each.metrics)
        raise SettingError(
            f"no trial has a metric {metric!r}; set search.metric to another: {nearest(metric, known)}"
        )
    sign = 1 if direction == "minimize" else -1
    return sorted(found, key=lambda each: (sign * each.metrics[metric], each.trial.number))


def check_direction(direction: str) -> None:
    if direction not in DIRECTIONS:
        raise SettingError(
            f"search.direction is minimize or maximize, got {direction!r}: {nearest(direction, DIRECTIONS)}"
        )
