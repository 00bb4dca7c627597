"""From what a person asked for to a job: settings, sources outside, selected components."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from relet.config import Settings, settings
from relet.core.accepted import value_in_text
from relet.core.artifact import Reference
from relet.core.component import Component
from relet.core.parameter import Parameter, nearest_parameter
from relet.core.pipeline import Pipeline
from relet.core.plan import RunRequest
from relet.core.wording import without_credentials
from relet.data.download import FetchLimits
from relet.errors import BadDataError, ReletError, SettingError
from relet.project.folder import KEPT, Project, open_project
from relet.project.groups import check_groups
from relet.project.job import Job
from relet.project.key import code_parts, installed_for
from relet.project.known_code import recall
from relet.project.order import Order
from relet.project.places import InstalledState, place_now
from relet.project.stores import STORE, names_store, store_address
from relet.project.tree import check_configuration, code_tree, file_digest_now, read_configuration
from relet.store import Store, open_store

Progress = Callable[[int, int | None], None]


def prepare(
    order: Order,
    *,
    start: Path | None = None,
    progress: Progress | None = None,
    at_first: Callable[[], object] | None = None,
) -> Job:
    """The job that an order means. Sources outside are resolved: a URL is fetched.

    `at_first` is called where the project's store is not there yet, before code is read, which takes a while then.

    Raises SettingError, WiringError, SignatureError, NotFoundError and BadDataError, before anything runs.
    """
    project = open_project(order.pipeline, start)
    recall(project.place / KEPT)
    read_configuration(project)
    chosen = checked_settings(project, order.overrides)
    components = _selected_components(project.pipeline, order, chosen)
    parameters = {each.name: dict(chosen.parameters[each.name]) for each in components}
    inputs: dict[str, str] = {}
    origins = {each.name: dict(chosen.origins[each.name]) for each in components}
    if order.component:
        (component,) = components
        origins = {component.name: {}}
        own, inputs = _component_settings(component, order.alone, parameters[component.name])
        parameters[component.name] = own
        check_groups(project, component, own, {})
    arguments, key_parameters = _resolved_arguments(
        components,
        parameters,
        origins,
        lambda source: _fetched_source(_from_here(source, project), project.place, chosen.download, progress),
    )
    if at_first and _is_first_run(project, _store_of(order, chosen, project)):
        at_first()
    request = RunRequest(
        pipeline=project.pipeline,
        components=components,
        key_parameters=key_parameters,
        code=code_parts(project, components, parameters),
        digest_now=partial(file_digest_now, home=project.root),
        place_now=partial(
            place_now,
            home=project.root,
            installed=cache(partial(InstalledState, project.root, project.roots, partial(installed_for, project))),
        ),
    )
    tree = code_tree(project)
    check_configuration(project)
    store = open_store(_store_of(order, chosen, project))
    named = {name: _named_version(text, project.pipeline, store) for name, text in inputs.items()}
    return Job(
        project=project,
        request=replace(request, inputs=named),
        tree=tree,
        arguments=arguments,
        parameters=_shown_parameters(components, parameters),
        store=store,
        experiment=chosen.experiment,
        trackers=chosen.tracking,
        command=order.command,
    )


def checked_settings(project: Project, overrides: Sequence[str]) -> Settings:
    """The settings of a project's pipeline, each value checked by its type, and by the class of its group.

    Raises SettingError as `relet.config.settings` does, and for values that a class refuses.
    """
    chosen = settings(project.pipeline, project.conf, overrides)
    for each in project.pipeline.components:
        check_groups(project, each, chosen.parameters[each.name], chosen.origins[each.name])
    return chosen


def _is_first_run(project: Project, store: str) -> bool:
    kept = project.place / KEPT
    return Path(store) == kept and not kept.exists()


def _store_of(order: Order, chosen: Settings, project: Project) -> str:
    """The store that the order names, else that of RELET_STORE, else the configured one."""
    own = os.environ.get(STORE)
    return own if own and not names_store(order.overrides) else store_address(chosen.store_url, project.place)


def _named_version(text: str, pipeline: Pipeline, store: Store) -> str:
    """The full reference that a person means by a text, in a run of a pipeline.

    A number may also be one that an older relet gave a version which another pipeline made.
    """
    full, given = Reference.parse(pipeline.full(text)), Reference.parse(text)
    older = full != given and full.number and store.find(full) is None and store.find(given)
    return str(given if older else full)


def _selected_components(pipeline: Pipeline, order: Order, chosen: Settings) -> tuple[Component, ...]:
    if order.component:
        return (pipeline.component(order.component),)
    return pipeline.select(order.steps, all_of_them=chosen.evaluate)


def _component_settings(
    component: Component, given: Mapping[str, str], configured: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """One component's parameters, as configured but for those that text says, and its input references.

    A group may be given whole, as a mapping. One that is chosen otherwise than configured has its defaults.
    """
    inputs = {each.name for each in component.inputs}
    references = {name: str(Reference.parse(text)) for name, text in given.items() if name in inputs}
    values = dict(configured)
    choosing = [each.chosen_by for each in component.chosen_groups]
    for name in sorted(given.keys() - inputs, key=lambda each: each not in choosing):
        values |= dict(_values_from_text(component, name, given[name], values))
        for group in component.chosen_groups:
            if group.chosen_by == name and values[name] != configured[name]:
                values = {each: value for each, value in values.items() if not each.startswith(f"{group.name}.")}
    return component.check(values), references


def _values_from_text(
    component: Component, name: str, text: str, values: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """What a name and its text set: a parameter, or the fields of a group that is given whole."""
    known = component.parameters_with(values)
    for group in component.groups_with(values):
        if group.name == name:
            mapping = Parameter(name=name, annotation="dict", types=(dict,))
            value = _value_from_text(text, mapping, f"{component.name}.{name}")
            for field, each in group.flat(mapping.check(value, f"{component.name}.{name}")):
                yield field, component.parameter(field, values).check(each, f"{component.name}.{field}")
            return
    fields = [each for each in known if name in (each.name, each.field)]
    if not fields:
        names = [*(each.name for each in component.inputs), *(each.name for each in known)]
        raise SettingError(f"{component.name} takes no {name!r}: {nearest_parameter(name, names)}")
    parameter = component.parameter(name, values)
    setting = f"{component.name}.{parameter.name}"
    yield parameter.name, parameter.check(_value_from_text(text, parameter, setting), setting)


def _value_from_text(text: str, parameter: Parameter, setting: str) -> Any:
    """Text from a command line as what it can be read as; as it stands where text is what the parameter takes.

    Lists and mappings are YAML. Its other ways to write a number are none here: 0x10 and 1:30 stay text.
    """
    import yaml

    value: Any = value_in_text(text)
    if isinstance(value, str):
        try:
            loaded = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError):
            if str in parameter.types:
                return text
            raise SettingError(f"{setting} can't be read: {text!r}; it takes {parameter.accepted}") from None
        value = text if isinstance(loaded, int | float) and not isinstance(loaded, bool) else loaded
    if str not in parameter.types:
        return value
    try:
        return parameter.check(value, setting)
    except SettingError:
        return text


def _resolved_arguments(
    components: Sequence[Component],
    parameters: Mapping[str, Mapping[str, Any]],
    origins: Mapping[str, Mapping[str, str]],
    fetched: Callable[[str], tuple[str, str]],
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """What each function is called with, and what of that enters its key.

    `fetched` gives the local path of a source and its content's digest. An error names the setting.
    """
    arguments: dict[str, dict[str, Any]] = {}
    for_keys: dict[str, dict[str, Any]] = {}
    for component in components:
        arguments[component.name] = dict(parameters[component.name])
        for_keys[component.name] = dict(parameters[component.name])
        for parameter in component.parameters_with(parameters[component.name]):
            value = parameters[component.name][parameter.name]
            if parameter.source is None or value is None or value in parameter.source.builtin:
                continue
            setting = origins[component.name].get(parameter.name, f"{component.name}.{parameter.name}")
            if not value:
                words = "".join(f", or {each}" for each in parameter.source.builtin)
                raise SettingError(f"{setting} is empty; write a path or an http(s) URL{words}")
            try:
                path, digest = fetched(str(value))
            except ReletError as error:
                error.args = (f"{setting}: {error}",)
                raise
            arguments[component.name][parameter.name] = path
            for_keys[component.name][parameter.name] = {"sha256": digest}
    return arguments, for_keys


def _shown_parameters(
    components: Sequence[Component], parameters: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The parameters as records and pages may show them: the address of a source outside has no credentials."""
    return {
        each.name: dict(parameters[each.name])
        | {
            parameter.name: without_credentials(parameters[each.name][parameter.name])
            for parameter in each.parameters_with(parameters[each.name])
            if parameter.source is not None
        }
        for each in components
    }


def _from_here(source: str, project: Project) -> str:
    """A source, from the current folder; one that is not there is looked for in the project's folder."""
    places = ("", project.place, project.root)
    return next((str(found) for each in places if _is_there(found := Path(each, source))), source)


def _is_there(path: Path) -> bool:
    """Whether there is a file or folder; not for what no path can be, such as a long URL."""
    try:
        return os.access(path, os.F_OK)
    except ValueError:
        return False


def _fetched_source(source: str, place: Path, limits: FetchLimits, progress: Progress | None) -> tuple[str, str]:
    from relet.data.download import file_digest

    # Absolute: whatever calls the component may do so in another folder.
    path = _resolved_source(source, place / KEPT / "downloads", limits, progress).absolute()
    try:
        return str(path), file_digest(path)
    except OSError as error:
        raise BadDataError(f"{source} can't be read: {error.strerror or error}") from error


def _resolved_source(source: str, downloads: Path, limits: FetchLimits, progress: Progress | None) -> Path:
    if source.startswith("wandb:"):
        from relet.tracking.wandb.source import fetch

        return fetch(source, downloads)
    from relet.data.sources import resolve_source

    return resolve_source(source, downloads, limits=limits, progress=progress)
