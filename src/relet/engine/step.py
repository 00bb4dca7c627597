"""One step of a run: the component is skipped, held back, or called; the outputs of a call are stored."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from relet.core.artifact import ArtifactType, Reference, Verdict, Version, within_pipeline
from relet.core.component import Component
from relet.core.lookups import outside_key
from relet.core.plan import Action, KnownVersions, Step, decide
from relet.core.record import ArtifactLink, Caveat, RunRecord, Status, new_run_id, now, source_digests
from relet.core.verdicts import refusing_components
from relet.core.wording import count
from relet.engine import own_interpreter, recording
from relet.engine.ahead import modules_wanted
from relet.engine.calling import SHARED_PROCESS, call_here
from relet.engine.workspace import Workspace
from relet.errors import BadDataError, ComponentError, DamagedError, ReletError
from relet.files import folder_state
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
    return replace(
        result, inputs=inputs, verdict=verdict, metrics=metrics, metrics_prefix=component.metrics_prefix
    )


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
        prepare_calls(context.job, context.workspace)

    with store.claim(step.key, waiting=waiting):
        if store.key(step.key) is not None:
            decided_again = decide(component, context.job.request, known, store)
            if decided_again.action is Action.SKIP:
                return decided_again, _skip(context.job, component, decided_again)
        # A source outside is stored, and read from the store: it may be gone, or be another, at any moment.
        _store_sources(context.job, component)
        context.watch.started(step)
        for each in component.inputs:
            if step.inputs[each.name] is None and context.job.request.pipeline.leaves_out(each):
                context.watch.noted(f"{component.name} runs without {each.name}, which nothing here makes")
        for note in _refused_elsewhere(context.job, step):
            context.watch.noted(f"{component.name} takes {note}")
        return step, _run_component(context, component, step)


def _refused_elsewhere(job: Job, step: Step) -> Iterator[str]:
    """Inputs of other pipelines that these refused themselves: who takes them does so on purpose, and is told."""
    own = f"{job.request.pipeline.name}/"
    for version in step.inputs.values():
        if version and not version.name.startswith(own) and (refusing := refusing_components(version, job.store)):
            yield f"{version}, of which {' and '.join(refusing)} of that pipeline said no"


def prepare_calls(job: Job, workspace: Workspace) -> None:
    """Start the process that calls the components of this environment, so that it imports packages meanwhile."""
    own = [each for each in job.request.components if each.name not in job.callers]
    if own:
        modules = dict.fromkeys(name for each in own for name in _modules_wanted(job, each))
        place = workspace.lay_out_code(job.tree, job.project.root)
        own_interpreter.start(_packages(job, own), modules, place, ahead=not _sets_environment(job))


def _sets_environment(job: Job) -> bool:
    """Whether code of the project may set variables, which packages read when they are imported."""
    return any(
        any(word in content for word in (b"environ", b"putenv", b"dotenv"))
        for path, content in job.tree.files.items()
        if path.endswith(".py") and not path.startswith("src/relet/")
    )


def _modules_wanted(job: Job, component: Component) -> Iterator[str]:
    """The modules of packages that a call will probably want: by its artifacts, and by what its code imports."""
    yield from modules_wanted(component)
    yield from job.project.code.packages_at_once(job.request.code[component.name].code)


def _packages(job: Job, components: Iterable[Component]) -> dict[str, str]:
    """The distributions that the keys of components name, with their versions."""
    return {name: version for each in components for name, version in job.request.code[each.name].packages.items()}


def _skip(job: Job, component: Component, step: Step) -> ComponentResult:
    """The outputs of an earlier run, with that run's id and caveats.

    A source that the component reads and the store does not hold is stored now.
    """
    store = job.store
    for path, digest in job.sources(component):
        if not store.has_object(digest):
            _store_source(store, path, digest)
    return ComponentResult(
        component=component.name,
        action=step.action,
        reason=step.reason,
        outputs=step.outputs,
        run_id=step.made_by.id if step.made_by else None,
        caveats=step.made_by.caveats if step.made_by else (),
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
    for name, version in result.outputs.items():
        store.set_alias(pipeline.full(name), "latest", version.number, by=by, why="last run")
    verdicts = [version for version in step.inputs.values() if version and version.type is ArtifactType.VERDICT]
    if not all(version.metadata.get("passed") for version in verdicts):
        return  # A run whose verdict failed never becomes the reference.
    for each in component.inputs:
        first = step.inputs.get(each.name)
        if each.stored and each.stored.initially and first:
            reference = Reference.parse(pipeline.full(each.stored.reference))
            if store.find(reference):
                continue
            if known.refuses(each.stored.initially, pipeline):
                continue
            if context.job.request.given(component, each):
                continue  # A version that a person named for the comparison is not the first batch.
            store.set_alias(reference.name, reference.selector, first.number, by=by, why="the first batch")
            said = (within_pipeline(pipeline.name, str(each)) for each in (first, reference))
            context.watch.noted(" is the first batch: it becomes ".join(said))


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
        called = _call_component(context, component, step)
    except DamagedError:
        raise
    except BaseException as error:
        status = Status.INTERRUPTED if isinstance(error, KeyboardInterrupt) else Status.FAILED
        message = f"{type(error).__name__}: {error}"
        if isinstance(error, ReletError):
            error.step = component.name
            error.inputs = tuple(_version_words(version) for version in step.inputs.values() if version)
        log = recording.keep_log(job, getattr(error, "printed", ""), error)
        record = replace(record, status=status, ended=now(), message=message, log=log)
        if isinstance(error, ComponentError):
            looked_at = outside_key(error.looked_at, step.parts.packages if step.parts else ())
            record = replace(record, undeclared=dict(error.undeclared), looked_at=looked_at)
        recording.put(job, record)
        raise
    outputs = {
        name: _store_output(context, name, each, component.description, record.id)
        for name, each in called.outputs.items()
    }
    for content in called.kept:
        job.store.put_object(content)
    caveats = (*_caveats(context, component, step), *called.caveats, *context.workspace.caveats_of_call())
    record = replace(
        record,
        status=Status.FINISHED,
        ended=now(),
        outputs={name: _link_to(version) for name, version in outputs.items()},
        metrics={k: v for version in outputs.values() for k, v in version.metadata.get("metrics", {}).items()},
        machine=called.machine or record.machine,
        undeclared=called.undeclared,
        looked_at=outside_key(called.looked_at, step.parts.packages if step.parts else ()),
        caveats=caveats,
        log=recording.keep_log(job, called.printed),
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


def _version_words(version: Version) -> str:
    """A version and its size, where that is known.

    >>> about = {"rows": 1200, "columns": ["a", "b"]}
    >>> _version_words(
    ...     Version(name="rows", number=3, type=ArtifactType.TABLE, content="", files={}, metadata=about)
    ... )
    'rows:v3 (1,200 rows × 2 columns)'
    """
    about = version.metadata
    if version.type is ArtifactType.TABLE and isinstance(about.get("rows"), int) and "columns" in about:
        return f"{version} ({count(about['rows'], 'row')} × {count(len(about['columns']), 'column')})"
    if version.type is ArtifactType.ARRAY and "shape" in about:
        return f"{version} ({' × '.join(map(str, about['shape']))})"
    return str(version)


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
    job = context.job
    listen = partial(context.watch.progressed, component.name)
    call = replace(call_for(job, component, step.inputs, context.workspace), listen=listen)
    caller = job.callers.get(component.name)
    if caller and context.debug:
        context.watch.noted(f"{component.name} runs in an environment of its own, where --pdb can't look")
    if caller:
        return caller(call)
    if context.debug:
        called = call_here(call, alone=False, debug=True)
        return replace(called, caveats=(*called.caveats, SHARED_PROCESS))
    return own_interpreter.call_beside(call, _packages(job, [component]))


def call_for(
    job: Job, component: Component, inputs: Mapping[str, Version | None], workspace: Workspace
) -> ComponentCall:
    """The call of a component with these inputs; all that it reads is laid out below the workspace."""
    place = workspace.lay_out_code(job.tree, job.project.root)
    folder = place.folder / job.project.folder.relative_to(job.project.root)
    sources = _laid_out_sources(job, component, workspace)
    return ComponentCall(
        component=component,
        place=place,
        code=job.request.code[component.name].code,
        inputs={name: workspace.lay_out(version) if version else None for name, version in inputs.items()},
        arguments=_in_order({**job.arguments[component.name], **_as_texts(sources)}),
        files=(*(folder / name for name in component.resources), *sources.values()),
        scratch=Path(tempfile.mkdtemp(prefix=f"{component.name}-", dir=workspace.folder)),
    )


def _as_texts(paths: Mapping[str, Path]) -> dict[str, str]:
    return {name: str(path) for name, path in paths.items()}


def _in_order(value: Any) -> Any:
    """The value with the names of each mapping sorted, as in its key and in its record: an order that counted
    would be in neither.
    """
    if isinstance(value, Mapping):
        return {name: _in_order(value[name]) for name in sorted(value, key=str)}
    return [_in_order(each) for each in value] if isinstance(value, list) else value


def _laid_out_sources(job: Job, component: Component, workspace: Workspace) -> dict[str, Path]:
    """The component's sources outside, from the store: parameter → file."""
    return {
        name: workspace.lay_out_source(digest, Path(job.arguments[component.name][name]).name)
        for name, digest in source_digests(job.request.key_parameters[component.name]).items()
    }


def _store_sources(job: Job, component: Component) -> None:
    """Store what a component's sources outside hold. Raises BadDataError where one is another than was planned."""
    for path, digest in job.sources(component):
        if not job.store.has_object(digest):
            _store_source(job.store, path, digest)


def _store_source(store: Store, path: Path, digest: str) -> None:
    if store.put_object(path) != digest:
        raise BadDataError(f"{path} changed while it was read; run again")


def _store_output(
    context: RunContext, name: str, written: WrittenOutput, description: str, run_id: str
) -> Version:
    """Store the objects first, and the manifest that names them last."""
    store = context.job.store
    state = written.state or folder_state(written.folder)
    version = store.add_version(
        name=context.job.request.pipeline.full(name),
        type=written.type,
        content=written.content,
        files={path: store.put_object(file) for path, file in written.files.items()},
        description=description,
        metadata=written.metadata,
        producer=run_id,
        doubting=context.watch.noted,
    )
    context.workspace.keep(version, written.folder, state)
    for note in written.notes:
        context.watch.noted(f"{name}: {note}")
    return version
