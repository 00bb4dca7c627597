"""Histograms, read back by their own axes: a bin lies between its edges and is as high as its share."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relet.report.charts.distribution import LEFT, PLOT, RIGHT, histogram, outside_note
from relet.report.drawing import WIDTH, ticks
from relet.report.wording import number, share
from tests.unit.report.drawn import NEAR, Drawn, drawn, scale_of, value_of

steps = st.lists(st.floats(0.5, 20), min_size=1, max_size=9)


def axes(found: Drawn) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """What the ticks of the two axes say: (value, place) along it, and (share, place) up it."""
    heights = [(value_of(each.words), each.y - 4) for each in found.texts if each.anchor == "end"]
    base = max(place for _, place in heights)
    along = [(value_of(each.words), each.x) for each in found.texts if each.y == base + 18 and each.x > LEFT - 20]
    return along, heights


@settings(deadline=None, max_examples=60)
@given(steps, st.floats(-1000, 1000), st.data())
def test_a_histogram_read_by_its_axes_gives_back_its_shares_and_edges(
    wide: list[float], start: float, data: st.DataObject
) -> None:
    edges = [start, *(start + at for at in accumulate(wide))]
    values = st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=len(wide), max_size=len(wide))
    series = {name: data.draw(values) for name in data.draw(st.sampled_from([["a"], ["a", "b"], ["a", "b", "c"]]))}
    largest = max(map(max, series.values()))
    assume(largest > 0.01)
    found = drawn(histogram(series, edges, title="price"))
    along, heights = axes(found)
    assert sorted(value for value, _ in heights) == pytest.approx(ticks(0, largest, 4), abs=0.001)
    height_at = scale_of(heights)
    slack = 0.3 * largest / PLOT
    tips = [each for each in found.boxes if each.kind == "tip"]
    # each bin lies between its edges, over the whole height, and says its shares
    xs = [LEFT + (edge - start) / (edges[-1] - start) * (WIDTH - LEFT - RIGHT) for edge in edges]
    if len(along) > 1 and all(abs(at) > 1e-6 for at, _ in along):
        scale = scale_of(along)
        # a tick is labelled with four digits
        rounding = 0.001 * max(map(abs, edges))
        assert [scale(each.x) for each in tips] == pytest.approx(
            edges[:-1], abs=(edges[-1] - start) * 0.01 + rounding
        )
    for (left, right), (low, high), tip, place in zip(
        pairwise(xs), pairwise(edges), tips, range(len(wide)), strict=True
    ):
        assert (tip.x, tip.right) == (pytest.approx(left, abs=NEAR), pytest.approx(right, abs=2 * NEAR))
        assert (height_at(tip.bottom), tip.height) == (pytest.approx(0, abs=slack), PLOT)
        assert height_at(tip.y) == pytest.approx(largest, abs=slack)
        told = [share(each[place]) for each in series.values()]
        if len(series) > 1:
            told = [f"{name}: {words}" for name, words in zip(series, told, strict=True)]
        assert tip.tip == f"{number(low)} to {number(high)} – {', '.join(told)}"
    # the first series are bars
    first = {place: value for place, value in enumerate(series["a"]) if value > 0}
    bars = [each for each in found.boxes if each.kind == "s0" and (each.width != 12 or each.y > 60)]
    for (place, value), bar in zip(first.items(), bars, strict=True):
        assert bar.x == pytest.approx(xs[place], abs=NEAR)
        assert bar.width == pytest.approx(max(xs[place + 1] - xs[place] - 0.6, 0.6), abs=NEAR)
        assert height_at(bar.y) == pytest.approx(value, abs=slack)
        assert bar.bottom == pytest.approx(tips[0].bottom, abs=0.2)
    # each further one is a line over them, from the foot to the foot
    for order, (name, path) in enumerate(zip(list(series)[1:], found.paths, strict=True), 1):
        assert path.kind == f"o{order}"
        begin, *held, end = path.points
        assert (begin, end) == ((tips[0].x, tips[0].bottom), (pytest.approx(tips[-1].right, abs=0.2), begin[1]))
        assert held[0][0] == begin[0]
        levels = [height_at(y) for (_, above), (_, y) in zip(held[::2], held[1::2], strict=True) if above == y]
        assert levels == pytest.approx(series[name], abs=slack)
        assert [x for x, _ in held[1::2]] == pytest.approx(xs[1:], abs=NEAR)


def test_lines_across_say_which_share_they_stand_for_and_the_lowest_is_the_axis() -> None:
    found = drawn(histogram({"a": [0.2, 0.8]}, [0, 10, 20], title="t"))
    across = [each for each in found.lines if each.kind in ("line", "axis")]
    assert [each.kind for each in across] == ["axis", "line", "line", "line", "line"]
    assert [each.words for each in found.texts if each.anchor == "end"] == ["0%", "20%", "40%", "60%", "80%"]
    for line, words in zip(across, [each for each in found.texts if each.anchor == "end"], strict=True):
        assert line.points == ((LEFT, words.y - 4), (WIDTH - RIGHT, words.y - 4)) and words.x == LEFT - 6
    assert across[0].points[0][1] == 46 + PLOT and found.height == 46 + PLOT + 24 + 6


def test_with_a_legend_or_a_note_a_histogram_is_higher() -> None:
    two = drawn(histogram({"a": [1.0], "b": [1.0]}, [0, 1], title="t"))
    assert two.boxes[0].kind == "s0" and two.boxes[1].kind == "s1"  # the legend
    assert max(each.bottom for each in two.boxes if each.kind == "tip") == 70 + PLOT
    noted = drawn(histogram({"a": [1.0]}, [0, 1], title="t", note="3 values above"))
    words = noted.text("3 values above")
    assert (words.x, words.y, words.kind, words.tip) == (LEFT, 46 + PLOT + 24 + 18, "small", "3 values above")
    assert noted.height == 46 + PLOT + 24 + 26
    long = "3 values above " * 20
    (cut,) = [each for each in drawn(histogram({"a": [1.0]}, [0, 1], title="t", note=long)).texts if each.tip]
    assert cut.tip == long and 360 < len(cut.words) * 7.4 <= WIDTH - LEFT - RIGHT


def test_the_unit_stands_at_the_last_mark_and_under_the_pointer() -> None:
    found = drawn(histogram({"a": [0.5, 0.5]}, [0, 100, 200], title="t", unit="dollars"))
    assert [each.words for each in found.texts if each.y == 46 + PLOT + 18] == [
        "0",
        "50",
        "100",
        "150",
        "200 dollars",
    ]
    assert found.boxes[-1].tip == "100 to 200 dollars – 50.0%"


def test_marks_of_one_s_own_stand_where_they_belong_and_label_the_edges() -> None:
    found = drawn(
        histogram({"a": [0.5, 0.5]}, [0, 5, 10], title="t", label=lambda at: f"<{at:.0f}>", marks={2.5: "early"})
    )
    (early,) = [each for each in found.texts if each.words == "early"]
    assert early.x == pytest.approx(LEFT + (WIDTH - LEFT - RIGHT) / 4, abs=NEAR) and early.anchor == "middle"
    assert [each.tip for each in found.boxes if each.kind == "tip"] == [
        "<0> to <5> – 50.0%",
        "<5> to <10> – 50.0%",
    ]


def test_no_mark_is_set_over_another_nor_out_of_the_drawing() -> None:
    marks = {0: "a name of some length", 1: "another name of it", 9: "nine", 10: "and the last of them all"}
    found = drawn(histogram({"a": [1.0]}, [0, 10], title="t", marks=marks))
    shown = [each for each in found.texts if each.y == 46 + PLOT + 18]
    assert [each.words for each in shown] == ["a name of some length", "and the last of them all"] or [
        each.words for each in shown
    ] == ["a name of some length", "nine"]
    spans = [(each.x - len(each.words) * 3.7, each.x + len(each.words) * 3.7) for each in shown]
    assert all(left >= -NEAR and right <= WIDTH + NEAR for left, right in spans)
    assert all(before[1] + 8 - NEAR <= after[0] for before, after in pairwise(spans))
    edge = drawn(histogram({"a": [1.0]}, [0, 10], title="t", marks={0: "x" * 16, 10: "y" * 16}))
    first, last = (edge.text(sign * 16) for sign in "xy")
    assert (first.x, last.x) == (pytest.approx(16 * 3.7, abs=NEAR), pytest.approx(WIDTH - 16 * 3.7, abs=NEAR))


def test_marks_that_just_fit_beside_one_another_are_all_named() -> None:
    # 378 px for ten units: the names of 4 letters take 29.6 px each, and 8 px between them
    close = dict.fromkeys(range(1, 10), "1234")
    found = drawn(histogram({"a": [1.0]}, [0, 10], title="t", marks=close))
    assert found.said.count("1234") == 9
    closer = dict.fromkeys(range(1, 10), "12345")
    assert drawn(histogram({"a": [1.0]}, [0, 10], title="t", marks=closer)).said.count("12345") == 5


def test_bins_of_no_rows_have_no_bar_and_a_narrow_one_can_be_seen() -> None:
    found = drawn(histogram({"a": [0.5, 0.0, 0.5]}, [0, 0.001, 50, 100], title="t"))
    narrow, wide = [each for each in found.boxes if each.kind == "s0"]
    assert narrow.width == 0.6 and wide.x == pytest.approx(LEFT + 189, abs=NEAR)


def test_an_interval_of_one_place_and_shares_of_nothing_can_be_drawn() -> None:
    drawn(histogram({"a": [1.0]}, [3, 3], title="t"))
    flat = drawn(histogram({"a": [0.0]}, [0, 1], title="t"))
    assert [each.words for each in flat.texts if each.anchor == "end"] == ["0%", "25%", "50%", "75%", "100%"]


@pytest.mark.parametrize(
    ("below", "above", "words"),
    [
        (0, 0, ""),
        (1, 0, "1 value below, down to −5"),
        (0, 2, "2 values above, up to 99"),
        (3, 1, "3 values below, down to −5; 1 value above, up to 99"),
    ],
)
def test_what_a_histogram_leaves_out_is_said_by_end(below: int, above: int, words: str) -> None:
    assert outside_note(below, above, "−5", "99") == words


@pytest.mark.parametrize(
    ("low", "high", "most", "found"),
    [
        (0, 350, 5, [0, 100, 200, 300]),
        (0, 5, 5, [0, 1, 2, 3, 4, 5]),
        (0, 10, 5, [0, 2, 4, 6, 8, 10]),
        (0, 12.5, 5, [0, 2.5, 5, 7.5, 10, 12.5]),
        (1, 26, 5, [5, 10, 15, 20, 25]),
        (0, 30, 4, [0, 10, 20, 30]),
        (-3, 3, 4, [-2, 0, 2]),
        (0.001, 0.0045, 5, [0.001, 0.002, 0.003, 0.004]),
        (7, 7, 5, [7]),
        (7, 6, 5, [7]),
        (0, float("inf"), 5, [0]),
        (0, 5e-324, 5, [0]),
        (0.3, 0.4, 1, [0.3, 0.4]),
        (12, 18, 1, [12]),
    ],
)
def test_ticks_are_at_round_numbers(low: float, high: float, most: int, found: list[float]) -> None:
    assert ticks(low, high, most) == found
