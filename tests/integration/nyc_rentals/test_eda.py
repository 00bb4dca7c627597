"""The flagship's notebook in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.nyc_rentals.components.basic_cleaning import basic_cleaning
from pipelines.nyc_rentals.components.explore import NOTEBOOK, explore
from pipelines.nyc_rentals.generated import simulate
from relet.data.table import read_table, write_table

ROOT = Path(__file__).parents[3]


Rows = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch's three tables, and the rows in them."""

    sample: Path
    clean_sample: Path
    quarantine: Path

    @property
    def paths(self) -> tuple[Path, Path, Path]:
        return self.sample, self.clean_sample, self.quarantine

    def rows(self) -> Rows:
        return list(read_table(self.sample, "arrow").to_pylist())

    def clean(self) -> Rows:
        return list(read_table(self.clean_sample, "arrow").to_pylist())


def cleaned(folder: Path, table: Any, **groups: Any) -> Batch:
    batch = Batch(**{name: folder / f"{name}.parquet" for name in ("sample", "clean_sample", "quarantine")})
    write_table(table, batch.sample)
    parts = basic_cleaning(read_table(batch.sample, "ibis"), **groups)
    write_table(parts.clean_sample, batch.clean_sample)
    write_table(parts.quarantine, batch.quarantine)
    return batch


def page_of(batch: Batch) -> str:
    """The page, made without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return (explore(*batch.paths).exploration / "exploration.html").read_text()


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return cleaned(tmp_path_factory.mktemp("batch"), simulate(3_000, 5))


@pytest.fixture(scope="module")
def page(batch: Batch) -> str:
    return page_of(batch)


def test_two_processes_write_the_same_bytes(batch: Batch, page: str) -> None:
    program = (
        "import sys; from pathlib import Path; from pipelines.nyc_rentals.components.explore import explore\n"
        "folder = explore(*map(Path, sys.argv[1:])).exploration\n"
        "sys.stdout.buffer.write((folder / 'exploration.html').read_bytes())"
    )
    command = [sys.executable, "-W", "error", "-c", program, *map(str, batch.paths)]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=100)
    assert done.stderr.decode() == ""
    assert done.stdout.decode() == page


def test_marimo_finds_nothing_wrong_with_the_notebook() -> None:
    command = [sys.executable, "-m", "marimo", "check", "--strict", str(NOTEBOOK)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


@pytest.mark.long
def test_the_exploration_is_deterministic_and_the_notebook_is_a_script_too(tmp_path: Path) -> None:
    environment = {**os.environ, "RELET_STORE": str(tmp_path / "store")}

    def run(*words: str) -> str:
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    run("-m", "relet", "run", "nyc_rentals", "steps=get_data,basic_cleaning", "etl.rows=2000", "tracking=[]")
    assert "deterministic: 1 step" in run("-m", "relet", "run", "nyc_rentals.explore", "--check-determinism")
    assert run(str(NOTEBOOK)) == ""
