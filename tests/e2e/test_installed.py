"""relet as a stranger has it: a wheel that came from the sdist, in a fresh environment, without the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
# What would lead the installed relet back to this repository.
MISLEADING = ("PYTHONPATH", "VIRTUAL_ENV", "RELET_PROJECT", "PYTEST_ADDOPTS", "PYTHONDONTWRITEBYTECODE")
PANDAS = {
    "src/ownlib/__init__.py": "",
    "src/ownlib/rates.py": "RATE = 2\n",
    "pyproject.toml": '[project]\nname = "ownlib"\nversion = "1"\ndependencies = ["relet", "pandas"]\n'
    '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n',
    "pipelines/sums/pipeline.py": "from relet import Pipeline\nfrom pipelines.sums.make import make\n"
    "from pipelines.sums.add import add\n\npipeline = Pipeline([make, add])\n",
    "pipelines/sums/conf/config.yaml": "main: {experiment_name: sums}\nstore: {url: .relet}\ntracking: []\n",
    "pipelines/sums/make.py": """
from typing import NamedTuple
import numpy as np
import pandas as pd
from relet import component

class Made(NamedTuple):
    rows: pd.DataFrame

@component(job_type="make")
def make(*, count: int = 3) -> Made:
    '''Count.'''
    return Made(pd.DataFrame({"n": np.arange(count)}))
""",
    "pipelines/sums/add.py": """
from typing import NamedTuple
import numpy as np
import pandas as pd
from ownlib.rates import RATE
from relet import Metrics, component

class Added(NamedTuple):
    totals: Metrics

@component(job_type="add")
def add(rows: pd.DataFrame) -> Added:
    '''Add.'''
    return Added({"total": float(np.sum(rows["n"])) * RATE})
""",
}

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Installed:
    """An environment with relet, and the variables in which a stranger's shell differs from this one."""

    folder: Path
    variables: dict[str, str]

    def __call__(self, *words: str | Path, cwd: Path, status: int = 0, program: str = "relet") -> str:
        done = subprocess.run(
            [self.folder / "bin" / program, *words],
            cwd=cwd,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == status, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def install(self, *words: str | Path) -> None:
        uv("pip", "install", "-q", "--python", self.folder / "bin" / "python", *words)

    def actions(self, cwd: Path, pipeline: str) -> dict[str, str]:
        """What a run did: component → run or skip, with the reason."""
        events: list[Any] = [json.loads(line) for line in self("run", pipeline, "--json", cwd=cwd).splitlines()]
        return {
            each["component"]: f"{each['action']}: {each['reason']}" for each in events if each["event"] == "ended"
        }


def uv(*words: str | Path) -> None:
    done = subprocess.run([UV, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    uv("build", "-q", "--out-dir", folder / "dist", ROOT)
    kinds = sorted(
        path.name.rpartition(".")[2] for path in (folder / "dist").iterdir() if path.name != ".gitignore"
    )
    assert kinds == ["gz", "whl"]
    uv("venv", "-q", "--python", sys.executable, folder / "venv")
    kept = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    path = os.pathsep.join([str(folder / "venv" / "bin"), str(UV.parent), kept.get("PATH", "")])
    cache = {"RELET_CACHE": str(folder / "cache"), "HOME": kept.get("HOME", str(folder))}
    made = Installed(folder / "venv", {**kept, **cache, "PATH": path})
    made.install(next((folder / "dist").glob("*.whl")))
    return made


def test_the_wheel_holds_each_file_of_the_package(installed: Installed) -> None:
    (wheel,) = (installed.folder.parent / "dist").glob("*.whl")
    held = set(ZipFile(wheel).namelist())
    files = [path.relative_to(ROOT / "src") for path in (ROOT / "src" / "relet").rglob("*") if path.is_file()]
    wanted = {path.as_posix() for path in files if path.suffix != ".pyc"}
    assert wanted and wanted <= held, wanted - held


def test_two_components_with_pandas_run_and_only_what_changed_runs_again(
    installed: Installed, tmp_path: Path
) -> None:
    project = write(tmp_path / "own", PANDAS)
    assert set(installed.actions(project, "sums").values()) == {"run: first run"}
    assert set(installed.actions(project, "sums").values()) == {"skip: same key"}
    installed.install("cowsay")
    assert set(installed.actions(project, "sums").values()) == {"skip: same key"}
    write(project, {"src/ownlib/rates.py": "RATE = 3\n"})
    again = installed.actions(project, "sums")
    assert again["make"] == "skip: same key" and again["add"].startswith("run: ")
    stored = sum(path.stat().st_size for path in (project / ".relet").rglob("*") if path.is_file())
    assert stored < 1_000_000


def test_a_project_with_a_model_is_made_again_from_its_lock_and_runs_from_git(
    installed: Installed, tmp_path: Path
) -> None:
    installed("new", "flats", cwd=tmp_path)
    project = tmp_path / "flats"
    lock = (project / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock and "://" not in lock and str(tmp_path) not in lock
    assert installed("lock", "--check", cwd=project).startswith("requirements.lock is whole")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "begin"], ["tag", "1.0.0"]):
        git(project, *words)
    # a plain install has no tracker and no LightGBM, and needs neither
    (packages,) = (installed.folder / "lib").glob("python*/site-packages")
    assert {"lightgbm", "mlflow"}.isdisjoint(each.name for each in packages.iterdir())
    output = installed("run", "flats", "main.evaluate=true", cwd=project)
    assert "the lock falls short" not in output and "test_mae" in output
    installed("sync", cwd=project)
    assert "IDENTICAL" in installed("reproduce", "model:latest", cwd=project)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    installed("run", f"file://{project}@1.0.0", "flats", "tracking=[]", cwd=elsewhere)
    listed = installed("artifacts", "list", cwd=elsewhere)
    assert "model" in listed and "clean_sample" in listed
