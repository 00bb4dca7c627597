"""Read CSV files piece by piece, in several threads, and name the first fault by its place."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
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
    refusal,
    reshape_column,
)
from relet.data.schema import CALLED, Column
from relet.errors import BadDataError

if TYPE_CHECKING:
    import pyarrow as pa

# How many pieces are read at one time. The results are used in the file's order.
AT_ONCE = min(4, os.cpu_count() or 1)
# From so many values on, a column is said to have another type where most of its values have it.
ENOUGH = 20


def tables_from_csv(path: Path, layout: Layout) -> Iterator[pa.Table]:
    """The rows in the schema's columns and types, in the file's order; read by several threads at once."""
    import pyarrow as pa

    header = csv_faults.readable_header(path)
    check_header(path, header)
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
    return pa.table({column.name: schema_column(table, column, layout) for column in layout.schema.columns})


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


def schema_column(table: pa.Table, column: Column, layout: Layout) -> pa.ChunkedArray:
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
        return schema_column(texts, column, layout)
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
        raise csv_faults.value_fault(
            path, before + row, origin.column, f"expected {expected}, got {text!r}"
        ) from error


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
                example=f"{wrong[0].as_py()!r} in {csv_faults.row_place(path, before + row)}",
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


def check_header(path: Path, header: Sequence[str]) -> None:
    if "" in header:
        raise BadDataError(
            f"{path.name}: column {list(header).index('') + 1} has no name; name it, or leave it out of the file "
            "(pandas writes its index so; to_csv(…, index=False) does not)"
        )
    twice = sorted({name for name in header if list(header).count(name) > 1})
    if twice:
        raise BadDataError(f"{path.name}: {'; '.join(f'column {name!r} is there twice' for name in twice)}")
