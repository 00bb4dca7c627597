"""Hyperparameters: their types, their choices, and the groups that a dataclass makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from types import NoneType
from typing import Any

from relet.core.accepted import (
    AcceptedType,
    accepted_words,
    argument_value,
    check_value,
    enum_modules,
    infinite_places,
)
from relet.core.artifact import Module, Source
from relet.errors import SettingError, nearest


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A hyperparameter: keyword-only in the function's signature, or a field of a group (`segregation.method`).

    `types` are the Python types that it accepts, `members` those with what containers hold; `choices` the only
    values, where there are such: those of one that names a `module` are the modules that there are.
    """

    name: str
    annotation: str
    types: tuple[type, ...]
    members: tuple[AcceptedType, ...] = ()
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    source: Source | None = None
    module: Module | None = None

    @property
    def field(self) -> str:
        """The last part of its name: what a group calls it.

        >>> Parameter(name="segregation.method", annotation="str", types=(str,)).field
        'method'
        """
        return self.name.rpartition(".")[2]

    def check(self, value: Any, setting: str, *, finite: bool = True) -> Any:
        """The value as records hold it: a whole number becomes a float where a float is asked for, a tuple a list.

        Raises SettingError with the accepted type and the name of the setting, or of the element that is wrong;
        for NaN, too, and for infinity, unless the default has it. Without `finite` both are taken, as by the
        relet that made an older record.
        """
        checked = check_value(value, self.all_members, setting)
        if finite:
            self._refuse_infinite(checked, setting)
        return checked

    def _refuse_infinite(self, checked: Any, setting: str) -> None:
        may_be_infinite = any(infinite_places(self.default, ""))
        for place, number in infinite_places(checked, setting):
            is_nan = number != number
            if is_nan or not may_be_infinite:
                or_null = ", or null for none" if NoneType in self.types else ""
                who = "" if is_nan else "; a parameter takes inf only where its default is infinite"
                raise SettingError(f"{place} takes a finite number, got {number}: write a number{or_null}{who}")

    def argument(self, value: Any) -> Any:
        """A checked value as the function takes it: a list is a tuple where that is the annotation."""
        return argument_value(value, self.all_members)

    @property
    def all_members(self) -> tuple[AcceptedType, ...]:
        """The members of its annotation; without an annotation, its types and choices."""
        if self.members:
            return self.members
        chosen = (AcceptedType(kind=type(self.choices[0]), choices=self.choices),) if self.choices else ()
        plain = [each for each in self.types if not (self.choices and each is not NoneType)]
        return (*chosen, *(AcceptedType(kind=each) for each in plain))

    @property
    def enum_modules(self) -> tuple[str, ...]:
        """The modules that define the Enum classes of its annotation, those in containers too."""
        return tuple(dict.fromkeys(enum_modules(self.all_members)))

    @property
    def accepted(self) -> str:
        """What it accepts, in words."""
        return accepted_words(self.all_members)


@dataclass(frozen=True, kw_only=True)
class ParameterGroup:
    """A hyperparameter that is a frozen dataclass: each of its fields is a parameter of its own.

    `name` is the parameter's (`segregation`), `module` and `type` are its class's. `own` are the fields that are
    plain values, `nested` those that are groups themselves (`learner.boosted`); all have their full names.
    """

    name: str
    module: str
    type: str
    own: tuple[Parameter, ...] = ()
    nested: tuple[ParameterGroup, ...] = ()

    @property
    def field(self) -> str:
        """The last part of its name: what the group around it calls it."""
        return self.name.rpartition(".")[2]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All its fields, those of groups in it too."""
        return (*self.own, *(each for group in self.nested for each in group.parameters))

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that define its class, and those of the groups in it."""
        return (self.module, *(each for group in self.nested for each in group.modules))

    def placed(self, name: str) -> ParameterGroup:
        """The same as a parameter of another name: `method` of the class becomes `segregation.method`."""
        return replace(
            self,
            name=name,
            own=tuple(replace(each, name=f"{name}.{each.field}") for each in self.own),
            nested=tuple(each.placed(f"{name}.{each.field}") for each in self.nested),
        )

    def with_defaults(self, given: Mapping[str, Any]) -> ParameterGroup:
        """The same with other defaults: `given` are checked values by the parameters' full names."""
        own = [
            replace(each, default=given[each.name], required=False) if each.name in given else each
            for each in self.own
        ]
        return replace(self, own=tuple(own), nested=tuple(each.with_defaults(given) for each in self.nested))

    def arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What its class is called with, but for the groups in it, from checked values by full names."""
        return {each.field: each.argument(values[each.name]) for each in self.own}

    def flat(self, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """A mapping of its fields as parameters by their full names."""
        nested = {each.field: each for each in self.nested}
        for name, value in given.items():
            if name in nested and isinstance(value, Mapping):
                yield from nested[name].flat(value)
            else:
                yield f"{self.name}.{name}", value


@dataclass(frozen=True, kw_only=True)
class ChosenGroup:
    """A group whose class another parameter chooses: each of its choices is a module, which defines one.

    `chosen_by` is the name of that parameter, `options` the group by each of its values.
    """

    name: str
    chosen_by: str
    options: Mapping[str, ParameterGroup] = field(default_factory=dict)


def nearest_parameter(wrong: str, names: Iterable[str]) -> str:
    """Which parameter was probably meant, by its name or by the last part of it; or which there are.

    >>> nearest_parameter("metod", ["size", "segregation.method"])
    'did you mean segregation.method?'
    """
    names = [each for each in names if each != wrong]
    meant = nearest(wrong, names)
    by_field = {name.rpartition(".")[2]: name for name in reversed(names)}
    close = get_close_matches(wrong.rpartition(".")[2], by_field, n=1, cutoff=0.6)
    return f"did you mean {by_field[close[0]]}?" if close and not meant.startswith("did") else meant
