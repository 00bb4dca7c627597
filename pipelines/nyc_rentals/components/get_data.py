"""Get the listings: simulated ones, or a file in the public layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

import pyarrow as pa

from pipelines.nyc_rentals.generated import simulate
from pipelines.nyc_rentals.listings import LISTINGS
from relet import Source, component
from relet.data.schema import read_csv


class Sample(NamedTuple):
    sample: pa.Table


@component(job_type="get_data")
def get_data(
    *, source: Annotated[str, Source("generated")] = "generated", rows: int = 20000, seed: int = 42
) -> Sample:
    """Get a batch of listings, all 16 columns typed.

    `generated` simulates `rows` of them; anything else is a listings file in CSV (or Parquet), which relet has
    fetched before. Raises BadDataError, with row and column, for a file that is none.
    """
    if source == "generated":
        return Sample(simulate(rows, seed))
    return Sample(read_csv(Path(source), LISTINGS))
