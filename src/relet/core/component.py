"""A component is a function; its signature is its whole contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar

from relet.core.artifact import ArtifactType, Module, Source, Stored
from relet.errors import SettingError, nearest

Function = TypeVar("Function", bound=Callable[..., Any])

# What can make a component an environment of its own, as MLflow names them.
MANAGERS = ("uv", "virtualenv", "conda", "docker")

# What a parameter of each kind may be given as, and what it becomes.
_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    NoneType: "null",
    dict: "a mapping",
    list: "a list",
}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A hyperparameter: keyword-only in the function's signature.

    `types` are the Python types that it accepts; `choices` the only values, where there are such: those of one
    that names a `module` are the modules that there are.
    """

    name: str
    annotation: str
    types: tuple[type, ...]
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    source: Source | None = None
    module: Module | None = None

    def check(self, value: Any, setting: str) -> Any:
        """The value as the function takes it; a whole number becomes a float where a float is asked for.

        Raises SettingError with the accepted type and the name of the setting.
        """
        if self.choices and value not in self.choices and not (value is None and NoneType in self.types):
            known = [str(choice) for choice in self.choices]
            raise SettingError(f"{setting} got {value!r}: {nearest(str(value), known)}")
        if float in self.types and isinstance(value, int) and not isinstance(value, bool):
            if int not in self.types:
                return float(value)
        elif not any(_is_of_type(value, type_) for type_ in self.types):
            raise SettingError(f"{setting} takes {self.accepted}, got {value!r}")
        return value

    @property
    def accepted(self) -> str:
        return " or ".join(_WORDS.get(type_, f"a {type_.__name__}") for type_ in self.types)


def _is_of_type(value: Any, type_: type) -> bool:
    if type_ is dict:
        return isinstance(value, Mapping)
    return isinstance(value, type_) and (type_ is bool or not isinstance(value, bool) or type_ is object)


@dataclass(frozen=True, kw_only=True)
class Input:
    """An artifact that the function takes, and the container it takes it in.

    `container` is one of ibis, pandas, polars, arrow, reader, rows, path, model, metrics, figure and verdict.
    """

    name: str
    container: str
    stored: Stored | None = None
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Output:
    """An artifact that the function makes."""

    name: str
    type: ArtifactType


@dataclass(frozen=True, kw_only=True)
class Component:
    """One step of a pipeline, as its signature and its decorator describe it.

    `module` is the module that defines the function, `path` its file; `resources` are files and folders that it
    reads beside its inputs, relative to the pipeline's folder; `judges` are the inputs and outputs that its
    verdict gates; `tolerance` is by how much each output's numbers may differ when it is reproduced (none: not at
    all); `environment` is what makes it an environment of its own: a manager, or `manager:lock`.
    """

    name: str
    module: str
    path: Path
    job_type: str
    description: str = ""
    inputs: tuple[Input, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    outputs: tuple[Output, ...] = ()
    resources: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    tolerance: Mapping[str, float] = field(default_factory=dict)
    environment: str | None = None

    @property
    def defaults(self) -> dict[str, Any]:
        return {parameter.name: parameter.default for parameter in self.parameters if not parameter.required}

    @property
    def gates(self) -> bool:
        """Whether a verdict of this component decides what else may run."""
        return bool(self.verdicts)

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The names of the outputs that are verdicts."""
        return tuple(output.name for output in self.outputs if output.type is ArtifactType.VERDICT)

    def parameter(self, name: str) -> Parameter:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = [parameter.name for parameter in self.parameters]
        raise SettingError(f"{self.name} has no parameter {name!r}: {nearest(name, known)}")

    def check(self, values: Mapping[str, Any], *, names: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Every parameter with its checked value, defaults filled in; `names` gives each parameter's setting."""
        names = names or {}
        for name in values:
            self.parameter(name)
        missing = [p.name for p in self.parameters if p.required and p.name not in values]
        if missing:
            raise SettingError(f"{self.name} needs a value for {', '.join(missing)}")
        checked = {}
        for parameter in self.parameters:
            value = values.get(parameter.name, parameter.default)
            setting = names.get(parameter.name, f"{self.name}.{parameter.name}")
            checked[parameter.name] = parameter.check(value, setting)
        return checked

    def modules(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """The modules that parameters with these values name; a parameter without a value has its default."""
        named = [(each.module, values.get(each.name, each.default)) for each in self.parameters]
        return tuple(f"{module.package}.{value}" for module, value in named if module and value is not None)


@dataclass(frozen=True, kw_only=True)
class ComponentOptions:
    """What the decorator says of a component beyond its signature."""

    job_type: str
    resources: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    tolerance: float | Mapping[str, float] | None = None
    environment: str | None = None


def component(
    *,
    job_type: str,
    resources: tuple[str, ...] = (),
    judges: tuple[str, ...] = (),
    tolerance: float | Mapping[str, float] | None = None,
    environment: str | None = None,
) -> Callable[[Function], Function]:
    """Mark a function as a component of a pipeline; the function itself stays as it is.

    `job_type` names the kind of component; `resources` are files and folders that it reads beside its inputs,
    relative to the pipeline's folder; `judges` names the inputs and outputs that its verdict gates (without it:
    all inputs that are not stored versions).

    `tolerance` is by how much a reproduced number x may differ from the recorded one, relative to max(1, |x|), so
    that the verdict is still EQUIVALENT: one number for all outputs, or a mapping from outputs to numbers.
    `environment` runs it in an environment of its own, made by "uv", "virtualenv", "conda" or "docker" from the
    project's lock, or from another one: "uv:locks/torch.lock".

    >>> @component(job_type="clean")
    ... def halve(*, size: int = 2) -> None: ...
    >>> halve.__relet__.job_type
    'clean'
    """
    options = ComponentOptions(
        job_type=job_type,
        resources=tuple(resources),
        judges=tuple(judges),
        tolerance=tolerance,
        environment=environment,
    )

    def mark(function: Function) -> Function:
        function.__relet__ = options  # type: ignore[attr-defined]
        return function

    return mark
