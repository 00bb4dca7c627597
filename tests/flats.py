"""Rents of flats, and data tests of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from relet.data.table import write_table

HEAD = """
from relet import Table
from relet.checks.statistics import kolmogorov_smirnov, kullback_leibler, chi_square
"""
SHIFT = "def test_rents(data: Table, reference: Table, judge):\n    'Rents.'\n"
SHIFT += "    judge(kolmogorov_smirnov(data.rent, reference.rent))\n"
KIND = "def test_kinds(data: Table, reference: Table, judge):\n    judge(chi_square(data.kind, reference.kind))\n"


def rents(shift: float, kinds: str, rows: int = 400) -> pd.DataFrame:
    """Rents, dearer by `shift`, of flats whose kinds are these letters in turn."""
    values = np.random.default_rng(1).normal(500, 100, rows) + shift
    return pd.DataFrame({"id": np.arange(rows), "rent": values, "kind": list(kinds * rows)[:rows]})


def write_batches(folder: Path) -> dict[str, Path]:
    """Batches by what they are beside the first one."""
    made = {
        "same": rents(0, "ab"),
        "dearer": rents(60, "ab"),
        "cheaper": rents(-4, "ab"),
        "other": rents(0, "aaab"),
    }
    for name, frame in made.items():
        write_table(frame, folder / f"{name}.parquet")
    return {name: folder / f"{name}.parquet" for name in made}
