"""Say what is wrong with a setting: where it should stand, what it takes, what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from relet.errors import SettingError, nearest

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

NOISE = ("full_key:", "object_type=", "reference_type=", "Set the environment", "See https")
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


def unknown_setting(key: str, folder: Path, *, feeds: Mapping[str, Sequence[str]]) -> SettingError:
    """The error for a key that is no setting, with the nearest that is."""
    for setting, parameters in feeds.items():
        if key in parameters:
            return SettingError(f"{key} is set by {setting}; write {setting}=…")
    known = places(folder)
    if key in known and key not in feeds and not any(each.startswith(f"{key}.") for each in known):
        return SettingError(f"{key} ({known[key][0]}) feeds no component: {_nearest_setting(key, feeds)}")
    below = [each for each in known if each.startswith(f"{key}.")]
    if below:
        return SettingError(f"{key} is a section, not a setting: there are {', '.join(below)}")
    meant = _nearest_setting(key, [*known, *groups(folder)])
    where = known[meant.split()[3].rstrip("?")] if meant.startswith("did") and "." in meant else []
    return SettingError(f"there is no setting {key!r}: {meant}" + (f" ({where[0]})" if where else ""))


def _nearest_setting(key: str, known: Iterable[str]) -> str:
    """Like `nearest`, but a right last name in the wrong section, or in none, counts first."""
    names = list(known)
    last = key.rpartition(".")[2]
    same = [name for name in names if name.rpartition(".")[2] == last]
    if same:
        return f"did you mean {' or '.join(same)}?"
    close = nearest(key, names)
    if close.startswith("did"):
        return close
    section = [name for name in names if name.partition(".")[0] == key.partition(".")[0]]
    return nearest(key, section or [name for name in names if "." not in name])


def explain(
    error: Exception, folder: Path, overrides: Sequence[str], *, feeds: Mapping[str, Sequence[str]]
) -> SettingError:
    """What Hydra refused, in words that name the setting to change."""
    parsed = [parse_override(text) for text in overrides]
    for each in parsed:
        found = _fault(each, str(error), folder, feeds)
        if found:
            return found
    return SettingError(f"the settings in {path_from_here(folder)} can't be composed: {_readable(error)}")


def quote(override: str, texts: Collection[str]) -> str:
    """An override that Hydra can't read, with quotes where its setting takes text; any other as it is."""
    key, equals, value = override.partition("=")
    if not equals or key.lstrip("+") not in texts:
        return override
    try:
        parse_override(override)
    except SettingError:
        return f"{key}={quoted_text(value)}"
    return override


def quoted_text(text: str) -> str:
    """Text in quotes, as Hydra's grammar takes it: backslashes count only before a quote."""
    escaped = re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + ("\\" + found[2] if found[2] else ""), text)
    return f'"{escaped}"'


def parse_override(text: str) -> Override:
    """An override as Hydra reads it. Raises SettingError, with the quotes it lacks, where Hydra can't."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_override(text)
    except HydraException as error:
        key, equals, value = text.partition("=")
        if not equals:
            raise SettingError(f"{text!r} is no override; write name=value") from None
        raise SettingError(
            f"{text!r} can't be read as an override ({_readable(error)}); "
            f"where the value is plain text, quote it: '{key}={quoted_text(value)}'"
        ) from None


def _fault(
    override: Override, message: str, folder: Path, feeds: Mapping[str, Sequence[str]]
) -> SettingError | None:
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
    if key not in known:
        return unknown_setting(key, folder, feeds=feeds)
    if override.is_add():
        return SettingError(f"{key} is there already ({known[key][0]}); write it without the +")
    brought = [each for each in known[key] if each.group]
    if f"'{key}'" in message and len(brought) == len(known[key]):
        choices = " or ".join(f"{each.group}={each.option}" for each in brought)
        return SettingError(f"{key} is a setting of {choices}, which is not chosen")
    return None


def _readable(error: Exception) -> str:
    """Hydra's own message on one line, without its advice on stack traces and its inner names."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not line.startswith(NOISE)]
    key = getattr(error, "full_key", None)
    return (f"{key}: " if key else "") + ("; ".join(kept) or type(error).__name__)
