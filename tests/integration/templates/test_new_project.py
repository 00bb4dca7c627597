"""A project that `relet new` writes runs, passes its tests, and satisfies ruff and mypy as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relet.templates.project import new_project
from relet.templates.roles import Task
from tests.ugly_files import BUNDLED, UGLY

SOURCE = Path(__file__).parents[3] / "src"
LINTED = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])


def environment() -> dict[str, str]:
    """That of a command in the project: nothing of the pytest that runs this is meant for the one there."""
    given = {**os.environ, "PYTHONPATH": str(SOURCE), "NO_COLOR": "1", "COLUMNS": "120"}
    return {name: value for name, value in given.items() if not name.startswith("PYTEST_")}


def done(root: Path, *words: str) -> str:
    """What a module of Python says that is called in the project's folder; it has to succeed."""
    ran = subprocess.run(
        [sys.executable, "-m", *words], cwd=root, env=environment(), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{' '.join(words)}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="module")
def rents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as it was written, with one more pipeline, component and check."""
    folder = tmp_path_factory.mktemp("new")
    done(folder, "relet", "new", "rents")
    root = folder / "rents"
    done(root, "relet", "new", "component", "count_rooms")
    done(root, "relet", "new", "check", "no_row_twice")
    target = UGLY["orders"](folder / "orders.csv")
    done(root, "relet", "new", "pipeline", "orders", "--from-csv", "../orders.csv", "--target", target)
    return root


@pytest.mark.long
@pytest.mark.timeout(300)
def test_it_runs_from_any_folder_of_its_own(rents: Path) -> None:
    said = done(rents / "data", "relet", "run", "rents", "main.evaluate=true", "tracking=[]")
    assert "7 run, 0 skipped" in said
    assert "checks passed" in said
    assert "0 run, 7 skipped" in done(rents, "relet", "run", "rents", "main.evaluate=true", "tracking=[]")


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("pipeline", "metric"), [("rents", "mae"), ("orders", "log_loss")])
def test_its_settings_can_be_searched_as_it_was_written(rents: Path, pipeline: str, metric: str) -> None:
    said = done(rents, "relet", "tune", pipeline, "trials=2", "tracking=[]")
    assert f"2 trials, to minimize {metric} on 3 folds" in said
    assert "2 trials, 2 on every fold" in said or "1 given up early" in said
    assert f"relet run {pipeline} modeling." in said or "as configured" in said


@pytest.mark.long
@pytest.mark.timeout(300)
def test_bounds_that_are_turned_around_set_no_row_aside(rents: Path) -> None:
    words = [sys.executable, "-m", "relet", "run", "rents", "etl.bounds.rooms=[100,20]", "tracking=[]"]
    ran = subprocess.run(words, cwd=rents, env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "etl.bounds.rooms takes the least value first: 100 is more than 20" in ran.stderr


@pytest.mark.long
@pytest.mark.timeout(300)
def test_git_sees_nothing_of_what_relet_keeps(rents: Path) -> None:
    done(rents, "relet", "run", "rents", "steps=get_data", "tracking=[]")
    (rents / ".gitignore").write_text("")
    subprocess.run(["git", "init", "-q", "."], cwd=rents, check=True)
    said = subprocess.run(
        ["git", "status", "--short", "--untracked-files=all"], cwd=rents, check=True, capture_output=True
    )
    assert b".relet/" not in said.stdout
    assert "nothing is broken" in done(rents, "relet", "artifacts", "verify")


@pytest.mark.parametrize("words", LINTED, ids=" ".join)
@pytest.mark.long
def test_it_satisfies_the_linters(rents: Path, words: list[str]) -> None:
    assert done(rents, *words)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_it_passes_its_own_tests(rents: Path) -> None:
    assert "9 passed" in done(rents, "pytest", "-q")


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", [*UGLY, *BUNDLED])
def test_a_pipeline_for_a_file_passes_its_own_test(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file.csv"
    target = {**UGLY, **BUNDLED}[kind](path)
    made = new_project(kind, into=tmp_path, file=path, target=target)
    root = made.root
    done(root, "ruff", "check", ".")
    done(root, "ruff", "format", "--check", ".")
    wanted = 3 if made.roles.task is Task.REGRESSION else 5
    assert f"{wanted} passed" in done(root, "pytest", "-q")
    said = done(root, "relet", "run", kind, "main.evaluate=true", "tracking=[]")
    assert "6 run, 0 skipped" in said
