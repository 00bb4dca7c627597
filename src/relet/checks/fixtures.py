"""What a data test may ask for: the batch, its reference, and the hyperparameters of the component that checks."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from relet.checks.containers import asked
from relet.checks.family import FamilyRules, SubmittedOutcome, judge
from relet.checks.rows import as_json, as_text
from relet.checks.statistics.outcome import TwoSampleOutcome
from relet.core.wording import count

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from ibis import Table

# How many of the rows that speak against a test are kept.
ROWS = 5
# Under this name a test's report carries what it handed in to be judged.
HANDED_IN = "relet_entry"


class OffendingRows(Protocol):
    """The fixture `offending`: fails where there are rows that speak against a test, and keeps the first."""

    def __call__(self, rows: pd.DataFrame | Table | pl.DataFrame | pa.Table, what: str) -> None: ...


class Judge(Protocol):
    """The fixture `judge`: hands an outcome in, to be judged with the whole session's at its end.

    A null hypothesis is rejected where the corrected p-value is at most alpha and the effect at least `floor`
    (else the hyperparameter `min_effect`). A divergence has no p-value: it fails at once above `threshold`.
    """

    def __call__(
        self, outcome: TwoSampleOutcome, *, floor: float | None = None, threshold: float | None = None
    ) -> None: ...


def plugin(
    data: Callable[[], Path], reference: Callable[[], Path], options: Mapping[str, Any], rules: FamilyRules
) -> object:
    """A pytest plugin: the fixtures `data`, `reference`, `schema`, `offending`, `judge`, and one for each option.

    `data` and `reference` give the files once a test asks for them; each is read once, and once for both where
    they are the same. What one test changes in its frame no other test sees.
    """
    batches: dict[str, BatchFile] = {}

    def opened(path: Path) -> BatchFile:
        same = (batch for batch in batches.values() if _are_one(batch.path, path))
        return batches.setdefault(str(path), next(same, None) or BatchFile(path))

    @pytest.fixture(scope="session", name="_batch")
    def batch() -> BatchFile:
        return opened(data())

    @pytest.fixture(scope="session", name="_reference_batch")
    def reference_batch() -> BatchFile:
        return opened(reference())

    constants = {name: _constant(name, value) for name, value in {**vars(rules), **options}.items()}
    constants["_rules"] = _constant("_rules", rules)
    # A module, as plugins are: pytest deprecates methods as fixtures of a session.
    module = ModuleType("relet_data_tests", "The fixtures of data tests.")
    vars(module).update(_FIXTURES, batch=batch, reference_batch=reference_batch, **constants)
    return module


def _constant(name: str, value: Any) -> Any:
    @pytest.fixture(scope="session", name=name)
    def constant() -> Any:
        return value

    return constant


def _are_one(path: Path, other: Path) -> bool:
    return path.samefile(other) or filecmp.cmp(path, other, shallow=False)


@pytest.fixture(name="data")
def _data(request: pytest.FixtureRequest, _batch: BatchFile) -> Any:
    """The batch that is tested, in the container that the test's annotation names; without one a pandas frame."""
    return _batch.read(asked(request, "data"))


@pytest.fixture(name="reference")
def _reference(request: pytest.FixtureRequest, _reference_batch: BatchFile) -> Any:
    """The batch that it is compared with, in the container that the test's annotation names."""
    return _reference_batch.read(asked(request, "reference"))


@pytest.fixture(name="schema")
def _schema(_batch: BatchFile) -> dict[str, str]:
    """The Arrow type of each column of the batch, in the columns' order."""
    return _batch.schema()


@pytest.fixture(name="offending")
def _offending(request: pytest.FixtureRequest) -> OffendingRows:
    """Fail where there are rows that speak against a test, and keep the first of them for the report."""

    def offending(rows: pd.DataFrame | Table | pl.DataFrame | pa.Table, what: str) -> None:
        __tracebackhide__ = True
        offenders, first = _first(rows)
        if not offenders:
            return
        kept = as_json(first)
        request.node.user_properties.append(("rows", kept))
        pytest.fail(f"{count(offenders, 'row')}: {what}\n{as_text(kept)}", pytrace=False)

    return offending


def _first(rows: Any) -> tuple[int, pd.DataFrame]:
    """How many rows there are, and the first of them, of a table in any container."""
    if hasattr(rows, "to_pyarrow"):
        count = int(rows.count().to_pyarrow().as_py())
        return count, rows.limit(ROWS if count else 0).to_pandas()
    # a frame of pandas is itself one; those of Polars and pyarrow become one
    return len(rows), rows.head(ROWS) if not hasattr(rows, "to_pandas") else rows.slice(0, ROWS).to_pandas()


@pytest.fixture(name="judge")
def _judge(request: pytest.FixtureRequest, _rules: FamilyRules) -> Judge:
    """Hand an outcome in to be judged with the others at the end of the session."""

    def hand_in(outcome: TwoSampleOutcome, *, floor: float | None = None, threshold: float | None = None) -> None:
        __tracebackhide__ = True
        entry = SubmittedOutcome(node=request.node.nodeid, outcome=outcome, floor=floor, threshold=threshold)
        request.node.user_properties.append((HANDED_IN, entry.to_json()))
        if threshold is not None:
            (alone,) = judge([entry], _rules)
            if alone.rejected:
                pytest.fail(alone.sentence, pytrace=False)

    return hand_in


_FIXTURES = {
    "data": _data,
    "reference": _reference,
    "schema": _schema,
    "offending": _offending,
    "judge": _judge,
}


class BatchFile:
    """A table in a Parquet file, or in a CSV file whose types are inferred; read when it is first asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: dict[str, Any] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def read(self, container: str) -> Any:
        """The table as "ibis", "pandas", "polars" or "arrow", or its path."""
        if container not in self._read:
            self._read[container] = self._new(container)
        found = self._read[container]
        # pandas copies what is written to
        return found.copy(deep=False) if container == "pandas" else found

    def schema(self) -> dict[str, str]:
        import pyarrow.parquet as pq

        found = self.read("arrow").schema if _is_text(self.path) else pq.read_schema(self.path)
        return {field.name: str(field.type) for field in found}

    def _new(self, container: str) -> Any:
        from relet.data.table import read_table

        if container == "path" or not _is_text(self.path):
            return read_table(self.path, container)
        if container == "arrow":
            return _read_text(self.path)
        if container == "pandas":
            return self.read("arrow").to_pandas()
        return read_table(self._as_parquet(), container)

    def _as_parquet(self) -> Path:
        from relet.data.table import write_table

        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="relet-checks-")
            write_table(self.read("arrow"), Path(self._folder.name) / "batch.parquet")
        return Path(self._folder.name) / "batch.parquet"


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
