"""What a batch of clean listings must be like before a model is trained on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from pipelines.nyc_rentals.listings import LISTINGS

Offending = Callable[[pd.DataFrame, str], None]

BOROUGHS = {"Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island"}


def test_columns_in_order(data: pd.DataFrame) -> None:
    """The batch has the 16 columns, in order."""
    assert list(data.columns) == list(LISTINGS.names)


def test_ids_are_unique(data: pd.DataFrame, offending: Offending) -> None:
    """No listing is there twice."""
    offending(data[data["id"].duplicated(keep=False)], "a listing's id that another row has too")


def test_borough_names(data: pd.DataFrame, offending: Offending) -> None:
    """Every listing is in one of the five boroughs."""
    offending(data[~data["neighbourhood_group"].isin(BOROUGHS)], "a borough that New York City does not have")


def test_every_borough_is_there(data: pd.DataFrame) -> None:
    """Every borough has listings."""
    missing = BOROUGHS - set(data["neighbourhood_group"])
    assert not missing, f"no listing in {', '.join(sorted(missing))}"


def test_inside_the_city(
    data: pd.DataFrame, west: float, east: float, south: float, north: float, offending: Offending
) -> None:
    """Every listing lies inside the city's bounds."""
    inside = data["longitude"].between(west, east) & data["latitude"].between(south, north)
    offending(data[~inside], f"outside longitude {west:g}…{east:g}, latitude {south:g}…{north:g}")


def test_row_count(data: pd.DataFrame, min_rows: int, max_rows: int) -> None:
    """The batch is neither a fragment nor a flood."""
    assert min_rows < len(data) < max_rows, (
        f"{len(data):,} rows; between {min_rows:,} and {max_rows:,} are expected"
    )


def test_price_range(data: pd.DataFrame, min_price: float, max_price: float, offending: Offending) -> None:
    """Every price lies between the bounds that cleaning set."""
    wrong = data[~data["price"].between(min_price, max_price)]
    offending(wrong, f"a price outside {min_price:g}…{max_price:g} dollars")


def test_boroughs_like_the_reference(data: pd.DataFrame, reference: pd.DataFrame, kl_threshold: float) -> None:
    """The boroughs' shares are like the reference's, by Kullback-Leibler divergence in bits."""
    divergence = kullback_leibler(data["neighbourhood_group"], reference["neighbourhood_group"])
    assert divergence < kl_threshold, f"divergence {divergence:.3f} bits; less than {kl_threshold:g} is expected"


def kullback_leibler(values: pd.Series, others: pd.Series) -> float:
    """Σ p log2(p / q) over the values' shares; infinite where `others` lacks a value that is there."""
    p = values.value_counts(normalize=True)
    q = others.value_counts(normalize=True).reindex(p.index, fill_value=0.0)
    with np.errstate(divide="ignore"):
        return float((p * np.log2(p / q)).sum())
