"""What a run has to do, who watches it, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from relet.core.artifact import Verdict, Version
from relet.core.component import Component
from relet.core.plan import Action, RunRequest, Step
from relet.core.record import Caveat, Status, source_digests
from relet.project.call import Caller, ProgressReport
from relet.project.folder import Project
from relet.project.tree import CodeTree

if TYPE_CHECKING:
    from relet.store import Store
    from relet.tracking.courier import Delivery


@dataclass(frozen=True, kw_only=True)
class TrialIdentity:
    """What makes a run a trial of a sweep or search.

    `run_id` is the id that the run gets, `parent` the run of the sweep or search, `number` the trial's number,
    from 1, and `overrides` what the trial sets by itself, in Hydra's syntax.
    """

    run_id: str
    parent: str
    number: int
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to run, and where its results are stored.

    `arguments` are the values that each function is called with. `parameters` are the same values as a person set
    them, a source outside by its path or by its URL without credentials; records and trackers show these.
    `manager` makes an environment for each component that names none: uv, virtualenv, conda or docker. `callers`
    call the components that another environment than this process's calls. `part` makes the run a trial, whose
    records the courier of its sweep sends. `tree` is the code that the run runs, and all that it runs.
    """

    project: Project
    request: RunRequest
    tree: CodeTree
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

    `run_id` is the run that made the outputs: an earlier one where the component was skipped. `metrics` are the
    component's own; `run_metrics` names them as the run of the pipeline does, behind `metrics_prefix`.
    """

    component: str
    action: Action
    reason: str
    inputs: Mapping[str, Version] = field(default_factory=dict)
    outputs: Mapping[str, Version] = field(default_factory=dict)
    new: frozenset[str] = frozenset()
    seconds: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    metrics_prefix: str = ""
    verdict: Verdict | None = None
    run_id: str | None = None
    caveats: tuple[Caveat, ...] = ()

    @property
    def run_metrics(self) -> dict[str, float]:
        return {f"{self.metrics_prefix}{name}": value for name, value in self.metrics.items()}


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """What became of a run: the results in order, the error that ended it, and how each tracker stands."""

    run_id: str
    status: Status
    results: tuple[ComponentResult, ...]
    seconds: float
    error: BaseException | None = None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def exit_status(self) -> int:
        """0; 3 where a verdict failed; 130 after Ctrl-C; else that of the error."""
        if self.status is Status.STOPPED:
            return 3
        if self.status is Status.INTERRUPTED:
            return 130
        return getattr(self.error, "exit_status", 1) if self.error else 0

    @property
    def metrics(self) -> dict[str, float]:
        return {name: value for result in self.results for name, value in result.run_metrics.items()}


class RunWatcher(Protocol):
    """Somebody who watches a run."""

    def started(self, step: Step) -> None:
        """A component begins to run."""

    def ended(self, result: ComponentResult) -> None:
        """A component was run, skipped or held back."""

    def progressed(self, component: str, report: ProgressReport | None) -> None:
        """A component says how far it is; None from time to time while it works and says nothing."""

    def noted(self, message: str) -> None:
        """Something that a person should know."""


class SilentWatcher:
    """A watcher that does nothing."""

    def started(self, step: Step) -> None: ...
    def ended(self, result: ComponentResult) -> None: ...
    def progressed(self, component: str, report: ProgressReport | None) -> None: ...
    def noted(self, message: str) -> None: ...
