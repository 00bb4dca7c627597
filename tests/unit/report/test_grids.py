"""Maps and matrices, read back: each cell lies where its degrees are, in the colour that the legend names."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.report.charts.grids import STEPS, TALLEST, MapCell, heat_map, matrix
from relet.report.wording import number
from tests.unit.report.drawn import NEAR, Box, Drawn, drawn, value_of

SIZE = 0.01


def cell(west: int, south: int, value: float, rows: int = 0) -> MapCell:
    return MapCell(longitude=-74 + west * SIZE, latitude=40 + south * SIZE, value=value, rows=rows)


def squares(found: Drawn) -> list[Box]:
    return [each for each in found.boxes if each.tip]


def legend(found: Drawn) -> list[Box]:
    return [each for each in found.boxes if not each.tip]


places = st.dictionaries(
    st.tuples(st.integers(0, 30), st.integers(0, 30)), st.floats(1, 500), min_size=1, max_size=40
)


@settings(deadline=None, max_examples=60)
@given(places)
def test_a_map_read_by_its_degrees_and_its_legend_gives_back_its_cells(
    values: dict[tuple[int, int], float],
) -> None:
    cells = [cell(west, south, value) for (west, south), value in values.items()]
    found = drawn(heat_map(cells, title="Price", width=SIZE, height=SIZE))
    held = sorted(cells, key=lambda each: (each.latitude, each.longitude))
    west, south = (min(each[at] for each in values) for at in (0, 1))
    east, north = (max(each[at] + 1 for each in values) for at in (0, 1))
    boxes = squares(found)
    wide, high = boxes[0].width - 0.3, boxes[0].height - 0.3
    middle = math.radians(40 + (south + north) / 2 * SIZE)
    assert wide == pytest.approx(high * math.cos(middle), abs=2 * NEAR)
    # it fills the width or is as tall as it may be
    assert wide * (east - west) == pytest.approx(420, abs=5) or high * (north - south) == pytest.approx(
        TALLEST, abs=5
    )
    assert boxes and all(each.x >= 10 - NEAR and each.right <= 440 - 10 + 0.5 for each in boxes)
    colours = legend(found)
    bounds = [value_of(each.words) for each in found.texts if each.y == colours[0].y + 27]
    for each, box in zip(held, boxes, strict=True):
        column, row = round((each.longitude + 74) / SIZE), round((each.latitude - 40) / SIZE)
        slack = NEAR * (2 + east - west + north - south)
        assert box.x == pytest.approx(10 + (column - west) * wide, abs=slack)
        assert box.y == pytest.approx(40 + (north - row - 1) * high, abs=slack)
        assert box.tip == f"value {number(each.value)}"
        # the class of its colour holds its value
        low, top = bounds_of(box.kind, colours, bounds)
        assert low - abs(low) * 0.006 <= each.value <= top + abs(top) * 0.006


def bounds_of(kind: str, colours: list[Box], bounds: list[float]) -> tuple[float, float]:
    (at,) = [place for place, each in enumerate(colours) if each.kind == kind]
    return bounds[at], bounds[at + 1]


def test_seven_classes_hold_equally_many_cells_and_begin_at_their_bounds() -> None:
    found = drawn(heat_map([cell(n, 0, float(n)) for n in range(14)], title="t", width=SIZE, height=SIZE))
    assert [each.kind for each in squares(found)] == [f"m{n // 2}" for n in range(14)]
    colours = legend(found)
    assert [each.kind for each in colours] == [f"m{n}" for n in range(7)]
    assert [each.words for each in found.texts if each.y == colours[0].y + 27] == [
        "0",
        "2",
        "4",
        "6",
        "8",
        "10",
        "12",
        "13",
    ]
    assert all(f".chart .m{n}{{fill:{colour}}}" in found.style for n, colour in enumerate(STEPS))


def test_fewer_values_have_fewer_classes_from_the_darkest_to_the_lightest() -> None:
    def kinds(*values: float) -> list[str]:
        cells = [cell(n, 0, value) for n, value in enumerate(values)]
        return [each.kind for each in squares(drawn(heat_map(cells, title="t", width=SIZE, height=SIZE)))]

    assert kinds(1, 2) == ["m0", "m6"]
    assert kinds(1, 2, 3) == ["m0", "m3", "m6"]
    assert kinds(1, 2, 3, 4) == ["m0", "m2", "m4", "m6"]
    assert kinds(5, 5) == ["m0", "m0"]


def test_the_legend_lies_below_the_map_with_a_value_at_each_change_of_colour() -> None:
    cells = [cell(0, 0, 1.0, rows=1), cell(1, 1, 1234.5, rows=7)]
    found = drawn(
        heat_map(cells, title="t", width=SIZE, height=SIZE, unit="dollars", value_name="median"),
    )
    assert [each.tip for each in squares(found)] == ["median 1 dollars, 1 row", "median 1,234.5 dollars, 7 rows"]
    colours = legend(found)
    assert [(each.x, each.width, each.height) for each in colours] == [(30, 190, 12), (220, 190, 12)]
    assert colours[0].y == pytest.approx(max(each.bottom for each in squares(found)) + 14, abs=0.5)
    named = [each for each in found.texts if each.y == colours[0].y + 27]
    assert [(each.x, each.words, each.anchor) for each in named] == [
        (30, "1", "middle"),
        (220, "1,230", "middle"),
        (410, "1,230", "middle"),
    ]
    below = found.text("median, dollars")
    assert (below.x, below.y, below.anchor) == (220, pytest.approx(colours[0].y + 45, abs=NEAR), "middle")
    assert found.height == pytest.approx(colours[0].y + 54, abs=NEAR)
    bare = drawn(heat_map(cells, title="t", width=SIZE, height=SIZE))
    assert "value" in bare.said and bare.boxes[0].tip == "value 1, 1 row"


def test_a_tall_map_is_no_taller_than_it_may_be_and_near_a_pole_not_without_width() -> None:
    tall = drawn(heat_map([cell(0, 0, 1), cell(0, 40, 2)], title="t", width=SIZE, height=SIZE))
    assert max(each.bottom for each in squares(tall)) - min(each.y for each in squares(tall)) == pytest.approx(
        TALLEST, abs=0.5
    )
    pole = [MapCell(longitude=0, latitude=89.98, value=1), MapCell(longitude=1, latitude=89.98, value=2)]
    first, second = squares(drawn(heat_map(pole, title="t", width=1, height=0.01)))
    assert second.x > first.x and first.width / first.height == pytest.approx(0.05 * 100, rel=0.1)


def test_a_map_of_no_cells_says_so() -> None:
    found = drawn(heat_map([], title="t", width=1, height=1))
    words = found.text("no places to show")
    assert (words.x, words.y, words.kind, found.height, found.title) == (10, 56, "small", 70, "t")


numbers = st.none() | st.floats(-1, 1)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 6).flatmap(
        lambda n: st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=n, max_size=n)
    )
)
def test_a_matrix_has_each_number_in_its_row_and_column(values: list[list[float | None]]) -> None:
    names = [f"name {n}" for n in range(len(values))]
    found = drawn(matrix(values, names, title="Correlations"))
    assert list(found.turned) == names
    rows = [each for each in found.texts if each.anchor == "end"]
    assert [each.words for each in rows] == names
    left, top = rows[0].x + 8, rows[0].y - 24
    boxes = list(found.boxes)
    for row, held in enumerate(values):
        for column, value in enumerate(held):
            inside = [each for each in boxes if each.holds(left + 40 * column + 20, top + 40 * row + 20)]
            assert len(inside) == (value is not None)
            if value is None:
                continue
            (box,) = inside
            assert (box.width, box.height) == (38, 38)
            assert (box.x, box.y) == (
                pytest.approx(left + 40 * column + 1, abs=2 * NEAR),
                pytest.approx(top + 40 * row + 1, abs=2 * NEAR),
            )
            assert box.kind == ("up" if value > 0 else "down")
            assert box.opacity == pytest.approx(abs(value) * 0.7, abs=0.0051)
            assert box.tip.startswith(f"name {row} and name {column}: ")
            assert value_of(box.tip.rpartition(": ")[2]) == pytest.approx(value, abs=0.00051)
            (words,) = [each for each in found.texts if each.kind == "in" and box.holds(each.x, each.y)]
            assert value_of(words.words) == pytest.approx(value, abs=0.0051)
            assert (words.x, words.y) == (
                pytest.approx(box.x + 19, abs=NEAR * 2),
                pytest.approx(box.y + 23, abs=NEAR * 2),
            )


def test_a_matrix_writes_short_numbers_and_is_as_wide_as_it_has_to_be() -> None:
    found = drawn(matrix([[0.994, -0.25], [-0.996, 0.0]], ["a", "b"], title="t"))
    assert [each.words for each in found.texts if each.kind == "in"] == [".99", "−.25", "−1", ".00"]
    assert ".chart .in{font-size:12px;text-anchor:middle}" in found.style
    assert (found.width, drawn(matrix([], [], title="t")).width) == (240, 240)
    labels = 9 * 7.4 + 18
    wide = drawn(matrix([[0.5] * 6] * 6, ["nine sign"] * 6, title="t"))
    assert wide.width == pytest.approx(labels + 240 + labels * 0.72 + 10, abs=NEAR)
    assert wide.boxes[0].y == pytest.approx(40 + labels * 0.72 + 6 + 1, abs=NEAR)
    assert wide.height == pytest.approx(wide.boxes[-1].bottom + 1 + 10, abs=NEAR)


def test_names_of_a_matrix_take_190_px_at_most() -> None:
    long = "a name that is much longer than that " * 2
    found = drawn(matrix([[0.5]], [long], title="t"))
    (name,) = [each for each in found.texts if each.anchor == "end"]
    assert name.tip == long and name.x == 182 and 160 < len(name.words) * 7.4 <= 182
    assert found.turned == (name.words,) and found.boxes[0].x == 191


def test_the_steps_of_the_colours_grow_lighter() -> None:
    lightness = [
        sum(int(each[at : at + 2], 16) * part for at, part in ((1, 0.2), (3, 0.7), (5, 0.1))) for each in STEPS
    ]
    assert all(dark < light for dark, light in pairwise(lightness))
