"""The columns that a file from outside has to have, and reading it so that each fault is named by its place."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from relet.data import csv_faults
from relet.errors import BadDataError, nearest

if TYPE_CHECKING:
    import pyarrow as pa

ColumnType = Literal["int64", "double", "string", "bool", "date32", "timestamp[us]"]
BLOCK = 4 * 1024**2
CALLED: dict[str, str] = {
    "int64": "a whole number",
    "double": "a number",
    "bool": "true or false",
    "date32": "a date like 2019-07-08",
    "timestamp[us]": "a time like 2019-07-08 12:30:00",
}


@dataclass(frozen=True)
class Column:
    """One expected column: its name, its Arrow type, and whether values may be missing."""

    name: str
    type: ColumnType
    nullable: bool = True


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The expected columns, in order, and which of them must not hold a value twice."""

    columns: tuple[Column, ...]
    unique: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for name in self.unique:
            if name not in self.names:
                raise BadDataError(
                    f"unique names a column {name!r} that the schema has not; {nearest(name, self.names)}"
                )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def read_csv(path: Path, schema: Schema) -> pa.Table:
    """Read a CSV file (UTF-8, with or without BOM, any line ends, quoted newlines) with the schema's types.

    An empty field is a missing value. Columns may stand in any order and come back in the schema's. A Parquet
    file, known by its first bytes, is held to the same schema. Raises BadDataError, which names the row (the
    first after the header is row 1), the line and the column, for whatever does not fit.

    >>> path = Path(tempfile.mkdtemp()) / "rents.csv"
    >>> rents = Schema(columns=(Column("id", "int64", nullable=False), Column("rent", "double")), unique=("id",))
    >>> _ = path.write_text("id,rent\\n1,950\\n2,cheap\\n")
    >>> read_csv(path, rents)
    Traceback (most recent call last):
    relet.errors.BadDataError: rents.csv: row 2 (line 3), column 'rent': expected a number, got 'cheap'
    """
    import pyarrow as pa

    with path.open("rb") as file:
        if file.read(4) == b"PAR1":
            return read_parquet(path, schema)
    header = csv_faults.readable_header(path)
    _check_names(path, schema, header)
    types = {column.name: column.type for column in schema.columns}
    try:
        table = _parsed(path, types)
    except pa.ArrowInvalid as error:
        table = _explained(path, schema, header, str(error))
    _check_quotes(path, header, table.num_rows)
    return _checked(path, schema, [table.column(name) for name in schema.names])


def read_parquet(path: Path, schema: Schema) -> pa.Table:
    """Read a Parquet file with the schema's columns and types; types that fit without loss are converted."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _check_names(path, schema, file.schema_arrow.names)
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise BadDataError(f"{path.name}: can't be read as Parquet: {error}") from error
    if not table.num_rows:
        raise BadDataError(f"{path.name}: there are columns and no row in them")
    return _checked(path, schema, [_cast(path, table.column(column.name), column) for column in schema.columns])


def _check_names(path: Path, schema: Schema, header: Sequence[str]) -> None:
    missing = [name for name in schema.names if name not in header]
    extra = [name for name in header if name not in schema.names]
    twice = sorted({name for name in header if list(header).count(name) > 1})
    wrong = [
        f"column {name!r} is missing ({nearest(name, extra)})" if extra else f"column {name!r} is missing"
        for name in missing
    ]
    wrong += [f"column {name!r} is there twice" for name in twice]
    if extra and not missing:
        wrong.append(
            f"unexpected {', '.join(map(repr, extra))}; remove what is not among {', '.join(schema.names)}"
        )
    if wrong:
        raise BadDataError(f"{path.name}: {'; '.join(wrong)}")


def _parsed(path: Path, types: Mapping[str, str]) -> pa.Table:
    """The rows with these types. pyarrow is strict about types and the number of fields, not about quotes."""
    import pyarrow as pa
    import pyarrow.csv

    return pyarrow.csv.read_csv(
        path.open("rb"),  # by its name alone, it could be taken for compressed
        read_options=pyarrow.csv.ReadOptions(block_size=BLOCK),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: pa.type_for_alias(type) for name, type in types.items()},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _explained(path: Path, schema: Schema, header: Sequence[str], told: str) -> pa.Table:
    """Read again what could not be read with its types, so that the first wrong value is named by its place."""
    import pyarrow as pa

    try:
        texts = _parsed(path, dict.fromkeys(header, "string"))
    except pa.ArrowInvalid as error:
        raise csv_faults.structure(path, len(header), told) from error
    _check_quotes(path, header, texts.num_rows)
    return pa.table({column.name: _typed(path, texts.column(column.name), column) for column in schema.columns})


def _check_quotes(path: Path, header: Sequence[str], rows: int) -> None:
    """Read the quotes again, by DuckDB: it is strict about them, where pyarrow lets an unclosed one swallow rows.

    DuckDB alone would not do: it rounds 1.5 to an integer, and drops an empty field too many, in silence.
    """
    import duckdb

    names = {f"c{place}": "VARCHAR" for place in range(len(header))}
    options = (
        "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', strict_mode = true, "
        "null_padding = false, compression = 'none'"
    )
    with tempfile.TemporaryDirectory(prefix="relet-csv-") as folder:
        # Under its own name the file could be taken for a pattern.
        link = Path(folder) / "rows.csv"
        link.symlink_to(path.resolve())
        try:
            with duckdb.connect(":memory:") as connection:
                query = f"SELECT count(*) FROM read_csv('{link}', columns = {names}, {options})"
                counted = connection.sql(query).fetchall()[0][0]
        except duckdb.Error as error:
            raise csv_faults.structure(path, len(header), str(error)) from error
    if counted != rows and len(header) > 1:
        raise csv_faults.structure(path, len(header), f"it can be read as {rows} rows and as {counted}")


def _typed(path: Path, texts: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    type = pa.type_for_alias(column.type)
    try:
        return texts.cast(type)
    except pa.ArrowInvalid:
        texts = pc.utf8_trim_whitespace(texts)
    try:
        return texts.cast(type)
    except pa.ArrowInvalid as error:
        row, text = _first_unlike(texts, type)
        raise _fault(path, row, column.name, f"expected {CALLED[column.type]}, got {text!r}") from error


def _first_unlike(texts: pa.ChunkedArray, type: pa.DataType) -> tuple[int, str]:
    """The first text that is not of the type, with its index; halving finds it in a few casts."""
    import pyarrow as pa

    first, length = 0, len(texts)
    while length > 1:
        half = length // 2
        try:
            texts.slice(first, half).cast(type)
            first, length = first + half, length - half
        except pa.ArrowInvalid:
            length = half
    return first, texts[first].as_py()


def _cast(path: Path, values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    import pyarrow as pa

    wanted = pa.type_for_alias(column.type)
    try:
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        return values.cast(wanted)
    except pa.ArrowException as error:
        raise BadDataError(
            f"{path.name}: column {column.name!r} holds {values.type}, which is not {column.type}: {error}"
        ) from error


def _checked(path: Path, schema: Schema, values: list[pa.ChunkedArray]) -> pa.Table:
    """The table, once no value is missing that must be there and none is there twice that must not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.table([_without_nan(column) for column in values], names=list(schema.names))
    for column in schema.columns:
        found = table.column(column.name)
        if found.null_count and not column.nullable:
            row = pc.index(found.is_null(), True).as_py()
            raise _fault(path, row, column.name, "a value is missing")
    for name in schema.unique:
        _check_unique(path, name, table.column(name))
    return table


def _without_nan(values: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def _check_unique(path: Path, name: str, values: pa.ChunkedArray) -> None:
    import pyarrow.compute as pc

    counts = pc.value_counts(values.drop_null())
    twice = counts.filter(pc.greater(counts.field("counts"), 1))
    if not len(twice):
        return
    value = twice[0]["values"]
    rows = pc.indices_nonzero(pc.fill_null(pc.equal(values, value), False)).to_pylist()
    others = f" ({len(twice)} values are there more than once)" if len(twice) > 1 else ""
    named = ", ".join(str(row + 1) for row in rows[:5]) + (", …" if len(rows) > 5 else "")
    raise _fault(path, rows[1], name, f"{value.as_py()!r} is there {len(rows)} times, in rows {named}{others}")


def _fault(path: Path, index: int, column: str, what: str) -> BadDataError:
    """`index` counts data rows from 0; the message counts from 1, and names the line where there are lines."""
    line = csv_faults.line_of(path, index)
    place = f"row {index + 1}" + (f" (line {line})" if line else "")
    return BadDataError(f"{path.name}: {place}, column {column!r}: {what}")
