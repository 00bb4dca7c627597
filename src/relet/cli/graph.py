"""`relet graph`: a pipeline as text or as SVG."""

from __future__ import annotations

from pathlib import Path

import click

from relet.cli.terminal import say


@click.command("graph")
@click.argument("pipeline")
@click.option("--svg", "svg_path", type=click.Path(dir_okay=False, path_type=Path), help="Write a drawing here.")
def command(pipeline: str, svg_path: Path | None) -> None:
    """Draw PIPELINE: its components, and the artifacts that link them."""
    from relet.project.folder import open_project
    from relet.report.graph import graph_svg, graph_text

    found = open_project(pipeline).pipeline
    if svg_path is None:
        say(graph_text(found))
        return
    svg_path.write_text(graph_svg(found), encoding="utf-8")
    say(f"{pipeline} is drawn in {svg_path}")
