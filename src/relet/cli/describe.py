"""What a pipeline or a component takes, as text: the component's own `--help`."""

from __future__ import annotations

from collections.abc import Iterator

from relet.core.component import Component
from relet.core.parameter import Parameter
from relet.project.folder import Project, open_project


def describe(target: str) -> str:
    """The help of `nyc_rentals` or `nyc_rentals.data_split`."""
    name, _, component = target.partition(".")
    project = open_project(name)
    if component:
        return "\n".join(_component_lines(name, project.pipeline.component(component)))
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
    for key, feeds in setting_feeds(pipeline, project.conf).items():
        (annotation, *_) = {each.parameter.annotation for each in wiring.fed if each.name == feeds[0]}
        yield f"  {key:<34}{annotation:<16}{', '.join(feeds)}"


def _component_lines(pipeline: str, component: Component) -> Iterator[str]:
    yield f"Usage: relet run {pipeline}.{component.name} [NAME=VALUE]..."
    yield ""
    yield f"  {component.description}"
    yield ""
    yield "Inputs (a reference such as name:v3 or name:alias):"
    for each in component.inputs:
        default = each.stored.reference if each.stored else f"{each.name}:latest"
        yield f"  {each.name:<20}{each.container:<10}default {default}"
    yield "Parameters:"
    for parameter in component.parameters:
        yield _parameter_line(parameter)
    for chosen in component.chosen_groups:
        for option, group in chosen.options.items():
            yield f"With {chosen.chosen_by}={option}:"
            for parameter in group.parameters:
                yield _parameter_line(parameter)
    yield "Outputs:"
    for output in component.outputs:
        yield f"  {output.name:<20}{output.type}"


def _parameter_line(parameter: Parameter) -> str:
    default = "required" if parameter.required else f"default {parameter.default!r}"
    if parameter.module:
        default += f"; one of {', '.join(parameter.choices)}"
    return f"  {parameter.name:<28}{parameter.annotation:<16}{default}"
