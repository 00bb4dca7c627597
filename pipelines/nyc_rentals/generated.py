"""A simulator of listings: the columns and the dirt of the public file, and a price function that is known.

The log of a price is `log_price` (room type, place, what the title says, and more) plus noise, so the error that
no model can beat is known: that of `best_reachable`.
"""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.nyc_rentals.listings import LISTINGS
from pipelines.nyc_rentals.neighbourhoods import neighbourhoods
from pipelines.nyc_rentals.titles import Draw, pick, title_effect, write_titles
from relet.errors import SettingError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Array = np.ndarray[Any, np.dtype[Any]]

ROOM_TYPES = ("Entire home/apt", "Private room", "Shared room")
NEWEST = np.datetime64("2019-07-08")

# By room type: the log of the price of a plain listing, and the scale of the logistic noise around it.
_BASE = np.array([4.86, 4.25, 3.95])
_NOISE = np.array([0.20, 0.19, 0.25])
_MIDTOWN = (40.754, -73.984)
_OUTSIDE = (40.73, -73.2)

_HOSTS = (
    "Alder", "Hazel", "Rowan", "Juniper", "Willow", "Linden", "Laurel", "Sage", "Clover", "Fern", "Heather",
    "Maple", "Aspen", "Cedar", "Ivy", "Basil", "River", "Brook", "Robin", "Wren", "Sparrow", "Lark", "Amber",
    "Jasper", "Opal", "Flint", "Coral", "Hazel & Rowan", "Wren And Lark", "Señor Olmo", "Brzoza", "Ağaç", "小森",
    "(Hotel Alder)", "Rowan ☀", "Linden Stays",
)  # fmt: skip


def simulate(rows: int, seed: int) -> pa.Table:
    """Listings as the public file has them, oldest first: 16 columns, dirt and all, the same for a seed anywhere.

    Raises SettingError where `rows` is below 1 or `seed` below 0.

    >>> simulate(3, seed=1).column_names[:4]
    ['id', 'name', 'host_id', 'host_name']
    """
    import pyarrow as pa

    if rows < 1:
        raise SettingError(f"get_data: rows must be at least 1, got {rows}; set etl.rows")
    if seed < 0:
        raise SettingError(f"get_data: seed must be at least 0, got {seed}; set etl.seed")

    def draw(purpose: str) -> Array:
        return _uniforms(seed, purpose, rows)

    columns = {**_host_columns(draw, rows), **_review_columns(draw, rows)}
    columns |= _place_columns(draw, columns["host"])
    columns |= _offer_columns(draw, columns)
    table = pa.table(
        {
            column.name: pa.array(np.zeros(rows), pa.int64())
            if column.name == "price"
            else _arrow_array(columns[column.name], column.type)
            for column in LISTINGS.columns
        }
    )
    price = _simulated_prices(draw, log_price(table), _noise_scale(columns["room"]))
    return table.set_column(LISTINGS.names.index("price"), "price", pa.array(price, pa.int64()))


def log_price(table: pa.Table) -> Array:
    """The log of each listing's median price: the price function without its noise."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def number(column: str) -> Array:
        return np.asarray(pc.fill_null(table.column(column).cast(pa.float64()), 0.0))

    known = neighbourhoods()
    place = pc.index_in(table.column("neighbourhood"), pa.array([each.name for each in known]))
    levels = np.array([*(each.level for each in known), 0.0])
    room = _room_codes(table)
    entire = (room == 0).astype(float)
    manhattan = np.asarray(pc.fill_null(pc.equal(table.column("neighbourhood_group"), "Manhattan"), False))
    midtown = _kilometres(number("latitude"), number("longitude"), _MIDTOWN)
    age = number("id") / 36_500_000
    hosted = np.log(np.maximum(number("calculated_host_listings_count"), 1))
    return np.asarray(
        _BASE[room]
        + 0.85 * levels[np.asarray(pc.fill_null(place, len(known)))]
        + 0.28 * np.exp(-midtown / 3.0)
        + title_effect(table.column("name"), entire=entire, manhattan=manhattan.astype(float))
        - 0.06 * np.log(np.clip(number("minimum_nights"), 1, 30))
        + 0.09 * entire * np.minimum(hosted, 4)
        + 0.0004 * number("availability_365")
        - 0.025 * np.log1p(number("number_of_reviews"))
        + 0.12 * (2 * age - 1) ** 2
    )


def best_reachable(
    listings: pa.Table | pd.DataFrame, *, between: tuple[float, float] | None = (10, 350)
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The median price of each simulated listing, in dollars: no model has a lower expected absolute error.

    `between` are the prices that cleaning keeps: they cut the noise off, which moves the median (that of a
    truncated logistic distribution); None is for listings as they come. Prices are whole dollars and one in 700
    is absurd, neither of which enters here.
    """
    import pyarrow as pa

    table = listings if isinstance(listings, pa.Table) else pa.Table.from_pandas(listings, preserve_index=False)
    median, scale = log_price(table), _noise_scale(_room_codes(table))
    if between is None:
        return np.asarray(np.exp(median))
    low, high = (1 / (1 + np.exp((median - np.log(bound)) / scale)) for bound in between)
    middle = (low + high) / 2
    return np.asarray(np.exp(median + scale * np.log(middle / (1 - middle))))


def _uniforms(seed: int, purpose: str, size: int) -> Array:
    """Numbers from (0, 1), one stream for each purpose.

    Made of raw bits: NumPy promises the bits of PCG64 for ever, and of its distributions nothing.
    """
    stream = np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(purpose.encode())]))
    return np.asarray(((stream.random_raw(size) >> np.uint64(12)) + 0.5) * 2.0**-52)


def _chosen_rows(draw: Array, share: float) -> Array:
    """Which rows are of a kind that `share` of all rows are; at least one where there are a hundred."""
    count = int(len(draw) * share) or int(len(draw) >= 100)
    return np.argsort(draw, kind="stable")[:count]


def _logistic(draw: Array) -> Array:
    return np.asarray(np.log(draw / (1 - draw)))


def _host_columns(draw: Draw, rows: int) -> dict[str, Array]:
    """Most hosts have one listing and a few have hundreds; listings and hosts are numbered as they came."""
    sizes = np.where(draw("one listing") < 0.9, 1, np.minimum(2 * draw("listings") ** (-1 / 1.9), 280)).astype(int)
    host = np.repeat(np.arange(rows), sizes)[:rows][np.argsort(draw("order"), kind="stable")]
    host = np.unique(host, return_inverse=True)[1]
    count = host.max() + 1
    gaps = 1 + np.floor(-np.log(draw("gap")) * 36_400_000 / rows)
    listing = 2500 + np.cumsum(gaps).astype(np.int64)
    first = np.full(count, listing[-1])
    np.minimum.at(first, host, listing)
    joined = (first * 7.4 * draw("joined")[:count]).astype(np.int64)
    # A remainder of its own for each host makes their numbers distinct.
    number = joined // count * count + np.arange(count)
    name = np.array([pick(_HOSTS, each) for each in draw("host name")[:count]], dtype=object)[host]
    name[_chosen_rows(draw("no host name"), 0.0005)] = None
    return {
        "id": listing,
        "host": host,
        "host_id": number[host],
        "host_name": name,
        "calculated_host_listings_count": np.bincount(host)[host],
    }


def _review_columns(draw: Draw, rows: int) -> dict[str, Array]:
    """A fifth of the listings has no review: then its date and the reviews per month are missing together."""
    days = np.floor(1 + (1 - np.arange(rows) / rows) * 3000)
    ago = np.minimum(np.floor(np.exp(3.9 + 1.1 * _logistic(draw("last review")))), days)
    reviews = np.minimum(np.ceil(np.exp(2.0 + 0.9 * _logistic(draw("reviews")))), np.ceil(days / 4))
    none = draw("reviewed") < 0.206
    last = (NEWEST - ago.astype("timedelta64[D]")).astype("datetime64[D]")
    last[none] = np.datetime64("NaT")
    monthly = np.round(np.maximum(reviews * 30.4 / np.maximum(days, 30), 0.01), 2)
    return {
        "number_of_reviews": np.where(none, 0, reviews).astype(np.int64),
        "last_review": last,
        "reviews_per_month": np.where(none, np.nan, monthly),
    }


def _place_columns(draw: Draw, host: Array) -> dict[str, Array]:
    """A host's listings lie in one neighbourhood, most of them; one point in 20,000 lies outside the city."""
    known = neighbourhoods()
    rows = len(host)
    weights = np.cumsum([each.listings for each in known])
    drawn = np.where(draw("moved") < 0.2, draw("elsewhere"), draw("home")[host])
    place = np.searchsorted(weights, drawn * weights[-1], side="right")
    spread = [draw(f"spread {each}") for each in range(4)]
    latitude = np.array([each.latitude for each in known])[place] + 0.011 * (spread[0] + spread[1] - 1)
    longitude = np.array([each.longitude for each in known])[place] + 0.014 * (spread[2] + spread[3] - 1)
    outside = _chosen_rows(draw("outside"), 1 / 20_000) if rows >= 100 else np.array([], dtype=int)
    latitude[outside], longitude[outside] = _OUTSIDE
    return {
        "place": place,
        "neighbourhood": np.array([each.name for each in known], dtype=object)[place],
        "neighbourhood_group": np.array([each.borough for each in known], dtype=object)[place],
        "latitude": np.round(latitude, 5),
        "longitude": np.round(longitude, 5),
    }


def _offer_columns(draw: Draw, columns: dict[str, Array]) -> dict[str, Array]:
    """What is on offer: the kind of room, its title, and for which nights."""
    central = columns["neighbourhood_group"] == "Manhattan"
    room = np.where(draw("room") < np.where(central, 0.61, 0.45), 0, np.where(draw("shared") < 0.05, 2, 1))
    bedrooms = np.searchsorted([0.22, 0.63, 0.87, 0.96, 0.99], draw("bedrooms"), side="right")
    names: Array = np.array(
        write_titles(
            draw, [ROOM_TYPES[each] for each in room], bedrooms.tolist(), columns["neighbourhood"].tolist()
        ),
        dtype=object,
    )
    for row in _chosen_rows(draw("newline"), 0.0035):
        names[row] = f'{names[row]}\nRead our reviews, "the best"'.replace(" in ", "\nin ", 1)
    names[_chosen_rows(draw("no title"), 0.0004)] = None
    nights = np.array([1, 2, 3, 4, 5, 7, 14, 30, 60, 180, 365, 999])
    often = [0.26, 0.50, 0.66, 0.73, 0.79, 0.84, 0.87, 0.985, 0.993, 0.998, 0.9995]
    free = np.floor(366 * draw("available") ** 1.3).astype(np.int64)
    return {
        "room": room,
        "room_type": np.array(ROOM_TYPES, dtype=object)[room],
        "name": names,
        "minimum_nights": nights[np.searchsorted(often, draw("nights"), side="right")],
        "availability_365": np.where(draw("closed") < 0.36, 0, free),
    }


def _simulated_prices(draw: Draw, median: Array, scale: Array) -> Array:
    """Whole dollars, often round ones; a few are absurd, and a few are zero."""
    price = np.exp(median + scale * _logistic(draw("noise")))
    fives = draw("round number") < 0.4
    price = np.where(fives, 5 * np.round(price / 5), np.round(price))
    absurd = _chosen_rows(draw("absurd"), 1 / 700)
    price[absurd] = np.round(price[absurd] * (5 + 40 * draw("how absurd")[absurd]))
    price = np.clip(price, 10, 10_000)
    price[_chosen_rows(draw("zero"), 0.0003)] = 0
    return np.asarray(price, dtype=np.int64)


def _noise_scale(room: Array) -> Array:
    return np.asarray(_NOISE[room])


def _room_codes(table: pa.Table) -> Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return np.asarray(pc.fill_null(pc.index_in(table.column("room_type"), pa.array(ROOM_TYPES)), 1))


def _kilometres(latitude: Array, longitude: Array, place: tuple[float, float]) -> Array:
    """Distance on the plane: within a city the earth is flat enough."""
    return np.asarray(np.hypot((latitude - place[0]) * 111.2, (longitude - place[1]) * 84.2))


def _arrow_array(values: Array, type: str) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.type_for_alias(type), from_pandas=True)
