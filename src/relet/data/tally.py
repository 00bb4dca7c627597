"""How often each value of a column is there: what profiles and differences of tables are worked out from.

A tally is the same whatever the number of threads that counted, and however the table was written: it holds whole
numbers, in the order of the values. For most columns it is tiny beside the table.
"""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.data.normal import CHUNK_ROWS, incoming, normal_schema
from relet.errors import BadDataError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

# DuckDB spills to disk what needs more than this.
MEMORY = "768MiB"
# Text with more different values than this is no category: its values are not kept, only the most frequent.
CATEGORIES = 1000
# How many of the most frequent values are kept, and how many letters of each.
TOP, LETTERS = 10, 200


class Kind(StrEnum):
    """What can be said of a column: TEXT holds everything that is neither a number nor a point in time."""

    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The finite values of a column of numbers, dates (days since 1970) or times (µs since 1970), ascending, with
    their counts; and how many are missing or infinite.
    """

    values: NDArray[Any]
    counts: NDArray[Any]
    missing: int = 0
    infinite: int = 0

    @property
    def present(self) -> int:
        """How many rows hold a finite value."""
        return int(self.counts.sum())


@dataclass(frozen=True, kw_only=True)
class TextTally:
    """The values of a column of text: how many there are, the most frequent, and the tally of their lengths.

    `top` is in order of counts, then of values; values are cut off after `LETTERS` letters. `categories` holds
    all values where there are at most `CATEGORIES`, else None.
    """

    distinct: int
    top: tuple[tuple[str, int], ...]
    categories: dict[str, int] | None
    lengths: Tally
    missing: int


class Rows:
    """A table that is open to be counted, by the name `name` of a view in a DuckDB connection."""

    def __init__(self, connection: Any, schema: pa.Schema, name: str, path: Path | None, table: Any) -> None:
        self.connection = connection
        self.schema = schema
        self.name = name
        self._path = path
        self._table = table
        self.count: int = self.asked(f"SELECT count(*) FROM {name}")[0][0]

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        """The answer to a query, whole."""
        found: list[tuple[Any, ...]] = self.connection.sql(query).fetchall()
        return found

    @property
    def columns(self) -> dict[str, str]:
        """Each column's Arrow type, in order."""
        return {field.name: str(field.type) for field in self.schema}

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The rows of some columns, in order."""
        import pyarrow.parquet as pq

        if self._path is None:
            yield from self._table.select(columns).to_batches(max_chunksize=CHUNK_ROWS)
            return
        with pq.ParquetFile(self._path) as file:
            yield from file.iter_batches(batch_size=CHUNK_ROWS, columns=columns)


@contextmanager
def opened(*tables: Any) -> Iterator[tuple[Rows, ...]]:
    """Tables as rows to be counted, all in one connection that needs little memory and spills to disk.

    Each is the path of a Parquet file, or anything that can be stored as a table. Raises BadDataError for what
    is none.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="relet-tally-") as spill:
        settings: dict[str, Any] = {
            "memory_limit": MEMORY,
            "temp_directory": spill,
            "preserve_insertion_order": False,
            "threads": 2,
        }
        with duckdb.connect(":memory:", config=settings) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield tuple(_rows(connection, table, f"t{place}") for place, table in enumerate(tables))


def _rows(connection: Any, table: Any, name: str) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not isinstance(table, Path):
        schema, batches = incoming(table)
        held = pa.Table.from_batches(batches, schema)
        connection.register(name, held)
        return Rows(connection, schema, name, None, held)
    try:
        schema = pq.read_schema(table)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadDataError(f"{table} is no Parquet file that can be read: {error}") from error
    normal = normal_schema(schema)
    # DuckDB takes the path for a pattern, in which these letters would match others.
    found = re.sub(r"[*?\[]", r"[\g<0>]", str(table)).replace("'", "''")
    connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{found}')")
    return Rows(connection, normal, name, table, None)


def kind_of(type: pa.DataType) -> Kind:
    """What can be said of a column of this Arrow type."""
    import pyarrow as pa

    is_ = pa.types
    if is_.is_integer(type) or is_.is_floating(type) or is_.is_decimal(type):
        return Kind.NUMBER
    if is_.is_date(type):
        return Kind.DATE
    return Kind.TIME if is_.is_timestamp(type) else Kind.TEXT


def quoted(name: str) -> str:
    """A column's name in SQL.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def tally(rows: Rows, name: str) -> Tally:
    """Count the values of a column of numbers, dates or times. Decimals are taken as floats, NaN as missing."""
    import pyarrow as pa

    type = rows.schema.field(name).type
    column = quoted(name)
    if pa.types.is_timestamp(type):
        column = f"epoch_us({column})"
    elif pa.types.is_date(type):
        column = f"date_diff('day', DATE '1970-01-01', {column})"
    elif pa.types.is_floating(type) or pa.types.is_decimal(type):
        column = f"CAST({column} AS DOUBLE)"
    return _tally(rows, f"SELECT {column} AS v, count(*) AS k FROM {rows.name} GROUP BY ALL")


def _tally(rows: Rows, query: str) -> Tally:
    import numpy as np

    # not by way of Arrow, whose arrays import pandas on their way to NumPy
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
    order = np.argsort(values)
    return Tally(values=values[order], counts=counts[order], missing=missing, infinite=infinite)


def text_tally(rows: Rows, name: str) -> TextTally:
    """Count the values of a column of text. What is no text (flags, bytes, times of day) is taken as text."""
    import pyarrow as pa

    type = rows.schema.field(name).type
    column = f"hex({quoted(name)})" if pa.types.is_binary(type) else f"CAST({quoted(name)} AS VARCHAR)"
    grouped = f"SELECT {column} AS v, count(*) AS k FROM {rows.name} GROUP BY ALL"
    ((distinct, total),) = rows.asked(f"SELECT count(*), sum(k) FROM ({grouped}) WHERE v IS NOT NULL")
    most = CATEGORIES if distinct <= CATEGORIES else TOP
    frequent = rows.asked(
        f"SELECT left(v, {LETTERS}), length(v), k FROM ({grouped}) WHERE v IS NOT NULL "
        f"ORDER BY k DESC, v LIMIT {most}"
    )
    values = [(value if length <= LETTERS else f"{value}…", count) for value, length, count in frequent]
    lengths = _tally(rows, f"SELECT length({column}) AS v, count(*) AS k FROM {rows.name} GROUP BY ALL")
    categories: dict[str, int] | None = None
    if distinct <= CATEGORIES:
        categories = {}
        for value, count in values:
            categories[value] = categories.get(value, 0) + count
    return TextTally(
        distinct=distinct,
        top=tuple(values[:TOP]),
        categories=categories,
        lengths=lengths,
        missing=rows.count - int(total or 0),
    )
