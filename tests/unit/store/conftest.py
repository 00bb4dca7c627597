"""A store in memory that no other test shares."""

from __future__ import annotations

from uuid import uuid4

import pytest

from relet.store import Store, open_store


@pytest.fixture
def store() -> Store:
    return open_store(f"memory://{uuid4()}")
