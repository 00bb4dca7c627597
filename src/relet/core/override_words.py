"""A setting and its value as a word of a command, in Hydra's syntax and in the shell's."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

# What Hydra reads as something else than text.
_READ = frozenset(("null", "true", "false", "nan", "inf"))
# What a shell changes within double quotes.
_CHANGED_IN_QUOTES = re.compile(r'[$`\\!"]')


def override(setting: str, value: Any) -> str:
    """An override that sets this value, in Hydra's words.

    `value` is text, a number, a truth value, None, or a mapping or a sequence of them. Raises ValueError for a
    mapping with a name that Hydra's grammar has no way to write: it knows no quotes around names.

    >>> override("model.kind", "a, b"), override("model.rate", 0.1), override("model.depth", None)
    ('model.kind="a, b"', 'model.rate=0.1', 'model.depth=null')
    >>> override("columns", {"price": {"from": "Price (USD)"}, "*": None})
    "columns={price: {from: 'Price (USD)'}, *: null}"
    """
    return f"{setting}={override_text(value)}"


def override_text(value: Any) -> str:
    """A value in Hydra's words; see `override`."""
    if isinstance(value, Mapping | list | tuple):
        return _text_with_quotes(value, "'")
    return _text_with_quotes(value, '"')


def _text_with_quotes(value: Any, quote: str) -> str:
    if isinstance(value, Mapping):
        inner = (f"{_name_text(name)}: {_text_with_quotes(each, quote)}" for name, each in value.items())
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_text_with_quotes(each, quote) for each in value)}]"
    return _scalar_text(value, quote)


def _scalar_text(value: str | int | float | bool | None, quote: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if is_plain_text(value) else quoted_text(without_interpolation(value), quote)
    return repr(value)


def is_plain_text(text: str) -> bool:
    """Whether Hydra reads these letters as this text without quotes.

    >>> is_plain_text("by_host"), is_plain_text("null"), is_plain_text("12")
    (True, False, False)
    """
    return bool(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_\-/.]*", text)) and text.lower() not in _READ


def is_plain_name(name: object) -> bool:
    """Whether a mapping in Hydra's grammar can have this name."""
    return name == "*" or (isinstance(name, str) and is_plain_text(name))


def _name_text(name: object) -> str:
    if not is_plain_name(name):
        raise ValueError(f"a mapping of an override can't have the name {name!r}")
    return str(name)


def without_interpolation(text: str) -> str:
    """The text so that OmegaConf resolves nothing in it: `${` stands for itself.

    >>> print(without_interpolation("${a}.csv"))
    \\${a}.csv
    """
    return re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", text)


def quoted_text(text: str, quote: str = '"') -> str:
    """Text in quotes, as Hydra's grammar takes it: backslashes count only before a quote."""
    escaped = re.sub(
        rf"(\\*)({quote}|\Z)", lambda found: found[1] * 2 + ("\\" + found[2] if found[2] else ""), text
    )
    return f"{quote}{escaped}{quote}"


def shell_word(word: str) -> str:
    """A word as a person types it in a shell: in double quotes where they change nothing, which are easy to read.

    >>> shell_word("steps=get_data"), shell_word("columns={id: 'a b'}"), shell_word("source=$x.csv")
    ('steps=get_data', '"columns={id: \\'a b\\'}"', "'source=$x.csv'")
    """
    quoted = shlex.quote(word)
    return quoted if quoted == word or _CHANGED_IN_QUOTES.search(word) else f'"{word}"'


def shell_override(setting: str, value: Any) -> str:
    """An override as a person types it in a shell, with as few quotes as it takes. Raises ValueError as `override`
    does.

    >>> print(shell_override("price", {"remove": "$"}), shell_override("price", {"remove": "€ "}))
    'price={remove: "$"}' "price={remove: '€ '}"
    """
    ways = [shell_word(f"{setting}={_text_with_quotes(value, quote)}") for quote in ("'", '"')]
    return min(ways, key=len)


def command_line(words: Sequence[str]) -> str:
    """Words as one line of a shell."""
    return " ".join(map(shell_word, words))
