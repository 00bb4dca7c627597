"""Whether a batch of listings is distributed as the reference, on which the model was made.

Each test hands in what it measured; all are judged at the end as one family. docs/decisions/0012 says why these
columns, and why an effect below `min_effect` is let pass.
"""

from __future__ import annotations

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


@pytest.fixture
def known(reference: Table, min_price: float, max_price: float) -> Table:
    """The reference as it would be by this batch's bounds: another cleaning is no other market."""
    return reference.filter(reference.price.between(min_price, max_price))


def borough_of_host(listings: Table) -> Column:
    oldest = listings.neighbourhood_group.argmin(listings.id)
    return listings.group_by("host_id").agg(borough_of_host=oldest).borough_of_host


def test_boroughs_diverge_little(data: Table, known: Table, judge: Judge, kl_threshold: float) -> None:
    """The boroughs' shares are near the reference's, by the Kullback-Leibler divergence."""
    judge(
        kullback_leibler(data.neighbourhood_group, known.neighbourhood_group),
        threshold=kl_threshold,
    )


def test_boroughs_of_hosts(data: Table, known: Table, judge: Judge) -> None:
    """Hosts are spread over the boroughs as in the reference, each by its oldest listing."""
    # A host's listings come and go together, most of them in one borough: hosts are independent, listings are not.
    judge(chi_square(borough_of_host(data), borough_of_host(known)))


def test_room_types(data: Table, known: Table, judge: Judge) -> None:
    """Homes, private and shared rooms have the reference's shares."""
    judge(chi_square(data.room_type, known.room_type))


def test_prices(data: Table, known: Table, judge: Judge) -> None:
    """Prices are distributed as in the reference."""
    judge(kolmogorov_smirnov(data.price, known.price))


def test_prices_do_not_rise(data: Table, known: Table, judge: Judge) -> None:
    """Prices are not higher: a model that learned the reference's would ask too little."""
    judge(mann_whitney(data.price, known.price, alternative="greater"))


def test_minimum_nights(data: Table, known: Table, judge: Judge) -> None:
    """Hosts ask for as many nights as in the reference."""
    judge(kolmogorov_smirnov(data.minimum_nights, known.minimum_nights))


def test_availability(data: Table, known: Table, judge: Judge) -> None:
    """Listings are open on as many days of the year as in the reference."""
    judge(kolmogorov_smirnov(data.availability_365, known.availability_365))


def test_listings_without_reviews(data: Table, known: Table, judge: Judge) -> None:
    """Reviews are not missing more often than in the reference."""
    judge(missing_share(data.last_review, known.last_review, alternative="greater"))


def test_reviews(data: Table, known: Table, judge: Judge) -> None:
    """Listings are reviewed as often as in the reference."""
    judge(kolmogorov_smirnov(data.number_of_reviews, known.number_of_reviews))


def test_listings_of_a_host(data: Table, known: Table, judge: Judge, min_effect: float) -> None:
    """Listings belong to hosts of the size that the reference's do."""
    # One host more or less moves hundreds of listings at once: two good batches may be further apart than others.
    judge(
        kolmogorov_smirnov(data.calculated_host_listings_count, known.calculated_host_listings_count),
        floor=2 * min_effect,
    )
