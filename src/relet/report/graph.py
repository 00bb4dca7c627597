"""A pipeline as text and as a drawing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from relet.core.component import Component
from relet.core.pipeline import Pipeline, judged_artifacts
from relet.report.markup import LINE_END, PageMarkup, element, empty_element

# Sizes of the drawing, in pixels.
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 190, 46, 150, 26, 20

_STYLE = (
    ".graph text{font:13px system-ui,sans-serif;fill:var(--ink,#1c2733)}"
    ".graph .small{font-size:11px;fill:var(--faint,#566472)}"
    ".graph rect{fill:var(--ground,#eef4fb);stroke:var(--s0,#0a6aa8);rx:6}.graph .asked{stroke-dasharray:5 3}"
    ".graph path{fill:none;stroke:var(--faint,#8aa0b5);stroke-width:1.4}"
    ".graph .gate{stroke:var(--s1,#d0650b);stroke-dasharray:4 3}"
)


@dataclass(frozen=True, kw_only=True)
class PipelineEdge:
    """An artifact between its producer and a consumer, or a gate: a verdict that lets a component run."""

    start: str
    end: str
    label: str
    gate: bool = False


def pipeline_edges(pipeline: Pipeline) -> tuple[PipelineEdge, ...]:
    """An edge for each consumer of each artifact, and after these an edge for each gate."""
    producers = pipeline.producers
    wires = [
        PipelineEdge(start=producers[name], end=each.name, label=name)
        for each in pipeline.components
        for name in dict.fromkeys(_taken_artifacts(each))
        if name in producers
    ]
    gates = [
        PipelineEdge(
            start=gatekeeper.name, end=each.name, label=", ".join(judged_artifacts(gatekeeper)), gate=True
        )
        for each in pipeline.components
        for gatekeeper in pipeline.gatekeepers(each)
    ]
    return (*wires, *gates)


def _taken_artifacts(component: Component) -> Iterator[str]:
    for each in component.inputs:
        yield each.name
        if each.stored and each.stored.initially:
            yield each.stored.initially


def graph_text(pipeline: Pipeline) -> str:
    """A block of lines for each component: its inputs, where they come from, and its outputs."""
    return "\n".join(line for each in pipeline.components for line in _component_block(pipeline, each))


def _component_block(pipeline: Pipeline, component: Component) -> Iterator[str]:
    asked = "  (on request)" if component.name in pipeline.on_request else ""
    yield f"{component.name}{asked}"
    for each in component.inputs:
        made_by = pipeline.producers.get(each.name)
        stored = each.stored.reference if each.stored else None
        origin = " or ".join(
            text for text in (made_by and f"from {made_by}", stored and f"stored {stored}") if text
        )
        yield f"  ← {each.name:<20} {origin or 'absent: nothing here makes it'}"
    for gatekeeper in pipeline.gatekeepers(component):
        yield f"  ⊣ {gatekeeper.name} must say yes"
    for output in component.outputs:
        yield f"  → {output.name:<20} {output.type}"


def graph_svg(pipeline: Pipeline) -> PageMarkup:
    """The pipeline as an SVG drawing. A component stands in the column after those that it needs."""
    wires = pipeline_edges(pipeline)
    columns = _component_columns(pipeline, wires)
    places = {
        name: (MARGIN + column * (WIDTH + GAP_X), MARGIN + row * (HEIGHT + GAP_Y))
        for column, names in enumerate(columns)
        for row, name in enumerate(names)
    }
    width = 2 * MARGIN + len(columns) * WIDTH + (len(columns) - 1) * GAP_X
    height = 2 * MARGIN + max(map(len, columns)) * (HEIGHT + GAP_Y) + 2 * GAP_Y
    drawn = [
        *(_edge_path(wire, places, number) for number, wire in enumerate(wires)),
        *(_component_box(pipeline, each, places[each.name]) for each in pipeline.components),
    ]
    svg = element(
        "svg",
        element("title", pipeline.name),
        element("style", PageMarkup(_STYLE)),
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        class_="graph",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
    )
    return svg + LINE_END


def _component_columns(pipeline: Pipeline, wires: tuple[PipelineEdge, ...]) -> list[list[str]]:
    depth: dict[str, int] = {}
    for each in pipeline.components:
        before = [depth[wire.start] for wire in wires if wire.end == each.name and wire.start in depth]
        depth[each.name] = max(before, default=-1) + 1
    return [[name for name, at in depth.items() if at == column] for column in range(max(depth.values()) + 1)]


def _component_box(pipeline: Pipeline, component: Component, place: tuple[int, int]) -> PageMarkup:
    x, y = place
    kind = "asked" if component.name in pipeline.on_request else None
    return element(
        "g",
        element("title", component.description),
        empty_element("rect", class_=kind, x=x, y=y, width=WIDTH, height=HEIGHT),
        element("text", component.name, x=x + 12, y=y + 20),
        element("text", component.job_type, class_="small", x=x + 12, y=y + 36),
    )


def _edge_path(wire: PipelineEdge, places: dict[str, tuple[int, int]], number: int) -> PageMarkup:
    (x1, y1), (x2, y2) = places[wire.start], places[wire.end]
    x1, y1, y2 = x1 + WIDTH, y1 + HEIGHT // 2, y2 + HEIGHT // 2
    # an edge that passes other columns goes below them, on one of four tracks
    far = x2 - x1 > GAP_X
    bend = max(y1, y2) + HEIGHT // 2 + 10 + 9 * (number % 4) if far else 0
    if far:
        line = f"M{x1} {y1} C{x1 + 50} {y1} {x1 + 20} {bend} {x1 + 80} {bend} L{x2 - 80} {bend} C{x2 - 20} {bend} "
        line += f"{x2 - 50} {y2} {x2} {y2}"
    else:
        line = f"M{x1} {y1} C{x1 + 60} {y1} {x2 - 60} {y2} {x2} {y2}"
    label_y = bend - 4 if far else (y1 + y2) // 2 - 5
    middle = (x1 + x2) // 2
    if wire.gate:
        return empty_element("path", class_="gate", d=line)
    label = element("text", wire.label, class_="small", text_anchor="middle", x=middle, y=label_y)
    return empty_element("path", d=line) + label
