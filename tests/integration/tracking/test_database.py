"""MLflow's SQLite file is whole or not there, and one of many processes makes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from relet.errors import TrackerError
from relet.tracking.mlflow import open_mlflow

CONNECT = """
import sys
from pathlib import Path
from relet.tracking.mlflow import open_mlflow
open_mlflow(Path(sys.argv[1])).connect()
"""


@pytest.fixture(autouse=True)
def no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.mark.long
def test_processes_that_connect_first_at_once_all_find_a_whole_database(tmp_path: Path) -> None:
    """Left to MLflow, they would run its migrations in one file at a time, and most of them would fail."""
    command = [sys.executable, "-c", CONNECT, str(tmp_path / "new")]
    connecting = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [each.communicate()[1] for each in connecting if each.wait()] == []
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mlflow.db"]


def test_a_database_whose_making_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mlflow.MlflowClient, "search_experiments", fail)
    with pytest.raises(TrackerError, match="No space left on device"):
        open_mlflow(tmp_path).connect()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_made_for_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    with pytest.raises(TrackerError):
        open_mlflow(tmp_path).connect()
    assert not list(tmp_path.iterdir())


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:Query string argument")
def test_what_follows_the_name_of_a_file_is_left_to_mlflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///x.db?mode=rwc")
    open_mlflow(tmp_path).connect()
    assert [path.name for path in tmp_path.iterdir()] == ["x.db"]


def test_the_default_is_a_file_in_the_project_and_the_setting_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_mlflow(tmp_path).uri == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracker:5000")
    assert open_mlflow(tmp_path).uri == "http://tracker:5000"
