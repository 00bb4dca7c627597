"""Runs what the plan says, in this process, and records what it did."""

from __future__ import annotations

import pdb
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from relet.core.artifact import ArtifactType, Reference, Verdict, Version
from relet.core.component import Component
from relet.core.plan import Action, Known, Plan, Step, decide, plan
from relet.core.record import Link, RunRecord, Status, new_run_id, now
from relet.engine.environment import code_state, lock_digest, machine
from relet.engine.job import Job, Outcome, Quiet, Result, Watcher
from relet.engine.loading import function_of
from relet.engine.values import Workspace, Written, write
from relet.errors import ComponentError, DamagedError, ReletError

if TYPE_CHECKING:
    from relet.store import Store
    from relet.tracking.courier import Courier

# Where temporary files go and which modules are loaded belong to the process: in one process components are
# called one after the other, whichever thread runs them.
_calling = threading.Lock()


def execute(job: Job, watch: Watcher | None = None, *, debug: bool = False, patience: float = 20) -> Outcome:
    """Run what `plan` says. What is finished stays finished, whatever happens after it.

    `debug` opens pdb in the frame of a component that raises; `patience` is how many seconds the end waits for
    the trackers. Errors are returned in the outcome, not raised.
    """
    watch = watch or Quiet()
    began = perf_counter()
    planned = plan(job.request, job.store)
    parent = _record(
        job,
        RunRecord(
            id=new_run_id(),
            pipeline=job.request.pipeline.name,
            experiment=job.experiment,
            status=Status.RUNNING,
            started=now(),
        ),
    )
    courier = None if planned.idle else _announce(job, parent)
    results: dict[str, Result] = {}
    error: BaseException | None = None
    try:
        with tempfile.TemporaryDirectory(prefix="relet-", ignore_cleanup_errors=True) as scratch:
            for result in _steps(job, planned, parent, Workspace(Path(scratch), job.store), watch, debug):
                results[result.component] = result
                watch.ended(result)
    except (KeyboardInterrupt, Exception) as raised:
        error = raised
    status = _status(error, results.values())
    parent = replace(
        parent,
        status=status,
        ended=now(),
        message=str(error or ""),
        steps={name: _shown(result) for name, result in results.items()},
        metrics={name: value for result in results.values() for name, value in result.metrics.items()},
    )
    _keep(job, parent)
    deliveries = courier.finish(patience) if courier else ()
    return Outcome(
        run_id=parent.id,
        status=status,
        results=tuple(results.values()),
        seconds=perf_counter() - began,
        error=error,
        deliveries=deliveries,
    )


def _record(job: Job, record: RunRecord) -> RunRecord:
    """A record with what is the same for every run of the job."""
    return replace(
        record,
        code=code_state(job.project.root, job.store),
        lock=lock_digest(job.project.lock, job.store),
        machine=machine(),
        command=job.command,
        parameters=job.parameters,
    )


def _announce(job: Job, parent: RunRecord) -> Courier | None:
    """Write the parent down and let the trackers' process begin, so that it works while the run does."""
    _keep(job, parent)
    if not job.trackers:
        return None
    from relet.tracking.courier import start

    return start(job.store.url, job.project.root, job.trackers)


def _keep(job: Job, record: RunRecord) -> None:
    job.store.put_run(record)
    for tracker in job.trackers:
        job.store.put_pending(tracker, record.id)


def _status(error: BaseException | None, results: Any) -> Status:
    if isinstance(error, KeyboardInterrupt):
        return Status.INTERRUPTED
    if error is not None:
        return Status.FAILED
    refused = any(result.verdict is not None and not result.verdict.passed for result in results)
    return Status.STOPPED if refused else Status.FINISHED


def _shown(result: Result) -> dict[str, Any]:
    return {
        "action": str(result.action),
        "reason": result.reason,
        "run": result.run_id,
        "outputs": {name: str(version) for name, version in result.outputs.items()},
    }


def _steps(
    job: Job, planned: Plan, parent: RunRecord, workspace: Workspace, watch: Watcher, debug: bool
) -> Iterator[Result]:
    """Act on each component in order: as planned until one has run, then as decided on what is known by then.

    A damaged input is made again by starting over: what is whole is skipped.
    """
    known, as_planned = Known(), True
    waiting = list(job.request.components)
    damaged: set[str] = set()
    while waiting:
        component = waiting.pop(0)
        step = planned[component.name] if as_planned else decide(component, job.request, known, job.store)
        try:
            result = _act(job, parent, component, step, workspace, watch, debug)
        except DamagedError as error:
            if str(error) in damaged:
                raise
            damaged.add(str(error))
            watch.noted(f"{error}; what made it runs again")
            known, as_planned, waiting = Known(), False, list(job.request.components)
            continue
        known = known.made(component, step.inputs, result.outputs)
        as_planned = as_planned and step.action is Action.SKIP
        yield result


def _act(
    job: Job,
    parent: RunRecord,
    component: Component,
    step: Step,
    workspace: Workspace,
    watch: Watcher,
    debug: bool,
) -> Result:
    if step.action is Action.WAITS:
        return Result(component=component.name, action=step.action, reason=step.reason)
    if step.action is Action.SKIP:
        result = Result(component=component.name, action=step.action, reason=step.reason, outputs=step.outputs)
    else:
        watch.started(step)
        result = _run(job, parent, component, step, workspace, debug)
    verdict = _verdict_of(result.outputs, workspace)
    metrics = {
        name: value
        for version in result.outputs.values()
        if version.type is ArtifactType.METRICS
        for name, value in version.metadata.get("metrics", {}).items()
    }
    _move_aliases(job, component, step, result, verdict, parent, watch)
    return replace(result, verdict=verdict, metrics=metrics)


def _verdict_of(outputs: Mapping[str, Version], workspace: Workspace) -> Verdict | None:
    for version in outputs.values():
        if version.type is ArtifactType.VERDICT:
            verdict: Verdict = workspace.read(version, "verdict")
            return verdict
    return None


def _move_aliases(
    job: Job,
    component: Component,
    step: Step,
    result: Result,
    verdict: Verdict | None,
    parent: RunRecord,
    watch: Watcher,
) -> None:
    by = result.run_id or parent.id
    for version in result.outputs.values():
        job.store.set_alias(version.name, "latest", version.number, by=by, why="last run")
    if verdict is not None and not verdict.passed:
        return
    for each in component.inputs:
        version_or_none = step.inputs.get(each.name)
        if each.stored and each.stored.initially and version_or_none and not job.store.find(each.stored.reference):
            reference = Reference.parse(each.stored.reference)
            job.store.set_alias(
                reference.name, reference.selector, version_or_none.number, by=by, why="the first batch"
            )
            watch.noted(f"{version_or_none} is the first batch: it becomes {reference}")


def _run(
    job: Job, parent: RunRecord, component: Component, step: Step, workspace: Workspace, debug: bool
) -> Result:
    record = replace(
        parent,
        id=new_run_id(),
        parent=parent.id,
        component=component.name,
        job_type=component.job_type,
        description=component.description,
        started=now(),
        parameters=job.parameters[component.name],
        inputs={name: _link(version) for name, version in step.inputs.items() if version},
        key=step.key,
        parts=step.parts,
    )
    began = perf_counter()
    try:
        written = _call(job, component, step, workspace, debug)
    except DamagedError:
        raise
    except BaseException as error:
        status = Status.INTERRUPTED if isinstance(error, KeyboardInterrupt) else Status.FAILED
        _keep(job, replace(record, status=status, ended=now(), message=f"{type(error).__name__}: {error}"))
        raise
    outputs = {
        name: _store(job.store, name, each, component.description, record.id, workspace)
        for name, each in written.items()
    }
    record = replace(
        record,
        status=Status.FINISHED,
        ended=now(),
        outputs={name: _link(version) for name, version in outputs.items()},
        metrics={k: v for version in outputs.values() for k, v in version.metadata.get("metrics", {}).items()},
    )
    assert step.key is not None
    _keep(job, record)
    job.store.put_key(step.key, {name: str(version) for name, version in outputs.items()})
    return Result(
        component=component.name,
        action=Action.RUN,
        reason=step.reason,
        outputs=outputs,
        new=frozenset(name for name, version in outputs.items() if version.producer == record.id),
        seconds=perf_counter() - began,
        run_id=record.id,
    )


def _link(version: Version) -> Link:
    return Link(version=str(version), type=version.type, content=version.content)


def _call(job: Job, component: Component, step: Step, workspace: Workspace, debug: bool) -> dict[str, Written]:
    """Call the function and write what it returns below the workspace; nothing is stored yet."""
    assert step.parts is not None
    inputs = [
        workspace.read(version, each.container) if (version := step.inputs[each.name]) else None
        for each in component.inputs
    ]
    with _calling:
        function = function_of(component, job.project.root, step.parts.code)
    scratch = Path(tempfile.mkdtemp(prefix=f"{component.name}-", dir=workspace.folder))
    with _calling, _temporary_files_in(scratch):
        try:
            returned = function(*inputs, **job.arguments[component.name])
            values = _named(component, returned)
            return {
                output.name: write(
                    output.name, output.type, values[output.name], scratch / "outputs" / output.name
                )
                for output in component.outputs
            }
        except ReletError:
            raise
        except Exception as error:
            if debug:
                pdb.post_mortem(_from_component(error))
            raise ComponentError(f"{component.name} raised {type(error).__name__}: {error}") from error


def _from_component(error: Exception) -> Any:
    """The traceback without relet's own first frame, so that pdb's `up` ends in the component."""
    trace = error.__traceback__
    return trace.tb_next if trace and trace.tb_next else trace


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _named(component: Component, returned: Any) -> dict[str, Any]:
    """What the function returned, by the artifacts' names."""
    names = [output.name for output in component.outputs]
    if not names:
        return {}
    if not isinstance(returned, tuple) or len(returned) != len(names):
        raise ComponentError(
            f"{component.name} returned a {type(returned).__name__}; "
            f"its signature promises the artifacts {', '.join(names)}"
        )
    return dict(zip(names, returned, strict=True))


def _store(
    store: Store, name: str, written: Written, description: str, run_id: str, workspace: Workspace
) -> Version:
    """Objects first, manifest last."""
    version = store.add_version(
        name=name,
        type=written.type,
        content=written.content,
        files={path: store.put_object(file) for path, file in written.files.items()},
        description=description,
        metadata=written.metadata,
        producer=run_id,
    )
    workspace.keep(version, written.folder)
    return version
