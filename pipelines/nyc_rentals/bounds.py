"""What a listing must lie within: hyperparameters that cleaning, the data tests and the model share."""

from __future__ import annotations

from dataclasses import dataclass

from relet.errors import SettingError

BOROUGHS = ("Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island")


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Prices in dollars a night; a price on a bound lies within. Raises SettingError where none would.

    >>> Prices(max_price=5)
    Traceback (most recent call last):
    relet.errors.SettingError: min_price must lie below max_price, got 10 and 5
    """

    min_price: float = 10
    max_price: float = 350

    def __post_init__(self) -> None:
        _check_order("min_price", self.min_price, "max_price", self.max_price)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The city's bounds in degrees; a place on a bound lies within. Raises SettingError where none would.

    `groups` are the parts that neighbourhood_group names; without any, it may hold anything, or nothing.
    """

    west: float = -74.25
    east: float = -73.5
    south: float = 40.5
    north: float = 41.2
    groups: tuple[str, ...] = BOROUGHS

    def __post_init__(self) -> None:
        _check_order("west", self.west, "east", self.east)
        _check_order("south", self.south, "north", self.north)

    @property
    def whole_earth(self) -> bool:
        return self.west <= -180 and self.east >= 180 and self.south <= -90 and self.north >= 90


def _check_order(lower: str, low: float, upper: str, high: float) -> None:
    if not low < high:
        raise SettingError(f"{lower} must lie below {upper}, got {low:g} and {high:g}")
