"""What a run is asked to do, who looks on, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from relet.core.artifact import Verdict, Version
from relet.core.component import Component
from relet.core.plan import Action, RunRequest, Step
from relet.core.record import Caveat, Status, source_digests
from relet.project.call import Caller
from relet.project.folder import Project

if TYPE_CHECKING:
    from relet.store import Store
    from relet.tracking.courier import Delivery


@dataclass(frozen=True, kw_only=True)
class TrialIdentity:
    """A run as a trial of a sweep or search: the id it is to have, the sweep's own run, its number, and what it
    set by itself, in Hydra's syntax."""

    run_id: str
    parent: str
    number: int
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to run and where to put it.

    `arguments` are the values that each function is called with; `parameters` the same as they were asked for
    (a source outside by its path or URL): that is what records and trackers show. `manager`
    makes an environment of its own for each component that names none: uv, virtualenv, conda or docker; `callers`
    call a component where it is settled already that this process does not. `part` is what makes it a trial: then
    whoever runs the sweep has its records sent to the trackers.
    """

    project: Project
    request: RunRequest
    arguments: Mapping[str, Mapping[str, Any]]
    parameters: Mapping[str, Mapping[str, Any]]
    store: Store
    experiment: str
    trackers: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    callers: Mapping[str, Caller] = field(default_factory=dict)
    manager: str | None = None
    part: TrialIdentity | None = None

    def sources(self, component: Component) -> Iterator[tuple[Path, str]]:
        """The local files of a component's sources outside, each with the SHA-256 of its content."""
        for name, digest in source_digests(self.request.key_parameters[component.name]).items():
            yield Path(self.arguments[component.name][name]), digest


@dataclass(frozen=True, kw_only=True)
class ComponentResult:
    """What became of one component: `seconds` is wall time; `new` names the outputs that are new versions.

    `run_id` is the run that made the outputs: an earlier one where the component was skipped.
    """

    component: str
    action: Action
    reason: str
    inputs: Mapping[str, Version] = field(default_factory=dict)
    outputs: Mapping[str, Version] = field(default_factory=dict)
    new: frozenset[str] = frozenset()
    seconds: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    verdict: Verdict | None = None
    run_id: str | None = None
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """What became of a run: the results in order, what went wrong, and how each tracker took it."""

    run_id: str
    status: Status
    results: tuple[ComponentResult, ...]
    seconds: float
    error: BaseException | None = None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def exit_status(self) -> int:
        """0; 3 where a verdict said no; 130 after Ctrl-C; else that of the error."""
        if self.status is Status.STOPPED:
            return 3
        if self.status is Status.INTERRUPTED:
            return 130
        return getattr(self.error, "exit_status", 1) if self.error else 0

    @property
    def metrics(self) -> dict[str, float]:
        return {name: value for result in self.results for name, value in result.metrics.items()}


class RunWatcher(Protocol):
    """Somebody who looks on while a run goes."""

    def started(self, step: Step) -> None:
        """A component begins to run."""

    def ended(self, result: ComponentResult) -> None:
        """A component was run, skipped or held back."""

    def noted(self, message: str) -> None:
        """Something that a person should know."""


class SilentWatcher:
    """A watcher that says nothing."""

    def started(self, step: Step) -> None: ...
    def ended(self, result: ComponentResult) -> None: ...
    def noted(self, message: str) -> None: ...
