"""Read components from source, without importing it: that is what makes planning fast and safe."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Any

from relet.core import artifact
from relet.core.artifact import ArtifactType, Source, Stored
from relet.core.code import FirstPartyCode, imports
from relet.core.component import MANAGERS, Component, ComponentOptions, Input, Output, Parameter
from relet.errors import SignatureError, nearest

# Every way to spell an artifact's type in a signature → the container that the function gets.
CONTAINERS = {
    "relet.Table": "ibis",
    "relet.data.table.Table": "ibis",
    "ibis.Table": "ibis",
    "ibis.expr.types.Table": "ibis",
    "pandas.DataFrame": "pandas",
    "polars.DataFrame": "polars",
    "pyarrow.Table": "arrow",
    "pyarrow.RecordBatchReader": "reader",
    "relet.RowStream": "rows",
    "relet.data.rows.RowStream": "rows",
    "pathlib.Path": "path",
    "relet.Model": "model",
    "relet.training.model.Model": "model",
    "relet.Metrics": "metrics",
    "relet.core.artifact.Metrics": "metrics",
    "relet.Figure": "figure",
    "relet.core.artifact.Figure": "figure",
    "matplotlib.figure.Figure": "figure",
    "relet.Verdict": "verdict",
    "relet.core.artifact.Verdict": "verdict",
}

TYPES = {
    "ibis": ArtifactType.TABLE,
    "pandas": ArtifactType.TABLE,
    "polars": ArtifactType.TABLE,
    "arrow": ArtifactType.TABLE,
    "reader": ArtifactType.TABLE,
    "rows": ArtifactType.TABLE,
    "path": ArtifactType.FILE,
    "model": ArtifactType.MODEL,
    "metrics": ArtifactType.METRICS,
    "figure": ArtifactType.FIGURE,
    "verdict": ArtifactType.VERDICT,
}

_SCALARS: dict[str, type] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "None": NoneType,
    "dict": dict,
    "list": list,
    "tuple": list,
    "Mapping": dict,
    "Sequence": list,
    "Any": object,
}


@dataclass(frozen=True)
class ParsedModule:
    """A parsed module and what its imported names stand for."""

    name: str
    path: Path
    tree: ast.Module
    names: dict[str, str]

    @classmethod
    def read(cls, name: str, path: Path, code: FirstPartyCode) -> ParsedModule:
        tree = code.tree(path)
        names: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name if alias.asname else alias.name.partition(".")[0]
                    names[alias.asname or top] = top
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    single = ast.Module([ast.ImportFrom(node.module, [alias], node.level)], [])
                    ((module, member),) = list(imports(single, name.rpartition(".")[0]))[:1]
                    names[alias.asname or alias.name] = f"{module}.{member}" if member else module
        return cls(name, path, tree, names)

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
        try:
            return ast.literal_eval(node)
        except ValueError:
            raise self.error(node, f"{what} must be a literal, got {ast.unparse(node)}") from None

    def function(self, name: str) -> ast.FunctionDef:
        functions = {node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)}
        if name not in functions:
            raise SignatureError(f"{self.path} defines no function {name!r}: {nearest(name, functions)}")
        return functions[name]


def read_component(name: str, module: str, path: Path, code: FirstPartyCode) -> Component:
    """The component that the function `name` in a module is.

    Raises SignatureError with file and line for what can't be a contract.
    """
    source = ParsedModule.read(module, path, code)
    function = source.function(name)
    options = _decorator_options(source, function)
    arguments = function.args
    if arguments.vararg or arguments.kwarg:
        raise source.error(function, f"{name} takes *args or **kwargs; name every input and parameter")
    outputs = tuple(_outputs(source, function))
    options["tolerance"] = _tolerance(source, function, options.get("tolerance"), [each.name for each in outputs])
    _check_environment(source, function, options.get("environment"))
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = {argument.arg for argument in positional[len(positional) - len(arguments.defaults) :]}
    return Component(
        name=name,
        module=module,
        path=path,
        description=(ast.get_docstring(function) or "").partition("\n")[0],
        inputs=tuple(_input(source, argument, argument.arg in with_default) for argument in positional),
        parameters=tuple(
            _parameter(source, argument, default, code)
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        ),
        outputs=outputs,
        **options,
    )


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
            return options
    raise source.error(function, f"{function.name} is no component: write @component(job_type=…) above it")


def _members(source: ParsedModule, node: ast.expr) -> Iterator[ast.expr]:
    """The members of a union, quoted annotations opened."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _members(source, ast.parse(node.value, mode="eval").body)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from _members(source, node.left)
        yield from _members(source, node.right)
    elif isinstance(node, ast.Subscript) and source.dotted(node.value) == "typing.Optional":
        yield from _members(source, node.slice)
        yield ast.Constant(None)
    else:
        yield node


def _split_annotation(source: ParsedModule, node: ast.expr | None) -> tuple[ast.expr | None, list[ast.Call]]:
    """An annotation without `Annotated`, and the marks it carried."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = ast.parse(node.value, mode="eval").body
    if isinstance(node, ast.Subscript) and source.dotted(node.value) == "typing.Annotated":
        if not isinstance(node.slice, ast.Tuple):
            raise source.error(node, f"{ast.unparse(node)} marks nothing; write the type alone")
        inner, *marks = node.slice.elts
        return inner, [mark for mark in marks if isinstance(mark, ast.Call)]
    return node, []


def _mark_arguments(source: ParsedModule, calls: list[ast.Call], name: str) -> dict[str, Any] | None:
    for call in calls:
        if source.dotted(call.func) in (f"relet.{name}", f"relet.core.artifact.{name}"):
            arguments = [source.literal(argument, f"{name}(…)") for argument in call.args]
            keywords = {str(k.arg): source.literal(k.value, f"{name}({k.arg}=…)") for k in call.keywords}
            return {"args": arguments, "kwargs": keywords}
    return None


def _input(source: ParsedModule, argument: ast.arg, has_default: bool) -> Input:
    inner, marks = _split_annotation(source, argument.annotation)
    if inner is None:
        raise source.error(argument, f"the input {argument.arg} has no annotation; it says which container")
    members = list(_members(source, inner))
    optional = has_default or any(isinstance(m, ast.Constant) and m.value is None for m in members)
    named = [source.dotted(m) for m in members if not (isinstance(m, ast.Constant) and m.value is None)]
    if len(named) != 1 or named[0] not in CONTAINERS:
        known = "Table, pd.DataFrame, pl.DataFrame, pa.Table, pa.RecordBatchReader, RowStream, Path, "
        known += "Model, Metrics, Figure, Verdict"
        raise source.error(
            argument,
            f"the input {argument.arg} is annotated {ast.unparse(inner)}; an artifact is one of {known} "
            "(hyperparameters come after the *)",
        )
    stored = _mark_arguments(source, marks, "Stored")
    return Input(
        name=argument.arg,
        container=CONTAINERS[named[0]],
        stored=Stored(*stored["args"], **stored["kwargs"]) if stored else None,
        optional=optional,
    )


def _parameter(
    source: ParsedModule, argument: ast.arg, default: ast.expr | None, code: FirstPartyCode
) -> Parameter:
    inner, marks = _split_annotation(source, argument.annotation)
    if inner is None:
        raise source.error(argument, f"the parameter {argument.arg} has no annotation")
    mark, package = _mark_arguments(source, marks, "Source"), _mark_arguments(source, marks, "Module")
    types: list[type] = []
    choices: list[Any] = []
    for member in _members(source, inner):
        if isinstance(member, ast.Subscript) and source.dotted(member.value) == "typing.Literal":
            values = source.literal(member.slice, "Literal[…]")
            choices.extend(values if isinstance(values, tuple) else [values])
            types.extend(dict.fromkeys(type(choice) for choice in choices))
            continue
        types.append(_scalar(source, argument, member))
    module = artifact.Module(*package["args"], **package["kwargs"]) if package else None
    if module:
        choices.extend(_modules(source, argument, module.package, code))
    parameter = Parameter(
        name=argument.arg,
        annotation=ast.unparse(inner),
        types=tuple(types),
        default=source.literal(default, f"the default of {argument.arg}") if default else None,
        required=default is None,
        choices=tuple(choices),
        source=Source(*mark["args"]) if mark else None,
        module=module,
    )
    return parameter if default is None else _with_checked_default(source, argument, parameter)


def _modules(source: ParsedModule, argument: ast.arg, package: str, code: FirstPartyCode) -> list[str]:
    """The modules of a first-party package, by their own names; those that start with _ are no one's choice."""
    folder = code.find(package)
    if folder is not None and folder.name == "__init__.py":
        folder = folder.parent
    found = sorted(folder.iterdir()) if folder is not None and folder.is_dir() else []
    names = [path.stem for path in found if path.suffix == ".py" or (path / "__init__.py").is_file()]
    if known := [name for name in names if not name.startswith("_")]:
        return known
    raise source.error(argument, f"the parameter {argument.arg} names a module of {package}, which holds none")


def _with_checked_default(source: ParsedModule, argument: ast.arg, parameter: Parameter) -> Parameter:
    from dataclasses import replace

    from relet.errors import SettingError

    try:
        return replace(parameter, default=parameter.check(parameter.default, "its default"))
    except SettingError as error:
        raise source.error(argument, f"the parameter {parameter.name}: {error}") from None


def _scalar(source: ParsedModule, argument: ast.arg, node: ast.expr) -> type:
    if isinstance(node, ast.Constant) and node.value is None:
        return NoneType
    base = node.value if isinstance(node, ast.Subscript) else node
    name = source.dotted(base).rpartition(".")[2]
    if name not in _SCALARS:
        raise source.error(
            argument,
            f"the parameter {argument.arg} is annotated {ast.unparse(node)}; a hyperparameter is one of "
            "int, float, str, bool, None, Literal[…], list[…] and dict[str, …]",
        )
    return _SCALARS[name]


def _outputs(source: ParsedModule, function: ast.FunctionDef) -> Iterator[Output]:
    annotation = function.returns
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    if annotation is None:
        raise source.error(function, f"{function.name} has no return annotation; it names the outputs")
    if isinstance(annotation, ast.Constant) and annotation.value is None:
        return
    if source.dotted(annotation) in CONTAINERS:
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


def _fields(source: ParsedModule, node: ast.ClassDef) -> Iterator[Output]:
    if not any(source.dotted(base) == "typing.NamedTuple" for base in node.bases):
        raise source.error(node, f"{node.name} must be a NamedTuple")
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            container = source.dotted(statement.annotation)
            if container not in CONTAINERS:
                raise source.error(
                    statement,
                    f"{statement.target.id}: {ast.unparse(statement.annotation)} is no artifact type",
                )
            yield Output(name=statement.target.id, type=TYPES[CONTAINERS[container]])
