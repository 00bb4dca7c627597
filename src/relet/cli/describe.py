"""What a pipeline or a component takes, as text: the component's own `--help`."""

from __future__ import annotations

from collections.abc import Iterator

from relet.core.component import Component
from relet.core.pipeline import Pipeline
from relet.project.folder import open_project


def describe(target: str) -> str:
    """The help of `nyc_rentals` or `nyc_rentals.data_split`."""
    name, _, component = target.partition(".")
    pipeline = open_project(name).pipeline
    lines = _component_lines(name, pipeline.component(component)) if component else _pipeline_lines(pipeline)
    return "\n".join(lines)


def _pipeline_lines(pipeline: Pipeline) -> Iterator[str]:
    yield f"Usage: relet run {pipeline.name} [steps=a,b] [OVERRIDES in Hydra's syntax]..."
    yield ""
    yield "Steps:"
    for each in pipeline.components:
        asked = "  (on request)" if each.name in pipeline.on_request else ""
        yield f"  {each.name:<18}{each.description}{asked}"
    yield ""
    yield "Settings, and what they feed:"
    for key, feeds in pipeline.settings.items():
        name, _, parameter = feeds[0].partition(".")
        found = pipeline.component(name).parameter(parameter)
        yield f"  {key:<30}{found.annotation:<16}{', '.join(feeds)}"


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
        default = "required" if parameter.required else f"default {parameter.default!r}"
        if parameter.module:
            default += f"; one of {', '.join(parameter.choices)}"
        yield f"  {parameter.name:<20}{parameter.annotation:<16}{default}"
    yield "Outputs:"
    for output in component.outputs:
        yield f"  {output.name:<20}{output.type}"
