"""A module in parts: its functions, which a key may leave out, and the rest, which runs when it is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from relet.core.imports import imports
from relet.core.naming import bound_by_imports, values_of, words_of, works_out_names
from relet.core.normal_form import nodes_digest, reads_docstrings

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

# How a key calls the digest of a module without the functions that it leaves out: the word stands before it.
REST = "rest "
# What stands before a function's name where the rest of a module has its place.
_PLACE = "="
# A class may say `__f` and mean the module's `_Class__f`; and Python itself asks for names like `__getattr__`.
_NOT_SAID = re.compile(r"_.*__")
_PLAIN_TYPES = frozenset(("bool", "bytes", "dict", "float", "frozenset", "int", "list", "object", "set", "str"))


@dataclass(frozen=True, kw_only=True)
class CodePart:
    """What a part of a module is, and what it leads to.

    `words` are all that it says, by which functions of any module are found. `names_freely` says that it may get
    at a function without saying its name. `values` are the dotted names of imported things that it hands on.
    `imports` are as the function of that name gives them.
    """

    digest: str
    words: Collection[str]
    names_freely: bool
    values: Collection[str]
    imports: Sequence[tuple[str, str | None]]


@dataclass(frozen=True, kw_only=True)
class ModuleParts:
    """A module with functions that a key may leave out.

    `rest` is all but these functions, and what is worked out of their headers at import. `order` holds the digest
    of each statement of it, and where each function stands. `functions` are those that may be left out.
    """

    order: tuple[str, ...]
    rest: CodePart
    functions: dict[str, CodePart]

    def rest_digest(self, held: Collection[str]) -> str:
        """The digest of the rest, with the places of the functions that a key holds: as that key has it."""
        return REST + order_digest(self.order, held)


def order_digest(order: Iterable[str], held: Collection[str]) -> str:
    """SHA-256 of the statements of a module's rest, and of the places of the functions `held`, in hex."""
    kept = (each for each in order if not each.startswith(_PLACE) or each.removeprefix(_PLACE) in held)
    return sha256("\n".join(kept).encode()).hexdigest()


def module_parts(tree: ast.Module, package: str) -> ModuleParts:
    """The parts of a module that stands in `package`."""
    functions = separable_functions(tree)
    bound = bound_by_imports(tree, package)

    def part(nodes: Sequence[ast.AST], said: Sequence[ast.AST], *, using: ast.Module | None = None) -> CodePart:
        statements = [each for each in nodes if isinstance(each, ast.stmt)]
        found = imports(ast.Module(body=statements, type_ignores=[]), package, using=using)
        return CodePart(
            digest=nodes_digest(nodes),
            words=words_of(said),
            names_freely=works_out_names(nodes),
            values=values_of(nodes, bound),
            imports=tuple(dict.fromkeys(found)),
        )

    rest = [each for _, nodes in _rest(tree, functions) for each in nodes]
    return ModuleParts(
        order=tuple(_order(tree, functions)),
        rest=part(rest, [each for each in rest if not _lists_public_names(each)], using=tree),
        functions={name: part(nodes, nodes, using=tree) for name, nodes in functions.items()},
    )


def part_digests(tree: ast.Module, held: Collection[str]) -> dict[str, str]:
    """The digests that a key has of a module of which it holds these functions: "" → that of the rest."""
    functions = separable_functions(tree)
    digests = {name: nodes_digest(nodes) for name, nodes in functions.items() if name in held}
    return {"": REST + order_digest(_order(tree, functions), held), **digests}


def separable_functions(tree: ast.Module) -> dict[str, list[FunctionNode]]:
    """The functions of a module that a key may leave out where nothing says their name: name → its definitions.

    They stand at the top level, and nothing but relet's own decorator gets hold of them. A module that reads
    docstrings is a whole.
    """
    if reads_docstrings(tree):
        return {}
    markers = _markers(tree)
    found: dict[str, list[FunctionNode]] = {}
    for node in tree.body:
        if isinstance(node, FunctionNode) and _is_separable(node, markers):
            found.setdefault(node.name, []).append(node)
    return found


def _is_separable(node: FunctionNode, markers: Collection[str]) -> bool:
    marked = all(isinstance(each, ast.Call) and _said_name(each.func) in markers for each in node.decorator_list)
    return marked and not _NOT_SAID.match(node.name) and not getattr(node, "type_params", None)


def _said_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _markers(tree: ast.Module) -> frozenset[str]:
    """How a module calls relet's decorator of components, where no other meaning of the name is possible."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module, node.level) == ("relet", 0):
            found |= {each.asname or each.name: "" for each in node.names if each.name == "component"}
        elif isinstance(node, ast.Import):
            found |= {each.asname or each.name: ".component" for each in node.names if each.name == "relet"}
    names = list(_bound_names(tree))
    return frozenset(f"{name}{end}" for name, end in found.items() if names.count(name) == 1 and "*" not in names)


def _bound_names(tree: ast.Module) -> Iterator[str]:
    """Every name that code of a module binds, in whatever scope, as often as it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (each.asname or each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            yield node.name or ""


def _order(tree: ast.Module, functions: dict[str, list[FunctionNode]]) -> Iterator[str]:
    for name, nodes in _rest(tree, functions):
        if name:
            yield f"{_PLACE}{name}"
        if nodes:
            yield nodes_digest(nodes)


def _rest(tree: ast.Module, functions: dict[str, list[FunctionNode]]) -> Iterator[tuple[str, Sequence[ast.AST]]]:
    """Each statement of a module: for a function that may be left out its name, and what runs of its header."""
    late = any(isinstance(each, ast.ImportFrom) and _makes_annotations_late(each) for each in tree.body)
    separable = {id(node) for nodes in functions.values() for node in nodes}
    for node in tree.body:
        if isinstance(node, FunctionNode) and id(node) in separable:
            yield node.name, [each for each in _header(node, late) if not _is_inert(each)]
        else:
            yield "", [node]


def _makes_annotations_late(node: ast.ImportFrom) -> bool:
    return node.module == "__future__" and any(each.name == "annotations" for each in node.names)


def _header(node: FunctionNode, late: bool) -> Iterator[ast.expr]:
    """The expressions of a function's header, in which the names of what it takes are not."""
    arguments = node.args
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call):
            yield from (*decorator.args, *(each.value for each in decorator.keywords))
    yield from (each for each in (*arguments.defaults, *arguments.kw_defaults) if each)
    taken = (*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg)
    annotations = (*(each.annotation for each in taken if each), node.returns)
    yield from (each for each in annotations if each and not late)


def _is_inert(node: ast.expr) -> bool:
    """Whether an expression neither does nor reads anything: a plain value, or one of Python's own types."""
    if isinstance(node, ast.Name):
        return node.id in _PLAIN_TYPES
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _lists_public_names(node: ast.AST) -> bool:
    """Whether a statement is `__all__` with plain names: to list a function is not to call it."""
    if not isinstance(node, ast.Assign) or not _is_inert(node.value):
        return False
    return all(isinstance(each, ast.Name) and each.id == "__all__" for each in node.targets)


def parts_as_json(parts: ModuleParts) -> list[Any]:
    """The parts as lists and mappings, for `parts_from_json`."""
    functions = {name: _as_list(part) for name, part in parts.functions.items()}
    return [parts.order, _as_list(parts.rest), functions]


def _as_list(part: CodePart) -> list[Any]:
    return [part.digest, sorted(part.words), part.names_freely, sorted(part.values), part.imports]


def parts_from_json(held: list[Any]) -> ModuleParts:
    """The parts that `parts_as_json` wrote."""
    order, rest, functions = held
    return ModuleParts(
        order=tuple(order),
        rest=_from_list(rest),
        functions={name: _from_list(each) for name, each in functions.items()},
    )


def _from_list(held: list[Any]) -> CodePart:
    digest, words, names_freely, values, found = held
    return CodePart(digest=digest, words=words, names_freely=names_freely, values=values, imports=found)
