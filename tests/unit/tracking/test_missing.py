"""Trackers whose library is not installed: what was recorded waits, and the message says what to install."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.errors import TrackerError
from relet.tracking import open_tracker
from relet.tracking.mlflow import tracker as mlflow_tracker
from relet.tracking.wandb import tracker as wandb_tracker


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_tracker_without_its_library_names_the_extra_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setattr(mlflow_tracker, "find_spec", lambda _: None)
    monkeypatch.setattr(wandb_tracker.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(TrackerError, match=rf"{name} is not installed.*pip install 'relet\[{name}\]'"):
        open_tracker(name, tmp_path).connect()
    assert not list(tmp_path.iterdir())
