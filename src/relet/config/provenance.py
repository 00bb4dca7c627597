"""The composed configuration as YAML, with where each value comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from relet.config.binding import Settings, settings
from relet.config.composition import PRIMARY
from relet.config.diagnosis import SettingLocation, places
from relet.config.overrides import overridden_keys
from relet.core.pipeline import Pipeline
from relet.errors import SettingError, nearest


def configured_text(
    pipeline: Pipeline, folder: Path, overrides: Sequence[str] = (), *, package: str | None = None
) -> str:
    """The configuration that a run with these overrides would have, each line with the origin of its value.

    An origin is a file and line, an override, or the default of a parameter that no setting feeds: that one stands
    where a person would set it. `package` is a section: only what stands below it is shown. Raises SettingError as
    `settings` does, and for a section that there is not.
    """
    found = settings(pipeline, folder, overrides)
    origins: dict[str, str] = {}
    values = _with_defaults(pipeline, found, origins)
    typed = {key for each in overrides for key in overridden_keys(each)}
    known = places(folder)
    order = _composition_order(folder, found.choices)

    def origin(key: str) -> str:
        if key in typed:
            return "override"
        chosen = [each for each in known.get(key, ()) if _is_chosen(each, found.choices)]
        if chosen:
            return str(max(chosen, key=lambda each: order.get(each.group, 0)))
        section = key.rpartition(".")[0]
        return origins.get(key) or (origin(section) if section else "")

    lines = [f"# @package {package}"] if package else []
    shown = _section(values, package) if package else values
    lines += [
        f"{line}  # {place}" if key and (place := origin(key)) else line
        for line, key in _yaml_lines(shown, f"{package}." if package else "")
    ]
    return "\n".join(lines)


def _with_defaults(pipeline: Pipeline, found: Settings, origins: dict[str, str]) -> dict[str, Any]:
    """The composed values, and the defaults of all parameters that no setting feeds; `origins` says of which."""
    values = _copied(found.values)
    for component in pipeline.components:
        for name, value in found.parameters[component.name].items():
            if name in found.origins[component.name]:
                continue
            place: Any = values
            *sections, field = [component.name, *name.split(".")]
            for section in sections:
                place = place.setdefault(section, {})
            place[field] = value
            origins[f"{component.name}.{name}"] = f"default of {component.name}.{name}"
    return values


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copied(each) if isinstance(each, Mapping) else each for name, each in values.items()}


def _is_chosen(place: SettingLocation, choices: Mapping[str, str | None]) -> bool:
    return not place.group or choices.get(place.group) == place.option


def _composition_order(folder: Path, choices: Mapping[str, str | None]) -> dict[str, float]:
    """Group → its place in the composition, "" for `config.yaml` itself; what comes later counts."""
    import yaml

    loaded = yaml.safe_load((folder / PRIMARY).read_text(encoding="utf-8"))
    defaults = loaded.get("defaults", []) if isinstance(loaded, dict) else []
    before = defaults.index("_self_") if "_self_" in defaults else 0
    return {"": before - 0.5, **{group: float(place) for place, group in enumerate(choices)}}


def _section(values: Mapping[str, Any], package: str) -> Mapping[str, Any]:
    found: Any = values
    for name in package.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        raise SettingError(f"there is no section {package!r}: {nearest(package, values)}")
    return found


def _yaml_lines(values: Mapping[str, Any], prefix: str, indent: str = "") -> Iterator[tuple[str, str]]:
    """Each line, and the key whose value stands on it; no key where it opens a section."""
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_flow(name)}:", ""
            yield from _yaml_lines(value, f"{key}.", f"{indent}  ")
        else:
            yield f"{indent}{_flow(name)}: {_flow(value)}", key


def _flow(value: Any) -> str:
    import yaml

    dumped = str(yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True))
    return dumped.removesuffix("\n").removesuffix("\n...")
