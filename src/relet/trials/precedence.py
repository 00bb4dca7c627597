"""Which trials go before others: while a reference is missing, the first trial that is not refused sets it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from relet.errors import ReletError
from relet.project.job import Job
from relet.project.order import Order
from relet.project.request import prepare
from relet.trials.pool import PlannedTrial

# Component → its parameters, as they enter its key; None for a trial that can't be composed.
TrialParameters = Mapping[str, Any] | None


def differs(waiting: Sequence[TrialParameters], makers: Collection[str]) -> bool:
    """Whether the trials that wait set any component of `makers` to different parameters.

    >>> differs([{"clean": {"low": 1}}, {"clean": {"low": 2}}], ["clean"])
    True
    >>> differs([{"clean": {}, "train": {"rate": 1}}, {"clean": {}, "train": {"rate": 2}}], ["clean"])
    False
    """
    composed = [[parameters.get(name) for name in makers] for parameters in waiting if parameters is not None]
    return any(each != composed[0] for each in composed)


def missing_reference_makers(job: Job) -> list[str]:
    """The selected components that decide what each missing reference becomes.

    A missing reference is a stored version that an input is compared with, that is not there yet, and that the
    first product of this pipeline becomes.
    """
    pipeline = job.request.pipeline
    missing = {
        each.stored.initially
        for component in job.request.components
        for each in component.inputs
        if each.stored and each.stored.initially and job.store.find(pipeline.full(each.stored.reference)) is None
    }
    selected = {component.name for component in job.request.components}
    makers = {pipeline.producers[name] for name in missing if pipeline.producers.get(name) in selected}
    return [name for name in pipeline.upstream(*makers) if name in selected]


def first_goes_alone(order: Order, job: Job) -> Callable[[Sequence[PlannedTrial]], bool]:
    """Whether the first of the trials that wait has to end before the next one begins, for a `TrialPool`.

    It has to while a reference is missing that it would set to another product than a later trial would: which of
    two trials side by side sets the reference is chance.
    """

    @cache
    def parameters(trial: PlannedTrial) -> TrialParameters:
        try:
            request = prepare(replace(order, overrides=(*order.overrides, *trial.overrides))).request
        except ReletError:
            return None  # The trial itself reports the error.
        return request.key_parameters

    def goes_alone(waiting: Sequence[PlannedTrial]) -> bool:
        makers = missing_reference_makers(job)
        return bool(makers) and differs([parameters(each) for each in waiting], makers)

    return goes_alone
