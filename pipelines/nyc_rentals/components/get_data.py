"""Get the listings: simulated ones, or a file in the public layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pipelines.nyc_rentals.generated import simulate
from pipelines.nyc_rentals.listings import listings_schema
from relet import RowStream, Source, component
from relet.data.dialect import CsvDialect
from relet.data.reading import stream_csv


class Sample(NamedTuple):
    sample: RowStream


@component(job_type="get_data")
def get_data(
    *,
    source: Annotated[str, Source("generated")] = "generated",
    rows: int = 20000,
    seed: int = 42,
    groups: tuple[str, ...] = ("Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island"),
    columns: dict[str, Any] = {},  # noqa: B006
    dialect: CsvDialect = CsvDialect(),
) -> Sample:
    """Get a batch of listings, all 16 columns typed.

    `generated` simulates `rows` of them; anything else is a listings file in CSV (or Parquet), which relet has
    fetched before. `groups` are the values that neighbourhood_group may have; without any, it may have any, or
    none. `columns` says where a file of another layout has the columns, as `relet.data.layout` reads it, and
    `dialect` how it is written as a whole. Raises BadDataError, with row and column, for a file that is none;
    where its columns differ, as a diff.
    """
    if source == "generated":
        return Sample(simulate(rows, seed).to_reader())
    return Sample(stream_csv(Path(source), listings_schema(groups), columns, dialect, setting="etl.columns"))
