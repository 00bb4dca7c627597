"""A test gets its table in the container that its annotation names, as a component does."""

from pathlib import Path

import pandas as pd
import pytest

from relet import Verdict
from relet.checks import run_suite
from relet.data.table import write_table

ROWS = pd.DataFrame({"id": [1, 2], "rent": [900, 700]})
ASKS = """
def test_ibis(data: Table, reference: Table):
    import ibis
    assert isinstance(data, ibis.Table)
    assert data.join(reference, "id").count().to_pyarrow().as_py() == 2
def test_pandas(data: pd.DataFrame):
    import pandas
    assert isinstance(data, pandas.DataFrame)
def test_nothing(data):
    import pandas
    assert isinstance(data, pandas.DataFrame)
def test_polars(data: pl.DataFrame):
    import polars
    assert isinstance(data, polars.DataFrame) and data.height == 2
def test_arrow(data: pa.Table):
    import pyarrow
    assert isinstance(data, pyarrow.Table) and data.num_rows == 2
def test_path(data: Path):
    import pathlib
    assert isinstance(data, pathlib.Path) and data.is_file()
class TestInAClass:
    def test_mixed(self, data: Table, reference: pd.DataFrame):
        assert data.count().to_pyarrow().as_py() == len(reference)
"""
IMPORTS = """
from pathlib import Path
import pandas as pd
import polars as pl
import pyarrow as pa
from relet import Table
"""
FOR_TYPES_ALONE = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:" + IMPORTS.replace("\n", "\n    ").rstrip()


@pytest.fixture(params=["parquet", "csv"])
def table(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / f"batch.{request.param}"
    if request.param == "csv":
        ROWS.to_csv(path, index=False)
    else:
        write_table(ROWS, path)
    return path


def verdict(table: Path, text: str, reference: Path | None = None) -> Verdict:
    folder = table.parent / "checks"
    folder.mkdir(exist_ok=True)
    (folder / "test_rents.py").write_text(text)
    return run_suite(folder, data=table, reference=reference or table)


@pytest.mark.parametrize(
    "head",
    [
        IMPORTS,
        f"from __future__ import annotations\n{IMPORTS}",
        f"from __future__ import annotations\n{FOR_TYPES_ALONE}",
    ],
    ids=["as they are", "as text", "for type checkers alone"],
)
def test_the_annotation_says_which_container(table: Path, head: str) -> None:
    found = verdict(table, f"{head}\n{ASKS}")
    assert found.passed and len(found.checks) == 7, found.reason


def test_a_quoted_annotation_and_an_alias_are_understood(table: Path) -> None:
    text = "import ibis\nRows = ibis.Table\n"
    text += "def test_a(data: 'Rows'): assert isinstance(data, ibis.Table)\n"
    assert verdict(table, text).passed
    assert verdict(table, f"from __future__ import annotations\n{text}").passed


def test_a_fixture_of_the_suite_says_it_for_its_tests(table: Path) -> None:
    text = """
import pytest
import ibis
from relet import Table
@pytest.fixture
def rents(data: Table): return data.rent
def test_a(rents): assert rents.sum().to_pyarrow().as_py() == 1600
"""
    assert verdict(table, text).passed
    found = verdict(table, text + "import pandas as pd\ndef test_b(rents, data: pd.DataFrame): pass\n")
    assert "one test gets data in one container" in found.reason and "rents as ibis" in found.reason


@pytest.mark.parametrize("annotation", ["int", "'Tabel'", "dict[str, int]"])
def test_an_annotation_that_is_no_table_is_an_error(table: Path, annotation: str) -> None:
    found = verdict(table, f"def test_a(data: {annotation}): pass\n")
    assert not found.passed and "test_a asks for data as" in found.reason
    assert "a table is Table (from relet), pd.DataFrame, pl.DataFrame, pa.Table or Path" in found.reason


def test_one_file_is_read_once_for_both(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from relet.checks import fixtures

    made: list[Path] = []
    before = fixtures.BatchFile.__init__

    def noted(self: fixtures.BatchFile, path: Path) -> None:
        made.append(path)
        before(self, path)

    monkeypatch.setattr(fixtures.BatchFile, "__init__", noted)
    text = "def test_a(data, reference):\n    assert data.equals(reference) and data is not reference\n"
    twin = table.with_name(f"twin{table.suffix}")
    twin.write_bytes(table.read_bytes())
    assert verdict(table, text).passed and verdict(table, text, twin).passed
    assert len(made) == 2
    twin.write_bytes(table.read_bytes() + b"\n3,5" if table.suffix == ".csv" else _other(twin))
    assert not verdict(table, text, twin).passed
    assert len(made) == 4


def _other(path: Path) -> bytes:
    write_table(ROWS.assign(rent=0), path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("container", "expression"),
    [
        ("Table", "data.filter(data.rent < {})"),
        ("pd.DataFrame", "data[data.rent < {}]"),
        ("pl.DataFrame", "data.filter(pl.col('rent') < {})"),
        ("pa.Table", "data.filter(pa.compute.field('rent') < {})"),
    ],
)
def test_offending_rows_are_shown_alike_from_every_container(table: Path, container: str, expression: str) -> None:
    text = f"{IMPORTS}\nimport pyarrow.compute\ndef test_a(data: {container}, offending):\n"
    text += f"    offending({expression}, 'low')\n"
    found = verdict(table, text.format(800))
    assert found.reason == "1 of 1 check failed: test_a (1 row: low)"
    assert found.checks[0].rows == ({"id": 2, "rent": 700},)
    assert verdict(table, text.format(10)).passed
