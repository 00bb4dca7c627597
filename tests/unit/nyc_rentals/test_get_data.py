"""A batch of listings from the simulator, or from a file that is held to its columns."""

from pathlib import Path

import pandas as pd
import pytest

from pipelines.nyc_rentals.components.get_data import get_data
from pipelines.nyc_rentals.generated import simulate
from pipelines.nyc_rentals.listings import LISTINGS
from relet.errors import BadDataError

REAL = Path(__file__).parents[4] / "shared" / "data" / "nyc_2019_listings.csv"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "listings.csv"
    simulate(200, 1).to_pandas().to_csv(path, index=False)
    return path


def test_generated_listings_are_those_of_the_seed() -> None:
    assert get_data(rows=50, seed=3).sample.read_all().equals(simulate(50, 3))


def test_a_file_gives_its_rows_with_quoted_newlines_and_gaps(file: Path) -> None:
    sample = get_data(source=str(file)).sample.read_all()
    assert sample.equals(simulate(200, 1))
    assert any("\n" in (name or "") for name in sample["name"].to_pylist())


def test_an_id_that_is_there_twice_is_refused_with_its_rows(file: Path) -> None:
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines, lines[1]]))
    with pytest.raises(BadDataError, match=r"column 'id'.*rows 1, 201"):
        get_data(source=str(file)).sample.read_all()


def test_text_in_the_price_is_refused_with_its_row(file: Path) -> None:
    table = simulate(200, 1).to_pandas().astype({"price": "object"})
    table.loc[6, "price"] = "cheap"
    table.to_csv(file, index=False)
    with pytest.raises(BadDataError, match=r"row 7.*column 'price'.*'cheap'"):
        get_data(source=str(file))


def test_a_renamed_column_is_named(file: Path) -> None:
    file.write_text(file.read_text().replace("room_type", "room_typ", 1))
    told = r"  - room_type  string\n  \+ room_typ   string\n.*etl.columns={room_type: room_typ}"
    with pytest.raises(BadDataError, match=told):
        get_data(source=str(file))


@pytest.mark.skipif(not REAL.is_file(), reason="the public listings file is not beside this checkout")
def test_the_public_file_is_read_whole() -> None:
    sample = get_data(source=str(REAL)).sample.read_all()
    assert sample.num_rows == 43_136
    assert sample["last_review"].null_count == sample["reviews_per_month"].null_count == 8_889


ANOTHER_YEAR = {
    "id": "listing_id",
    "neighbourhood_group": "borough",
    "calculated_host_listings_count": "host_listings_count",
    "name": None,
    "latitude": None,
    "longitude": None,
    "last_review": {"format": "%m/%d/%Y"},
}


def test_a_file_of_another_years_layout_is_refused_as_a_diff_and_read_as_it_is_mapped(file: Path) -> None:
    listings = simulate(200, 1).to_pandas()
    another = listings.assign(last_review=pd.to_datetime(listings["last_review"]).dt.strftime("%m/%d/%Y"))
    renamed = {ours: theirs for ours, theirs in ANOTHER_YEAR.items() if isinstance(theirs, str)}
    absent = [ours for ours, theirs in ANOTHER_YEAR.items() if theirs is None]
    another.drop(columns=absent).rename(columns=renamed).to_csv(file, index=False)
    with pytest.raises(BadDataError) as error:
        get_data(source=str(file))
    for line in ("- latitude ", "- id ", "+ listing_id ", "+ borough ", "~ last_review "):
        assert f"\n  {line}" in str(error.value)
    read = get_data(source=str(file), columns=ANOTHER_YEAR).sample.read_all()
    assert read.schema == LISTINGS.arrow()
    expected = simulate(200, 1)
    for name in LISTINGS.names:
        assert read[name].null_count == 200 if name in absent else read[name].equals(expected[name])


def test_a_borough_that_the_city_does_not_have_is_refused(file: Path) -> None:
    file.write_text(file.read_text().replace(",Queens,", ",Jersey City,", 1))
    with pytest.raises(BadDataError, match="neighbourhood_group  new value 'Jersey City', first in row"):
        get_data(source=str(file)).sample.read_all()
