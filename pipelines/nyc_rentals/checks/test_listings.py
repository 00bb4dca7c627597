"""What a batch of clean listings must be like before a model is trained on it: its form, and each row.

`data` is the batch; every hyperparameter of `data_check` is a fixture of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from pipelines.nyc_rentals.listings import LISTINGS
from relet import Table
from relet.checks import OffendingRows


@pytest.fixture
def named_groups(groups: Sequence[str], needs: Callable[..., None]) -> Sequence[str]:
    """The names that neighbourhood_group may hold; a test that asks for them is skipped where there are none."""
    needs("neighbourhood_group")
    if not groups:
        pytest.skip("etl.groups names none")
    return groups


def test_columns_in_order(schema: dict[str, str]) -> None:
    """The batch has the 16 columns, in order."""
    assert list(schema) == list(LISTINGS.names), f"the columns are {', '.join(schema)}"


def test_types(schema: dict[str, str]) -> None:
    """Every column has the type that the model was made for."""
    expected = {column.name: column.type.replace("date32", "date32[day]") for column in LISTINGS.columns}
    wrong = [
        f"{name} is {schema.get(name)}, not {type}" for name, type in expected.items() if schema.get(name) != type
    ]
    assert not wrong, "; ".join(wrong)


def test_ids_are_unique(data: Table, offending: OffendingRows) -> None:
    """No listing is there twice."""
    # A stored table is sorted by its first column: where each id but the first is above the one before, none is
    # there twice, and nothing has to be held in memory.
    climbs = data.select(climbs=data.id > data.id.lag())
    if climbs.filter(~climbs.climbs.fill_null(False)).count().to_pyarrow().as_py() <= 1:
        return
    twice = data.group_by("id").having(data.count() > 1).agg()
    offending(data.semi_join(twice, "id").select("id", "name"), "an id that another row has too")


def test_borough_names(data: Table, named_groups: Sequence[str], offending: OffendingRows) -> None:
    """Every listing lies in one of the city's boroughs."""
    known = data.neighbourhood_group.isin(named_groups).fill_null(False)
    unknown = data.filter(~known).select("id", "neighbourhood_group")
    offending(unknown, f"a borough that is none of {', '.join(named_groups)}")


def test_every_borough_is_there(data: Table, named_groups: Sequence[str]) -> None:
    """Every borough has listings."""
    found = data.select("neighbourhood_group").distinct().to_pyarrow().column(0).to_pylist()
    missing = [borough for borough in named_groups if borough not in found]
    assert not missing, f"no listing in {', '.join(missing)}"


def test_places_are_known_or_none_is(data: Table, needs: Callable[..., None], offending: OffendingRows) -> None:
    """Every listing has its coordinates, or the file's layout has none at all."""
    needs("longitude", "latitude")
    unknown = data.longitude.isnull() | data.latitude.isnull()
    if not unknown.all().to_pyarrow().as_py():
        offending(data.filter(unknown).select("id", "longitude", "latitude"), "a place that is not known")


def test_inside_the_city(
    data: Table,
    west: float,
    east: float,
    south: float,
    north: float,
    needs: Callable[..., None],
    offending: OffendingRows,
) -> None:
    """No listing lies outside the city's bounds."""
    needs("longitude", "latitude")
    outside = ~data.longitude.between(west, east) | ~data.latitude.between(south, north)
    what = f"a place outside longitude {west:g}…{east:g} and latitude {south:g}…{north:g}"
    offending(data.filter(outside).select("id", "longitude", "latitude"), what)


def test_row_count(data: Table, min_rows: int, max_rows: int) -> None:
    """The batch is neither a fragment nor a flood."""
    rows = data.count().to_pyarrow().as_py()
    assert min_rows <= rows <= max_rows, f"{rows:,} rows; expected are {min_rows:,} to {max_rows:,}"


def test_price_range(data: Table, min_price: float, max_price: float, offending: OffendingRows) -> None:
    """Every price lies between the bounds that cleaning set."""
    inside = data.price.between(min_price, max_price).fill_null(False)
    offending(data.filter(~inside).select("id", "price"), f"a price outside {min_price:g}…{max_price:g} dollars")
