"""Interpolations such as `${oc.env:PORT}`: the text that they give, and what is wrong with one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from relet.config.diagnosis import places
from relet.config.overrides import overridden_keys, parse_override, readable
from relet.core.accepted import InterpolatedText
from relet.core.override_words import quoted_text, without_interpolation
from relet.errors import SettingError, nearest

_VARIABLE = re.compile(r"Environment variable '(.*)' not found")
_UNKNOWN_KEY = re.compile(r"Interpolation key '(.*)' not found")
_WITHOUT_VALUE = re.compile(r"Missing mandatory value: (\S+)")
_UNKNOWN_RESOLVER = re.compile(r"Unsupported interpolation type (\S+)")
# The resolvers that a person may mean, of those that OmegaConf and Hydra have.
_RESOLVERS = ("oc.env", "oc.decode", "oc.select", "now")


def with_origins(resolved: Any, written: Any, interpolation: str = "") -> Any:
    """Resolved values in which each text that an interpolation gave says so; `written` are those of the files.

    >>> with_origins({"a": "7", "b": "7"}, {"a": "${oc.env:N}", "b": "7"})
    {'a': '7' (from ${oc.env:N}), 'b': '7'}
    """
    if not interpolation and isinstance(written, str) and "${" in written:
        interpolation = written
    if isinstance(resolved, Mapping):
        inside = written if isinstance(written, Mapping) else {}
        return {name: with_origins(each, inside.get(name), interpolation) for name, each in resolved.items()}
    if isinstance(resolved, list):
        elements = written if isinstance(written, list) else [None] * len(resolved)
        return [with_origins(each, other, interpolation) for each, other in zip(resolved, elements, strict=True)]
    is_text = interpolation and isinstance(resolved, str)
    return InterpolatedText(text=resolved, interpolation=interpolation) if is_text else resolved


def unread_interpolation(error: Exception, folder: Path, overrides: Sequence[str]) -> SettingError:
    """The error for a `${` whose interpolation OmegaConf can't read."""
    key = str(getattr(error, "full_key", None) or "a setting")
    return SettingError(
        f"{key}{_place(key, folder, overrides)}: after ${{ comes no name with a }} that ends it; write ${{NAME}}, "
        "or \\${ where the signs themselves are meant"
    )


def unresolved_interpolation(
    error: Exception,
    written: Mapping[str, Any],
    folder: Path,
    overrides: Sequence[str],
    *,
    takes_text: Callable[[str], bool],
) -> SettingError:
    """The error for an interpolation that OmegaConf can't resolve: where it stands, and what to write.

    `written` are all values as they are written, and `takes_text` says whether a setting takes text.
    """
    key = str(getattr(error, "full_key", None) or "")
    found = _value_at(written, key)
    place = _place(key, folder, overrides)
    if not isinstance(found, str):
        return SettingError(f"{key}{place}: {_problem(error, key, written)}")
    problem = f"{key}{place} is {found}, and {_problem(error, key, written)}"
    if not takes_text(key) or _VARIABLE.search(str(error)):
        return SettingError(problem)
    literal = f"\\${{ for ${{: {without_interpolation(found)}" if place else _literal_override(key, found)
    return SettingError(f"{problem}; where the text itself is meant, write {literal}")


def _place(key: str, folder: Path, overrides: Sequence[str]) -> str:
    """Where a key stands in the files, in parentheses; nothing for one that an override sets."""
    if any(each == key for override in overrides for each in overridden_keys(override)):
        return ""
    known = places(folder).get(key.partition("[")[0])
    return f" ({known[-1]})" if known else ""


def _problem(error: Exception, key: str, written: Mapping[str, Any]) -> str:
    message = str(error)
    if variable := _VARIABLE.search(message):
        name = variable[1]
        return f"the environment variable {name} is not set; set it, or write a default: ${{oc.env:{name},VALUE}}"
    if unknown := _UNKNOWN_KEY.search(message):
        close = get_close_matches(unknown[1], [each for each in _keys(written) if each != key], n=1)
        return f"there is no setting {unknown[1]!r}{f': did you mean {close[0]}?' if close else ''}"
    if empty := _WITHOUT_VALUE.search(message):
        return f"{empty[1]} has no value (???): write one"
    if resolver := _UNKNOWN_RESOLVER.search(message):
        return f"there is no resolver {resolver[1]!r}: {nearest(resolver[1], _RESOLVERS)}"
    return f"that can't be resolved: {readable(error).removeprefix(f'{key}: ')}"


def _literal_override(key: str, text: str) -> str:
    """A word of a command that sets the text itself, for the shell."""
    escaped = without_interpolation(text)
    try:
        plain = parse_override(f"{key}={escaped}").value() == escaped
    except SettingError:
        plain = False
    return shlex.quote(f"{key}={escaped if plain else quoted_text(escaped)}")


def _value_at(values: Mapping[str, Any], key: str) -> Any:
    """What stands at a key such as `etl.bounds[1].west`; None where it can't be found."""
    found: Any = values
    for name, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", key):
        if name and isinstance(found, Mapping):
            found = found.get(name)
        elif number and isinstance(found, list) and int(number) < len(found):
            found = found[int(number)]
        else:
            return None
    return found


def _keys(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, each in values.items():
        if isinstance(each, Mapping) and each:
            yield from _keys(each, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
