"""The arguments that a script takes: those of its argparse, or the words of `sys.argv` that it uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# What `type=` names → the annotation of a hyperparameter. Any other type is given as text.
TYPES = {"int": "int", "float": "float", "str": "str"}


@dataclass(frozen=True, kw_only=True)
class ScriptArgument:
    """An argument of a script: `option` as it is written on a command line, "" for one by its position.

    `kind` is int, float, str or bool; `is_list` where it takes several values. A flag is a bool: it is given where
    the value is `flag`. `default` is None where there is none.
    """

    name: str
    option: str
    kind: str = "str"
    default: Any = None
    required: bool = False
    is_list: bool = False
    flag: bool | None = None
    choices: tuple[Any, ...] = ()
    help: str = ""


def script_arguments(tree: ast.Module) -> tuple[ScriptArgument, ...]:
    """Each argument that the source adds by its name, in order; those of subcommands, too.

    Where it adds none, the words of `sys.argv` that it takes by their position, if these are the first ones.
    """
    found: dict[str, ScriptArgument] = {}
    for call in _calls_in_order(tree):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument":
            for each in _argument(call):
                found.setdefault(each.name, each)
    return tuple(found.values()) or _positional_words(tree)


def word_position(node: ast.expr) -> int:
    """The place of a word that is taken from `sys.argv`; 0 for any other expression."""
    if not isinstance(node, ast.Subscript) or ast.unparse(node.value) not in ("sys.argv", "argv"):
        return 0
    return node.slice.value if isinstance(node.slice, ast.Constant) and type(node.slice.value) is int else 0


def _positional_words(tree: ast.Module) -> tuple[ScriptArgument, ...]:
    """The words of `sys.argv` as arguments, each with the name of the variable that it is assigned to."""
    nodes = list(ast.walk(tree))
    asking = (node for node in nodes if isinstance(node, ast.If) and "argv" in ast.unparse(node.test))
    at_times = {id(each) for node in asking for each in ast.walk(node)}
    found: dict[int, ScriptArgument] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            place, argument = _positional_word(
                node.targets[0].id, node.value, is_required=id(node) not in at_times
            )
            found.setdefault(place, argument)
    found.pop(0, None)
    used = {word_position(node) for node in nodes if isinstance(node, ast.expr)} - {0}
    has_all = sorted(found) == list(range(1, len(found) + 1)) and used <= found.keys()
    return tuple(found[place] for place in sorted(found)) if has_all else ()


def _positional_word(name: str, value: ast.expr, *, is_required: bool) -> tuple[int, ScriptArgument]:
    """The place of the word that is assigned to a variable, 0 where none is; and its argument."""
    default, function = None, None
    if isinstance(value, ast.IfExp):
        default, value, is_required = _literal(value.orelse), value.body, False
    if isinstance(value, ast.Call) and len(value.args) == 1:
        function, value = value.func, value.args[0]
    kind = _kind(function, default)
    return word_position(value), ScriptArgument(
        name=identifier(name), option="", kind=kind, default=default, required=is_required
    )


def _calls_in_order(tree: ast.AST) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sorted(calls, key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0))


def _argument(call: ast.Call) -> Iterator[ScriptArgument]:
    names = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    given = {each.arg: each.value for each in call.keywords if each.arg}
    action = _literal(given.get("action"))
    if not names or action in ("help", "version", "count", "append_const", "store_const"):
        return
    long = next((each for each in names if each.startswith("--")), names[0])
    name = identifier(str(_literal(given.get("dest")) or long))
    flag = {"store_true": True, "store_false": False}.get(str(action))
    default = _literal(given.get("default"))
    takes_list = _literal(given.get("nargs")) in ("+", "*") or isinstance(_literal(given.get("nargs")), int)
    yield ScriptArgument(
        name=name,
        option=long if long.startswith("-") else "",
        kind="bool" if flag is not None else _kind(given.get("type"), default),
        default=(not flag) if flag is not None else default,
        required=bool(_literal(given.get("required"))) or (not long.startswith("-") and "nargs" not in given),
        is_list=takes_list or action == "append",
        flag=flag,
        choices=tuple(_literal(given.get("choices")) or ()),
        help=" ".join(str(_literal(given.get("help")) or "").split()),
    )


def identifier(text: str) -> str:
    """A name that code can use.

    >>> identifier("--learning-rate"), identifier("2019 data")
    ('learning_rate', 'n_2019_data')
    """
    plain = re.sub(r"\W+", "_", text.strip("-").lower(), flags=re.ASCII).strip("_") or "value"
    return f"n_{plain}" if plain[0].isdigit() else plain


def _kind(node: ast.expr | None, default: Any) -> str:
    if isinstance(node, ast.Name) and node.id in TYPES:
        return TYPES[node.id]
    several = default[0] if isinstance(default, list) and default else default
    return type(several).__name__ if node is None and type(several) in (int, float) else "str"


def _literal(node: ast.expr | None) -> Any:
    """The value of a literal; None for anything that would have to be run."""
    try:
        return ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
