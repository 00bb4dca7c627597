"""What a batch of clean listings must be like before a model is trained on it.

`data` and `reference` are frames; every hyperparameter of `data_check` is a fixture of the same name.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from pipelines.nyc_rentals.listings import LISTINGS

Offending = Callable[[pd.DataFrame, str], None]

BOROUGHS = ["Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island"]


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


def test_ids_are_unique(data: pd.DataFrame, offending: Offending) -> None:
    """No listing is there twice."""
    offending(data.loc[data["id"].duplicated(keep=False), ["id", "name"]], "an id that another row has too")


def test_borough_names(data: pd.DataFrame, offending: Offending) -> None:
    """Every listing lies in one of the five boroughs."""
    unknown = ~data["neighbourhood_group"].isin(BOROUGHS)
    offending(data.loc[unknown, ["id", "neighbourhood_group"]], "a borough that New York City does not have")


def test_every_borough_is_there(data: pd.DataFrame) -> None:
    """Every borough has listings."""
    found = set(data["neighbourhood_group"].unique())
    missing = [borough for borough in BOROUGHS if borough not in found]
    assert not missing, f"no listing in {', '.join(missing)}"


def test_inside_the_city(
    data: pd.DataFrame, west: float, east: float, south: float, north: float, offending: Offending
) -> None:
    """Every listing lies inside the city's bounds."""
    inside = data["longitude"].between(west, east) & data["latitude"].between(south, north)
    what = f"a place outside longitude {west:g}…{east:g} and latitude {south:g}…{north:g}"
    offending(data.loc[~inside, ["id", "longitude", "latitude"]], what)


def test_row_count(data: pd.DataFrame, min_rows: int, max_rows: int) -> None:
    """The batch is neither a fragment nor a flood."""
    assert min_rows <= len(data) <= max_rows, f"{len(data):,} rows; expected are {min_rows:,} to {max_rows:,}"


def test_price_range(data: pd.DataFrame, min_price: float, max_price: float, offending: Offending) -> None:
    """Every price lies between the bounds that cleaning set."""
    inside = data["price"].between(min_price, max_price)
    offending(data.loc[~inside, ["id", "price"]], f"a price outside {min_price:g}…{max_price:g} dollars")


def test_boroughs_like_the_reference(data: pd.DataFrame, reference: pd.DataFrame, kl_threshold: float) -> None:
    """The boroughs have shares like the reference's, by the Kullback-Leibler divergence in bits."""
    divergence = kullback_leibler(data["neighbourhood_group"], reference["neighbourhood_group"])
    assert divergence <= kl_threshold, (
        f"the divergence is {divergence:.3f} bits; at most {kl_threshold:g} is allowed"
    )


def kullback_leibler(values: pd.Series, others: pd.Series) -> float:
    """Σ p log2(p / q) over the values' shares; infinite where `others` lacks a value that is there."""
    p = values.value_counts(normalize=True, sort=False).sort_index()
    q = others.value_counts(normalize=True).reindex(p.index, fill_value=0.0)
    with np.errstate(divide="ignore"):
        return float((p * np.log2(p / q)).sum())
