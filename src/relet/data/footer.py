"""A table's file from elsewhere: its rows are digested, and what its footer says of them is compared with them.

Engines leave out row groups by the minimum and maximum that the footer gives: false ones hide rows from a filter,
and the content digest, which reads the rows, does not notice.
"""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from relet.data.content import digest_of_file
from relet.data.normal import CHUNK_ROWS
from relet.errors import BadDataError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


def checked_content_digest(path: Path) -> str:
    """The digest of a table's content, as `relet.data.table.content_digest` gives it for an honest file.

    Row groups are read one at a time. Raises BadDataError for a file that can't be read, that is not in the format
    of `write_table`, or whose footer says anything of the rows that is not so.
    """
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            digest = digest_of_file(file)
            for group in range(file.num_row_groups):
                digest.update(_checked_group(file, group))
            return digest.hexdigest()
    except BadDataError:
        raise
    except Exception as error:  # whatever a reader raises of bytes that somebody made up
        raise BadDataError(f"it can't be read as a table: {error}") from error


def _checked_group(file: pq.ParquetFile, group: int) -> pa.Table:
    about = file.metadata.row_group(group)
    if about.num_rows > CHUNK_ROWS:
        raise BadDataError(f"row group {group} has {about.num_rows} rows, and relet writes at most {CHUNK_ROWS}")
    rows = file.read_row_group(group)
    if rows.num_rows != about.num_rows:
        raise BadDataError(
            f"the footer says {about.num_rows} rows of row group {group}, which has {rows.num_rows}"
        )
    for wrong in _false_statistics(rows, about):
        raise BadDataError(wrong)
    return rows.replace_schema_metadata(None)


def _false_statistics(rows: pa.Table, about: pq.RowGroupMetaData) -> Iterator[str]:
    import pyarrow.compute as pc

    for place, name in enumerate(rows.column_names):
        said, column = about.column(place).statistics, rows.column(place)
        if said is None:
            continue
        if said.has_null_count and said.null_count != column.null_count:
            yield f"the footer says {said.null_count} missing values of {name!r}, which has {column.null_count}"
        if said.has_min_max:
            found = pc.min_max(column).as_py()
            if (said.min, said.max) != (found["min"], found["max"]):
                range_ = f"{found['min']} to {found['max']}"
                yield f"the footer says {said.min} to {said.max} of {name!r}, which has {range_}"
