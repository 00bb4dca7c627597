"""Overrides in Hydra's own syntax: read, quoted where they have to be, and the keys that they set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from relet.core.override_words import quoted_text
from relet.core.wording import shorten
from relet.errors import SettingError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

NOISE = ("full_key:", "object_type=", "reference_type=", "Set the environment", "See https")


def overridden_keys(override: str) -> Iterator[str]:
    """The keys that an override sets: of a mapping, which adds to what the files have, those that it names.

    >>> list(overridden_keys("+limits={most: 5, size: {least: 1}}"))
    ['limits.most', 'limits.size.least']
    """
    key, _, text = override.partition("=")
    try:
        value = parse_override(override).value()
    except SettingError:  # a text that Hydra can't read
        value = text

    def inside(key: str, value: Any) -> Iterator[str]:
        if not isinstance(value, Mapping) or not value:
            yield key
            return
        for name, each in value.items():
            yield from inside(f"{key}.{name}", each)

    yield from inside(key.lstrip("+~"), value)


def quote(override: str, takes_text: Callable[[str], bool]) -> str:
    """An override that Hydra can't read, with quotes where its setting takes text; any other as it is."""
    key, equals, value = override.partition("=")
    if not equals or not takes_text(key.lstrip("+")):
        return override
    try:
        parse_override(override)
    except SettingError:
        return f"{key}={quoted_text(value)}"
    return override


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
            f"{text!r} can't be read as an override ({readable(error)}); "
            f"where the value is plain text, quote it: '{key}={quoted_text(value)}'"
        ) from None
    except ValueError:  # of so many digits that Python reads none
        raise SettingError(f"{shorten(text)!r} can't be read: its number has too many digits") from None


def readable(error: Exception) -> str:
    """Hydra's own message on one line, without its advice on stack traces and its inner names."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not line.startswith(NOISE)]
    key = getattr(error, "full_key", None)
    return (f"{key}: " if key else "") + ("; ".join(kept) or type(error).__name__)
