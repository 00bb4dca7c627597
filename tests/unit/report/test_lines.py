"""Curves over one another and parallel coordinates: every point is where its number is, and can be read."""

from __future__ import annotations

import math
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from relet.report.charts.lines import TOLD_APART, line_chart
from relet.report.charts.parallel import MOST_AXES, parallel_coordinates
from tests.unit.report.test_charts import EVIL, SVG, parsed, said, tips


def paths(root: ElementTree.Element, kind: str = "") -> list[list[tuple[float, float]]]:
    found = []
    for each in root.iter(f"{SVG}polyline"):
        if each.get("class", "").startswith(kind):
            pairs = (point.split(",") for point in each.attrib["points"].split())
            found.append([(float(x), float(y)) for x, y in pairs])
    return found


def within(root: ElementTree.Element) -> bool:
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    return all(-0.1 <= x <= width + 0.1 and -0.1 <= y <= height + 0.1 for path in paths(root) for x, y in path)


def test_curves_share_their_axes_and_say_their_values() -> None:
    root = parsed(line_chart({"a": [(1, 60.0), (3, 30.0)], "b": [(2, 45.0)]}, title="Error", x="rounds"))
    (first, last), (middle,) = paths(root, "o")
    assert first[0] < middle[0] < last[0] and first[1] < middle[1] < last[1]
    assert middle[1] * 2 == first[1] + last[1]
    assert {"a: 60 at 1", "a: 30 at 3", "b: 45 at 2"} <= set(tips(root))
    assert {"a", "b", "rounds"} <= set(said(root))


def test_as_many_curves_as_are_told_apart_look_different() -> None:
    root = parsed(line_chart({f"run {n}": [(0, n), (9, n + 1)] for n in range(TOLD_APART)}, title="Error"))
    looks = [(each.get("class"), each.get("stroke-dasharray")) for each in root.iter(f"{SVG}polyline")]
    assert len(set(looks)) == TOLD_APART
    assert {f"run {n}" for n in range(TOLD_APART)} <= set(said(root))


def test_lines_without_a_name_lie_behind_and_points_alone_say_what_they_are() -> None:
    drawn = line_chart({"best": [(1, 2.0)]}, title="t", faint=[[(1, 3.0), (2, 3.0)]], loose={"trial 7": (2, 5.0)})
    root = parsed(drawn)
    assert len(paths(root, "behind")) == 1
    assert "trial 7: 5" in tips(root)


def test_a_chart_of_nothing_says_so() -> None:
    assert "no points to show" in said(parsed(line_chart({"a": []}, title="t")))
    assert "no results to show" in said(parsed(parallel_coordinates({"a": [1]}, [None], title="t", measure="mae")))


value = st.floats(-1e12, 1e12)
points = st.lists(st.tuples(st.integers(0, 10**9), value), min_size=1, max_size=60)


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.text(max_size=30) | st.just(EVIL), points, max_size=14))
def test_curves_of_anything_fit_their_frame(series: dict[str, list[tuple[int, float]]]) -> None:
    assert within(parsed(line_chart(series, title=EVIL, x=EVIL)))


def test_a_trial_is_a_line_from_setting_to_setting_to_its_result() -> None:
    root = parsed(
        parallel_coordinates(
            {"depth": [2, 8, 5], "kind": ["wide", "narrow", None]},
            [30.0, 29.0, None],
            title="Trials",
            measure="mae",
            names=["a", "b", "c"],
        )
    )
    worse, best = paths(root)  # the best is drawn last, and what has no result is left out
    assert [len(worse), len(best)] == [3, 3]
    assert best[0][1] < worse[0][1]  # the deeper, the higher
    assert best[2][1] < worse[2][1] and worse[2][1] - best[2][1] == 270  # less is better: it is at the top
    assert tips(root).count("b: depth 8, kind narrow, mae 29") == 1
    assert {"depth", "kind", "mae", "wide", "narrow", "2", "8"} <= set(said(root))


def test_where_more_is_better_the_most_is_at_the_top_and_wide_ranges_are_logarithmic() -> None:
    root = parsed(
        parallel_coordinates({"rate": [0.001, 0.1, 0.01]}, [1.0, 3.0, 2.0], title="t", measure="r2", more=True)
    )
    low, middle, best = paths(root)
    assert best[1][1] < middle[1][1] < low[1][1]
    assert abs(middle[0][1] * 2 - low[0][1] - best[0][1]) < 0.3


anything = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | value | st.text(max_size=12)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_parallel_coordinates_of_anything_fit_their_frame(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    column = st.lists(anything, min_size=count, max_size=count)
    axes = data.draw(st.dictionaries(st.text(max_size=20), column, max_size=MOST_AXES + 3))
    came = data.draw(st.lists(st.none() | value | st.just(math.nan), min_size=count, max_size=count))
    assert within(
        parsed(parallel_coordinates(axes, came, title=EVIL, measure=EVIL, more=data.draw(st.booleans())))
    )
