"""What a module imports, read from its tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator


def imports(
    tree: ast.Module, package: str, *, using: ast.Module | None = None
) -> Iterator[tuple[str, str | None]]:
    """(module, member) for each import in a tree; `import a.b` has no member.

    What is imported for type checkers alone is left out: it never runs. `using` is where the attributes of relet
    are looked for, if that is more than the tree.

    >>> list(imports(ast.parse("import a.b; from .c import d"), "p"))
    [('a.b', None), ('p.c', 'd')]
    """
    for node in _statements(tree.body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
                if alias.name == "relet":
                    yield from (("relet", name) for name in _attributes(using or tree, alias.asname or "relet"))
        elif isinstance(node, ast.ImportFrom):
            module = absolute_module(node, package)
            for alias in node.names:
                yield module, None if alias.name == "*" else alias.name


def imported_at_once(tree: ast.Module) -> Iterator[str]:
    """The absolute imports at the top level of a module."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement that may run, however deeply nested; imports are among them."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If) and _is_type_checking(statement.test):
            yield from _statements(statement.orelse)
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, name, ()))
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _statements(part.body)


def _is_type_checking(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


def _attributes(tree: ast.Module, name: str) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }


def absolute_module(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    base = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)
