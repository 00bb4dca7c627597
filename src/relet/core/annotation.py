"""The annotation of a hyperparameter, read from source: what it accepts."""

from __future__ import annotations

import ast
from types import NoneType
from typing import Any

from relet.core.accepted import AcceptedType
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
PLAIN = "int, float, str, bool, None, Literal[…], list[…], tuple[…] and dict[str, …]"


def is_plain(source: ParsedModule, node: ast.expr) -> bool:
    """Whether the members of an annotation are types that a plain value can have, whatever containers hold."""
    return all(_kind_of(source, each) or _is_literal(source, each) for each in annotation_members(source, node))


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
