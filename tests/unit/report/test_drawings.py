"""Drawings: SVG that can be read, with bytes that depend on nothing but what they show."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from relet.project.folder import open_project
from relet.report.bars import bars
from relet.report.graph import graph_svg, graph_text, pipeline_edges
from tests.unit.report.drawn import drawn
from tests.unit.report.specimens import pipeline

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
    drawing = drawn(bars({"a": 0.0, "b": 0.0}, title="Shares"))
    assert drawing.said == ["a", "0%", "b", "0%"]
    assert [(each.width, each.tip) for each in drawing.boxes_of("s0")] == [(0.0, "a: 0%"), (0.0, "b: 0%")]


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


def test_a_graph_as_text_names_for_each_component_what_it_takes_from_where_and_what_it_makes() -> None:
    assert graph_text(pipeline("x")).splitlines() == [
        "make",
        "  → raw                  table",
        "  → names                table",
        "clean",
        "  ← raw                  from make",
        "  → kept                 table",
        "  → left                 table",
        "check",
        "  ← kept                 from clean",
        "  → verdict              verdict",
        "train",
        "  ← kept                 from clean",
        "  ← names                from make",
        "  ⊣ check must say yes",
        "  → model                table",
        "look  (on request)",
        "  ← kept                 from clean",
        "  ⊣ check must say yes",
    ]


def test_components_stand_in_columns_after_what_they_need() -> None:
    root = ElementTree.fromstring(graph_svg(pipeline("x")))
    boxes = {}
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        _, rect, name, _ = group
        assert all(float(rect.attrib[place]) < float(name.attrib[place]) for place in "xy")
        boxes[name.text] = (float(rect.attrib["x"]), float(rect.attrib["y"]))
    columns = {name: (x - 20) / (190 + 150) for name, (x, _) in boxes.items()}
    assert columns == {"make": 0, "clean": 1, "check": 2, "train": 3, "look": 3}
    assert {name: (y - 20) / (46 + 26) for name, (_, y) in boxes.items() if y != 20} == {"look": 1}
    width, height = (float(root.attrib[name]) for name in ("width", "height"))
    assert (width, height) == (40 + 4 * 190 + 3 * 150, 40 + 2 * 72 + 52)


def test_edges_lead_from_the_producer_to_the_consumer_and_name_the_artifact() -> None:
    svg = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(graph_svg(pipeline("x")))
    boxes = {
        str(group[2].text): (float(group[1].attrib["x"]), float(group[1].attrib["y"]))
        for group in root.iter(f"{svg}g")
    }
    edges = pipeline_edges(pipeline("x"))
    paths = list(root.iter(f"{svg}path"))
    assert [(each.start, each.end, each.label, each.gate) for each in edges] == [
        ("make", "clean", "raw", False),
        ("clean", "check", "kept", False),
        ("clean", "train", "kept", False),
        ("make", "train", "names", False),
        ("clean", "look", "kept", False),
        ("check", "train", "kept", True),
        ("check", "look", "kept", True),
    ]
    for edge, path in zip(edges, paths, strict=True):
        assert (path.get("class") == "gate") == edge.gate
        words = path.attrib["d"].replace("M", "").replace("C", "").replace("L", "").split()
        start, end = (float(words[0]), float(words[1])), (float(words[-2]), float(words[-1]))
        (x1, y1), (x2, y2) = boxes[edge.start], boxes[edge.end]
        assert (start, end) == ((x1 + 190, y1 + 23), (x2, y2 + 23))
        # what passes a column goes below the boxes of the row
        lowest = max(map(float, words[1::2]))
        assert (lowest > max(y1, y2) + 46) == (x2 - x1 > 2 * 190)
    labels = [each.text for each in root if each.tag == f"{svg}text"]
    assert labels == [each.label for each in edges if not each.gate]
