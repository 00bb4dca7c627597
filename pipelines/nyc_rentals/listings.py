"""The columns of a listings file, as Inside Airbnb's public summary files have them."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.nyc_rentals.bounds import BOROUGHS
from relet.data.schema import Column, Schema


def listings_schema(groups: Sequence[str] = BOROUGHS) -> Schema:
    """The columns of a city whose parts are `groups`; without any, neighbourhood_group may hold what it likes."""
    return Schema(
        columns=(
            Column("id", "int64", nullable=False),
            Column("name", "string"),
            Column("host_id", "int64", nullable=False),
            Column("host_name", "string"),
            Column("neighbourhood_group", "string", values=tuple(groups), elsewhere=("city", "elsewhere")),
            Column("neighbourhood", "string"),
            Column("latitude", "double", needed=True),
            Column("longitude", "double", needed=True),
            Column("room_type", "string", needed=True),
            Column("price", "int64", needed=True),
            Column("minimum_nights", "int64"),
            Column("number_of_reviews", "int64"),
            Column("last_review", "date32"),
            Column("reviews_per_month", "double"),
            Column("calculated_host_listings_count", "int64"),
            Column("availability_365", "int64"),
        ),
        unique=("id",),
    )


LISTINGS = listings_schema()
