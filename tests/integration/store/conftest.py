"""Stores in memory that no other test shares, as the unit tests have them."""

from tests.unit.store.conftest import model, other, store

__all__ = ["model", "other", "store"]
