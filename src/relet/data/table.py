"""Tables: rows of any engine are written as canonical Parquet and read back into any engine.

A table has two digests. The content digest (schema and rows in canonical order) is the same on every engine; keys
and verdicts use it. The file digest only verifies the bytes.
"""

# mypy: disable-error-code="import-untyped"
# pyarrow and ibis ship no stubs.
from __future__ import annotations

import os
import re
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.data.canonical import write_canonical
from relet.data.column_kinds import kinds_in, restored, with_kinds
from relet.data.content import digest_of_file
from relet.data.normal import batches_of, normal_rows
from relet.data.rows import RowStream, is_stored_table
from relet.errors import BadDataError, nearest
from relet.files import replacing

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from ibis import Table as Table
    from ibis.backends.duckdb import Backend


def __getattr__(name: str) -> Any:
    if name == "Table":
        import ibis

        return ibis.Table
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def write_table(value: Any, path: Path) -> str:
    """Write a table as canonical Parquet and return the digest of its content, 64 hexadecimal digits.

    `value` is an Ibis table of any backend, a pandas or Polars frame, a pyarrow table or reader, or the path of
    a Parquet file. Equal content gives equal bytes: rows are sorted by all columns, nulls first, text by its
    UTF-8 bytes; NaN becomes null and -0.0 becomes 0.0; categories become text; times become microseconds (finer
    ones are refused), zones UTC. The categories and zones of a pandas frame are kept beside the rows, and belong
    to the content. Integers keep their width. Raises BadDataError, with the column's name, for what
    a table can't hold: two names that differ only in case, an index of a pandas frame, nested values.

    >>> import pyarrow as pa, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> digest = write_table(pa.table({"a": [2, 1]}), folder / "one.parquet")
    >>> digest == write_table(pa.table({"a": [1, 2]}), folder / "two.parquet")
    True
    >>> digest == content_digest(folder / "one.parquet")
    True
    """
    schema, batches = normal_rows(value)
    with replacing(path) as part:
        return write_canonical(schema, batches, part)


def read_table(path: Path, container: str) -> Any:
    """Read a table that `write_table` wrote, in its canonical order.

    `container` is one of:

    - "ibis": a table on an in-memory DuckDB connection, shared by the tables that are alive at one time (they can
      be joined) and closed with the last of them; it has one thread: sums of floats are the same everywhere.
    - "pandas": text as `str`; dates as `datetime64[us]`; integers and booleans without nulls as NumPy's, with
      nulls as the nullable `Int64`, `boolean`, …, never silently float; decimals, times of day and bytes as
      `ArrowDtype`. Categories and zones that a pandas frame was written with come back
      (`relet.data.column_kinds`). Written again, everything but dates comes back as it was.
    - "polars", "arrow": every type as it was stored; "lazy" is the Polars frame as a `LazyFrame`.
    - "reader": the same as a stream of record batches, which can be read once and needs little memory.
    - "rows": that stream as a `RowStream`, which carries the fact that its rows are in the normal form.
    - "path": the path itself.
    """
    readers: dict[str, Callable[[Path], Any]] = {
        "ibis": _read_ibis,
        "pandas": _read_pandas,
        "polars": _read_polars,
        "lazy": lambda path: _read_polars(path).lazy(),
        "arrow": _read_arrow,
        "reader": lambda path: _read_rows(path).to_reader(),
        "rows": _read_rows,
        "path": lambda path: path,
    }
    if container not in readers:
        raise BadDataError(f"a table can't be read as {container!r}; {nearest(container, readers)}")
    return readers[container](path)


def content_digest(path: Path) -> str:
    """Compute the digest of a stored table's content from its file.

    Raises BadDataError for a file that `write_table` did not write, since the order of its rows is unknown.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            digest = digest_of_file(file)
            for batch in batches_of(file):
                digest.update(pa.Table.from_batches([batch]))
    except BadDataError as error:
        raise BadDataError(f"{path}: {error}") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise BadDataError(f"{path} can't be read as Parquet: {error}") from error
    return digest.hexdigest()


def _read_arrow(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return file.read().replace_schema_metadata(None)


def _read_rows(path: Path) -> RowStream:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)  # closed with the last batch
    schema = with_kinds(file.schema_arrow, kinds_in(file.metadata.metadata))
    return RowStream(schema, batches_of(file), is_normal=is_stored_table(path))


def _read_polars(path: Path) -> pl.DataFrame:
    import polars as pl

    return pl.read_parquet(path, glob=False)


def _read_pandas(path: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow.parquet as pq

    kinds = kinds_in(pq.read_metadata(path).metadata)
    table = _read_arrow(path)
    series = {name: _pandas_column(table.column(name)) for name in table.column_names}
    for name in kinds.keys() & series.keys():
        try:
            series[name] = restored(table.column(name), series[name], kinds[name])
        except BadDataError as error:
            raise BadDataError(f"column {name!r}: {error}") from error
    return pd.DataFrame(series, copy=False)


def _pandas_column(column: pa.ChunkedArray) -> Any:
    import pyarrow as pa

    type = column.type
    if pa.types.is_date(type):
        column = column.cast(pa.timestamp("us"))
    whole = pa.types.is_integer(type) or pa.types.is_boolean(type)
    if (
        (whole and column.null_count)
        or pa.types.is_decimal(type)
        or pa.types.is_time(type)
        or pa.types.is_binary(type)
    ):
        return column.to_pandas(types_mapper=_nullable_dtype)
    return column.to_pandas()


def _nullable_dtype(type: pa.DataType) -> Any:
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_boolean(type):
        return pd.BooleanDtype()
    if pa.types.is_integer(type):
        return pd.api.types.pandas_dtype(str(type).replace("i", "I", 1).replace("uI", "UI"))
    return pd.ArrowDtype(type)


def _read_ibis(path: Path) -> Table:
    connection = _thread_connection()
    # DuckDB reads a path as a pattern, in which these letters would match others.
    table = connection.read_parquet(re.sub(r"[*?\[]", r"[\g<0>]", str(path)))
    _files.setdefault(connection, {})[table.get_name()] = path
    return table


def file_of(table: Table) -> Path | None:
    """The file that an Ibis table was read from. None for an expression on it, and for a table of another engine.

    >>> import pyarrow as pa, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "one.parquet"
    >>> _ = write_table(pa.table({"a": [2, 1]}), path)
    >>> table = read_table(path, "ibis")
    >>> file_of(table) == path, file_of(table.filter(table.a > 1))
    (True, None)
    """
    op = table.op()
    name, source = getattr(op, "name", None), getattr(op, "source", None)
    return None if name is None else _files.get(source, {}).get(name)


# Which file each table of a connection was read from.
_files: weakref.WeakKeyDictionary[Backend, dict[str, Path]] = weakref.WeakKeyDictionary()
_alive = threading.local()


def _thread_connection() -> Backend:
    """The connection that this thread's living tables share; a new one where there are none."""
    import ibis

    # A connection must not be used from another thread, nor after a fork.
    process, reference = getattr(_alive, "connection", (None, None))
    connection = reference() if reference and process == os.getpid() else None
    if connection is None:
        connection = ibis.duckdb.connect(threads=1)
        _alive.connection = (os.getpid(), weakref.ref(connection))
    return connection
