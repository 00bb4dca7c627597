"""Functions that a key leaves out tell when they are called: the key was wrong about them then."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from relet.core.definitions import EXISTS, REST
from relet.core.separation import separable_functions

# The audit event of a call of such a function; its argument is the file that the module was imported from.
LEFT_OUT = "relet.left_out"


@dataclass(frozen=True)
class ToldFunctions:
    """The functions of a module that tell: all that a key may leave out, but for those that it holds.

    `place` is the file that they name.
    """

    place: str
    held: frozenset[str]


def told_functions(module: str, place: str, key: Mapping[str, str]) -> ToldFunctions | None:
    """The functions of a module that tell, by the code of a key; None where it holds the module as it is."""
    if not key.get(module, "").startswith(REST):
        return None
    own = f"{module}:"
    held = (name for name, digest in key.items() if name.startswith(own) and digest != EXISTS)
    return ToldFunctions(place, frozenset(each.removeprefix(own) for each in held))


def telling_tree(source: bytes, told: ToldFunctions) -> ast.Module:
    """The tree of a module in which a call of a function that tells raises an audit event first.

    Lines stay as they are, and so do docstrings.
    """
    tree = ast.parse(source)
    for node in separable_functions(tree):
        if node.name in told.held:
            continue
        first = ast.parse(f"__import__('sys').audit({LEFT_OUT!r}, {told.place!r})").body[0]
        for each in ast.walk(first):
            ast.copy_location(each, node.body[0])
        node.body.insert(1 if ast.get_docstring(node, clean=False) is not None else 0, first)
    return tree
