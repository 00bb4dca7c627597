"""Assign each row of a table to a part: one small number per row."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relet.errors import SettingError
from relet.segregation.columns import check_columns, codes_of, columns_of, count_of, in_one_order
from relet.segregation.drawing import parts_at_random, parts_by_group
from relet.segregation.hashing import parts_by_key
from relet.segregation.rule import Rule, shares_of
from relet.segregation.timeline import parts_by_time

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Bytes = np.ndarray[Any, np.dtype[np.int8]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Assignment:
    """The part of each row.

    `of_row` has, in the table's order, the number of each row's part; parts are numbered in the order of `shares`,
    which maps each part's name to its requested share.
    """

    rule: Rule
    shares: Mapping[str, float]
    of_row: Bytes

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.shares)

    @property
    def sizes(self) -> dict[str, int]:
        """How many rows each part has."""
        import numpy as np

        counts = np.bincount(self.of_row, minlength=len(self.names))
        return dict(zip(self.names, counts.tolist(), strict=True))

    def rows(self, name: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """True for each row that is in the part of that name."""
        wanted: np.ndarray[Any, np.dtype[np.bool_]] = self.of_row == self.names.index(name)
        return wanted


def assign(table: Any, parts: Mapping[str, float | None], rule: Rule) -> Assignment:
    """Assign each row of `table` to a part.

    `table` is the Path of a Parquet file, of which only the columns of the method are read, or a pandas frame, or
    a pyarrow, Polars or Ibis table (an Ibis table is read into memory). `parts` maps each part's name to its
    share; one share may be None, which means the rest. The test part comes last: `{"train": None, "validation":
    0.1, "test": 0.2}`. Raises SettingError for shares that don't add up, an unknown column, and a table that can't
    be divided so; BadDataError for a missing key. A part by hash may be empty; then the report's verdict fails.

    >>> import pyarrow as pa
    >>> found = assign(pa.table({"id": range(1000)}), {"train": None, "test": 0.2}, Rule(method="random"))
    >>> found.sizes
    {'train': 800, 'test': 200}
    """
    shares = shares_of(parts)
    table = in_one_order(table)
    check_columns(table, **{setting: getattr(rule, setting) for setting in _GOES_BY[rule.method]})
    return Assignment(rule=rule, shares=shares, of_row=_part_numbers(table, shares, rule))


# Each method → the fields of the rule that name the columns it reads.
_GOES_BY = {
    "keyed": ("key",),
    "random": ("stratify_by",),
    "stratified": ("stratify_by",),
    "by_group": ("group_by", "stratify_by"),
    "by_time": ("time_by",),
}


def _part_numbers(table: Any, shares: Mapping[str, float], rule: Rule) -> Bytes:
    match rule.method:
        case "keyed":
            name = rule.key or ""
            return parts_by_key(_read_column(table, name), shares, seed=rule.seed, salt=rule.salt, name=name)
        case "by_time":
            name = rule.time_by or ""
            return parts_by_time(_read_column(table, name), shares, name=name)
        case "by_group":
            name = rule.group_by or ""
            groups, _ = codes_of(_read_column(table, name))
            return parts_by_group(groups, shares, seed=rule.seed, strata=_stratum_codes(table, rule), name=name)
    strata = _stratum_codes(table, rule)
    rows = count_of(table) if strata is None else len(strata)
    return parts_at_random(rows, shares, seed=rule.seed, strata=strata, name=rule.stratify_by or "")


def _read_column(table: Any, name: str) -> pa.ChunkedArray:
    return columns_of(table, [name]).column(name)


def _stratum_codes(table: Any, rule: Rule) -> Any:
    return codes_of(_read_column(table, rule.stratify_by))[0] if rule.stratify_by else None


def folds(table: Any, count: int, rule: Rule) -> Assignment:
    """Assign rows to `count` folds of equal shares, `fold_1`, `fold_2` …; each in turn is for validation, the
    others for training.

    By time `fold_1` is the oldest. Raises SettingError as `assign` does, and for fewer than two folds.

    >>> import pyarrow as pa
    >>> found = folds(pa.table({"id": range(100)}), 5, Rule(method="random"))
    >>> [int((~found.rows(name)).sum()) for name in found.names]
    [80, 80, 80, 80, 80]
    """
    if count < 2:
        raise SettingError(f"segregation: there have to be at least 2 folds, got {count}; set folds")
    return assign(table, {f"fold_{number}": 1 / count for number in range(1, count + 1)}, rule)
