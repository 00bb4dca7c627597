"""The rows of a file from outside, by a layout: typed and checked, or as the texts that stand there."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from relet.data import csv_faults
from relet.data.csv_faults import MalformedFileError
from relet.data.csv_reading import (
    csv_header,
    inferred_types,
    schema_column,
    tables_from_csv,
    texts_from_csv,
    typed_column,
)
from relet.data.layout import Layout
from relet.data.normal import batches_of, normal_floats
from relet.data.opening import OpenedFile
from relet.data.schema import Column

if TYPE_CHECKING:
    import pyarrow as pa

# How many forbidden values an error names.
NAMED = 3


def header_of(file: OpenedFile, layout: Layout) -> list[str]:
    """The names of a file's columns, each once. Raises MalformedFileError for a file that has no row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not file.is_parquet:
        return csv_header(file, layout)
    try:
        with pq.ParquetFile(file.path) as content:
            names = list(content.schema_arrow.names)
            rows = content.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, error) from error
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise MalformedFileError(f"{file.name}: {'; '.join(f'column {name!r} is there twice' for name in twice)}")
    if not rows:
        raise MalformedFileError(f"{file.name}: there are columns and no row in them")
    return names


def header_types(file: OpenedFile, header: Sequence[str]) -> dict[str, str]:
    """The type of each column: that of a Parquet file, or the one that the first rows of a CSV file show."""
    import pyarrow.parquet as pq

    if not file.is_parquet:
        return inferred_types(file, header)
    return {field.name: str(field.type).replace("[day]", "") for field in pq.read_schema(file.path)}


def texts_of(file: OpenedFile, header: Sequence[str], names: Collection[str]) -> Iterator[pa.Table]:
    """These columns of all rows as texts. A column of a Parquet file that holds no text keeps its type."""
    import pyarrow as pa

    chosen = [name for name in header if name in names]
    if not file.is_parquet:
        yield from texts_from_csv(file, header, chosen)
        return
    for batch in _parquet_batches(file, chosen):
        yield _with_plain_text(pa.Table.from_batches([batch]))


def _with_plain_text(table: pa.Table) -> pa.Table:
    """The table with its columns of text in one of Arrow's types for it."""
    import pyarrow as pa

    fields = (field.with_type(pa.string()) if _is_text(field.type) else field for field in table.schema)
    return table.cast(pa.schema(list(fields)))


def _is_text(type: pa.DataType) -> bool:
    """Whether a column holds text, as one of Arrow's types for it: polars and categories have others."""
    import pyarrow as pa

    if pa.types.is_dictionary(type):
        return _is_text(type.value_type)
    return bool(pa.types.is_string(type) or pa.types.is_large_string(type) or pa.types.is_string_view(type))


def checked_batches(file: OpenedFile, header: Sequence[str], layout: Layout) -> Iterator[pa.RecordBatch]:
    """The rows in the schema's columns and types, checked: no required value is missing, no value is outside the
    allowed ones, no unique value comes twice. Raises BadDataError for the first fault.
    """
    import pyarrow as pa

    schema = layout.schema
    single: dict[str, list[pa.Array]] = {name: [] for name in schema.unique}
    before = 0
    tables = _tables_from_parquet(file, layout) if file.is_parquet else tables_from_csv(file, header, layout)
    for table in tables:
        rows = pa.table([normal_floats(values) for values in table.columns], names=list(schema.names))
        rows = rows.combine_chunks()
        for column in schema.columns:
            _check_column(file, layout, column, rows.column(column.name), before)
        for name, values in single.items():
            values += rows.column(name).chunks
        yield from rows.to_batches()
        before += rows.num_rows
    if not before:
        raise MalformedFileError(f"{file.name}: there are columns and no row in them")
    for name, values in single.items():
        _check_unique(file, name, pa.concat_arrays(values))


def _tables_from_parquet(file: OpenedFile, layout: Layout) -> Iterator[pa.Table]:
    """The rows in the schema's columns and types; types that fit without loss are converted."""
    import pyarrow as pa

    before = 0
    for batch in _parquet_batches(file, list(layout.taken)):
        table = pa.Table.from_batches([batch])
        shaped = {}
        for column in layout.schema.columns:
            try:
                shaped[column.name] = schema_column(table, column, layout)
            except pa.ArrowException as error:
                name = str(layout.origins[column.name].column)
                if _is_text(table.schema.field(name).type):
                    shaped[column.name] = typed_column(file, _with_plain_text(table), column, layout, before)
                    continue
                what = f"{table.schema.field(name).type} values that are no {column.type}"
                raise csv_faults.value_fault(file, before, name, what) from error
        before += table.num_rows
        yield pa.table(shaped)


def _parquet_batches(file: OpenedFile, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file.path) as content:
            yield from batches_of(content, list(names))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: OpenedFile, error: Exception) -> MalformedFileError:
    return MalformedFileError(f"{file.name}: can't be read as Parquet: {error}")


def _check_column(file: OpenedFile, layout: Layout, column: Column, found: pa.ChunkedArray, before: int) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(found.type):
        infinite = pc.index(pc.is_inf(found), True).as_py()
        if infinite >= 0:
            raise csv_faults.value_fault(file, before + infinite, column.name, "the number is infinite")
    if found.null_count and not column.nullable:
        first = pc.index(found.is_null(), True).as_py()
        raise csv_faults.value_fault(file, before + first, column.name, "a value is missing")
    if not column.values:
        return
    known = pa.array(column.values, pa.string())
    new = pc.unique(found).drop_null()
    new = new.filter(pc.invert(pc.is_in(new, value_set=known)))
    if len(new):
        first = pc.index(found, pa.scalar(new[0].as_py(), pa.string())).as_py()
        name = layout.origins[column.name].column or column.name
        what = f"{csv_faults.shown_text(new[0].as_py())} is none of {', '.join(column.values)}"
        raise csv_faults.value_fault(file, before + first, name, what)


def _check_unique(file: OpenedFile, name: str, values: pa.Array) -> None:
    import pyarrow.compute as pc

    if not values.null_count and pc.all(pc.less(values[:-1], values[1:]), min_count=0).as_py():
        return  # they count up
    counts = pc.value_counts(values.drop_null())
    twice = counts.filter(pc.greater(counts.field("counts"), 1))
    if not len(twice):
        return
    value = twice[0]["values"]
    rows = pc.indices_nonzero(pc.fill_null(pc.equal(values, value), False)).to_pylist()
    others = f" ({len(twice)} values are there more than once)" if len(twice) > 1 else ""
    named = ", ".join(str(row + 1) for row in rows[:5]) + (", …" if len(rows) > 5 else "")
    raise csv_faults.value_fault(
        file, rows[1], name, f"{value.as_py()!r} is there {len(rows)} times, in rows {named}{others}"
    )
