"""A server to fetch from, and no long pauses between attempts."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from relet.data import download
from tests.unit.data.origin import Origin


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE", 0.01)


@pytest.fixture
def origin(impatient: None) -> Iterator[Origin]:
    origin = Origin()
    thread = threading.Thread(target=origin.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield origin
    origin.server.shutdown()
    origin.server.server_close()
