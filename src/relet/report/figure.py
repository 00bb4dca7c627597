"""Figures of matplotlib as SVG whose bytes depend only on what they show."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure


def figure_svg(figure: MatplotlibFigure) -> str:
    """A matplotlib figure as SVG text, without a date and with ids that are the same every time."""
    import matplotlib

    text = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "relet", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    return text.getvalue()
