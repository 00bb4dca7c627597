"""How the steps of an MLflow project are called: what the program that drives them gives to each parameter."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# What stands for a value that the configuration does not have.
MISSING = "???"


@dataclass(frozen=True, kw_only=True)
class DrivenStep:
    """A call of a step: each parameter's expression, as text, and its value where that is plain."""

    step: str
    expressions: Mapping[str, str]
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Driver:
    """The calls of all steps in order, and the JSON files that are written before: expression → content."""

    calls: tuple[DrivenStep, ...]
    documents: Mapping[str, Any]


def read_driver(folder: Path, parameters: Mapping[str, Iterable[str]]) -> Driver:
    """The calls of steps in the programs of a folder; `parameters` are those of each step.

    A call is one that names the step in a text, and gives parameters by keyword or in a dictionary.
    """
    settings = _settings(folder)
    calls: list[DrivenStep] = []
    documents: dict[str, Any] = {}
    for path in sorted(folder.glob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError, OSError):
            continue
        for node in sorted((each for each in ast.walk(tree) if isinstance(each, ast.Call)), key=_position):
            calls.extend(_driven(node, parameters, settings))
            documents |= _documents(node, settings)
    return Driver(calls=tuple(calls), documents=documents)


def _position(call: ast.Call) -> tuple[int, int]:
    return call.lineno, call.col_offset


def _settings(folder: Path) -> Any:
    for name in ("config.yaml", "conf/config.yaml", "config.yml"):
        try:
            return yaml.safe_load((folder / name).read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError, UnicodeDecodeError):
            continue
    return {}


def _driven(call: ast.Call, parameters: Mapping[str, Iterable[str]], settings: Any) -> Iterator[DrivenStep]:
    words = {
        str(node.value).rstrip("/").rpartition("/")[2]
        for each in call.args
        for node in ast.walk(each)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    given = {each.arg: each.value for each in call.keywords if each.arg}
    if isinstance(inner := given.get("parameters"), ast.Dict):
        keys = [key.value if isinstance(key, ast.Constant) else None for key in inner.keys]
        given = {str(key): value for key, value in zip(keys, inner.values, strict=True) if key is not None}
    for step, names in parameters.items():
        used = {name: given[name] for name in names if name in given}
        if step in words and used:
            values = {name: value for name, node in used.items() if (value := _value(node, settings)) is not None}
            expressions = {name: ast.unparse(node) for name, node in used.items()}
            yield DrivenStep(step=step, expressions=expressions, values=values)


def _value(node: ast.expr, settings: Any) -> Any:
    """The plain value of an expression: a literal, or a setting of the configuration; None for any other."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        found = _setting(node, settings)
        return None if found == MISSING or isinstance(found, dict | list) else found


def _setting(node: ast.expr, settings: Any) -> Any:
    """What the configuration has at `c.etl.rows` or `config["etl"]["rows"]`."""
    keys: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute):
            keys.append(node.attr)
        else:
            keys.append(str(node.slice.value) if isinstance(node.slice, ast.Constant) else "")
        node = node.value
    if not keys or not isinstance(node, ast.Name):
        return None
    for key in reversed(keys):
        settings = settings.get(key) if isinstance(settings, dict) else None
    return settings


def _documents(call: ast.Call, settings: Any) -> dict[str, Any]:
    """The JSON file that a call writes of a part of the configuration."""
    if not (ast.unparse(call.func) == "json.dump" and len(call.args) > 1):
        return {}
    content, target = call.args[0], call.args[1]
    while isinstance(content, ast.Call) and content.args:
        content = content.args[0]
    found = _setting(content, settings)
    is_open = isinstance(target, ast.Call) and ast.unparse(target.func) == "open" and bool(target.args)
    return {ast.unparse(target.args[0]): found} if is_open and found is not None else {}  # type: ignore[attr-defined]
