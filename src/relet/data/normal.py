"""Turn every container of rows that relet takes into one stream of Arrow batches in one normal form.

The normal form holds what all engines represent alike: no dictionaries, views or large strings; missing is null
and never NaN; zero has no sign; times count microseconds, with a zone always in UTC.
"""

# mypy: disable-error-code="import-untyped"
# pyarrow and ibis ship no stubs.
from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.data.column_kinds import KINDS, UTC_NAMES, frame_kinds, kinds_in, kinds_text, with_kinds
from relet.data.rows import RowStream, is_stored_table
from relet.errors import BadDataError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

CHUNK_ROWS = 131_072


def normal_rows(value: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The normal-form schema of `value` and its rows as they come, in batches of at most `CHUNK_ROWS`.

    `value` is an Ibis table, a pandas or Polars frame, a pyarrow table or reader, a `RowStream`, anything else
    that streams Arrow (`__arrow_c_stream__`), or the path of a Parquet file. Values that are known to be in the
    normal form (`RowStream.is_normal`, `StoredTablePath`) are not looked at again. Raises BadDataError where a
    column has no normal form, names it, and says what to do.

    The schema's metadata hold the kinds of columns that came from pandas (`relet.data.column_kinds`).
    """
    schema, batches, is_normal = _arrow_batches(value)
    normal = with_kinds(normal_schema(schema), kinds_in(schema.metadata))
    parts = (part for batch in batches for part in _chunks_of_batch(batch))
    if is_normal and schema == normal:
        return normal, parts
    return normal, (_normal_batch(part, normal) for part in parts)


def normal_schema(schema: pa.Schema) -> pa.Schema:
    """The normal form of a schema: names that every engine distinguishes, and types that every engine has.

    >>> import pyarrow as pa
    >>> normal_schema(pa.schema({"a": pa.large_string(), "b": pa.timestamp("ns", "Asia/Tokyo")})).types
    [DataType(string), TimestampType(timestamp[us, tz=UTC])]
    """
    import pyarrow as pa

    _check_names(schema.names)
    return pa.schema([(field.name, _normal_type(field.name, field.type)) for field in schema])


def normal_floats(column: Any) -> Any:
    """Replace NaN by null and -0.0 by 0.0 in an array, chunked or not. Arrays of other types come back unchanged.

    >>> import pyarrow as pa
    >>> normal_floats(pa.array([1.5, float("nan"), -0.0])).to_pylist()
    [1.5, None, 0.0]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(column.type):
        return column
    unsigned = pc.add(column, pa.scalar(0.0, column.type))
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), unsigned)


def altered_columns(value: Any) -> list[str]:
    """What the normal form makes of categories and of times with a zone, a sentence for each change.

    Categories become what they are categories of, and times with a zone the same moments in UTC, but for those of
    a pandas frame that come back as they went in (`relet.data.column_kinds`). `value` is what `normal_rows` takes;
    no row of it is read.

    >>> import pyarrow as pa
    >>> altered_columns(pa.table({"city": pa.array(["a"]).dictionary_encode(), "n": [1]}))
    ['city: text from here on instead of a category']
    """
    import pyarrow as pa

    names_by_change: dict[str, list[str]] = {}
    schema = _arrow_schema(value)
    kept = kinds_in(schema.metadata)
    for field in schema:
        if field.name in kept:
            continue
        if pa.types.is_dictionary(field.type):
            kind = _normal_type(field.name, field.type)
            change = f"{'text' if pa.types.is_string(kind) else kind} from here on instead of a category"
        elif pa.types.is_timestamp(field.type) and (field.type.tz or "UTC") not in UTC_NAMES:
            change = f"UTC from here on instead of {field.type.tz}"
        else:
            continue
        names_by_change.setdefault(change, []).append(field.name)
    return [f"{', '.join(names)}: {change}" for change, names in names_by_change.items()]


def _arrow_schema(value: Any) -> pa.Schema:
    """The schema of a table before it is in the normal form; no row is read."""
    import pyarrow as pa

    packages = _packages_of(value)
    if "pandas" in packages:
        return _pandas_schema(value, pa.Table.from_pandas(value.head(0), preserve_index=False).schema)
    if "polars" in packages:
        empty = value.clear()
        return (empty.collect() if hasattr(empty, "collect") else empty).to_arrow().schema
    if isinstance(value, Path):
        return _parquet_batches(value)[0]
    if "ibis" in packages:
        return value.schema().to_pyarrow()
    return getattr(value, "schema", pa.schema([]))


def _packages_of(value: Any) -> set[str]:
    """The packages that define a value's type; an isinstance check would import every engine to rule it out."""
    return {kind.__module__.partition(".")[0] for kind in type(value).__mro__}


def _arrow_batches(value: Any) -> tuple[pa.Schema, Iterable[pa.RecordBatch], bool]:
    """Schema, rows, and whether both are in the normal form."""
    import pyarrow as pa

    if isinstance(value, Path):
        return _parquet_batches(value)
    packages = _packages_of(value)
    if "pandas" in packages and hasattr(value, "columns"):
        table = _from_pandas(value)
        return _pandas_schema(value, table.schema), table.to_batches(), False
    if "ibis" in packages and hasattr(value, "to_pyarrow_batches") and hasattr(value, "columns"):
        return value.schema().to_pyarrow(), _from_ibis(value), False
    if "polars" in packages and hasattr(value, "collect"):
        value = value.collect()
    # both are read directly: through Arrow's C stream an error raised while reading would lose its type
    if isinstance(value, RowStream):
        return value.schema, value, value.is_normal
    if isinstance(value, pa.RecordBatchReader):
        return value.schema, value, False
    if hasattr(value, "__arrow_c_stream__") and not isinstance(value, pa.ChunkedArray):
        with contextlib.suppress(pa.ArrowInvalid):  # a single column has the C stream too, but is no table
            reader = pa.RecordBatchReader.from_stream(value)
            return reader.schema, reader, False
    raise BadDataError(
        f"a table was expected, got {type(value).__module__}.{type(value).__qualname__}; "
        "return an Ibis table, a pandas or Polars frame, a pyarrow table, or the Path of a Parquet file"
    )


def _parquet_batches(path: Path) -> tuple[pa.Schema, Iterable[pa.RecordBatch], bool]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadDataError(f"{path} is no Parquet file that can be read: {error}") from error
    return with_kinds(file.schema_arrow, kinds_in(file.metadata.metadata)), batches_of(file), is_stored_table(path)


def _pandas_schema(frame: pd.DataFrame, schema: pa.Schema) -> pa.Schema:
    """A frame's schema in Arrow, with the kinds of its columns."""
    kinds = frame_kinds(frame, schema)
    return schema.with_metadata({KINDS: kinds_text(kinds)} if kinds else None)


def batches_of(file: pq.ParquetFile, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet file, or some columns of them, in batches of at most `CHUNK_ROWS`.

    Row groups are read one after the other, since a reader of the whole file keeps everything it has read.
    """
    for group in range(file.num_row_groups):
        yield from file.iter_batches(batch_size=CHUNK_ROWS, row_groups=[group], columns=columns)


def _from_ibis(expression: Any) -> Iterable[pa.RecordBatch]:
    import ibis

    backend = ibis.get_backend(expression)
    if backend.name != "duckdb":
        return expression.to_pyarrow_batches(chunk_size=CHUNK_ROWS)  # type: ignore[no-any-return]
    # Ibis 12 streams from DuckDB by a method that DuckDB 2 no longer has; DuckDB's own relation still streams.
    relation = backend._to_duckdb_relation(expression)
    return relation.to_arrow_reader(CHUNK_ROWS)  # type: ignore[no-any-return]


def _from_pandas(frame: pd.DataFrame) -> pa.Table:
    import pandas as pd
    import pyarrow as pa

    # pyarrow would write the names 1 and "1" alike, and its error would not say which of two equal names is wrong.
    _check_names(list(frame.columns))
    index = frame.index
    # The numbers of rows, which a filter leaves with gaps and a concatenation repeats, say nothing of the rows.
    says_nothing = pd.api.types.is_integer_dtype(index.dtype) and all(name is None for name in index.names)
    if not says_nothing and len(frame):
        raise BadDataError(
            f"the frame has an index of its own ({_index_words(index)}), a table has none; "
            "call reset_index() to keep it as a column, or reset_index(drop=True)"
        )
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, UnicodeError, OverflowError) as error:
        raise BadDataError(f"the frame does not fit into a table: {_error_on_one_line(error)}") from error


def _index_words(index: pd.Index) -> str:
    named = [repr(name) for name in index.names if name is not None]
    kind = f"of {index.nlevels} levels" if index.nlevels > 1 else f"of type {index.dtype}"
    return f"{kind}, named {', '.join(named)}" if named else f"{kind}, without a name"


def _check_names(names: list[Any]) -> None:
    if not names:
        raise BadDataError("a table needs at least one column, got none")
    for name in names:
        if not isinstance(name, str) or not name or "\0" in name:
            raise BadDataError(
                f"a column's name has to be text that is not empty, got {name!r}; rename the column"
            )
        if not name.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in name):
            raise BadDataError(f"the column name {name!r} can't be written as UTF-8; rename the column")
    # DuckDB does not distinguish `Price` from `price`: a table with both would differ between engines.
    twice = [name for name, times in Counter(name.casefold() for name in names).items() if times > 1]
    if twice:
        alike = [name for name in names if name.casefold() == twice[0]]
        raise BadDataError(f"columns {', '.join(map(repr, alike))} have the same name; rename one of them")


def _normal_type(name: str, type: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    is_ = pa.types
    if is_.is_dictionary(type):
        return _normal_type(name, type.value_type)
    # A pandas column of nothing but None has no type in Arrow; most often it was meant to hold text.
    if is_.is_null(type) or is_.is_string(type) or is_.is_large_string(type) or is_.is_string_view(type):
        return pa.string()
    if is_.is_binary(type) or is_.is_large_binary(type) or is_.is_binary_view(type):
        return pa.binary()
    if is_.is_integer(type) or is_.is_boolean(type) or is_.is_float32(type) or is_.is_float64(type):
        return type
    if is_.is_date(type):
        return pa.date32()
    if is_.is_timestamp(type):
        return pa.timestamp("us", "UTC" if type.tz else None)
    if is_.is_time(type):
        return pa.time64("us")
    if is_.is_decimal(type) and type.precision <= 38:
        return pa.decimal128(type.precision, type.scale)
    raise BadDataError(
        f"column {name!r} holds {type}, which a table can't store; "
        "cast it to a number, text, a boolean, a date or a time, or spread it over columns"
    )


def _chunks_of_batch(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, CHUNK_ROWS):
        yield batch.slice(start, CHUNK_ROWS)


def _normal_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    columns = [_normal_column(array, field) for array, field in zip(batch.columns, schema, strict=True)]
    return pa.record_batch(columns, schema=schema)


def _normal_column(array: pa.Array, field: pa.Field) -> pa.Array:
    import pyarrow as pa

    try:
        if pa.types.is_dictionary(array.type):
            # the values are cast first: Arrow has no kernel that takes from views
            array = pa.DictionaryArray.from_arrays(array.indices, array.dictionary.cast(field.type))
            array = array.dictionary_decode()
        if array.type != field.type:
            array = array.cast(field.type)
        # Bytes that claim to be text are refused here, before any engine reads the table.
        array.validate(full=pa.types.is_string(field.type))
    except pa.ArrowException as error:
        raise BadDataError(
            f"column {field.name!r} can't be stored as {field.type}: {_error_on_one_line(error)}; "
            "round or cast it first"
        ) from error
    return normal_floats(array)


def _error_on_one_line(error: Exception) -> str:
    return " ".join(" ".join(map(str, error.args)).split())
