"""A figure beside its must and its aim, and the one table that the programs here print."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table: the figure, what was measured, and whether that reaches the must and the aim."""

    figure: str
    ours: str
    other: str
    ratio: str
    must: str
    aim: str
    reached: str


def reached(must: bool, aim: bool) -> str:
    """What a figure reaches, in a word: `aim`, `must` or `no`.

    >>> reached(True, False)
    'must'
    """
    return "aim" if must and aim else "must" if must else "no"


def spread(values: Sequence[float], form: str = ".3f") -> str:
    """The median, and the range in brackets.

    >>> spread([0.9, 0.8, 0.85])
    '0.850 (0.800 to 0.900)'
    """
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:{form}} ({low:{form}} to {high:{form}})"


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| figure | relet | beside | ratio | must | aim | reached |", "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {row.figure} | {row.ours} | {row.other} | {row.ratio} | {row.must} | {row.aim} | {row.reached} |"
        for row in rows
    ]
    return "\n".join(lines)
