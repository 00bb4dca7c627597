"""Set rows aside with a reason, and report what was set aside."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relet.data.fork import fork
from relet.data.normal import batches_of, normal_rows
from relet.data.rows import RowStream, is_stored_table
from relet.data.table import file_of
from relet.data.tally import open_tables, quoted_name
from relet.errors import BadDataError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from ibis import Table
    from ibis.expr.types import StringValue

REASON = "reason"


@dataclass(frozen=True, kw_only=True)
class QuarantinedRows:
    """The rows set aside for one reason: how many, and a few examples as text by column."""

    reason: str
    rows: int
    examples: tuple[Mapping[str, str | None], ...] = ()


def split_by_reason(table: Table, reason: StringValue) -> tuple[Any, Any]:
    """Split a table into the rows to keep, and the rows to set aside with the column `reason`.

    `reason` is an expression on the table; it is missing for a row to keep. Both parts can be stored as tables. Of
    a stored table the engine reads only the columns that the reasons need; the rows of both parts are streamed in
    one pass. Raises BadDataError where the table has a column of that name already.

    >>> import ibis, pyarrow as pa
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from relet.data.table import read_table, write_table
    >>> path = Path(mkdtemp()) / "listings.parquet"
    >>> _ = write_table(pa.table({"id": [1, 2], "price": [80, None]}), path)
    >>> table = read_table(path, "ibis")
    >>> kept, aside = split_by_reason(table, ibis.cases((table.price.isnull(), "no price")))
    >>> kept.read_all().to_pylist(), aside.read_all().to_pylist()
    ([{'id': 1, 'price': 80}], [{'id': 2, 'price': None, 'reason': 'no price'}])
    """
    if REASON in table.columns:
        raise BadDataError(f"the table has a column {REASON!r} already; rename it")
    path = file_of(table)
    if path is None:
        judged = table.mutate(**{REASON: reason})
        return judged.filter(judged[REASON].isnull()).drop(REASON), judged.filter(judged[REASON].notnull())
    streams = _kept_and_aside_streams(path, table.select(**{REASON: reason}))
    return streams["kept"], streams["aside"]


def _kept_and_aside_streams(path: Path, judged: Table) -> dict[str, RowStream]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # the reasons come in the rows' order, since the engine has one thread
    schema, batches = normal_rows(judged)
    reasons = pa.chunked_array([batch.column(0) for batch in batches], schema.types[0])

    def once() -> Iterator[dict[str, pa.RecordBatch]]:
        start = 0
        with pq.ParquetFile(path) as file:
            for batch in batches_of(file):
                said = pa.concat_arrays(reasons.slice(start, batch.num_rows).chunks)
                start += batch.num_rows
                left = said.is_valid()
                aside = batch.filter(left).append_column(REASON, said.filter(left))
                yield {"kept": batch.filter(said.is_null()), "aside": aside}

    with pq.ParquetFile(path) as file:
        whole = file.schema_arrow.remove_metadata()
    parts = {"kept": whole, "aside": whole.append(schema.field(0))}
    return fork(parts, once, normal=is_stored_table(path))


def quarantine_by_reason(table: Any, *, reason: str = REASON, examples: int = 3) -> tuple[QuarantinedRows, ...]:
    """Group the rows of a quarantine by their reason, the most frequent reason first.

    `table` is the path of a Parquet file or anything that can be stored as a table. The examples are the first
    rows when sorted by all columns. Raises BadDataError where there is no such column.

    >>> import pyarrow as pa
    >>> quarantine = pa.table({"id": [1, 2], "reason": ["no price"] * 2})
    >>> [(each.reason, each.rows) for each in quarantine_by_reason(quarantine)]
    [('no price', 2)]
    """
    with open_tables(table) as (rows,):
        if reason not in rows.columns:
            raise BadDataError(f"the quarantine has no column {reason!r}; {nearest(reason, rows.columns)}")
        said = f"coalesce(CAST({quoted_name(reason)} AS VARCHAR), 'no reason given')"
        names = [name for name in rows.columns if name != reason]
        shown = ", ".join(f"left(CAST({quoted_name(name)} AS VARCHAR), 200)" for name in names)
        counts = rows.asked(f"SELECT {said}, count(*) FROM {rows.name} GROUP BY ALL ORDER BY 2 DESC, 1")
        order = ", ".join(quoted_name(name) for name in rows.columns)
        found = []
        for why, count in counts:
            literal = why.replace("'", "''")
            query = (
                f"SELECT {shown or 'NULL'} FROM {rows.name} WHERE {said} = '{literal}' "
                f"ORDER BY {order} LIMIT {examples}"
            )
            first = [dict(zip(names, values, strict=True)) for values in rows.asked(query)] if names else []
            found.append(QuarantinedRows(reason=why, rows=int(count), examples=tuple(first)))
        return tuple(found)
