"""Generated listings as cleaning leaves them, and as those of another city."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipelines.nyc_rentals.components.get_data import get_data
from pipelines.nyc_rentals.generated import simulate


def kept_listings(rows: int) -> pd.DataFrame:
    """Those of so many generated listings whose price is kept by the flagship's bounds; dates are dates."""
    listings = get_data(source="generated", rows=rows, seed=5).sample.read_pandas()
    listings["last_review"] = pd.to_datetime(listings["last_review"])
    kept: pd.DataFrame = listings[listings["price"].between(10, 350)].reset_index(drop=True)
    return kept


def listings_of_another_city(rows: int, *, groups: Sequence[str] = (), seed: int = 1) -> pd.DataFrame:
    """Generated listings as a city in Europe might have them; without `groups`, neighbourhood_group is empty."""
    listings = simulate(rows, seed).to_pandas()
    drawn = np.random.default_rng(seed)
    return listings.assign(
        longitude=4.9 + (listings["longitude"] + 73.95) * 0.2,
        latitude=52.36 + (listings["latitude"] - 40.7) * 0.2,
        neighbourhood=drawn.choice(["Centrum", "De Pijp", "Noord", "Oost"], rows),
        neighbourhood_group=drawn.choice([*groups], rows) if groups else None,
    )
