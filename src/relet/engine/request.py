"""From what a person asked for to a job: settings, sources outside, selected components."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relet.config import Settings, settings
from relet.core.artifact import Reference
from relet.core.component import Component, Parameter
from relet.core.pipeline import Pipeline
from relet.core.plan import Request
from relet.engine.job import Job
from relet.engine.key import code_parts
from relet.engine.known_code import recall
from relet.engine.project import KEPT, Project, find_place, find_root, open_project, pipelines
from relet.errors import NotFoundError, SettingError, nearest
from relet.store import open_store

Progress = Callable[[int, int | None], None]

# The store's URL, in place of `store.url` of the configuration; a path is relative to the current folder.
STORE = "RELET_STORE"
# A word that no shell and no person mistakes for a step's name.
ALL_STEPS = "all"


@dataclass(frozen=True, kw_only=True)
class Order:
    """A run as it was asked for: `nyc_rentals steps=a,b etl.min_price=20`, or one component alone.

    `alone` are a single component's own names and values: parameters, and references for its inputs.
    """

    pipeline: str
    steps: tuple[str, ...] | None = None
    overrides: tuple[str, ...] = ()
    component: str | None = None
    alone: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()


def read_order(target: str, words: Sequence[str], command: Sequence[str] = ()) -> Order:
    """An order from the words of a command line; what is not `steps=` is left to Hydra.

    >>> read_order("nyc_rentals", ["etl.min_price=20", "steps=a,b"]).steps
    ('a', 'b')
    >>> dict(read_order("nyc_rentals.data_split", ["seed=7"]).alone)
    {'seed': '7'}
    """
    pipeline, _, component = target.partition(".")
    if component:
        alone = dict(_assignment(word) for word in words)
        return Order(pipeline=pipeline, component=component, alone=alone, command=tuple(command))
    steps: tuple[str, ...] | None = None
    overrides = []
    for word in words:
        if word.startswith("steps="):
            names = [name for name in word.removeprefix("steps=").strip("[]").split(",") if name.strip()]
            steps = tuple(name.strip() for name in names)
        else:
            overrides.append(word)
    if steps in ((), (ALL_STEPS,)):
        steps = None
    return Order(pipeline=pipeline, steps=steps, overrides=tuple(overrides), command=tuple(command))


def _assignment(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise SettingError(f"{word!r} is no assignment; write name=value")
    return name, value


def prepare(order: Order, *, start: Path | None = None, progress: Progress | None = None) -> Job:
    """The job that an order means. Sources outside are resolved: a URL is fetched.

    Raises SettingError, WiringError, SignatureError, NotFoundError and BadDataError, before anything runs.
    """
    project = open_project(order.pipeline, start)
    recall(project.place)
    chosen = settings(project.pipeline, project.conf, order.overrides)
    components = _selected(project.pipeline, order, chosen)
    parameters = {each.name: dict(chosen.parameters[each.name]) for each in components}
    inputs: dict[str, str] = {}
    if order.component:
        own, inputs = _alone(components[0], order.alone)
        parameters[order.component] |= own
    arguments, key_parameters = _resolved(project, components, parameters, progress)
    request = Request(
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


def names_store(words: Iterable[str]) -> bool:
    """Whether the words of a command line say which store is meant.

    >>> names_store(["etl.rows=10", "++store.url=elsewhere"])
    True
    """
    return any(word.lstrip("+").startswith(("store.url=", "store=")) for word in words)


def store_address(url: str, place: Path) -> str:
    """A store's URL as it is, a folder relative to where the project keeps things as an absolute path."""
    return url if "://" in url else str(place / url)


def configured_store(start: Path | None = None) -> str:
    """The address of the store: RELET_STORE, else the one that the project's pipelines are configured with.

    Outside of every project, that of the projects from elsewhere that were run in the current folder. Raises
    SettingError where the pipelines are configured with different ones, NotFoundError where there is neither.
    """
    if start is None and (own := os.environ.get(STORE)):
        return own
    place = find_place(start)
    try:
        root = find_root(start)
    except NotFoundError:
        return store_address(KEPT, place)
    found = {}
    for name in pipelines(root):
        project = open_project(name, root)
        found[name] = store_address(settings(project.pipeline, project.conf).store_url, place)
    if len(set(found.values())) > 1:
        shown = ", ".join(f"{name}: {url}" for name, url in found.items())
        raise SettingError(f"the pipelines have different stores ({shown}); say which with --store or {STORE}")
    return next(iter(found.values()), store_address(KEPT, place))


def callers_store() -> str:
    """The store of the project around the current folder; outside of every project, one in the current folder."""
    try:
        return configured_store()
    except NotFoundError:
        return store_address(KEPT, Path.cwd())


def configured_trackers(root: Path | None) -> tuple[str, ...]:
    """The trackers that the project's pipelines are configured with; none outside of a project."""
    names = pipelines(root) if root else []
    projects = [open_project(name, root) for name in names]
    every = (each for project in projects for each in settings(project.pipeline, project.conf).tracking)
    return tuple(dict.fromkeys(every))


def _selected(pipeline: Pipeline, order: Order, chosen: Settings) -> tuple[Component, ...]:
    if order.component:
        return (pipeline.component(order.component),)
    return pipeline.select(order.steps, all_of_them=chosen.evaluate)


def _alone(component: Component, given: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
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
            values[name] = parameter.check(_value(text, parameter, setting), setting)
        else:
            raise SettingError(f"{component.name} takes no {name!r}: {nearest(name, names)}")
    return values, references


def _value(text: str, parameter: Parameter, setting: str) -> Any:
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


def _resolved(
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
            path, digest = _fetched(str(value), project.place, progress)
            arguments[component.name][parameter.name] = path
            for_keys[component.name][parameter.name] = {"sha256": digest}
    return arguments, for_keys


def _fetched(source: str, place: Path, progress: Progress | None) -> tuple[str, str]:
    from relet.data.sources import digest

    # Absolute: whatever calls the component may do so in another folder.
    path = _found(source, place / KEPT / "downloads", progress).absolute()
    return str(path), digest(path)


def _found(source: str, downloads: Path, progress: Progress | None) -> Path:
    if source.startswith("wandb:"):
        from relet.tracking.wandb.source import fetch

        return fetch(source, downloads)
    from relet.data.sources import resolve

    return resolve(source, downloads, progress=progress)
