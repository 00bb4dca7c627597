"""Find leaks between parts: the same key, the same row except for its key, the same group."""

# mypy: disable-error-code="import-untyped"
# pyarrow and duckdb ship no stubs.
from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.data.normal import normal_rows
from relet.segregation.columns import codes_of, columns_of, names_of

if TYPE_CHECKING:
    import numpy as np

    from relet.segregation.assignment import Assignment

    Hashes = np.ndarray[Any, np.dtype[np.uint64]]
    Integers = np.ndarray[Any, np.dtype[np.int64]]

# How many leaked values a report names.
EXAMPLES = 3
MEMORY = "128MiB"
_ROWS = 65_536


@dataclass(frozen=True, kw_only=True)
class Leak:
    """What several parts share.

    `values` counts the shared distinct values; `rows` counts, for each part but the first, the rows with a value
    that an earlier part has too; `examples` are the lowest such values.
    """

    values: int
    rows: Mapping[str, int]
    examples: tuple[Any, ...] = ()

    @property
    def total(self) -> int:
        """How many rows of all parts but the first share a value with an earlier part."""
        return sum(self.rows.values())


def leak_of_column(table: Any, name: str, assignment: Assignment) -> Leak:
    """The leak of a column's values. Missing values are never shared."""
    import numpy as np
    import pyarrow as pa

    column = columns_of(table, [name]).column(name)
    if pa.types.is_integer(column.type) and not column.null_count:
        return _leak_of_values(column.to_numpy(), assignment)
    codes, values = codes_of(column)
    if values and values[-1] is None:
        present = codes < len(values) - 1
        assignment = replace(assignment, of_row=np.where(present, assignment.of_row, np.int8(-1)))
    found = _leak_of_values(codes, assignment)
    return replace(found, examples=tuple(values[code] for code in found.examples))


def leak_of_rows(table: Any, assignment: Assignment, *, but_for: str | None) -> Leak | None:
    """The leak of rows that are equal in all columns but one; missing equals missing.

    Rows are compared by 64 bits of DuckDB's hash. Two of n different rows are taken for equal with probability n²
    ÷ 2⁶⁵: one in two million for 4.3 million rows. None where there is no other column.
    """
    names = [name for name in names_of(table) if name != but_for]
    return _leak_of_values(_row_hashes(table, names), assignment) if names else None


def _row_hashes(table: Any, names: list[str]) -> Hashes:
    import duckdb
    import pyarrow as pa

    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    # a hash belongs to its row by the rows' order
    settings: dict[str, Any] = {
        "memory_limit": MEMORY,
        "preserve_insertion_order": True,
        "temp_directory": tempfile.gettempdir(),
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        if isinstance(table, Path):
            # DuckDB reads a path as a pattern, in which these letters would match others.
            place = re.sub(r"[*?\[]", r"[\g<0>]", str(table)).replace("'", "''")
            source = f"read_parquet('{place}')"
        else:
            schema, batches = normal_rows(table)
            connection.register("incoming", pa.Table.from_batches(batches, schema))
            source = "incoming"
        found = connection.sql(f"SELECT hash({columns}) AS hashed FROM {source}").to_arrow_table()
    hashes: Hashes = found.column("hashed").to_numpy()
    return hashes


def _leak_of_values(values: Integers | Hashes, assignment: Assignment) -> Leak:
    """The leak of `values`, one per row, equal where rows share something."""
    import numpy as np

    if _is_ascending(values):
        return Leak(values=0, rows=dict.fromkeys(assignment.names[1:], 0))
    earlier = _distinct_in_order(np.sort(values[assignment.of_row == 0]))
    rows, shared = {}, []
    for place, name in enumerate(assignment.names[1:], start=1):
        # sorted, so that the look-ups go through memory once
        here = np.sort(values[assignment.of_row == place])
        found = here[_are_in(here, earlier)]
        rows[name] = len(found)
        shared.append(_distinct_in_order(found))
        if place < len(assignment.names) - 1:
            earlier = _distinct_in_order(np.sort(np.concatenate([earlier, here])))
    both = _distinct_in_order(np.sort(np.concatenate(shared)))
    return Leak(values=len(both), rows=rows, examples=tuple(both[:EXAMPLES].tolist()))


def _distinct_in_order(in_order: Any) -> Any:
    """The distinct values of a sorted array."""
    import numpy as np

    return in_order[np.concatenate([in_order[:1] == in_order[:1], in_order[1:] != in_order[:-1]])]


def _are_in(here: Any, known: Any) -> Any:
    import numpy as np

    if not len(known):
        return np.zeros(len(here), dtype=bool)
    places = np.searchsorted(known, here)
    places[places == len(known)] = 0
    return known[places] == here


def _is_ascending(values: Any) -> bool:
    """Whether each value is greater than the one before, so that no sorting is needed.

    Blockwise, to save memory.
    """
    steps = range(0, len(values) - 1, _ROWS)
    return all(
        bool((values[k + 1 : k + 1 + _ROWS] > values[k : k + _ROWS][: len(values) - k - 1]).all()) for k in steps
    )
