"""Keep the listings that a guest could book, and say why each other row left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import ibis
from ibis.expr.types import BooleanValue, StringValue

from pipelines.nyc_rentals.bounds import Bounds, Prices
from relet import Table, component
from relet.core.wording import count
from relet.data.quarantine import split_by_reason
from relet.errors import BadDataError

GROUP = "neighbourhood_group"
# What the price model can't do without, where the batch has such a column at all.
NEEDED = (GROUP, "neighbourhood", "room_type", "latitude", "longitude", "minimum_nights")
# A listing beyond the price bounds is as it should be: it is not what the model is for.
DEAR_OR_CHEAP = "price "
OUTSIDE = "outside the city"
# How many rows an error names, and how many groups a remark.
NAMED = 3

# A group of listings (None: those without one) → the reason that rows of it left for (None: none) → how many rows.
RowsByGroup = Mapping[str | None, Mapping[str | None, int]]


class Cleaned(NamedTuple):
    clean_sample: Table
    quarantine: Table


@component(job_type="basic_cleaning")
def basic_cleaning(
    sample: Table,
    *,
    prices: Prices = Prices(),
    bounds: Bounds = Bounds(),
    columns: dict[str, Any] = {},  # noqa: B006
    on_bad_rows: Literal["quarantine", "fail"] = "quarantine",
) -> Cleaned:
    """Keep the listings that a guest could book, and say why each other row left.

    Prices in dollars a night, bounds in degrees; a row on a bound stays. It learns nothing from the data: what
    `columns` (as get_data reads it) says that the batch has none of is asked of no row, and neighbourhood_group
    only where `bounds` names groups. With `on_bad_rows` "fail", rows that can't be right (something is missing, a
    place outside the city) are an error, BadDataError; a price beyond the bounds is none. It is one, too, where no
    row stays; where none of a group stays, that is printed.
    """
    needed = [name for name in NEEDED if columns.get(name, name) is not None and (bounds.groups or name != GROUP)]
    reasons = {
        "no price": sample.price.isnull(),
        f"price below {prices.min_price:g}": sample.price < prices.min_price,
        f"price above {prices.max_price:g}": sample.price > prices.max_price,
        **{f"no {name}": sample[name].isnull() for name in needed},
        OUTSIDE: ~_is_inside(sample, bounds),
    }
    reason = first_reason(reasons)
    if on_bad_rows == "fail":
        judged = sample.mutate(reason=reason)
        refuse_bad_rows(judged.filter(~judged.reason.startswith(DEAR_OR_CHEAP)))
    found = _rows_by_group(sample, reason)
    _refuse_to_keep_nothing(sample, found, bounds)
    if lost := _groups_without_rows(found):
        print(f"basic_cleaning keeps no row of {'; '.join(lost)}")
    return Cleaned(*split_by_reason(sample, reason))


def _is_inside(sample: Table, bounds: Bounds) -> BooleanValue:
    east_west = sample.longitude.between(bounds.west, bounds.east)
    return east_west & sample.latitude.between(bounds.south, bounds.north)


def refuse_bad_rows(bad: Table) -> None:
    """Raise BadDataError where there are rows that can't be right: how many for each reason, and which."""
    found = bad.order_by("id").select("id", "reason").to_pyarrow().to_pylist()
    reasons: dict[str, list[int]] = {}
    for row in found:
        reasons.setdefault(row["reason"], []).append(row["id"])
    if not reasons:
        return
    told = [
        f"{len(ids)} × {reason} (id {', '.join(map(str, ids[:NAMED]))}{', …' if len(ids) > NAMED else ''})"
        for reason, ids in reasons.items()
    ]
    noun = "row" if len(found) == 1 else "rows"
    raise BadDataError(
        f"{len(found)} {noun} can't be right: {'; '.join(told)}; correct the file, or set "
        "etl.on_bad_rows=quarantine to keep them apart"
    )


def _rows_by_group(sample: Table, reason: StringValue) -> RowsByGroup:
    judged = sample.select(group=sample[GROUP], reason=reason)
    found: dict[str | None, dict[str | None, int]] = {}
    for row in judged.group_by(["group", "reason"]).agg(rows=judged.count()).to_pyarrow().to_pylist():
        found.setdefault(row["group"], {})[row["reason"]] = row["rows"]
    return found


def _refuse_to_keep_nothing(sample: Table, found: RowsByGroup, bounds: Bounds) -> None:
    """Raise BadDataError where no row stays: how many left for each reason, and what to set."""
    if any(None in reasons for reasons in found.values()):
        return
    left: dict[str, int] = {}
    for reasons in found.values():
        for reason, rows in reasons.items():
            left[str(reason)] = left.get(str(reason), 0) + rows
    if not left:
        raise BadDataError("the sample has no rows: set etl.source to a file that has some")
    raise BadDataError(
        f"0 of {count(sum(left.values()), 'row')} kept: {_counts_text(left)}. "
        + _setting_for(_main_reason(sample, left, bounds), sample, bounds)
    )


def _main_reason(sample: Table, left: Mapping[str, int], bounds: Bounds) -> str:
    """The reason that has to be seen to first: most rows left for it, or would have left for lying outside."""
    outside = sample.filter(~_is_inside(sample, bounds)).count().to_pyarrow().as_py()
    return OUTSIDE if outside > sum(left.values()) / 2 else max(left, key=lambda reason: left[reason])


def _counts_text(left: Mapping[Any, int]) -> str:
    ordered = sorted(left.items(), key=lambda each: (-each[1], str(each[0])))
    return ", ".join(f"{rows:,} × {reason}" for reason, rows in ordered)


def _setting_for(reason: str, sample: Table, bounds: Bounds) -> str:
    """What to set where rows that are right left for a reason."""
    if reason == OUTSIDE:
        places = " and ".join(
            f"{name} {least:g} to {most:g}"
            for name in ("longitude", "latitude")
            for least, most in [_span(sample, name)]
        )
        if bounds.whole_earth:
            return (
                f"The rows lie at {places}, which is no place: say which columns have it, etl.columns.longitude=…"
            )
        return (
            f"The rows lie at {places}; the bounds are longitude {bounds.west:g} to {bounds.east:g} and latitude "
            f"{bounds.south:g} to {bounds.north:g}: name the city (city=elsewhere takes any place), or set "
            "etl.bounds"
        )
    if reason.startswith(DEAR_OR_CHEAP):
        least, most = _span(sample, "price")
        return f"The prices are {least:g} to {most:g}: set etl.min_price and etl.max_price"
    name = reason.removeprefix("no ")
    if name == "price":
        return "Nothing can be learned without a price: say which column has it, etl.columns.price=…"
    if name == GROUP:
        return f"Where the city has no such groups: etl.groups=[] or city=elsewhere; else etl.columns.{GROUP}=…"
    return f"Say which column has it, etl.columns.{name}=…, or that the file has none, etl.columns.{name}=null"


def _span(sample: Table, name: str) -> tuple[float, float]:
    (row,) = sample.agg(least=sample[name].min(), most=sample[name].max()).to_pyarrow().to_pylist()
    return row["least"], row["most"]


def _groups_without_rows(found: RowsByGroup) -> list[str]:
    """The groups of which rows came and none stays, each with the reasons; the largest first, and no more than
    three of them.
    """
    lost = {group: left for group, left in found.items() if group is not None and None not in left}
    largest = sorted(lost, key=lambda group: (-sum(lost[group].values()), group))
    told = [f"{group}: {_counts_text(lost[group])}" for group in largest[:NAMED]]
    return [*told, f"and {count(len(lost) - NAMED, 'other')}"] if len(lost) > NAMED else told


def first_reason(reasons: dict[str, BooleanValue]) -> StringValue:
    """The name of the first condition that holds in a row; missing where none does."""
    return ibis.cases(*((holds, ibis.literal(name)) for name, holds in reasons.items()))
