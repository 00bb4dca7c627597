"""Bars, dots and ranges, read back: what is drawn is what the data say, and it stands beside its name."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.report.bars import bars
from relet.report.charts.categories import dots, grouped_bars
from relet.report.charts.ranges import ranges
from relet.report.drawing import SERIES
from relet.report.wording import share
from tests.unit.report.drawn import NEAR, Box, Drawn, Words, drawn, scale_of, value_of

names = st.text("abcdef ", min_size=1, max_size=9)
parts = st.floats(0, 1)
# What stays free at the right of the longest mark, for the value.
VALUES = 58


def labels(found: Drawn) -> list[Words]:
    return [each for each in found.texts if each.anchor == "end"]


def value_beside(found: Drawn, x: float, y: float) -> str:
    """The value that is written to the right of a mark that ends at x."""
    (words,) = [each for each in found.texts if each.kind == "small" and abs(each.x - x) < 12 and each.y == y]
    assert words.x > x
    return words.words


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(names, parts, min_size=1, max_size=30), st.integers(1, 24))
def test_a_bar_is_as_long_as_its_share_and_stands_between_its_name_and_its_value(
    shares: dict[str, float], most: int
) -> None:
    found = drawn(bars(shares, title="Shares", most=most))
    shown = list(shares.items())[:most]
    assert [each.words for each in labels(found)] == [name for name, _ in shown]
    assert found.title == ("Shares" if len(shares) <= most else f"Shares, the first {most} of {len(shares)}")
    room = found.width - VALUES - found.boxes[0].x
    largest = max(value for _, value in shown)
    for (name, value), label, bar in zip(shown, labels(found), found.boxes, strict=True):
        assert (bar.kind, bar.tip, bar.x) == ("s0", f"{name}: {share(value)}", found.boxes[0].x)
        assert bar.width == pytest.approx(room * value / largest if largest else 0, abs=NEAR)
        assert bar.x - label.x == pytest.approx(8, abs=NEAR) and bar.holds(bar.x, label.y - 4)
        assert value_beside(found, bar.right, label.y) == share(value)


def test_bars_lie_below_one_another_with_room_between_them_and_above_the_end() -> None:
    found = drawn(bars({"a": 0.5, "bb": 0.25, "ccc": 0.1}, title="Shares"))
    assert [(each.y, each.height) for each in found.boxes] == [(43, 16), (67, 16), (91, 16)]
    assert [each.y for each in labels(found)] == [55, 79, 103]
    assert found.height == 120 and (found.heading.x, found.heading.y, found.heading.kind) == (10, 24, "title")
    # as wide as the widest name, and a little more
    assert found.boxes[0].x == pytest.approx(3 * 7.4 + 18, abs=NEAR)


def test_names_take_half_of_a_drawing_at_most_and_are_then_cut_off() -> None:
    long = "a very long name " * 5
    found = drawn(bars({long: 0.5, "short": 1.0}, title="Shares"))
    cut, short = labels(found)
    assert found.boxes[0].x == 236
    assert cut.words.endswith("…") and long.startswith(cut.words[:-1]) and cut.tip == long
    assert 210 < len(cut.words) * 7.4 <= 228
    assert (short.words, short.tip) == ("short", "")


def test_as_many_bars_as_asked_for_need_no_word_on_what_was_left_out() -> None:
    shares = {f"f{number}": 0.1 for number in range(20)}
    assert drawn(bars(shares, title="t")).title == "t"
    assert drawn(bars(shares | {"more": 0.1}, title="t")).title == "t, the first 20 of 21"
    assert drawn(grouped_bars({name: {"a": 0.1} for name in shares}, title="t")).title == "t"
    more = {name: {"a": 0.1} for name in [*shares, "more"]}
    assert drawn(grouped_bars(more, title="t")).title == "t, the first 20 of 21"


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(names, st.dictionaries(st.sampled_from("ABCDEF"), parts, min_size=1), min_size=1, max_size=6)
)
def test_grouped_bars_have_one_scale_and_one_colour_for_each_series(shares: dict[str, dict[str, float]]) -> None:
    found = drawn(grouped_bars(shares, title="borough"))
    series = list(dict.fromkeys(name for each in shares.values() for name in each))
    key = [each for each in found.boxes if not each.tip]
    marks = [each for each in found.boxes if each.tip]
    colours = legend_colours(found, key)
    assert list(colours) == (series if len(series) > 1 else [])
    largest = max(max(each.values()) for each in shares.values())
    room = found.width - VALUES - marks[0].x
    groups = [marks[at : at + len(series)] for at in range(0, len(marks), len(series))]
    for (name, values), label, group in zip(shares.items(), labels(found), groups, strict=True):
        assert label.words == name and group[0].x - label.x == pytest.approx(8, abs=NEAR)
        # its name stands at the middle of the group
        assert label.y - 4 == pytest.approx((group[0].y + group[-1].bottom) / 2, abs=2)
        for of, bar in zip(series, group, strict=True):
            value = values.get(of, 0.0)
            assert bar.tip == f"{name}, {of}: {share(value)}"
            assert bar.kind == colours.get(of, "s0")
            assert bar.width == pytest.approx(room * value / largest if largest else 0, abs=NEAR)
            assert value_beside(found, bar.right, bar.y + 11) == share(value)
    # nothing lies over anything else
    ends = [(each.y, each.bottom) for each in marks]
    assert all(above[1] < below[0] for above, below in pairwise(ends))
    assert all(each.bottom < ends[0][0] for each in key)


def legend_colours(found: Drawn, key: list[Box]) -> dict[str, str]:
    """The colour of each series by the legend: the box at the left of its name."""
    colours = {}
    for square in key:
        (words,) = [
            each for each in found.texts if 0 < each.x - square.right < 8 and square.holds(square.x, each.y)
        ]
        colours[words.tip or words.words] = square.kind
    return colours


def test_grouped_bars_lie_close_within_a_group_and_apart_between_groups() -> None:
    found = drawn(grouped_bars({"a": {"x": 0.5, "y": 0.1}, "b": {"x": 0.2, "y": 0.4}}, title="t"))
    marks = [each for each in found.boxes if each.tip]
    assert [(each.y, each.height) for each in marks] == [(70, 12), (85, 12), (109, 12), (124, 12)]
    assert [each.y for each in labels(found)] == [89.5, 128.5] and found.height == 152
    alone = drawn(grouped_bars({"a": {"x": 0.5}, "b": {"x": 0.2}}, title="t"))
    assert [each.y for each in alone.boxes] == [44, 68] and alone.height == 96
    assert len(alone.boxes) == 2  # one series needs no legend


def test_a_legend_names_the_series_in_a_row_each_behind_its_colour() -> None:
    found = drawn(grouped_bars({"a": {"old": 0.5, "the new one": 0.1, "third": 0.2}}, title="t"))
    key = [each for each in found.boxes if not each.tip]
    assert [(each.kind, each.width, each.height, each.y) for each in key] == [
        ("s0", 12, 12, 38),
        ("s1", 12, 12, 38),
        ("s2", 12, 12, 38),
    ]
    assert [each.x for each in key] == pytest.approx([10, 10 + 3 * 7.4 + 36, 10 + 14 * 7.4 + 72], abs=NEAR)
    for name, square in zip(["old", "the new one", "third"], key, strict=True):
        assert (found.text(name).x, found.text(name).y) == (pytest.approx(square.x + 17, abs=NEAR), 48)


def test_a_legend_of_long_names_gives_each_the_same_room() -> None:
    many = {f"{n} {'name ' * 20}": 0.1 for n in range(3)}
    found = drawn(grouped_bars({"a": many}, title="t"))
    key = [each for each in found.boxes if not each.tip]
    assert [each.x for each in key] == pytest.approx([10, 150, 290], abs=NEAR)
    cut = [each for each in found.texts if each.tip in many]
    assert all(each.words.endswith("…") and 100 < len(each.words) * 7.4 <= 116 for each in cut) and len(cut) == 3


def test_series_beyond_the_palette_begin_it_again() -> None:
    found = drawn(grouped_bars({"a": {str(n): 0.1 for n in range(6)}}, title="t"))
    assert [each.kind for each in found.boxes if each.tip] == ["s0", "s1", "s2", "s3", "s0", "s1"]
    assert all(
        f".chart .s{number}{{fill:var(--s{number},{SERIES[number]})}}" in found.style for number in range(4)
    )


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(names, st.floats(-2, 5), min_size=1, max_size=8),
    st.floats(0.1, 6),
    st.sampled_from(["", "floor"]),
)
def test_dots_lie_at_their_values_and_are_orange_from_the_mark_on(
    values: dict[str, float], mark: float, mark_label: str
) -> None:
    found = drawn(dots(values, title="Effect", mark=mark, mark_label=mark_label))
    (marked,) = [each for each in found.lines if each.kind == "axis dashed"]
    start = found.lines[1].points[0][0]
    assert marked.points[0][0] == marked.points[1][0]
    # the longest ends where the values begin
    largest = max(*values.values(), mark * 1.15)
    unit = (found.width - VALUES - start) / largest
    assert marked.points[0][0] - start == pytest.approx(mark * unit, abs=2 * NEAR)
    stems = [each for each in found.lines if each.kind == "line"]
    for (name, value), label, stem, dot in zip(values.items(), labels(found), stems, found.dots, strict=True):
        assert label.words == name and label.y == dot.y + 4
        assert stem.points == ((start, dot.y), (dot.x, dot.y))
        assert dot.x - start == pytest.approx(max(value, 0) * unit, abs=2 * NEAR)
        assert dot.kind == ("s1" if value >= mark else "s0")
        assert (value_of(dot.tip), value_of(value_beside(found, dot.x, label.y))) == (
            pytest.approx(value, rel=1e-3),
            pytest.approx(value, abs=0.00051),
        )
        # the dashed line passes each of them
        assert marked.points[0][1] < dot.y < marked.points[1][1]
    if mark_label:
        words = found.text("floor")
        assert abs(words.x - marked.points[0][0]) < 20 and words.y < marked.points[0][1]
    else:
        assert found.said.count("floor") == 0


def test_dots_lie_below_one_another_under_the_name_of_the_mark() -> None:
    found = drawn(dots({"a": 0.5, "b": 2.0}, title="t", mark_label="floor"))
    assert [(each.y, each.radius) for each in found.dots] == [(76, 5.5), (100, 5.5)]
    assert found.lines[0].points[0][1] == 64 and found.lines[0].points[1][1] == 112
    assert (found.text("floor").y, found.text("floor").anchor) == (58, "middle") and found.height == 120
    bare = drawn(dots({"a": 0.5}, title="t"))
    assert [each.y for each in bare.dots] == [56] and bare.height == 76
    assert found.text("2").x == found.dots[1].x + 10
    assert "stroke-dasharray" in found.style


def test_the_name_of_a_mark_stays_within_the_drawing() -> None:
    words = "a name longer than the room beside"
    left = drawn(dots({"a": 99.0}, title="t", mark=0.01, mark_label=words)).text(words)
    right = drawn(dots({"a": 0.1}, title="t", mark=1, mark_label=words)).text(words)
    half = len(words) * 7.4 / 2
    assert left.x == pytest.approx(half, abs=NEAR) and right.x == pytest.approx(440 - half - 4, abs=NEAR)


def test_only_the_first_forty_dots_are_drawn() -> None:
    assert len(drawn(dots({str(n): 1.0 for n in range(50)}, title="t")).dots) == 40
    assert len(drawn(dots({str(n): 1.0 for n in range(50)}, title="t", most=3)).dots) == 3


three = st.lists(parts, min_size=3, max_size=3).map(sorted).map(tuple)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(names, three, min_size=1, max_size=8), parts, st.booleans())
def test_ranges_lie_on_an_axis_that_its_ticks_name_and_the_weak_are_orange(
    shares: dict[str, tuple[float, float, float]], mark: float, named: bool
) -> None:
    weak = list(shares)[::2]
    found = drawn(ranges(shares, title="t", mark=mark, mark_label="asked for" if named else "", weak=weak))
    dashed, axis, *spans = found.lines
    assert (dashed.kind, axis.kind) == ("axis dashed", "axis")
    base = axis.points[0][1]
    scale = scale_of([(value_of(each.words), each.x) for each in found.texts if each.y == base + 16])
    slack = 0.002
    # the axis begins at a round number below all of them, and ends at 1 beside the values
    start = scale(axis.points[0][0])
    assert start == pytest.approx(round(start, 1), abs=slack) and start <= 0.9 + slack
    assert start <= min(mark, *(low for low, _, _ in shares.values())) + slack
    assert start > min(mark, 0.9, *(low for low, _, _ in shares.values())) - 0.1 - slack
    assert scale(axis.points[1][0]) == pytest.approx(1, abs=slack) and axis.points[1][0] == found.width - VALUES
    assert scale(dashed.points[0][0]) == pytest.approx(mark, abs=slack)
    assert dashed.points[0][0] == dashed.points[1][0] and dashed.points[1][1] == base
    for (name, (low, middle, high)), label, span, dot in zip(
        shares.items(), labels(found), spans, found.dots, strict=True
    ):
        assert label.words == name and label.y == dot.y + 4 and span.points[0][1] == span.points[1][1] == dot.y
        assert axis.points[0][0] - label.x == pytest.approx(8, abs=NEAR)
        assert [scale(span.points[0][0]), scale(dot.x), scale(span.points[1][0])] == pytest.approx(
            [low, middle, high], abs=slack
        )
        assert (span.kind, dot.kind) == (("o1", "s1") if name in weak else ("o0", "s0"))
        assert dot.tip == f"{name}: {share(middle)}, by chance {share(low)} to {share(high)}"
        assert dashed.points[0][1] < dot.y < base
        assert found.texts_at(x=axis.points[1][0] + 8, y=label.y)[0].words == share(middle)
    assert ("asked for" in found.said) == named


def test_ranges_lie_below_one_another_under_the_name_of_the_mark() -> None:
    shares = {"a": (0.7, 0.8, 0.85), "b": (0.86, 0.9, 0.93)}
    found = drawn(ranges(shares, title="t", mark=0.9, mark_label="asked for"))
    assert [(each.y, each.radius) for each in found.dots] == [(76, 5.5), (100, 5.5)]
    assert found.lines[0].points[0][1] == 64 and found.lines[1].points[0][1] == 112 and found.height == 138
    words = found.text("asked for")
    assert (words.y, words.anchor, words.x) == (58, "middle", found.lines[0].points[0][0])
    bare = drawn(ranges(shares, title="t", mark=0.9))
    assert [each.y for each in bare.dots] == [56, 80]
    assert "stroke-dasharray" in found.style
    assert [each.words for each in found.texts if each.y == 128] == ["70%", "80%", "90%", "100%"]


def test_the_name_of_a_mark_at_the_end_of_ranges_stays_within_the_drawing() -> None:
    words = "a name much longer than the room beside it"
    found = drawn(ranges({"a": (0.9, 0.95, 1.0)}, title="t", mark=1.0, mark_label=words)).text(words)
    assert found.x == pytest.approx(440 - len(words) * 7.4 / 2 - 4, abs=NEAR)
