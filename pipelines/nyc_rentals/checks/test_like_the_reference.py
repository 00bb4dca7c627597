"""Whether a batch of listings is distributed as the reference, on which the model was made.

Each test hands in what it measured; all are judged at the end as one family. docs/decisions/0012 says why these
columns, and why an effect below `min_effect` is let pass.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ibis.expr.types import Column

from relet import Table
from relet.checks import Judge
from relet.checks.statistics import (
    chi_square,
    kolmogorov_smirnov,
    kullback_leibler,
    mann_whitney,
    missing_share,
)

Compared = Callable[[str], tuple[Column, Column]]


@pytest.fixture
def known(reference: Table, min_price: float, max_price: float) -> Table:
    """The reference as it would be by this batch's bounds: another cleaning is no other market."""
    return reference.filter(reference.price.between(min_price, max_price))


@pytest.fixture
def compared(data: Table, known: Table, needs: Callable[..., None]) -> Compared:
    """A column of both, to be compared; the test is skipped where the file has none, or neither has a value."""

    def column_of_both(name: str) -> tuple[Column, Column]:
        needs(name)
        if not any(table[name].count().to_pyarrow().as_py() for table in (data, known)):
            pytest.skip(f"neither the batch nor the reference has any {name}")
        return data[name], known[name]

    return column_of_both


def borough_of_host(listings: Table) -> Column:
    oldest = listings.neighbourhood_group.argmin(listings.id)
    return listings.group_by("host_id").agg(borough_of_host=oldest).borough_of_host


def test_boroughs_diverge_little(compared: Compared, judge: Judge, kl_threshold: float) -> None:
    """The boroughs' shares are near the reference's, by the Kullback-Leibler divergence."""
    judge(kullback_leibler(*compared("neighbourhood_group")), threshold=kl_threshold)


def test_boroughs_of_hosts(data: Table, known: Table, compared: Compared, judge: Judge) -> None:
    """Hosts are spread over the boroughs as in the reference, each by its oldest listing."""
    # A host's listings come and go together, most of them in one borough: hosts are independent, listings are not.
    compared("neighbourhood_group")
    judge(chi_square(borough_of_host(data), borough_of_host(known)))


def test_room_types(compared: Compared, judge: Judge) -> None:
    """Homes, private and shared rooms have the reference's shares."""
    judge(chi_square(*compared("room_type")))


def test_prices(compared: Compared, judge: Judge) -> None:
    """Prices are distributed as in the reference."""
    judge(kolmogorov_smirnov(*compared("price")))


def test_prices_do_not_rise(compared: Compared, judge: Judge) -> None:
    """Prices are not higher: a model that learned the reference's would ask too little."""
    judge(mann_whitney(*compared("price"), alternative="greater"))


def test_minimum_nights(compared: Compared, judge: Judge) -> None:
    """Hosts ask for as many nights as in the reference."""
    judge(kolmogorov_smirnov(*compared("minimum_nights")))


def test_availability(compared: Compared, judge: Judge) -> None:
    """Listings are open on as many days of the year as in the reference."""
    judge(kolmogorov_smirnov(*compared("availability_365")))


def test_listings_without_reviews(compared: Compared, judge: Judge) -> None:
    """Reviews are not missing more often than in the reference."""
    judge(missing_share(*compared("last_review"), alternative="greater"))


def test_reviews(compared: Compared, judge: Judge) -> None:
    """Listings are reviewed as often as in the reference."""
    judge(kolmogorov_smirnov(*compared("number_of_reviews")))


def test_listings_of_a_host(compared: Compared, judge: Judge, min_effect: float) -> None:
    """Listings belong to hosts of the size that the reference's do."""
    # One host more or less moves hundreds of listings at once: two good batches may be further apart than others.
    judge(kolmogorov_smirnov(*compared("calculated_host_listings_count")), floor=2 * min_effect)
