"""Segregate the clean listings: what is trained and validated on, and what is kept for the test."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pipelines.nyc_rentals.rule import ListingsRule
from relet import RowStream, Verdict, component
from relet.segregation import segregate


class Segregated(NamedTuple):
    trainval: RowStream
    test: RowStream
    segregation_report: Verdict


@component(job_type="data_split", judges=("trainval", "test"))
def data_split(
    clean_sample: Path,
    *,
    test_size: float = 0.2,
    segregation: ListingsRule = ListingsRule(),
) -> Segregated:
    """Segregate by a method, and say what is on both sides."""
    made = segregate(clean_sample, {"trainval": None, "test": test_size}, segregation)
    return Segregated(made.parts["trainval"], made.parts["test"], made.report.verdict())
