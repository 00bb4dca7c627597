"""MLflow's SQLite file made from its schema is the one that MLflow's migrations would have made."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from relet.tracking.mlflow import database, open_mlflow


def schema(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("select type, name, sql from sqlite_master order by type, name").fetchall()
        head = connection.execute("select * from alembic_version").fetchall()
    # The migrations copy some tables with their constraints in the order of a set.
    return [
        (type, name, sorted("".join((sql or "").rstrip(")\n\t ").split()).split(","))) for type, name, sql in rows
    ] + head


def test_it_is_made_once_however_many_try(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/new/mlflow.db"
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: database.prepare(uri), range(8)))
    assert made.count(True) == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mlflow.db"]


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1", "postgresql://db/mlflow", "sqlite:///x.db?mode=ro"])
def test_nothing_is_made_for_another_kind_of_tracker(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not database.prepare(uri) and not list(tmp_path.iterdir())


def test_another_mlflow_makes_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MLFLOW", "0.0.0")
    assert not database.prepare(f"sqlite:///{tmp_path}/mlflow.db")


def test_the_schema_is_that_of_the_locked_mlflow() -> None:
    assert version("mlflow-skinny") == database.MLFLOW, "make schema.sql again from this version's migrations"


@pytest.mark.long
def test_the_schema_is_what_the_migrations_come_to(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    database.prepare(f"sqlite:///{tmp_path}/quick.db")
    MlflowClient(f"sqlite:///{tmp_path}/slow.db").search_experiments(max_results=1)
    assert schema(tmp_path / "quick.db") == schema(tmp_path / "slow.db")


def test_the_default_is_a_file_in_the_project_and_the_setting_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert open_mlflow(tmp_path).uri == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracker:5000")
    assert open_mlflow(tmp_path).uri == "http://tracker:5000"
