"""Read components from source, without importing it: that is what makes planning fast and safe."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from relet.core.artifact import Reference, Stored
from relet.core.artifact_types import DRAWN, KNOWN, KNOWN_FIGURES, annotated_artifact
from relet.core.code import FirstPartyCode
from relet.core.component import MANAGERS, Component, ComponentOptions, Input, Output
from relet.core.groups import read_parameter, with_options
from relet.core.parameter import ChosenGroup, Parameter, ParameterGroup
from relet.core.source import ParsedModule, annotation_members, read_mark, says_none, split_annotation
from relet.errors import NotFoundError, SignatureError, nearest


def read_component(name: str, module: str, path: Path, code: FirstPartyCode) -> Component:
    """The component that the function `name` in a module is.

    Raises SignatureError with file and line for what can't be a contract.
    """
    source = ParsedModule.read(module, path, code)
    function = source.function(name)
    options = _decorator_options(source, function)
    _refuse_generator(source, function)
    arguments = function.args
    if arguments.vararg or arguments.kwarg:
        raise source.error(function, f"{name} takes *args or **kwargs; name every input and parameter")
    outputs = tuple(_outputs(source, function))
    options["tolerance"] = _tolerance(source, function, options.get("tolerance"), [each.name for each in outputs])
    _check_environment(source, function, options.get("environment"))
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    defaults = {argument.arg: each for argument, each in zip(with_default, arguments.defaults, strict=True)}
    return Component(
        name=name,
        module=module,
        path=path,
        description=(ast.get_docstring(function) or "").partition("\n")[0],
        inputs=tuple(_input(source, argument, defaults.get(argument.arg)) for argument in positional),
        **_hyperparameters(source, function),
        outputs=outputs,
        **options,
    )


def _refuse_generator(source: ParsedModule, function: ast.FunctionDef) -> None:
    """Raise SignatureError for a function that yields; one that it defines inside may."""
    inside: list[ast.AST] = list(function.body)
    while inside:
        node = inside.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            raise source.error(
                node,
                f"{function.name} is a generator, and a component returns all its artifacts at once: write return "
                "(rows that come piece by piece are a relet.RowStream)",
            )
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            inside += ast.iter_child_nodes(node)


def _hyperparameters(source: ParsedModule, function: ast.FunctionDef) -> dict[str, Any]:
    """What comes after the `*`: flat parameters, groups that hold some of them, and groups that one chooses."""
    arguments = function.args
    parameters: list[Parameter] = []
    groups: list[ParameterGroup] = []
    chosen: list[ChosenGroup] = []
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found = read_parameter(source, argument.arg, argument.annotation, default, argument)
        if isinstance(found, ChosenGroup):
            chosen.append(found)
        elif isinstance(found, ParameterGroup):
            groups.append(found)
            parameters += found.parameters
        else:
            parameters.append(found)
    options = tuple(with_options(source, each, parameters, function) for each in chosen)
    return {"parameters": tuple(parameters), "groups": tuple(groups), "chosen_groups": options}


def _tolerance(
    source: ParsedModule, function: ast.FunctionDef, given: Any, outputs: list[str]
) -> dict[str, float]:
    """The tolerance of each output that has one, from a number for all or a mapping."""
    if given is None:
        return {}
    wanted = given if isinstance(given, dict) else dict.fromkeys(outputs, given)
    for name, value in wanted.items():
        if name not in outputs:
            raise source.error(
                function, f"tolerance= names {name!r}, which is no output: {nearest(str(name), outputs)}"
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise source.error(function, f"tolerance= of {name} must be a number from 0 up, got {value!r}")
    return {name: float(value) for name, value in wanted.items()}


def _check_environment(source: ParsedModule, function: ast.FunctionDef, given: Any) -> None:
    if given is None:
        return
    manager = given.partition(":")[0] if isinstance(given, str) else str(given)
    if manager not in MANAGERS:
        raise source.error(function, f"environment= got {given!r}: {nearest(manager, MANAGERS)}")


def _decorator_options(source: ParsedModule, function: ast.FunctionDef) -> dict[str, Any]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and source.dotted(decorator.func) in (
            "relet.component",
            "relet.core.component.component",
        ):
            options = {str(k.arg): source.literal(k.value, f"{k.arg}=") for k in decorator.keywords}
            known = [each.name for each in fields(ComponentOptions)]
            for option in options:
                if option not in known:
                    raise source.error(decorator, f"@component has no {option}=: {nearest(option, known)}")
            if not isinstance(options.get("job_type"), str):
                raise source.error(decorator, "@component needs job_type=, the kind of component, as text")
            for option in ("resources", "judges"):
                names = options.get(option, ())
                if not (isinstance(names, tuple | list) and all(isinstance(each, str) for each in names)):
                    raise source.error(decorator, f"{option}= takes a tuple of names, got {names!r}")
                options[option] = tuple(names)
            return options
    raise source.error(function, f"{function.name} is no component: write @component(job_type=…) above it")


def _input(source: ParsedModule, argument: ast.arg, default: ast.expr | None) -> Input:
    inner, marks = split_annotation(source, argument.annotation)
    if inner is None:
        raise source.error(argument, f"the input {argument.arg} has no annotation; it says which container")
    found = annotated_artifact(source, inner)
    if found is None:
        raise _no_artifact(source, argument, inner)
    stored = _stored_version(source, argument, marks)
    # An absent input is None. Any other default belongs to a hyperparameter, which comes after the *.
    nullable = any(map(says_none, (*annotation_members(source, inner), *([default] if default else ()))))
    return Input(
        name=argument.arg,
        container=found.container,
        document=found.document,
        stored=stored,
        optional=nullable or (default is not None and stored is not None),
    )


def _stored_version(source: ParsedModule, argument: ast.arg, marks: list[ast.Call]) -> Stored | None:
    stored: Stored | None = read_mark(source, marks, "Stored")
    if stored is None:
        return None
    try:
        Reference.parse(stored.reference or "")
    except NotFoundError as error:
        raise source.error(argument, f"the input {argument.arg}: {error}") from None
    return stored


def _no_artifact(source: ParsedModule, argument: ast.arg, annotation: ast.expr) -> SignatureError:
    """The error for an input whose annotation names no artifact."""
    said = f"the input {argument.arg} is annotated {ast.unparse(annotation)}"
    if any(source.dotted(each) in DRAWN for each in annotation_members(source, annotation)):
        return source.error(
            argument, f"{said}; a stored figure is a drawing, which no library reads back: write relet.Figure"
        )
    return source.error(argument, f"{said}; an artifact is one of {KNOWN} (hyperparameters come after the *)")


def _outputs(source: ParsedModule, function: ast.FunctionDef) -> Iterator[Output]:
    annotation = function.returns
    annotation = annotation and source.opened(annotation)
    if annotation is None:
        raise source.error(function, f"{function.name} has no return annotation; it names the outputs")
    if says_none(annotation):
        return
    artifact = annotated_artifact(source, annotation, is_output=True)
    if artifact is not None and not _is_class_here(source, annotation):
        raise source.error(
            function,
            f"{function.name} returns {ast.unparse(annotation)}, which names no artifact; "
            "return a NamedTuple, whose fields are the artifacts' names",
        )
    for node in source.tree.body:
        if isinstance(node, ast.ClassDef) and node.name == ast.unparse(annotation):
            yield from _fields(source, node)
            return
    raise source.error(function, f"{ast.unparse(annotation)} must be a NamedTuple in the same module")


def _is_class_here(source: ParsedModule, annotation: ast.expr) -> bool:
    names = [node.name for node in source.tree.body if isinstance(node, ast.ClassDef)]
    return ast.unparse(annotation) in names


def _fields(source: ParsedModule, node: ast.ClassDef) -> Iterator[Output]:
    if not any(source.dotted(base) == "typing.NamedTuple" for base in node.bases):
        raise source.error(node, f"{node.name} must be a NamedTuple")
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            shown = ast.unparse(statement.annotation)
            found = annotated_artifact(source, statement.annotation, is_output=True)
            if found is None or any(map(says_none, annotation_members(source, statement.annotation))):
                raise source.error(
                    statement,
                    f"{statement.target.id}: {shown} is no artifact type; an output is one of {KNOWN}, "
                    f"or {KNOWN_FIGURES}",
                )
            yield Output(name=statement.target.id, type=found.type, document=found.document)
