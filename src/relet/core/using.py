"""A component used under other names: its step, and the artifacts that it takes and makes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from relet.core.artifact import NAME, Stored
from relet.core.component import Component
from relet.core.source import ParsedModule
from relet.errors import WiringError, nearest


def under_names(component: Component, step: str | None, names: Mapping[str, str]) -> Component:
    """The component with another name of its step, and other names of its artifacts: in the signature → here.

    Raises WiringError for a name that the signature does not have, that can't be an artifact's or a step's, and
    for two artifacts that get one name.
    """
    call = f"{component.function_name}.using(…)"
    name = component.name if step is None else step
    if not (isinstance(name, str) and name.isidentifier()):
        raise WiringError(f"{call} names its step {name!r}; a step's name is a Python name, such as 'train_b'")
    known = list(dict.fromkeys(_artifact_names(component)))
    for old, new in names.items():
        if old not in known:
            raise WiringError(
                f"{call} renames {old!r}, which {component.name} neither takes nor makes: {nearest(old, known)}"
            )
        if not (isinstance(new, str) and NAME.fullmatch(new)):
            raise WiringError(
                f"{call} names {old} {new!r}; an artifact's name has small letters, digits and _: '{old}_b'"
            )
    renamed = {old: new for old, new in names.items() if old != new}
    _refuse_one_name_for_two(call, known, renamed)
    return _renamed(component, name, renamed)


def _artifact_names(component: Component) -> Iterator[str]:
    """The names of all artifacts that a signature says: inputs, outputs, and those of stored versions."""
    for each in component.inputs:
        yield each.name
        if each.stored:
            yield each.stored.reference.partition(":")[0]
            if each.stored.initially:
                yield each.stored.initially
    yield from (each.name for each in component.outputs)


def _refuse_one_name_for_two(call: str, known: list[str], renamed: Mapping[str, str]) -> None:
    taken: dict[str, str] = {}
    for old in known:
        new = renamed.get(old, old)
        if new in taken:
            raise WiringError(f"{call} calls both {taken[new]} and {old} {new}; give each a name of its own")
        taken[new] = old


def _renamed(component: Component, name: str, renamed: Mapping[str, str]) -> Component:
    def stored(given: Stored | None) -> Stored | None:
        if given is None:
            return None
        artifact, colon, selector = given.reference.partition(":")
        initially = given.initially and renamed.get(given.initially, given.initially)
        return Stored(f"{renamed.get(artifact, artifact)}{colon}{selector}", initially)

    def here(old: str) -> str:
        return renamed.get(old, old)

    return replace(
        component,
        name=name,
        function=component.function_name,
        renamed=renamed,
        inputs=tuple(replace(each, name=here(each.name), stored=stored(each.stored)) for each in component.inputs),
        outputs=tuple(replace(each, name=here(each.name)) for each in component.outputs),
        judges=tuple(map(here, component.judges)),
        tolerance={here(old): value for old, value in component.tolerance.items()},
    )


def used_component(module: ParsedModule, node: ast.expr) -> tuple[ast.expr, ast.Call | None]:
    """The component that an element of a pipeline names, and the call of `using` where it has one.

    A name may be one that the module assigns such a call to, once and at its top level.
    """
    found = module.assigned(node) or node
    if isinstance(found, ast.Call) and isinstance(found.func, ast.Attribute) and found.func.attr == "using":
        return found.func.value, found
    return node, None


def names_of_use(module: ParsedModule, call: ast.Call) -> tuple[str | None, dict[str, Any]]:
    """The arguments of a call of `using`: the name of the step, and those of artifacts.

    Raises SignatureError, with the line, for what is not written out.
    """
    shown = f"{ast.unparse(call.func)}(…)"
    if len(call.args) > 1 or any(isinstance(each, ast.Starred) for each in call.args):
        raise module.error(call, f"{shown} takes one name without =, its step's; write the others as old='new'")
    names: dict[str, Any] = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            raise module.error(
                call, f"{shown} takes names that are written out, got **{ast.unparse(keyword.value)}"
            )
        names[keyword.arg] = module.literal(keyword.value, f"{shown}, {keyword.arg}=")
    step = module.literal(call.args[0], f"{shown}, the name of the step,") if call.args else None
    return step, names
