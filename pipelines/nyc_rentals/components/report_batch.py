"""Write the page of a batch: what arrived, what left and why, what the tests said, what shifted."""

from __future__ import annotations

import filecmp
import tempfile
from pathlib import Path
from typing import Annotated, NamedTuple

from relet import Stored, Verdict, component
from relet.data.difference import difference
from relet.data.outline import outline
from relet.data.quarantine import quarantine_by_reason
from relet.data.tally import open_tables
from relet.report.batch import batch_page
from relet.report.charts.grids import MapCell, heat_map
from relet.report.elements import charts, paragraph
from relet.report.markup import PageMarkup
from relet.report.page import Section

# Columns whose values say what a listing or its host is called, not what it is like.
NAMES = ("id", "name", "host_id", "host_name")
UNITS = {"price": "dollars", "minimum_nights": "nights", "availability_365": "days"}
# Of the map, in degrees: about a kilometre each way. A cell with fewer listings has no median worth showing.
CELL, LISTINGS = 0.01, 5


class Reported(NamedTuple):
    batch_report: Path


@component(job_type="report_batch")
def report_batch(
    sample: Path,
    clean_sample: Path,
    quarantine: Path,
    check_report: Verdict,
    reference: Annotated[Path, Stored("clean_sample:reference", initially="clean_sample")],
) -> Reported:
    """Write one HTML page on the batch that a person reads in a minute, whatever the tests said."""
    first = filecmp.cmp(clean_sample, reference, shallow=False)
    page = batch_page(
        title="A batch of listings",
        subtitle="What arrived, what left and why, what the tests said, and what shifted",
        arrived=outline(sample),
        kept=outline(clean_sample).rows,
        quarantine=quarantine_by_reason(quarantine),
        verdict=check_report,
        shifted=None if first else difference(reference, clean_sample, rows=False, without=NAMES),
        noun="listing",
        units=UNITS,
        more=[Section(title="Where they are", html=price_map_html(clean_sample))],
    )
    path = Path(tempfile.mkdtemp()) / "batch_report.html"
    path.write_text(page, encoding="utf-8")
    return Reported(path)


def price_map_html(listings: Path) -> PageMarkup:
    """The median price by place, as a map for a page."""
    with open_tables(listings) as (rows,):
        found = rows.asked(
            f"SELECT floor(longitude / {CELL}), floor(latitude / {CELL}), quantile_disc(price, 0.5), count(*) "
            f"FROM {rows.name} WHERE price IS NOT NULL GROUP BY ALL HAVING count(*) >= {LISTINGS}"
        )
    cells = [
        MapCell(longitude=across * CELL, latitude=upward * CELL, value=price, rows=listings)
        for across, upward, price, listings in found
        if across is not None and upward is not None
    ]
    words = f"The median price of each square kilometre, about, with at least {LISTINGS} listings."
    drawn = heat_map(
        cells,
        title="Median price by place",
        width=CELL,
        height=CELL,
        unit="dollars a night",
        value_name="median price",
    )
    return paragraph(words, "faint") + charts([drawn])
