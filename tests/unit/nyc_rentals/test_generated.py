"""The simulator: the public file's layout and dirt, one price function, the same everywhere."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipelines.nyc_rentals.generated import best_reachable, simulate
from pipelines.nyc_rentals.listings import LISTINGS
from relet.data.reading import read_csv
from relet.errors import SettingError

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return simulate(20_000, 42)


@pytest.fixture(scope="module")
def listings(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas()


@pytest.fixture(scope="module")
def clean(listings: pd.DataFrame) -> pd.DataFrame:
    return listings[listings["price"].between(10, 350) & listings["longitude"].between(-74.25, -73.5)]


def digest(table: pa.Table) -> str:
    return hashlib.sha256(repr(table.to_pydict()).encode()).hexdigest()


def test_it_has_the_public_files_columns_and_types(table: pa.Table) -> None:
    expected = pa.schema([(column.name, pa.type_for_alias(column.type)) for column in LISTINGS.columns])
    assert table.schema == expected


def test_it_can_be_written_as_a_csv_file_and_read_back(table: pa.Table, tmp_path: Path) -> None:
    table.slice(0, 3000).to_pandas().to_csv(tmp_path / "listings.csv", index=False)
    assert read_csv(tmp_path / "listings.csv", LISTINGS).equals(table.slice(0, 3000).combine_chunks())


@pytest.mark.parametrize("rows", [1, 2, 99, 1000])
def test_any_number_of_rows_can_be_had(rows: int) -> None:
    assert simulate(rows, 7).num_rows == rows


def test_the_rows_of_a_seed_stay_what_they_are() -> None:
    table = simulate(3, 1)
    assert table["id"].to_pylist() == PINNED["id"]
    assert table["price"].to_pylist() == PINNED["price"]
    assert table["name"].to_pylist() == PINNED["name"]


def test_another_seed_gives_other_rows() -> None:
    assert digest(simulate(100, 1)) != digest(simulate(100, 2))


def test_it_has_the_public_files_dirt(listings: pd.DataFrame) -> None:
    names = listings["name"].dropna()
    assert listings["name"].isna().any() and listings["host_name"].isna().any()
    assert names.str.contains("\n").any() and names.str.contains('"').any()
    assert not names.map(str.isascii).all()
    assert (listings["last_review"].isna() == (listings["number_of_reviews"] == 0)).all()
    assert (listings["last_review"].isna() == listings["reviews_per_month"].isna()).all()
    assert 0.19 < listings["last_review"].isna().mean() < 0.22
    assert (listings["price"] == 0).any() and listings["price"].max() > 2000
    assert (~listings["longitude"].between(-74.25, -73.5)).sum() == 1


def test_ids_are_unique_and_grow_and_hosts_keep_their_number(listings: pd.DataFrame) -> None:
    assert listings["id"].is_monotonic_increasing and listings["id"].is_unique
    counts = listings.groupby("host_id")["id"].transform("size")
    assert (counts == listings["calculated_host_listings_count"]).all()
    assert (counts > 1).any() and counts.max() > 20


def test_cleaning_keeps_as_many_as_of_the_public_file(listings: pd.DataFrame, clean: pd.DataFrame) -> None:
    assert len(clean) > 15_000
    assert 0.93 < len(clean) / len(listings) < 0.98
    assert 85 < listings["price"].median() < 125
    shares = listings["neighbourhood_group"].value_counts(normalize=True)
    assert shares.index.tolist()[2:] == ["Queens", "Bronx", "Staten Island"]
    assert listings["neighbourhood"].nunique() > 190


def test_the_best_reachable_error_leaves_something_to_learn_and_something_unknown(clean: pd.DataFrame) -> None:
    groups = clean.groupby(["neighbourhood_group", "room_type"])["price"].transform("median")
    naive, best = (np.abs(clean["price"] - guess).mean() for guess in (groups, best_reachable(clean)))
    assert 0.65 < best / naive < 0.85


def test_no_shift_nor_scale_of_the_best_prediction_beats_it(clean: pd.DataFrame) -> None:
    best = best_reachable(clean)
    error = np.abs(clean["price"] - best).mean()
    for factor in (0.96, 1.04):
        assert np.abs(clean["price"] - factor * best).mean() > error
    assert (clean["price"] > best).mean() == pytest.approx(0.5, abs=0.02)


def test_without_bounds_the_noise_is_not_cut_off(listings: pd.DataFrame) -> None:
    free = best_reachable(listings, between=None)
    assert (listings["price"] > free).mean() == pytest.approx(0.5, abs=0.02)
    assert (best_reachable(listings) <= 350).all()


@pytest.mark.parametrize(("rows", "seed", "said"), [(0, 1, "set etl.rows"), (1, -1, "set etl.seed")])
def test_wrong_settings_are_refused(rows: int, seed: int, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        simulate(rows, seed)


PINNED: dict[str, list[object]] = {
    "id": [17549325, 22797432, 23558169],
    "price": [30, 50, 20],
    "name": ["Master bedroom", "Huge basement room", "Lovely room in East Flatbush near subway"],
}
