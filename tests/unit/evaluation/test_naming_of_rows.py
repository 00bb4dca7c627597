"""By which column a row is named where several could name it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from relet.core.artifact import ArtifactType
from relet.data.table import write_table
from relet.evaluation.comparison import compare

RECORDED = {"a": [1, 2, 3, 4], "b": [10, 20, 30, 40], "x": ["p", "q", "r", "s"]}
REPRODUCED = {"a": [1, 2, 3, 9], "b": [99, 20, 30, 40], "x": ["p", "Q", "r", "s"]}


@pytest.mark.parametrize(("order", "name"), [("abx", "a 2"), ("bax", "b 20")])
def test_of_two_columns_that_find_as_many_rows_the_first_names_them(tmp_path: Path, order: str, name: str) -> None:
    for folder, rows in (("recorded", RECORDED), ("reproduced", REPRODUCED)):
        (tmp_path / folder).mkdir()
        write_table(pa.table({column: rows[column] for column in order}), tmp_path / folder / "table.parquet")
    found = compare(ArtifactType.TABLE, tmp_path / "recorded", tmp_path / "reproduced", tolerance=None)
    assert f"x: 1 of 4 rows differ, most of all {name}: 'q' → 'Q'" in found.differences
