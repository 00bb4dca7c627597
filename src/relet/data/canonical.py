"""Write rows in canonical order as one Parquet file. Its bytes depend on the rows alone."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from relet.data.column_kinds import kinds_in
from relet.data.content import ContentDigest, table_marks
from relet.data.normal import CHUNK_ROWS, batches_of

if TYPE_CHECKING:
    import pyarrow as pa

# A table of more bytes than this is sorted by DuckDB, which spills to disk. A smaller one is sorted in memory.
SORT_IN_MEMORY = 256 * 1024**2
# The largest dictionary of a column, in bytes. Parquet's writer gives up a larger one.
DICTIONARY = 1024**2

T = TypeVar("T")


def write_canonical(schema: pa.Schema, batches: Iterable[pa.RecordBatch], path: Path) -> str:
    """Write normal-form rows in canonical order; the digest of their content.

    Rows that arrive in canonical order (their first column counts up, as ids do) are written as they come, in
    little memory. The first row out of order stops this: then all rows are sorted and written again. The kinds of
    columns that the schema's metadata hold are written, too.
    """
    coming = _made_ahead(_row_groups(schema, map(_table_of_batch, batches)))
    try:
        return _write_groups(schema, _groups_in_order(coming), path)
    except _OutOfOrderError as broken:
        written = path.with_name(f"{path.name}.unsorted")
        if broken.written:
            path.replace(written)
        try:
            before = _tables_in_file(written) if broken.written else ()
            rows = _sorted_tables(schema, chain(before, [broken.group], coming))
            return _write_groups(schema, _made_ahead(_row_groups(schema, rows)), path)
        finally:
            written.unlink(missing_ok=True)


class _OutOfOrderError(Exception):
    def __init__(self, group: pa.Table, *, written: bool) -> None:
        super().__init__("a row does not come after the one before it")
        self.group = group
        self.written = written


def _made_ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items. A second thread makes each one while the item before it is used."""
    coming, end = iter(items), object()
    with ThreadPoolExecutor(1, thread_name_prefix="relet-rows") as making:
        made = making.submit(next, coming, end)
        while (item := made.result()) is not end:
            made = making.submit(next, coming, end)
            yield item  # type: ignore[misc]


def _groups_in_order(groups: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Give the row groups while their first column counts up.

    Raises _OutOfOrderError at the first that does not.
    """
    last = None
    for group in groups:
        first = group.column(0)
        if not _counts_up(first) or (last is not None and not last < first[0].as_py()):
            raise _OutOfOrderError(group, written=last is not None)
        last = first[-1].as_py()
        yield group


def _counts_up(column: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    if column.null_count:
        return False
    return len(column) < 2 or bool(pc.all(pc.less(column.slice(0, len(column) - 1), column.slice(1))).as_py())


def _write_groups(schema: pa.Schema, groups: Iterable[pa.Table], path: Path) -> str:
    """Write row groups and hash them at the same time; the content digest."""
    import pyarrow.parquet as pq

    kinds = kinds_in(schema.metadata)
    schema = schema.remove_metadata()
    digest = ContentDigest(schema, kinds)
    coming = iter(groups)
    first = next(coming, None)
    with (
        pq.ParquetWriter(path, schema, **_writer_options(schema if first is None else first)) as writer,
        ThreadPoolExecutor(1, thread_name_prefix="relet-digest") as hashing,
    ):
        writer.add_key_value_metadata(table_marks(kinds))
        for group in chain([] if first is None else [first], coming):
            hashed = hashing.submit(digest.update, group)
            writer.write_table(group, row_group_size=CHUNK_ROWS)
            hashed.result()
    return digest.hexdigest()


def _writer_options(rows: pa.Table | pa.Schema) -> dict[str, Any]:
    """The writer's options for a file with these first rows.

    Every option that shapes bytes is set: a new default in pyarrow must not give an old table a new file. A column
    gets no dictionary where most of its first values differ, or where its values would overfill one: the writer
    would build the dictionary and then give it up.
    """
    import pyarrow as pa

    schema = rows.schema if isinstance(rows, pa.Table) else rows
    columns = dict(zip(rows.column_names, rows.columns, strict=True)) if isinstance(rows, pa.Table) else {}
    varied = [name for name, column in columns.items() if _is_varied(column)]
    whole = [name for name in varied if pa.types.is_integer(columns[name].type)]
    return {
        "version": "2.6",
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [name for name in columns if name not in varied],
        "column_encoding": dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
        # statistics of text are of little use, and cost an eighth of the time
        "write_statistics": [field.name for field in schema if not pa.types.is_string(field.type)],
        "data_page_size": 1024**2,
        "dictionary_pagesize_limit": DICTIONARY,
        "data_page_version": "1.0",
        "store_schema": False,
    }


def _is_varied(column: pa.ChunkedArray) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    distinct = pc.count_distinct(column).as_py()
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        # only the values count: an array may carry a validity bitmap, or bytes under its nulls, or neither
        size = (pc.sum(pc.binary_length(column)).as_py() or 0) + 4 * len(column)
    else:
        size = len(column) * max(column.type.bit_width, 8) // 8
    return bool(2 * distinct > len(column) or distinct * size > DICTIONARY * len(column))


def _row_groups(schema: pa.Schema, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in groups of exactly `CHUNK_ROWS` (the last may have fewer), each column in one chunk."""
    import pyarrow as pa

    rest = schema.empty_table()
    for table in tables:
        rest = pa.concat_tables([rest, table]) if rest.num_rows else table
        while rest.num_rows >= CHUNK_ROWS:
            yield rest.slice(0, CHUNK_ROWS).combine_chunks()
            rest = rest.slice(CHUNK_ROWS)
    if rest.num_rows:
        yield rest.combine_chunks()


def _table_of_batch(batch: pa.RecordBatch) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_batches([batch])


def _tables_in_file(path: Path) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    with closing(pq.ParquetFile(path)) as file:
        yield from map(_table_of_batch, batches_of(file))


def _sorted_tables(schema: pa.Schema, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Sort all rows by all columns, ascending, nulls first. A small table is sorted in memory."""
    import pyarrow as pa

    held: list[pa.Table] = []
    size = 0
    for table in tables:
        held.append(table)
        size += table.nbytes
        if size > SORT_IN_MEMORY:
            yield from _sorted_on_disk(schema, chain(held, tables))
            return
    yield _sorted_in_memory(pa.concat_tables(held))


def _sorted_in_memory(table: pa.Table) -> pa.Table:
    """Sort in memory.

    Where the first column has no value twice, as an id has none, no other column is compared.
    """
    import pyarrow.compute as pc

    table = table.combine_chunks()
    # Columns get names of our own here: pyarrow would read a name such as ".a" as a path into nested columns.
    keys = [(f"c{place}", "ascending", "at_start") for place in range(table.num_columns)]
    named = table.rename_columns([name for name, *_ in keys])
    order = pc.sort_indices(named, sort_keys=keys[:1])
    if not _counts_up(table.column(0).take(order)):
        order = pc.sort_indices(named, sort_keys=keys)
    return table.take(order)


def _sorted_on_disk(schema: pa.Schema, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    import duckdb
    import pyarrow as pa

    batches = (batch for table in tables for batch in table.to_batches())
    with tempfile.TemporaryDirectory(prefix="relet-sort-") as spill:
        settings: dict[str, Any] = {
            "memory_limit": f"{2 * SORT_IN_MEMORY // 1024**2 + 64}MiB",
            "temp_directory": spill,
        }
        with duckdb.connect(":memory:", config=settings) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("incoming", pa.RecordBatchReader.from_batches(schema, batches))
            rows = connection.sql("SELECT * FROM incoming ORDER BY ALL ASC NULLS FIRST")
            for batch in rows.to_arrow_reader(CHUNK_ROWS):
                yield pa.Table.from_batches([batch]).cast(schema)
