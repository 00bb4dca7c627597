"""What a pipeline or a component takes, as text: the component's own `--help`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from relet.core.component import Component
from relet.core.parameter import Parameter
from relet.core.pipeline import Pipeline
from relet.project.folder import Project, open_project


def describe(target: str) -> str:
    """The help of `nyc_rentals` or `nyc_rentals.data_split`."""
    name, _, component = target.partition(".")
    project = open_project(name)
    if component:
        return "\n".join(_component_lines(project.pipeline, project.pipeline.component(component)))
    return "\n".join(_pipeline_lines(project))


def _pipeline_lines(project: Project) -> Iterator[str]:
    from relet.config.feeds import setting_feeds
    from relet.config.own import wiring_of

    pipeline = project.pipeline
    yield f"Usage: relet run {pipeline.name} [steps=a,b] [OVERRIDES in Hydra's syntax]..."
    yield ""
    yield "Steps:"
    for each in pipeline.components:
        asked = "  (on request)" if each.name in pipeline.on_request else ""
        yield f"  {each.name:<18}{each.description}{asked}"
    yield ""
    yield "Settings, and what they feed (COMPONENT.PARAMETER=… sets it of one component alone):"
    wiring = wiring_of(pipeline)
    known = {each.name: each.parameter for each in wiring.fed}
    feeds = setting_feeds(pipeline, project.conf)
    width = max((len(key) for key in feeds), default=0)
    for key, names in feeds.items():
        yield f"  {key:<{width}}  {_type_text(known[names[0]]):<14}  {_feeds_text(names)}"
    said = {name for names in feeds.values() for name in names}
    # the fields of groups, of which a model family has many, stand in the component's own help
    if others := {name: each for name, each in known.items() if name not in said and name.count(".") == 1}:
        yield ""
        yield f"Parameters that no file sets (groups: relet run {pipeline.name}.STEP --help):"
        width = max(map(len, others))
        for name, parameter in others.items():
            yield f"  {name:<{width}}  {_type_text(parameter):<14}  {_default_text(parameter)}"


def _feeds_text(names: Sequence[str]) -> str:
    """Parameters by their components; one name of several components once: `seed of train_model, cost_curve`."""
    parameters = {name.partition(".")[2] for name in names}
    if len(names) == 1 or len(parameters) > 1:
        return ", ".join(names)
    return f"{parameters.pop()} of {', '.join(name.partition('.')[0] for name in names)}"


def _component_lines(pipeline: Pipeline, component: Component) -> Iterator[str]:
    yield f"Usage: relet run {pipeline.name}.{component.name} [NAME=VALUE]..."
    yield ""
    yield f"  {component.description}"
    yield ""
    if component.inputs:
        yield "Inputs (a reference such as name:v3 or name:alias):"
    for each in component.inputs:
        default = each.stored.reference if each.stored else f"{each.name}:latest"
        if pipeline.leaves_out(each):
            default = "none: nothing makes it"
        yield f"  {each.name:<20}{each.container:<10}default {default}"
    yield "Parameters:"
    sections = {"": component.parameters}
    for chosen in component.chosen_groups:
        sections |= {
            f"With {chosen.chosen_by}={name}:": group.parameters for name, group in chosen.options.items()
        }
    width = max((len(each.name) for parameters in sections.values() for each in parameters), default=0)
    for heading, parameters in sections.items():
        if heading:
            yield heading
        for parameter in parameters:
            yield f"  {parameter.name:<{width}}  {_type_text(parameter):<14}  {_default_text(parameter)}"
    yield "Outputs:"
    for output in component.outputs:
        yield f"  {output.name:<20}{output.type}"


def _default_text(parameter: Parameter) -> str:
    default = "required" if parameter.required else f"default {parameter.default!r}"
    choices = parameter.choices if parameter.module or len(parameter.choices) > 1 else ()
    return f"{default}; one of {', '.join(map(str, choices))}" if choices else default


def _type_text(parameter: Parameter) -> str:
    """The annotation; where it lists the values, their type alone."""
    return " | ".join(each.__name__ for each in parameter.types) if parameter.choices else parameter.annotation
