"""A tracker that records in a folder of its own, with nobody logged in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from relet.store import Store, open_store
from relet.tracking.wandb.tracker import WandbMode, WandbTracker


@pytest.fixture(autouse=True)
def nobody_is_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


@pytest.fixture
def wandb(tmp_path: Path) -> WandbTracker:
    return WandbTracker(tmp_path / "wandb", mode=WandbMode.OFFLINE)
