"""`wandb:entity/project/name:alias` as a source outside. W&B's server is played by a stand-in for `wandb.Api`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from relet.errors import BadDataError, SettingError
from relet.tracking.wandb import source, upload
from tests.wandb_api import NAME, WandbApi, log_in


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(tmp_path, monkeypatch)


def test_an_artifact_with_one_file_is_that_file(tmp_path: Path) -> None:
    WandbApi.artifacts["team/rentals/sample:prod"] = {"data/sample.csv": b"n,name\n1,a\n"}
    found = source.fetch(NAME, tmp_path / "downloads")
    assert found.read_bytes() == b"n,name\n1,a\n" and tmp_path / "downloads" in found.parents
    assert source.fetch(f"{NAME}/data/sample.csv", tmp_path).name == "sample.csv"


def test_of_several_files_one_is_named(tmp_path: Path) -> None:
    WandbApi.artifacts["team/rentals/sample:prod"] = {"a.csv": b"a", "b.csv": b"b"}
    with pytest.raises(BadDataError, match=r"has 2 files \(a.csv, b.csv\); write wandb:team/.*/FILE"):
        source.fetch(NAME, tmp_path)
    with pytest.raises(BadDataError, match=r"no file 'b.cvs'; did you mean b.csv\?"):
        source.fetch(f"{NAME}/b.cvs", tmp_path)
    assert source.fetch(f"{NAME}/b.csv", tmp_path).read_bytes() == b"b"


def test_what_wandb_says_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"sample:prod can't be read from W&B: .*not found in team"):
        source.fetch(NAME, tmp_path)


def test_a_server_that_is_not_there_is_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "why_unreachable", upload.why_unreachable)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(BadDataError, match=r"http://127.0.0.1:9 can't be reached: ConnectionError"):
        source.fetch(NAME, tmp_path)


@pytest.mark.parametrize(
    "wrong",
    ["wandb:sample:prod", "wandb:team/rentals/sample", "wandb://team/rentals/sample:prod", f"{NAME}/", "wandb:"],
)
def test_a_reference_that_is_none_gets_its_form(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="write wandb:entity/project/name:alias"):
        source.fetch(wrong, tmp_path)


def test_offline_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wandb.Api", None)
    monkeypatch.setenv("WANDB_MODE", "offline")
    with pytest.raises(BadDataError, match="WANDB_MODE is offline; set it to online"):
        source.fetch(NAME, tmp_path)
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.delenv("WANDB_API_KEY")
    with pytest.raises(BadDataError, match="nobody is logged in; run `wandb login`"):
        source.fetch(NAME, tmp_path)
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(SettingError, match=r"pip install 'relet\[wandb\]'"):
        source.fetch(NAME, tmp_path)
