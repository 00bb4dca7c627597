"""Figures of the libraries that people draw with: stored as a drawing or a page, with equal bytes every time."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from relet.core.artifact import Figure
from relet.errors import BadDataError
from relet.report.figure import drawn_figure


def matplotlib_figure() -> Any:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure as MatplotlibFigure

    figure = MatplotlibFigure()
    figure.add_subplot().plot([1, 3, 2])
    return figure


def plotly_figure() -> Any:
    graph = pytest.importorskip("plotly.graph_objects")
    return graph.Figure(graph.Scatter(x=[1, 2, 3], y=[1, 3, 2]))


def altair_chart() -> Any:
    altair = pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    chart = altair.Chart(altair.Data(values=[{"a": 1, "b": 2}, {"a": 2, "b": 3}]))
    return (chart.mark_line().encode(x="a:Q", y="b:Q") + chart.mark_point().encode(x="a:Q", y="b:Q")).interactive()


@pytest.mark.parametrize("make", [matplotlib_figure, plotly_figure, altair_chart])
def test_a_figure_that_shows_the_same_has_the_same_bytes(make: Any) -> None:
    first, again = drawn_figure(make()), drawn_figure(make())
    assert first == again
    assert "<svg" in first.svg or "</html>" in first.html


def test_a_page_of_plotly_opens_without_a_network() -> None:
    page = drawn_figure(plotly_figure()).html
    assert 'id="figure"' in page
    assert "<script src=" not in page


def test_a_drawing_of_ones_own_is_stored_as_it_is_and_is_one_of_both() -> None:
    for figure in (Figure(svg="<svg/>"), Figure(html="<p>a</p>")):
        assert drawn_figure(figure) is figure
    for wrong in ({}, {"svg": "<svg/>", "html": "<p/>"}):
        with pytest.raises(BadDataError, match="a figure is SVG text or an HTML page"):
            Figure(**wrong)


def test_what_is_no_figure_is_refused_with_what_is() -> None:
    with pytest.raises(BadDataError, match=r"got builtins\.dict; return a figure of matplotlib, Plotly or Altair"):
        drawn_figure({"a": 1})


def test_axes_are_told_to_be_no_figure() -> None:
    axes = matplotlib_figure().axes[0]
    with pytest.raises(BadDataError, match=r"write \.figure of it"):
        drawn_figure(axes)


def test_a_chart_that_nothing_here_draws_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    chart = type("Chart", (), {"__module__": "altair.api", "to_dict": dict})()
    with pytest.raises(BadDataError, match=r"vl-convert-python, which is not installed here; add altair\[save\]"):
        drawn_figure(chart)
