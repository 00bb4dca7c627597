"""The annotation of a hyperparameter, read from source: what it accepts."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path, PurePath
from types import NoneType
from typing import Any

from relet.core.accepted import FORMS, AcceptedType, check_value
from relet.core.source import ParsedModule, annotation_members, split_annotation

_KINDS: dict[str, type] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "None": NoneType,
    "dict": dict,
    "list": list,
    "tuple": tuple,
    "Mapping": dict,
    "Sequence": list,
    "Any": object,
}
PLAIN = (
    "int, float, str, bool, None, date, datetime, Path, an Enum of this project, Literal[…], list[…], tuple[…] "
    "and dict[str, …]"
)
_MAKERS: dict[str, Callable[..., Any]] = {
    "datetime.date": date,
    "datetime.datetime": datetime,
    "pathlib.Path": Path,
    "pathlib.PurePath": PurePath,
}
_INFINITE = ("math.inf", "numpy.inf")
# The classes that an Enum of the project has for a base.
_ENUMS = ("enum.Enum", "enum.StrEnum", "enum.IntEnum")


def is_plain(source: ParsedModule, node: ast.expr) -> bool:
    """Whether the members of an annotation are types that a plain value can have, whatever containers hold."""
    return all(
        _kind_of(source, each)
        or _is_literal(source, each)
        or source.dotted(each) in FORMS
        or enum_members(source, each)
        for each in annotation_members(source, node)
    )


def accepted_types(source: ParsedModule, name: str, node: ast.expr, at: ast.AST) -> tuple[AcceptedType, ...]:
    """What a parameter of this annotation accepts, the elements of containers too.

    Raises SignatureError with file and line for what no file of settings can hold: a group in a list, a mapping
    whose names are no text.
    """
    inner, _ = split_annotation(source, node)
    found: list[AcceptedType] = []
    for member in annotation_members(source, inner or node):
        if isinstance(member, ast.Subscript) and _is_literal(source, member):
            found += _literal_types(source.literal(member.slice, "Literal[…]"))
        elif (form := source.dotted(member)) in FORMS:
            found.append(AcceptedType(kind=str, form=form))
        elif members := enum_members(source, member):
            found += _enum_types(*members)
        elif kind := _kind_of(source, member):
            found.append(_accepted_type(source, name, member, kind, at))
        else:
            raise _unknown_element(source, name, member, at)
    return tuple(found)


def _kind_of(source: ParsedModule, node: ast.expr) -> type | None:
    if isinstance(node, ast.Constant) and node.value is None:
        return NoneType
    base = node.value if isinstance(node, ast.Subscript) else node
    return _KINDS.get(source.dotted(base).rpartition(".")[2])


def _is_literal(source: ParsedModule, node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and source.dotted(node.value) == "typing.Literal"


def _literal_types(values: Any) -> list[AcceptedType]:
    """A Literal's values, one type each."""
    choices = values if isinstance(values, tuple) else (values,)
    kinds = dict.fromkeys(type(each) for each in choices)
    return [
        AcceptedType(kind=kind, choices=tuple(each for each in choices if type(each) is kind)) for kind in kinds
    ]


def enum_members(source: ParsedModule, node: ast.expr) -> tuple[str, dict[str, Any]] | None:
    """The Enum of the project that a name stands for, as `module:Class`, and its members: name → value.

    Where the value of a member is no plain literal, the names stand for all values: then it is `module:Class[]`.
    None for any other class.
    """
    found = source.class_of(node) if isinstance(node, ast.Name | ast.Attribute) else None
    if found is None or not any(found[0].dotted(base) in _ENUMS for base in found[1].bases):
        return None
    home, defined = found
    assigned = {
        target.id: each.value
        for each in defined.body
        if isinstance(each, ast.Assign)
        for target in each.targets
        if isinstance(target, ast.Name) and not target.id.startswith("_")
    }
    values = {name: node.value for name, node in assigned.items() if isinstance(node, ast.Constant)}
    plain = all(isinstance(each, str | int | float) for each in values.values())
    full = f"{home.name}:{defined.name}"
    if plain and len(values) == len(assigned):
        return full, values
    return f"{full}[]", {name: name for name in assigned}


def _enum_types(enum: str, members: dict[str, Any]) -> list[AcceptedType]:
    """A type for the values of each kind that an Enum has."""
    kinds = dict.fromkeys(type(each) for each in members.values())
    return [
        AcceptedType(kind=kind, enum=enum, choices=tuple(each for each in members.values() if type(each) is kind))
        for kind in kinds
    ]


def default_literal(source: ParsedModule, node: ast.expr, what: str) -> Any:
    """The value of a default as records hold it: a literal, infinity, a member of an Enum, a date or a Path.

    Raises SignatureError for anything else, as `ParsedModule.literal` does.
    """
    if isinstance(node, ast.Tuple | ast.List):
        return [default_literal(source, each, what) for each in node.elts]
    if isinstance(node, ast.Attribute) and (found := enum_members(source, node.value)) and node.attr in found[1]:
        return found[1][node.attr]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and _is_infinity(source, node.operand):
        return -math.inf
    if _is_infinity(source, node):
        return math.inf
    form = source.dotted(node.func) if isinstance(node, ast.Call) else ""
    if not isinstance(node, ast.Call) or form not in _MAKERS:
        return source.literal(node, what)
    given = [source.literal(each, what) for each in node.args]
    named = {str(each.arg): source.literal(each.value, what) for each in node.keywords}
    try:
        return check_value(_MAKERS[form](*given, **named), (AcceptedType(kind=str, form=form),), what)
    except (TypeError, ValueError) as error:
        raise source.error(node, f"{what} is {ast.unparse(node)}: {error}") from None


def _is_infinity(source: ParsedModule, node: ast.expr) -> bool:
    """Whether it is `math.inf` or `float("inf")`."""
    if isinstance(node, ast.Call) and source.dotted(node.func) == "float":
        return bool(node.args) and getattr(node.args[0], "value", None) in ("inf", "Infinity", "infinity")
    return source.dotted(node) in _INFINITE


def _accepted_type(source: ParsedModule, name: str, node: ast.expr, kind: type, at: ast.AST) -> AcceptedType:
    if not isinstance(node, ast.Subscript):
        return AcceptedType(kind=kind)
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    repeated = kind is tuple and len(parts) == 2 and _is_ellipsis(parts[1])
    wanted = 2 if kind is dict else 1 if kind is list else len(parts) if kind is tuple else 0
    if len(parts) != wanted:
        raise source.error(at, f"the parameter {name} holds {ast.unparse(node)}, which is no type")
    if kind is dict:
        _check_names(source, name, node, parts[0], at)
    held = parts[1:] if kind is dict else parts[:1] if repeated else parts
    elements = tuple(accepted_types(source, name, each, at) for each in held)
    return AcceptedType(kind=kind, elements=elements, repeated=repeated)


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis


def _check_names(source: ParsedModule, name: str, node: ast.Subscript, names: ast.expr, at: ast.AST) -> None:
    kinds = {each.kind for each in accepted_types(source, name, names, at)}
    if not kinds <= {str, object}:
        raise source.error(
            at,
            f"the parameter {name} holds {ast.unparse(node)}, but the names of a mapping are text: "
            f"write dict[str, …]",
        )


def _unknown_element(source: ParsedModule, name: str, node: ast.expr, at: ast.AST) -> Exception:
    shown = ast.unparse(node)
    is_class = isinstance(node, ast.Name | ast.Attribute) and source.class_of(node)
    advice = (
        f"a group can't stand in a list, a tuple or a mapping, where its fields have no settings of their own: "
        f"give each {shown} a parameter, or take plain mappings (dict[str, …])"
        if is_class
        else f"a container holds {PLAIN}"
    )
    return source.error(at, f"the parameter {name} holds {shown}; {advice}")
