"""What a run of a project from elsewhere makes stays with who called it."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import relet
from relet.errors import NotFoundError
from relet.project.folder import find_place, find_root
from relet.project.stores import configured_store
from relet.tracking import courier
from relet.tracking.courier import Courier
from relet.tracking.mlflow import open_mlflow
from tests.tiny_project import Tiny


@pytest.fixture
def caller(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside of every project, from which the tiny project is run."""
    folder = tmp_path_factory.mktemp("caller")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RELET_PROJECT", str(tiny.root))
    return folder


def files(folder: Path) -> set[str]:
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {str(path) for path in found if "__pycache__" not in path.parts}


def test_what_a_project_from_elsewhere_makes_stays_with_the_caller(tiny: Tiny, caller: Path) -> None:
    before = files(tiny.root)
    assert tiny.ran() == ["get", "clean", "check", "train"]
    assert files(tiny.root) == before
    assert (caller / ".relet" / "artifacts" / "tiny.weights").is_dir()
    assert tiny.ran() == []


def test_a_relative_source_and_a_relative_store_are_the_caller_s(tiny: Tiny, caller: Path) -> None:
    (caller / "rows.csv").write_text("n,name\n3,three\n")
    (tiny.root / "rows.csv").write_text("n,name\n3,three\n4,four\n")
    tiny.run("etl.source=rows.csv", "store.url=own")
    assert len(relet.load("sample:latest", store=str(caller / "own"))) == 1


class _Rows(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"n,name\n3,three\n")

    def log_message(self, *_: object) -> None: ...


def test_what_is_fetched_for_it_stays_with_the_caller(tiny: Tiny, caller: Path) -> None:
    before = files(tiny.root)
    with HTTPServer(("127.0.0.1", 0), _Rows) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        tiny.run(f"etl.source=http://127.0.0.1:{server.server_port}/rows.csv", steps=["get"])
        server.shutdown()
    assert list((caller / ".relet" / "downloads").glob("*-rows.csv"))
    assert files(tiny.root) == before


def test_what_a_tracker_keeps_of_it_stays_with_the_caller(
    tiny: Tiny, caller: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = []

    def start(_: str, place: Path, __: Any) -> Courier:
        places.append(place)
        return Courier(store_url="", processes=())

    monkeypatch.setattr(courier, "start", start)
    tiny.run("tracking=[mlflow]")
    assert places == [caller]


def test_it_is_kept_in_the_caller_s_own_project_where_there_is_one(tiny: Tiny, caller: Path) -> None:
    (caller / "pipelines").mkdir()
    (caller / "below").mkdir()
    assert find_root() == tiny.root
    assert find_place() == caller


def test_the_folder_of_such_runs_is_found_again_without_its_project(
    tiny: Tiny, caller: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.run()
    monkeypatch.delenv("RELET_PROJECT")
    assert configured_store() == str(caller / ".relet")
    assert relet.load("weights:latest").is_file()
    assert find_place() == caller
    with pytest.raises(NotFoundError, match="no pipelines/ in"):
        find_root()


def test_a_wrong_project_is_named(caller: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELET_PROJECT", str(caller))
    with pytest.raises(NotFoundError, match=r"RELET_PROJECT is .* holds no pipelines/"):
        relet.run("tiny")


def test_the_store_that_the_environment_names_is_the_default(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELET_STORE", str(tiny.root / "named"))
    tiny.run("etl.rows=4")
    assert len(relet.load("sample:latest")) == 4
    assert not (tiny.root / ".relet").exists()
    tiny.run("store.url=asked", "etl.rows=5")
    assert len(relet.load("sample:latest", store="asked")) == 5
    tiny.run("store={url: whole}", "etl.rows=6")
    assert len(relet.load("sample:latest", store="whole")) == 6


def test_mlflow_s_files_lie_beside_its_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/theirs/mlflow.db")
    assert open_mlflow(tmp_path / "project")._artifacts == tmp_path / "theirs" / "mlruns"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://db/mlflow")
    assert open_mlflow(tmp_path / "project")._artifacts == tmp_path / "project" / "mlruns"
