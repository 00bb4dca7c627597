"""Stores in memory that no other test shares."""

from __future__ import annotations

from uuid import uuid4

import pytest

from relet.core.artifact import Version
from relet.store import Store, open_store
from tests.unit.store.past import a_past


@pytest.fixture
def store() -> Store:
    return open_store(f"memory://{uuid4()}")


@pytest.fixture
def model(store: Store) -> Version:
    return a_past(store)


@pytest.fixture
def other() -> Store:
    return open_store(f"memory://{uuid4()}")
