"""Charts as SVG text, each with the number behind every mark under the pointer."""

from relet.report.charts.categories import dots, grouped_bars
from relet.report.charts.distribution import histogram
from relet.report.charts.grids import Cell, heat_map, matrix
from relet.report.charts.lines import lines
from relet.report.charts.parallel import parallel
from relet.report.charts.ranges import ranges

__all__ = ["Cell", "dots", "grouped_bars", "heat_map", "histogram", "lines", "matrix", "parallel", "ranges"]
