"""Segregate the clean listings: what is trained and validated on, and what is kept for the test."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from relet import component
from relet.segregation import split


class Segregated(NamedTuple):
    trainval: pd.DataFrame
    test: pd.DataFrame


@component(job_type="data_split")
def data_split(
    clean_sample: pd.DataFrame,
    *,
    test_size: float = 0.2,
    seed: int = 42,
    stratify_by: str | None = "neighbourhood_group",
    group_by: str | None = None,
) -> Segregated:
    """Segregate at random, seeded: every stratum in its share, or every group on one side."""
    return Segregated(
        *split(clean_sample, test_size=test_size, seed=seed, stratify_by=stratify_by, group_by=group_by)
    )
