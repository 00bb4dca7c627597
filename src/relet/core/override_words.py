"""A setting and its value as a word of a command, in Hydra's syntax."""

from __future__ import annotations

import re

# What Hydra reads as something else than text.
_READ = frozenset(("null", "true", "false", "nan", "inf"))


def override(setting: str, value: str | int | float | bool | None) -> str:
    """An override that sets this value, in Hydra's words.

    >>> override("model.kind", "a, b"), override("model.rate", 0.1), override("model.depth", None)
    ('model.kind="a, b"', 'model.rate=0.1', 'model.depth=null')
    """
    return f"{setting}={override_text(value)}"


def override_text(value: str | int | float | bool | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        plain = re.fullmatch(r"[A-Za-z_][\w\-/.]*", value) and value.lower() not in _READ
        return value if plain else quoted_text(value)
    return repr(value)


def quoted_text(text: str) -> str:
    """Text in quotes, as Hydra's grammar takes it: backslashes count only before a quote."""
    escaped = re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + ("\\" + found[2] if found[2] else ""), text)
    return f'"{escaped}"'
