"""From what a person asked for to a job: settings, sources outside, selected components."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from relet.config import Settings, settings
from relet.core.artifact import Reference
from relet.core.component import Component, Parameter
from relet.core.pipeline import Pipeline
from relet.core.plan import RunRequest
from relet.errors import SettingError, nearest
from relet.project.folder import KEPT, Project, open_project
from relet.project.job import Job
from relet.project.key import code_parts
from relet.project.known_code import recall
from relet.project.order import Order
from relet.project.stores import STORE, names_store, store_address
from relet.store import open_store

Progress = Callable[[int, int | None], None]


def prepare(order: Order, *, start: Path | None = None, progress: Progress | None = None) -> Job:
    """The job that an order means. Sources outside are resolved: a URL is fetched.

    Raises SettingError, WiringError, SignatureError, NotFoundError and BadDataError, before anything runs.
    """
    project = open_project(order.pipeline, start)
    recall(project.place / KEPT)
    chosen = settings(project.pipeline, project.conf, order.overrides)
    components = _selected_components(project.pipeline, order, chosen)
    parameters = {each.name: dict(chosen.parameters[each.name]) for each in components}
    inputs: dict[str, str] = {}
    if order.component:
        own, inputs = _component_settings(components[0], order.alone)
        parameters[order.component] |= own
    arguments, key_parameters = _resolved_arguments(project, components, parameters, progress)
    request = RunRequest(
        pipeline=project.pipeline,
        components=components,
        key_parameters=key_parameters,
        code=code_parts(project, components, parameters),
        inputs=inputs,
    )
    return Job(
        project=project,
        request=request,
        arguments=arguments,
        parameters=parameters,
        store=open_store(_store_of(order, chosen, project)),
        experiment=chosen.experiment,
        trackers=chosen.tracking,
        command=order.command,
    )


def _store_of(order: Order, chosen: Settings, project: Project) -> str:
    """The store that the order names, else that of RELET_STORE, else the configured one."""
    own = os.environ.get(STORE)
    return own if own and not names_store(order.overrides) else store_address(chosen.store_url, project.place)


def _selected_components(pipeline: Pipeline, order: Order, chosen: Settings) -> tuple[Component, ...]:
    if order.component:
        return (pipeline.component(order.component),)
    return pipeline.select(order.steps, all_of_them=chosen.evaluate)


def _component_settings(component: Component, given: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """One component's own parameters and input references, from text."""
    inputs = {each.name for each in component.inputs}
    names = [*inputs, *(parameter.name for parameter in component.parameters)]
    values: dict[str, Any] = {}
    references: dict[str, str] = {}
    for name, text in given.items():
        if name in inputs:
            references[name] = str(Reference.parse(text))
        elif name in names:
            parameter = component.parameter(name)
            setting = f"{component.name}.{name}"
            values[name] = parameter.check(_value_from_text(text, parameter, setting), setting)
        else:
            raise SettingError(f"{component.name} takes no {name!r}: {nearest(name, names)}")
    return values, references


def _value_from_text(text: str, parameter: Parameter, setting: str) -> Any:
    """Text from a command line as YAML reads it; as it stands where text is what the parameter takes."""
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        if str in parameter.types:
            return text
        raise SettingError(f"{setting} can't be read: {text!r}; it takes {parameter.accepted}") from None
    if str in parameter.types and not isinstance(value, str) and type(value) not in parameter.types:
        return text
    return value


def _resolved_arguments(
    project: Project,
    components: Sequence[Component],
    parameters: Mapping[str, Mapping[str, Any]],
    progress: Progress | None,
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """What each function is called with, and what of that enters its key."""
    arguments: dict[str, dict[str, Any]] = {}
    for_keys: dict[str, dict[str, Any]] = {}
    for component in components:
        arguments[component.name] = dict(parameters[component.name])
        for_keys[component.name] = dict(parameters[component.name])
        for parameter in component.parameters:
            value = parameters[component.name][parameter.name]
            if parameter.source is None or value is None or value in parameter.source.builtin:
                continue
            path, digest = _fetched_source(str(value), project.place, progress)
            arguments[component.name][parameter.name] = path
            for_keys[component.name][parameter.name] = {"sha256": digest}
    return arguments, for_keys


def _fetched_source(source: str, place: Path, progress: Progress | None) -> tuple[str, str]:
    from relet.data.download import file_digest

    # Absolute: whatever calls the component may do so in another folder.
    path = _resolved_source(source, place / KEPT / "downloads", progress).absolute()
    return str(path), file_digest(path)


def _resolved_source(source: str, downloads: Path, progress: Progress | None) -> Path:
    if source.startswith("wandb:"):
        from relet.tracking.wandb.source import fetch

        return fetch(source, downloads)
    from relet.data.sources import resolve_source

    return resolve_source(source, downloads, progress=progress)
