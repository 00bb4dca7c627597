"""What a table's file says of its rows in its footer, and whether the rows are so.

Engines leave out row groups by the minimum and maximum that the footer gives: false ones hide rows from a filter,
and the content digest, which reads the rows, does not notice.
"""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


def false_statistics(path: Path) -> str | None:
    """The first column whose statistics in the footer are not those of its rows, in words; None where all are.

    Row groups are read one at a time.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            about = file.metadata.row_group(group)
            if rows.num_rows != about.num_rows:
                return f"the footer says {about.num_rows} rows of row group {group}, which has {rows.num_rows}"
            for wrong in _false_columns(rows, about):
                return wrong
    return None


def _false_columns(rows: pa.Table, about: pq.RowGroupMetaData) -> Iterator[str]:
    import pyarrow.compute as pc

    for place, name in enumerate(rows.column_names):
        said = about.column(place).statistics
        if said is None:
            continue
        column = rows.column(place)
        if said.has_null_count and said.null_count != column.null_count:
            yield f"the footer says {said.null_count} missing values of {name!r}, which has {column.null_count}"
        if said.has_min_max:
            found = pc.min_max(column).as_py()
            if (said.min, said.max) != (found["min"], found["max"]):
                yield f"the footer says {said.min} to {said.max} of {name!r}, which has {_range(found)}"


def _range(found: Any) -> str:
    return f"{found['min']} to {found['max']}"
