"""What was set aside of a batch, by reason."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relet.data.tally import opened, quoted
from relet.errors import BadDataError, nearest


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """The rows that left for one reason: how many, and a few of them, as text by column."""

    reason: str
    rows: int
    examples: tuple[Mapping[str, str | None], ...] = ()


def set_aside(table: Any, *, reason: str = "reason", examples: int = 3) -> tuple[SetAside, ...]:
    """The rows of a quarantine by what its column `reason` says, the most frequent reason first.

    `table` is the path of a Parquet file or whatever can be stored as a table; examples are its first rows in
    the order of its columns. Raises BadDataError where there is no such column.

    >>> import pyarrow as pa
    >>> [(each.reason, each.rows) for each in set_aside(pa.table({"id": [1, 2], "reason": ["no price"] * 2}))]
    [('no price', 2)]
    """
    with opened(table) as (rows,):
        if reason not in rows.columns:
            raise BadDataError(f"the quarantine has no column {reason!r}; {nearest(reason, rows.columns)}")
        said = f"coalesce(CAST({quoted(reason)} AS VARCHAR), 'no reason given')"
        names = [name for name in rows.columns if name != reason]
        shown = ", ".join(f"left(CAST({quoted(name)} AS VARCHAR), 200)" for name in names)
        counts = rows.asked(f"SELECT {said}, count(*) FROM {rows.name} GROUP BY ALL ORDER BY 2 DESC, 1")
        order = ", ".join(quoted(name) for name in rows.columns)
        found = []
        for why, count in counts:
            literal = why.replace("'", "''")
            query = (
                f"SELECT {shown or 'NULL'} FROM {rows.name} WHERE {said} = '{literal}' "
                f"ORDER BY {order} LIMIT {examples}"
            )
            first = [dict(zip(names, values, strict=True)) for values in rows.asked(query)] if names else []
            found.append(SetAside(reason=why, rows=int(count), examples=tuple(first)))
        return tuple(found)
