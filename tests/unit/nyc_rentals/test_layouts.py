"""Inside Airbnb's files of 2019 to 2025, in both layouts, are read by the mappings that ship."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.nyc_rentals.components.get_data import get_data
from pipelines.nyc_rentals.generated import simulate
from relet.config import settings
from relet.project.folder import open_project
from tests.inside_airbnb import DETAILED, SUMMARY, write_published

ROOT = Path(__file__).parents[3]
CONF = ROOT / "pipelines" / "nyc_rentals" / "conf"
FILES = [
    *(("summary", year, header) for year, header in SUMMARY.items()),
    *(("detailed", year, header) for year, header in DETAILED.items()),
]


def columns_of(*overrides: str) -> Mapping[str, Any]:
    """The mapping that a run has."""
    found = settings(open_project("nyc_rentals", ROOT).pipeline, CONF, overrides).parameters
    assert found["get_data"]["columns"] == found["basic_cleaning"]["columns"] == found["data_check"]["columns"]
    mapping: Mapping[str, Any] = found["get_data"]["columns"]
    return mapping


@pytest.fixture
def listings() -> pd.DataFrame:
    frame: pd.DataFrame = simulate(60, 1).to_pandas()
    return frame.assign(price=[1200, *frame["price"][1:]])


def test_the_headers_have_as_many_columns_as_the_publisher_s() -> None:
    assert {year: len(header.split()) for year, header in DETAILED.items()} == {
        2019: 106,
        2021: 74,
        2023: 75,
        2025: 79,
    }


@pytest.mark.parametrize(("layout", "year", "header"), FILES, ids=[f"{name}-{year}" for name, year, _ in FILES])
@pytest.mark.parametrize("grouped", [True, False])
def test_a_published_file_is_read_as_the_listings_that_it_holds(
    listings: pd.DataFrame, tmp_path: Path, layout: str, year: int, header: str, grouped: bool
) -> None:
    if not grouped:
        listings["neighbourhood_group"] = None
    path = tmp_path / "listings.csv"
    write_published(listings, header, path)
    groups = ("Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island") if grouped else ()
    read = get_data(source=str(path), columns=dict(columns_of(f"+columns={layout}")), groups=groups).sample
    found = read.read_all()
    plain = tmp_path / "plain.csv"
    listings.to_csv(plain, index=False)
    assert found.equals(get_data(source=str(plain), groups=groups).sample.read_all())
    assert found["price"][0].as_py() == 1200


def test_a_layout_is_completed_on_the_command_line() -> None:
    shipped = columns_of("+columns=detailed")
    told = columns_of("+columns=detailed", "etl.columns={name: null, room_type: kind}")
    assert told == {**shipped, "name": None, "room_type": "kind"}
    assert columns_of("+columns=detailed", "etl.columns.price=cost") == {**shipped, "price": "cost"}
