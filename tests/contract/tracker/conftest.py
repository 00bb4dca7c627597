"""A store, and each tracker in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from relet.store import Store, open_store
from tests.contract.tracker.places import MLFLOW, PLACES, Place


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


@pytest.fixture(scope="session")
def open_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Place]]:
    """Each place by name, started when it is first asked for, and there until the tests end."""
    opened: dict[str, Place] = {}
    with ExitStack() as stack:

        def open_place(name: str) -> Place:
            if name not in opened:
                opened[name] = stack.enter_context(PLACES[name](tmp_path_factory.mktemp(name)))
            return opened[name]

        yield open_place


@pytest.fixture(params=["memory", "wandb", *MLFLOW])
def place(request: pytest.FixtureRequest, open_place: Callable[[str], Place]) -> Place:
    return open_place(request.param)


@pytest.fixture(params=MLFLOW)
def mlflow(request: pytest.FixtureRequest, open_place: Callable[[str], Place]) -> Place:
    return open_place(request.param)
