"""A stand-in for `wandb.Api`, over artifacts that are kept in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

NAME = "wandb:team/rentals/sample:prod"


class WandbApi:
    """The parts of `wandb.Api` that relet uses. `artifacts` maps a name to the files in it by their paths."""

    artifacts: ClassVar[dict[str, dict[str, bytes]]] = {}

    def __init__(self, timeout: int) -> None:
        assert 0 < timeout <= 60

    def artifact(self, name: str) -> WandbArtifact:
        from wandb.errors import CommError

        if name not in self.artifacts:
            raise CommError(f"artifact {name!r} not found in\nteam/rentals")
        return WandbArtifact(self.artifacts[name])


class WandbArtifact:
    """The parts of `wandb.Artifact` that relet uses."""

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


def log_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be logged in to a W&B that can be reached and holds nothing."""
    wandb = pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.setenv("NETRC", str(folder / "netrc"))
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setattr(wandb, "Api", WandbApi)
    monkeypatch.setattr("relet.tracking.wandb.source.why_unreachable", lambda: "")
    monkeypatch.setattr(WandbApi, "artifacts", {})
