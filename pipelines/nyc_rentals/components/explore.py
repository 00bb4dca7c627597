"""Explore a batch: execute the notebook, and keep what it showed with the code that showed it."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

from relet import component
from relet.report.notebook import notebook_page

NOTEBOOK = Path(__file__).parents[1] / "eda.py"


class Explored(NamedTuple):
    exploration: Path


@component(job_type="exploration", resources=("eda.py",))
def explore(sample: Path, clean_sample: Path, quarantine: Path) -> Explored:
    """Execute the notebook `eda.py` on a batch: a page that opens without a network, and the notebook's code."""
    tables = {"sample": sample, "clean_sample": clean_sample, "quarantine": quarantine}
    folder = Path(mkdtemp())
    (folder / "exploration.html").write_text(notebook_page(NOTEBOOK, tables), encoding="utf-8")
    shutil.copyfile(NOTEBOOK, folder / NOTEBOOK.name)
    return Explored(folder)
