"""The outline of a table: read from a file's statistics, or counted where it has none."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relet.data.outline import outline
from relet.errors import BadDataError

ROWS = pa.table({"id": [1, 2, 3], "name": ["a", None, None]})


@pytest.mark.parametrize("statistics", [True, False])
def test_rows_types_and_what_is_missing_are_known_with_statistics_and_without(
    tmp_path: Path, statistics: bool
) -> None:
    pq.write_table(ROWS, tmp_path / "t.parquet", write_statistics=statistics, row_group_size=2)
    found = outline(tmp_path / "t.parquet")
    assert (found.rows, found.columns) == (3, {"id": ("int64", 0), "name": ("string", 2)})


def test_an_empty_table_has_columns(tmp_path: Path) -> None:
    pq.write_table(ROWS.slice(0, 0), tmp_path / "t.parquet")
    assert outline(tmp_path / "t.parquet").columns["name"] == ("string", 0)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_text("no")
    with pytest.raises(BadDataError, match="no Parquet file that can be read"):
        outline(tmp_path / "t.parquet")
