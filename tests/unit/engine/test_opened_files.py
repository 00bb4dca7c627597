"""A record holds which files a step looked for by opening them, and what the folders held that it listed."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from relet.core.lookups import NOTHING
from relet.engine.observing import ReadPermissions, places_looked_at, undeclared_files, watch_process


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project, which is the working folder as well."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "a.csv").write_text("1")
    return tmp_path


def places_noted(project: Path, act: Callable[[], object]) -> dict[str, str]:
    """The places that a step asked about, which does `act`, with what its record says was there."""
    allowed = ReadPermissions(folder=project, home=project, paths=())
    with watch_process(allowed) as touched:
        act()
    return places_looked_at(touched, allowed, undeclared_files(touched, allowed))


def open_where_it_may_be_missing() -> None:
    with suppress(FileNotFoundError):
        Path("extra.txt").open().close()


def test_a_file_that_could_not_be_opened_since_it_is_missing_is_noted(project: Path) -> None:
    assert places_noted(project, open_where_it_may_be_missing) == {"extra.txt": NOTHING}


def test_a_file_that_was_opened_and_is_there_is_no_place_that_was_asked_about(project: Path) -> None:
    (project / "extra.txt").write_text("5")
    assert places_noted(project, open_where_it_may_be_missing) == {}


@pytest.mark.parametrize(
    ("listed", "counts"),
    [
        # an entry tells its size, and Python tells nobody that it was asked
        (lambda: list(os.scandir("rows")), True),
        (partial(os.listdir, "rows"), False),
        (lambda: list(Path("rows").iterdir()), False),
        (lambda: list(os.walk("rows")), False),
    ],
    ids=["scandir", "listdir", "iterdir", "walk"],
)
def test_the_sizes_of_files_count_where_a_folder_was_listed_with_them(
    project: Path, listed: Callable[[], object], counts: bool
) -> None:
    before = places_noted(project, listed)
    assert list(before) == ["rows"]
    assert places_noted(project, listed) == before
    (project / "rows" / "a.csv").write_text("123456789")
    assert (places_noted(project, listed) != before) is counts
    (project / "rows" / "b.csv").write_text("2")
    assert places_noted(project, listed) != before
