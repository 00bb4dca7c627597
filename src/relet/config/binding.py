"""Settings, typed: each key of the configuration feeds the parameters that the pipeline's wiring says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relet.config.composition import ComposedConfig, compose
from relet.config.diagnosis import (
    ambiguous_mapping,
    check_section,
    conflicting_settings,
    idle_key,
    idle_setting,
    missing_value,
    outweighed_setting,
    unknown_setting,
)
from relet.config.overrides import overridden_keys
from relet.config.own import OWN, wiring_of
from relet.core.accepted import InterpolatedText, plain_value
from relet.core.parameter import Parameter
from relet.core.pipeline import Pipeline
from relet.core.wiring import FedParameter, Feeding, Wiring, outweighed_keys, takes_any_names, takes_mapping
from relet.data.download import FetchLimits
from relet.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """How trials are compared (`metric`, `direction`), and how a search for better settings goes.

    A `direction` of None is that which the metric's name tells (`relet.core.directions`).
    `trials` are asked for in batches of `batch`; `prune` gives a trial up whose first folds are no good; `space`
    maps settings to what they may be, in the words of Hydra's sweeps.
    """

    metric: str = "mae"
    direction: str | None = None
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

        Where no file says what it is, it is the value of what it feeds. Raises SettingError where it feeds
        parameters of different values.
        """
        found: Any = self.values
        for name in key.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        fed = self.fed_by(key) if found is None else ()
        held = {each.name: self.parameters[each.component][each.parameter.name] for each in fed}
        if any(value != held[fed[0].name] for value in held.values()):
            each_value = " or ".join(f"{name} ({value})" for name, value in held.items())
            raise SettingError(f"{key} may be {each_value}; write the one that is meant")
        return held[fed[0].name] if held else found

    def fed_by(self, key: str) -> tuple[FedParameter, ...]:
        """The parameters that a setting feeds, in the groups that are chosen."""
        return self.wiring.reach(key, self.parameters).fed


@dataclass(frozen=True, kw_only=True)
class BoundParameters:
    """Each component's parameters, checked, and the setting that each came from.

    `unchosen` are the settings of options that are not chosen.
    """

    parameters: Mapping[str, Mapping[str, Any]]
    origins: Mapping[str, Mapping[str, str]]
    unchosen: tuple[str, ...]


def settings(pipeline: Pipeline, folder: Path, overrides: Sequence[str] = ()) -> Settings:
    """The settings of a pipeline: `config.yaml` in its conf folder, with overrides in Hydra's own syntax.

    Raises SettingError for an unknown key (with the nearest right one), a value of the wrong type (with the
    accepted type), an option that a group does not have, two keys that feed one parameter, a parameter without a
    value, and what Hydra can't read.
    """
    wiring = wiring_of(pipeline)
    composed = compose(folder, overrides, wiring=wiring)
    given = _given_settings(composed, overrides, folder, wiring)
    own = {key: rule.check(given[key], key) for key, rule in OWN.items() if key in given}
    if own.get("store.url") == "":
        raise SettingError("store.url is empty; write a folder such as .relet, or s3://bucket/prefix")
    bound = _bind(pipeline, wiring, given, folder)
    _check_effects(overrides, given, composed.values, bound, folder, wiring)
    return Settings(
        experiment=own.get("main.experiment_name") or pipeline.name,
        seed=own.get("main.seed", OWN["main.seed"].default),
        evaluate=own.get("main.evaluate", OWN["main.evaluate"].default),
        store_url=own.get("store.url", OWN["store.url"].default),
        tracking=_tracker_names(own.get("tracking", OWN["tracking"].default)),
        parameters=bound.parameters,
        origins=bound.origins,
        download=FetchLimits(
            **{
                key.removeprefix("main.download_"): value
                for key, value in own.items()
                if key.startswith("main.download_")
            }
        ),
        search=SearchSettings(**{key.partition(".")[2]: own[key] for key in own if key.startswith("search.")}),
        values=_checked_values(composed.values, own | _checked_by_key(bound)),
        choices=composed.choices,
        wiring=wiring,
    )


def _checked_by_key(bound: BoundParameters) -> dict[str, Any]:
    """Each setting that feeds a parameter, and the parameter's value."""
    return {
        key: bound.parameters[component][name]
        for component, keys in bound.origins.items()
        for name, key in keys.items()
    }


def _checked_values(values: Mapping[str, Any], checked: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The composed values; of text that an interpolation gave, what it was read as."""
    found = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and key not in checked:
            found[name] = _checked_values(value, checked, f"{key}.")
        else:
            plain = plain_value(value)
            found[name] = plain if plain == value else checked.get(key, plain)
    return found


def _given_settings(
    composed: ComposedConfig, overrides: Sequence[str], folder: Path, wiring: Wiring
) -> dict[str, Any]:
    """Every key of the composed configuration and its value; mappings that overrides reach into are checked."""
    given = dict(setting_leaves(composed.values, wiring))
    mappings = [key for key in given if isinstance(given[key], Mapping)]
    for key in mappings:
        if given[key] and (fields := wiring.fields_beside(key)):
            raise ambiguous_mapping(key, fields[0], folder, wiring)
    held = [
        key
        for key in mappings
        if not takes_any_names(wiring.reach(key).fed) and any(_reaches_into(key, each) for each in overrides)
    ]
    return given | _checked_against_files(held, given, composed, folder, wiring) if held else given


def _check_effects(
    overrides: Sequence[str],
    given: Mapping[str, Any],
    values: Mapping[str, Any],
    bound: BoundParameters,
    folder: Path,
    wiring: Wiring,
) -> None:
    """Raise SettingError for a setting without effect: an override, or a key of a file that others outweigh."""
    feeding = {key for names in bound.origins.values() for key in names.values()}
    typed = dict.fromkeys(_typed_settings(overrides, given))
    for key in [each for each in typed if each not in OWN]:
        if key in bound.unchosen:
            raise idle_setting(key, given[key], folder, wiring)
        if key not in feeding:
            raise outweighed_setting(key, given[key], bound.origins, folder, wiring)
        if _stands_alone(key, values, wiring):
            check_section(key, folder, wiring)
    in_files = [each for each in given if each not in OWN and each not in typed]
    for key, (parameter, other) in outweighed_keys(wiring, in_files).items():
        raise idle_key(key, parameter, other, folder)


def _typed_settings(overrides: Sequence[str], given: Mapping[str, Any]) -> Iterator[str]:
    """The settings that overrides set, or reach into."""
    for override in overrides:
        for key in overridden_keys(override):
            names = key.split(".")
            sections = (".".join(names[:length]) for length in range(len(names), 0, -1))
            if found := next((each for each in sections if each in given), None):
                yield found


def _stands_alone(key: str, values: Mapping[str, Any], wiring: Wiring) -> bool:
    """Whether only the last name of a key says what it feeds, and nothing else stands in its section."""
    section = key.rpartition(".")[0]
    if not section or wiring.row(key) or wiring.reach(key).level > 1:
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


def _bind(pipeline: Pipeline, wiring: Wiring, given: Mapping[str, Any], folder: Path) -> BoundParameters:
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
    for key in feeding.unchosen:
        for fed in wiring.reach(key).fed:
            fed.parameter.check(given[key], key)
    return BoundParameters(parameters=checked, origins=origins, unchosen=feeding.unchosen)


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
        is_typed = default is not None and not isinstance(default, InterpolatedText)
        kind = type(default) if is_typed else object
        return Parameter(name=key, annotation=kind.__name__, types=(kind,), default=default).check(value, key)

    filled = [key for key in keys if defaults.get(key, {}) != {}]
    return {key: held(key, given[key], defaults[key]) for key in filled}


def _tracker_names(tracking: Any) -> tuple[str, ...]:
    """The names of trackers: a list, one name, or none."""
    names = [tracking] if isinstance(tracking, str) else tracking or []
    for name in names:
        if not isinstance(name, str):
            raise SettingError(f"tracking takes names of trackers, got {name!r}; write tracking=[mlflow]")
        if not name:
            raise SettingError("tracking has an empty name; write tracking=[mlflow], or tracking=[] for none")
    return tuple(names)
