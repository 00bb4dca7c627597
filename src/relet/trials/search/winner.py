"""The winner of a search as a file of the configuration, which can be committed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from relet.config import Settings, settings
from relet.core.override_words import override
from relet.core.record import Status
from relet.errors import ReletError, SettingError
from relet.files import write_whole
from relet.trials.search.rounds import SearchOutcome

# The group of the configuration with an option for each model family; the winner becomes one more option.
GROUP = "model"
NAME = re.compile(r"[a-z][a-z0-9_]*")
_OWN = re.compile(r"# Written by relet tune; a change by hand makes this number wrong: ([0-9a-f]{16})\n")
_HEADER = re.compile(r"\A(?:#.*\n)+")


@dataclass(frozen=True, kw_only=True)
class WinnerFile:
    """The file of the winner, relative to the project, and the commands that go on from there.

    Where the file was not written, `held_back` says why; `run` then sets each value, and `add` is empty.
    """

    path: Path
    run: str
    add: str = ""
    held_back: str = ""


def check_name(conf: Path, name: str, base: Settings, *, force: bool) -> None:
    """Raise SettingError where the winner can't be written under this name; called before a search begins."""
    if not NAME.fullmatch(name):
        raise SettingError(f"--as takes lower-case letters, digits and _, a letter first, got {name!r}")
    if GROUP not in base.choices:
        return
    path = _option_path(conf, name)
    if _is_by_hand(path) and not force:
        raise SettingError(
            f"{path} was written or changed by hand: --as NAME writes the winner elsewhere, --force over it"
        )


def _is_by_hand(path: Path) -> bool:
    return path.exists() and not is_own(path.read_text(encoding="utf-8"))


def is_own(text: str) -> bool:
    """Whether a file is unchanged since a search wrote it."""
    found = _OWN.search(text)
    return found is not None and _text_checksum(_OWN.sub("", text)) == found[1]


def write_winner(found: SearchOutcome, name: str, *, force: bool = False) -> WinnerFile | None:
    """Write the winner as an option of the group `model`; None where nothing is better than what is configured.

    A setting of the winner that the family's file does not hold is in the command to go on. A file that a person
    wrote or changed since the search began is written over with `force` alone. A file that the search itself takes
    settings from is not written before the search is over: the same command would be another search.
    """
    winner = found.winner
    if winner is None or not found.is_improved:
        return None
    question = found.question
    overrides = (*question.order.overrides, *question.overrides(winner.values))
    chosen = settings(question.project.pipeline, question.project.conf, overrides)
    option = chosen.choices.get(GROUP)
    if option is None:
        return None
    conf = question.project.conf
    path = _option_path(conf, name)
    place = path.relative_to(question.project.root)
    if option == name and (found.out_of_time or found.status is not Status.FINISHED):
        why = f"the search stands on {place} and is not over"
        return WinnerFile(path=place, run=winner_command(found), held_back=why)
    text, settings_inside = _edited_option(
        _option_path(conf, option).read_text(encoding="utf-8"),
        chosen,
        {_override_name(each) for each in overrides},
    )
    header, body = _split_header(text)
    comment = "".join(f"# {line}\n" for line in (*header, *_origin_lines(found, option)))
    text = f"{comment}{body}"
    if _is_by_hand(path) and not force:
        why = f"{place} was written or changed by hand meanwhile"
        return WinnerFile(
            path=place, run=winner_command(found), held_back=f"{why}; --as NAME writes the winner elsewhere"
        )
    write_whole(path, _with_checksum(text).encode())
    rest = [
        each
        for each in overrides
        if _override_name(each) not in settings_inside
        and _override_name(each) != GROUP
        and not _about_search(each)
    ]
    return WinnerFile(
        path=place,
        run=shlex.join(["relet", "run", question.order.pipeline, f"{GROUP}={name}", *rest]),
        add=shlex.join(["git", "add", str(place)]),
    )


def _option_path(conf: Path, option: str) -> Path:
    return conf / GROUP / f"{option}.yaml"


def _override_name(text: str) -> str:
    return text.partition("=")[0].lstrip("+~")


def _about_search(text: str) -> bool:
    return _override_name(text).partition(".")[0] == "search"


def _split_header(text: str) -> tuple[list[str], str]:
    """The lines of the first comment that Hydra reads, such as the package; and the text after that comment."""
    comment = _HEADER.match(text)
    lines = comment[0].splitlines() if comment else []
    kept = [line.lstrip("# ") for line in lines if line.lstrip("# ").startswith("@")]
    return kept, text[len(comment[0]) if comment else 0 :]


def _origin_lines(found: SearchOutcome, option: str) -> Iterator[str]:
    """Where the values come from, in words that do not depend on day, machine and number of workers."""
    question, winner, default = found.question, found.winner, found.default
    assert winner is not None and winner.value is not None
    pruned = sum(each.outcome == "pruned" for each in found.candidates)
    yield (
        f"Trial {winner.number} of the {len(found.candidates)} ({pruned} given up early) of search {question.id}, "
        f"seed {question.seed}."
    )
    beside = ""
    if default is not None and default.value is not None:
        beside = f"; model={option} has {default.value:.6g}"
    yield f"{question.metric} {winner.value:.6g}, the mean of {question.folds} validation folds{beside}."
    if data := measured_on(found):
        yield f"Measured on {data}."


def measured_on(found: SearchOutcome) -> str:
    """The versions that the winner was measured on, with their content: `trainval:v1 (ab12…)`."""
    winner, question = found.winner, found.question
    for run_id in winner.runs if winner else ():
        try:
            run = question.job.store.run(run_id).steps[question.component]["run"]
            inputs = question.job.store.run(run).inputs.values()
        except (ReletError, KeyError, TypeError):
            continue
        return ", ".join(f"{each.version} ({each.content[:16]})" for each in inputs)
    return ""


def _with_checksum(text: str) -> str:
    """The text of a file with a line that holds its checksum, which shows later changes."""
    comment = _HEADER.match(text)
    end = len(comment[0]) if comment else 0
    own = f"# Written by relet tune; a change by hand makes this number wrong: {_text_checksum(text)}\n"
    return f"{text[:end]}{own}{text[end:]}"


def _text_checksum(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _edited_option(text: str, chosen: Settings, overridden: Set[str]) -> tuple[str, set[str]]:
    """A family's file with the chosen values in their places, comments kept; and the settings that it holds.

    A value that refers to another setting stays as it is, unless it is among those `overridden`.
    """
    import yaml

    package = re.search(r"^#\s*@package\s+(\S+)", text, re.MULTILINE)
    prefix = package[1] if package else GROUP
    places = list(_scalars(yaml.compose(text, Loader=yaml.SafeLoader), prefix))
    loaded = {key: yaml.safe_load(text[start:end]) for key, start, end in places}
    for key, start, end in reversed(places):
        before, value = loaded[key], chosen.value(key)
        is_overridden = any(key == each or key.startswith(f"{each}.") for each in overridden)
        refers = isinstance(before, str) and "${" in before and not is_overridden
        if not refers and (value != before or type(value) is not type(before)):
            text = f"{text[:start]}{_scalar(value)}{text[end:]}"
    return text, {key for key, _, _ in places}


def _scalars(node: Any, prefix: str) -> Iterator[tuple[str, int, int]]:
    """Each setting of a file, with the positions of the first character of its value and of the one after it."""
    import yaml

    if not isinstance(node, yaml.MappingNode):
        return
    for name, value in node.value:
        key = f"{prefix}.{name.value}"
        if isinstance(value, yaml.MappingNode) and value.value:
            yield from _scalars(value, key)
        else:
            yield key, value.start_mark.index, value.end_mark.index


def _scalar(value: Any) -> str:
    import yaml

    return (
        str(yaml.safe_dump(value, default_flow_style=True, width=10_000)).removesuffix("\n").removesuffix("\n...")
    )


def winner_command(found: SearchOutcome) -> str:
    """The command that runs the winner where its file was not written."""
    question, winner = found.question, found.winner
    values: Mapping[str, Any] = winner.values if winner else {}
    kept = [each for each in question.order.overrides if not _about_search(each)]
    return shlex.join(
        ["relet", "run", question.order.pipeline, *kept, *(override(name, values[name]) for name in values)]
    )
