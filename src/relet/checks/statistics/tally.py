"""The tally of a column, whatever holds the column: a two-sample test sees nothing else of it."""

# mypy: disable-error-code="import-untyped"
# pyarrow and ibis ship no stubs.
from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from relet.data.tally import Tally, sorted_tally
from relet.errors import BadDataError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Array = np.ndarray[Any, np.dtype[Any]]


def tally(column: Any) -> Tally:
    """Count a column of an Ibis table (its engine counts), a series, an array or a list; a tally comes back as it
    is. NaN and null are missing. Raises BadDataError for anything but one column of numbers, text, booleans or
    times.

    >>> counted = tally([3, 1, 3, None])
    >>> counted.values.tolist(), counted.counts.tolist(), counted.missing
    ([1, 3], [1, 2], 1)
    """
    if isinstance(column, Tally):
        return column
    name = _name_of_column(column)
    if _is_from_library("ibis", column):
        return _tally_from_counts(*_counts_by_engine(column), name)
    return _tally_from_counts(*_value_counts(_as_arrow(column)), name)


def _name_of_column(column: Any) -> str:
    named = getattr(column, "get_name", None)
    found = named() if callable(named) else getattr(column, "name", None)
    return found if isinstance(found, str) else ""


def _is_from_library(library: str, value: Any) -> bool:
    return library in sys.modules and type(value).__module__.partition(".")[0] == library


def _counts_by_engine(column: Any) -> tuple[pa.Array, pa.Array]:
    from ibis.expr.types import Column

    if not isinstance(column, Column):
        raise BadDataError(
            f"a sample is one column, got {type(column).__name__}; name the column, as in data.price"
        )
    rows = column.name("value").as_table()
    with _all_threads(column):
        counted = rows.group_by("value").aggregate(count=lambda each: each.count()).to_pyarrow().combine_chunks()
    return counted.column("value"), counted.column("count")


@contextlib.contextmanager
def _all_threads(column: Any) -> Iterator[None]:
    """Let DuckDB count with all threads. A table is read with one thread only to keep sums of floats the same."""
    backend = column.get_backend()
    if backend.name != "duckdb":
        yield
        return
    (before,) = backend.con.execute("SELECT current_setting('threads')").fetchone()
    backend.con.execute(f"SET threads = {max(before, os.cpu_count() or 1)}")
    try:
        yield
    finally:
        backend.con.execute(f"SET threads = {before}")


def _as_arrow(column: Any) -> pa.ChunkedArray:
    import pyarrow as pa

    if _is_from_library("polars", column) and hasattr(column, "to_arrow"):
        column = column.to_arrow()
    if isinstance(column, pa.ChunkedArray):
        return column
    if isinstance(column, str | bytes) or getattr(column, "ndim", 1) != 1 or isinstance(column, pa.Table):
        raise BadDataError(
            f"a sample is one column, got {type(column).__name__}; name the column, as in data.price"
        )
    try:
        found = pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise BadDataError(
            f"{_name_of_column(column) or 'a sample'} can't be counted as one type of value: {error}"
        ) from error
    return found if isinstance(found, pa.ChunkedArray) else pa.chunked_array([found])


def _value_counts(column: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    try:
        counted = pc.value_counts(column)
    except pa.ArrowNotImplementedError as error:
        raise BadDataError(f"values of the type {column.type} can't be counted") from error
    return counted.field("values"), counted.field("counts")


def _tally_from_counts(values: Any, counts: Any, name: str) -> Tally:
    import pyarrow.compute as pc

    values = _countable_values(values)
    gone = values.is_null()
    missing = pc.sum(pc.if_else(gone, counts, 0)).as_py() or 0
    there = pc.invert(gone)
    return sorted_tally(
        values.filter(there).to_numpy(zero_copy_only=False),
        counts.filter(there).to_numpy(zero_copy_only=False),
        missing=int(missing),
        name=name,
    )


def _countable_values(values: Any) -> Any:
    """The values as int64, float64 or text, NaN as null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    type, kinds = values.type, pa.types
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if kinds.is_string(type) or kinds.is_large_string(type) or kinds.is_string_view(type):
        return values.cast(pa.string())
    if kinds.is_null(type):
        return values.cast(pa.float64())
    if kinds.is_date(type) or kinds.is_timestamp(type):
        # in one unit, so that the same day is the same value whatever the engine or the file
        values = values.cast(pa.timestamp("us", getattr(type, "tz", None)), safe=False)
    elif kinds.is_time(type):
        values = values.cast(pa.time64("us"), safe=False)
    if kinds.is_temporal(type) or kinds.is_boolean(type) or kinds.is_signed_integer(type):
        return values.cast(pa.int64())
    if kinds.is_floating(type) or kinds.is_decimal(type) or kinds.is_unsigned_integer(type):
        values = values.cast(pa.float64())
        return pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
    raise BadDataError(f"values of the type {type} can't be tested; test numbers, text, booleans or times")
