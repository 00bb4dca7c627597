"""Figures of matplotlib, Plotly and Altair as drawings whose bytes depend only on what they show."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

from relet.core.artifact import Figure
from relet.errors import BadDataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

# Names in Vega's drawings that count the drawings of the process.
_COUNTED = re.compile(r"\b(clip|gradient_)\d+\b")


def drawn_figure(value: Any) -> Figure:
    """A figure of any of the libraries as relet stores it: an SVG drawing, or Plotly's as an HTML page.

    Raises BadDataError for anything else.
    """
    if isinstance(value, Figure):
        return value
    # Types are compared by name: an isinstance check would import every library only to rule it out.
    packages = {kind.__module__.partition(".")[0] for kind in type(value).__mro__}
    if "matplotlib" in packages and hasattr(value, "savefig"):
        return Figure(svg=figure_svg(value))
    if "plotly" in packages and hasattr(value, "to_html"):
        return Figure(html=_plotly_page(value))
    if "altair" in packages and hasattr(value, "to_dict"):
        return Figure(svg=_altair_svg(value))
    advice = "; write .figure of it" if hasattr(value, "get_figure") else ""
    raise BadDataError(
        f"a figure was expected, got {type(value).__module__}.{type(value).__qualname__}; return a figure of "
        f"matplotlib, Plotly or Altair, or a relet.Figure{advice}"
    )


def figure_svg(figure: MatplotlibFigure) -> str:
    """A matplotlib figure as SVG text, without a date and with ids that are the same every time."""
    import matplotlib

    text = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "relet", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    return text.getvalue()


def _plotly_page(figure: Any) -> str:
    """A Plotly figure as a page that opens without a network: Plotly's script, some 5 MB, stands in it."""
    return str(figure.to_html(full_html=True, include_plotlyjs=True, div_id="figure"))


def _altair_svg(chart: Any) -> str:
    """An Altair chart as SVG text, names that count the drawings of the process numbered from 0."""
    try:
        import vl_convert
    except ImportError as error:
        raise BadDataError(
            "an Altair chart is drawn by the package vl-convert-python, which is not installed here; add "
            "altair[save] to the project's lock"
        ) from error
    drawing = str(vl_convert.vegalite_to_svg(chart.to_dict()))
    counted = dict.fromkeys(found[0] for found in _COUNTED.finditer(drawing))
    names = {name: f"{name.rstrip('0123456789')}{number}" for number, name in enumerate(counted)}
    return _COUNTED.sub(lambda found: names[found[0]], drawing)
