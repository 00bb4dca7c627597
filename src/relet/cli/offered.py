"""The command that an error offers: the one that was typed, with the settings by which it would have worked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from relet.config.binding import settings
from relet.core.override_words import command_line, is_plain_text, override, shell_override, without_interpolation
from relet.core.wording import printable, without_credentials
from relet.errors import ReletError
from relet.files import write_whole
from relet.project.job import Job

# A longer setting is written into a file, in this group of the configuration.
LONGEST = 300
GROUP = "columns"


def offered_lines(job: Job, error: BaseException | None) -> Iterator[str]:
    """The command to type next, where the error holds settings and they can be typed as they are meant."""
    offered = error.settings if isinstance(error, ReletError) else {}
    if not offered or not job.command or job.request.pipeline.name not in job.command:
        return
    kept = [word for word in job.command if word.lstrip("+").partition("=")[0] not in offered]
    # a mapping that a file of the configuration fills takes other names with a plus alone
    for plus in ("", "+"):
        typed = {f"{plus}{key}" if isinstance(value, Mapping) else key: value for key, value in offered.items()}
        words = _words(typed)
        if words and _gives(job, [*kept, *words], offered):
            yield _shown_command(kept, [shell_override(key, value) for key, value in typed.items()])
            return
    mappings = {key: value for key, value in offered.items() if isinstance(value, Mapping)}
    others = _words({key: value for key, value in offered.items() if key not in mappings})
    if not mappings or others is None:
        return
    source = job.parameters.get(error.step, {}).get("source", "") if isinstance(error, ReletError) else ""
    folder = job.project.conf / GROUP
    file, text = _option(folder, mappings, Path(str(source)).stem)
    is_new = not file.exists()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if is_new:
            write_whole(file, text.encode())
    except OSError:
        return  # what differs has been said; here is no place for it
    kept = [word for word in kept if word.lstrip("+").partition("=")[0] != GROUP]
    for chosen in (f"+{GROUP}={file.stem}", f"{GROUP}={file.stem}"):
        if _gives(job, [*kept, chosen, *others], offered):
            yield f"{file.relative_to(job.project.root)} says it:"
            yield _shown_command(kept, [command_line([chosen, *others])])
            return
    if is_new:
        file.unlink()


def _words(offered: Mapping[str, Any]) -> list[str] | None:
    """The settings as overrides; None where a command can't hold them, or would be too long to read."""
    try:
        words = [override(key, value) for key, value in offered.items()]
    except ValueError:
        return None
    line = command_line(words)
    return words if len(line) <= LONGEST and printable(line) == line else None


def _shown_command(kept: Sequence[str], typed: Sequence[str]) -> str:
    # what holds a password is not printed a second time
    known = [word for word in kept if without_credentials(word) == word]
    return f"  {' '.join([command_line(known), *typed])}"


def _gives(job: Job, command: Sequence[str], offered: Mapping[str, Any]) -> bool:
    """Whether a command sets what is offered, when it is read as Hydra reads it."""
    overrides = [word for word in command if "=" in word and not word.startswith(("-", "steps="))]
    try:
        found = settings(job.project.pipeline, job.project.conf, overrides)
    except ReletError:
        return False
    values = {**found.values, **found.choices}
    return all(_value_at(values, key) == _plain(value) for key, value in offered.items())


def _value_at(values: Mapping[str, Any], key: str) -> Any:
    found: Any = values
    for name in key.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _option(folder: Path, mappings: Mapping[str, Mapping[str, Any]], name: str) -> tuple[Path, str]:
    """A file of the configuration for these settings, and its text: one that is there and has it, or a new one,
    called as `name`.
    """
    content: dict[str, Any] = {}
    for key, value in mappings.items():
        *sections, last = key.split(".")
        place = content
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = {name: _literal(each) for name, each in _plain(value).items()}
    text = "# @package _global_\n" + _yaml_text(content)
    there = sorted(folder.glob("*.yaml"))
    for file in there:
        if file.is_file() and file.read_bytes() == text.encode():
            return file, text
    stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40] or "file"
    if not is_plain_text(stem):
        stem = f"file_{stem}"  # Hydra reads 2019 and null as values
    taken = {file.stem.lower() for file in there}
    return folder / f"{next(each for each in _numbered(stem) if each not in taken)}.yaml", text


def _yaml_text(content: Mapping[str, Any]) -> str:
    """A mapping as YAML, with all text in quotes that OmegaConf might read as a number."""
    import yaml

    class TextDumper(yaml.SafeDumper):
        pass

    def quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        style = None if is_plain_text(text) else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    TextDumper.add_representer(str, quoted)
    return yaml.dump(content, Dumper=TextDumper, allow_unicode=True, sort_keys=False, width=100)


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}_{number}" for number in count(2))


def _literal(value: Any) -> Any:
    """A value in which OmegaConf resolves nothing."""
    if isinstance(value, str):
        return without_interpolation(value)
    if isinstance(value, dict):
        return {name: _literal(each) for name, each in value.items()}
    return [_literal(each) for each in value] if isinstance(value, list) else value
