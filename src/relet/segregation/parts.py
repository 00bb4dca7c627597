"""The parts of a table: as frames for a notebook, as streams for tables of any size."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relet.data.fork import fork
from relet.data.rows import RowStream
from relet.errors import SettingError
from relet.segregation.assignment import Assignment, assign
from relet.segregation.columns import batches_with_places, in_one_order, rows_of
from relet.segregation.report import SegregationReport, report_on
from relet.segregation.rule import Rule

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def split(frame: pd.DataFrame, parts: Mapping[str, float | None], rule: Rule) -> tuple[pd.DataFrame, ...]:
    """The parts of a pandas frame, in the order of `parts`; each keeps the frame's order and has an index from 0.

    Raises SettingError as `assign` does, and for a part without a row.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"id": range(10)})
    >>> train, test = split(frame, {"train": None, "test": 0.2}, Rule(method="random"))
    >>> len(train), test["id"].tolist()
    (8, [1, 8])
    """
    found = assign(frame, parts, rule)
    for name, size in found.sizes.items():
        if not size:
            raise SettingError(
                f"segregation: of {len(frame)} rows none came to {name}, which has a share of "
                f"{found.shares[name]:g}; set {name}_size, or another method"
            )
    return tuple(frame[found.rows(name)].reset_index(drop=True) for name in found.names)


@dataclass(frozen=True, kw_only=True, eq=False)
class Segregation:
    """The parts as streams, which can be read once; the assignment of rows; and the report on it."""

    parts: Mapping[str, RowStream]
    assignment: Assignment
    report: SegregationReport


def segregate(table: Any, parts: Mapping[str, float | None], rule: Rule) -> Segregation:
    """Assign the rows of a table, report on the assignment, and stream each part.

    Takes and raises what `assign` does, and SettingError for a column that the rule names for the report alone.

    >>> import pyarrow as pa
    >>> found = segregate(pa.table({"id": range(1000)}), {"train": None, "test": 0.2}, Rule(method="random"))
    >>> found.report.verdict().passed, found.parts["test"].read_all().num_rows
    (True, 200)
    """
    table = in_one_order(table)
    assignment = assign(table, parts, rule)
    return Segregation(
        parts=streams(table, assignment), assignment=assignment, report=report_on(table, assignment)
    )


def streams(table: Any, assignment: Assignment) -> dict[str, RowStream]:
    """The rows of each part as a stream, which can be read once and needs little memory.

    All streams share one pass. `table` is the table whose rows were assigned, in the same order.

    >>> import pyarrow as pa
    >>> table = pa.table({"id": range(10)})
    >>> found = assign(table, {"train": None, "test": 0.2}, Rule(method="random"))
    >>> streams(table, found)["test"].read_all()["id"].to_pylist()
    [1, 8]
    """
    import pyarrow as pa

    schema, _ = rows_of(table)
    wanted = {name: assignment.rows(name) for name in assignment.names}

    def once() -> Iterator[dict[str, pa.RecordBatch]]:
        for place, batch in batches_with_places(rows_of(table)[1]):
            yield {name: batch.filter(pa.array(rows[place])) for name, rows in wanted.items()}

    return fork(dict.fromkeys(wanted, schema), once, normal=True)
