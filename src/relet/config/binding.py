"""Settings, typed: each key of the configuration feeds the component parameters that its pipeline names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any

from relet.config.composition import ComposedConfig, compose, is_empty
from relet.config.diagnosis import places, unknown_setting
from relet.core.parameter import Parameter
from relet.core.pipeline import Pipeline
from relet.errors import SettingError

# The settings that no component sees: the run's own.
OWN = {
    "main.experiment_name": Parameter(name="experiment_name", annotation="str", types=(str,)),
    "main.seed": Parameter(name="seed", annotation="int", types=(int,), default=42),
    "main.evaluate": Parameter(name="evaluate", annotation="bool", types=(bool,), default=False),
    "store.url": Parameter(name="url", annotation="str", types=(str,), default=".relet"),
    "tracking": Parameter(name="tracking", annotation="list", types=(list, str, NoneType), default=["mlflow"]),
    "search.metric": Parameter(name="metric", annotation="str", types=(str,), default="mae"),
    "search.direction": Parameter(
        name="direction",
        annotation="str",
        types=(str,),
        default="minimize",
        choices=("minimize", "maximize"),
    ),
    "search.trials": Parameter(name="trials", annotation="int", types=(int,), default=40),
    "search.batch": Parameter(name="batch", annotation="int", types=(int,), default=8),
    "search.seed": Parameter(name="seed", annotation="int", types=(int,), default=42),
    "search.prune": Parameter(name="prune", annotation="bool", types=(bool,), default=True),
    "search.space": Parameter(name="space", annotation="dict", types=(dict,), default={}),
}

KINDS: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "null": NoneType}


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
    values: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, str | None] = field(default_factory=dict)

    def value(self, key: str) -> Any:
        """What a setting is: `modeling.boosted.num_leaves`; None where there is no such setting."""
        found: Any = self.values
        for name in key.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found


def settings(pipeline: Pipeline, folder: Path, overrides: Sequence[str] = ()) -> Settings:
    """The settings of a pipeline: `config.yaml` in its conf folder, with overrides in Hydra's own syntax.

    Raises SettingError for an unknown key (with the nearest right one), a value of the wrong type (with the
    accepted type), an option that a group does not have, and what Hydra can't read.
    """
    feeds: Mapping[str, tuple[str, ...]] = pipeline.settings
    # Hydra refuses a key that the file has not; a mapping that is empty there is meant to be filled.
    asked = {
        key for key in _settings_taking(dict, pipeline) if any(_starts_at_key(key, each) for each in overrides)
    }
    anything = {key for key in asked if is_empty(key, folder)}
    overrides = [f"++{each}" if any(_starts_at_key(key, each) for key in anything) else each for each in overrides]
    composed = compose(folder, overrides, feeds=feeds, texts=text_settings(pipeline))
    given = dict(_setting_leaves(composed.values, {*OWN, *feeds}))
    for key in given:
        if key not in OWN and key not in feeds:
            raise unknown_setting(key, folder, feeds=feeds)
    own = {key: rule.check(given[key], key) for key, rule in OWN.items() if key in given}
    touched = [
        key for key in given if _is_mapping(key, given) and any(_reaches_into(key, each) for each in overrides)
    ]
    if touched:
        given |= _checked_against_files(touched, given, composed, folder, feeds)
    parameters, origins = _bind(pipeline, given)
    return Settings(
        experiment=own.get("main.experiment_name") or pipeline.name,
        seed=own.get("main.seed", OWN["main.seed"].default),
        evaluate=own.get("main.evaluate", OWN["main.evaluate"].default),
        store_url=own.get("store.url", OWN["store.url"].default),
        tracking=_tracker_names(own.get("tracking", OWN["tracking"].default)),
        parameters=parameters,
        origins=origins,
        search=SearchSettings(**{key.partition(".")[2]: own[key] for key in own if key.startswith("search.")}),
        values=composed.values,
        choices=composed.choices,
    )


def _settings_taking(kind: type, pipeline: Pipeline) -> set[str]:
    """The settings whose every parameter takes values of a kind."""
    kinds = {
        f"{each.name}.{parameter.name}": parameter.types
        for each in pipeline.components
        for parameter in each.parameters
    }
    return {key for key, feeds in pipeline.settings.items() if all(kind in kinds[feed] for feed in feeds)}


def text_settings(pipeline: Pipeline) -> set[str]:
    """The settings that take text: what Hydra can't read there is the text."""
    return _settings_taking(str, pipeline) | {key for key, rule in OWN.items() if rule.types == (str,)}


def _setting_leaves(
    values: Mapping[str, Any], whole: Collection[str], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Every key and its value; a mapping is opened, unless a setting takes it whole."""
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and key not in whole:
            yield from _setting_leaves(value, whole, f"{key}.")
        else:
            yield key, value


def _bind(
    pipeline: Pipeline, given: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, str]]]:
    """Each component's parameters, checked, and the setting that each came from."""
    values: dict[str, dict[str, Any]] = {each.name: {} for each in pipeline.components}
    origins: dict[str, dict[str, str]] = {each.name: {} for each in pipeline.components}
    for key, feeds in pipeline.settings.items():
        for component, _, parameter in (feed.partition(".") for feed in feeds if key in given):
            other = origins[component].setdefault(parameter, key)
            if other != key:
                raise SettingError(f"{other} and {key} both set {component}.{parameter}; leave one out")
            values[component][parameter] = given[key]
    checked = {each.name: each.check(values[each.name], names=origins[each.name]) for each in pipeline.components}
    return checked, origins


def _is_mapping(key: str, given: Mapping[str, Any]) -> bool:
    return isinstance(given[key], Mapping)


def _reaches_into(key: str, override: str) -> bool:
    return _starts_at_key(key, override.lstrip("+~"))


def _starts_at_key(key: str, override: str) -> bool:
    return override.startswith((f"{key}.", f"{key}="))


def _checked_against_files(
    keys: Sequence[str],
    given: Mapping[str, Any],
    composed: ComposedConfig,
    folder: Path,
    feeds: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Mappings that overrides reach into: their keys and types are those of the conf files' own values.

    One that is empty there takes any keys: what they mean, the component that takes it says. A comment such as
    `# or str, null` on a key's line there lets it take more types.
    """
    files = compose(folder, composed.as_overrides, feeds=feeds)
    defaults = dict(_setting_leaves(files.values, {*OWN, *feeds}))
    wider = _widened_types(folder, composed)

    def held(key: str, value: Any, default: Any) -> Any:
        if isinstance(default, Mapping) and isinstance(value, Mapping):
            for name in value:
                if name not in default:
                    raise unknown_setting(f"{key}.{name}", folder, feeds=feeds)
            return {name: held(f"{key}.{name}", each, default[name]) for name, each in value.items()}
        kind = type(default) if default is not None else object
        types = (kind, *wider.get(key, ()))
        return Parameter(name=key, annotation=kind.__name__, types=types).check(value, key)

    filled = [key for key in keys if defaults.get(key) != {}]
    return {key: held(key, given[key], defaults.get(key, {})) for key in filled}


def _widened_types(folder: Path, composed: ComposedConfig) -> dict[str, tuple[type, ...]]:
    found: dict[str, tuple[type, ...]] = {}
    for key, stands in places(folder).items():
        for place in stands:
            if place.group and composed.choices.get(place.group) != place.option:
                continue
            line = place.file.read_text(encoding="utf-8").splitlines()[place.line - 1]
            comment = re.search(r"# or ((?:\w+, )*\w+)", line)
            if comment:
                found[key] = tuple(KINDS[word] for word in comment.group(1).split(", ") if word in KINDS)
    return found


def _tracker_names(tracking: Any) -> tuple[str, ...]:
    """The names of trackers: a list, one name, or none."""
    names = [tracking] if isinstance(tracking, str) else tracking or []
    for name in names:
        if not isinstance(name, str):
            raise SettingError(f"tracking takes names of trackers, got {name!r}; write tracking=[mlflow]")
    return tuple(names)
