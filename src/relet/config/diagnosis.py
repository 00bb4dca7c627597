"""Say what is wrong with a setting: where it should stand, what it takes, what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.config.overrides import overridden_keys, parse_override, readable
from relet.config.own import OWN
from relet.core.parameter import Parameter, nearest_parameter
from relet.core.wiring import (
    COMPONENT,
    FedParameter,
    KeyReach,
    SettingRow,
    Wiring,
    outweighed_keys,
    takes_any_names,
)
from relet.errors import SettingError, nearest

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

PACKAGE = re.compile(r"^#\s*@package\s+(\S+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class SettingLocation:
    """Where a key stands: the file and line, and the group's option that brings it (none in `config.yaml`)."""

    file: Path
    line: int
    group: str = ""
    option: str = ""

    def __str__(self) -> str:
        return f"{path_from_here(self.file)}:{self.line}"


def path_from_here(path: Path) -> str:
    """A path as a person reads it: from here, where it lies below here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def groups(folder: Path) -> dict[str, list[str]]:
    """Each group of a conf folder and its options."""
    found: dict[str, list[str]] = {}
    for file in sorted(folder.rglob("*.yaml")):
        if file.parent != folder:
            found.setdefault(file.parent.relative_to(folder).as_posix(), []).append(file.stem)
    return found


def places(folder: Path) -> dict[str, list[SettingLocation]]:
    """Every key that the files of a conf folder set, and where each does. Files that are no YAML are left out."""
    import yaml

    found: dict[str, list[SettingLocation]] = {}
    for file in sorted(folder.rglob("*.yaml")):
        group = "" if file.parent == folder else file.parent.relative_to(folder).as_posix()
        text = file.read_text(encoding="utf-8", errors="replace")
        header = PACKAGE.search(text)
        package = header.group(1) if header else group.replace("/", ".")
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError:
            continue
        for key, line in _yaml_keys(root, "" if package == "_global_" else package):
            place = SettingLocation(file=file, line=line, group=group, option=file.stem if group else "")
            found.setdefault(key, []).append(place)
    return found


def _yaml_keys(node: object, prefix: str) -> Iterator[tuple[str, int]]:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        return
    for name, value in node.value:
        if not prefix and name.value == "defaults":
            continue
        key = f"{prefix}.{name.value}" if prefix else str(name.value)
        yield key, name.start_mark.line + 1
        yield from _yaml_keys(value, key)


def unknown_setting(key: str, folder: Path, wiring: Wiring) -> SettingError:
    """The error for a key that is no setting, with the nearest that is."""
    known = places(folder)
    where = f" ({known[key][0]})" if key in known else ""
    if told := _misused_section(key, known, where, wiring):
        return told
    possible = _possible_settings(key, known, wiring)
    others = list(groups(folder))
    if option := wiring.option_of(key):
        inside = [each for each in (*known, *possible) if wiring.option_of(each) == option]
        possible = [each for each in inside if each != key and _candidate_reach(each, wiring).fed]
        known, others = {each: found for each, found in known.items() if each in possible}, []
    if where:
        meant = _nearest_setting(key, [*_feeding_keys(known, wiring), *possible])
        return SettingError(f"{key}{where} feeds no component: {meant}")
    return _no_setting(key, [*known, *others, *possible], known)


def _misused_section(
    key: str, known: Mapping[str, Sequence[SettingLocation]], where: str, wiring: Wiring
) -> SettingError | None:
    """The error for a component, a group or a section as a setting, and for a name that one of them lacks."""
    below = [each for each in known if each.startswith(f"{key}.")]
    component, _, rest = key.partition(".")
    in_component = component in wiring.components
    if key in wiring.components:
        own = dict.fromkeys(each.name for each in wiring.fed if each.component == key)
        return SettingError(f"{key} is a component, not a setting: there are {', '.join(own) or 'none of it'}")
    if not below and (fields := wiring.fed_by_group(key)):
        names = dict.fromkeys(each.name if in_component else each.parameter.name for each in fields)
        return SettingError(f"{key}{where} is a group, not a setting: there are {', '.join(names)}")
    section = wiring.mapping_around(key)
    if section and section != key:
        return _unknown_name(key, section, known, wiring)
    if below:
        return SettingError(f"{key} is a section, not a setting: there are {', '.join(below)}")
    if in_component and not wiring.row(key):
        names = dict.fromkeys(each.parameter.name for each in wiring.fed if each.component == component)
        return SettingError(f"{key}{where}: {component} has no such parameter: {nearest_parameter(rest, names)}")
    return None


def _no_setting(
    key: str, candidates: Iterable[str], known: Mapping[str, Sequence[SettingLocation]], advice: str = ""
) -> SettingError:
    meant = _nearest_setting(key, candidates)
    named = meant.split()[3].rstrip("?") if meant.startswith("did") and "." in meant else ""
    where = f" ({known[named][0]})" if named in known else ""
    return SettingError(f"there is no setting {key!r}: {meant}{where}{advice}")


def _unknown_name(
    key: str, section: str, known: Mapping[str, Sequence[SettingLocation]], wiring: Wiring
) -> SettingError:
    """The error for a name that a mapping in the files does not have."""
    names = [each for each in known if each.startswith(f"{section}.")]
    advice = f"; to add the name write +{key}=…" if takes_any_names(wiring.reach(section).fed) else ""
    return _no_setting(key, names, known, advice)


def check_section(key: str, folder: Path, wiring: Wiring) -> None:
    """Raise SettingError for a key in a section that neither a file nor a component has: a name is misspelt."""
    known = places(folder)
    section, _, name = key.rpartition(".")
    if any(each.startswith(f"{section}.") for each in known):
        return
    component, _, rest = key.partition(".")
    candidates = {f"{each.rpartition('.')[0]}.{name}": each.rpartition(".")[0] for each in known}
    candidates |= {f"{each}.{rest}": each for each in wiring.components}
    fed = {(each.name, each.option, reach.level) for reach, each in _fed_by_files(known, wiring)}

    def can_be_set(candidate: str) -> bool:
        """Whether it feeds something, and no key of a file says as much of the same."""
        reach = _candidate_reach(candidate, wiring)
        others = ((each.name, each.option, reach.level) in fed for each in reach.fed)
        return bool(reach.fed) and (candidate in known or not any(others))

    right = {where: each for each, where in candidates.items() if where and can_be_set(each)}
    close = get_close_matches(section, right, n=1, cutoff=0.6) or get_close_matches(
        component, right, n=1, cutoff=0.6
    )
    meant = f"did you mean {right[close[0]]}?" if close else _nearest_setting(key, known)
    raise SettingError(f"there is no setting {key!r}: {meant}")


def _candidate_reach(key: str, wiring: Wiring) -> KeyReach:
    """What a key that might be offered feeds: nothing where it fits several groups of a component."""
    try:
        return wiring.reach(key)
    except SettingError:
        return KeyReach()


def _fed_by_files(known: Iterable[str], wiring: Wiring) -> Iterator[tuple[KeyReach, FedParameter]]:
    """What each key of the files feeds."""
    for reach in (_candidate_reach(each, wiring) for each in known):
        yield from ((reach, fed) for fed in reach.fed)


def _feeding_keys(known: Iterable[str], wiring: Wiring) -> list[str]:
    return [*(each for each in known if each in OWN or wiring.reach(each).fed), *wiring.rows]


def _possible_settings(key: str, known: Collection[str], wiring: Wiring) -> list[str]:
    """The settings that the section of a key could have: a group's fields, else what no file has elsewhere."""
    section = key.rpartition(".")[0]
    exists = not section or any(each.startswith(f"{section}.") for each in known)
    levels: dict[tuple[str, str], set[int]] = {}
    for reach, fed in _fed_by_files(known, wiring):
        levels.setdefault((fed.name, fed.option), set()).add(reach.level)
    by_level: dict[int, list[str]] = {}
    for field in dict.fromkeys(each.parameter.field for each in wiring.fed):
        candidate = f"{section}.{field}" if section else field
        reach = _candidate_reach(candidate, wiring)
        if reach.level == 1 and not exists:
            continue
        others = [levels.get((each.name, each.option), {0}) for each in reach.fed]
        # no key of a file says as much of what it would feed, nor do others say more of all of it
        if others and all(reach.level not in each for each in others) and min(map(max, others)) < reach.level:
            by_level.setdefault(reach.level, []).append(candidate)
    return by_level[max(by_level)] if by_level else []


def idle_setting(key: str, value: Any, folder: Path, wiring: Wiring) -> SettingError:
    """The error for a key of the composed configuration that feeds nothing."""
    if not_chosen := _unchosen_options(key, folder, wiring):
        return SettingError(f"{key} is a setting of {not_chosen}, which is not chosen")
    section, _, name = key.rpartition(".")
    fed = wiring.reach(section).fed if section else ()
    if fed and not any(each.startswith(f"{section}.") for each in places(folder)):
        return SettingError(f"{section} takes {fed[0].parameter.accepted}, got a mapping: {{{name}: {value!r}}}")
    return unknown_setting(key, folder, wiring)


def _unchosen_options(key: str, folder: Path, wiring: Wiring) -> str:
    """Which options would have a key's setting, where there are such."""
    fed = wiring.reach(key).fed
    if not fed:
        return ""
    stand = places(folder).get(key, [])
    if stand and all(each.group for each in stand):
        return " or ".join(f"{each.group}={each.option}" for each in stand)
    return " or ".join(dict.fromkeys(f"{each.chosen_by}={each.option}" for each in fed))


def conflicting_settings(parameter: str, keys: Sequence[str], folder: Path, wiring: Wiring) -> SettingError:
    """The error for keys that feed one parameter and say as much, with what decides."""
    known = places(folder)
    for key in keys:
        if key not in known and key not in OWN and wiring.reach(key).level != COMPONENT:
            # nobody wrote it into a file: it was another one that was meant
            return unknown_setting(key, folder, wiring)
    both = " and ".join(f"{key} ({known[key][0]})" if key in known else key for key in keys[:2])
    if row := _deciding_row(parameter, keys, wiring):
        return SettingError(
            f"{both} both feed {parameter} by their name; say in pipeline.py what one of them feeds: "
            f'settings={{"{row}": "{parameter}"}}'
        )
    return SettingError(f"{both} both set {parameter}; leave one out")


def _deciding_row(parameter: str, keys: Sequence[str], wiring: Wiring) -> str:
    """The key for which a row of the table would decide, and every key still feed something; "" for none."""
    for key in keys:
        if key in OWN or wiring.row(key) or wiring.option_of(key) or key.partition(".")[0] in wiring.components:
            continue
        decided = replace(wiring, rows={**wiring.rows, key: SettingRow(key=key, feeds=(parameter,))})
        if not outweighed_keys(decided, [each for each in keys if each not in OWN]):
            return key
    return ""


def ambiguous_mapping(key: str, field: FedParameter, folder: Path, wiring: Wiring) -> SettingError:
    """The error for a mapping whose name a parameter and a group have."""
    known = places(folder)
    where = f" ({known[key][0]})" if key in known else ""
    whole = wiring.reach(key).fed[0]
    both = f"{whole.name}, which takes a mapping, or the group {field.name.rpartition('.')[0]}"
    return SettingError(f"{key}{where} may be {both}; write the one that is meant")


def idle_key(key: str, parameter: str, other: str, folder: Path) -> SettingError:
    """The error for a key of a file that another one outweighs, for all that it could feed."""
    known = places(folder)
    first, second = (f"{each} ({known[each][0]})" if each in known else each for each in (key, other))
    return SettingError(f"{first} has no effect: {parameter} is set by {second}; leave one out")


def outweighed_setting(
    key: str, value: Any, origins: Mapping[str, Mapping[str, str]], folder: Path, wiring: Wiring
) -> SettingError:
    """The error for an override of a key that others say more than, for all that it could feed."""
    if key not in places(folder):
        return unknown_setting(key, folder, wiring)
    found = next(each for each in wiring.reach(key).fed if each.parameter.name in origins[each.component])
    other = origins[found.component][found.parameter.name]
    return SettingError(f"{key}={value} has no effect: {found.name} is set by {other}; set that one")


def missing_value(component: str, parameter: Parameter, folder: Path) -> SettingError:
    """The error for a parameter without a default that no key feeds."""
    return SettingError(
        f"{component} needs a value for {parameter.name} ({parameter.accepted}), and no setting has that name; "
        f"write {parameter.field}: … into {path_from_here(folder / 'config.yaml')}, or set "
        f"{component}.{parameter.name}"
    )


def _nearest_setting(key: str, known: Iterable[str]) -> str:
    """Like `nearest`, but a last name counts more than its section, and a section less than any setting.

    >>> _nearest_setting("gate.rowz", ["gate.sizes", "etl.rows", "etl"])
    'did you mean etl.rows?'
    """
    names = [each for each in dict.fromkeys(known) if each != key]
    section, _, last = key.rpartition(".")
    same = [name for name in names if name.rpartition(".")[2] == last]
    if same:
        return f"did you mean {' or '.join(same)}?"
    settings = [each for each in names if not any(name.startswith(f"{each}.") for name in names)]
    for candidates in ([each for each in settings if each.rpartition(".")[0] == section], settings):
        by_last = {each.rpartition(".")[2]: each for each in reversed(candidates)}
        if close := get_close_matches(last, by_last, n=1, cutoff=0.6):
            return f"did you mean {by_last[close[0]]}?"
    close_one = nearest(key, names)
    if close_one.startswith("did"):
        return close_one
    near = [name for name in names if name.partition(".")[0] == key.partition(".")[0]]
    return nearest(key, near or [name for name in names if "." not in name])


def explain(error: Exception, folder: Path, overrides: Sequence[str], wiring: Wiring) -> SettingError:
    """What Hydra refused, in words that name the setting to change."""
    parsed = [parse_override(text) for text in overrides]
    for each in parsed:
        found = _fault(each, str(error), folder, wiring)
        if found:
            return found
    return SettingError(f"the settings in {path_from_here(folder)} can't be composed: {readable(error)}")


def _fault(override: Override, message: str, folder: Path, wiring: Wiring) -> SettingError | None:
    key = override.key_or_group
    options = groups(folder).get(key)
    if override.is_sweep_override():
        return SettingError(
            f"{override.input_line!r} names several values, which only a sweep takes: run it with -m; "
            f"or give one, or quote it where the comma belongs to the text"
        )
    if options is not None:
        chosen = override.value()
        if override.is_delete() or chosen in options:
            return None
        return SettingError(f"{key} has no option {chosen!r}: {nearest(str(chosen), options)}")
    known = places(folder)
    for each in overridden_keys(str(override.input_line)):
        if each != key and each not in OWN and not wiring.reach(each).fed and each not in known:
            return unknown_setting(each, folder, wiring)
    if key not in known:
        return None if key in OWN or wiring.reach(key).fed else unknown_setting(key, folder, wiring)
    if override.is_add():
        return SettingError(f"{key} is there already ({known[key][0]}); write it without the +")
    brought = [each for each in known[key] if each.group]
    if f"'{key}'" in message and len(brought) == len(known[key]):
        choices = " or ".join(f"{each.group}={each.option}" for each in brought)
        return SettingError(f"{key} is a setting of {choices}, which is not chosen")
    return None
