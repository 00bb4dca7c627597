"""Projects that MLflow cloned."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import relet
from relet import mlproject
from relet.errors import SettingError
from tests.tiny_project import FILES, Tiny


@pytest.fixture
def mlflows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder into which MLflow cloned the tiny project."""
    root = Path(tempfile.mkdtemp()).resolve()
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content.lstrip("\n"))
    monkeypatch.chdir(root)
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    for name in ("RELET_STORE", "RELET_PROJECT"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    yield root
    shutil.rmtree(root)


def test_a_run_of_mlflow_s_clone_belongs_to_the_folder_of_its_database(mlflows: Path, tmp_path: Path) -> None:
    assert mlproject.cloned_by_mlflow(mlflows)
    mlproject.go_to_caller(mlflows, ["run", "tiny"])
    assert Path.cwd() == tmp_path
    assert os.environ["RELET_STORE"] == str(tmp_path / ".relet")
    assert os.environ["RELET_PROJECT"] == str(mlflows)
    relet.run("tiny")
    assert not (mlflows / ".relet").exists()


def test_its_own_words_win(mlflows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlproject.go_to_caller(mlflows, ["run", "tiny", "store.url=x"])
    assert os.environ["RELET_STORE"] == ""
    monkeypatch.setenv("RELET_STORE", "named")
    mlproject.go_to_caller(mlflows, ["run", "tiny"])
    assert os.environ["RELET_STORE"] == "named"


@pytest.mark.parametrize("uri", ["http://tracker:5000", "sqlite:///mlflow.db"])
def test_a_store_that_would_be_lost_is_refused(mlflows: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for words in (["run", "tiny"], ["run", "tiny", "store.url=x"], ["run", "tiny", f"store.url={mlflows}/x"]):
        with pytest.raises(SettingError, match="a store would be lost: set RELET_STORE"):
            mlproject.go_to_caller(mlflows, words)
    mlproject.go_to_caller(mlflows, ["run", "tiny", "store.url=/elsewhere"])
    monkeypatch.setenv("RELET_STORE", "s3://bucket/x")
    mlproject.go_to_caller(mlflows, ["run", "tiny"])
    assert Path.cwd() == mlflows


def test_mlflow_s_project_is_the_one_that_runs_whatever_the_environment_names(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELET_PROJECT", str(tmp_path / "elsewhere"))
    started = []
    monkeypatch.setattr(os, "execv", lambda _, words: started.append((words[1:], os.environ.get("RELET_PROJECT"))))
    mlproject.main("tiny", ["steps=get", "etl.low=3 'etl.source=a b.csv'"])
    words = ["-P", "-m", "relet", "run", "tiny", "steps=get", "etl.low=3", "etl.source=a b.csv"]
    assert started == [(words, None)]


def test_a_project_s_own_folder_is_not_taken_for_a_clone(
    mlflows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not mlproject.cloned_by_mlflow(tmp_path)
    assert not mlproject.cloned_by_mlflow(Path(tempfile.gettempdir()).resolve())
    monkeypatch.delenv("MLFLOW_RUN_ID")
    assert not mlproject.cloned_by_mlflow(mlflows)
