"""A column of a table, in words and as a drawing: alone, and beside the same column of another table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Any

from relet.data.difference import Shift
from relet.data.profile import MICROSECONDS_A_DAY, ColumnProfile
from relet.data.tally import ColumnKind
from relet.report.bars import bars
from relet.report.charts.categories import grouped_bars
from relet.report.charts.distribution import histogram, outside_note
from relet.report.markup import NOTHING, PageMarkup
from relet.report.wording import count, number, share, shorten

# How many values of a column of text are drawn, and how long a name in words may be.
VALUES, NAME = 10, 40
# A column of text is drawn only if its most frequent value has at least this share.
FREQUENT = 0.005
_FIRST = date(1970, 1, 1)
_YEAR, _YEARS = 365.25, (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


def value_words(value: Any) -> str:
    """A value of a profile as text.

    >>> value_words(1200), value_words("2019-07-08"), value_words(None)
    ('1,200', '2019-07-08', '–')
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return "–" if value is None else str(value)


def column_chart(column: ColumnProfile, unit: str = "") -> PageMarkup:
    """How a column's values are spread, as a drawing; empty where hardly two values are alike."""
    if column.histogram:
        shares = {column.name: column.histogram.shares}
        return _column_histogram(column, shares, title=column.name, note=_left_out_note([column]), unit=unit)
    if not column.top or column.top[0].count == 1 or column.top[0].share < FREQUENT:
        return NOTHING
    return bars({str(each.value): each.share for each in column.top}, title=column.name, most=VALUES)


def shift_chart(shift: Shift, before: str, after: str, unit: str = "") -> PageMarkup:
    """A column's values in two tables, drawn over or beside one another; empty where they cannot be compared."""
    old, new = shift.before.histogram, shift.after.histogram
    if shift.size is None:
        return NOTHING
    if old and new:
        note = _left_out_note([shift.before, shift.after])
        shares = {before: old.shares, after: new.shares}
        return _column_histogram(shift.before, shares, title=shift.name, note=note, unit=unit)
    if not shift.shares:
        return NOTHING
    largest = sorted(shift.shares.items(), key=lambda each: -max(each[1]))[:VALUES]
    return grouped_bars({name: {before: was, after: now} for name, (was, now) in largest}, title=shift.name)


def _column_histogram(
    column: ColumnProfile, shares: Mapping[str, Sequence[float]], *, title: str, note: str, unit: str
) -> PageMarkup:
    assert column.histogram
    edges = column.histogram.edges
    if column.kind is ColumnKind.NUMBER:
        return histogram(shares, edges, title=title, unit=unit, note=note)
    per_day = MICROSECONDS_A_DAY if column.kind is ColumnKind.TIME else 1
    marks = date_marks(edges[0] / per_day, edges[-1] / per_day)
    return histogram(
        shares,
        edges,
        title=title,
        note=note,
        label=_day_label(per_day),
        marks={at * per_day: words for at, words in marks.items()},
    )


def _day_label(per_day: int) -> Callable[[float], str]:
    def label(at: float) -> str:
        try:
            return str(_FIRST + timedelta(days=at / per_day))
        except OverflowError:
            return number(at / per_day)

    return label


def date_marks(low: float, high: float) -> dict[float, str]:
    """Labels of an axis of days since 1970, about six of them: years, months or days.

    >>> list(date_marks(16801, 18262).values())
    ['2016', '2017', '2018', '2019', '2020']
    """
    try:
        first, last = _FIRST + timedelta(days=low), _FIRST + timedelta(days=high)
        if high - low > 2.2 * _YEAR:
            step = next(step for step in _YEARS if step * 7 > (high - low) / _YEAR)
            years = (year for year in range(first.year, last.year + 1) if year % step == 0)
            named = {date(year, 1, 1): str(year) for year in years}
        elif high - low > 70:
            months = [date(year, month, 1) for year in range(first.year, last.year + 1) for month in range(1, 13)]
            held = [day for day in months if first <= day <= last]
            named = {day: f"{day:%Y-%m}" for day in held[:: -(-len(held) // 5)]}
        else:
            step = max(1, round((high - low) / 4))
            passed = range(0, int(high - low) + 1, step)
            named = {first + timedelta(days=days): str(first + timedelta(days=days)) for days in passed}
    except (OverflowError, ValueError):
        return {low: number(low), high: number(high)}
    places = {float((day - _FIRST).days): words for day, words in named.items()}
    return {at: words for at, words in places.items() if low <= at <= high}


def _left_out_note(columns: Sequence[ColumnProfile]) -> str:
    """A note on the values outside of the histograms of all columns."""
    held = [column for column in columns if column.histogram]
    below = sum(column.histogram.below for column in held if column.histogram)
    above = sum(column.histogram.above for column in held if column.histogram)
    low = min((column.low for column in held if column.low is not None), default=0)
    high = max((column.high for column in held if column.high is not None), default=0)
    return outside_note(below, above, value_words(low), value_words(high))


def shift_words(shift: Shift, *, most: int | None = None) -> str:
    """What moved between the two tables, in words; at most the first `most` parts.

    >>> import pyarrow as pa
    >>> from relet.data.difference import difference
    >>> found = difference(pa.table({"price": [90, 106, 190]}), pa.table({"price": [90, 112, 190]}))
    >>> shift_words(found.shifts[0])
    'median 106 → 112'
    """
    return "; ".join(islice(_shift_parts(shift), most)) or "the same distribution"


def _shift_parts(shift: Shift) -> Iterator[str]:
    before, after = shift.before, shift.after
    if shift.size is None and before.distinct and after.distinct:
        yield f"no two rows alike, {before.distinct:,} → {after.distinct:,} values"
    elif shift.shares:
        yield from _category_words(shift)
    elif before.kind is ColumnKind.TEXT:
        yield from _change_in_words("median length", before.middle, after.middle)
        yield from _change_in_words("different values", before.distinct, after.distinct)
        yield "compared by its length alone"
    else:
        yield from _number_words(shift)
    yield from _change_in_words("missing", share(before.missing_share), share(after.missing_share))
    yield from _change_in_words("infinite", before.infinite, after.infinite)


def _number_words(shift: Shift) -> Iterator[str]:
    before, after = shift.before, shift.after
    medians = value_words(before.quantiles.get("50%")), value_words(after.quantiles.get("50%"))
    if medians[0] != medians[1]:
        yield f"median {medians[0]} → {medians[1]}"
    elif shift.size:
        yield f"median {medians[0]} as before"
        moved = [
            (percent, value_words(was), value_words(after.quantiles.get(percent)))
            for percent, was in before.quantiles.items()
            if percent not in ("0%", "50%", "100%")
        ]
        # of the quantiles that moved, the one nearest to the median says most
        moved = sorted(
            (each for each in moved if each[1] != each[2]), key=lambda each: abs(int(each[0][:-1]) - 50)
        )
        yield from (f"{percent} of rows up to {was} → {now}" for percent, was, now in moved[:1])
    yield from _change_in_words("range", _range_words(before), _range_words(after))


def _range_words(column: ColumnProfile) -> str:
    return f"{value_words(column.low)} to {value_words(column.high)}"


def _category_words(shift: Shift) -> Iterator[str]:
    name, (was, now) = next(iter(shift.shares.items()))
    if was != now:
        yield f"{shorten(name, NAME)} {share(was)} → {share(now)}"
    for what, found in (("new", shift.new), ("gone", shift.gone)):
        if found:
            names = ", ".join(shorten(each, NAME) for each in list(found)[:3])
            more = f" and {len(found) - 3} more" if len(found) > 3 else ""
            yield f"{what}: {names}{more} ({count(sum(found.values()), 'row')})"


def _change_in_words(what: str, before: Any, after: Any) -> Iterator[str]:
    if before != after:
        yield f"{what} {value_words(before)} → {value_words(after)}"
