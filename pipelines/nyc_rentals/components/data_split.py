"""Segregate the clean listings: what is trained and validated on, and what is kept for the test."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from relet import RowStream, Verdict, component
from relet.segregation import Rule, segregate


class Segregated(NamedTuple):
    trainval: RowStream
    test: RowStream
    segregation_report: Verdict


@component(job_type="data_split", judges=("trainval", "test"))
def data_split(
    clean_sample: Path,
    *,
    method: str = "keyed",
    test_size: float = 0.2,
    seed: int = 42,
    key: str = "id",
    stratify_by: str | None = "neighbourhood_group",
    group_by: str | None = "host_id",
    time_by: str | None = "last_review",
) -> Segregated:
    """Segregate by a method, and say what is on both sides."""
    rule = Rule(method=method, seed=seed, key=key, stratify_by=stratify_by, group_by=group_by, time_by=time_by)
    made = segregate(clean_sample, {"trainval": None, "test": test_size}, rule)
    return Segregated(made.parts["trainval"], made.parts["test"], made.report.verdict())
