"""A module in parts: the definitions that a key may leave out, and the rest, which runs when it is imported."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from relet.core.imports import imports
from relet.core.naming import STAR, bound_by_imports, values_of, words_of, works_out_names
from relet.core.normal_form import nodes_digest, reads_docstrings
from relet.core.separation import SeparatedStatement, is_plain_value, names_of_module, separated

# How a key calls the digest of a module without the definitions that can be left out: the word stands before it.
REST = "rest "
# What a key says of a definition that is imported and not used: it is there, whatever its body is.
EXISTS = "exists"
# What stands before a definition's name where the rest of a module has its place.
_PLACE = "="
# The order of a module of which nothing can be left out.
_WHOLE = ("whole",)


@dataclass(frozen=True, kw_only=True)
class CodePart:
    """What a part of a module is, and what it leads to.

    `words` are all that it says, by which definitions of any module are found. `names_freely` says that it may
    get at one without saying its name. `values` are the dotted names of imported things that it hands on.
    `imports` are as the function of that name gives them.
    """

    digest: str
    words: Collection[str]
    names_freely: bool
    values: Collection[str]
    imports: Sequence[tuple[str, str | None]]


@dataclass(frozen=True, kw_only=True)
class ModuleParts:
    """A module with definitions that a key may leave out.

    `rest` is all but these, and what is worked out of their headers at import. `order` holds the digest of each
    statement of it, and where each definition stands. `definitions` are those that may be left out. `bound` are
    names that its imports bind, with what each may stand for; those of an import of all names are `stars`.
    """

    order: tuple[str, ...]
    rest: CodePart
    definitions: dict[str, CodePart]
    bound: Collection[tuple[str, str]]

    @property
    def is_whole(self) -> bool:
        """Whether the module counts as it is: it reads docstrings."""
        return self.order == _WHOLE

    @property
    def stars(self) -> list[str]:
        """The modules of which it imports all names."""
        return [full.removesuffix(f".{STAR}") for name, full in self.bound if name == STAR]

    def rest_digest(self, held: Collection[str]) -> str:
        """The digest of the rest, with the places of the definitions that a key holds: as that key has it."""
        return REST + order_digest(self.order, held)


def order_digest(order: Iterable[str], held: Collection[str]) -> str:
    """SHA-256 of the statements of a module's rest, and of the places of the definitions `held`, in hex."""
    kept = (each for each in order if not each.startswith(_PLACE) or each.removeprefix(_PLACE) in held)
    return sha256("\n".join(kept).encode()).hexdigest()


def module_parts(tree: ast.Module, package: str) -> ModuleParts:
    """The parts of a module that stands in `package`."""
    bound = bound_by_imports(tree, package)
    outer = frozenset(names_of_module(tree))

    def part(nodes: Sequence[ast.AST], said: Sequence[ast.AST]) -> CodePart:
        statements = [each for each in nodes if isinstance(each, ast.stmt)]
        found = imports(ast.Module(body=statements, type_ignores=[]), package, using=tree)
        return CodePart(
            digest=nodes_digest(nodes),
            words=words_of(said),
            names_freely=works_out_names(nodes, outer),
            values=values_of(nodes, bound),
            imports=tuple(dict.fromkeys(found)),
        )

    items = list(separated(tree))
    rest = [each for item in items for each in item.at_import]
    return ModuleParts(
        order=_WHOLE if reads_docstrings(tree) else tuple(_order(items)),
        rest=part(rest, [each for each in rest if not _lists_public_names(each)]),
        definitions={name: part(nodes, nodes) for name, nodes in _by_name(items).items()},
        bound=[(name, full) for name, fulls in sorted(bound.items()) for full in sorted(fulls)],
    )


def part_digests(tree: ast.Module, held: Collection[str]) -> dict[str, str]:
    """The digests that a key has of a module of which it holds these definitions: "" → that of the rest."""
    items = list(separated(tree))
    digests = {name: nodes_digest(nodes) for name, nodes in _by_name(items).items() if name in held}
    return {"": REST + order_digest(_order(items), held), **digests}


def _by_name(items: Iterable[SeparatedStatement]) -> dict[str, list[ast.stmt]]:
    found: dict[str, list[ast.stmt]] = {}
    for item in items:
        if item.name:
            found.setdefault(item.name, []).append(item.node)
    return found


def _order(items: Sequence[SeparatedStatement]) -> Iterator[str]:
    listed = {name for item in items if _lists_public_names(item.node) for name in _listed_names(item.node)}
    for item in items:
        if item.name in listed:
            # whoever imports all names asks for it
            yield f"{EXISTS} {item.name}"
        if item.name:
            yield f"{_PLACE}{item.name}"
        if item.at_import:
            yield nodes_digest(item.at_import)


def _listed_names(node: ast.AST) -> Iterator[str]:
    values = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
    yield from (each for each in values if isinstance(each, str))


def _lists_public_names(node: ast.AST) -> bool:
    """Whether a statement is `__all__` with plain names: to list a function is not to call it."""
    if not isinstance(node, ast.Assign) or not is_plain_value(node.value):
        return False
    return all(isinstance(each, ast.Name) and each.id == "__all__" for each in node.targets)


def parts_as_json(parts: ModuleParts) -> list[Any]:
    """The parts as lists and mappings, for `parts_from_json`."""
    definitions = {name: _as_list(part) for name, part in parts.definitions.items()}
    return [parts.order, _as_list(parts.rest), definitions, parts.bound]


def _as_list(part: CodePart) -> list[Any]:
    return [part.digest, sorted(part.words), part.names_freely, sorted(part.values), part.imports]


def parts_from_json(held: list[Any]) -> ModuleParts:
    """The parts that `parts_as_json` wrote."""
    order, rest, definitions, bound = held
    return ModuleParts(
        order=tuple(order),
        rest=_from_list(rest),
        definitions={name: _from_list(each) for name, each in definitions.items()},
        bound=[(name, full) for name, full in bound],
    )


def _from_list(held: list[Any]) -> CodePart:
    digest, words, names_freely, values, found = held
    return CodePart(digest=digest, words=words, names_freely=names_freely, values=values, imports=found)
