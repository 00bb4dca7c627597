"""Keep the listings that a guest could book, and say why each other row left."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import ibis
from ibis.expr.types import BooleanValue, StringValue

from pipelines.nyc_rentals.bounds import Bounds, Prices
from relet import Table, component
from relet.data.quarantine import split_by_reason
from relet.errors import BadDataError

# What the price model can't do without, where the batch has such a column at all.
NEEDED = ("neighbourhood_group", "neighbourhood", "room_type", "latitude", "longitude", "minimum_nights")
# A listing beyond the price bounds is as it should be: it is not what the model is for.
DEAR_OR_CHEAP = "price "
# How many rows an error names.
NAMED = 3


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
    `columns` (as get_data reads it) says that the batch has none of is asked of no row. With `on_bad_rows` "fail",
    rows that can't be right (something is missing, a place outside the city) are an error, BadDataError; a price
    beyond the bounds is none.
    """
    needed = [name for name in NEEDED if columns.get(name, name) is not None]
    reasons = {
        "no price": sample.price.isnull(),
        f"price below {prices.min_price:g}": sample.price < prices.min_price,
        f"price above {prices.max_price:g}": sample.price > prices.max_price,
        **{f"no {name}": sample[name].isnull() for name in needed},
        "outside the city": ~_is_inside(sample, bounds),
    }
    reason = first_reason(reasons)
    if on_bad_rows == "fail":
        judged = sample.mutate(reason=reason)
        refuse_bad_rows(judged.filter(~judged.reason.startswith(DEAR_OR_CHEAP)))
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


def first_reason(reasons: dict[str, BooleanValue]) -> StringValue:
    """The name of the first condition that holds in a row; missing where none does."""
    return ibis.cases(*((holds, ibis.literal(name)) for name, holds in reasons.items()))
