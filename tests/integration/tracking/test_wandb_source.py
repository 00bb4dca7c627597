"""A run takes an artifact of W&B as its source."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from relet.errors import ReletError
from relet.tracking.wandb import source
from tests.tiny_project import Tiny

wandb = pytest.importorskip("wandb", reason="wandb is not installed")

NAME = "wandb:team/rentals/sample:prod"


class Api:
    """The parts of `wandb.Api` that are used, over artifacts that are kept in memory."""

    artifacts: ClassVar[dict[str, dict[str, bytes]]] = {}

    def __init__(self, timeout: int) -> None:
        assert 0 < timeout <= 60

    def artifact(self, name: str) -> Any:
        if name not in self.artifacts:
            raise wandb.errors.CommError(f"artifact {name!r} not found in\nteam/rentals")
        return Artifact(self.artifacts[name])


class Artifact:
    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.digest = "ab/c+" + str(len(files))
        self.manifest = type("Manifest", (), {"entries": files})

    def get_entry(self, path: str) -> Any:
        def download(root: str) -> str:
            to = Path(root) / path
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(self.files[path])
            return str(to)

        return type("Entry", (), {"download": staticmethod(download)})


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setattr(wandb, "Api", Api)
    monkeypatch.setattr(source, "why_unreachable", lambda: "")
    monkeypatch.setattr(Api, "artifacts", {})


def test_a_run_takes_it_as_its_source_and_knows_it_again_by_its_content(tiny: Tiny) -> None:
    Api.artifacts["team/rentals/sample:prod"] = {"sample.csv": b"n,name\n1,a\n5,b\n"}
    first = tiny.run(f"etl.source={NAME}")
    assert first.results[0].action == "run"
    again = tiny.run(f"etl.source={NAME}")
    assert {result.action for result in again.results} == {"skip"}
    Api.artifacts["team/rentals/sample:prod"] = {"sample.csv": b"n,name\n9,c\n", "more.csv": b""}
    with pytest.raises(ReletError, match="has 2 files"):
        tiny.run(f"etl.source={NAME}")
