"""Keep the listings that a guest could book, and say why each other row left."""

from __future__ import annotations

from typing import NamedTuple

import ibis
from ibis.expr.types import BooleanValue, StringValue

from relet import Table, component

# What the price model can't do without.
NEEDED = ("neighbourhood_group", "neighbourhood", "room_type", "latitude", "longitude", "minimum_nights")


class Cleaned(NamedTuple):
    clean_sample: Table
    quarantine: Table


@component(job_type="basic_cleaning")
def basic_cleaning(
    sample: Table,
    *,
    min_price: float = 10,
    max_price: float = 350,
    west: float = -74.25,
    east: float = -73.5,
    south: float = 40.5,
    north: float = 41.2,
) -> Cleaned:
    """Keep the listings that a guest could book, and say why each other row left.

    Prices in dollars a night, bounds in degrees; a row on a bound stays. It learns nothing from the data.
    """
    reasons = {
        "no price": sample.price.isnull(),
        f"price below {min_price:g}": sample.price < min_price,
        f"price above {max_price:g}": sample.price > max_price,
        **{f"no {name}": sample[name].isnull() for name in NEEDED},
        "outside the city": ~_inside(sample, west=west, east=east, south=south, north=north),
    }
    judged = sample.mutate(reason=first_reason(reasons))
    return Cleaned(judged.filter(judged.reason.isnull()).drop("reason"), judged.filter(judged.reason.notnull()))


def _inside(sample: Table, *, west: float, east: float, south: float, north: float) -> BooleanValue:
    return sample.longitude.between(west, east) & sample.latitude.between(south, north)


def first_reason(reasons: dict[str, BooleanValue]) -> StringValue:
    """The name of the first condition that holds in a row; missing where none does."""
    return ibis.cases(*((holds, ibis.literal(name)) for name, holds in reasons.items()))
