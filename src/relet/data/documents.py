"""JSON documents: plain values, lists and mappings as text whose bytes their content decides."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from relet.errors import BadDataError

# A value that is nested deeper is refused, and so is one that holds itself.
DEEPEST = 100
# Python reads no longer whole number from text.
MOST_DIGITS = 4000
ADVICE = "a document holds mappings, lists, text, numbers, true, false and null"

# What a value is in JSON's own types, from the value, its place and its depth.
Encoder = Callable[[Any, str, int], Any]


def document_text(value: Any) -> str:
    """A document as JSON: names in the order of their letters, one entry a line, floats to their last bit.

    Equal values have equal text on every machine. `value` is a mapping with names that are text, a list, a tuple
    (which is a list from then on), text, a number, a boolean or None. NumPy's numbers count as Python's. Raises
    BadDataError for anything else, with its place.

    >>> print(document_text({"b": [1, 2.5], "a": None}), end="")
    {
     "a": null,
     "b": [
      1,
      2.5
     ]
    }
    >>> document_text({"rates": [0.5, float("nan")]})
    Traceback (most recent call last):
    relet.errors.BadDataError: ['rates'][1] is nan, which is no number in JSON; write None, or a word as text
    """
    return json_text(plain_value(value))


def json_text(plain: Any) -> str:
    """A value of JSON's own types as a document's text."""
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True) + "\n"


def document_value(text: str | bytes) -> Any:
    """The value of a document. Raises BadDataError for what is no JSON, or has one name twice.

    >>> document_value('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    """
    try:
        return json.loads(text, object_pairs_hook=_distinct_names, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadDataError(f"the document can't be read as JSON: {error}") from error


def _distinct_names(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one mapping")
    return found


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number in JSON")


def plain_value(value: Any, place: str = "", depth: int = 0, *, other: Encoder | None = None) -> Any:
    """A value in JSON's own types; `other` says what anything else is, or raises.

    Raises BadDataError with the place of what is refused: the way to it from the whole value, as Python writes it.
    """
    if depth > DEEPEST:
        raise BadDataError(f"{place[:40]}… is nested deeper than {DEEPEST} levels, or holds itself")
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return checked_text(str.__str__(value), place)
    if isinstance(value, int):
        return _checked_integer(int(value), place)
    if isinstance(value, float):
        return _checked_float(float(value), place)
    if isinstance(value, Mapping):
        for name in value:
            _check_name(name, place)
        return {
            str.__str__(name): plain_value(each, f"{place}[{name!r}]", depth + 1, other=other)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            plain_value(each, f"{place}[{number}]", depth + 1, other=other) for number, each in enumerate(value)
        ]
    return (other or _refuse)(value, place, depth)


def checked_text(text: str, place: str = "") -> str:
    """A text that can be written as UTF-8. Raises BadDataError for half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadDataError(f"{place or 'the text'} can't be written as UTF-8: {error.reason}") from error
    return text


def _check_name(name: Any, place: str) -> None:
    where = f"{place or 'the document'} has the name {name!r}"
    if not isinstance(name, str):
        raise BadDataError(f"{where}, and names in a document are text; write {str(name)!r}")
    checked_text(name, where)


def _checked_integer(number: int, place: str) -> int:
    if number.bit_length() > MOST_DIGITS * 3:
        raise BadDataError(f"{place or 'the number'} is a whole number of more than {MOST_DIGITS * 3} bits")
    return number


def _checked_float(number: float, place: str) -> float:
    if not math.isfinite(number):
        raise BadDataError(
            f"{place or 'the number'} is {number}, which is no number in JSON; write None, or a word as text"
        )
    return number


def _refuse(value: Any, place: str, depth: int) -> Any:
    raise BadDataError(f"{place or 'the value'} is {kind_words(value)}: {ADVICE}; {_advice_for(value)}")


def kind_words(value: Any) -> str:
    """The type of a value with its module, for an error."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _advice_for(value: Any) -> str:
    if hasattr(value, "__dataclass_fields__"):
        return "write dataclasses.asdict(…), or make the dataclass the type of the whole artifact"
    if isinstance(value, set | frozenset):
        return "write sorted(…)"
    if hasattr(value, "isoformat"):
        return "write its .isoformat()"
    if hasattr(value, "tolist"):
        return "write its .tolist(), or return it as an artifact of its own"
    return "write it as text, or return it as an artifact of its own"
