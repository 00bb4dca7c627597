"""Curves and parallel coordinates, read back by their own axes: every point is where its number is."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.report.charts.grids import STEPS
from relet.report.charts.lines import AXIS, LEFT, PLOT, RIGHT, line_chart
from relet.report.charts.parallel import parallel_coordinates
from relet.report.drawing import WIDTH
from relet.report.wording import number
from tests.unit.report.drawn import NEAR, Drawn, Line, drawn, scale_of, value_of

# Numbers that a tick writes in full.
whole = st.integers(-500, 500).map(float)
points = st.lists(
    st.tuples(st.integers(1, 90), whole), min_size=2, max_size=9, unique_by=lambda each: each[0]
).map(sorted)


def axes(found: Drawn) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """What the ticks of the two axes say: (step, place) along it, and (value, place) up it."""
    base = next(each for each in found.lines if each.kind == "axis").points[0][1]
    along = [(value_of(each.words), each.x) for each in found.texts if each.y == round(base + 17, 1)]
    return along, [(value_of(each.words), each.y - 4) for each in found.texts if each.anchor == "end"]


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), points, min_size=1), st.lists(points, max_size=2))
def test_curves_read_by_their_axes_give_back_their_points(
    series: dict[str, list[tuple[int, float]]], faint: list[list[tuple[int, float]]]
) -> None:
    loose = {"alone": (7, 3.5)}
    found = drawn(line_chart(series, title="Error", x="rounds", unit="dollars", faint=faint, loose=loose))
    along, up = axes(found)
    assert len(along) > 1 and len(up) > 1
    step_at, value_at = scale_of(along), scale_of([*up][::-1])
    every = [*(point for each in (*series.values(), *faint) for point in each), *loose.values()]
    steps, values = [at for at, _ in every], [value for _, value in every]
    near_x, near_y = (max(steps) - min(steps) + 1) / 2000, (max(values) - min(values) + 1) / 800
    curves = [each for each in found.curves if each.kind != "behind"]
    for order, (curve, held) in enumerate(zip(curves, series.values(), strict=True)):
        assert curve.kind == f"o{order}"
        assert [(step_at(x), value_at(y)) for x, y in curve.points] == [
            (pytest.approx(at, abs=near_x), pytest.approx(value, abs=near_y)) for at, value in held
        ]
    for curve, held in zip([each for each in found.curves if each.kind == "behind"], faint, strict=True):
        assert [value_at(y) for _, y in curve.points] == pytest.approx([value for _, value in held], abs=near_y)
    dots = {each.tip: each for each in found.dots}
    for order, (name, held) in enumerate(series.items()):
        for at, value in held:
            dot = dots[f"{name}: {number(value)} at {number(at)}"]
            assert (dot.kind, dot.radius) == (f"s{order}", 3)
            assert (step_at(dot.x), value_at(dot.y)) == (
                pytest.approx(at, abs=near_x),
                pytest.approx(value, abs=near_y),
            )
    alone = dots["alone: 3.5"]
    assert (alone.kind, step_at(alone.x), value_at(alone.y)) == (
        "loose",
        pytest.approx(7, abs=near_x),
        pytest.approx(3.5, abs=near_y),
    )
    # the axes' ends hold the data, and no more than a little beside them
    base = next(each for each in found.lines if each.kind == "axis").points[0][1]
    ends = value_at(base), value_at(base - PLOT)
    spread = max(values) - min(values)
    if spread:
        assert ends == (
            pytest.approx(min(values) - spread * 0.04, abs=near_y * 2),
            pytest.approx(max(values) + spread * 0.04, abs=near_y * 2),
        )
    assert (step_at(LEFT), step_at(WIDTH - RIGHT)) == (
        pytest.approx(min(steps), abs=near_x * 2),
        pytest.approx(max(steps), abs=near_x * 2),
    )
    assert "rounds; dollars" in found.said


def test_the_frame_has_a_line_at_each_value_that_it_names_and_an_axis_below() -> None:
    found = drawn(line_chart({"a": [(0, 0.0), (10, 100.0)]}, title="t", x="rounds"))
    *across, axis = found.lines
    named = [each for each in found.texts if each.anchor == "end"]
    assert [each.words for each in named] == ["0", "50", "100"]
    for line, words in zip(across, named, strict=True):
        assert line.points == ((LEFT, words.y - 4), (WIDTH - RIGHT, words.y - 4)) and line.kind == "line"
        assert words.x == LEFT - 6
    assert (axis.kind, axis.points) == ("axis", ((LEFT, 48 + PLOT), (WIDTH - RIGHT, 48 + PLOT)))
    assert [each.words for each in found.texts if each.y == 48 + PLOT + 17] == ["0", "2", "4", "6", "8", "10"]
    below = found.text("rounds")
    assert (below.x, below.y, below.anchor) == ((LEFT + WIDTH - RIGHT) / 2, 48 + PLOT + 34, "middle")
    assert found.height == 48 + PLOT + AXIS
    assert ".chart .behind{fill:none" in found.style and ".chart .loose{" in found.style
    (cut,) = [each for each in drawn(line_chart({"a": [(0, 0.0)]}, title="t", x="x" * 99)).said if "xx" in each]
    assert 280 < len(cut) * 7.4 <= 300


def test_equal_values_lie_in_the_middle_and_one_step_too() -> None:
    for value in (0.0, 40.0, -40.0):
        found = drawn(line_chart({"a": [(3, value)]}, title="t"))
        (dot,) = found.dots
        assert (dot.x, dot.y) == (pytest.approx((LEFT + WIDTH - RIGHT) / 2, abs=NEAR), 48 + PLOT / 2)
        room = abs(value) * 0.05 or 1.0
        assert all(abs(value_of(each.words) - value) <= room for each in found.texts if each.anchor == "end")


def test_labels_of_steps_are_not_set_over_one_another() -> None:
    found = drawn(line_chart({"a": [(0, 1.0), (5_000_000_000, 2.0)]}, title="t"))
    named = [each for each in found.texts if each.y == 48 + PLOT + 17]
    spans = [(each.x - len(each.words) * 3.7, each.x + len(each.words) * 3.7) for each in named]
    assert len(named) == 4 and all(before[1] + 8 <= after[0] + NEAR for before, after in pairwise(spans))
    assert spans[-1][1] <= WIDTH - 2 + NEAR


def legend(found: Drawn) -> dict[str, Line]:
    """The sample of each series by its name: the short line at the left of it."""
    samples = [each for each in found.lines if each.kind.startswith("o")]
    entries = {}
    for sample in samples:
        (start, y), (end, _) = sample.points
        (words,) = [each for each in found.texts if each.x == pytest.approx(end + 6, abs=NEAR) and each.y == y + 4]
        assert end - start == pytest.approx(22, abs=NEAR)
        entries[words.tip or words.words] = sample
    return entries


def test_the_legend_names_the_colours_and_dashes_that_the_lines_have() -> None:
    series = {f"run {n}": [(0, float(n)), (9, n + 1.0)] for n in range(13)}
    found = drawn(line_chart(series, title="t"))
    entries = legend(found)
    assert list(entries) == list(series)
    for order, (curve, sample) in enumerate(zip(found.curves, entries.values(), strict=True)):
        assert (sample.kind, sample.dashes) == (curve.kind, curve.dashes)
        assert (curve.kind, curve.dashes) == (f"o{order % 4}", ("", "7 4", "2 4")[order // 4 % 3])
    assert not legend(drawn(line_chart({"a": [(0, 1.0)]}, title="t")))


def test_the_legend_breaks_into_rows_above_the_plot() -> None:
    found = drawn(line_chart({f"{n} {'n' * 18}": [(0, 1.0), (1, 2.0)] for n in range(4)}, title="t"))
    entries = [each.points[0] for each in legend(found).values()]
    wide = 20 * 7.4 + 46
    # two of them are in a row, 20 px below the row before
    assert entries == [(10, 44), (pytest.approx(10 + wide, abs=NEAR), 44), (10, 64), (entries[1][0], 64)]
    axis = next(each for each in found.lines if each.kind == "axis")
    assert axis.points[0][1] == 40 + 2 * 20 + 8 + PLOT and found.height == 40 + 48 + PLOT + AXIS
    one = drawn(line_chart({"a": [(0, 1.0)], "b": [(0, 2.0)]}, title="t"))
    assert one.height == 40 + 28 + PLOT + AXIS
    # entries that fill the row to its end stay in it
    fits = drawn(line_chart({"a" * 24: [(0, 1.0)], "b" * 20: [(0, 2.0)]}, title="t"))
    assert len({each.points[0][1] for each in legend(fits).values()}) == 1
    wider = drawn(line_chart({"a" * 24: [(0, 1.0)], "b" * 21: [(0, 2.0)]}, title="t"))
    assert len({each.points[0][1] for each in legend(wider).values()}) == 2


def test_a_long_name_of_a_curve_is_cut_off_and_whole_under_the_pointer() -> None:
    long = "a very long name " * 9
    found = drawn(line_chart({long: [(0, 1.0)], "b": [(0, 2.0)]}, title="t"))
    assert list(legend(found)) == [long, "b"]
    (cut,) = [each for each in found.texts if each.tip]
    assert 350 < len(cut.words) * 7.4 <= WIDTH - 70


def test_of_many_points_about_forty_are_marked_the_first_and_the_last_among_them() -> None:
    def marked(count: int) -> list[str]:
        found = drawn(line_chart({"a": [(at, float(at)) for at in range(count)]}, title="t"))
        assert len(found.curves[0].points) == count
        return [each.tip for each in found.dots]

    assert len(marked(40)) == 40
    assert marked(81) == [f"a: {at} at {at}" for at in [*range(0, 80, 3), 80]]
    assert len(marked(41)) == 21 and marked(1) == ["a: 0 at 0"]


def test_series_without_points_are_left_out() -> None:
    found = drawn(line_chart({"a": [], "b": [(0, 1.0)]}, title="t", faint=[[]]))
    assert [each.kind for each in found.curves] == ["o0"]
    empty = drawn(line_chart({}, title="t"))
    assert (empty.said, empty.height) == (["no points to show"], 70)


# Parallel coordinates


def axis_at(found: Drawn, name: str) -> tuple[float, dict[str, float]]:
    """An axis by its name: where it stands, and its marks with their heights."""
    (head,) = [each for each in found.texts if name in (each.words, each.tip) and each.anchor == "middle"]
    (line,) = [each for each in found.lines if each.points[0][0] == head.x]
    assert line.kind == "axis" and line.points[0][1] == head.y + 12
    assert line.points[1][1] - line.points[0][1] == 270
    marks = [each for each in found.texts if each.kind == "small halo" and each.x == pytest.approx(head.x + 7)]
    return head.x, {each.tip or each.words: each.y - 4 for each in marks}


def heights(found: Drawn, name: str) -> list[float]:
    """Where each line crosses an axis, in the order in which they are drawn."""
    x, _ = axis_at(found, name)
    return [y for each in found.curves for at, y in each.points if at == x]


trials = st.lists(
    st.tuples(
        st.integers(-50, 50), st.integers(0, 5), st.sampled_from(["one", "two", "three", None, True]), whole
    ),
    min_size=1,
    max_size=9,
)


@settings(deadline=None, max_examples=60)
@given(trials, st.booleans())
def test_lines_read_by_their_axes_give_back_the_trials_from_the_worst_to_the_best(
    held: list[tuple[int, int, Any, float]], more: bool
) -> None:
    axes = {name: [each[at] for each in held] for at, name in enumerate(["many", "few", "kind"])}
    result = [each[3] for each in held]
    found = drawn(
        parallel_coordinates(
            axes, result, title="t", measure="mae", more=more, names=[f"trial {n}" for n in range(len(held))]
        )
    )
    order = [int(each.tip.partition(":")[0].removeprefix("trial ")) for each in found.curves]
    assert sorted(order) == list(range(len(held)))
    ranked = [result[place] for place in order]
    assert ranked == sorted(result, reverse=not more)
    for name, column in (*axes.items(), ("mae", result)):
        _, marks = axis_at(found, name)
        places = heights(found, name)
        assert all(74 <= y <= 344 for y in places)
        if name == "kind" or name == "few":
            # every value has a mark, and every line with that value passes it
            for place, y in zip(order, places, strict=True):
                words = "not set" if column[place] is None else str(column[place])
                if words in marks:
                    assert y == pytest.approx(marks[words], abs=NEAR)
        elif len(set(column)) > 1:
            low, high = min(column), max(column)
            share = [(column[place] - low) / (high - low) for place in order]
            if name == "mae" and not more:
                share = [1 - each for each in share]
            assert places == pytest.approx([344 - 270 * each for each in share], abs=NEAR)
        else:
            assert places == pytest.approx([209] * len(places))
    for place, each in zip(order, found.curves, strict=True):
        many, few, kind, mae = held[place]
        told = f"many {number(many)}, few {number(few)}" + (f", kind {kind}" if kind is not None else "")
        assert each.tip == f"trial {place}: {told}, mae {number(mae)}"
    assert found.curves[-1].kind == "best" and all(each.kind != "best" for each in found.curves[:-1])


def test_better_trials_are_lighter_and_equal_ones_alike() -> None:
    found = drawn(parallel_coordinates({"a": [1, 2, 3, 4, 5]}, [5.0, 4.0, 3.0, 3.0, 1.0], title="t", measure="m"))
    assert [each.kind for each in found.curves] == ["r0", "r2", "r4", "r4", "best"]
    assert [each.points[0][1] for each in found.curves] == pytest.approx([344, 276.5, 209, 141.5, 74])
    for step, colour in enumerate(STEPS):
        assert f".chart .r{step}{{fill:none;stroke:{colour};" in found.style
    assert ".chart .best{fill:none;stroke:var(--s1,#d0650b)" in found.style and ".chart .halo{" in found.style
    first = drawn(parallel_coordinates({"a": [1, 2]}, [3.0, 3.0], title="t", measure="m", names=["x", "y"]))
    # of equal ones the first is the best, and lies over the others
    assert [(each.kind, each.tip[0]) for each in first.curves] == [("r6", "y"), ("best", "x")]


def test_few_values_are_all_named_many_by_their_ends_and_middle() -> None:
    few = drawn(parallel_coordinates({"a": [1, 2, 3, 4, 5, 6]}, [1.0] * 6, title="t", measure="m"))
    assert axis_at(few, "a")[1] == {
        str(value): pytest.approx(344 - 54 * (value - 1), abs=NEAR) for value in range(1, 7)
    }
    many = drawn(parallel_coordinates({"a": [1, 2, 3, 4, 5, 6, 12]}, [1.0] * 7, title="t", measure="m"))
    assert axis_at(many, "a")[1] == {
        "1": pytest.approx(344),
        "6.5": pytest.approx(209),
        "12": pytest.approx(74),
    }
    log = drawn(parallel_coordinates({"a": [1, 2, 3, 4, 5, 6, 100]}, [1.0] * 7, title="t", measure="m"))
    assert axis_at(log, "a")[1] == {"1": pytest.approx(344), "10": pytest.approx(209), "100": pytest.approx(74)}
    assert sorted(heights(log, "a"), reverse=True)[:2] == pytest.approx([344, 344 - 270 * 0.30103 / 2], abs=NEAR)


def test_an_axis_is_logarithmic_only_where_positive_numbers_span_more_than_fifty_times() -> None:
    def middle(values: list[float]) -> float:
        found = drawn(parallel_coordinates({"a": values}, [1.0, 2.0, 3.0], title="t", measure="m", more=True))
        return heights(found, "a")[1]

    # 2 of 1 to 50 lies low where the axis is straight, and higher where it is not
    assert middle([1, 2, 50]) == pytest.approx(344 - 270 / 49, abs=NEAR)
    assert middle([1, 2, 51]) == pytest.approx(344 - 270 * 0.69315 / 3.93183, abs=NEAR)
    assert middle([0, 2, 100]) == pytest.approx(344 - 5.4, abs=NEAR)


def test_an_axis_of_categories_names_at_most_fourteen_and_what_is_not_set_comes_last() -> None:
    words = [f"kind {n:02}" for n in range(15)]
    many = drawn(parallel_coordinates({"a": words}, [1.0] * 15, title="t", measure="m"))
    assert list(axis_at(many, "a")[1]) == words[::2]
    fourteen = drawn(parallel_coordinates({"a": words[:14]}, [1.0] * 14, title="t", measure="m"))
    assert list(axis_at(fourteen, "a")[1]) == words[:14]
    unset = drawn(parallel_coordinates({"a": [None, "z", True]}, [1.0] * 3, title="t", measure="m"))
    marks = axis_at(unset, "a")[1]
    assert marks == {"True": pytest.approx(344), "z": pytest.approx(209), "not set": pytest.approx(74)}
    alone = drawn(parallel_coordinates({"a": ["x", "x"]}, [1.0, 2.0], title="t", measure="m"))
    assert axis_at(alone, "a")[1] == {"x": pytest.approx(209)}


def test_marks_that_would_lie_over_one_another_are_left_out() -> None:
    close = drawn(parallel_coordinates({"a": [0, 1, 100]}, [1.0] * 3, title="t", measure="m"))
    assert list(axis_at(close, "a")[1]) == ["0", "100"]
    # 270 px for 135: a mark 14 px from another one is named
    apart = drawn(parallel_coordinates({"a": [0, 7, 135]}, [1.0] * 3, title="t", measure="m"))
    assert list(axis_at(apart, "a")[1]) == ["0", "7", "135"]


def test_a_number_among_words_and_one_that_is_not_finite_make_categories() -> None:
    mixed = drawn(parallel_coordinates({"a": [1, "x"]}, [1.0, 2.0], title="t", measure="m"))
    assert list(axis_at(mixed, "a")[1]) == ["1", "x"]
    endless = drawn(parallel_coordinates({"a": [1.5, float("inf")]}, [1.0, 2.0], title="t", measure="m"))
    assert list(axis_at(endless, "a")[1]) == ["1.5", "inf"]
    flags = drawn(parallel_coordinates({"a": [False, True]}, [1.0, 2.0], title="t", measure="m"))
    assert list(axis_at(flags, "a")[1]) == ["False", "True"]


def test_axes_share_the_width_of_a_page_and_are_never_too_near() -> None:
    def spread(count: int) -> tuple[list[float], float]:
        found = drawn(parallel_coordinates({f"a{n}": [1] for n in range(count)}, [1.0], title="t", measure="m"))
        return [each.points[0][0] for each in found.lines], found.width

    assert spread(1) == ([64, 364], 460)
    assert spread(4) == ([64, 284, 504, 724, 944], 1040)
    places, wide = spread(12)
    assert places == [64 + 128 * n for n in range(13)] and wide == 64 + 128 * 12 + 96
    assert spread(15) == (places, wide)
    assert spread(0)[1] == 300


def test_trials_without_a_result_are_left_out_and_heads_are_cut_off() -> None:
    long = "a name of a setting that is long"
    found = drawn(
        parallel_coordinates(
            {long: [1, 2, 3]}, [None, 5.0, float("nan")], title="t", measure="m", names=["a", "b", "c"]
        )
    )
    assert [each.tip for each in found.curves] == [f"b: {long} 2, m 5"]
    (head,) = [each for each in found.texts if each.tip == long]
    assert 100 < len(head.words) * 7.4 <= 120
    unnamed = drawn(parallel_coordinates({"a": [1]}, [5.0], title="t", measure="m"))
    assert unnamed.curves[0].tip == "a 1, m 5"
    assert (found.height, unnamed.texts_at(y=62)[0].words) == (40 + 34 + 270 + 26, "a")


def test_marks_are_cut_to_the_room_before_the_next_axis_or_the_end() -> None:
    word = "w" * 60
    found = drawn(
        parallel_coordinates({"a": [word], "b": [word], "c": [word], "d": [word]}, [1e300], title="t", measure="m")
    )
    (cut, *_) = [each for each in found.texts if each.tip == word]
    assert 145 < len(cut.words) * 7.4 <= 160
    last = drawn(parallel_coordinates({"a": [1]}, [123456789012345.0], title="t", measure="m"))
    (short,) = [each for each in last.texts if each.tip]
    assert short.tip == "123,456,789,012,345" and 65 < len(short.words) * 7.4 <= 80


def test_a_chart_without_results_says_so() -> None:
    found = drawn(parallel_coordinates({"a": [1]}, [None], title="t", measure="m"))
    assert found.said == ["no results to show"]
