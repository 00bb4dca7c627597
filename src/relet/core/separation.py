"""Which definitions of a module can be taken out of it: making them at import does nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from relet.core.normal_form import reads_docstrings, without_docstring

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_WORD = re.compile(r"\w+")
# A class may say `__f` and mean the module's `_Class__f`; and Python itself asks for names like `__getattr__`.
_NOT_SAID = re.compile(r"_.*__")
_PLAIN_TYPES = frozenset(
    ("None", "bool", "bytes", "dict", "float", "frozenset", "int", "list", "object", "set", "str", "tuple", "type")
)
# Packages whose types do nothing when an annotation names them. Fixed: keys are the same on every Python.
_STEADY = frozenset(
    _WORD.findall(
        """collections dataclasses datetime decimal enum fractions ibis io numpy os pandas pathlib polars
        pyarrow relet types typing typing_extensions uuid"""
    )
)
_MARKS = frozenset(("relet.ChosenBy", "relet.Module", "relet.Source", "relet.Stored"))
_COMPONENT = "relet.component"
_NAMED_TUPLE = "typing.NamedTuple"


@dataclass(frozen=True)
class SeparatedStatement:
    """A statement of a module. One that can be taken out has its `name`; `at_import` is what stays of it then."""

    node: ast.stmt
    name: str
    at_import: tuple[ast.AST, ...]


def separated(tree: ast.Module) -> Iterator[SeparatedStatement]:
    """Each statement of a module's top level.

    Functions can be taken out that no decorator but relet's own gets hold of, and named tuples without methods.
    What their headers work out at import stays, unless it does nothing. Of a module that reads docstrings nothing
    can be taken out.
    """
    is_whole = reads_docstrings(tree)
    late = any(isinstance(each, ast.ImportFrom) and _makes_annotations_late(each) for each in tree.body)
    unsteady = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    bound: dict[str, str] = {}
    for node in tree.body if is_whole else without_docstring(tree.body):
        known = {name: full for name, full in bound.items() if name not in unsteady}
        if not is_whole and _is_separable_function(node, known):
            yield SeparatedStatement(node, node.name, tuple(_at_import(node, known, late)))
        elif not is_whole and _is_plain_tuple(node, known, late):
            yield SeparatedStatement(node, node.name, ())
        else:
            yield SeparatedStatement(node, "", (node,))
        bound = _bound_after(node, bound)


def _makes_annotations_late(node: ast.ImportFrom) -> bool:
    return node.module == "__future__" and any(each.name == "annotations" for each in node.names)


def _is_separable_function(node: ast.stmt, known: Mapping[str, str]) -> TypeGuard[FunctionNode]:
    if not isinstance(node, FunctionNode) or _NOT_SAID.match(node.name) or getattr(node, "type_params", None):
        return False
    return all(
        isinstance(each, ast.Call) and _full_name(each.func, known) == _COMPONENT for each in node.decorator_list
    )


def _is_plain_tuple(node: ast.stmt, known: Mapping[str, str], late: bool) -> TypeGuard[ast.ClassDef]:
    """Whether a statement is a named tuple of fields alone, with nothing in it that does something at import."""
    if not isinstance(node, ast.ClassDef) or _NOT_SAID.match(node.name) or getattr(node, "type_params", None):
        return False
    bases = [_full_name(each, known) for each in node.bases]
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
    has_default = [each.value is not None for each in fields]
    return (
        bases == [_NAMED_TUPLE]
        # what is no named tuple raises an error at import
        and all(isinstance(each.target, ast.Name) and not each.target.id.startswith("_") for each in fields)
        and has_default == sorted(has_default)
        and not (node.keywords or node.decorator_list)
        and all(_is_plain_field(each, known, late) for each in node.body)
    )


def _is_plain_field(node: ast.stmt, known: Mapping[str, str], late: bool) -> bool:
    if isinstance(node, ast.AnnAssign):
        value = node.value is None or _does_nothing(node.value, known)
        return value and (late or _does_nothing(node.annotation, known))
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _at_import(node: FunctionNode, known: Mapping[str, str], late: bool) -> Iterator[ast.expr]:
    """What a function's header works out at import, and that may do something."""
    arguments = node.args
    worked_out: list[ast.expr | None] = [*arguments.defaults, *arguments.kw_defaults]
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call):
            worked_out += [*decorator.args, *(each.value for each in decorator.keywords)]
    taken = (*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg)
    annotations = [*(each.annotation for each in taken if each), node.returns]
    for each in (*worked_out, *(() if late else annotations)):
        if each and not _does_nothing(each, known):
            yield each


def _does_nothing(node: ast.expr, known: Mapping[str, str]) -> bool:
    """Whether working an expression out only reads names that are there: it is a plain value, or a type."""
    if isinstance(node, ast.Name):
        return node.id in known or node.id in _PLAIN_TYPES
    if isinstance(node, ast.Attribute):
        return _is_steady(node, known)
    if isinstance(node, ast.Subscript):
        return _is_steady(node.value, known) and _does_nothing(node.slice, known)
    if isinstance(node, ast.Tuple | ast.List):
        return all(_does_nothing(each, known) for each in node.elts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _does_nothing(node.left, known) and _does_nothing(node.right, known)
    if isinstance(node, ast.Call) and _full_name(node.func, known) in _MARKS:
        return all(map(is_plain_value, (*node.args, *(each.value for each in node.keywords))))
    return is_plain_value(node)


def _is_steady(node: ast.expr, known: Mapping[str, str]) -> bool:
    full = _full_name(node, known)
    return full in _PLAIN_TYPES or full.partition(".")[0] in _STEADY


def _full_name(node: ast.expr, known: Mapping[str, str]) -> str:
    """The dotted name that a name or an attribute stands for by the imports above; "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    root = known.get(node.id, node.id if node.id in _PLAIN_TYPES else "")
    return ".".join((root, *reversed(parts))) if root else ""


def is_plain_value(node: ast.expr) -> bool:
    """Whether an expression is a value written out."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _bound_after(node: ast.stmt, bound: Mapping[str, str]) -> dict[str, str]:
    """The names that are bound after a statement → the dotted name that an import gave them, "" for what is else.

    What a statement binds that may not run, or not to its end, is not known to be there.
    """
    names = dict(_imported_names(node))
    if "*" in names:
        return {}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {**bound, **names}
    found = set(_bound_names(node))
    kept = {name: full for name, full in bound.items() if name not in found}
    if isinstance(node, FunctionNode | ast.ClassDef):
        return {**kept, node.name: ""}
    is_given = isinstance(node, ast.Assign) or (isinstance(node, ast.AnnAssign) and node.value is not None)
    return {**kept, **dict.fromkeys(found, "")} if is_given else kept


def _imported_names(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
    elif isinstance(node, ast.ImportFrom):
        module = "" if node.level else node.module
        yield from ((each.asname or each.name, f"{module}.{each.name}" if module else "") for each in node.names)


def _bound_names(node: ast.AST) -> Iterator[str]:
    """Every name that a statement binds or deletes, in whatever scope: names of inner scopes are no loss."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load):
            yield each.id
        elif isinstance(each, ast.Import | ast.ImportFrom):
            yield from dict(_imported_names(each))
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield each.name
        elif isinstance(each, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            yield each.name or ""


def names_of_module(tree: ast.Module) -> Iterator[str]:
    """The names that a module binds outside of its functions and classes, and those that any import binds."""
    for node in tree.body:
        if isinstance(node, FunctionNode | ast.ClassDef):
            yield node.name
        else:
            yield from _bound_names(node)
    for each in ast.walk(tree):
        yield from dict(_imported_names(each))
        yield from each.names if isinstance(each, ast.Global) else ()


def separable_functions(tree: ast.Module) -> list[FunctionNode]:
    """The functions of a module that can be taken out of it."""
    return [each.node for each in separated(tree) if each.name and isinstance(each.node, FunctionNode)]
