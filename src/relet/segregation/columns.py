"""Read some columns, or all rows, of any container of a table.

Of a Parquet file only the requested columns are read.
"""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.data.normal import normal_floats, normal_rows
from relet.errors import BadDataError, SettingError, nearest

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Integers = np.ndarray[Any, np.dtype[np.int64]]


def in_one_order(table: Any) -> Any:
    """The table in a fixed order.

    An Ibis table and a lazy Polars frame have no order, so they are read into memory.
    """
    import pyarrow as pa

    packages = _packages_of_type(table)
    if "ibis" in packages and hasattr(table, "to_pyarrow"):
        schema, batches = normal_rows(table)
        return pa.Table.from_batches(batches, schema)
    if "polars" in packages and hasattr(table, "collect"):
        return table.collect()
    return table


def names_of(table: Any) -> list[str]:
    """The names of a table's columns.

    Raises BadDataError for a stream, which can't be read twice, and for anything that is no table.
    """
    if isinstance(table, Path):
        return list(_parquet_file(table).schema_arrow.names)
    for names in ("column_names", "columns"):
        found = getattr(table, names, None)
        if found is not None and hasattr(table, "__getitem__"):
            return [each if isinstance(each, str) else repr(each) for each in found]
    kind = f"{type(table).__module__}.{type(table).__qualname__}"
    raise BadDataError(
        f"segregation: a table that can be read twice was expected, got {kind}; "
        "give the Path of a Parquet file, a pandas frame, or a pyarrow, Polars or Ibis table"
    )


def check_columns(table: Any, **named: str | None) -> None:
    """Raise SettingError for a column that the table does not have.

    Each keyword is the setting that names the column.
    """
    known = names_of(table)
    for setting, name in named.items():
        if name is not None and name not in known:
            raise SettingError(f"segregation: there is no column {name!r}: {nearest(name, known)}; set {setting}")


def columns_of(table: Any, names: Sequence[str]) -> pa.Table:
    """Some columns of a table, in its order; text as Arrow dictionaries, which are small."""
    import pyarrow as pa

    if isinstance(table, Path):
        schema = _parquet_file(table).schema_arrow
        texts = [name for name in names if schema.field(name).type in (pa.string(), pa.large_string())]
        with _parquet_file(table, read_dictionary=texts) as file:
            return pa.table(
                dict(zip(names, map(normal_floats, file.read(columns=list(names)).columns), strict=True))
            )
    schema, batches = normal_rows(_select_columns(table, names))
    read = pa.Table.from_batches(batches, schema)
    text = (pa.types.is_string(field.type) for field in schema)
    coded = [
        column.dictionary_encode() if is_text else column
        for is_text, column in zip(text, read.columns, strict=True)
    ]
    return pa.table(dict(zip(names, coded, strict=True)))


def rows_of(table: Any) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
    """All rows of a table in its order and in the normal form, in batches."""
    return normal_rows(table if isinstance(table, Path) else _select_columns(table, None))


def count_of(table: Any) -> int:
    """How many rows a table has."""
    if isinstance(table, Path):
        return int(_parquet_file(table).metadata.num_rows)
    return len(table)


def codes_of(column: pa.ChunkedArray) -> tuple[Integers, list[Any]]:
    """For each row the number of its value among the sorted distinct values, and those values; missing comes last.

    Text is sorted by its UTF-8 bytes.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_integer(column.type) and not column.null_count:
        values, codes = np.unique(column.to_numpy(), return_inverse=True)
        return codes.astype(np.int64), values.tolist()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # without rows pyarrow gives no single array
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    known = column.dictionary
    order = pc.sort_indices(known).to_numpy()
    rank = np.empty(len(known) + 1, dtype=np.int64)
    rank[order] = np.arange(len(known))
    rank[-1] = len(known)
    places = column.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
    codes = rank[places]
    values = known.take(pa.array(order)).to_pylist()
    # a dictionary may hold values that no row has
    present = np.zeros(len(known) + 1, dtype=bool)
    present[codes] = True
    renumbered = np.cumsum(present) - 1
    return renumbered[codes], [value for value, there in zip([*values, None], present, strict=True) if there]


def _parquet_file(path: Path, **options: Any) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, **options)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadDataError(f"{path} is no Parquet file that can be read: {error}") from error


def _select_columns(table: Any, names: Sequence[str] | None) -> Any:
    """The table or some of its columns. A pandas frame loses the index that a filter left."""
    if "pandas" in _packages_of_type(table):
        return (table if names is None else table[list(names)]).reset_index(drop=True)
    return table if names is None else table.select(list(names))


def _packages_of_type(table: Any) -> set[str]:
    # Types are compared by name: an isinstance check would import every engine only to rule it out.
    return {kind.__module__.partition(".")[0] for kind in type(table).__mro__}


def batches_with_places(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[slice, pa.RecordBatch]]:
    """Each batch with the place of its rows in the whole table."""
    start = 0
    for batch in batches:
        yield slice(start, start + batch.num_rows), batch
        start += batch.num_rows
