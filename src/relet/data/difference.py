"""Compare two tables: their columns, their rows, and the distribution of each column."""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from relet.data.profile import ColumnProfile, column_profile, column_tally, histogram_edges
from relet.data.tally import ColumnKind, OpenTable, Tally, TextTally, kind_of, open_tables, quoted_name

if TYPE_CHECKING:
    pass

# Changed columns are counted on at most so many changed rows, the first ones by key.
CHANGED_AT_MOST = 200_000
# How many changed values of each column are shown.
EXAMPLES = 3
# A column with so many values and none of them twice is taken for a key, not for a measure. A few hundred prices
# may well all differ; a thousand that all differ are hardly prices.
NUMBERS_OF_KEYS, TEXTS_OF_KEYS = 1000, 20


@dataclass(frozen=True, kw_only=True)
class SchemaDifference:
    """Columns with their Arrow types; `retyped` maps a column to its type before and after.

    `reordered` says that the columns in both tables do not come in the same order.
    """

    added: Mapping[str, str] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    retyped: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    reordered: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped or self.reordered)


@dataclass(frozen=True, kw_only=True)
class ColumnChange:
    """How many rows of both tables hold another value in this column, and a few examples.

    An example is the row's key, its value before and its value after, as text. `most` is the largest difference of
    two numbers; it tells a rounding from a change.
    """

    rows: int
    most: float | None = None
    examples: tuple[tuple[str, str | None, str | None], ...] = ()


@dataclass(frozen=True, kw_only=True)
class RowDifference:
    """How many rows are in one table only, in both and changed, and in both and equal.

    Rows are matched by the column `key`, whose values are unique in both tables; where there is none it is None,
    rows are the same only if they are equal, and `changed` is 0. `columns` has the columns that changed, most
    changes first, counted on the first `examined` changed rows. Columns that only one table has, or that have
    another type, are left out.
    """

    before: int
    after: int
    only_before: int
    only_after: int
    changed: int
    equal: int
    key: str | None = None
    examined: int = 0
    columns: Mapping[str, ColumnChange] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Shift:
    """How much the distribution of a column differs between two tables.

    `size` is between 0 and 1: for numbers, dates and times the largest distance of the two cumulative shares (the
    Kolmogorov–Smirnov statistic), for categories the share of rows that would have to change (the total variation
    distance), for other text the former on its length; or the difference of what is missing, where that is more.
    It is None where there is no such comparison: all values differ, as those of a key do, or one table has no
    values. For categories `shares` maps each to its share before and after, the largest change first; `new` and
    `gone` count the rows of categories that only one table has.
    """

    before: ColumnProfile
    after: ColumnProfile
    size: float | None = None
    shares: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    new: Mapping[str, int] = field(default_factory=dict)
    gone: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.before.name


@dataclass(frozen=True, kw_only=True)
class TableDifference:
    """The comparison of two tables. `shifts` has each column of both, the largest shift first."""

    schema: SchemaDifference
    before: int
    after: int
    rows: RowDifference | None = None
    shifts: tuple[Shift, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def difference(before: Any, after: Any, *, rows: bool = True, without: Iterable[str] = ()) -> TableDifference:
    """Compare two tables, each the path of a Parquet file or whatever can be stored as a table.

    With `rows=False` rows are not matched; for large tables that saves most of the time. The columns named in
    `without` are left out of `shifts`. The result is the same for the same rows on any machine. Raises
    BadDataError for what is no table.

    >>> import pyarrow as pa
    >>> before, after = pa.table({"id": [1, 2], "price": [90, 99]}), pa.table({"id": [2, 3], "price": [98, 99]})
    >>> found = difference(before, after)
    >>> found.rows.only_before, found.rows.only_after, found.rows.changed, found.rows.key
    (1, 1, 1, 'id')
    """
    with open_tables(before, after) as (old, new):
        schema = schema_difference(old.columns, new.columns)
        shared = [name for name in old.columns if name in new.columns and name not in schema.retyped]
        left_out = set(without)
        shifts = [shift(old, new, name) for name in shared if name not in left_out]
        return TableDifference(
            schema=schema,
            before=old.count,
            after=new.count,
            rows=_row_difference(old, new, shared, shifts) if rows else None,
            shifts=tuple(sorted(shifts, key=lambda each: -1.0 if each.size is None else each.size, reverse=True)),
        )


def schema_difference(before: Mapping[str, str], after: Mapping[str, str]) -> SchemaDifference:
    """Compare two schemas: column → type, in order.

    >>> schema_difference({"id": "int64", "price": "int64"}, {"id": "int64", "price": "double"}).retyped
    {'price': ('int64', 'double')}
    """
    return SchemaDifference(
        added={name: type for name, type in after.items() if name not in before},
        removed={name: type for name, type in before.items() if name not in after},
        retyped={
            name: (type, after[name]) for name, type in before.items() if name in after and after[name] != type
        },
        reordered=[name for name in before if name in after] != [name for name in after if name in before],
    )


def shift(old: OpenTable, new: OpenTable, name: str) -> Shift:
    """The shift of a column that has the same type in both tables. Both histograms have the same edges."""
    before, after = column_tally(old, name), column_tally(new, name)
    if isinstance(before, TextTally) and isinstance(after, TextTally):
        return _text_shift(old, new, name, before, after)
    assert isinstance(before, Tally) and isinstance(after, Tally)
    edges = histogram_edges([before, after])
    columns = column_profile(old, name, before, edges), column_profile(new, name, after, edges)
    size = None if _is_key(*columns) else _shift_size(columns, largest_gap(before, after))
    return Shift(before=columns[0], after=columns[1], size=size)


def _text_shift(old: OpenTable, new: OpenTable, name: str, before: TextTally, after: TextTally) -> Shift:
    columns = column_profile(old, name, before), column_profile(new, name, after)
    if before.categories is None or after.categories is None or _is_key(*columns):
        gap = None if _is_key(*columns) else _shift_size(columns, largest_gap(before.lengths, after.lengths))
        return Shift(before=columns[0], after=columns[1], size=gap)
    totals = [sum(each.values()) for each in (before.categories, after.categories)]
    shares = {
        value: tuple(
            each.get(value, 0) / total if total else 0.0
            for each, total in zip((before.categories, after.categories), totals, strict=True)
        )
        for value in sorted(before.categories.keys() | after.categories.keys())
    }
    moved = sorted(shares.items(), key=lambda each: -abs(each[1][1] - each[1][0]))
    distance = round(sum(abs(now - was) for was, now in shares.values()) / 2, 12) if all(totals) else None
    return Shift(
        before=columns[0],
        after=columns[1],
        size=_shift_size(columns, distance),
        shares={value: (was, now) for value, (was, now) in moved},
        new=_categories_only_here(after.categories, before.categories),
        gone=_categories_only_here(before.categories, after.categories),
    )


def _categories_only_here(here: Mapping[str, int], there: Mapping[str, int]) -> dict[str, int]:
    found = {value: count for value, count in here.items() if value not in there}
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def _is_key(before: ColumnProfile, after: ColumnProfile) -> bool:
    """Whether the column is a key: neither table holds one of its values twice.

    Only whole numbers and text can be keys; floats and times may all differ because they are finely measured.
    """
    least = NUMBERS_OF_KEYS if "int" in before.type else TEXTS_OF_KEYS if before.kind is ColumnKind.TEXT else None
    return least is not None and all(
        column.distinct >= least and column.top[0].count == 1 for column in (before, after)
    )


def _shift_size(columns: tuple[ColumnProfile, ColumnProfile], gap: float | None) -> float | None:
    missing = abs(columns[1].missing_share - columns[0].missing_share)
    return max(gap, missing) if gap is not None else (missing or None)


def largest_gap(before: Tally, after: Tally) -> float | None:
    """The largest distance between two cumulative shares, to 12 digits. None where a table has no values.

    Source: Kolmogorov–Smirnov's statistic for two samples, as in scipy.stats.ks_2samp.
    """
    import numpy as np

    if not (before.size and after.size):
        return None
    every = np.union1d(before.values, after.values)

    def until(found: Tally) -> Any:
        sums = np.concatenate([[0], np.cumsum(found.counts)])
        return sums[np.searchsorted(found.values, every, "right")] / found.size

    return round(float(np.abs(until(before) - until(after)).max()), 12)


def _row_difference(
    old: OpenTable, new: OpenTable, shared: list[str], shifts: list[Shift]
) -> RowDifference | None:
    if not shared:
        return None
    keys = [
        each.name for each in shifts if _tells_rows_apart(old, each.before) and _tells_rows_apart(new, each.after)
    ]
    if not keys:
        return _difference_by_whole_rows(old, new, shared)
    matched = {key: _matching_count(old, new, key) for key in keys}
    key = max(keys, key=lambda key: matched[key])
    rest = [name for name in shared if name != key]
    changed = _changed_count(old, new, key, rest) if rest else 0
    examined, columns = _changes_by_column(old, new, key, rest) if changed else (0, {})
    return RowDifference(
        before=old.count,
        after=new.count,
        only_before=old.count - matched[key],
        only_after=new.count - matched[key],
        changed=changed,
        equal=matched[key] - changed,
        key=key,
        examined=examined,
        columns=columns,
    )


def _tells_rows_apart(rows: OpenTable, column: ColumnProfile) -> bool:
    fine = kind_of(rows.schema.field(column.name).type) is ColumnKind.NUMBER and "int" not in column.type
    return not fine and not column.missing and column.distinct == rows.count


def _matching_count(old: OpenTable, new: OpenTable, key: str) -> int:
    name = quoted_name(key)
    both = f"{old.name} AS a JOIN {new.name} AS b ON a.{name} = b.{name}"
    return int(old.asked(f"SELECT count(*) FROM {both}")[0][0])


def _changed_keys_query(old: OpenTable, new: OpenTable, key: str, rest: list[str]) -> str:
    """A query for the keys of rows that differ: it compares a hash of the other columns."""
    name, others = quoted_name(key), ", ".join(map(quoted_name, rest))
    sides = [f"(SELECT {name} AS k, hash({others}) AS h FROM {rows.name})" for rows in (old, new)]
    return f"SELECT a.k FROM {sides[0]} AS a JOIN {sides[1]} AS b ON a.k = b.k WHERE a.h <> b.h"


def _changed_count(old: OpenTable, new: OpenTable, key: str, rest: list[str]) -> int:
    return int(old.asked(f"SELECT count(*) FROM ({_changed_keys_query(old, new, key, rest)})")[0][0])


def _changes_by_column(
    old: OpenTable, new: OpenTable, key: str, rest: list[str]
) -> tuple[int, dict[str, ColumnChange]]:
    name = quoted_name(key)
    old.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE changed AS "
        f"{_changed_keys_query(old, new, key, rest)} ORDER BY k LIMIT {CHANGED_AT_MOST}"
    )
    for rows in (old, new):
        old.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE changed_{rows.name} AS "
            f"SELECT * FROM {rows.name} WHERE {name} IN (SELECT k FROM changed)"
        )
    both = f"changed_{old.name} AS a JOIN changed_{new.name} AS b ON a.{name} = b.{name}"
    differs = [f"a.{quoted_name(column)} IS DISTINCT FROM b.{quoted_name(column)}" for column in rest]
    counts = old.asked(f"SELECT {', '.join(f'count(*) FILTER ({test})' for test in differs)} FROM {both}")[0]
    found = {}
    for column, test, count in sorted(zip(rest, differs, counts, strict=True), key=lambda each: -each[2]):
        if count:
            values = f"a.{quoted_name(column)}", f"b.{quoted_name(column)}"
            shown = ", ".join(f"left(CAST({each} AS VARCHAR), 200)" for each in (f"a.{name}", *values))
            query = f"SELECT {shown} FROM {both} WHERE {test} ORDER BY a.{name} LIMIT {EXAMPLES}"
            examples = tuple((key, was, now) for key, was, now in old.asked(query))
            most = None
            if kind_of(old.schema.field(column).type) is ColumnKind.NUMBER:
                gap = "abs(CAST({} AS DOUBLE) - CAST({} AS DOUBLE))".format(*values)
                most = old.asked(f"SELECT max({gap}) FILTER (isfinite({gap})) FROM {both}")[0][0]
            found[column] = ColumnChange(rows=int(count), examples=examples, most=most)
    return int(old.asked("SELECT count(*) FROM changed")[0][0]), found


def _difference_by_whole_rows(old: OpenTable, new: OpenTable, shared: list[str]) -> RowDifference:
    """The row difference without a key: equal rows are matched by a hash of all shared columns, as often as both
    have them.
    """
    every = ", ".join(map(quoted_name, shared))
    sides = [f"(SELECT hash({every}) AS h, count(*) AS n FROM {rows.name} GROUP BY ALL)" for rows in (old, new)]
    equal = old.asked(f"SELECT sum(least(a.n, b.n)) FROM {sides[0]} AS a JOIN {sides[1]} AS b ON a.h = b.h")[0][0]
    same = int(equal or 0)
    return RowDifference(
        before=old.count,
        after=new.count,
        only_before=old.count - same,
        only_after=new.count - same,
        changed=0,
        equal=same,
    )
