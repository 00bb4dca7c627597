"""Runs what the plan says, in this process, and records what it did."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from relet.core.artifact import ArtifactType, Reference, Verdict, Version
from relet.core.component import Component
from relet.core.plan import Action, KnownVersions, Plan, Step, decide, plan
from relet.core.record import ArtifactLink, Caveat, RunRecord, Status, new_run_id, now
from relet.engine.calling import call_here, folder_outside_calls
from relet.engine.isolation import isolated_job
from relet.engine.loading import function_of
from relet.engine.values import Workspace
from relet.errors import BadDataError, DamagedError, NotFoundError
from relet.project import known_code
from relet.project.call import CallResult, ComponentCall, WrittenOutput
from relet.project.job import ComponentResult, Job, RunOutcome, RunWatcher, SilentWatcher
from relet.project.key import code_files, pipeline_files
from relet.project.surroundings import Surroundings, machine, surroundings

if TYPE_CHECKING:
    from relet.store import Store
    from relet.tracking.courier import Courier


@dataclass(frozen=True, kw_only=True)
class _RunContext:
    """A run while it goes: what is asked, its record, what is the same for all its components, where they work."""

    job: Job
    parent: RunRecord
    around: Surroundings
    workspace: Workspace
    watch: RunWatcher
    debug: bool


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
    around = surroundings(job.project.root, job.project.lock, files_of(job), job.store)
    parent = _pipeline_record(job, around)
    courier = None if planned.idle else _announce(job, parent)
    results: dict[str, ComponentResult] = {}
    error: BaseException | None = None
    try:
        with tempfile.TemporaryDirectory(
            prefix="relet-", dir=folder_outside_calls(), ignore_cleanup_errors=True
        ) as scratch:
            workspace = Workspace(Path(scratch), job.store)
            going = _RunContext(
                job=job, parent=parent, around=around, workspace=workspace, watch=watch, debug=debug
            )
            for result in _step_results(going, planned):
                results[result.component] = result
                watch.ended(result)
    except (KeyboardInterrupt, Exception) as raised:
        error = raised
    status = _run_status(error, results.values())
    parent = replace(
        parent,
        status=status,
        ended=now(),
        message=str(error or ""),
        steps={name: _step_summary(result) for name, result in results.items()},
        metrics={name: value for result in results.values() for name, value in result.metrics.items()},
        caveats=tuple(dict.fromkeys(each for result in results.values() for each in result.caveats)),
    )
    _put_run_record(job, parent)
    known_code.keep(job.project.place)
    deliveries = courier.finish(patience) if courier else ()
    return RunOutcome(
        run_id=parent.id,
        status=status,
        results=tuple(results.values()),
        seconds=perf_counter() - began,
        error=error,
        deliveries=deliveries,
    )


def files_of(job: Job) -> frozenset[str]:
    """The files that this run's code lies in, relative to the project's folder."""
    closures = (code_files(job.project, parts) for parts in job.request.code.values())
    return pipeline_files(job.project).union(*closures)


def _pipeline_record(job: Job, around: Surroundings) -> RunRecord:
    """The pipeline's record, with what is the same for every run of the job."""
    part = job.part
    return RunRecord(
        id=part.run_id if part else new_run_id(),
        parent=part.parent if part else None,
        trial=part.number if part else None,
        overrides=part.overrides if part else (),
        pipeline=job.request.pipeline.name,
        experiment=job.experiment,
        status=Status.RUNNING,
        started=now(),
        code=around.code,
        lock=around.lock,
        machine=machine(),
        command=job.command,
        parameters=job.parameters,
    )


def _announce(job: Job, parent: RunRecord) -> Courier | None:
    """Write the parent down and let the trackers' process begin, so that it works while the run does."""
    _put_run_record(job, parent)
    if not job.trackers or job.part:
        return None
    from relet.tracking.courier import start

    return start(job.store.url, job.project.place, job.trackers)


def _put_run_record(job: Job, record: RunRecord) -> None:
    job.store.put_run(record)
    for tracker in job.trackers:
        job.store.put_pending(tracker, record.id)


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


def _step_results(going: _RunContext, planned: Plan) -> Iterator[ComponentResult]:
    """Act on each component in order: as planned until one has run, then as decided on what is known by then.

    A damaged input is made again by starting over: what is whole is skipped.
    """
    job = going.job
    known, as_planned = KnownVersions(), True
    waiting = list(job.request.components)
    damaged: set[str] = set()
    while waiting:
        component = waiting.pop(0)
        step = planned[component.name] if as_planned else decide(component, job.request, known, job.store)
        try:
            result = _act_on_step(going, component, step, known)
        except DamagedError as error:
            if str(error) in damaged:
                raise
            damaged.add(str(error))
            going.watch.noted(f"{error}; what made it runs again")
            known, as_planned, waiting = KnownVersions(), False, list(job.request.components)
            continue
        held_back = step.action is Action.WAITS
        known = known.without(component) if held_back else known.made(component, result.outputs)
        as_planned = as_planned and step.action is Action.SKIP
        yield result


def _act_on_step(going: _RunContext, component: Component, step: Step, known: KnownVersions) -> ComponentResult:
    if step.action is Action.WAITS:
        return ComponentResult(component=component.name, action=step.action, reason=step.reason)
    if step.action is Action.SKIP:
        result = _skip(going.job, component, step)
    else:
        step, result = _run_unless_made(going, component, step, known)
    verdict = _verdict_of(result.outputs, going.workspace)
    metrics = {
        name: value
        for version in result.outputs.values()
        if version.type is ArtifactType.METRICS
        for name, value in version.metadata.get("metrics", {}).items()
    }
    _move_aliases(going, component, step, result, known.made(component, result.outputs))
    inputs = {name: version for name, version in step.inputs.items() if version}
    return replace(result, inputs=inputs, verdict=verdict, metrics=metrics)


def _run_unless_made(
    going: _RunContext, component: Component, step: Step, known: KnownVersions
) -> tuple[Step, ComponentResult]:
    """Run a component, unless another process does or did so meanwhile: then its step is one to skip."""
    store = going.job.store
    assert step.key is not None

    def waiting() -> None:
        going.watch.noted(f"{component.name} waits: another run is making the same")
        _import_modules_early(going.job)

    with store.claim(step.key, waiting=waiting):
        if store.key(step.key) is not None:
            now_there = decide(component, going.job.request, known, store)
            if now_there.action is Action.SKIP:
                return now_there, _skip(going.job, component, now_there)
        going.watch.started(step)
        return step, _run_component(going, component, step)


def _import_modules_early(job: Job) -> None:
    """Import what the components need, while there is nothing else to do. What goes wrong, their calls tell."""
    for component in job.request.components:
        if component.name not in job.callers:
            with suppress(Exception):
                code, arguments = job.request.code[component.name].code, job.arguments[component.name]
                function_of(component, job.project.root, code, arguments)


def _skip(job: Job, component: Component, step: Step) -> ComponentResult:
    """What an earlier run made, whose record says how, and what of it no record holds.

    A source that it read, and that the store has lost or never had, is kept from now on.
    """
    store = job.store
    for path, digest in job.sources(component):
        if not store.has_object(digest):
            _keep_source(store, path, digest)
    # a key that an older relet wrote names no run: what made the outputs first is next best
    producers = (version.producer for version in step.outputs.values() if version.producer)
    made_by = (store.maker(step.key) if step.key else None) or next(producers, None)
    try:
        caveats = store.run(made_by).caveats if made_by else ()
    except (NotFoundError, DamagedError):
        caveats = ()
    return ComponentResult(
        component=component.name,
        action=step.action,
        reason=step.reason,
        outputs=step.outputs,
        run_id=made_by,
        caveats=caveats,
    )


def _verdict_of(outputs: Mapping[str, Version], workspace: Workspace) -> Verdict | None:
    for version in outputs.values():
        if version.type is ArtifactType.VERDICT:
            verdict: Verdict = workspace.read(version, "verdict")
            return verdict
    return None


def _move_aliases(
    going: _RunContext, component: Component, step: Step, result: ComponentResult, known: KnownVersions
) -> None:
    store, pipeline = going.job.store, going.job.request.pipeline
    by = result.run_id if result.action is Action.RUN and result.run_id else going.parent.id
    for version in result.outputs.values():
        store.set_alias(version.name, "latest", version.number, by=by, why="last run")
    verdicts = [version for version in step.inputs.values() if version and version.type is ArtifactType.VERDICT]
    if not all(version.metadata.get("passed") for version in verdicts):
        return  # what has a no in hand makes no reference of what that refused
    for each in component.inputs:
        version_or_none = step.inputs.get(each.name)
        if each.stored and each.stored.initially and version_or_none and not store.find(each.stored.reference):
            if known.speaks_against(each.stored.initially, pipeline):
                continue
            if going.job.request.given(component, each):
                continue  # a person said what to compare with: that is no first batch
            reference = Reference.parse(each.stored.reference)
            store.set_alias(
                reference.name, reference.selector, version_or_none.number, by=by, why="the first batch"
            )
            going.watch.noted(f"{version_or_none} is the first batch: it becomes {reference}")


def _run_component(going: _RunContext, component: Component, step: Step) -> ComponentResult:
    job = going.job
    record = replace(
        going.parent,
        id=new_run_id(),
        parent=going.parent.id,
        trial=None,
        overrides=(),
        component=component.name,
        job_type=component.job_type,
        description=component.description,
        started=now(),
        parameters=job.parameters[component.name],
        inputs={name: _link_to(version) for name, version in step.inputs.items() if version},
        key=step.key,
        parts=step.parts,
    )
    began = perf_counter()
    try:
        # What is read from outside is kept: it may be gone, or something else, when the run is made again.
        with _sources_stored_meanwhile(job, component):
            called = _call_component(going, component, step)
    except DamagedError:
        raise
    except BaseException as error:
        status = Status.INTERRUPTED if isinstance(error, KeyboardInterrupt) else Status.FAILED
        _put_run_record(
            job, replace(record, status=status, ended=now(), message=f"{type(error).__name__}: {error}")
        )
        raise
    outputs = {
        name: _store_output(job.store, name, each, component.description, record.id, going.workspace)
        for name, each in called.outputs.items()
    }
    caveats = (*_caveats(going, component, step), *called.caveats)
    record = replace(
        record,
        status=Status.FINISHED,
        ended=now(),
        outputs={name: _link_to(version) for name, version in outputs.items()},
        metrics={k: v for version in outputs.values() for k, v in version.metadata.get("metrics", {}).items()},
        machine=called.machine or record.machine,
        caveats=caveats,
    )
    assert step.key is not None
    _put_run_record(job, record)
    job.store.put_key(step.key, {name: str(version) for name, version in outputs.items()}, record.id)
    return ComponentResult(
        component=component.name,
        action=Action.RUN,
        reason=step.reason,
        outputs=outputs,
        new=frozenset(name for name, version in outputs.items() if version.producer == record.id),
        seconds=perf_counter() - began,
        run_id=record.id,
        caveats=caveats,
    )


def _link_to(version: Version) -> ArtifactLink:
    return ArtifactLink(version=str(version), type=version.type, content=version.content)


def _caveats(going: _RunContext, component: Component, step: Step) -> tuple[Caveat, ...]:
    assert step.parts is not None
    files = code_files(going.job.project, step.parts) | pipeline_files(going.job.project)
    own = (component.environment or "").partition(":")[2]
    return going.around.caveats(files, step.parts.packages, going.job.project.root / own if own else None)


def _call_component(going: _RunContext, component: Component, step: Step) -> CallResult:
    """Call the function and write what it returns below the workspace; nothing is stored yet."""
    call = call_for(going.job, component, step.inputs, going.workspace)
    caller = going.job.callers.get(component.name)
    if caller and going.debug:
        going.watch.noted(f"{component.name} runs in an environment of its own, where --pdb can't look")
    return caller(call) if caller else call_here(call, debug=going.debug)


def call_for(
    job: Job, component: Component, inputs: Mapping[str, Version | None], workspace: Workspace
) -> ComponentCall:
    """The call of a component with these inputs, laid out below the workspace."""
    laid = {name: workspace.lay_out(version) if version else None for name, version in inputs.items()}
    resources = (job.project.folder / name for name in component.resources)
    return ComponentCall(
        component=component,
        root=job.project.root,
        code=job.request.code[component.name].code,
        inputs=laid,
        arguments=job.arguments[component.name],
        files=(*resources, *(path for path, _ in job.sources(component))),
        scratch=Path(tempfile.mkdtemp(prefix=f"{component.name}-", dir=workspace.folder)),
    )


@contextmanager
def _sources_stored_meanwhile(job: Job, component: Component) -> Iterator[None]:
    """Store the sources of a component while it reads them; what went wrong with that is raised at the end."""
    sources = list(job.sources(component))
    if not sources:
        yield
        return
    with ThreadPoolExecutor(1, thread_name_prefix="relet-sources") as keeping:
        kept = [keeping.submit(_keep_source, job.store, path, digest) for path, digest in sources]
        yield
        for each in kept:
            each.result()


def _keep_source(store: Store, path: Path, digest: str) -> None:
    if store.put_object(path) != digest:
        raise BadDataError(f"{path} changed while it was read; run again")


def _store_output(
    store: Store, name: str, written: WrittenOutput, description: str, run_id: str, workspace: Workspace
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
