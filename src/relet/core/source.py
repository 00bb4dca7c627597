"""A module's source, parsed: what its names stand for, and what its annotations say."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relet.core import artifact
from relet.core.code import FirstPartyCode
from relet.core.imports import imports
from relet.errors import SignatureError, nearest
from relet.names import EXPORTS

# So many re-exports are followed from one module to the next before a class counts as not found.
LONGEST_WAY = 10


@dataclass(frozen=True)
class ParsedModule:
    """A parsed module and what its imported names stand for; `code` is where other modules are found."""

    name: str
    path: Path
    tree: ast.Module
    names: dict[str, str]
    code: FirstPartyCode

    @classmethod
    def read(cls, name: str, path: Path, code: FirstPartyCode) -> ParsedModule:
        return code.once(f"parsed {name} {path}", lambda: cls._parsed(name, path, code))

    @classmethod
    def _parsed(cls, name: str, path: Path, code: FirstPartyCode) -> ParsedModule:
        tree = code.tree(path)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        names: dict[str, str] = {}
        for node in _top_statements(tree.body):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name if alias.asname else alias.name.partition(".")[0]
                    names[alias.asname or top] = top
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    single = ast.Module([ast.ImportFrom(node.module, [alias], node.level)], [])
                    ((module, member),) = list(imports(single, package))[:1]
                    names[alias.asname or alias.name] = f"{module}.{member}" if member else module
        return cls(name, path, tree, names, code)

    def dotted(self, node: ast.expr) -> str:
        """The full name that a name or an attribute stands for, such as `pandas.DataFrame` for `pd.DataFrame`."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self.dotted(node.value)}.{node.attr}"
        return ast.unparse(node)

    def error(self, node: ast.AST, problem: str) -> SignatureError:
        return SignatureError(f"{self.path}, line {getattr(node, 'lineno', '?')}: {problem}")

    def literal(self, node: ast.expr, what: str) -> Any:
        """The value of a literal, or of a name that the module assigns one to at its top level."""
        for given in (node, self.assigned(node)):
            try:
                if given is not None:
                    return ast.literal_eval(given)
            except (ValueError, TypeError, RecursionError):  # TypeError: a list as a name in a mapping
                continue
        raise self.error(node, f"{what} must be a literal, got {ast.unparse(node)}")

    def opened(self, node: ast.expr) -> ast.expr:
        """An annotation, out of the quotes that it may stand in. Raises SignatureError where it is no Python."""
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            return node
        try:
            return ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError) as error:
            raise self.error(node, f"the annotation {node.value!r} is no Python: {error}") from None

    def assigned(self, node: ast.expr) -> ast.expr | None:
        """What the module assigns to a name, where it does so once and at its top level."""
        if not isinstance(node, ast.Name):
            return None
        found = [
            each.value
            for each in self.tree.body
            if isinstance(each, ast.Assign | ast.AnnAssign)
            for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
            if isinstance(target, ast.Name) and target.id == node.id
        ]
        return found[0] if len(found) == 1 else None

    def function(self, name: str) -> ast.FunctionDef:
        functions = {node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)}
        if name not in functions:
            for node in self.tree.body:
                if isinstance(node, ast.AsyncFunctionDef) and node.name == name:
                    raise self.error(
                        node,
                        f"{name} is async, and nothing awaits a component: write def, and asyncio.run(…) in it",
                    )
            raise SignatureError(f"{self.path} defines no function {name!r}: {nearest(name, functions)}")
        return functions[name]

    def class_of(self, node: ast.expr) -> tuple[ParsedModule, ast.ClassDef] | None:
        """The first-party class that a name stands for, and the module that defines it; imports are followed."""
        module, name = self, self.dotted(node)
        for _ in range(LONGEST_WAY):
            home, _, member = name.rpartition(".")
            if home == "relet" and member in EXPORTS:
                home = EXPORTS[member]
            if home and home != module.name:
                path = self.code.find(home)
                if path is None or path.is_dir():
                    return None
                module = ParsedModule.read(home, path, self.code)
            for each in module.tree.body:
                if isinstance(each, ast.ClassDef) and each.name == member:
                    return module, each
            if (following := module.names.get(member)) in (None, name):
                return None
            name = str(following)
        return None


def _top_statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that a module's own names come from, those for type checkers too; no function's."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for part in ("body", "orelse", "finalbody"):
                yield from _top_statements(getattr(statement, part, ()))
            for handler in getattr(statement, "handlers", ()):
                yield from _top_statements(handler.body)


def annotation_members(source: ParsedModule, node: ast.expr) -> Iterator[ast.expr]:
    """The members of a union, quoted annotations opened."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from annotation_members(source, source.opened(node))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from annotation_members(source, node.left)
        yield from annotation_members(source, node.right)
    elif isinstance(node, ast.Subscript) and source.dotted(node.value) == "typing.Optional":
        yield from annotation_members(source, node.slice)
        yield ast.Constant(None)
    else:
        yield node


def says_none(node: ast.expr) -> bool:
    """Whether a member of an annotation is None."""
    return isinstance(node, ast.Constant) and node.value is None


def split_annotation(source: ParsedModule, node: ast.expr | None) -> tuple[ast.expr | None, list[ast.Call]]:
    """An annotation without `Annotated`, and the marks it carried."""
    node = node and source.opened(node)
    if isinstance(node, ast.Subscript) and source.dotted(node.value) == "typing.Annotated":
        if not isinstance(node.slice, ast.Tuple):
            raise source.error(node, f"{ast.unparse(node)} marks nothing; write the type alone")
        inner, *marks = node.slice.elts
        return inner, [mark for mark in marks if isinstance(mark, ast.Call)]
    return node, []


def read_mark(source: ParsedModule, calls: list[ast.Call], name: str) -> Any:
    """A mark such as `Source("generated")`, made; None where the annotation has no such mark.

    Raises SignatureError for a mark that takes other arguments: each of them is text.
    """
    for call in calls:
        if source.dotted(call.func) not in (f"relet.{name}", f"relet.core.artifact.{name}"):
            continue
        arguments = [source.literal(argument, f"{name}(…)") for argument in call.args]
        keywords = {str(k.arg): source.literal(k.value, f"{name}({k.arg}=…)") for k in call.keywords}
        if not all(isinstance(each, str | None) for each in (*arguments, *keywords.values())):
            raise source.error(call, f"{ast.unparse(call)} takes text")
        try:
            return getattr(artifact, name)(*arguments, **keywords)
        except TypeError as error:
            raise source.error(call, f"{ast.unparse(call)}: {str(error).rpartition('__init__() ')[2]}") from None
    return None
