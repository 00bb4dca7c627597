"""Comparing tables: columns, rows, and values row by row."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.core.wording import count
from relet.data.table import read_table
from relet.errors import BadDataError
from relet.evaluation.comparison.numbers import is_within, said, sizes
from relet.evaluation.comparison.outcome import Difference, cut, only_file

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
    """Tables: their columns, then their rows. Floats by tolerance, everything else exactly.

    Rows are named by a column of unique values, else by their place in the stored table, counted from 0.
    """
    import pyarrow as pa

    old, new = _read(recorded, "recorded"), _read(reproduced, "reproduced")
    yield from _columns(old.schema, new.schema)
    if old.num_rows != new.num_rows:
        yield Difference(f"{count(new.num_rows, 'row')} instead of {old.num_rows:,}")
    kinds = dict(zip(new.column_names, new.schema.types, strict=True))
    shared = [name for name in old.column_names if kinds.get(name) == old.field(name).type]
    if shared:
        try:
            yield from _rows(_roomy(old.select(shared)), _roomy(new.select(shared)), tolerance)
        except pa.ArrowException as error:
            raise BadDataError(f"the tables can't be compared: {error}") from error


def _read(folder: Path, side: str) -> pa.Table:
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


def _roomy(table: pa.Table) -> pa.Table:
    """The same with text whose offsets have 64 bits: rows that are picked lie in one piece, of any size."""
    import pyarrow as pa

    roomy = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}
    return table.cast(pa.schema([(field.name, roomy.get(field.type, field.type)) for field in table.schema]))


def _columns(old: pa.Schema, new: pa.Schema) -> Iterator[Difference]:
    for name in [name for name in old.names if name not in new.names]:
        yield Difference(f"the column {name!r} is missing ({_kind(old.field(name).type)})")
    for name in [name for name in new.names if name not in old.names]:
        yield Difference(f"the column {name!r} is new ({_kind(new.field(name).type)})")
    shared = [name for name in old.names if name in new.names]
    for name in shared:
        kinds = old.field(name).type, new.field(name).type
        if kinds[0] != kinds[1]:
            yield Difference(f"the column {name!r} holds {_kind(kinds[1])} instead of {_kind(kinds[0])}")
    if shared != [name for name in new.names if name in old.names]:
        yield Difference(f"the columns come in another order: {', '.join(new.names)}")


def _kind(type: pa.DataType) -> str:
    """A type in words, and as Arrow calls it."""
    import pyarrow as pa

    words = next((words for test, words in _KINDS.items() if getattr(pa.types, test)(type)), "something else")
    return f"{words}, {type}"


def _rows(old: pa.Table, new: pa.Table, tolerance: float | None) -> Iterator[Difference]:
    from relet.evaluation.comparison.alignment import align, is_float

    if old.equals(new):
        return
    found = align(old, new, tolerance)
    yield from _only("recorded", old, found.only_recorded, found.key)
    yield from _only("reproduced", new, found.only_reproduced, found.key)
    for name in old.column_names:
        if is_float(old, name):
            yield from _floats(name, old, new, found, tolerance)
        else:
            yield from _exact(name, old, new, found)


def _only(side: str, table: pa.Table, places: NDArray[np.int64], key: str | None) -> Iterator[Difference]:
    if len(places):
        first = int(places[0])
        values = ", ".join(f"{name} {_show(table, name, first)}" for name in table.column_names)
        example = _name(table, first, key) if key else cut(values, 100)
        verb = "is" if len(places) == 1 else "are"
        yield Difference(f"{count(len(places), 'row')} {verb} only in the {side} table: {example}")


def _floats(
    name: str, old: pa.Table, new: pa.Table, found: Alignment, tolerance: float | None
) -> Iterator[Difference]:
    from relet.evaluation.comparison.alignment import floats

    if old.column(name).equals(new.column(name)) and _in_place(found):
        return
    apart = sizes(floats(old, name)[found.recorded], floats(new, name)[found.reproduced])
    if apart.any():
        worst = int(apart.argmax())
        size = float(apart[worst])
        sentence = _sentence(name, old, new, found, int((apart > 0).sum()), worst)
        yield Difference(f"{sentence} ({said(size)})", size, is_within(size, tolerance))


def _exact(name: str, old: pa.Table, new: pa.Table, found: Alignment) -> Iterator[Difference]:
    import numpy as np

    if old.column(name).equals(new.column(name)) and _in_place(found):
        return
    before, after = old.column(name).take(found.recorded), new.column(name).take(found.reproduced)
    differing = np.flatnonzero(_unequal(before, after))
    if len(differing):
        worst = int(differing[_widest(before.take(differing), after.take(differing))])
        yield Difference(_sentence(name, old, new, found, len(differing), worst))


def _in_place(found: Alignment) -> bool:
    return bool((found.recorded == found.reproduced).all())


def _unequal(before: pa.ChunkedArray, after: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Where two columns differ; null equals null."""
    import numpy as np
    import pyarrow.compute as pc

    equal = pc.fill_null(pc.equal(before, after), False)
    missing = pc.and_(before.is_null(), after.is_null())
    return ~np.asarray(pc.or_(equal, missing).to_numpy(), dtype=bool)


def _widest(before: pa.ChunkedArray, after: pa.ChunkedArray) -> int:
    """Where two columns lie the furthest apart; the first place for what are no numbers."""
    import numpy as np
    import pyarrow as pa

    if not (pa.types.is_integer(before.type) or pa.types.is_decimal(before.type)):
        return 0
    old, new = (np.asarray(column.cast(pa.float64(), safe=False).to_numpy()) for column in (before, after))
    return int(sizes(old, new).argmax())


def _sentence(name: str, old: pa.Table, new: pa.Table, found: Alignment, differing: int, worst: int) -> str:
    """`worst` is the pair of rows that serves as the example."""
    before, after = int(found.recorded[worst]), int(found.reproduced[worst])
    return (
        f"{name}: {differing:,} of {count(len(found.recorded), 'row')} differ, most of all "
        f"{_name(old, before, found.key)}: {_show(old, name, before)} → {_show(new, name, after)}"
    )


def _name(table: pa.Table, place: int, key: str | None) -> str:
    return f"row {place:,}" if key is None else f"{key} {_show(table, key, place)}"


def _show(table: pa.Table, name: str, place: int) -> str:
    import pyarrow as pa

    stored = table.column(name)[place]
    if pa.types.is_float32(stored.type) and stored.is_valid:
        return str(table.column(name).slice(place, 1).to_numpy()[0])
    try:
        value: Any = stored.as_py()
    except (ValueError, OverflowError):  # a time that Python's calendar does not reach
        value = stored.value
    if value is None:
        return "null"
    return cut(repr(value) if isinstance(value, str | bytes) else str(value))
