"""The normal form of a module: its parsed tree without comments, formatting and docstrings.

A change of these is no change, so the digest of a module is that of its normal form, the same on every Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from relet.errors import WiringError

_LEFT_OUT = frozenset(("ctx", "kind", "type_comment", "type_ignores"))
# How the normal form writes `__doc__`: code that has this name may read docstrings, so that they count.
_READS_DOCSTRINGS = "str:'__doc__'"
_DOCUMENTED = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class NestsTooDeepError(SyntaxError):
    """A source that nests deeper than Python's parser, or the normal form, can follow."""


def parse_file(path: Path) -> ast.Module:
    """The tree of a Python file; a syntax error names the file and the line."""
    return parse_source(path.read_bytes(), path)


def parse_source(source: bytes, path: Path) -> ast.Module:
    """The tree of a source; `path` is the file that an error names. Raises WiringError."""
    try:
        return parsed(source)
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        raise WiringError(f"{path}{line}: {error.msg}") from None


def parsed(source: bytes) -> ast.Module:
    """The tree of a source. Raises SyntaxError, also for a null byte, and NestsTooDeepError."""
    try:
        return ast.parse(source)
    except (MemoryError, RecursionError):  # the parser's words for "nests too deep"
        raise NestsTooDeepError("it nests too deep to be parsed") from None
    except ValueError as error:
        raise SyntaxError(str(error)) from None


def normal_form(tree: ast.Module) -> str:
    """The tree as text that is equal for equal code.

    >>> normal_form(ast.parse("x = 1  # one")) == normal_form(ast.parse("x=(1)"))
    True
    >>> normal_form(ast.parse("x = 1")) == normal_form(ast.parse("x = 2"))
    False
    """
    text = _tree_text(tree, keep_docstrings=False)
    return _tree_text(tree, keep_docstrings=True) if _READS_DOCSTRINGS in text else text


def _tree_text(tree: ast.Module, *, keep_docstrings: bool) -> str:
    written: list[str] = []
    _write_node(tree, written, keep_docstrings)
    return "".join(written)


def _write_node(value: object, written: list[str], keep_docstrings: bool) -> None:
    if isinstance(value, ast.AST):
        written.append(f"{type(value).__name__}(")
        for name, child in read_children(value, keep_docstrings=keep_docstrings):
            written.append(f"{name}=")
            _write_node(child, written, keep_docstrings)
        written.append(")")
    elif isinstance(value, list):
        written.append("[")
        for child in value:
            _write_node(child, written, keep_docstrings)
            written.append(",")
        written.append("]")
    else:
        # In ASCII: which other characters repr escapes differs between Pythons.
        written.append(f"{type(value).__name__}:{value!a}")


def read_children(node: ast.AST, *, keep_docstrings: bool = False) -> Iterator[tuple[str, Any]]:
    """What the normal form has of a node: the names of its fields → nodes, lists of them, or plain values."""
    for name in node._fields:
        child = getattr(node, name, None)
        if name in _LEFT_OUT or child is None or child == []:
            continue
        if name == "body" and not keep_docstrings and isinstance(node, _DOCUMENTED):
            child = without_docstring(child)
        elif name == "values" and isinstance(node, ast.JoinedStr):
            child = _merged_strings(child)
        yield name, child


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a module, class or function without its docstring."""
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _merged_strings(values: list[ast.expr]) -> list[ast.expr]:
    """The parts of an f-string with neighbouring text joined: Pythons split the text differently."""
    merged: list[ast.expr] = []
    for value in values:
        if not isinstance(value, ast.Constant):
            merged.append(value)
        elif merged and isinstance(merged[-1], ast.Constant):
            merged[-1] = ast.Constant(f"{merged[-1].value!s}{value.value!s}")
        elif value.value:
            merged.append(value)
    return merged


def tree_digest(tree: ast.Module) -> str:
    """SHA-256 of a tree's normal form, in hex. Raises NestsTooDeepError."""
    try:
        return sha256(normal_form(tree).encode()).hexdigest()
    except RecursionError:
        raise NestsTooDeepError("it nests too deep to be parsed") from None


def nodes_digest(nodes: Iterable[ast.AST]) -> str:
    """SHA-256 of the normal form of some nodes, without docstrings, in hex. Raises NestsTooDeepError."""
    try:
        text = "".join(each for node in nodes for each in _written_node(node))
    except RecursionError:
        raise NestsTooDeepError("it nests too deep to be parsed") from None
    return sha256(text.encode()).hexdigest()


def _written_node(node: ast.AST) -> list[str]:
    written: list[str] = []
    _write_node(node, written, keep_docstrings=False)
    return [*written, ","]


def reads_docstrings(tree: ast.Module) -> bool:
    """Whether code has the name by which docstrings are read, so that they count. Raises NestsTooDeepError."""
    try:
        return _READS_DOCSTRINGS in _tree_text(tree, keep_docstrings=False)
    except RecursionError:
        raise NestsTooDeepError("it nests too deep to be parsed") from None


def source_digest(source: bytes) -> str:
    """SHA-256 of the normal form of a module's source, in hex. Raises SyntaxError, and NestsTooDeepError."""
    return tree_digest(parsed(source))
