"""How often each value of a column occurs: tests, profiles and differences of tables see nothing else of it.

A tally holds whole counts in the order of the values. So it does not depend on the number of threads, nor on how
the table was written. For most columns it is tiny beside the table.
"""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.data.normal import CHUNK_ROWS, batches_of, normal_rows, normal_schema
from relet.errors import BadDataError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

# DuckDB spills to disk what exceeds this memory. More threads would need more memory.
MEMORY, THREADS = "768MiB", 2
# A table with more columns than this is read column by column.
WIDE = 64
# Text with more distinct values than this is no category: only the most frequent values are kept.
CATEGORIES = 1000
# How many frequent values are kept, and how many letters of each.
TOP, LETTERS = 10, 200


class ColumnKind(StrEnum):
    """The kind of statistics that a column has. TEXT stands for everything that is neither a number nor a time."""

    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True, eq=False)
class Tally:
    """The distinct values of a column, ascending, how many rows have each, and how many have none.

    `values` are int64, float64 or, for text, objects; `counts` are int64, each at least 1. `infinite` is how many
    rows hold an infinite number, where such values are left out of `values`.

    Raises BadDataError for values that are not distinct and ascending, and for counts below 1.
    """

    values: NDArray[Any]
    counts: NDArray[Any]
    missing: int = 0
    infinite: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        whole = self.counts.dtype.kind in "iu"
        ascending = len(self.values) < 2 or bool((self.values[1:] > self.values[:-1]).all())
        if len(self.values) != len(self.counts) or not whole or (self.counts < 1).any() or not ascending:
            raise BadDataError("a tally has distinct values in ascending order, each with a whole count from 1 up")

    @property
    def size(self) -> int:
        """How many rows have one of the values."""
        return int(self.counts.sum())

    @property
    def is_text(self) -> bool:
        return self.values.dtype == object


def sorted_tally(
    values: NDArray[Any], counts: NDArray[Any], *, missing: int = 0, infinite: int = 0, name: str = ""
) -> Tally:
    """The tally of values that were counted in any order; 0.0 and -0.0 are one value.

    >>> import numpy as np
    >>> found = sorted_tally(np.array([2.0, -0.0, 0.0]), np.array([1, 1, 4]))
    >>> found.values.tolist(), found.counts.tolist()
    ([0.0, 2.0], [5, 1])
    """
    import numpy as np

    if values.dtype.kind == "f":
        values, place = np.unique(values + 0.0, return_inverse=True)
        counts = np.bincount(place, weights=counts, minlength=len(values))
    else:
        order = np.argsort(values)
        values, counts = values[order], counts[order]
    return Tally(values=values, counts=counts.astype(np.int64), missing=missing, infinite=infinite, name=name)


@dataclass(frozen=True, kw_only=True)
class TextTally:
    """The tally of a column of text: how many distinct values, the most frequent ones, and the tally of their
    lengths.

    `top` is sorted by count, then by value; values are cut after `LETTERS` letters. `categories` holds all values
    where there are at most `CATEGORIES`, and is None otherwise.
    """

    distinct: int
    top: tuple[tuple[str, int], ...]
    categories: dict[str, int] | None
    lengths: Tally
    missing: int


class OpenTable:
    """A table that is open for counting: a view named `name` in a DuckDB connection.

    `held` is what it is a view of: a pyarrow table, or an open ParquetFile.
    """

    def __init__(self, connection: Any, schema: pa.Schema, name: str, held: Any) -> None:
        self.connection = connection
        self.schema = schema
        self.name = name
        # each column's Arrow type, in order
        self.columns: dict[str, str] = {field.name: str(field.type) for field in schema}
        self._held = held
        self.count: int = self.asked(f"SELECT count(*) FROM {name}")[0][0]

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        """All rows that a query gives."""
        found: list[tuple[Any, ...]] = self.connection.sql(query).fetchall()
        return found

    def source(self, column: str) -> str:
        """The relation to query for this column alone.

        A query costs time for every column of its relation, used or not; so a column of a wide table gets a
        relation of its own.
        """
        if len(self.columns) <= WIDE:
            return self.name
        narrow = f"{self.name}_column"
        read = self._held.read if hasattr(self._held, "read") else self._held.select
        self.connection.register(narrow, read([column]))
        return narrow

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The rows of some columns, in order."""
        if hasattr(self._held, "iter_batches"):
            yield from batches_of(self._held, columns)
        else:
            yield from self._held.select(columns).to_batches(max_chunksize=CHUNK_ROWS)


@contextmanager
def open_tables(*tables: Any) -> Iterator[tuple[OpenTable, ...]]:
    """Open tables for counting, all in one connection that needs little memory and spills to disk.

    Each is the path of a Parquet file, or anything that can be stored as a table. Raises BadDataError for anything
    else.

    >>> import pyarrow as pa
    >>> with open_tables(pa.table({"price": [90, 110]})) as (rows,):
    ...     rows.asked(f"SELECT max(price) FROM {rows.name}")
    [(110,)]
    """
    import duckdb

    with ExitStack() as stack:
        spill = stack.enter_context(tempfile.TemporaryDirectory(prefix="relet-tally-"))
        settings: dict[str, Any] = {
            "memory_limit": MEMORY,
            "temp_directory": spill,
            "preserve_insertion_order": False,
            "threads": THREADS,
        }
        connection = stack.enter_context(duckdb.connect(":memory:", config=settings))
        connection.execute("SET TimeZone = 'UTC'")
        yield tuple(_open_table(stack, connection, table, f"t{place}") for place, table in enumerate(tables))


def _open_table(stack: ExitStack, connection: Any, table: Any, name: str) -> OpenTable:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not isinstance(table, Path):
        schema, batches = normal_rows(table)
        held = pa.Table.from_batches(batches, schema)
        connection.register(name, held)
        return OpenTable(connection, schema, name, held)
    try:
        file = stack.enter_context(pq.ParquetFile(table))
    except (pa.ArrowInvalid, OSError) as error:
        raise BadDataError(f"{table} is no Parquet file that can be read: {error}") from error
    normal = normal_schema(file.schema_arrow)
    # DuckDB reads a path as a pattern, in which these letters would match others.
    found = re.sub(r"[*?\[]", r"[\g<0>]", str(table)).replace("'", "''")
    connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{found}')")
    return OpenTable(connection, normal, name, file)


def kind_of(type: pa.DataType) -> ColumnKind:
    """The kind of statistics that a column of this Arrow type has."""
    import pyarrow as pa

    is_ = pa.types
    if is_.is_integer(type) or is_.is_floating(type) or is_.is_decimal(type):
        return ColumnKind.NUMBER
    if is_.is_date(type):
        return ColumnKind.DATE
    return ColumnKind.TIME if is_.is_timestamp(type) else ColumnKind.TEXT


def quoted_name(name: str) -> str:
    """A column's name in SQL.

    >>> quoted_name('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def finite_tally(rows: OpenTable, name: str) -> Tally:
    """Count the values of a column of numbers, dates (days since 1970) or times (µs since 1970).

    Decimals are taken as floats, NaN as missing; infinite numbers are counted apart.

    >>> import pyarrow as pa
    >>> with open_tables(pa.table({"price": [110, 90, 110, None]})) as (rows,):
    ...     found = finite_tally(rows, "price")
    >>> found.values.tolist(), found.counts.tolist(), found.missing
    ([90, 110], [1, 2], 1)
    """
    import pyarrow as pa

    type = rows.schema.field(name).type
    column = quoted_name(name)
    if pa.types.is_timestamp(type):
        column = f"epoch_us({column})"
    elif pa.types.is_date(type):
        column = f"date_diff('day', DATE '1970-01-01', {column})"
    elif pa.types.is_floating(type) or pa.types.is_decimal(type):
        column = f"CAST({column} AS DOUBLE)"
    return _counted_by_query(rows, f"SELECT {column} AS v, count(*) AS k FROM {rows.source(name)} GROUP BY ALL")


def _counted_by_query(rows: OpenTable, query: str) -> Tally:
    import numpy as np

    # fetched as NumPy: Arrow arrays would import pandas on their way to NumPy
    found = rows.connection.sql(query).fetchnumpy()
    values, counts = np.ma.getdata(found["v"]), np.ma.getdata(found["k"]).astype(np.int64)
    null = np.ma.getmaskarray(found["v"])
    if values.dtype.kind == "f":
        null = null | np.isnan(values)
    missing, infinite = int(counts[null].sum()), 0
    values, counts = values[~null], counts[~null]
    if values.dtype.kind == "f":
        finite = np.isfinite(values)
        infinite = int(counts[~finite].sum())
        values, counts = values[finite], counts[finite]
    return sorted_tally(values, counts, missing=missing, infinite=infinite)


def text_tally(rows: OpenTable, name: str) -> TextTally:
    """Count the values of a column of text. Booleans, bytes and times of day are counted as text.

    >>> import pyarrow as pa
    >>> with open_tables(pa.table({"room": ["shared", "private", "shared"]})) as (rows,):
    ...     text_tally(rows, "room").top
    (('shared', 2), ('private', 1))
    """
    import pyarrow as pa

    type = rows.schema.field(name).type
    column = f"hex({quoted_name(name)})" if pa.types.is_binary(type) else f"CAST({quoted_name(name)} AS VARCHAR)"
    # Grouping costs most, so values are grouped once: the result has all lengths, and the most frequent values.
    found = rows.asked(
        f"WITH found AS MATERIALIZED (SELECT {column} AS v, count(*) AS k FROM {rows.source(name)} GROUP BY ALL), "
        f"known AS (SELECT v, length(v) AS l, k FROM found WHERE v IS NOT NULL) "
        f"SELECT NULL, l, sum(k)::BIGINT, count(*) FROM known GROUP BY ALL UNION ALL "
        f"(SELECT left(v, {LETTERS}), l, k, 1 FROM known ORDER BY k DESC, v LIMIT {CATEGORIES + 1})"
    )
    lengths = {length: (count, values) for value, length, count, values in found if value is None}
    frequent = sorted(
        ((value, length, count) for value, length, count, _ in found if value is not None),
        key=lambda each: (-each[2], each[0], each[1]),
    )
    return _build_text_tally(rows.count, lengths, frequent)


def _build_text_tally(
    rows: int, lengths: dict[int, tuple[int, int]], frequent: list[tuple[str, int, int]]
) -> TextTally:
    """Build the tally.

    `lengths` maps each length to its rows and distinct values; `frequent` has each value's start, length and rows.
    """
    import numpy as np

    distinct = sum(values for _, values in lengths.values())
    shown = [(value if length <= LETTERS else f"{value}…", count) for value, length, count in frequent]
    categories: dict[str, int] | None = None
    if distinct <= CATEGORIES:
        categories = {}
        for value, count in shown:
            # two long values may begin alike
            categories[value] = categories.get(value, 0) + count
    ordered = sorted(lengths)
    return TextTally(
        distinct=distinct,
        top=tuple(shown[:TOP]),
        categories=categories,
        lengths=Tally(
            values=np.array(ordered, np.int64),
            counts=np.array([lengths[length][0] for length in ordered], np.int64),
        ),
        missing=rows - sum(count for count, _ in lengths.values()),
    )
