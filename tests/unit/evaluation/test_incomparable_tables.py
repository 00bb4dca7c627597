"""Tables whose values relet can't compare never look equal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relet.core.artifact import ArtifactType
from relet.evaluation.comparison import compare


@pytest.mark.parametrize(
    ("recorded", "reproduced"),
    [([[1], [2]], [[1], [3]]), ([{"a": 1}], [{"a": 2}]), ([[1], [2]], [[1]])],
)
def test_tables_that_another_program_wrote_with_nested_values_differ_and_the_reason_is_said(
    tmp_path: Path, recorded: list[Any], reproduced: list[Any]
) -> None:
    for folder, values in (("recorded", recorded), ("reproduced", reproduced)):
        (tmp_path / folder).mkdir()
        pq.write_table(pa.table({"x": values}), tmp_path / folder / "table.parquet")
    found = compare(ArtifactType.TABLE, tmp_path / "recorded", tmp_path / "reproduced", tolerance=1.0)
    assert not found.within
    assert any(each.startswith("the tables can't be compared: ") for each in found.differences)
