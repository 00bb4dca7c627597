"""Runs that belong together: the record of a sweep or search, from its beginning to its winner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from relet.config.binding import SearchSettings
from relet.core.artifact import ArtifactType, Reference
from relet.core.component import Component
from relet.core.directions import Direction, direction_of, is_usual
from relet.core.record import RunKind, Status
from relet.engine import recording
from relet.engine.recording import RunRecording
from relet.errors import SettingError, nearest
from relet.project.job import Job
from relet.trials.pool import TrialResult

if TYPE_CHECKING:
    from relet.store import Store
    from relet.tracking.courier import Delivery

# Some usual metrics, which an error offers.
OFFERED = ("accuracy", "average_precision", "f1", "log_loss", "mae", "r2", "rmse", "roc_auc")
# How many of the newest run records are read to learn which metrics there are.
LOOKED_AT = 60


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
    store, pipeline = group.job.store, group.job.request.pipeline
    for name, reference in winner.outputs.items():
        version = store.find(Reference.parse(reference))
        if version:
            why = f"the best trial of the {group.record.kind}"
            store.set_alias(pipeline.full(name), "latest", version.number, by=group.record.id, why=why)


def status_of(tried: Iterable[TrialResult]) -> Status:
    """The status of a sweep: the worst of its trials'."""
    statuses = {each.status for each in tried}
    worst_first = (Status.INTERRUPTED, Status.FAILED, Status.STOPPED)
    return next((status for status in worst_first if status in statuses), Status.FINISHED)


def ranked_trials(tried: Sequence[TrialResult], *, metric: str, direction: Direction) -> list[TrialResult]:
    """The trials that finished and have the metric, the best first; equal ones in the order of their numbers.

    Raises SettingError where trials finished and none has the metric; the message names the metrics there are.
    """
    finished = [each for each in tried if each.finished]
    measured = [each for each in finished if metric in each.metrics and not isnan(each.metrics[metric])]
    if finished and not measured:
        known = dict.fromkeys(name for each in finished for name in each.metrics)
        raise SettingError(
            f"no trial has a metric {metric!r}; set search.metric to another: {nearest(metric, known)}"
        )
    sign = 1 if direction is Direction.MINIMIZE else -1
    return sorted(measured, key=lambda each: (sign * each.metrics[metric], each.trial.number))


def chosen_direction(search: SearchSettings) -> Direction:
    """The direction in which trials are compared by `search.metric`: as it is declared, else as its name tells.

    Raises SettingError for a metric whose direction is neither declared nor known, and for a usual metric that is
    declared the other way round. Where a name only resembles a usual one, what is declared counts.
    """
    known = direction_of(search.metric)
    if search.direction is None:
        if known is None:
            raise SettingError(
                f"search.metric is {search.metric!r}, and the name doesn't tell whether more or less of it is "
                "better; for a metric of your own set search.direction to minimize or maximize; of the usual ones "
                f"{nearest(search.metric, OFFERED)}"
            )
        return known
    declared = Direction(search.direction)
    if known not in (None, declared) and is_usual(search.metric):
        right = declared.reversed
        raise SettingError(
            f"search.metric is {search.metric}, and {right.words}, but search.direction is {declared}; set "
            f"search.direction={right}, or leave it out"
        )
    return declared


def check_measured(metric: str, components: Sequence[Component], store: Store) -> str:
    """What a person should know of the metric before anything runs, in words; empty where nothing is odd.

    That is where the last run of each component that gives metrics had no such metric. Its code may have changed
    since. Raises SettingError where no component gives any.
    """
    measuring = {each.name for each in components if any(out.type is ArtifactType.METRICS for out in each.outputs)}
    if not measuring:
        raise SettingError(
            f"trials are compared by {metric}, but no step that they run gives metrics: let a component return "
            "Metrics, or run the steps that do"
        )
    known: dict[str, Mapping[str, float]] = {}
    for record in store.runs(limit=LOOKED_AT):
        if record.component in measuring and record.status is Status.FINISHED:
            known.setdefault(record.component, record.metrics)
    names = dict.fromkeys(name for metrics in known.values() for name in metrics)
    if known.keys() != measuring or metric in names:
        return ""
    return f"the last run of {' and '.join(sorted(measuring))} had no metric {metric!r}: {nearest(metric, names)}"
