"""What a hyperparameter accepts: the types of its annotation, those inside of containers too.

Records hold plain values: dates, paths and the members of an Enum are text there, or what an Enum has for a value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path, PurePath
from types import NoneType
from typing import Any

from relet.core.wording import shorten
from relet.errors import SettingError, nearest

_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    NoneType: "null",
    dict: "a mapping",
    list: "a list",
    tuple: "a list",
}
_CONSTANTS = {"true": True, "false": False, "null": None}
# So many letters of a wrong value an error shows.
_SHOWN = 200
# The types that are text in records: what makes the value of the text, and what an error calls it.
FORMS: Mapping[str, Callable[[str], Any]] = {
    "datetime.date": date.fromisoformat,
    "datetime.datetime": datetime.fromisoformat,
    "pathlib.Path": Path,
    "pathlib.PurePath": PurePath,
}
_FORM_WORDS = {
    "datetime.date": "a date such as 2026-01-31",
    "datetime.datetime": "a time such as 2026-01-31T12:00:00",
    "pathlib.Path": "a path",
    "pathlib.PurePath": "a path",
}


@dataclass(frozen=True, kw_only=True)
class InterpolatedText:
    """Text that an interpolation gave, such as `${oc.env:PORT}`: it is read as the type that is asked for."""

    text: str
    interpolation: str

    def __repr__(self) -> str:
        return f"{self.text!r} (from {self.interpolation})"

    @property
    def read(self) -> str | int | float | bool | None:
        """The number, true, false or null that the text is; the text itself where it is none.

        >>> [InterpolatedText(text=each, interpolation="").read for each in ("07", "1e-3", "True", "null", "0x10")]
        [7, 0.001, True, None, '0x10']
        """
        return value_in_text(self.text)


def value_in_text(text: str) -> str | int | float | bool | None:
    """The number, true, false or null that a text is; the text itself where it is none.

    Infinity and NaN may have YAML's dot before them.
    """
    found = text.strip().lower()
    if found in _CONSTANTS:
        return _CONSTANTS[found]
    found = re.sub(r"^([+-]?)\.(?=inf$|nan$)", r"\1", found)
    if found.isascii():
        for number in (int, float):
            with suppress(ValueError):
                return number(found)
    return text


def plain_value(value: Any) -> Any:
    """A value in which text that interpolations gave, at any depth, is text."""
    if isinstance(value, InterpolatedText):
        return value.text
    if isinstance(value, Mapping):
        return {name: plain_value(each) for name, each in value.items()}
    return [plain_value(each) for each in value] if isinstance(value, list) else value


@dataclass(frozen=True, kw_only=True)
class AcceptedType:
    """One member of an annotation: `int`, `list[float]`, `Literal["auto"]`.

    `kind` is the Python type, `object` for any. `choices` are the values of a Literal. `elements` say what a
    container holds, each as the members of a union; without them it holds anything. A list has one for all its
    elements, a mapping one for its values, a tuple one for each place, or one for all where it is `repeated`.
    `form` is one of `FORMS` for text that stands for a date or a path. `enum` is the class of which `choices` are
    the values, as `module:Class`, or the names of the members, as `module:Class[]`.
    """

    kind: type
    choices: tuple[Any, ...] = ()
    elements: tuple[tuple[AcceptedType, ...], ...] | None = None
    repeated: bool = False
    form: str = ""
    enum: str = ""

    def check(self, value: Any, setting: str, *, exactly: bool = False) -> Any:
        """The value as records hold it; with `exactly`, no whole number becomes a float.

        Raises SettingError for a value of another type, with the place in the container that is wrong.
        """
        if self.form:
            with suppress(TypeError, ValueError):
                return _form_text(self.form, value)
        elif self.choices:
            if any(type(each) is type(value) and each == value for each in self.choices):
                return value
        elif self.kind is float and isinstance(value, int) and not isinstance(value, bool) and not exactly:
            with suppress(OverflowError):
                return float(value)
        elif self.is_kind_of(value):
            return self._check_elements(value, setting, exactly)
        raise refused_value(value, (self,), setting)

    def is_kind_of(self, value: Any) -> bool:
        """Whether a value is of the type, whatever it holds. True is no number."""
        if self.kind is dict:
            return isinstance(value, Mapping)
        if self.kind is tuple:
            return isinstance(value, list)
        return isinstance(value, self.kind) and (self.kind in (bool, object) or not isinstance(value, bool))

    def argument(self, value: Any) -> Any:
        """A checked value as the function takes it; the module of an Enum has to be importable."""
        if self.form:
            return FORMS[self.form](value)
        if self.enum:
            return _enum_member(self.enum, value)
        if self.elements is None or not isinstance(value, list | Mapping):
            return tuple(value) if self.kind is tuple else value
        if isinstance(value, Mapping):
            return {name: argument_value(each, self.elements[0]) for name, each in value.items()}
        pairs = zip(value, self._places(len(value)), strict=True)
        found = [argument_value(each, accepted) for each, accepted in pairs]
        return tuple(found) if self.kind is tuple else found

    def _places(self, count: int) -> Sequence[tuple[AcceptedType, ...]]:
        """What each of so many elements may be."""
        elements = self.elements or ()
        return elements * count if self.kind is list or self.repeated else elements

    def _check_elements(self, value: Any, setting: str, exactly: bool) -> Any:
        if self.elements is None:
            check_names_are_text(value, setting)
            return plain_value(value)
        if isinstance(value, Mapping):
            _check_mapping_names(value, setting)
            (accepted,) = self.elements
            return {
                name: check_value(each, accepted, f"{setting}.{name}", exactly=exactly)
                for name, each in value.items()
            }
        places = self._places(len(value))
        if len(places) != len(value):
            raise SettingError(f"{setting} takes a list of {len(places)}, got {len(value)}: {value!r}")
        return [
            check_value(each, accepted, f"{setting}[{number}]", exactly=exactly)
            for number, (each, accepted) in enumerate(zip(value, places, strict=True))
        ]


def _form_text(form: str, value: Any) -> str:
    """The text of a date or a path as records hold it. Raises ValueError or TypeError for what is none."""
    if form.startswith("datetime"):
        if isinstance(value, date) and isinstance(value, datetime) is (form == "datetime.datetime"):
            value = value.isoformat()
        return str(FORMS[form](value).isoformat())
    if not isinstance(value, str | PurePath) or not str(value):
        raise TypeError
    return str(value)


def _enum_member(enum: str, value: Any) -> Any:
    module, _, name = enum.removesuffix("[]").partition(":")
    members = getattr(import_module(module), name)
    return members[value] if enum.endswith("[]") else members(value)


def check_value(value: Any, accepted: Sequence[AcceptedType], setting: str, *, exactly: bool = False) -> Any:
    """A value as records hold it, by the first type that takes it as it is, else by the first that takes it.

    A tuple becomes a list, and a whole number a float where only a float is asked for. Raises SettingError with
    what is accepted, and the place in a container that is wrong.

    Text that an interpolation gave is text where that is accepted, and else what the text can be read as.
    """
    if isinstance(value, InterpolatedText):
        for read in (value.text, value.read):
            with suppress(SettingError):
                return check_value(read, accepted, setting, exactly=exactly)
        raise refused_value(value, accepted, setting)
    if isinstance(value, tuple):
        value = list(value)
    for exact in (True, False)[: 1 if exactly else 2]:
        for each in accepted:
            with suppress(SettingError):
                return each.check(value, setting, exactly=exact)
    for each in accepted:
        if not each.choices and isinstance(value, list | Mapping) and each.is_kind_of(value):
            each.check(value, setting)  # says which element is wrong
    raise refused_value(value, accepted, setting)


def argument_value(value: Any, accepted: Sequence[AcceptedType]) -> Any:
    """A checked value as the function takes it: what the annotation says is a tuple is one, at any depth.

    Where both a list and a tuple are accepted, it stays a list. Text becomes the date, the path or the member of
    an Enum that the first of the types which take it says.
    """
    for each in sorted(accepted, key=lambda each: each.kind is tuple):
        with suppress(SettingError):
            each.check(value, "", exactly=True)
            return each.argument(value)
    return value


def enum_modules(accepted: Sequence[AcceptedType]) -> Iterator[str]:
    """The modules of all Enum classes that a value may be a member of, or hold members of."""
    for each in accepted:
        if each.enum:
            yield each.enum.partition(":")[0]
        for elements in each.elements or ():
            yield from enum_modules(elements)


def only_choices(accepted: Sequence[AcceptedType]) -> tuple[Any, ...]:
    """The only values that are accepted, but for null; none where a type is accepted as well."""
    if not all(each.choices or each.kind is NoneType for each in accepted):
        return ()
    return tuple(choice for each in accepted for choice in each.choices)


def accepted_words(accepted: Sequence[AcceptedType]) -> str:
    """What is accepted, as an error says it.

    >>> accepted_words((AcceptedType(kind=str, choices=("auto",)), AcceptedType(kind=int)))
    "'auto' or a whole number"
    """
    return " or ".join(dict.fromkeys(word for each in accepted for word in _words_of(each)))


def _words_of(accepted: AcceptedType) -> Iterator[str]:
    if accepted.form:
        yield _FORM_WORDS[accepted.form]
    elif accepted.choices:
        yield from map(repr, accepted.choices)
    else:
        yield _WORDS.get(accepted.kind, f"a {accepted.kind.__name__}")


def refused_value(value: Any, accepted: Sequence[AcceptedType], setting: str) -> SettingError:
    """The error for a value that nothing of what is accepted takes."""
    choices = [choice for each in accepted for choice in each.choices]
    names = [str(each) for each in choices]
    shown = _shown_value(value)
    written = str(plain_value(value)) if choices else ""
    close = get_close_matches(written, names, n=1, cutoff=0.6)
    if only_choices(accepted) and written not in names:
        return SettingError(f"{setting} got {shown}: {nearest(written, names)}")
    hint = f": did you mean {close[0]}?" if close and close[0] != written else ""
    if not hint and isinstance(value, int | float) and AcceptedType(kind=str) in accepted:
        hint = f"""; text that looks like this is quoted: '{setting}="…"' in a command, "…" in a file"""
    return SettingError(f"{setting} takes {accepted_words(accepted)}, got {shown}{hint}")


def _shown_value(value: Any) -> str:
    try:
        return shorten(repr(value), _SHOWN)
    except ValueError:  # of so many digits that Python writes none
        return "a number of thousands of digits"


def infinite_places(value: Any, setting: str) -> Iterator[tuple[str, float]]:
    """Each number in a value that is not finite, with its place.

    >>> list(infinite_places({"a": [1.0, math.inf]}, "limits"))
    [('limits.a[1]', inf)]
    """
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from infinite_places(each, f"{setting}.{name}")
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from infinite_places(each, f"{setting}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield setting, value


def check_names_are_text(value: Any, setting: str) -> None:
    """Raise SettingError for a name that JSON would turn into text: a key could not tell 1 from "1"."""
    if isinstance(value, Mapping):
        _check_mapping_names(value, setting)
        for name, each in value.items():
            check_names_are_text(each, f"{setting}.{name}")
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            check_names_are_text(each, f"{setting}[{number}]")


def _check_mapping_names(mapping: Mapping[Any, Any], setting: str) -> None:
    for name in mapping:
        if not isinstance(name, str):
            raise SettingError(f"{setting} takes names that are text, got {name!r}; write it in quotes")
