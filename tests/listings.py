"""Generated listings as cleaning leaves them."""

from __future__ import annotations

import pandas as pd

from pipelines.nyc_rentals.components.get_data import get_data


def kept_listings(rows: int) -> pd.DataFrame:
    """Those of so many generated listings whose price is kept by the flagship's bounds; dates are dates."""
    listings = get_data(source="generated", rows=rows, seed=5).sample.read_pandas()
    listings["last_review"] = pd.to_datetime(listings["last_review"])
    kept: pd.DataFrame = listings[listings["price"].between(10, 350)].reset_index(drop=True)
    return kept
