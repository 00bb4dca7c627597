"""Profile a table: types, missing values, distributions and correlations."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from relet.data.tally import (
    TOP,
    ColumnKind,
    OpenTable,
    Tally,
    TextTally,
    finite_tally,
    kind_of,
    open_tables,
    text_tally,
)
from relet.errors import BadDataError, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The quantiles of a profile, in per cent.
PERCENTS = (0, 1, 5, 25, 50, 75, 95, 99, 100)
# About how many bins a histogram has, and how far it may reach beyond the 5% and 95% quantiles, as a multiple of
# the distance between them.
BINS, REACH = 40, 1.0
# Correlations are computed on at most so many rows, evenly spaced, and for the first so many columns.
CORRELATED_ROWS, CORRELATED_COLUMNS = 100_000, 40
MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts between ascending edges, and the counts below and above.

    A bin includes its lower edge; the last includes both.

    The edges of dates are days since 1970, those of times microseconds since 1970.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    below: int = 0
    above: int = 0

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each bin in all values, including values outside the bins."""
        total = sum(self.counts) + self.below + self.above
        return tuple(count / total if total else 0.0 for count in self.counts)


@dataclass(frozen=True, kw_only=True)
class FrequentValue:
    """A value, how many rows have it, and their share of the rows that hold any value.

    Text is cut after 200 letters; dates and times are in ISO 8601.
    """

    value: Any
    count: int
    share: float


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """A column. `missing` and `infinite` count rows, `distinct` counts values that are neither; all are exact.

    Numbers, dates and times have `low`, `high` and `quantiles` ("50%" → the smallest value that at least half of
    the rows do not exceed) and a histogram; numbers have `mean` and the sample's standard `deviation`. Text has
    the least and most of its lengths and their median. What does not apply is None.
    """

    name: str
    type: str
    kind: ColumnKind
    missing: int
    missing_share: float
    distinct: int
    top: tuple[FrequentValue, ...]
    infinite: int = 0
    low: Any = None
    high: Any = None
    mean: float | None = None
    deviation: float | None = None
    quantiles: Mapping[str, Any] = field(default_factory=dict)
    histogram: Histogram | None = None
    shortest: int | None = None
    middle: int | None = None
    longest: int | None = None


@dataclass(frozen=True, kw_only=True)
class Correlations:
    """The correlation of each pair of number columns, −1 to 1; None where one of the two does not vary.

    They are computed on `rows` rows, evenly spaced; each pair on those rows that hold both.
    """

    names: tuple[str, ...]
    rows: int
    pearson: tuple[tuple[float | None, ...], ...]
    spearman: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A table in numbers; `correlations` is None where fewer than two columns hold numbers."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    correlations: Correlations | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def profile(table: Any) -> Profile:
    """The profile of a table: the path of a Parquet file, or whatever can be stored as a table.

    The profile is the same for the same rows on any machine. Memory grows with the table only for a column whose
    values mostly differ. Raises BadDataError for what is no table.

    >>> import pyarrow as pa
    >>> found = profile(pa.table({"price": [90, 110, 110, None]}))
    >>> found.columns[0].quantiles["50%"], found.columns[0].missing_share
    (110, 0.25)
    """
    with open_tables(table) as (rows,):
        columns = tuple(column_profile(rows, name, column_tally(rows, name)) for name in rows.columns)
        numbers = [column.name for column in columns if column.kind is ColumnKind.NUMBER]
        return Profile(rows=rows.count, columns=columns, correlations=correlations(rows, numbers))


def column_tally(rows: OpenTable, name: str) -> Tally | TextTally:
    """The tally that the column's type asks for. Raises BadDataError where there is no such column."""
    if name not in rows.columns:
        raise BadDataError(f"the table has no column {name!r}; {nearest(name, rows.columns)}")
    return (text_tally if kind_of(rows.schema.field(name).type) is ColumnKind.TEXT else finite_tally)(rows, name)


def column_profile(
    rows: OpenTable, name: str, found: Tally | TextTally, edges: Sequence[float] | None = None
) -> ColumnProfile:
    """The profile of a column from its tally.

    The histogram has `edges`; without them, edges that suit the column.
    """
    type = rows.schema.field(name).type
    kind = kind_of(type)
    share = found.missing / rows.count if rows.count else 0.0
    column = ColumnProfile(
        name=name,
        type=str(type),
        kind=kind,
        missing=found.missing,
        missing_share=share,
        distinct=0,
        top=(),
    )
    if isinstance(found, TextTally):
        ends = quantiles(found.lengths, (0, 50, 100))
        return replace(
            column,
            distinct=found.distinct,
            top=tuple(_frequent_value(value, count, rows.count - found.missing) for value, count in found.top),
            shortest=_int_or_none(ends[0]),
            middle=_int_or_none(ends[1]),
            longest=_int_or_none(ends[2]),
        )
    places = quantiles(found, PERCENTS)
    mean, deviation = moments(found) if kind is ColumnKind.NUMBER else (None, None)
    bounds = edges or histogram_edges([found])
    return replace(
        column,
        distinct=len(found.values),
        top=_most_frequent_values(found, kind),
        infinite=found.infinite,
        low=value_for_json(places[0], kind),
        high=value_for_json(places[-1], kind),
        mean=mean,
        deviation=deviation,
        quantiles={
            f"{percent}%": value_for_json(value, kind) for percent, value in zip(PERCENTS, places, strict=True)
        },
        histogram=tally_histogram(found, bounds) if bounds else None,
    )


def value_for_json(value: Any, kind: ColumnKind) -> Any:
    """A counted value as JSON can hold it: a number, or a date or time as ISO 8601."""
    import numpy as np

    if value is None:
        return None
    if kind is ColumnKind.NUMBER:
        return value.item()
    return str(np.datetime64(int(value), "D" if kind is ColumnKind.DATE else "us")).removesuffix(".000000")


def _int_or_none(value: Any) -> int | None:
    return None if value is None else int(value)


def _most_frequent_values(found: Tally, kind: ColumnKind) -> tuple[FrequentValue, ...]:
    import numpy as np

    # a stable sort: of equally frequent values the smaller comes first
    places = np.argsort(-found.counts, kind="stable")[:TOP]
    return tuple(
        _frequent_value(value_for_json(found.values[at], kind), int(found.counts[at]), found.size) for at in places
    )


def _frequent_value(value: Any, count: int, present: int) -> FrequentValue:
    return FrequentValue(value=value, count=count, share=count / present)


def quantiles(found: Tally, percents: Iterable[int]) -> list[Any]:
    """For each percentage the smallest value that this share of rows does not exceed. None without rows."""
    import numpy as np

    total = found.size
    if not total:
        return [None for _ in percents]
    until = np.cumsum(found.counts)
    # in whole numbers, since 0.07 * 100 is more than 7
    wanted = [max(1, -(-percent * total // 100)) for percent in percents]
    return [found.values[np.searchsorted(until, row)] for row in wanted]


def moments(found: Tally) -> tuple[float | None, float | None]:
    """Mean and standard deviation of the sample (n − 1), to 12 digits; further digits depend on the processor.

    None without rows; the deviation of a single row is None too.
    """
    import numpy as np

    total = found.size
    if not total:
        return None, None
    values = found.values.astype(np.float64)
    # scaled first: the squares of huge numbers would be infinite
    scale = float(np.abs(values).max()) or 1.0
    parts = values / scale
    mean = float(np.dot(parts, found.counts)) / total
    deviation = math.sqrt(float(np.dot((parts - mean) ** 2, found.counts)) / (total - 1)) if total > 1 else None
    return _to_twelve_digits(mean * scale), None if deviation is None else _to_twelve_digits(deviation * scale)


def _to_twelve_digits(value: float) -> float | None:
    return float(f"{value:.12g}") if math.isfinite(value) else None


def histogram_edges(found: Sequence[Tally]) -> tuple[float, ...]:
    """Edges for a histogram of one or more tallies: steps of a round width, about `BINS` of them.

    They span all values, unless a few values lie far out: then they span the middle 90% and as much again on each
    side. Whole numbers get bins of whole width. Empty where there is nothing to draw.
    """
    held = [each for each in found if each.size]
    if not held:
        return ()
    places = [[float(value) for value in quantiles(each, (0, 1, 5, 95, 99, 100))] for each in held]
    least, most = min(each[0] for each in places), max(each[5] for each in places)
    low, high = min(each[2] for each in places), max(each[3] for each in places)
    if low == high:
        low, high = min(each[1] for each in places), max(each[4] for each in places)
    if low == high:
        low, high = least, most
    reach = REACH * (high - low)
    low, high = max(least, low - reach), min(most, high + reach)
    return _round_edges(low, high, whole=all(each.values.dtype.kind in "iu" for each in held))


def _round_edges(low: float, high: float, *, whole: bool) -> tuple[float, ...]:
    if low == high:
        low, high = low - abs(low) * 0.01 - 0.5, high + abs(high) * 0.01 + 0.5
    rough = high / BINS - low / BINS
    if not (math.isfinite(rough) and rough > 0):
        return ()
    exponent = math.floor(math.log10(rough))
    power = 10.0**exponent
    step = next(part * power for part in (1, 2, 2.5, 5, 10) if part * power >= rough * 0.999)
    if whole:
        step = max(1.0, math.ceil(step))
    first = math.floor(low / step)
    # the last edge is the highest value or more
    last = max(math.ceil(high / step), first + 1)
    if whole and last * step == high:
        last += 1
    # 0.1 * 3 is not 0.3; a step has two digits at most
    edges = tuple(round(place * step, 1 - exponent) for place in range(first, last + 1))
    grows = all(left < right for left, right in pairwise(edges))
    return edges if grows and all(map(math.isfinite, edges)) else ()


def tally_histogram(found: Tally, edges: Sequence[float]) -> Histogram:
    """How many rows lie in each bin between `edges`, below the first and above the last."""
    import numpy as np

    until = np.concatenate([[0], np.cumsum(found.counts)])
    # a value on an edge belongs to the bin above, one on the last edge to the last bin
    places = [
        *np.searchsorted(found.values, edges[:-1], "left"),
        np.searchsorted(found.values, edges[-1], "right"),
    ]
    at = until[places]
    return Histogram(
        edges=tuple(map(float, edges)),
        counts=tuple(int(count) for count in np.diff(at)),
        below=int(at[0]),
        above=int(until[-1] - at[-1]),
    )


def correlations(rows: OpenTable, names: Sequence[str]) -> Correlations | None:
    """Pearson's and Spearman's correlations of columns of numbers, each pair on the rows that hold both."""
    import numpy as np
    import pandas as pd

    held = tuple(names[:CORRELATED_COLUMNS])
    if len(held) < 2:
        return None
    frame = pd.DataFrame(dict(zip(held, _sampled_columns(rows, list(held)), strict=True)))

    def pairs(method: Literal["pearson", "spearman"]) -> tuple[tuple[float | None, ...], ...]:
        with np.errstate(all="ignore"):
            found = frame.corr(method=method, min_periods=2).to_numpy()
        return tuple(tuple(_rounded_correlation(value) for value in row) for row in found.tolist())

    return Correlations(names=held, rows=len(frame), pearson=pairs("pearson"), spearman=pairs("spearman"))


def _rounded_correlation(value: float) -> float | None:
    # to six decimals, since further ones depend on the processor
    return round(min(max(value, -1.0), 1.0), 6) + 0.0 if math.isfinite(value) else None


def _sampled_columns(rows: OpenTable, names: list[str]) -> list[NDArray[np.float64]]:
    """At most `CORRELATED_ROWS` rows of some columns, evenly spread over the table, as floats."""
    import numpy as np
    import pyarrow as pa

    step = max(1.0, rows.count / CORRELATED_ROWS)
    wanted = np.unique(np.floor(np.arange(0, rows.count, step)).astype(np.int64))
    parts: list[list[NDArray[np.float64]]] = [[np.empty(0)] for _ in names]
    start = 0
    for batch in rows.batches(names):
        here = wanted[(wanted >= start) & (wanted < start + batch.num_rows)] - start
        for part, column in zip(parts, batch.select(names).columns, strict=True):
            part.append(column.take(pa.array(here)).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
        start += batch.num_rows
    return [np.concatenate(part) for part in parts]
