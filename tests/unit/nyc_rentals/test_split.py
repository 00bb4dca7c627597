"""The flagship's segregation, with its defaults and by host."""

import pandas as pd
import pytest

from pipelines.nyc_rentals.components.data_split import data_split
from pipelines.nyc_rentals.generated import simulate


@pytest.fixture(scope="module")
def listings() -> pd.DataFrame:
    frame: pd.DataFrame = simulate(4_000, 4).to_pandas()
    return frame


def test_every_borough_has_its_share_in_the_test_set(listings: pd.DataFrame) -> None:
    trainval, test = data_split(listings)
    assert len(trainval) == 3_200 and len(test) == 800
    column = "neighbourhood_group"
    share = test[column].value_counts() - 0.2 * listings[column].value_counts()
    assert share.abs().max() <= 1


def test_a_host_is_never_on_both_sides(listings: pd.DataFrame) -> None:
    trainval, test = data_split(listings, group_by="host_id")
    assert not set(trainval["host_id"]) & set(test["host_id"])
    assert 0.19 < len(test) / len(listings) <= 0.2005
    shares = test["neighbourhood_group"].value_counts() / listings["neighbourhood_group"].value_counts()
    assert shares.between(0.1, 0.25).all()
