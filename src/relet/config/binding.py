"""Settings, typed: each key of the configuration feeds the parameters that the pipeline's wiring says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relet.config.composition import ComposedConfig, compose
from relet.config.diagnosis import (
    check_section,
    conflicting_settings,
    idle_setting,
    missing_value,
    outweighed_setting,
    unknown_setting,
)
from relet.config.own import OWN, wiring_of
from relet.core.parameter import Parameter
from relet.core.pipeline import Pipeline
from relet.core.wiring import FedParameter, Feeding, Wiring, takes_mapping
from relet.data.download import FetchLimits
from relet.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """How trials are compared (`metric`, `direction`), and how a search for better settings goes.

    `trials` are asked for in batches of `batch`; `prune` gives a trial up whose first folds are no good; `space`
    maps settings to what they may be, in the words of Hydra's sweeps.
    """

    metric: str = "mae"
    direction: str = "minimize"
    trials: int = 40
    batch: int = 8
    seed: int = 42
    prune: bool = True
    space: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a run is asked to do: its own settings, and every parameter of every component.

    `origins` names the setting that each parameter's value came from, where it was not the signature's default;
    `values` are all settings as the files and overrides have them, nested; `choices` each group's option.
    """

    experiment: str
    seed: int
    evaluate: bool
    store_url: str
    tracking: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Any]]
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    search: SearchSettings = SearchSettings()
    download: FetchLimits = FetchLimits()
    values: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, str | None] = field(default_factory=dict)
    wiring: Wiring = field(default_factory=lambda: Wiring(components=(), fed=()))

    def value(self, key: str) -> Any:
        """What a setting is: `modeling.boosted.num_leaves`; None where there is no such setting.

        Where no file says what it is, it is the default of what it feeds.
        """
        found: Any = self.values
        for name in key.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        fed = self.fed_by(key) if found is None else ()
        return self.parameters[fed[0].component][fed[0].parameter.name] if fed else found

    def fed_by(self, key: str) -> tuple[FedParameter, ...]:
        """The parameters that a setting feeds, in the groups that are chosen."""
        return self.wiring.reach(key, self.parameters).fed


def settings(pipeline: Pipeline, folder: Path, overrides: Sequence[str] = ()) -> Settings:
    """The settings of a pipeline: `config.yaml` in its conf folder, with overrides in Hydra's own syntax.

    Raises SettingError for an unknown key (with the nearest right one), a value of the wrong type (with the
    accepted type), an option that a group does not have, two keys that feed one parameter, a parameter without a
    value, and what Hydra can't read.
    """
    wiring = wiring_of(pipeline)
    composed = compose(folder, overrides, wiring=wiring)
    given = dict(setting_leaves(composed.values, wiring))
    own = {key: rule.check(given[key], key) for key, rule in OWN.items() if key in given}
    touched = [
        key
        for key in given
        if isinstance(given[key], Mapping) and any(_reaches_into(key, each) for each in overrides)
    ]
    if touched:
        given |= _checked_against_files(touched, given, composed, folder, wiring)
    parameters, origins = _bind(pipeline, wiring, given, folder)
    feeding = {key for names in origins.values() for key in names.values()}
    for key in (each.partition("=")[0].lstrip("+") for each in overrides):
        if key in given and key not in OWN and key not in feeding:
            raise outweighed_setting(key, given[key], origins, folder, wiring)
        if key in given and _stands_alone(key, composed.values, wiring):
            check_section(key, folder, wiring)
    return Settings(
        experiment=own.get("main.experiment_name") or pipeline.name,
        seed=own.get("main.seed", OWN["main.seed"].default),
        evaluate=own.get("main.evaluate", OWN["main.evaluate"].default),
        store_url=own.get("store.url", OWN["store.url"].default),
        tracking=_tracker_names(own.get("tracking", OWN["tracking"].default)),
        parameters=parameters,
        origins=origins,
        download=FetchLimits(
            **{
                key.removeprefix("main.download_"): value
                for key, value in own.items()
                if key.startswith("main.download_")
            }
        ),
        search=SearchSettings(**{key.partition(".")[2]: own[key] for key in own if key.startswith("search.")}),
        values=composed.values,
        choices=composed.choices,
        wiring=wiring,
    )


def _stands_alone(key: str, values: Mapping[str, Any], wiring: Wiring) -> bool:
    """Whether only the last name of a key says what it feeds, and nothing else stands in its section."""
    section = key.rpartition(".")[0]
    if not section or key in OWN or wiring.row(key) or wiring.reach(key).level > 1:
        return False
    found: Any = values
    for name in section.split("."):
        found = found[name]
    return len(found) == 1


def setting_leaves(values: Mapping[str, Any], wiring: Wiring, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key and its value; a mapping is opened, unless a parameter takes it whole."""
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and not is_whole(key, wiring):
            yield from setting_leaves(value, wiring, f"{key}.")
        else:
            yield key, value


def is_whole(key: str, wiring: Wiring) -> bool:
    """Whether what stands below a key is one value."""
    if key in OWN:
        return True
    if key in wiring.components:
        return False
    fed = wiring.reach(key).fed
    return bool(fed) if key in wiring.rows else takes_mapping(fed)


def _bind(
    pipeline: Pipeline, wiring: Wiring, given: Mapping[str, Any], folder: Path
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, str]]]:
    """Each component's parameters, checked, and the setting that each came from."""
    choices = _chosen_values(pipeline, wiring, given, folder)
    feeding = Feeding.of(wiring, given, choices)
    for key in feeding.idle:
        if key not in OWN:
            raise idle_setting(key, given[key], folder, wiring)
    for name, keys in feeding.conflicts.items():
        raise conflicting_settings(name, keys, folder, wiring)
    origins: dict[str, dict[str, str]] = {each.name: {} for each in pipeline.components}
    for name, key in feeding.keys.items():
        component, _, parameter = name.partition(".")
        origins[component][parameter] = key
    checked = {}
    for each in pipeline.components:
        names = origins[each.name]
        for parameter in each.parameters_with(choices[each.name]):
            if parameter.required and parameter.name not in names:
                raise missing_value(each.name, parameter, folder)
        checked[each.name] = each.check({name: given[key] for name, key in names.items()}, names=names)
    return checked, origins


def _chosen_values(
    pipeline: Pipeline, wiring: Wiring, given: Mapping[str, Any], folder: Path
) -> dict[str, dict[str, Any]]:
    """Of each component the values of those parameters that choose a group."""
    feeding = Feeding.of(wiring, given, {each.name: {} for each in pipeline.components})
    found: dict[str, dict[str, Any]] = {}
    for each in pipeline.components:
        found[each.name] = {}
        for name in (chosen.chosen_by for chosen in each.chosen_groups):
            if keys := feeding.conflicts.get(f"{each.name}.{name}"):
                raise conflicting_settings(f"{each.name}.{name}", keys, folder, wiring)
            key = feeding.keys.get(f"{each.name}.{name}")
            parameter = each.parameter(name)
            value = parameter.check(given[key], key) if key else parameter.default
            found[each.name][name] = value
    return found


def _reaches_into(key: str, override: str) -> bool:
    return override.lstrip("+~").startswith((f"{key}.", f"{key}="))


def _checked_against_files(
    keys: Sequence[str],
    given: Mapping[str, Any],
    composed: ComposedConfig,
    folder: Path,
    wiring: Wiring,
) -> dict[str, Any]:
    """Mappings that overrides reach into: their keys and types are those of the conf files' own values.

    One that is empty there takes any keys: what they mean, the component that takes it says.
    """
    files = compose(folder, composed.as_overrides, wiring=wiring)
    defaults = dict(setting_leaves(files.values, wiring))

    def held(key: str, value: Any, default: Any) -> Any:
        if isinstance(default, Mapping) and isinstance(value, Mapping):
            for name in value:
                if name not in default:
                    raise unknown_setting(f"{key}.{name}", folder, wiring)
            return {name: held(f"{key}.{name}", each, default[name]) for name, each in value.items()}
        kind = type(default) if default is not None else object
        return Parameter(name=key, annotation=kind.__name__, types=(kind,)).check(value, key)

    filled = [key for key in keys if defaults.get(key, {}) != {}]
    return {key: held(key, given[key], defaults[key]) for key in filled}


def _tracker_names(tracking: Any) -> tuple[str, ...]:
    """The names of trackers: a list, one name, or none."""
    names = [tracking] if isinstance(tracking, str) else tracking or []
    for name in names:
        if not isinstance(name, str):
            raise SettingError(f"tracking takes names of trackers, got {name!r}; write tracking=[mlflow]")
    return tuple(names)
