"""The fixtures of data tests: the batch, its reference, and the hyperparameters of the component that checks."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from relet.checks.containers import asked_container
from relet.checks.family import FamilyRules, SubmittedOutcome, judge_family
from relet.checks.rows import rows_as_json, rows_as_text
from relet.checks.statistics.outcome import TwoSampleOutcome
from relet.core.wording import count

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from ibis import Table

# How many offending rows a report keeps.
ROWS = 5
# The name under which a test's report carries the outcomes that the test handed in.
HANDED_IN = "relet_entry"
# The fixture of what the batch is compared with.
REFERENCE = "reference"


class OffendingRows(Protocol):
    """The fixture `offending`: fails the test where it is given rows, and reports the first of them."""

    def __call__(self, rows: pd.DataFrame | Table | pl.DataFrame | pa.Table, what: str) -> None: ...


class Judge(Protocol):
    """The fixture `judge`: hands in an outcome, to be judged with all others at the end of the session.

    A null hypothesis is rejected where the corrected p-value is at most alpha and the effect at least `floor`
    (else the hyperparameter `min_effect`). A divergence has no p-value: it fails at once above `threshold`.
    """

    def __call__(
        self, outcome: TwoSampleOutcome, *, floor: float | None = None, threshold: float | None = None
    ) -> None: ...


def fixture_plugin(
    data: Callable[[], Path], reference: Callable[[], Path], options: Mapping[str, Any], rules: FamilyRules
) -> object:
    """A pytest plugin: the fixtures `data`, `reference`, `schema`, `offending`, `judge`, and one for each option.

    `data` and `reference` give the files when a test asks for them. Each file is read once; where both are the
    same file, once in all. A change that a test makes in its frame is not seen by any other test.
    """
    batches: dict[str, BatchFile] = {}

    def opened(path: Path) -> BatchFile:
        same = (batch for batch in batches.values() if _have_same_content(batch.path, path))
        return batches.setdefault(str(path), next(same, None) or BatchFile(path))

    @pytest.fixture(scope="session", name="_batch")
    def batch() -> Iterator[BatchFile]:
        yield (found := opened(data()))
        found.close()

    @pytest.fixture(scope="session", name="_reference_batch")
    def reference_batch() -> Iterator[BatchFile]:
        yield (found := opened(reference()))
        found.close()

    constants = {name: _constant_fixture(name, value) for name, value in {**vars(rules), **options}.items()}
    constants["_rules"] = _constant_fixture("_rules", rules)
    # The plugin is a module: pytest deprecates methods as session fixtures.
    module = ModuleType("relet_data_tests", "The fixtures of data tests.")
    vars(module).update(_FIXTURES, batch=batch, reference_batch=reference_batch, **constants)
    return module


def _constant_fixture(name: str, value: Any) -> Any:
    @pytest.fixture(scope="session", name=name)
    def constant() -> Any:
        return value

    return constant


def _have_same_content(path: Path, other: Path) -> bool:
    return path.samefile(other) or filecmp.cmp(path, other, shallow=False)


@pytest.fixture(name="data")
def _data(request: pytest.FixtureRequest, _batch: BatchFile) -> Any:
    """The batch under test, in the container that the test's annotation names; a pandas frame without an
    annotation.
    """
    return _batch.read(asked_container(request, "data"))


@pytest.fixture(name=REFERENCE)
def _reference(request: pytest.FixtureRequest, _reference_batch: BatchFile) -> Any:
    """The batch to compare with, in the container that the test's annotation names."""
    return _reference_batch.read(asked_container(request, REFERENCE))


@pytest.fixture(name="schema")
def _schema(_batch: BatchFile) -> dict[str, str]:
    """The Arrow type of each column of the batch, in the columns' order."""
    return _batch.schema()


@pytest.fixture(name="offending")
def _offending(request: pytest.FixtureRequest) -> OffendingRows:
    """Fail the test where there are rows, and keep the first of them for the report."""

    def offending(rows: pd.DataFrame | Table | pl.DataFrame | pa.Table, what: str) -> None:
        __tracebackhide__ = True
        offenders, first = _count_and_first(rows)
        if not offenders:
            return
        kept = rows_as_json(first)
        request.node.user_properties.append(("rows", kept))
        pytest.fail(f"{count(offenders, 'row')}: {what}\n{rows_as_text(kept)}", pytrace=False)

    return offending


def _count_and_first(rows: Any) -> tuple[int, pd.DataFrame]:
    """The number of rows and the first rows of a table in any container."""
    if hasattr(rows, "to_pyarrow"):
        count = int(rows.count().to_pyarrow().as_py())
        return count, rows.limit(ROWS if count else 0).to_pandas()
    # frames of Polars and pyarrow become pandas frames
    return len(rows), rows.head(ROWS) if not hasattr(rows, "to_pandas") else rows.slice(0, ROWS).to_pandas()


@pytest.fixture(name="judge")
def _judge(request: pytest.FixtureRequest, _rules: FamilyRules) -> Judge:
    """Hand in an outcome, to be judged with all others at the end of the session."""

    def hand_in(outcome: TwoSampleOutcome, *, floor: float | None = None, threshold: float | None = None) -> None:
        __tracebackhide__ = True
        entry = SubmittedOutcome(node=request.node.nodeid, outcome=outcome, floor=floor, threshold=threshold)
        request.node.user_properties.append((HANDED_IN, entry.to_json()))
        if threshold is not None:
            (alone,) = judge_family([entry], _rules)
            if alone.rejected:
                pytest.fail(alone.sentence, pytrace=False)

    return hand_in


_FIXTURES = {
    "data": _data,
    REFERENCE: _reference,
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
        # pandas copies on write, so that a test changes its own frame only
        return found.copy(deep=False) if container == "pandas" else found

    def close(self) -> None:
        """Remove what was written to read the table another time."""
        if self._folder is not None:
            self._folder.cleanup()

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
