"""Components linked by artifacts: names wire the pipeline."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from relet.core.artifact import DETERMINISM, PIPELINE_NAME, REPRODUCTION, in_pipeline, within_pipeline
from relet.core.artifact_types import TYPES
from relet.core.code import FirstPartyCode
from relet.core.component import Component, ComponentUse, Input, Output
from relet.core.signature import read_component
from relet.core.source import ParsedModule
from relet.core.using import names_of_use, under_names, used_component
from relet.core.wiring import SettingRow, read_rows
from relet.errors import NotFoundError, WiringError, nearest
from relet.names import PACKAGE


@dataclass(frozen=True)
class Pipeline:
    """Components in the order they run: the output named `clean_sample` feeds every input named `clean_sample`.

    `on_request` are components that run only when they are asked for: by their name, or all together by
    `main.evaluate`; those in `by_name` by their name alone (they need not be in `on_request`, and count as such).
    `train.using("train_b", model="model_b")` is a component under other names, so that one may be used twice.
    Names wire settings, too: a key of the configuration feeds every parameter of its name. `settings` is the table
    of what differs: it maps a key, or a section, to what it feeds, as `component.parameter`, or by a name alone in
    every component that has it: `{"etl.seed": "get_data.seed"}`. A key that names a parameter in braces stands for
    one key a choice of that parameter: `{"modeling.{train.family}": "learner"}`.

    Its artifacts have its `name` before theirs in the store: `nyc_rentals/clean_sample`.

    Raises WiringError for a cycle, a missing producer (of an input that may not be absent), two producers of one
    name, two components of one name, an output and an input of different types, an output that is named as relet's
    own verdicts are, a product that would become another pipeline's reference, and names that `on_request`,
    `by_name`, `settings` or `judges` get wrong.
    """

    components: Sequence[Any]
    name: str = "pipeline"
    on_request: Sequence[Any] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    by_name: Sequence[Any] = ()
    rows: tuple[SettingRow, ...] = field(init=False, default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        components = tuple(_component(each) for each in self.components)
        on_request, by_name = _component_names(self.on_request), _component_names(self.by_name)
        _check_names(components, {"on_request": on_request, "by_name": by_name})
        _check_references(components, self.name)
        rows = read_rows(self.settings, components)
        object.__setattr__(self, "components", _ordered_components(components))
        object.__setattr__(self, "on_request", tuple(dict.fromkeys((*on_request, *by_name))))
        object.__setattr__(self, "by_name", by_name)
        object.__setattr__(self, "settings", {row.key: row.feeds for row in rows})
        object.__setattr__(self, "rows", rows)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(component.name for component in self.components)

    @property
    def producers(self) -> dict[str, str]:
        """Each artifact's name → the component that makes it."""
        return {output.name: each.name for each in self.components for output in each.outputs}

    def full(self, text: str) -> str:
        """The full name, or reference, that a short one means here; one of another pipeline stays as it is."""
        return in_pipeline(self.name, text)

    def leaves_out(self, taken: Input) -> bool:
        """Whether an input may be absent and nothing here makes it; a person may still name a version for it."""
        return taken.optional and taken.stored is None and taken.name not in self.producers

    def takes_elsewhere(self, taken: Input) -> bool:
        """Whether an input is another pipeline's artifact, whatever is made here under the input's name."""
        return taken.stored is not None and "/" in within_pipeline(self.name, taken.stored.reference)

    def component(self, name: str) -> Component:
        for each in self.components:
            if each.name == name:
                return each  # type: ignore[no-any-return]
        raise WiringError(f"{self.name} has no step {name!r}: {nearest(name, self.names)}")

    def select(self, steps: Iterable[str] | None, *, all_of_them: bool = False) -> tuple[Component, ...]:
        """The components to run, in their order: those named, else all that need no request.

        With `all_of_them` also those on request, but for those that only their name asks for.

        Raises WiringError for a name that is no step, with the nearest that is.
        """
        if steps is not None:
            asked = {self.component(step).name for step in steps}
            return tuple(each for each in self.components if each.name in asked)
        left_out = self.by_name if all_of_them else self.on_request
        return tuple(each for each in self.components if each.name not in left_out)

    def gatekeepers(self, component: Component) -> tuple[Component, ...]:
        """The components whose verdict decides whether this one may run.

        One that takes the verdict itself has it in hand, whatever it says: it is not held back by it.
        """
        taken = {each.name for each in component.inputs if not self.takes_elsewhere(each)}
        return tuple(
            each
            for each in self.components
            if each.name != component.name
            and taken & set(judged_artifacts(each))
            and not taken & set(each.verdicts)
        )

    def upstream(self, *names: str) -> tuple[str, ...]:
        """These components, and everything upstream of them, in the order they run.

        Upstream of a component is what makes its inputs and what judges them.
        """
        directly = _directly_upstream(self.components)
        reached: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting.extend(directly[name])
        return tuple(name for name in self.names if name in reached)


def judged_artifacts(component: Component) -> tuple[str, ...]:
    """The artifacts that a component's verdict speaks of: those it names, else its inputs; none without one."""
    if not component.gates:
        return ()
    return component.judges or tuple(each.name for each in component.inputs if each.stored is None)


def _component_names(components: Iterable[Any]) -> tuple[str, ...]:
    return tuple(each if isinstance(each, str) else _component(each).name for each in components)


def _component(function: Component | ComponentUse | Callable[..., Any]) -> Component:
    if isinstance(function, Component):
        return function
    if isinstance(function, ComponentUse):
        return under_names(_component(function.function), function.step, function.names)
    name = getattr(function, "__name__", repr(function))
    if not hasattr(function, "__relet__"):
        raise WiringError(f"{name} is no component: write @component(job_type=…) above it")
    module = sys.modules[function.__module__]
    if not getattr(module, "__file__", None):
        raise WiringError(f"{name} lives in no file; put components in a module, so that their code has a digest")
    path = Path(str(module.__file__))
    # the folder that the module's full name starts from, where its file lies as deep as that
    # (relet's own, for groups of parameters that are declared there)
    roots = (path.parent, *path.parents[module.__name__.count(".") :][:1], PACKAGE.parent)
    return read_component(name, module.__name__, path, FirstPartyCode(roots))


def _check_names(
    components: tuple[Component, ...],
    asked: Mapping[str, tuple[str, ...]],
) -> None:
    names = [each.name for each in components]
    for each in components:
        if names.count(each.name) > 1:
            other = f"{each.function_name}.using('{each.name}_b', …)"
            raise WiringError(f"there are two components named {each.name}; one may be used by another: {other}")
    producers: dict[str, Component] = {}
    for each in components:
        for output in each.outputs:
            if output.name in (REPRODUCTION, DETERMINISM):
                raise WiringError(
                    f"{each.name} makes {output.name}, which relet stores its own verdicts as; rename the output"
                )
            if output.name in producers:
                first = producers[output.name]
                both = f"{first.name} and {each.name}"
                advice = "rename one output"
                if first.function_name == each.function_name:
                    old = next((old for old, new in each.renamed.items() if new == output.name), output.name)
                    advice = f"{each.function_name}.using('{each.name}', {old}='{output.name}_b') renames one"
                raise WiringError(f"two components make {output.name}: {both}; {advice}")
            producers[output.name] = each
    for each in components:
        _check_inputs(each, producers)
    for what, name in ((what, name) for what, each in asked.items() for name in each):
        if name not in names:
            raise WiringError(f"{what} names {name!r}, which is no component: {nearest(name, names)}")


def _check_inputs(component: Component, producers: Mapping[str, Component]) -> None:
    for each in component.inputs:
        wanted = each.name
        if each.stored is not None:
            wanted = each.stored.initially or ""
            if not wanted:
                continue
        if wanted not in producers:
            if each.optional and each.stored is None:
                continue
            raise _no_producer(component, each, wanted, producers)
        (made,) = (output for output in producers[wanted].outputs if output.name == wanted)
        _check_type(component, each, made, producers[wanted])
    at_hand = [*(each.name for each in component.inputs), *(each.name for each in component.outputs)]
    for name in component.judges:
        if name not in at_hand:
            raise WiringError(
                f"{component.name} judges {name!r}, which it neither takes nor makes: {nearest(name, at_hand)}"
            )
    if component.judges and not component.gates:
        raise WiringError(f"{component.name} judges {', '.join(component.judges)} but gives no Verdict")


def _check_references(components: Iterable[Component], pipeline: str) -> None:
    """Raise WiringError where another pipeline's alias would be set to a product of this one."""
    for component in components:
        for each in component.inputs:
            if each.stored and each.stored.initially and "/" in within_pipeline(pipeline, each.stored.reference):
                raise WiringError(
                    f"{component.name} takes {each.stored.reference}, which is another pipeline's, and can't be "
                    f"this one's {each.stored.initially} at first; write Stored({each.stored.reference!r})"
                )


def _no_producer(
    component: Component, taken: Input, wanted: str, producers: Mapping[str, Component]
) -> WiringError:
    hint = ""
    if taken.stored is None and taken.container in ("document", "text"):
        hint = "; if it is a hyperparameter, put it after a * in the function's arguments"
    known = nearest(wanted, producers)
    return WiringError(f"{component.name} takes {wanted}, which no component makes: {known}{hint}")


def _check_type(component: Component, taken: Input, made: Output, producer: Component) -> None:
    """Raise WiringError where an input is not what is made under its name; every artifact has a path."""
    if taken.container == "path":
        return
    wanted = TYPES[taken.container]
    if wanted is not made.type:
        raise WiringError(
            f"{component.name} takes {made.name} as {wanted}, but {producer.name} makes it a {made.type}"
        )
    if (taken.document == "list") != (made.document == "list"):
        kinds = [each.rpartition(":")[2] for each in (taken.document, made.document)]
        raise WiringError(
            f"{component.name} takes {made.name} as a {kinds[0]}, but {producer.name} makes it a {kinds[1]}"
        )


def _ordered_components(components: tuple[Component, ...]) -> tuple[Component, ...]:
    """Sorted so that each comes after what it takes and what judges that; otherwise in the order given."""
    # A component that judges an input, and takes something made from that input, would wait for itself.
    try:
        sorter = TopologicalSorter(_directly_upstream(components))
        sorter.prepare()
    except CycleError as error:
        raise WiringError(f"the pipeline goes in a circle: {' → '.join(reversed(error.args[1]))}") from None
    position = {each.name: number for number, each in enumerate(components)}
    order: list[str] = []
    ready = sorted(sorter.get_ready(), key=position.__getitem__)
    while ready:
        name = ready.pop(0)
        order.append(name)
        sorter.done(name)
        ready = sorted([*ready, *sorter.get_ready()], key=position.__getitem__)
    by_name = {each.name: each for each in components}
    return tuple(by_name[name] for name in order)


def _directly_upstream(components: Iterable[Component]) -> dict[str, set[str]]:
    """Each component's name → the components that make what it takes, or judge that."""
    producers = {output.name: each.name for each in components for output in each.outputs}
    upstream: dict[str, set[str]] = {}
    for each in components:
        taken = {i.name for i in each.inputs} | {i.stored.initially for i in each.inputs if i.stored}
        makers = {producers[name] for name in taken if name in producers}
        judges = {j.name for j in components if j.name != each.name and taken & set(judged_artifacts(j))}
        upstream[each.name] = makers | judges
    return upstream


def read_pipeline(name: str, path: Path, code: FirstPartyCode) -> Pipeline:
    """The pipeline that a module assigns to `pipeline`, read from its source without importing it.

    Raises NotFoundError where the module assigns none, WiringError and SignatureError as the reading does;
    WiringError for a name that no artifact can have before its own.
    """
    if not PIPELINE_NAME.fullmatch(name) or "." in name:
        raise WiringError(
            f"{name!r} can't be a pipeline's name, which its artifacts have before theirs, and its steps before a "
            "dot: it may have letters, digits, _ and -; rename its folder"
        )
    module = ParsedModule.read(f"pipelines.{name}.pipeline", path, code)
    call = _pipeline_call(module)
    arguments = {str(keyword.arg): keyword.value for keyword in call.keywords}
    if call.args:
        arguments["components"] = call.args[0]

    def named(what: str) -> list[str]:
        return [_named_step(module, node) for node in _elements(module, arguments.get(what), what)]

    return Pipeline(
        [_read_element(module, node) for node in _elements(module, arguments.get("components"), "components")],
        name=name,
        on_request=named("on_request"),
        by_name=named("by_name"),
        settings=module.literal(arguments["settings"], "settings") if "settings" in arguments else {},
    )


def _read_element(module: ParsedModule, node: ast.expr) -> Component:
    """The component that an element of the list is: a name, or a call of `using`."""
    function, call = used_component(module, node)
    full = module.dotted(function)
    home, _, name = full.rpartition(".")
    file = module.code.find(home) if home else module.path
    if file is None or file.is_dir():
        raise module.error(node, f"{ast.unparse(function)}: there is no first-party module {home or full}")
    found = read_component(name or full, home or module.name, file, module.code)
    if call is None:
        return found
    try:
        return under_names(found, *names_of_use(module, call))
    except WiringError as error:
        raise WiringError(f"{module.path}, line {call.lineno}: {error}") from None


def _named_step(module: ParsedModule, node: ast.expr) -> str:
    """The step that an element of `on_request` names: as text, as a component, or as one under other names."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    function, call = used_component(module, node)
    step = names_of_use(module, call)[0] if call else None
    return ast.unparse(function) if step is None else str(step)


def _pipeline_call(module: ParsedModule) -> ast.Call:
    for statement in module.tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        if any(isinstance(target, ast.Name) and target.id == "pipeline" for target in targets):
            value = getattr(statement, "value", None)
            if isinstance(value, ast.Call) and module.dotted(value.func).rpartition(".")[2] == "Pipeline":
                return value
    raise NotFoundError(f"{module.path} has no line `pipeline = Pipeline([…])`")


def _elements(module: ParsedModule, node: ast.expr | None, what: str) -> list[ast.expr]:
    if node is None:
        return []
    if not isinstance(node, ast.List | ast.Tuple):
        raise module.error(node, f"{what} must be written out as a list, got {ast.unparse(node)}")
    return node.elts
