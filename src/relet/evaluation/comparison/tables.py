"""Comparing tables: columns, rows, and values row by row."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.core.wording import count
from relet.data.column_kinds import kind_changes, kinds_in
from relet.data.table import read_table
from relet.errors import BadDataError
from relet.evaluation.comparison.numbers import gap_words, is_within, relative_gaps
from relet.evaluation.comparison.outcome import Difference, cut_text, only_file

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from relet.evaluation.comparison.alignment import Alignment

_KINDS = {
    "is_boolean": "yes or no",
    "is_integer": "whole numbers",
    "is_floating": "numbers",
    "is_decimal": "decimals",
    "is_date": "dates",
    "is_time": "times of day",
    "is_timestamp": "points in time",
    "is_string": "text",
    "is_binary": "bytes",
}


def compare_tables(recorded: Path, reproduced: Path, tolerance: float | None) -> Iterator[Difference]:
    """Compare tables: their columns, then their rows.

    Floats are compared by tolerance, everything else exactly. Rows are named by a column of unique values, else by
    their place in the stored table, counted from 0.
    """
    import pyarrow as pa

    old, new = _read_one_side(recorded, "recorded"), _read_one_side(reproduced, "reproduced")
    yield from _compare_columns(old.schema, new.schema)
    yield from _compare_kinds(only_file(recorded, "recorded"), only_file(reproduced, "reproduced"))
    if old.num_rows != new.num_rows:
        yield Difference(f"{count(new.num_rows, 'row')} instead of {old.num_rows:,}")
    kinds = dict(zip(new.column_names, new.schema.types, strict=True))
    shared = [name for name in old.column_names if kinds.get(name) == old.field(name).type]
    if shared:
        try:
            yield from _compare_rows(
                _with_wide_offsets(old.select(shared)), _with_wide_offsets(new.select(shared)), tolerance
            )
        except pa.ArrowException as error:
            raise BadDataError(f"the tables can't be compared: {error}") from error


def _read_one_side(folder: Path, side: str) -> pa.Table:
    import pyarrow as pa

    path = only_file(folder, side)
    try:
        table: pa.Table = read_table(path, "arrow")
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadDataError(f"the {side} table can't be read: {error}") from error
    if len(set(table.column_names)) < table.num_columns:
        raise BadDataError(f"the {side} table has two columns of one name")
    return table


def _with_wide_offsets(table: pa.Table) -> pa.Table:
    """The table with text whose offsets have 64 bits, so that picked rows fit into one array of any size."""
    import pyarrow as pa

    roomy = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}
    return table.cast(pa.schema([(field.name, roomy.get(field.type, field.type)) for field in table.schema]))


def _compare_columns(old: pa.Schema, new: pa.Schema) -> Iterator[Difference]:
    for name in [name for name in old.names if name not in new.names]:
        yield Difference(f"the column {name!r} is missing ({_type_words(old.field(name).type)})")
    for name in [name for name in new.names if name not in old.names]:
        yield Difference(f"the column {name!r} is new ({_type_words(new.field(name).type)})")
    shared = [name for name in old.names if name in new.names]
    for name in shared:
        kinds = old.field(name).type, new.field(name).type
        if kinds[0] != kinds[1]:
            yield Difference(
                f"the column {name!r} holds {_type_words(kinds[1])} instead of {_type_words(kinds[0])}"
            )
    if shared != [name for name in new.names if name in old.names]:
        yield Difference(f"the columns come in another order: {', '.join(new.names)}")


def _compare_kinds(recorded: Path, reproduced: Path) -> Iterator[Difference]:
    import pyarrow.parquet as pq

    kinds = [kinds_in(pq.read_metadata(path).metadata) for path in (recorded, reproduced)]
    for name, old, new in kind_changes(*kinds):
        yield Difference(f"the column {name!r} holds {new} instead of {old}")


def _type_words(type: pa.DataType) -> str:
    """An Arrow type in words and by its name."""
    import pyarrow as pa

    words = next((words for test, words in _KINDS.items() if getattr(pa.types, test)(type)), "something else")
    return f"{words}, {type}"


def _compare_rows(old: pa.Table, new: pa.Table, tolerance: float | None) -> Iterator[Difference]:
    from relet.evaluation.comparison.alignment import align, is_float

    if old.equals(new):
        return
    found = align(old, new, tolerance)
    yield from _rows_on_one_side("recorded", old, found.only_recorded, found.key)
    yield from _rows_on_one_side("reproduced", new, found.only_reproduced, found.key)
    for name in old.column_names:
        if is_float(old, name):
            yield from _compare_floats(name, old, new, found, tolerance)
        else:
            yield from _compare_exactly(name, old, new, found)


def _rows_on_one_side(
    side: str, table: pa.Table, places: NDArray[np.int64], key: str | None
) -> Iterator[Difference]:
    if len(places):
        first = int(places[0])
        values = ", ".join(f"{name} {_cell_value_text(table, name, first)}" for name in table.column_names)
        example = _row_name(table, first, key) if key else cut_text(values, 100)
        verb = "is" if len(places) == 1 else "are"
        yield Difference(f"{count(len(places), 'row')} {verb} only in the {side} table: {example}")


def _compare_floats(
    name: str, old: pa.Table, new: pa.Table, found: Alignment, tolerance: float | None
) -> Iterator[Difference]:
    from relet.evaluation.comparison.alignment import float_column

    if old.column(name).equals(new.column(name)) and _is_in_place(found):
        return
    apart = relative_gaps(float_column(old, name)[found.recorded], float_column(new, name)[found.reproduced])
    if apart.any():
        worst = int(apart.argmax())
        size = float(apart[worst])
        sentence = _differing_sentence(name, old, new, found, int((apart > 0).sum()), worst)
        yield Difference(f"{sentence} ({gap_words(size)})", size, is_within(size, tolerance))


def _compare_exactly(name: str, old: pa.Table, new: pa.Table, found: Alignment) -> Iterator[Difference]:
    import numpy as np

    if old.column(name).equals(new.column(name)) and _is_in_place(found):
        return
    before, after = old.column(name).take(found.recorded), new.column(name).take(found.reproduced)
    differing = np.flatnonzero(_unequal_rows(before, after))
    if len(differing):
        worst = int(differing[_widest_row(before.take(differing), after.take(differing))])
        yield Difference(_differing_sentence(name, old, new, found, len(differing), worst))


def _is_in_place(found: Alignment) -> bool:
    return bool((found.recorded == found.reproduced).all())


def _unequal_rows(before: pa.ChunkedArray, after: pa.ChunkedArray) -> NDArray[np.bool_]:
    """The rows in which two columns differ. Null equals null."""
    import numpy as np
    import pyarrow.compute as pc

    equal = pc.fill_null(pc.equal(before, after), False)
    missing = pc.and_(before.is_null(), after.is_null())
    return ~np.asarray(pc.or_(equal, missing).to_numpy(), dtype=bool)


def _widest_row(before: pa.ChunkedArray, after: pa.ChunkedArray) -> int:
    """The row in which two columns differ most; the first row where they hold no numbers."""
    import numpy as np
    import pyarrow as pa

    if not (pa.types.is_integer(before.type) or pa.types.is_decimal(before.type)):
        return 0
    old, new = (np.asarray(column.cast(pa.float64(), safe=False).to_numpy()) for column in (before, after))
    return int(relative_gaps(old, new).argmax())


def _differing_sentence(
    name: str, old: pa.Table, new: pa.Table, found: Alignment, differing: int, worst: int
) -> str:
    """The sentence on a column that differs. `worst` is the pair of rows given as the example."""
    before, after = int(found.recorded[worst]), int(found.reproduced[worst])
    return (
        f"{name}: {differing:,} of {count(len(found.recorded), 'row')} differ, most of all "
        f"{_row_name(old, before, found.key)}: "
        f"{_cell_value_text(old, name, before)} → {_cell_value_text(new, name, after)}"
    )


def _row_name(table: pa.Table, place: int, key: str | None) -> str:
    return f"row {place:,}" if key is None else f"{key} {_cell_value_text(table, key, place)}"


def _cell_value_text(table: pa.Table, name: str, place: int) -> str:
    import pyarrow as pa

    stored = table.column(name)[place]
    if pa.types.is_float32(stored.type) and stored.is_valid:
        return str(table.column(name).slice(place, 1).to_numpy()[0])
    try:
        value: Any = stored.as_py()
    except (ValueError, OverflowError):  # a time outside Python's calendar
        value = stored.value
    if value is None:
        return "null"
    return cut_text(repr(value) if isinstance(value, str | bytes) else str(value))
