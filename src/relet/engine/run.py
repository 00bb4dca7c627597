"""Runs what the plan says, in this process, and records what it did."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from time import perf_counter
from typing import Any

from relet.core.plan import Action, KnownVersions, Plan, decide, plan
from relet.core.record import Status
from relet.engine import recording
from relet.engine.calling import folder_outside_calls
from relet.engine.isolation import isolated_job
from relet.engine.step import RunContext, act_on, prepare_calls
from relet.engine.workspace import Workspace
from relet.errors import DamagedError, StoreError
from relet.files import scratch_folder, space_advice
from relet.project import known_code
from relet.project.folder import KEPT, keep_out_of_git
from relet.project.job import ComponentResult, Job, RunOutcome, RunWatcher, SilentWatcher


def execute(job: Job, watch: RunWatcher | None = None, *, debug: bool = False, patience: float = 20) -> RunOutcome:
    """Run what `plan` says. What is finished stays finished, whatever happens after it.

    `debug` opens pdb in the frame of a component that raises; `patience` is how many seconds the end waits for
    the trackers. Errors are returned in the outcome, not raised.
    """
    watch = watch or SilentWatcher()
    with isolated_job(job, tell=watch.noted) as settled:
        return _execute(settled, watch, debug=debug, patience=patience)


def _execute(job: Job, watch: RunWatcher, *, debug: bool, patience: float) -> RunOutcome:
    began = perf_counter()
    planned = plan(job.request, job.store)
    run = recording.begin(job, announced=not planned.idle, parameters=job.parameters, **_trial_facts(job))
    results: dict[str, ComponentResult] = {}
    error: BaseException | None = None
    try:
        with scratch_folder("run", folder_outside_calls()) as scratch:
            context = RunContext(
                job=job,
                parent=run.record,
                around=run.around,
                workspace=Workspace(scratch, job.store),
                watch=watch,
                debug=debug,
            )
            if not planned.idle and not debug:
                prepare_calls(job, context.workspace)
            for result in _step_results(context, planned):
                results[result.component] = result
                watch.ended(result)
    except (KeyboardInterrupt, Exception) as raised:
        advice = space_advice(raised, folder_outside_calls())
        error = StoreError(f"{raised}{advice}") if advice else raised
    status = _run_status(error, results.values())
    known_code.keep(job.project.place / KEPT)
    keep_out_of_git(job.project.place)
    deliveries = recording.end(
        run,
        patience=patience,
        status=status,
        message=str(error or ""),
        steps={name: _step_summary(result) for name, result in results.items()},
        metrics={name: value for result in results.values() for name, value in result.run_metrics.items()},
        caveats=tuple(dict.fromkeys(each for result in results.values() for each in result.caveats)),
    )
    return RunOutcome(
        run_id=run.record.id,
        status=status,
        results=tuple(results.values()),
        seconds=perf_counter() - began,
        error=error,
        deliveries=deliveries,
    )


def _trial_facts(job: Job) -> dict[str, Any]:
    """What the record of a trial says of its place in the sweep or search; nothing for any other run."""
    part = job.part
    if part is None:
        return {}
    return {"id": part.run_id, "parent": part.parent, "trial": part.number, "overrides": part.overrides}


def _run_status(error: BaseException | None, results: Collection[ComponentResult]) -> Status:
    if isinstance(error, KeyboardInterrupt):
        return Status.INTERRUPTED
    if error is not None:
        return Status.FAILED
    refused = any(result.verdict is not None and not result.verdict.passed for result in results)
    held_back = any(result.action is Action.WAITS for result in results)
    return Status.STOPPED if refused or held_back else Status.FINISHED


def _step_summary(result: ComponentResult) -> dict[str, Any]:
    return {
        "action": str(result.action),
        "reason": result.reason,
        "run": result.run_id,
        "outputs": {name: str(version) for name, version in result.outputs.items()},
    }


def _step_results(context: RunContext, planned: Plan) -> Iterator[ComponentResult]:
    """Act on each component in order.

    The plan holds until a component has run; each later step is decided again, since more is known then. Where an
    input is damaged, the run starts over: what is whole is skipped, and the damaged input is made again.
    """
    job = context.job
    known, as_planned = KnownVersions(), True
    waiting = list(job.request.components)
    damaged: set[str] = set()
    while waiting:
        component = waiting.pop(0)
        step = planned[component.name] if as_planned else decide(component, job.request, known, job.store)
        try:
            result = act_on(context, component, step, known)
        except DamagedError as error:
            if str(error) in damaged:
                raise
            damaged.add(str(error))
            context.watch.noted(f"{error}; what made it runs again")
            known, as_planned, waiting = KnownVersions(), False, list(job.request.components)
            continue
        held_back = step.action is Action.WAITS
        known = known.without_outputs(component) if held_back else known.with_outputs(component, result.outputs)
        as_planned = as_planned and step.action is Action.SKIP
        yield result
