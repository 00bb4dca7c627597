"""Cleaning keeps what a guest could book, and every row that leaves has a reason."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest

from pipelines.nyc_rentals.bounds import Bounds, Prices
from pipelines.nyc_rentals.components.basic_cleaning import basic_cleaning
from pipelines.nyc_rentals.generated import simulate
from relet.data.table import read_table, write_table
from relet.errors import BadDataError


def on_duckdb(table: pd.DataFrame) -> Any:
    """As the engine hands tables to components."""
    path = Path(tempfile.mkdtemp()) / "sample.parquet"
    write_table(table, path)
    return read_table(path, "ibis")


def stored(table: Any) -> pd.DataFrame:
    """A table as the engine stores it and hands it on."""
    path = Path(tempfile.mkdtemp()) / "stored.parquet"
    write_table(table, path)
    return read_table(path, "pandas")  # type: ignore[no-any-return]


def on_polars(table: pd.DataFrame) -> Any:
    polars = pytest.importorskip("polars")
    return ibis.polars.connect({"sample": polars.from_pandas(table)}).table("sample")


@pytest.fixture(params=[on_duckdb, on_polars])
def engine(request: pytest.FixtureRequest) -> Callable[[pd.DataFrame], Any]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def listings() -> pd.DataFrame:
    table = simulate(60, 5).to_pandas()
    return table.assign(price=100, latitude=40.7, longitude=-74.0)


CHANGES: list[tuple[dict[str, Any], str | None]] = [
    ({"price": 9}, "price below 10"),
    ({"price": 10}, None),
    ({"price": 350}, None),
    ({"price": 351}, "price above 350"),
    ({"price": None}, "no price"),
    ({"room_type": None}, "no room_type"),
    ({"neighbourhood_group": None}, "no neighbourhood_group"),
    ({"latitude": None}, "no latitude"),
    ({"longitude": -73.49}, "outside the city"),
    ({"longitude": -74.25}, None),
    ({"latitude": 41.21}, "outside the city"),
    ({"price": 0, "room_type": None, "longitude": 0.0}, "price below 10"),
    ({"name": None, "host_name": None, "last_review": None, "reviews_per_month": None}, None),
]


def test_each_row_leaves_for_the_first_reason_that_holds(
    engine: Callable[[pd.DataFrame], Any], listings: pd.DataFrame
) -> None:
    listings = listings.astype({"price": "Int64", "last_review": "datetime64[us]"})
    for row, (change, _) in enumerate(CHANGES):
        for column, value in change.items():
            listings.loc[row, column] = value
    cleaned = basic_cleaning(engine(listings))
    reasons = stored(cleaned.quarantine).set_index("id")["reason"].to_dict()
    expected = {listings["id"][row]: reason for row, (_, reason) in enumerate(CHANGES) if reason}
    assert reasons == expected
    kept = set(stored(cleaned.clean_sample)["id"])
    assert kept == set(listings["id"]) - set(expected)


def test_every_engine_gives_the_same_rows_and_none_is_lost(engine: Callable[[pd.DataFrame], Any]) -> None:
    table = simulate(5_000, 2).to_pandas().astype({"last_review": "datetime64[us]"})
    cleaned = basic_cleaning(engine(table))
    kept, left = map(stored, cleaned)
    assert sorted([*kept["id"], *left["id"]]) == table["id"].tolist()
    assert list(kept.columns) == list(table.columns)
    assert list(left.columns) == [*table.columns, "reason"]
    good = table["price"].between(10, 350) & table["longitude"].between(-74.25, -73.5)
    assert set(kept["id"]) == set(table["id"][good])


def test_the_bounds_are_parameters(listings: pd.DataFrame) -> None:
    listings.loc[0, ["price", "longitude"]] = [99, -73.8]
    cleaned = basic_cleaning(on_duckdb(listings), prices=Prices(max_price=99.5))
    assert set(stored(cleaned.quarantine)["reason"]) == {"price above 99.5"}
    east = basic_cleaning(on_duckdb(listings), bounds=Bounds(west=-73.9)).clean_sample
    assert stored(east)["id"].tolist() == [listings["id"][0]]


def test_what_a_batch_has_none_of_is_asked_of_no_row(
    engine: Callable[[pd.DataFrame], Any], listings: pd.DataFrame
) -> None:
    bare = listings.assign(latitude=pd.Series([None] * 60, dtype="float64"), longitude=float("nan"))
    absent = {"latitude": None, "longitude": None, "id": "listing_id"}
    assert len(stored(basic_cleaning(engine(bare), columns=absent).clean_sample)) == 60
    bare.loc[0, ["latitude", "longitude"]] = [40.7, -74.0]
    assert set(stored(basic_cleaning(engine(bare)).quarantine)["reason"]) == {"no latitude"}


def test_groups_that_the_city_does_not_name_are_asked_of_no_row(
    engine: Callable[[pd.DataFrame], Any], listings: pd.DataFrame
) -> None:
    bare = listings.assign(neighbourhood_group=pd.Series([None] * 60, dtype="str"))
    assert len(stored(basic_cleaning(engine(bare), bounds=Bounds(groups=())).clean_sample)) == 60


NOTHING_KEPT: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "another city": (
        {"longitude": 4.9, "latitude": 52.4, "price": 400},
        {},
        [
            "0 of 60 rows kept: 60 × price above 350.",
            "The rows lie at longitude 4.9 to 4.9 and latitude 52.4 to 52.4",
            "the bounds are longitude -74.25 to -73.5 and latitude 40.5 to 41.2",
            "city=elsewhere",
            "set etl.bounds",
        ],
    ),
    "no place on earth": (
        {"longitude": 40.7, "latitude": -174.0},
        {"bounds": Bounds(west=-180, east=180, south=-90, north=90)},
        ["60 × outside the city", "which is no place", "etl.columns.longitude=…"],
    ),
    "another currency": ({"price": 9000}, {}, ["60 × price above 350. The prices are 9000 to 9000: set etl.m"]),
    "no price": ({"price": None}, {}, ["60 × no price", "etl.columns.price=…"]),
    "no groups": ({"neighbourhood_group": None}, {}, ["60 × no neighbourhood_group", "etl.groups=[]"]),
    "no room type": ({"room_type": None}, {}, ["60 × no room_type", "etl.columns.room_type=null"]),
}


@pytest.mark.parametrize("what", NOTHING_KEPT)
def test_a_cleaning_that_keeps_no_row_says_why_and_what_to_set(
    engine: Callable[[pd.DataFrame], Any], listings: pd.DataFrame, what: str
) -> None:
    changes, settings, said = NOTHING_KEPT[what]
    for column, value in changes.items():
        listings[column] = pd.Series([value] * 60, dtype=listings[column].dtype if value else "object")
    typed = listings.astype({"price": "Int64", "neighbourhood_group": "str", "room_type": "str"})
    with pytest.raises(BadDataError) as error:
        basic_cleaning(engine(typed), **settings)
    for words in said:
        assert words in str(error.value)


def test_a_sample_without_rows_is_said_to_have_none(listings: pd.DataFrame) -> None:
    with pytest.raises(BadDataError, match=r"the sample has no rows: set etl\.source"):
        basic_cleaning(on_duckdb(listings[:0]))


def test_a_group_of_which_no_row_stays_is_printed_with_the_reasons(
    engine: Callable[[pd.DataFrame], Any], listings: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = ["Bronx"] * 40 + ["Queens"] * 12 + ["Brooklyn"] * 4 + ["Manhattan"] * 2 + ["Staten Island"] * 2
    listings["neighbourhood_group"] = groups
    basic_cleaning(engine(listings))
    assert capsys.readouterr().out == ""
    listings.loc[40:49, "price"] = 900
    listings.loc[50:51, "longitude"] = -70.0
    basic_cleaning(engine(listings))
    said = "basic_cleaning keeps no row of Queens: 10 × price above 350, 2 × outside the city"
    assert capsys.readouterr().out == f"{said}\n"
    listings.loc[50:, "price"] = 5
    basic_cleaning(engine(listings))
    assert capsys.readouterr().out == (
        "basic_cleaning keeps no row of Queens: 10 × price above 350, 2 × price below 10; "
        "Brooklyn: 4 × price below 10; Manhattan: 2 × price below 10; and 1 other\n"
    )


def test_rows_that_can_not_be_right_are_an_error_where_that_is_asked_for(
    engine: Callable[[pd.DataFrame], Any], listings: pd.DataFrame
) -> None:
    listings["price"] = [5, 500, *[100] * 58]
    assert len(stored(basic_cleaning(engine(listings), on_bad_rows="fail").quarantine)) == 2
    listings.loc[3:7, "longitude"] = -70.0
    listings.loc[9, "room_type"] = None
    ids = ", ".join(map(str, sorted(listings["id"][3:8])[:3]))
    with pytest.raises(BadDataError) as error:
        basic_cleaning(engine(listings), on_bad_rows="fail")
    assert f"5 × outside the city (id {ids}, …)" in str(error.value)
    assert f"1 × no room_type (id {listings['id'][9]})" in str(error.value)
    assert "6 rows can't be right" in str(error.value)
    assert "etl.on_bad_rows=quarantine" in str(error.value)
    kept = stored(basic_cleaning(engine(listings)).quarantine)["reason"]
    assert sorted(set(kept)) == ["no room_type", "outside the city", "price above 350", "price below 10"]
