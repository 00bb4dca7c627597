"""One step of a run: the component is skipped, held back, or called; the outputs of a call are stored."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from relet.core.artifact import ArtifactType, Reference, Verdict, Version
from relet.core.component import Component
from relet.core.plan import Action, KnownVersions, Step, decide
from relet.core.record import ArtifactLink, Caveat, RunRecord, Status, new_run_id, now
from relet.engine import recording
from relet.engine.calling import call_here
from relet.engine.loading import function_of
from relet.engine.values import Workspace
from relet.errors import BadDataError, DamagedError, NotFoundError
from relet.project.call import CallResult, ComponentCall, WrittenOutput
from relet.project.job import ComponentResult, Job, RunWatcher
from relet.project.key import code_files, pipeline_files
from relet.project.surroundings import Surroundings

if TYPE_CHECKING:
    from relet.store import Store


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What the steps of a run share: the job, the pipeline's record, its surroundings, and a folder to work in."""

    job: Job
    parent: RunRecord
    around: Surroundings
    workspace: Workspace
    watch: RunWatcher
    debug: bool


def act_on(context: RunContext, component: Component, step: Step, known: KnownVersions) -> ComponentResult:
    """Do what a step says; raises what the component raises."""
    if step.action is Action.WAITS:
        return ComponentResult(component=component.name, action=step.action, reason=step.reason)
    if step.action is Action.SKIP:
        result = _skip(context.job, component, step)
    else:
        step, result = _run_unless_made(context, component, step, known)
    verdict = _verdict_of(result.outputs, context.workspace)
    metrics = {
        name: value
        for version in result.outputs.values()
        if version.type is ArtifactType.METRICS
        for name, value in version.metadata.get("metrics", {}).items()
    }
    _move_aliases(context, component, step, result, known.with_outputs(component, result.outputs))
    inputs = {name: version for name, version in step.inputs.items() if version}
    return replace(result, inputs=inputs, verdict=verdict, metrics=metrics)


def _run_unless_made(
    context: RunContext, component: Component, step: Step, known: KnownVersions
) -> tuple[Step, ComponentResult]:
    """Run a component, and return its step and result.

    Where another process makes the same outputs meanwhile, the step that is returned is one that skips.
    """
    store = context.job.store
    assert step.key is not None

    def waiting() -> None:
        context.watch.noted(f"{component.name} waits: another run is making the same")
        import_modules_early(context.job)

    with store.claim(step.key, waiting=waiting):
        if store.key(step.key) is not None:
            decided_again = decide(component, context.job.request, known, store)
            if decided_again.action is Action.SKIP:
                return decided_again, _skip(context.job, component, decided_again)
        context.watch.started(step)
        return step, _run_component(context, component, step)


def import_modules_early(job: Job) -> None:
    """Import the modules of the components while this process waits; a call reports the errors of an import."""
    for component in job.request.components:
        if component.name not in job.callers:
            with suppress(Exception):
                code, arguments = job.request.code[component.name].code, job.arguments[component.name]
                function_of(component, job.project.root, code, arguments)


def _skip(job: Job, component: Component, step: Step) -> ComponentResult:
    """The outputs of an earlier run, with that run's id and caveats.

    A source that the component reads and the store does not hold is stored now.
    """
    store = job.store
    for path, digest in job.sources(component):
        if not store.has_object(digest):
            _store_source(store, path, digest)
    # A key that an older relet wrote names no run: the first producer of an output stands in for it.
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
            if version.metadata.get("passed") is not verdict.passed:
                raise DamagedError(
                    f"{version} says passed = {version.metadata.get('passed')}, and its file says {verdict.passed}"
                )
            return verdict
    return None


def _move_aliases(
    context: RunContext, component: Component, step: Step, result: ComponentResult, known: KnownVersions
) -> None:
    """Set `latest` to each output; where no verdict failed, set an alias that has no version yet to the first one.

    `known` is what is known of the run once the component has its outputs.
    """
    store, pipeline = context.job.store, context.job.request.pipeline
    by = result.run_id if result.action is Action.RUN and result.run_id else context.parent.id
    for version in result.outputs.values():
        store.set_alias(version.name, "latest", version.number, by=by, why="last run")
    verdicts = [version for version in step.inputs.values() if version and version.type is ArtifactType.VERDICT]
    if not all(version.metadata.get("passed") for version in verdicts):
        return  # A run whose verdict failed never becomes the reference.
    for each in component.inputs:
        first = step.inputs.get(each.name)
        if each.stored and each.stored.initially and first and not store.find(each.stored.reference):
            if known.refuses(each.stored.initially, pipeline):
                continue
            if context.job.request.given(component, each):
                continue  # A version that a person named for the comparison is not the first batch.
            reference = Reference.parse(each.stored.reference)
            store.set_alias(reference.name, reference.selector, first.number, by=by, why="the first batch")
            context.watch.noted(f"{first} is the first batch: it becomes {reference}")


def _run_component(context: RunContext, component: Component, step: Step) -> ComponentResult:
    job = context.job
    record = replace(
        context.parent,
        id=new_run_id(),
        parent=context.parent.id,
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
        # A source outside is stored: it may be gone, or changed, when the run is made again.
        with _sources_stored_meanwhile(job, component):
            called = _call_component(context, component, step)
    except DamagedError:
        raise
    except BaseException as error:
        status = Status.INTERRUPTED if isinstance(error, KeyboardInterrupt) else Status.FAILED
        message = f"{type(error).__name__}: {error}"
        recording.put(job, replace(record, status=status, ended=now(), message=message))
        raise
    outputs = {
        name: _store_output(context, name, each, component.description, record.id)
        for name, each in called.outputs.items()
    }
    caveats = (*_caveats(context, component, step), *called.caveats)
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
    recording.put(job, record)
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


def _caveats(context: RunContext, component: Component, step: Step) -> tuple[Caveat, ...]:
    assert step.parts is not None
    project = context.job.project
    files = code_files(project, step.parts) | pipeline_files(project)
    own_lock = (component.environment or "").partition(":")[2]
    return context.around.caveats(files, step.parts.packages, project.root / own_lock if own_lock else None)


def _call_component(context: RunContext, component: Component, step: Step) -> CallResult:
    """Call the function and write what it returns below the workspace; nothing is stored yet."""
    call = call_for(context.job, component, step.inputs, context.workspace)
    caller = context.job.callers.get(component.name)
    if caller and context.debug:
        context.watch.noted(f"{component.name} runs in an environment of its own, where --pdb can't look")
    return caller(call) if caller else call_here(call, debug=context.debug)


def call_for(
    job: Job, component: Component, inputs: Mapping[str, Version | None], workspace: Workspace
) -> ComponentCall:
    """The call of a component with these inputs, laid out below the workspace."""
    laid_out = {name: workspace.lay_out(version) if version else None for name, version in inputs.items()}
    resources = (job.project.folder / name for name in component.resources)
    return ComponentCall(
        component=component,
        root=job.project.root,
        code=job.request.code[component.name].code,
        inputs=laid_out,
        arguments=job.arguments[component.name],
        files=(*resources, *(path for path, _ in job.sources(component))),
        scratch=Path(tempfile.mkdtemp(prefix=f"{component.name}-", dir=workspace.folder)),
    )


@contextmanager
def _sources_stored_meanwhile(job: Job, component: Component) -> Iterator[None]:
    """Store the sources of a component while it reads them; an error of that is raised at the end."""
    sources = list(job.sources(component))
    if not sources:
        yield
        return
    with ThreadPoolExecutor(1, thread_name_prefix="relet-sources") as beside:
        stored = [beside.submit(_store_source, job.store, path, digest) for path, digest in sources]
        yield
        for each in stored:
            each.result()


def _store_source(store: Store, path: Path, digest: str) -> None:
    if store.put_object(path) != digest:
        raise BadDataError(f"{path} changed while it was read; run again")


def _store_output(
    context: RunContext, name: str, written: WrittenOutput, description: str, run_id: str
) -> Version:
    """Store the objects first, and the manifest that names them last."""
    store = context.job.store
    version = store.add_version(
        name=name,
        type=written.type,
        content=written.content,
        files={path: store.put_object(file) for path, file in written.files.items()},
        description=description,
        metadata=written.metadata,
        producer=run_id,
        doubting=context.watch.noted,
    )
    context.workspace.keep(version, written.folder)
    return version
