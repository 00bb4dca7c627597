"""Read files from outside, of any size, and name each fault by its place."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.data import csv_faults
from relet.data.csv_reading import check_header, schema_column, tables_from_csv
from relet.data.layout import (
    Layout,
    LayoutDifference,
    RetypedColumn,
    layout_difference,
    read_layout,
    refusal,
)
from relet.data.normal import batches_of, normal_floats
from relet.data.rows import RowStream
from relet.data.schema import Column, Schema
from relet.errors import BadDataError

if TYPE_CHECKING:
    import pyarrow as pa

# How many forbidden values an error names.
NAMED = 3


def read_csv(path: Path, schema: Schema, columns: Mapping[str, Any] | None = None) -> pa.Table:
    """All rows of `stream_csv`, in memory.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "rents.csv"
    >>> rents = Schema(columns=(Column("id", "int64", nullable=False), Column("rent", "double")), unique=("id",))
    >>> _ = path.write_text("id,rent\\n1,950\\n2,cheap\\n")
    >>> read_csv(path, rents)
    Traceback (most recent call last):
    relet.errors.BadDataError: rents.csv: row 2 (line 3), column 'rent': expected a number, got 'cheap'
    """
    return stream_csv(path, schema, columns).read_all()


def stream_csv(
    path: Path, schema: Schema, columns: Mapping[str, Any] | None = None, *, setting: str = "columns"
) -> RowStream:
    """Read a CSV file (UTF-8, with or without BOM, any line ends, quoted newlines) with the schema's types.

    An empty field is a missing value. Columns may stand in any order and come back in the schema's. A Parquet
    file, known by its first bytes, is held to the same schema. `columns` says where a file of another layout has
    the columns, and what of it is left out (`relet.data.layout.read_layout`); `setting` is what it is called in
    messages. Rows come in the file's order and need little memory, whatever their number.

    Raises BadDataError: at once for other columns than expected, as a diff; while reading for what does not fit,
    naming the row (the first after the header is row 1), the line and the column.
    """
    layout = read_layout(schema, columns, setting=setting)
    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    tables = _tables_from_parquet(path, layout) if is_parquet else tables_from_csv(path, layout)
    first = next(tables, None)
    if first is None:
        raise BadDataError(f"{path.name}: there are columns and no row in them")
    checked = _checked_batches(path, layout, chain([first], tables))
    # the parser of CSV has found all text to be UTF-8
    return RowStream(schema.arrow(), checked, is_normal=not is_parquet)


def _tables_from_parquet(path: Path, layout: Layout) -> Iterator[pa.Table]:
    """The rows in the schema's columns and types; types that fit without loss are converted."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            header = {field.name: str(field.type).replace("[day]", "") for field in file.schema_arrow}
            check_header(path, file.schema_arrow.names)
            if found := layout_difference(layout, header):
                raise refusal(path.name, layout, found)
            if not file.metadata.num_rows:
                raise BadDataError(f"{path.name}: there are columns and no row in them")
            for batch in batches_of(file, list(layout.taken)):
                yield _convert_table(path, pa.Table.from_batches([batch]), layout, header)
    except (pa.ArrowException, OSError) as error:
        raise BadDataError(f"{path.name}: can't be read as Parquet: {error}") from error


def _convert_table(path: Path, table: pa.Table, layout: Layout, header: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa

    shaped, retyped = {}, {}
    for column in layout.schema.columns:
        try:
            shaped[column.name] = schema_column(table, column, layout)
        except pa.ArrowException:
            name = str(layout.origins[column.name].column)
            retyped[name] = RetypedColumn(type=header[name])
    if retyped:
        raise refusal(path.name, layout, LayoutDifference(retyped=retyped))
    return pa.table(shaped)


def _checked_batches(path: Path, layout: Layout, tables: Iterator[pa.Table]) -> Iterator[pa.RecordBatch]:
    """The rows, checked: no required value is missing, no value is outside the allowed ones, no unique value comes
    twice.
    """
    import pyarrow as pa

    schema = layout.schema
    single: dict[str, list[pa.Array]] = {name: [] for name in schema.unique}
    before = 0
    for table in tables:
        rows = pa.table([normal_floats(values) for values in table.columns], names=list(schema.names))
        rows = rows.combine_chunks()
        for column in schema.columns:
            _check_column(path, layout, column, rows.column(column.name), before)
        for name, values in single.items():
            values += rows.column(name).chunks
        yield from rows.to_batches()
        before += rows.num_rows
    for name, values in single.items():
        _check_unique(path, name, pa.concat_arrays(values))


def _check_column(path: Path, layout: Layout, column: Column, found: pa.ChunkedArray, before: int) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(found.type):
        infinite = pc.index(pc.is_inf(found), True).as_py()
        if infinite >= 0:
            raise csv_faults.value_fault(path, before + infinite, column.name, "the number is infinite")
    if found.null_count and not column.nullable:
        raise csv_faults.value_fault(
            path, before + pc.index(found.is_null(), True).as_py(), column.name, "a value is missing"
        )
    if not column.values:
        return
    known = pa.array(column.values, pa.string())
    new = pc.unique(found).drop_null()
    new = new.filter(pc.invert(pc.is_in(new, value_set=known)))
    if len(new):
        told = {
            f"{value!r}": csv_faults.row_place(
                path, before + pc.index(found, pa.scalar(value, pa.string())).as_py()
            )
            for value in new.to_pylist()[:NAMED]
        }
        shown = "; ".join(f"{value}, first in {place}" for value, place in told.items())
        name = layout.origins[column.name].column or column.name
        raise refusal(path.name, layout, LayoutDifference(values={name: shown}))


def _check_unique(path: Path, name: str, values: pa.Array) -> None:
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
        path, rows[1], name, f"{value.as_py()!r} is there {len(rows)} times, in rows {named}{others}"
    )
