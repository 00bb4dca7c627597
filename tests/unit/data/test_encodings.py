"""How a column is written in Parquet: by a dictionary where its values come again, and otherwise plainly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relet.data.table import write_table

ROWS = 4800


@pytest.mark.parametrize(
    ("values", "by_dictionary"),
    [
        (range(ROWS), False),
        ([f"text {number}" for number in range(ROWS)], False),
        (list(range(ROWS // 2)) * 2, True),
        (["a", "b"] * (ROWS // 2), True),
        # few distinct texts, and yet more bytes than a dictionary may have
        ([f"{number:01000}" for number in range(ROWS // 4)] * 4, False),
    ],
)
def test_a_dictionary_is_written_where_values_come_again_and_it_stays_small(
    tmp_path: Path, values: Any, by_dictionary: bool
) -> None:
    write_table(pa.table({"x": list(values)}), tmp_path / "table.parquet")
    column = pq.read_metadata(tmp_path / "table.parquet").row_group(0).column(0)
    assert column.has_dictionary_page is by_dictionary


def test_whole_numbers_that_hardly_come_again_are_written_by_their_differences(tmp_path: Path) -> None:
    write_table(pa.table({"id": range(ROWS), "share": [n / 7 for n in range(ROWS)]}), tmp_path / "table.parquet")
    group = pq.read_metadata(tmp_path / "table.parquet").row_group(0)
    encodings = {group.column(place).path_in_schema: group.column(place).encodings for place in range(2)}
    assert "DELTA_BINARY_PACKED" in encodings["id"]
    assert "DELTA_BINARY_PACKED" not in encodings["share"]
