"""Drawings in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

DRAW = """
from matplotlib.figure import Figure
from relet.report.figure import figure_svg
figure = Figure()
figure.subplots().plot([1, 2], [3, 4], label="price < 5 & up")
print(figure_svg(figure), end="")
"""


def test_a_matplotlib_figure_is_drawn_with_the_same_bytes_in_every_process() -> None:
    drawn = [
        subprocess.run([sys.executable, "-c", DRAW], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True)
        for seed in ("1", "2")
    ]
    assert drawn[0].stdout == drawn[1].stdout
    ElementTree.fromstring(drawn[0].stdout)
