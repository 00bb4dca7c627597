"""Drawings: SVG that can be read, with bytes that depend on nothing but what they show."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from relet.project.folder import open_project
from relet.report.bars import bars
from relet.report.graph import graph_svg, graph_text, pipeline_edges

ROOT = Path(__file__).parents[3]
TEXT = "{http://www.w3.org/2000/svg}text"


def test_bars_show_each_name_and_its_share() -> None:
    drawing = ElementTree.fromstring(bars({"rooms & beds": 0.75, "<age>": 0.25}, title="Shares"))
    said = [each.text for each in drawing.iter(TEXT)]
    assert said == ["Shares", "rooms & beds", "75.0%", "<age>", "25.0%"]


def test_bars_say_how_many_they_leave_out() -> None:
    drawing = ElementTree.fromstring(bars({f"f{n}": 0.1 for n in range(30)}, title="Shares", most=4))
    said = [each.text for each in drawing.iter(TEXT)]
    assert said[0] == "Shares, the first 4 of 30"
    assert "f4" not in said


def test_bars_of_nothing_but_zeros_can_be_drawn() -> None:
    ElementTree.fromstring(bars({"a": 0.0}, title="Shares"))


@pytest.mark.parametrize("named", ["clean_sample", "trainval", "model"])
def test_the_flagship_s_graph_names_what_links_its_components(named: str) -> None:
    pipeline = open_project("nyc_rentals", ROOT).pipeline
    said = {each.text for each in ElementTree.fromstring(graph_svg(pipeline)).iter(TEXT)}
    assert {named, *pipeline.names} <= said
    assert named in graph_text(pipeline)


def test_what_a_verdict_lets_through_is_a_link_of_its_own() -> None:
    gates = [
        (each.start, each.end) for each in pipeline_edges(open_project("nyc_rentals", ROOT).pipeline) if each.gate
    ]
    assert {("data_check", "data_split"), ("data_split", "train_model"), ("data_split", "test_model")} <= {*gates}
    assert {start for start, _ in gates} == {"data_check", "data_split"}
