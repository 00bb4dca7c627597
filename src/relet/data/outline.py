"""The outline of a stored table: its size, and the type and missing values of each column."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from relet.errors import BadDataError


@dataclass(frozen=True, kw_only=True)
class Outline:
    """How many rows a table has, and each column's Arrow type and how many of its values are missing."""

    rows: int
    columns: Mapping[str, tuple[str, int]]


def outline(path: Path) -> Outline:
    """Read the outline from a Parquet file's statistics, and from its values where it has no statistics.

    Raises BadDataError where the file can't be read as Parquet.

    >>> import pyarrow as pa, pyarrow.parquet as pq, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "table.parquet"
    >>> pq.write_table(pa.table({"price": [90, None]}), path)
    >>> outline(path)
    Outline(rows=2, columns={'price': ('int64', 1)})
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            about, schema = file.metadata, file.schema_arrow
            groups = [about.row_group(place) for place in range(about.num_row_groups)]
            columns = {}
            for place, field in enumerate(schema):
                held = [group.column(place).statistics for group in groups]
                if all(each is not None and each.has_null_count for each in held):
                    missing = sum(each.null_count for each in held)
                else:
                    missing = file.read(columns=[field.name]).column(0).null_count
                columns[field.name] = (str(field.type), missing)
            return Outline(rows=about.num_rows, columns=columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadDataError(f"{path} is no Parquet file that can be read: {error}") from error
