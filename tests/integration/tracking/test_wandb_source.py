"""A run takes an artifact of W&B as its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.errors import ReletError
from tests.tiny_project import Tiny
from tests.wandb_api import NAME, WandbApi, log_in


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(tmp_path, monkeypatch)


def test_a_run_takes_it_as_its_source_and_knows_it_again_by_its_content(tiny: Tiny) -> None:
    WandbApi.artifacts["team/rentals/sample:prod"] = {"sample.csv": b"n,name\n1,a\n5,b\n"}
    first = tiny.run(f"etl.source={NAME}")
    assert first.results[0].action == "run"
    again = tiny.run(f"etl.source={NAME}")
    assert {result.action for result in again.results} == {"skip"}
    WandbApi.artifacts["team/rentals/sample:prod"] = {"sample.csv": b"n,name\n9,c\n", "more.csv": b""}
    with pytest.raises(ReletError, match="has 2 files"):
        tiny.run(f"etl.source={NAME}")
