"""Runs that belong together: the record of a sweep or search, from its beginning to its winner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from relet.core.record import RunKind, Status
from relet.engine import recording
from relet.engine.recording import RunRecording
from relet.errors import SettingError, nearest
from relet.project.job import Job
from relet.trials.pool import TrialResult

if TYPE_CHECKING:
    from relet.tracking.courier import Delivery

DIRECTIONS = ("minimize", "maximize")


def begin(job: Job, kind: RunKind, parameters: Mapping[str, Any]) -> RunRecording:
    """Begin the record of a sweep or search, and the courier that sends it and its trials to the trackers.

    `job` is what its trials have in common; `parameters` is what a person asked of the sweep itself: how many
    trials, by which metric the best is found, …
    """
    return recording.begin(job, job_type=str(kind), parameters=dict(parameters))


def end(
    group: RunRecording, *, status: Status, winner: TrialResult | None, message: str = "", patience: float = 20
) -> tuple[Delivery, ...]:
    """End the record, move `latest` to what the winner has, and wait at most `patience` seconds for the trackers.

    Returns how each tracker stands.
    """
    if winner:
        _make_latest(group, winner)
    return recording.end(
        group,
        patience=patience,
        status=status,
        message=message,
        metrics=dict(winner.metrics) if winner else {},
        winner=winner.run_id if winner else None,
    )


def _make_latest(group: RunRecording, winner: TrialResult) -> None:
    """Move `latest` to the winner's outputs: until now it is at those of the trial that ended last."""
    store = group.job.store
    for name, reference in winner.outputs.items():
        version = store.find(reference)
        if version:
            why = f"the best trial of the {group.record.kind}"
            store.set_alias(name, "latest", version.number, by=group.record.id, why=why)


def status_of(tried: Iterable[TrialResult]) -> Status:
    """The status of a sweep: the worst of its trials'."""
    statuses = {each.status for each in tried}
    worst_first = (Status.INTERRUPTED, Status.FAILED, Status.STOPPED)
    return next((status for status in worst_first if status in statuses), Status.FINISHED)


def ranked_trials(tried: Sequence[TrialResult], *, metric: str, direction: str) -> list[TrialResult]:
    """The trials that finished and have the metric, the best first; equal ones in the order of their numbers.

    Raises SettingError where trials finished and none has the metric; the message names the metrics there are.
    """
    check_direction(direction)
    finished = [each for each in tried if each.finished]
    measured = [each for each in finished if metric in each.metrics and not isnan(each.metrics[metric])]
    if finished and not measured:
        known = dict.fromkeys(name for each in finished for name in each.metrics)
        raise SettingError(
            f"no trial has a metric {metric!r}; set search.metric to another: {nearest(metric, known)}"
        )
    sign = 1 if direction == "minimize" else -1
    return sorted(measured, key=lambda each: (sign * each.metrics[metric], each.trial.number))


def check_direction(direction: str) -> None:
    if direction not in DIRECTIONS:
        raise SettingError(
            f"search.direction is minimize or maximize, got {direction!r}: {nearest(direction, DIRECTIONS)}"
        )
