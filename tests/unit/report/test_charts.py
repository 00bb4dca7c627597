"""Charts: the marks are as large as the numbers, and every number can be read."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.report.bars import bars
from relet.report.charts.categories import dots, grouped_bars
from relet.report.charts.distribution import PLOT, histogram
from relet.report.charts.grids import MapCell, heat_map, matrix
from relet.report.columns import date_marks
from relet.report.drawing import WIDTH, ticks

SVG = "{http://www.w3.org/2000/svg}"
EVIL = "</text><script>&\x00"


def parsed(svg: str) -> ElementTree.Element:
    """The drawing, once it is sure that nothing in it lies outside of its frame."""
    root = ElementTree.fromstring(svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for each in root.iter(f"{SVG}rect"):
        x, y = (float(each.get(name, 0)) for name in "xy")
        assert x >= -0.1 and x + float(each.attrib["width"]) <= width + 0.5
        assert y >= -0.1 and y + float(each.attrib["height"]) <= height + 0.5
    for each in root.iter(f"{SVG}text"):
        if "transform" not in each.attrib:
            assert 0 <= float(each.attrib["x"]) <= width and 0 <= float(each.attrib["y"]) <= height
    return root


def marks(root: ElementTree.Element, kind: str, tag: str = "rect") -> list[ElementTree.Element]:
    return [each for each in root.iter(SVG + tag) if each.get("class") == kind]


def tips(root: ElementTree.Element) -> list[str]:
    return [str(each.text) for each in root.iter(f"{SVG}title")]


def said(root: ElementTree.Element) -> list[str]:
    return [str(each.text) for each in root.iter(f"{SVG}text")]


def test_bars_are_as_long_as_their_shares_and_say_them() -> None:
    root = parsed(bars({"a": 0.5, "b": 0.25}, title="Shares"))
    long, short = (float(each.attrib["width"]) for each in marks(root, "s0"))
    assert long == pytest.approx(2 * short, abs=0.2)
    assert "b: 25.0%" in tips(root)


def test_a_name_that_is_too_long_is_cut_off_and_whole_under_the_pointer() -> None:
    name = "a very long name " * 10
    root = parsed(bars({name: 1.0}, title="Shares"))
    assert name in tips(root)
    assert any(words.endswith("…") for words in said(root))


def test_a_histogram_draws_the_first_series_as_bars_and_the_next_as_lines() -> None:
    root = parsed(histogram({"old": [0.2, 0.8], "new": [0.5, 0.5]}, [0, 10, 20], title="price", unit="dollars"))
    low, high = (float(each.attrib["height"]) for each in marks(root, "s0") if float(each.attrib["height"]) > 12)
    assert (low, high) == (pytest.approx(PLOT / 4), pytest.approx(PLOT))
    assert len(marks(root, "o1", "path")) == 1
    assert "10 to 20 dollars – old: 80.0%, new: 50.0%" in tips(root)
    assert {"old", "new", "20 dollars"} <= set(said(root))


def test_bins_of_different_width_are_drawn_where_they_lie() -> None:
    root = parsed(histogram({"a": [0.5, 0.5]}, [0, 1, 10], title="x"))
    narrow, wide = (float(each.attrib["width"]) for each in marks(root, "tip"))
    assert wide == pytest.approx(9 * narrow, rel=0.01)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=8),
    st.floats(-1e12, 1e12),
    st.floats(1e-3, 1e9),
    st.text(max_size=30),
)
@settings(deadline=None)
def test_a_histogram_of_anything_fits_its_frame(shares: list[float], start: float, step: float, name: str) -> None:
    edges = [start + place * step for place in range(len(shares) + 1)]
    root = parsed(histogram({name: shares, "b": shares[::-1]}, edges, title=name, note=name, unit="µ"))
    assert len(marks(root, "tip")) == len(shares)


def test_grouped_bars_draw_each_series_for_each_category_absent_ones_too() -> None:
    root = parsed(grouped_bars({"Bronx": {"old": 0.1}, "Queens": {"old": 0.2, "new": 0.4}}, title="borough"))
    assert len(marks(root, "s0")) == 3 and len(marks(root, "s1")) == 3  # with the legend
    assert {"Bronx, new: 0%", "Queens, new: 40.0%"} <= set(tips(root))


def test_dots_turn_orange_from_the_mark_on() -> None:
    root = parsed(dots({"below": 0.99, "on": 1.0, "far": 300.0, "negative": -1.0}, title="x", mark_label="floor"))
    assert [each.get("class") for each in root.iter(f"{SVG}circle")] == ["s0", "s1", "s1", "s0"]


def cells(*values: float) -> list[MapCell]:
    return [
        MapCell(longitude=-74 + 0.01 * place, latitude=40.7, value=value, rows=3)
        for place, value in enumerate(values)
    ]


def test_a_map_is_as_wide_as_the_latitude_makes_it_and_lightest_where_values_are_highest() -> None:
    svg = heat_map(cells(*range(7)), title="Price", width=0.01, height=0.01, unit="dollars", value_name="median")
    drawn = [each for each in parsed(svg).iter(f"{SVG}rect") if each.find(f"{SVG}title") is not None]
    wide, high = (float(drawn[0].attrib[name]) - 0.3 for name in ("width", "height"))
    assert wide / high == pytest.approx(0.758, abs=0.01)  # the cosine of 40.7°
    assert [each.get("class") for each in drawn] == [f"m{step}" for step in range(7)]
    assert "median 6 dollars, 3 rows" in tips(parsed(svg))


def test_maps_of_one_place_of_equal_values_and_of_none_can_be_drawn() -> None:
    for places in (cells(5), cells(5, 5, 5), cells(1, 2)):
        parsed(heat_map(places, title="Price", width=0.01, height=0.01))
    assert "no places to show" in said(parsed(heat_map([], title="Price", width=1, height=1)))


def test_a_map_is_the_same_in_whatever_order_its_cells_come() -> None:
    places = cells(3, 1, 2)
    drawn = [heat_map(each, title="x", width=0.01, height=0.01) for each in (places, places[::-1])]
    assert drawn[0] == drawn[1]


def test_a_matrix_is_orange_above_zero_blue_below_and_empty_where_nothing_is_known() -> None:
    root = parsed(matrix([[1.0, -0.5], [None, 0.0]], ["a", "b"], title="Correlations"))
    assert [each.get("class") for each in root.iter(f"{SVG}rect")][1:] == ["up", "down", "down"]
    assert {"1", "−.50", ".00"} <= set(said(root))
    assert "a and b: −0.5" in tips(root)


@pytest.mark.parametrize(
    "svg",
    [
        bars({EVIL: 0.5}, title=EVIL),
        grouped_bars({EVIL: {EVIL: 0.5, "b": 0.2}}, title=EVIL),
        histogram({EVIL: [1.0], "b": [1.0]}, [0, 1], title=EVIL, unit=EVIL, note=EVIL),
        dots({EVIL: 1.0}, title=EVIL, mark_label=EVIL),
        heat_map(cells(1), title=EVIL, width=1, height=1, unit=EVIL, value_name=EVIL),
        matrix([[1.0]], [EVIL], title=EVIL),
    ],
)
def test_what_comes_from_data_is_escaped(svg: str) -> None:
    assert "script" not in {each.tag.removeprefix(SVG) for each in parsed(svg).iter()}


@pytest.mark.parametrize(
    "svg",
    [
        bars({}, title="x"),
        bars({"a": 0.0}, title="x"),
        grouped_bars({}, title="x"),
        histogram({"a": [0.0]}, [0, 1], title="x"),
        histogram({"a": [1.0]}, [3, 3], title="x"),
        dots({}, title="x"),
        matrix([], [], title="x"),
    ],
)
def test_nothing_can_be_drawn_too(svg: str) -> None:
    assert next(parsed(svg).iter(f"{SVG}text")).text == "x"


def test_a_drawing_has_its_colours_from_the_page_and_light_ones_alone() -> None:
    assert re.search(r"\.chart \.s0\{fill:var\(--s0,#[0-9a-f]{6}\)\}", bars({"a": 1.0}, title="x"))
    # a style that named no class would reach every other drawing of the page
    for rule in re.findall(r"<style>(.*?)</style>", dots({"a": 1.0}, title="x"))[0].split("}"):
        assert rule == "" or rule.startswith(".chart ")


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_round_and_lie_within(low: float, wide: float) -> None:
    found = ticks(low, low + wide)
    assert 1 <= len(found) <= 7
    assert all(low - wide * 0.01 - 1e-6 <= at <= low + wide * 1.01 + 1e-6 for at in found)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (17897, 17900, ["2019-01-01", "2019-01-02", "2019-01-03", "2019-01-04"]),
        (17897, 18077, ["2019-01", "2019-03", "2019-05"]),
        (0, 36525, ["1980", "2000", "2020", "2040", "2060"]),
        (1e9, 2e9, ["1,000,000,000", "2,000,000,000"]),
    ],
)
def test_an_axis_of_dates_names_days_months_or_years(low: float, high: float, words: list[str]) -> None:
    assert list(date_marks(low, high).values()) == words


def test_all_drawings_are_narrow_enough_that_their_text_can_be_read_on_a_phone() -> None:
    # 12 px text of a drawing this wide, on the 350 px that a page leaves it
    assert 12 * 350 / WIDTH > 9
