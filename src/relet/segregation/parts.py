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
from relet.segregation.assignment import Assignment, assign, folds
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


def split_fold(frame: pd.DataFrame, fold: int, count: int, rule: Rule) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What a search learns from, and what it measures on, in one of `count` folds of a pandas frame.

    `fold` is a number from 1 to `count`. Each fold but one is learned from; by time, those that are older than the
    measured one, so that there is one fold more, the oldest, which is never measured. `rule` is the one that told
    the test apart: the folds are drawn anew by its method. Both parts keep the frame's order and have an index
    from 0. Raises SettingError as `assign` does, for a number that no fold has, and for a part without a row.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"id": range(10)})
    >>> [len(split_fold(frame, fold, 3, Rule(method="random"))[1]) for fold in (1, 2, 3)]
    [3, 3, 4]
    """
    if not 1 <= fold <= count:
        raise SettingError(f"segregation: there are folds 1 to {count}, got {fold}; set fold")
    # rows that a hash kept out of the test would fall together again without a salt
    rule = rule.salted("folds")
    by_time = rule.method == "by_time"
    made = folds(frame, count + 1 if by_time else count, rule)
    measured = fold if by_time else fold - 1
    learned = made.of_row < measured if by_time else made.of_row != measured
    parts = frame[learned], frame[made.of_row == measured]
    if not all(map(len, parts)):
        raise SettingError(
            f"segregation: fold {fold} of {count} leaves {len(parts[0])} of {len(frame)} rows to learn from and "
            f"{len(parts[1])} to measure on; set folds, or another method"
        )
    return parts[0].reset_index(drop=True), parts[1].reset_index(drop=True)


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
