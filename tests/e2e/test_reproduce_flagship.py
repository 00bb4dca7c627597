"""The flagship is made again: from a fresh clone, in a fresh environment made from its lock, to the bit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from relet.environments import interpreters
from relet.errors import SetUpError

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Original:
    """A clone of this repository in which the flagship was run once, and that run."""

    project: Path
    run: str


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    if not (ROOT / ".git").exists():
        pytest.skip("these tests need the project's git repository")
    project = tmp_path_factory.mktemp("original") / "project"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(project)], check=True)
    words = [str(BIN / "relet"), "run", "nyc_rentals", "--json", "main.evaluate=true", "tracking=[]"]
    done = subprocess.run(words, cwd=project, capture_output=True, text=True, check=True)
    return Original(project, json.loads(done.stdout.splitlines()[-1])["run"])


def reproduced(
    project: Path, target: str, *words: str, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    command = [str(BIN / "relet"), "reproduce", target, "--json", *words]
    variables = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **(environment or {})}
    done = subprocess.run(command, cwd=project, env=variables, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["reproduction"]
    assert done.returncode == {"DIVERGED": 1, "IMPOSSIBLE": 2}.get(found["likeness"], 0)
    return found


def test_from_a_fresh_clone_in_a_fresh_environment_it_is_identical(original: Original, tmp_path: Path) -> None:
    found = reproduced(original.project, original.run, environment={"RELET_CACHE": str(tmp_path / "cache")})
    assert (found["likeness"], found["environment"]) == ("IDENTICAL", "uv"), found["reason"]
    assert [step["component"] for step in found["steps"]] == [
        "get_data",
        "basic_cleaning",
        "data_check",
        "report_batch",
        "data_split",
        "train_model",
        "test_model",
    ]
    assert found["caveats"] == []
    assert (
        found["commit"]
        == subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=original.project, capture_output=True, text=True, check=True
        ).stdout.strip()
    )


def test_elsewhere_under_other_circumstances_it_is_identical(original: Original, tmp_path: Path) -> None:
    """Another folder and home, zone, language and hash seed, one thread; in this environment."""
    elsewhere = tmp_path / "another folder"
    shutil.copytree(original.project, elsewhere)
    home = tmp_path / "home"
    home.mkdir()
    others = {
        "HOME": str(home),
        "USER": "somebody",
        "TZ": "LINT-14",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "4242",
        "OMP_NUM_THREADS": "1",
    }
    found = reproduced(elsewhere, original.run, "--here", environment=others)
    assert found["likeness"] == "IDENTICAL", found["reason"]
    named = ("TZ", "LC_ALL", "PYTHONHASHSEED", "OMP_NUM_THREADS")
    assert {name: others[name] for name in named}.items() <= found["reproduced"]["environment"].items()


def test_on_another_python_it_is_equivalent_at_least_and_names_the_libraries(original: Original) -> None:
    try:
        interpreters.find_interpreter("3.12")
    except SetUpError as error:
        pytest.skip(str(error))
    if sys.version_info[:2] == (3, 12):
        pytest.skip("this is Python 3.12 already")
    found = reproduced(original.project, original.run, "--python", "3.12")
    assert found["likeness"] in ("IDENTICAL", "EQUIVALENT"), found["reason"]
    if found["likeness"] == "EQUIVALENT":
        assert "numpy" in found["reason"]
        assert "python 3.11" in found["reason"]


def test_a_model_is_made_again_where_only_its_bundle_and_a_clone_are(original: Original, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar"
    relet = str(BIN / "relet")
    export = [relet, "artifacts", "export", "model:v1", str(bundle), "--with-history"]
    subprocess.run(export, cwd=original.project, check=True, capture_output=True)
    elsewhere = tmp_path / "elsewhere"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(elsewhere)], check=True)
    subprocess.run([relet, "artifacts", "import", str(bundle)], cwd=elsewhere, check=True, capture_output=True)
    found = reproduced(elsewhere, "model:v1", "--here", "--trust")
    assert found["likeness"] == "IDENTICAL", found["reason"]
    assert [step["component"] for step in found["steps"]][-1] == "train_model"
