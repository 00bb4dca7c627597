"""Whether a batch of listings is distributed as the reference, on which the model was made.

Each test hands in what it measured; all are judged at the end as one family. docs/decisions/0012 says why these
columns, and why an effect below `min_effect` is let pass.
"""

from __future__ import annotations

from relet import Table
from relet.checks import Judge
from relet.checks.statistics import (
    chi_square,
    kolmogorov_smirnov,
    kullback_leibler,
    mann_whitney,
    missing_share,
)


def test_boroughs_diverge_little(data: Table, reference: Table, judge: Judge, kl_threshold: float) -> None:
    """The boroughs' shares are near the reference's, by the Kullback-Leibler divergence."""
    judge(
        kullback_leibler(data.neighbourhood_group, reference.neighbourhood_group),
        threshold=kl_threshold,
    )


def test_boroughs(data: Table, reference: Table, judge: Judge) -> None:
    """The listings lie in the boroughs in the reference's shares."""
    judge(chi_square(data.neighbourhood_group, reference.neighbourhood_group))


def test_room_types(data: Table, reference: Table, judge: Judge) -> None:
    """Homes, private and shared rooms have the reference's shares."""
    judge(chi_square(data.room_type, reference.room_type))


def test_prices(data: Table, reference: Table, judge: Judge) -> None:
    """Prices are distributed as in the reference."""
    judge(kolmogorov_smirnov(data.price, reference.price))


def test_prices_do_not_rise(data: Table, reference: Table, judge: Judge) -> None:
    """Prices are not higher: a model that learned the reference's would ask too little."""
    judge(mann_whitney(data.price, reference.price, alternative="greater"))


def test_minimum_nights(data: Table, reference: Table, judge: Judge) -> None:
    """Hosts ask for as many nights as in the reference."""
    judge(kolmogorov_smirnov(data.minimum_nights, reference.minimum_nights))


def test_availability(data: Table, reference: Table, judge: Judge) -> None:
    """Listings are open on as many days of the year as in the reference."""
    judge(kolmogorov_smirnov(data.availability_365, reference.availability_365))


def test_listings_without_reviews(data: Table, reference: Table, judge: Judge) -> None:
    """Reviews are not missing more often than in the reference."""
    judge(missing_share(data.last_review, reference.last_review, alternative="greater"))


def test_reviews(data: Table, reference: Table, judge: Judge) -> None:
    """Listings are reviewed as often as in the reference."""
    judge(kolmogorov_smirnov(data.number_of_reviews, reference.number_of_reviews))


def test_listings_of_a_host(data: Table, reference: Table, judge: Judge) -> None:
    """Hosts have as many listings each as in the reference."""
    judge(kolmogorov_smirnov(data.calculated_host_listings_count, reference.calculated_host_listings_count))
