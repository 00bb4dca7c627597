"""Dataclasses as JSON documents: a field's annotation says what its text was."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, time
from enum import Enum
from pathlib import PurePath
from typing import Any

from relet.data.documents import ADVICE, document_value, json_text, kind_words, plain_value
from relet.errors import BadDataError


def dataclass_text(value: Any) -> str:
    """An instance of a dataclass as a document's text, from which `dataclass_value` makes an equal one.

    Its fields hold what a document holds, dataclasses, tuples, dates, times, paths and members of an Enum, each as
    its annotation says. Raises BadDataError, with the field, for what would come back as something else.
    """
    text = json_text(_plain_dataclass(value, "", 0))
    again = dataclass_value(document_value(text), type(value))
    for place in _differing_places(value, again, ""):
        raise BadDataError(
            f"{place} does not come back as it is, by its annotation; a field of {type(value).__qualname__} says "
            "what it holds, such as tuple[int, ...], date or another dataclass"
        )
    return text


def dataclass_value(plain: Any, kind: type) -> Any:
    """An instance of a dataclass from a document's value.

    Raises BadDataError, with the place, for what does not fit the class.
    """
    return _instance_of(kind, plain, kind.__name__)


def _plain_other(value: Any, place: str, depth: int) -> Any:
    """What is no JSON, as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain_dataclass(value, place, depth)
    if isinstance(value, Enum):
        return plain_value(value.value, f"{place}.value", depth + 1)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, PurePath):
        return plain_value(str(value), place, depth)
    raise BadDataError(
        f"{place} is {kind_words(value)}: {ADVICE}, and a dataclass holds dataclasses, dates, times, paths and "
        "members of an Enum as well"
    )


def _plain_dataclass(value: Any, place: str, depth: int) -> dict[str, Any]:
    return {
        each.name: plain_value(getattr(value, each.name), f"{place}.{each.name}", depth + 1, other=_plain_other)
        for each in fields(value)
        if each.init
    }


def _instance_of(kind: type, plain: Any, place: str) -> Any:
    if not isinstance(plain, Mapping):
        raise BadDataError(f"{place} is a mapping of the fields of {kind.__name__}, got {kind_words(plain)}")
    known = {each.name for each in fields(kind) if each.init}
    if unknown := sorted(plain.keys() - known):
        raise BadDataError(f"{place} has {', '.join(unknown)}, which {kind.__name__} has no field for")
    try:
        hints = typing.get_type_hints(kind)
        held = {name: _typed_value(hints[name], each, f"{place}.{name}") for name, each in plain.items()}
        return kind(**held)
    except BadDataError:
        raise
    except Exception as error:  # whatever the class says to these fields
        raise BadDataError(f"{place} can't be made a {kind.__name__}: {type(error).__name__}: {error}") from error


def _typed_value(hint: Any, plain: Any, place: str) -> Any:
    """A value of a document as an annotation says; as it is where the annotation says nothing more."""
    origin, held = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _member_value(held, plain, place)
    if origin in (typing.Annotated, typing.Final, typing.Required, typing.NotRequired):
        return _typed_value(held[0], plain, place)
    if isinstance(plain, list):
        return _typed_list(origin or hint, held, plain, place)
    if isinstance(plain, dict) and held and isinstance(origin, type) and issubclass(origin, Mapping):
        return {name: _typed_value(held[-1], each, f"{place}[{name!r}]") for name, each in plain.items()}
    return _typed_scalar(hint, plain, place) if isinstance(hint, type) else plain


def _typed_list(kind: Any, held: tuple[Any, ...], plain: list[Any], place: str) -> Any:
    """A list, or the tuple that an annotation says."""
    is_tuple = kind is tuple
    if not is_tuple and not (isinstance(kind, type) and issubclass(kind, Sequence)):
        return plain
    repeated = not is_tuple or (len(held) == 2 and held[1] is Ellipsis)
    hints = [held[0]] * len(plain) if held and repeated else [*held, *[Any] * len(plain)]
    found = [_typed_value(hints[n], each, f"{place}[{n}]") for n, each in enumerate(plain)]
    return tuple(found) if is_tuple else found


def _typed_scalar(kind: type, plain: Any, place: str) -> Any:
    if is_dataclass(kind):
        return _instance_of(kind, plain, place)
    try:
        if issubclass(kind, Enum):
            return kind(plain)
        if issubclass(kind, date | time) and isinstance(plain, str):
            return kind.fromisoformat(plain)
        if issubclass(kind, PurePath) and isinstance(plain, str):
            return kind(plain)
    except ValueError as error:
        raise BadDataError(f"{place} is no {kind.__name__}: {error}") from error
    return plain


def _member_value(members: Sequence[Any], plain: Any, place: str) -> Any:
    """A value as the first member of a union that makes something of it; else as it is."""
    if plain is None and type(None) in members:
        return None
    refused: BadDataError | None = None
    for member in members:
        try:
            found = _typed_value(member, plain, place)
        except BadDataError as error:
            refused = refused or error
            continue
        if found is not plain or not isinstance(plain, str | dict) or member in (str, dict, Any):
            return found
    if refused is not None and isinstance(plain, dict):
        raise refused
    return plain


def _differing_places(value: Any, again: Any, place: str) -> typing.Iterator[str]:
    """The places where two values differ, of which the second was made from a document."""
    if is_dataclass(value) and type(value) is type(again):
        for each in fields(value):
            one, other = getattr(value, each.name), getattr(again, each.name, None)
            yield from _differing_places(one, other, f"{place}.{each.name}")
    elif isinstance(value, list | tuple) and type(value) is type(again) and len(value) == len(again):
        for number, (one, other) in enumerate(zip(value, again, strict=True)):
            yield from _differing_places(one, other, f"{place}[{number}]")
    elif isinstance(value, Mapping) and isinstance(again, Mapping) and value.keys() == again.keys():
        for name in value:
            yield from _differing_places(value[name], again[name], f"{place}[{name!r}]")
    elif value != again or (isinstance(value, Enum | PurePath | date | time) and type(value) is not type(again)):
        yield place
