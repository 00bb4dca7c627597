"""Read CSV files piece by piece, in several threads, and name the first fault by its place."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from relet.core.override_words import shell_override
from relet.data import csv_faults
from relet.data.csv_pieces import EndlessRecordError, MalformedCsvError, csv_pieces_of, has_hexadecimal
from relet.data.dialect import unique_header
from relet.data.layout import OTHERS, Layout
from relet.data.opening import OpenedFile
from relet.data.reshaping import reshape_column
from relet.data.schema import CALLED, Column

if TYPE_CHECKING:
    import pyarrow as pa

# How many pieces are read at one time. The results are used in the file's order.
AT_ONCE = min(4, os.cpu_count() or 1)


def csv_header(file: OpenedFile, layout: Layout) -> list[str]:
    """The names of a file's columns, each once: a column without a name is called `column 3`, a second price
    `price 2`. Raises MalformedFileError where nobody said which of two columns of one name is meant.
    """
    names = csv_faults.readable_header(file)
    header = unique_header(names)
    for name, column in layout.taken.items():
        if names.count(name) > 1 and column.name not in layout.told:
            second = header[names.index(name, names.index(name) + 1)]
            ways = " or ".join(_choice_of_column(layout, column, each) for each in (name, second))
            raise csv_faults.MalformedFileError(
                f"{file.name}: column {csv_faults.shown_text(name)} is there {names.count(name)} times; say which "
                f"one is meant: {ways}"
            )
    return header


def _choice_of_column(layout: Layout, column: Column, name: str) -> str:
    """What to type for a column of this name, with all others left out."""
    told = {**layout.told, column.name: name, OTHERS: None}
    try:
        return shell_override(layout.setting, told)
    except ValueError:  # a command can't hold what was said in a file
        return shell_override(f"{layout.setting}.{column.name}", name)


def tables_from_csv(file: OpenedFile, header: Sequence[str], layout: Layout) -> Iterator[pa.Table]:
    """The rows in the schema's columns and types, in the file's order; read by several threads at once."""
    import pyarrow as pa

    before = 0
    for piece, found in _read_side_by_side(file, lambda piece: _read_piece(file, piece, header, layout)):
        try:
            table = found.result()
        except pa.ArrowInvalid as error:
            texts = _texts_of_piece(file, piece, header, list(layout.taken), str(error))
            table = pa.table(
                {each.name: typed_column(file, texts, each, layout, before) for each in layout.schema.columns}
            )
        except MalformedCsvError as error:
            raise _malformed(file, len(header), error) from error
        before += table.num_rows
        yield table


def texts_from_csv(file: OpenedFile, header: Sequence[str], names: Sequence[str]) -> Iterator[pa.Table]:
    """These columns of all rows as they stand in the file: as texts."""
    for piece, found in _read_side_by_side(file, lambda piece: piece):
        try:
            found.result()
        except MalformedCsvError as error:
            raise _malformed(file, len(header), error) from error
        yield _texts_of_piece(file, piece, header, names, "it is no table")


def _malformed(file: OpenedFile, width: int, error: MalformedCsvError) -> Exception:
    csv_faults.check_text(file)
    if isinstance(error, EndlessRecordError):
        return csv_faults.MalformedFileError(f"{file.name}: {csv_faults.line_at(file, error.at or 0)}: {error}")
    return csv_faults.structure_fault(file, width, str(error), error.at)


def _read_side_by_side(file: OpenedFile, read: Callable[[bytes], Any]) -> Iterator[tuple[bytes, Future[Any]]]:
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="relet-csv") as threads:
        yield from _pieces_read_ahead(threads, read, file)


def _pieces_read_ahead(
    threads: ThreadPoolExecutor, read: Callable[[bytes], Any], file: OpenedFile
) -> Iterator[tuple[bytes, Future[Any]]]:
    """Each piece of a file with the result of reading it, in order. A few pieces are read ahead."""
    coming = csv_pieces_of(file.path, file.separator)
    waiting: deque[tuple[bytes, Future[Any]]] = deque()
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


def _read_piece(file: OpenedFile, piece: bytes, header: Sequence[str], layout: Layout) -> pa.Table:
    import pyarrow as pa

    # Arrow reads 0x10 as a whole number, which only the texts tell
    careful = has_hexadecimal(piece)
    types = {
        name: "string"
        if not layout.origins[column.name].plain or (careful and column.type == "int64")
        else column.type
        for name, column in layout.taken.items()
    }
    table = _parse_piece(file, piece, header, types)
    return pa.table({column.name: schema_column(table, column, layout) for column in layout.schema.columns})


def _parse_piece(file: OpenedFile, piece: bytes, header: Sequence[str], types: Mapping[str, str]) -> pa.Table:
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
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, delimiter=file.separator),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: pa.type_for_alias(type) for name, type in types.items()},
            include_columns=list(types),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _texts_of_piece(
    file: OpenedFile, piece: bytes, header: Sequence[str], names: Sequence[str], told: str
) -> pa.Table:
    """These columns of a piece as texts. `told` is what the fast reader said of the piece."""
    import pyarrow as pa

    try:
        return _parse_piece(file, piece, header, dict.fromkeys(names, "string"))
    except pa.ArrowInvalid as error:
        csv_faults.check_text(file)
        raise csv_faults.structure_fault(file, len(header), told) from error


def schema_column(table: pa.Table, column: Column, layout: Layout) -> pa.ChunkedArray:
    import pyarrow as pa

    origin = layout.origins[column.name]
    if origin.column is None:
        return pa.chunked_array([pa.nulls(table.num_rows, pa.type_for_alias(column.type))])
    values = table.column(origin.column)
    if origin.plain and values.type == pa.type_for_alias(column.type):
        return values
    return reshape_column(values, column, origin)


def typed_column(
    file: OpenedFile, texts: pa.Table, column: Column, layout: Layout, before: int
) -> pa.ChunkedArray:
    """A column out of its texts. The first wrong value is named by its place."""
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
            file, before + row, origin.column, f"expected {expected}, got {csv_faults.shown_text(text)}"
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


def inferred_types(file: OpenedFile, header: Sequence[str]) -> dict[str, str]:
    """The type of each column by the first rows of a file."""
    import pyarrow as pa
    import pyarrow.csv

    piece = next(csv_pieces_of(file.path, file.separator), b"")
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(piece),
            read_options=pyarrow.csv.ReadOptions(block_size=len(piece) + 1, column_names=list(header)),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, delimiter=file.separator),
        )
    except pa.ArrowInvalid:
        return dict.fromkeys(header, "string")
    return {field.name: str(field.type).replace("date32[day]", "date32") for field in table.schema}
