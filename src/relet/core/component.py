"""A component is a function; its signature is its whole contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from relet.core.artifact import ArtifactType, Stored
from relet.core.parameter import ChosenGroup, Parameter, ParameterGroup, nearest_parameter
from relet.errors import SettingError

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned", covariant=True)

# What can make a component an environment of its own, as MLflow names them.
MANAGERS = ("uv", "virtualenv", "conda", "docker")


@dataclass(frozen=True, kw_only=True)
class Input:
    """An artifact that the function takes, and the container it takes it in.

    `container` is one of ibis, pandas, polars, lazy, arrow, reader, rows, array, document, text, path, model,
    metrics, figure and verdict. `document` says what a document is as a value: "dict", "list", or a dataclass, as
    `module:Class`. One that is `optional` may be absent: the function gets None then.
    """

    name: str
    container: str
    document: str = ""
    stored: Stored | None = None
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Output:
    """An artifact that the function makes; `document` says what a document is as a value, as of an `Input`."""

    name: str
    type: ArtifactType
    document: str = ""


@dataclass(frozen=True, kw_only=True)
class Component:
    """One step of a pipeline, as its signature and its decorator describe it.

    `parameters` are flat: a group's fields stand among them under names such as `segregation.method`, and `groups`
    say which belong together. Those of `chosen_groups` depend on the value of another parameter: they are in
    neither. `module` is the module that defines the function, `path` its file; `resources` are files and folders
    that it reads beside its inputs, relative to the pipeline's folder; `judges` are the inputs and outputs that
    its verdict gates; `tolerance` is by how much each output's numbers may differ when it is reproduced (none: not
    at all); `environment` is what makes it an environment of its own: a manager, or `manager:lock`. A component
    that is used under other names has the name of its step; `function` is then its function's name ("" for the
    same), and `renamed` maps the names of artifacts in the signature to those in the pipeline.
    """

    name: str
    module: str
    path: Path
    job_type: str
    description: str = ""
    inputs: tuple[Input, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    groups: tuple[ParameterGroup, ...] = ()
    chosen_groups: tuple[ChosenGroup, ...] = ()
    outputs: tuple[Output, ...] = ()
    resources: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    tolerance: Mapping[str, float] = field(default_factory=dict)
    environment: str | None = None
    function: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def function_name(self) -> str:
        return self.function or self.name

    @property
    def identity(self) -> str:
        """What its key says of it: its name, and under which names it uses its function where these are others.

        >>> Component(name="b", function="fit", renamed={"m": "m_b"}, module="", path=Path(), job_type="").identity
        "fit.using('b', m='m_b')"
        """
        if not self.renamed and self.function_name == self.name:
            return self.name
        names = "".join(f", {old}={new!r}" for old, new in sorted(self.renamed.items()))
        return f"{self.function_name}.using({self.name!r}{names})"

    @property
    def metrics_prefix(self) -> str:
        """What the run of a pipeline writes before the names of its metrics: two uses of one function measure the
        same.
        """
        return "" if self.function_name == self.name else f"{self.name}."

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

    def groups_with(self, values: Mapping[str, Any]) -> tuple[ParameterGroup, ...]:
        """The groups that it has with these values: `values` say which module each chosen one is taken from."""
        return (*self.groups, *(group for each in self.chosen_groups if (group := self._chosen(each, values))))

    def parameters_with(self, values: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """All parameters that it has with these values: its own, and the fields of the groups they choose."""
        found = list(self.parameters)
        for each in self.chosen_groups:
            if group := self._chosen(each, values):
                found += group.parameters
        return tuple(found)

    def _chosen(self, each: ChosenGroup, values: Mapping[str, Any]) -> ParameterGroup | None:
        return each.options.get(str(values.get(each.chosen_by, self.defaults.get(each.chosen_by))))

    def parameter(self, name: str, values: Mapping[str, Any] | None = None) -> Parameter:
        """The parameter of that name; the last part of the name is enough where only one group has such a field.

        Raises SettingError where there is none, with the nearest, or several, with their names.
        """
        known = self.parameters_with(values or {})
        found = [each for each in known if each.name == name]
        found = found or [each for each in known if each.name.endswith(f".{name}")]
        if len(found) == 1:
            return found[0]
        if found:
            raise SettingError(
                f"{self.name} has several parameters {name!r}: write {' or '.join(each.name for each in found)}"
            )
        raise SettingError(f"{self.name} has no parameter {name!r}: {nearest_parameter(name, _names_of(known))}")

    def check(
        self, values: Mapping[str, Any], *, names: Mapping[str, str] | None = None, finite: bool = True
    ) -> dict[str, Any]:
        """Every parameter with its checked value, defaults filled in; `names` gives each parameter's setting.

        Without `finite` numbers may be NaN and infinite, as in an older record.
        """
        names = names or {}
        chosen = self._check_values(self.parameters, values, names, finite)
        more = self.parameters_with(chosen)[len(self.parameters) :]
        checked = chosen | self._check_values(more, values, names, finite)
        for name in values:
            if name not in checked:
                raise SettingError(f"{self.name} has no parameter {name!r}: {nearest_parameter(name, checked)}")
        return checked

    def _check_values(
        self, parameters: Iterable[Parameter], values: Mapping[str, Any], names: Mapping[str, str], finite: bool
    ) -> dict[str, Any]:
        missing = [each.name for each in parameters if each.required and each.name not in values]
        # a name that is wrong explains why another has no value
        if missing and values.keys() <= {*_names_of(self.parameters_with(values))}:
            raise SettingError(f"{self.name} needs a value for {', '.join(missing)}")
        return {
            each.name: each.check(
                values.get(each.name, each.default),
                names.get(each.name, f"{self.name}.{each.name}"),
                finite=finite,
            )
            for each in parameters
            if each.name not in missing
        }

    def modules(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """The modules that parameters with these values name, and those that define its classes.

        Its classes are those of groups, of documents that are dataclasses, and of an Enum.
        """
        named = [(each.module, values.get(each.name, each.default)) for each in self.parameters]
        chosen = [f"{module.package}.{value}" for module, value in named if module and value is not None]
        groups = (each for group in self.groups_with(values) for each in group.modules)
        classes = [each.document.partition(":") for each in self.inputs]
        classes += [each.document.partition(":") for each in self.outputs]
        documents = (module for module, _, name in classes if name and not module.startswith("relet."))
        enums = (each.enum_modules for each in self.parameters_with(values))
        return tuple(
            dict.fromkeys((*chosen, *groups, *documents, *(each for modules in enums for each in modules)))
        )


def _names_of(parameters: Iterable[Parameter]) -> list[str]:
    return [each.name for each in parameters]


@dataclass(frozen=True, kw_only=True)
class ComponentOptions:
    """What the decorator says of a component beyond its signature."""

    job_type: str
    resources: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    tolerance: float | Mapping[str, float] | None = None
    environment: str | None = None


@dataclass(frozen=True)
class ComponentUse:
    """A component under other names: the name of its step, and its artifacts' names in the signature → here.

    `step` is None where the step has the function's name.
    """

    function: Callable[..., Any]
    step: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.step or str(getattr(self.function, "__name__", self.function))


class ComponentFunction(Protocol[Arguments, Returned]):
    """A function that is a component: it is called as before."""

    __name__: str
    __relet__: ComponentOptions

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Returned: ...

    def using(self, step: str | None = None, /, **names: str) -> ComponentUse:
        """The component under other names, for a pipeline: `train.using("train_b", model="model_b")`.

        `step` is the name of its step, which has a section of settings of its own; without it the step has the
        function's name. Each of `names` is an artifact's name in the signature → its name in the pipeline, for
        inputs, outputs and stored versions (`Stored("model:prod")` becomes `model_b:prod`). The pipeline
        raises WiringError for names that the signature does not have, and for those that can't be an artifact's.
        """


def component(
    *,
    job_type: str,
    resources: tuple[str, ...] = (),
    judges: tuple[str, ...] = (),
    tolerance: float | Mapping[str, float] | None = None,
    environment: str | None = None,
) -> Callable[[Callable[Arguments, Returned]], ComponentFunction[Arguments, Returned]]:
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

    def mark(function: Callable[Arguments, Returned]) -> ComponentFunction[Arguments, Returned]:
        def using(step: str | None = None, /, **names: str) -> ComponentUse:
            return ComponentUse(function, step, names)

        marked = cast("ComponentFunction[Arguments, Returned]", function)
        marked.__relet__ = options
        marked.using = using  # type: ignore[method-assign]
        return marked

    return mark
