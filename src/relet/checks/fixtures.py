"""What a data test may ask for: the batch, its reference, and the hyperparameters of the component that checks."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from relet.checks.rows import as_json, as_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# How many of the rows that speak against a test are kept.
ROWS = 5

Offending = Callable[["pd.DataFrame", str], None]


def plugin(data: Callable[[], Path], reference: Callable[[], Path], options: Mapping[str, Any]) -> object:
    """A pytest plugin with the fixtures `data`, `reference`, `schema`, `offending`, and one for each option.

    `data` and `reference` give the files once a test asks for them; each is read once. What one test changes in
    its frame no other test sees.
    """

    @pytest.fixture(scope="session", name="_batch")
    def batch() -> Batch:
        return Batch(data())

    @pytest.fixture(scope="session", name="_reference_batch")
    def reference_batch() -> Batch:
        return Batch(reference())

    constants = {name: _constant(name, value) for name, value in options.items()}
    # A module, as plugins are: pytest deprecates methods as fixtures of a session.
    module = ModuleType("relet_data_tests", "The fixtures of data tests.")
    vars(module).update(_FIXTURES, batch=batch, reference_batch=reference_batch, **constants)
    return module


def _constant(name: str, value: Any) -> Any:
    @pytest.fixture(scope="session", name=name)
    def constant() -> Any:
        return value

    return constant


@pytest.fixture(name="data")
def _data(_batch: Batch) -> pd.DataFrame:
    """The batch that is tested."""
    return _batch.frame()


@pytest.fixture(name="reference")
def _reference(_reference_batch: Batch) -> pd.DataFrame:
    """The batch that it is compared with."""
    return _reference_batch.frame()


@pytest.fixture(name="schema")
def _schema(_batch: Batch) -> dict[str, str]:
    """The Arrow type of each column of the batch, in the columns' order."""
    return _batch.schema()


@pytest.fixture(name="offending")
def _offending(request: pytest.FixtureRequest) -> Offending:
    """Fail where there are rows that speak against a test, and keep the first of them for the report."""

    def offending(rows: pd.DataFrame, what: str) -> None:
        __tracebackhide__ = True
        if not len(rows):
            return
        kept = as_json(rows.head(ROWS))
        request.node.user_properties.append(("rows", kept))
        noun = "row" if len(rows) == 1 else "rows"
        pytest.fail(f"{len(rows):,} {noun}: {what}\n{as_text(kept)}", pytrace=False)

    return offending


_FIXTURES = {"data": _data, "reference": _reference, "schema": _schema, "offending": _offending}


class Batch:
    """A table in a Parquet file, or in a CSV file whose types are inferred; read when it is first asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._frame: pd.DataFrame | None = None

    def frame(self) -> pd.DataFrame:
        if self._frame is None:
            self._frame = _read_frame(self.path)
        return self._frame.copy(deep=False)  # pandas copies what is written to

    def schema(self) -> dict[str, str]:
        import pyarrow.parquet as pq

        found = _read_text(self.path).schema if _is_text(self.path) else pq.read_schema(self.path)
        return {field.name: str(field.type) for field in found}


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) != b"PAR1"


def _read_text(path: Path) -> pa.Table:
    import pyarrow.csv as csv

    return csv.read_csv(
        path,
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(strings_can_be_null=True, null_values=[""]),
    )


def _read_frame(path: Path) -> pd.DataFrame:
    from relet.data.table import read_table

    frame: pd.DataFrame = _read_text(path).to_pandas() if _is_text(path) else read_table(path, "pandas")
    return frame
