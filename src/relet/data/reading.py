"""Read files from outside, of any size, and name each fault by its place."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.data import csv_faults
from relet.data.csv_pieces import MalformedCsvError, csv_pieces_of
from relet.data.layout import (
    ColumnOrigin,
    Layout,
    LayoutDifference,
    RetypedColumn,
    layout_difference,
    read_layout,
    refusal,
    reshape_column,
)
from relet.data.normal import batches_of, normal_floats
from relet.data.rows import RowStream
from relet.data.schema import CALLED, Column, Schema
from relet.errors import BadDataError

if TYPE_CHECKING:
    import pyarrow as pa

# How many pieces are read at one time. The results are used in the file's order.
AT_ONCE = min(4, os.cpu_count() or 1)
# From so many values on, a column is said to have another type where most of its values have it.
ENOUGH = 20
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
    tables = _tables_from_parquet(path, layout) if is_parquet else _tables_from_csv(path, layout)
    first = next(tables, None)
    if first is None:
        raise BadDataError(f"{path.name}: there are columns and no row in them")
    checked = _checked_batches(path, layout, chain([first], tables))
    # the parser of CSV has found all text to be UTF-8
    return RowStream(schema.arrow(), checked, is_normal=not is_parquet)


def _tables_from_csv(path: Path, layout: Layout) -> Iterator[pa.Table]:
    """The rows in the schema's columns and types, in the file's order; read by several threads at once."""
    import pyarrow as pa

    header = csv_faults.readable_header(path)
    _check_header(path, header)
    if layout_difference(layout, dict.fromkeys(header, "")):
        raise _columns_refusal(path, layout, header)
    before = 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="relet-csv") as threads:
        for piece, found in _pieces_read_ahead(threads, lambda piece: _read_piece(piece, header, layout), path):
            try:
                table = found.result()
            except pa.ArrowInvalid as error:
                table = _reread_for_fault(path, layout, header, piece, before, str(error))
            except MalformedCsvError as error:
                csv_faults.check_text(path)
                raise csv_faults.structure_fault(path, len(header), str(error), error.at) from error
            before += table.num_rows
            yield table


def _pieces_read_ahead(
    threads: ThreadPoolExecutor, read: Callable[[bytes], pa.Table], path: Path
) -> Iterator[tuple[bytes, Future[pa.Table]]]:
    """Each piece of a file with the result of reading it, in order. A few pieces are read ahead."""
    coming = csv_pieces_of(path)
    waiting: deque[tuple[bytes, Future[pa.Table]]] = deque()
    while True:
        try:
            for piece in islice(coming, AT_ONCE + 1 - len(waiting)):
                waiting.append((piece, threads.submit(read, piece)))
        except MalformedCsvError as error:
            # raised only after the pieces before it were used: the first fault may be in one of them
            waiting.append((b"", Future()))
            waiting[-1][1].set_exception(error)
        if not waiting:
            return
        yield waiting.popleft()


def _read_piece(piece: bytes, header: Sequence[str], layout: Layout) -> pa.Table:
    import pyarrow as pa

    types = {
        name: column.type if layout.origins[column.name].plain else "string"
        for name, column in layout.taken.items()
    }
    table = _parse_piece(piece, header, types)
    return pa.table({column.name: _schema_column(table, column, layout) for column in layout.schema.columns})


def _parse_piece(piece: bytes, header: Sequence[str], types: Mapping[str, str]) -> pa.Table:
    """Parse a piece with these types.

    pyarrow is strict about types and the number of fields, but not about quotes.
    """
    import pyarrow as pa
    import pyarrow.csv

    return pyarrow.csv.read_csv(
        pa.BufferReader(piece),
        read_options=pyarrow.csv.ReadOptions(
            block_size=len(piece) + 1, column_names=list(header), use_threads=False
        ),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: pa.type_for_alias(type) for name, type in types.items()},
            include_columns=list(types),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _schema_column(table: pa.Table, column: Column, layout: Layout) -> pa.ChunkedArray:
    import pyarrow as pa

    origin = layout.origins[column.name]
    if origin.column is None:
        return pa.chunked_array([pa.nulls(table.num_rows, pa.type_for_alias(column.type))])
    values = table.column(origin.column)
    if origin.plain and values.type == pa.type_for_alias(column.type):
        return values
    return reshape_column(values, column, origin)


def _reread_for_fault(
    path: Path, layout: Layout, header: Sequence[str], piece: bytes, before: int, told: str
) -> pa.Table:
    """Read a piece again as text, after reading it with its types failed, to name the first wrong value by its
    place.
    """
    import pyarrow as pa

    csv_faults.check_text(path)
    try:
        texts = _parse_piece(piece, header, dict.fromkeys(layout.taken, "string"))
    except pa.ArrowInvalid as error:
        raise csv_faults.structure_fault(path, len(header), told) from error
    if retyped := _retyped_columns(path, layout, texts, before):
        raise refusal(path.name, layout, LayoutDifference(retyped=retyped))
    return pa.table(
        {each.name: _typed_column(path, texts, each, layout, before) for each in layout.schema.columns}
    )


def _typed_column(path: Path, texts: pa.Table, column: Column, layout: Layout, before: int) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    origin = layout.origins[column.name]
    if origin.column is None:
        return _schema_column(texts, column, layout)
    values = texts.column(origin.column)
    try:
        return reshape_column(values, column, origin)
    except pa.ArrowInvalid:
        values = pc.utf8_trim_whitespace(values)
    try:
        return reshape_column(values, column, origin)
    except pa.ArrowInvalid as error:
        row, text = _first_uncastable(values, lambda some: reshape_column(some, column, origin))
        expected = f"a date like {origin.format}" if origin.format else CALLED[column.type]
        raise _value_fault(path, before + row, origin.column, f"expected {expected}, got {text!r}") from error


def _first_uncastable(texts: pa.ChunkedArray, cast: Callable[[pa.ChunkedArray], Any]) -> tuple[int, str]:
    """The first text that can't be cast, and its index; found by bisection."""
    import pyarrow as pa

    first, length = 0, len(texts)
    while length > 1:
        half = length // 2
        try:
            cast(texts.slice(first, half))
            first, length = first + half, length - half
        except pa.ArrowInvalid:
            length = half
    return first, texts[first].as_py()


def _columns_refusal(path: Path, layout: Layout, header: Sequence[str]) -> BadDataError:
    """The error for columns that differ in name; the first rows also tell which differ in type."""
    import pyarrow as pa

    csv_faults.check_text(path)
    inferred = dict.fromkeys(header, "string")
    retyped: dict[str, RetypedColumn] = {}
    try:
        first = next(csv_pieces_of(path))
        inferred = _inferred_types(first, header)
        shared = {name: "string" for name in layout.taken if name in header}
        retyped = _retyped_columns(path, layout, _parse_piece(first, header, shared), 0) if shared else {}
    except (pa.ArrowInvalid, MalformedCsvError, StopIteration):
        pass  # differing names are reported first
    names = layout_difference(layout, inferred)
    return refusal(path.name, layout, LayoutDifference(added=names.added, removed=names.removed, retyped=retyped))


def _inferred_types(piece: bytes, header: Sequence[str]) -> dict[str, str]:
    import pyarrow as pa
    import pyarrow.csv

    table = pyarrow.csv.read_csv(
        pa.BufferReader(piece),
        read_options=pyarrow.csv.ReadOptions(block_size=len(piece) + 1, column_names=list(header)),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
    )
    return {field.name: str(field.type).replace("date32[day]", "date32") for field in table.schema}


def _retyped_columns(path: Path, layout: Layout, texts: pa.Table, before: int) -> dict[str, RetypedColumn]:
    """The columns most of whose values have another type, so that no single row is to blame."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = {}
    for name, column in layout.taken.items():
        if name not in texts.column_names:
            continue
        origin = layout.origins[column.name]
        there = pc.utf8_trim_whitespace(texts.column(name)).drop_null()
        sample = there.slice(0, 10 * ENOUGH)
        wrong = [text for text in sample if not _text_fits(text, column, origin)]
        if len(sample) >= ENOUGH and 2 * len(wrong) > len(sample):
            row = pc.index(pc.utf8_trim_whitespace(texts.column(name)), wrong[0]).as_py()
            found[name] = RetypedColumn(
                type=_narrowest_type(pa.array([each.as_py() for each in wrong])),
                example=f"{wrong[0].as_py()!r} in {_row_place(path, before + row)}",
            )
    return found


def _text_fits(text: pa.Scalar, column: Column, origin: ColumnOrigin) -> bool:
    import pyarrow as pa

    try:
        reshape_column(pa.chunked_array([[text.as_py()]], pa.string()), column, origin)
    except pa.ArrowInvalid:
        return False
    return True


def _narrowest_type(texts: pa.Array) -> str:
    """The narrowest type that all these texts have."""
    import pyarrow as pa

    for type in ("int64", "double", "bool", "date32", "timestamp[us]"):
        try:
            texts.cast(pa.type_for_alias(type))
        except pa.ArrowInvalid:
            continue
        return type
    return "string"


def _tables_from_parquet(path: Path, layout: Layout) -> Iterator[pa.Table]:
    """The rows in the schema's columns and types; types that fit without loss are converted."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            header = {field.name: str(field.type).replace("[day]", "") for field in file.schema_arrow}
            _check_header(path, file.schema_arrow.names)
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
            shaped[column.name] = _schema_column(table, column, layout)
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
            raise _value_fault(path, before + infinite, column.name, "the number is infinite")
    if found.null_count and not column.nullable:
        raise _value_fault(
            path, before + pc.index(found.is_null(), True).as_py(), column.name, "a value is missing"
        )
    if not column.values:
        return
    known = pa.array(column.values, pa.string())
    new = pc.unique(found).drop_null()
    new = new.filter(pc.invert(pc.is_in(new, value_set=known)))
    if len(new):
        told = {
            f"{value!r}": _row_place(path, before + pc.index(found, pa.scalar(value, pa.string())).as_py())
            for value in new.to_pylist()[:NAMED]
        }
        shown = "; ".join(f"{value}, first in {place}" for value, place in told.items())
        name = layout.origins[column.name].column or column.name
        raise refusal(path.name, layout, LayoutDifference(values={name: shown}))


def _check_header(path: Path, header: Sequence[str]) -> None:
    if "" in header:
        raise BadDataError(
            f"{path.name}: column {list(header).index('') + 1} has no name; name it, or leave it out of the file "
            "(pandas writes its index so; to_csv(…, index=False) does not)"
        )
    twice = sorted({name for name in header if list(header).count(name) > 1})
    if twice:
        raise BadDataError(f"{path.name}: {'; '.join(f'column {name!r} is there twice' for name in twice)}")


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
    raise _value_fault(
        path, rows[1], name, f"{value.as_py()!r} is there {len(rows)} times, in rows {named}{others}"
    )


def _value_fault(path: Path, index: int, column: str, what: str) -> BadDataError:
    return BadDataError(f"{path.name}: {_row_place(path, index)}, column {column!r}: {what}")


def _row_place(path: Path, index: int) -> str:
    """The place of a row as a person looks for it: its number from 1 and, in a text file, its line.

    `index` counts from 0.
    """
    line = csv_faults.line_of(path, index)
    return f"row {index + 1}" + (f" (line {line})" if line else "")
