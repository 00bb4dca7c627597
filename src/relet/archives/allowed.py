"""What an attribute of a stored object may be: a test, and the words for a message."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from relet.archives.stored import StoredObject, StoredType


@dataclass(frozen=True)
class AllowedValue:
    """What an attribute may be, in words and as a test."""

    words: str
    holds: Callable[[Any], bool]

    def __or__(self, other: AllowedValue) -> AllowedValue:
        return AllowedValue(
            f"{self.words} or {other.words}", lambda value: self.holds(value) or other.holds(value)
        )


def only(*values: Any) -> AllowedValue:
    """One of these plain values, of the same type."""
    held = {(type(value), value) for value in values}
    shown = ", ".join(map(repr, values[:-1])) + (" or " if len(values) > 1 else "") + repr(values[-1])
    return AllowedValue(
        shown, lambda value: isinstance(value, bool | int | float | str | None) and (type(value), value) in held
    )


def whole(least: int, most: int) -> AllowedValue:
    """A whole number from `least` to `most`, not a truth value."""

    def holds(value: Any) -> bool:
        plain = value.item() if _is_numpy(value, "iu", 0) else value
        return type(plain) is int and least <= plain <= most

    return AllowedValue(f"a whole number from {least} to {most}", holds)


def array(kinds: str, *dimensions: int) -> AllowedValue:
    """An array whose numpy kind and number of dimensions are among these."""
    return AllowedValue(
        f"an array of {' or '.join(map(str, dimensions))} dimensions",
        lambda value: any(_is_numpy(value, kinds, each) for each in dimensions),
    )


def list_of(each: AllowedValue) -> AllowedValue:
    return AllowedValue(
        f"a list of {each.words}", lambda value: isinstance(value, list | tuple) and all(map(each.holds, value))
    )


def pair_of(*parts: AllowedValue) -> AllowedValue:
    """A tuple with these parts."""

    def holds(value: Any) -> bool:
        if not isinstance(value, tuple) or len(value) != len(parts):
            return False
        return all(part.holds(each) for part, each in zip(parts, value, strict=True))

    return AllowedValue(f"a tuple of {', '.join(part.words for part in parts)}", holds)


def by_name(each: AllowedValue) -> AllowedValue:
    """A dictionary from texts."""
    return AllowedValue(
        f"a dictionary of {each.words}",
        lambda value: (
            isinstance(value, dict)
            and all(isinstance(key, str) and each.holds(held) for key, held in value.items())
        ),
    )


def typed(*names: str) -> AllowedValue:
    """A type by its full name."""
    return AllowedValue(" or ".join(names), lambda value: isinstance(value, StoredType) and value.name in names)


def object_of(*names: str) -> AllowedValue:
    """An object of one of these types, by the last part of the name; of any estimator's where none is given."""

    def holds(value: Any) -> bool:
        if not isinstance(value, StoredObject) or (value.label == "Tree" and "Tree" not in names):
            return False
        return value.label in names if names else True

    return AllowedValue(" or ".join(names) or "an estimator", holds)


def _is_numpy(value: Any, kinds: str, dimensions: int) -> bool:
    if getattr(getattr(value, "dtype", None), "kind", " ") not in kinds or value.ndim != dimensions:
        return False
    return value.dtype.kind != "O" or all(
        isinstance(each, bool | int | float | str | None) for each in value.ravel().tolist()
    )


def _is_number(value: Any) -> bool:
    return (type(value) in (int, float) or _is_numpy(value, "f", 0)) and math.isfinite(value)


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 10_000


FLAG, NOTHING = only(True, False), only(None)
COUNT, SEED = whole(0, 2**31), whole(0, 2**32)
WIDTH = whole(1, 1_000_000)
NUMBER = AllowedValue("a finite number", _is_number)
GAP = AllowedValue("NaN", lambda value: type(value) is float and math.isnan(value))
TEXT = AllowedValue("a text of at most 10,000 characters", _is_short)
TOKENS = AllowedValue("a text", lambda value: isinstance(value, str))
PLAIN = TEXT | NUMBER | FLAG
WEIGHTS = AllowedValue(
    "a dictionary from classes to numbers",
    lambda value: isinstance(value, dict) and all(map(NUMBER.holds, value.values())),
)
TEXTS = list_of(TEXT)
LABELS = array("OUifb", 1)
FLOATS, WHOLES = array("f", 1), array("i", 1)
MATRIX = array("f", 2)
FLOAT = typed("numpy.float64", "numpy.float32")
NUMBER_TYPE = FLOAT | typed("numpy.int64", "numpy.int32")
# How many threads predict is a matter of the machine. -1, which asks for all, is loaded as 1.
ONE_THREAD = only(None, 1, -1)
QUIET = only(0, False)
STEP = object_of() | only("passthrough", "drop", None)
STEPS = list_of(pair_of(TEXT, STEP))
DATE = AllowedValue(
    "a date as YYYY-MM-DD",
    lambda value: isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d(T[\d:]{5,8})?", value)),
)
COLUMNS = (
    TEXT
    | SEED
    | list_of(TEXT)
    | list_of(SEED)
    | list_of(FLAG)
    | array("bi", 1)
    | AllowedValue("a slice", lambda v: type(v) is slice)
)
# The patterns of words whose cost grows with the text alone.
PATTERNS = only(r"(?u)\b\w\w+\b", r"(?u)\b\w+\b", r"\b\w\w+\b", r"\b\w+\b", r"(?u)\w+", r"\w+")
INDICES = NOTHING | AllowedValue(
    "an array of whole numbers",
    lambda value: _is_numpy(value, "iO", 1) and all(map((NOTHING | COUNT).holds, value.tolist())),
)
BOUNDARY = by_name(AllowedValue("a slice of columns", lambda value: type(value) is slice))
