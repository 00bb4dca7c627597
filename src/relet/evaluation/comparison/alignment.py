"""Find the rows of two tables that belong together."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from relet.evaluation.comparison.likeness import NEAR, StackedRows, pair_but_for_one, pair_by_likeness
from relet.evaluation.comparison.numbers import relative_gaps

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from relet.evaluation.comparison.likeness import Pairs, Places

# How many evenly spaced rows are looked at first: a column that holds a value twice among them is no key.
SAMPLE = 10_000


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """Row `recorded[i]` belongs to row `reproduced[i]`; all other rows are in one table only.

    `key` is the column that matched them, if any. Rows are counted from 0.
    """

    recorded: Places
    reproduced: Places
    only_recorded: Places
    only_reproduced: Places
    key: str | None = None


def align(recorded: pa.Table, reproduced: pa.Table, tolerance: float | None) -> Alignment:
    """Match the rows of two tables that have the same columns.

    Rows are matched by position, if then only nearby floats differ; else by a column of unique values that are no
    floats and that both tables mostly share; else by likeness.
    """
    near = max(NEAR, tolerance or 0.0)
    key, pairs = _pairs_by_key(recorded, reproduced)
    # only for speed: matching by likeness would find the same
    if recorded.num_rows == reproduced.num_rows and _is_alike_in_place(recorded, reproduced, near):
        every = np.arange(recorded.num_rows)
        return _alignment_of_pairs(recorded, reproduced, (every, every), key)
    if key is None:
        return _alignment_of_pairs(
            recorded, reproduced, pair_by_likeness(_stacked_rows(recorded, reproduced), near)
        )
    found = _alignment_of_pairs(recorded, reproduced, pairs, key)
    rest = _stacked_rows(recorded.take(found.only_recorded), reproduced.take(found.only_reproduced))
    place = _exact_columns(recorded).index(key)
    old, new = pair_but_for_one(place, rest, near=near, unique=True)
    more = found.only_recorded[old], found.only_reproduced[new - len(found.only_recorded)]
    return _alignment_of_pairs(recorded, reproduced, _joined_pairs(pairs, more), key)


def is_float(table: pa.Table, name: str) -> bool:
    """Whether a column's numbers are compared by tolerance."""
    import pyarrow as pa

    return bool(pa.types.is_floating(table.field(name).type))


def float_column(table: pa.Table, name: str) -> NDArray[np.float64]:
    """A column of floats, NaN where it is null."""
    return np.asarray(table.column(name).to_numpy(), dtype=np.float64)


def _is_alike_in_place(recorded: pa.Table, reproduced: pa.Table, near: float) -> bool:
    for name in sorted(recorded.column_names, key=lambda name: is_float(recorded, name)):
        if recorded.column(name).equals(reproduced.column(name)):
            continue
        if not is_float(recorded, name):
            return False
        if (relative_gaps(float_column(recorded, name), float_column(reproduced, name)) > near).any():
            return False
    return True


def _pairs_by_key(recorded: pa.Table, reproduced: pa.Table) -> tuple[str | None, Pairs]:
    """The column of unique values that matches most rows, at least half of one table, and its pairs."""
    best: tuple[str | None, Pairs] = None, (np.arange(0), np.arange(0))
    fewest = min(recorded.num_rows, reproduced.num_rows)
    for name in _exact_columns(recorded):
        if any(_has_repeats(table.column(name)) for table in (recorded, reproduced)):
            continue
        pairs = _pairs_by_unique_codes(_value_codes(recorded, reproduced, name), recorded.num_rows)
        if pairs is not None and len(pairs[0]) > len(best[1][0]) and 2 * len(pairs[0]) >= fewest:
            best = name, pairs
        if len(best[1][0]) == fewest:
            break
    return best


def _pairs_by_unique_codes(codes: NDArray[np.int32], recorded: int) -> Pairs | None:
    """Pairs of rows with equal codes. None where a value is null, or comes twice in one table."""
    old, new = codes[:recorded], codes[recorded:]
    place = np.full(codes.max(initial=0) + 1, -1)
    place[new] = np.arange(len(new))
    found = place[old]
    if not codes.all() or (np.bincount(old) > 1).any() or (np.bincount(new) > 1).any():
        return None
    return np.flatnonzero(found >= 0), found[found >= 0]


def _has_repeats(column: pa.ChunkedArray) -> bool:
    """Whether a few rows already show that a column has a value twice."""
    import pyarrow.compute as pc

    few = column.take(np.linspace(0, max(0, len(column) - 1), min(len(column), SAMPLE)).astype(np.int64))
    return bool(pc.count_distinct(few, mode="all").as_py() < len(few))


def _stacked_rows(recorded: pa.Table, reproduced: pa.Table) -> StackedRows:
    names = [name for name in recorded.column_names if is_float(recorded, name)]
    return StackedRows(
        exact=[_value_codes(recorded, reproduced, name) for name in _exact_columns(recorded)],
        floats=[np.concatenate([float_column(table, name) for table in (recorded, reproduced)]) for name in names],
        again=np.arange(recorded.num_rows + reproduced.num_rows) >= recorded.num_rows,
    )


def _exact_columns(table: pa.Table) -> list[str]:
    return [name for name in table.column_names if not is_float(table, name)]


def _value_codes(recorded: pa.Table, reproduced: pa.Table, name: str) -> NDArray[np.int32]:
    """A code for each value of both tables: equal values have equal codes, and null has 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chunks = [chunk for table in (recorded, reproduced) for chunk in table.column(name).chunks]
    encoded = pa.chunked_array(chunks, recorded.field(name).type).dictionary_encode()
    codes = [pc.fill_null(chunk.indices, -1).to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
    return np.concatenate([*codes, np.empty(0, np.int32)]) + np.int32(1)


def _alignment_of_pairs(
    recorded: pa.Table, reproduced: pa.Table, pairs: Pairs, key: str | None = None
) -> Alignment:
    """The alignment: the pairs in the order of the recorded table, and the rows without a partner."""
    order = np.argsort(pairs[0], kind="stable")
    old, new = (places[order] for places in pairs)
    alone = [np.ones(table.num_rows, dtype=bool) for table in (recorded, reproduced)]
    for rows, places in zip(alone, (old, new), strict=True):
        rows[places] = False
    return Alignment(
        recorded=old,
        reproduced=new,
        only_recorded=np.flatnonzero(alone[0]),
        only_reproduced=np.flatnonzero(alone[1]),
        key=key,
    )


def _joined_pairs(pairs: Pairs, more: Pairs) -> Pairs:
    return np.concatenate([pairs[0], more[0]]), np.concatenate([pairs[1], more[1]])
