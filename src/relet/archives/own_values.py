"""What the objects of a project's own classes may hold in a model: plain values, and objects that may be loaded.

A class that extends one of scikit-learn's, LightGBM's or relet's is held to what that one may hold.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from inspect import getattr_static
from typing import Any

from relet.archives.allowed import AllowedValue
from relet.archives.functions import FUNCTIONS, NUMBER_TYPES
from relet.archives.own_code import OwnCode, needed_own_code
from relet.archives.stored import StoredObject, StoredType, inner_values
from relet.archives.torch_modules import is_torch_module, wrong_torch_values

# The one attribute of a library's estimator that is no parameter, and that holds the estimator of a user.
_USERS = "_estimator"


def refused_own_values(
    part: StoredObject, table_of: Callable[[str], Mapping[str, AllowedValue]], common: Mapping[str, AllowedValue]
) -> Iterator[str]:
    """Each attribute of an object of a project's class that is not what it may be, in words.

    `table_of` gives what a library's type may hold, and `common` are attributes that every estimator may have.
    """
    own = needed_own_code(part.type)
    kind = own.class_of(part.type)
    if part.arguments is not None:
        yield f"{part.label} is made by a call"
    if is_torch_module(kind):
        if wrong := wrong_torch_values(part, kind) or _wrong_value(part.attributes):
            yield f"{part.label} {wrong}"
        return
    tables = [table for base in kind.__mro__[1:] if (table := table_of(full_name(base)))]
    named = _names_in_source(own, kind) if tables else None
    for name, held in part.attributes.items():
        allowed = next((table[name] for table in tables if name in table), None) or common.get(name)
        if allowed is not None and not allowed.holds(held):
            yield f"{part.label}.{name[:60]} is not what its base may hold: only {allowed.words} is loaded"
        elif allowed is None and (wrong := _wrong_name(kind, name, named) or _wrong_value(held)):
            yield f"{part.label}.{name[:60]} {wrong}"


def full_name(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__name__}"


def library_views(part: StoredObject) -> Iterator[StoredObject]:
    """An object of a project's class as an object of each class that it extends."""
    for base in needed_own_code(part.type).class_of(part.type).__mro__[1:]:
        if not (found := replace(part, type=full_name(base))).is_own:
            yield found


def refused_place(name: str, held: Any) -> bool:
    """Whether an inner attribute of a library's object holds an object of a project's class."""
    return name.startswith("_") and name != _USERS and _holds_own(held)


def _holds_own(value: Any) -> bool:
    if isinstance(value, StoredObject):
        return value.is_own
    return any(map(_holds_own, inner_values(value)))


def _wrong_name(kind: type[Any], name: str, named: set[str] | None) -> str:
    """Why an object may not have an attribute of that name; empty where it may."""
    held = getattr_static(kind, name, None)
    if not name.isidentifier() or name.startswith("__"):
        return "is no attribute that is loaded"
    if hasattr(type(held), "__get__") and not isinstance(held, cached_property):
        return "is a method of its class, which no value replaces"
    if named is not None and name not in named:
        return "is an attribute that neither its class nor the one that it extends names"
    return ""


def _wrong_value(value: Any) -> str:
    if isinstance(value, StoredType):
        known = value.is_own or value.name in FUNCTIONS or value.name in NUMBER_TYPES
        return "" if known else f"is the type {value.name}, which is not loaded as a value"
    if getattr(getattr(value, "dtype", None), "names", None):
        return "is an array of records, which is not loaded"
    return next(filter(None, map(_wrong_value, inner_values(value))), "")


def _names_in_source(own: OwnCode, kind: type[Any]) -> set[str]:
    """All names in the source of a class's module, and of those of the project's classes that it extends."""
    found: set[str] = set()
    for module in {base.__module__ for base in kind.__mro__ if own.holds(base.__module__)}:
        with own.quietly():
            tree = own.code.tree(path) if (path := own.code.find(module)) else ast.Module([], [])
        parts = (getattr(node, each, None) for node in ast.walk(tree) for each in ("attr", "arg", "id", "value"))
        found |= {each for each in parts if isinstance(each, str)}
    return found
