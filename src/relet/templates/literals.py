"""Values as they stand in generated Python and YAML, formatted as ruff formats them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_PLAIN_KEY = re.compile("[a-z][a-z0-9_]*")
_YAML_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


def python_literal(value: Any) -> str:
    """A text, number or truth value as Python source, with double quotes where that saves an escape.

    >>> print(python_literal('5" pipe'), python_literal("it's"), python_literal(True))
    '5" pipe' "it's" True
    """
    if not isinstance(value, str):
        return repr(value)
    shown = repr(value)
    if shown.startswith('"') or '"' in value:
        return shown
    return f'"{shown[1:-1]}"'


def python_list(values: Sequence[Any]) -> str:
    """A list in brackets, one value a line.

    >>> print(python_list(["a"]), python_list([]))
    [
        "a",
    ] []
    """
    return _lines("[", values, "]")


def python_tuple(values: Sequence[Any]) -> str:
    """A tuple in parentheses, one value a line."""
    return _lines("(", values, ")")


def _lines(opening: str, values: Iterable[Any], closing: str) -> str:
    inner = "".join(f"    {python_literal(each)},\n" for each in values)
    return f"{opening}\n{inner}{closing}" if inner else f"{opening}{closing}"


def yaml_value(value: Any) -> str:
    """A value as YAML on one line; what Hydra would take for a reference is text.

    >>> print(yaml_value({"from": "${a}"}), yaml_value([None, 1e-05]))
    {"from": "\\\\${a}"} [null, 1.0e-05]
    """
    if isinstance(value, Mapping):
        return (
            "{" + ", ".join(f"{yaml_value(str(name))}: {yaml_value(each)}" for name, each in value.items()) + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(yaml_value, value)) + "]"
    shown = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        # YAML takes fewer signs than JSON as they are
        text = shown.replace("${", "\\\\${")
        return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in text)
    # and a number with an exponent only where it has a point
    return shown.replace("e", ".0e") if isinstance(value, float) and "." not in shown else shown


def yaml_mapping(values: Mapping[str, Any], indent: int) -> str:
    """What stands behind the colon of a mapping's key: one entry a line, or `{}` where there is none.

    >>> print("a:" + yaml_mapping({"b": [1, 2], "no": "x: y"}, 2))
    a:
      b: [1, 2]
      "no": "x: y"
    """
    if not values:
        return " {}"
    return "".join(f"\n{' ' * indent}{yaml_key(name)}: {yaml_value(value)}" for name, value in values.items())


def yaml_key(name: str) -> str:
    """A name as a key of YAML, in quotes where it would be something else without."""
    return name if _PLAIN_KEY.fullmatch(name) and name not in _YAML_WORDS else yaml_value(name)
