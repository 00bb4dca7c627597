"""What a component returns is written together where it comes out of one pass."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from relet.core.artifact import ArtifactType
from relet.core.component import Output
from relet.data.fork import fork
from relet.data.table import read_table
from relet.engine.values import write_artifacts
from relet.errors import BadDataError, ComponentError
from relet.store.contents import TABLE

SCHEMA = pa.schema([("n", pa.int64())])
OUTPUTS = [Output(name=name, type=ArtifactType.TABLE) for name in ("low", "high")]


def halves(batches: int, passes: list[int], *, wrong: bool = False) -> dict[str, Any]:
    def once() -> Iterator[dict[str, pa.RecordBatch]]:
        passes.append(0)
        for place in range(batches):
            passes[-1] += 1
            made = {"low": pa.array([place], pa.int64()), "high": pa.array([1000 + place], pa.int64())}
            yield {name: pa.record_batch([array], schema=SCHEMA) for name, array in made.items()}
            if wrong:
                raise BadDataError("the source is torn")

    return fork({"low": SCHEMA, "high": SCHEMA}, once)


def test_the_streams_of_a_fork_are_written_in_one_pass(tmp_path: Path) -> None:
    passes: list[int] = []
    verdict = Output(name="metrics", type=ArtifactType.METRICS)
    written = write_artifacts([*OUTPUTS, verdict], {**halves(7, passes), "metrics": {"a": 1.0}}, tmp_path)
    assert list(written) == ["low", "high", "metrics"]
    assert passes == [7]
    for name, first in (("low", 0), ("high", 1000)):
        stored = read_table(written[name].folder / TABLE, "arrow")["n"].to_pylist()
        assert stored == list(range(first, first + 7))
    assert written["low"].metadata["rows"] == 7


def test_an_error_of_the_pass_names_an_output_and_keeps_its_kind(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"^low: the source is torn$"):
        write_artifacts(OUTPUTS, halves(7, [], wrong=True), tmp_path)


def test_where_another_output_is_wrong_the_streams_are_not_written_to_their_end(tmp_path: Path) -> None:
    passes: list[int] = []
    wrong = Output(name="verdict", type=ArtifactType.VERDICT)
    with pytest.raises(ComponentError, match="verdict: a str can't be stored as a verdict"):
        write_artifacts([wrong, *OUTPUTS], {**halves(100_000, passes), "verdict": "yes"}, tmp_path)
    assert sum(passes) < 100_000
