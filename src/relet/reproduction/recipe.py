"""Turn the recorded steps into a job, with the recorded parameters, sources and stored inputs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from relet.core.artifact import Reference, Version, short_name
from relet.core.component import Component
from relet.core.plan import RunRequest
from relet.core.record import ArtifactLink, KeyParts, RunRecord
from relet.engine.interpreter import InterpreterProcess
from relet.errors import BadDataError, ComponentError, ImpossibleError, SettingError
from relet.project.folder import Project, open_project
from relet.project.job import Job
from relet.project.key import code_parts
from relet.project.tree import code_tree
from relet.reproduction.checked_calls import checked_caller, true_content
from relet.reproduction.history import ReproductionTarget, RunHistory

if TYPE_CHECKING:
    from relet.store import Store


def job_again(
    asked: ReproductionTarget,
    history: RunHistory,
    store: Store,
    own: Store,
    root: Path,
    called_in: Callable[[Component], InterpreterProcess],
) -> Job:
    """The job of the recorded steps with the recorded parameters.

    Its stored inputs are carried over to the store `own`.
    """
    project = _project(history, root)
    records = {str(record.component): record for record in history.steps}
    components = tuple(each for each in project.pipeline.components if each.name in records)
    arguments, for_keys = {}, {}
    for component in components:
        record = records[component.name]
        parameters = _parameters(component, record)
        sources = {name: {"sha256": digest} for name, digest in record.sources.items()}
        arguments[component.name] = parameters | _lay_out_sources(
            record, store, Path(own.url).with_name("sources")
        )
        for_keys[component.name] = parameters | sources
    there = {component.name: called_in(component) for component in components}
    # Reads the code of each component, which the tree below is made of.
    code_parts(project, components, {name: record.parameters for name, record in records.items()})
    request = RunRequest(
        pipeline=project.pipeline,
        components=components,
        key_parameters=for_keys,
        code=_parts_from_interpreters(
            there, project, {name: record.parameters for name, record in records.items()}
        ),
        inputs={
            each: _carry_input(link, store, own) for each, link in _inputs_as_stored(history, components).items()
        },
    )
    return Job(
        project=project,
        request=request,
        tree=code_tree(project),
        arguments=arguments,
        parameters={name: record.parameters for name, record in records.items()},
        store=own,
        experiment=history.run.experiment,
        command=("relet", "reproduce", asked.target),
        callers={name: checked_caller(interpreter.call) for name, interpreter in there.items()},
    )


def _project(history: RunHistory, root: Path) -> Project:
    """The project that was laid out. No folder above may replace what it lacks."""
    if not (root / "pipelines").is_dir():
        raise ImpossibleError("the recorded code holds no pipelines/")
    project = open_project(history.run.pipeline, root)
    lost = sorted({str(record.component) for record in history.steps} - set(project.pipeline.names))
    if lost:
        raise ImpossibleError(f"the recorded code has no step {', '.join(lost)}")
    return project


def _parameters(component: Component, record: RunRecord) -> dict[str, Any]:
    try:
        # a relet before this one let settings be NaN and infinite
        return component.check(record.parameters, finite=False)
    except SettingError as error:
        raise ImpossibleError(
            f"the parameters in the record of run {record.id} don't fit the recorded code: {error}"
        ) from None


def _parts_from_interpreters(
    there: Mapping[str, InterpreterProcess], project: Project, parameters: Mapping[str, Mapping[str, Any]]
) -> dict[str, KeyParts]:
    """The parts of each component's key, as the interpreter that calls it computes them."""
    found: dict[str, KeyParts] = {}
    for interpreter in set(there.values()):
        try:
            found |= interpreter.parts(
                project.root,
                project.pipeline.name,
                {name: parameters[name] for name, other in there.items() if other is interpreter},
            )
        except ComponentError as error:
            raise ImpossibleError(f"the recorded code can't be read there: {error}") from None
    return found


def _inputs_as_stored(history: RunHistory, components: Iterable[Component]) -> dict[str, ArtifactLink]:
    """The inputs to take from the store: the pinned ones, and the echoed ones that were no product of the run."""
    found = dict(history.pinned)
    for component in components:
        for each in component.inputs:
            place = f"{component.name}.{each.name}"
            link = history.echoed.get(place)
            if link and not (
                each.stored and each.stored.initially == short_name(Reference.parse(link.version).name)
            ):
                found[place] = link
    return found


def _lay_out_sources(record: RunRecord, store: Store, folder: Path) -> dict[str, str]:
    """Lay out the outside sources that a step read, from the store, each under its recorded name."""
    found = {}
    for name, digest in record.sources.items():
        path = folder / digest / _source_file_name(str(record.parameters.get(name, "")))
        store.fetch_object(digest, path)
        found[name] = str(path)
    return found


def _source_file_name(source: str) -> str:
    """The last part of a path or a URL.

    >>> _source_file_name("https://host/rows.csv?version=3"), _source_file_name("https://host/..")
    ('rows.csv', 'source')
    """
    path = urlsplit(source).path if source.startswith(("http://", "https://")) else source
    name = path.rstrip("/").rpartition("/")[2]
    return name if name not in ("", ".", "..") else "source"


def _carry_input(link: ArtifactLink, store: Store, own: Store) -> str:
    """Carry a pinned input into the reproduction's own store, if its content is the recorded one."""
    version = store.find_content(Reference.parse(link.version).name, link.content)
    if version is None:
        raise ImpossibleError(f"{link.version}, which a step takes, is gone from the store: it was pruned")
    with tempfile.TemporaryDirectory(prefix="relet-pinned-") as scratch:
        folder = Path(scratch)
        store.materialize(version, folder)
        _check_content(version, link, folder)
        return str(
            own.add_version(
                name=version.name,
                type=version.type,
                content=version.content,
                files={path: own.put_object(folder / path) for path in version.files},
                metadata=version.metadata,
            )
        )


def _check_content(version: Version, link: ArtifactLink, folder: Path) -> None:
    try:
        content = true_content(version.type, folder)
        found = f"its content has the digest {content[:12]}"
    except (BadDataError, OSError) as error:
        content, found = "", f"it can't be read: {error}"
    if content != link.content:
        raise ImpossibleError(
            f"{version} is not what the run took: {found}, the run's had {link.content[:12]}; "
            "somebody changed it in the store: bring it back from a copy of the store"
        )
