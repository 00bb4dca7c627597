"""A store with runs to list and to compare."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet import Curve
from relet.core.record import Status
from relet.store import Store, open_store
from tests.experiment_store import pipeline_run, run_id, stored, sweep


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A sweep of three trials, a run that failed, and one that a verdict stopped."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELET_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("COLUMNS", raising=False)  # nothing is cut where no screen is written to
    found = open_store(tmp_path / "store")
    found.put_run(sweep(1, winner=run_id(2)))
    for number in (2, 3, 4):
        curve = Curve(points=[(1, 60.0), (2, 30.0 + number)], x="rounds")
        overrides = (f"model.depth={number}",)
        stored(
            found,
            tmp_path,
            number,
            error=curve,
            parent=run_id(1),
            trial=number - 1,
            overrides=overrides,
            command=(),
        )
    found.put_run(pipeline_run(5, status=Status.FAILED, message="train raised ValueError: no rows", metrics={}))
    stored(found, tmp_path, 6, refused="r2 0.44, at least 0.5 is asked for", status=Status.STOPPED)
    return found
