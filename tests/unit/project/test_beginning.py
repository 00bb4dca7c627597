"""Where a project is not, and what is kept out of git."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.errors import NotFoundError
from relet.project.folder import find_root, keep_out_of_git
from relet.project.order import read_order
from relet.project.request import prepare
from tests.tiny_project import Tiny


def test_outside_of_every_project_the_error_says_how_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError, match="or begin one: relet new NAME"):
        find_root()


def test_what_relet_keeps_ignores_itself(tmp_path: Path) -> None:
    keep_out_of_git(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".relet").mkdir()
    keep_out_of_git(tmp_path)
    assert (tmp_path / ".relet" / ".gitignore").read_text() == "*\n"


def test_what_a_person_wrote_there_stays(tmp_path: Path) -> None:
    (tmp_path / ".relet").mkdir()
    (tmp_path / ".relet" / ".gitignore").write_text("objects\n")
    keep_out_of_git(tmp_path)
    assert (tmp_path / ".relet" / ".gitignore").read_text() == "objects\n"


def test_a_relative_source_is_found_from_any_folder_of_the_project(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny.root / "data").mkdir()
    (tiny.root / "data" / "rows.csv").write_text("n,name\n1,a\n")
    order = read_order("tiny", ["etl.source=data/rows.csv"])
    found = [prepare(order).arguments["get"]["source"]]
    monkeypatch.chdir(tiny.root / "pipelines")
    found.append(prepare(order).arguments["get"]["source"])
    assert found == [str(tiny.root / "data" / "rows.csv")] * 2


def test_the_current_folder_has_the_first_word(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (tiny.root, tiny.root / "pipelines"):
        (folder / "rows.csv").write_text("n,name\n1,a\n")
    monkeypatch.chdir(tiny.root / "pipelines")
    order = read_order("tiny", ["etl.source=rows.csv"])
    assert prepare(order).arguments["get"]["source"] == str(tiny.root / "pipelines" / "rows.csv")
