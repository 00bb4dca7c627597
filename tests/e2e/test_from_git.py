"""The flagship run straight from a repository that git's own daemon serves: by relet, and by MLflow."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from relet.core.record import RunRecord
from relet.environments.cache import cache_folder
from relet.environments.interpreters import find_interpreter
from relet.errors import SetUpError
from relet.mlproject import PYTHON
from relet.store import open_store

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SMALL = ("etl.rows=2000", "data_check.min_rows=10")

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def git(*words: str | Path, cwd: Path | None = None) -> str:
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *words], cwd=cwd, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


@dataclass(frozen=True)
class Served:
    """A repository that is served: its URL, and the commit that its tag 1.0.0 stands for."""

    url: str
    commit: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """This project as it stands, what is not committed included, on loopback."""
    if not (ROOT / ".git").exists():
        pytest.skip("these tests need the project's git repository")
    folder = tmp_path_factory.mktemp("served")
    commit = _committed(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    daemon = [f"{git('--exec-path')}/git-daemon", "--export-all", f"--base-path={folder}", "--reuseaddr"]
    process = subprocess.Popen([*daemon, "--listen=127.0.0.1", f"--port={port}"], start_new_session=True)
    try:
        _wait_for(f"git://127.0.0.1:{port}/x.git")
        yield Served(f"git://127.0.0.1:{port}/x.git", commit)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _committed(folder: Path) -> str:
    work = folder / "work"
    git("clone", "--quiet", ROOT, work)
    git("rm", "-r", "--quiet", ".", cwd=work)
    for name in git("ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT).split("\0"):
        if (ROOT / name).is_file():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, work / name)
    git("add", "--all", cwd=work)
    git("commit", "--quiet", "--allow-empty", "-m", "as it stands", cwd=work)
    git("tag", "-a", "1.0.0", "-m", "annotated", cwd=work)
    git("clone", "--quiet", "--bare", work, folder / "x.git")
    return git("rev-parse", "HEAD", cwd=work)


def _wait_for(url: str) -> None:
    until = time.monotonic() + 20
    while subprocess.run(["git", "ls-remote", url], capture_output=True, timeout=20).returncode:
        assert time.monotonic() < until, "git daemon does not answer"
        time.sleep(0.1)


@dataclass(frozen=True)
class Caller:
    """Somebody in a folder that is no project, with a cache of clones of their own."""

    folder: Path
    variables: dict[str, str]

    def starts(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=800,
        )

    def runs(self, *words: str) -> dict[str, Any]:
        done = self.starts("relet", "run", *words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return {**last, "actions": re.findall(r'"action": "(\w+)"', done.stdout)}

    def record(self) -> RunRecord:
        """The newest run of a pipeline in the folder's store."""
        return next(each for each in open_store(str(self.folder / ".relet")).runs() if each.parent is None)


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    own = ("RELET_", "MLFLOW_", "PYTEST_", "GIT_", "PYTHON")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    for name in ("caller", "cache", "temporary"):
        (tmp_path / name).mkdir()
    # the environments are those of the machine: making one takes long
    (cache_folder() / "environments").mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache" / "environments").symlink_to(cache_folder() / "environments")
    variables |= {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "RELET_CACHE": str(tmp_path / "cache"),
        "TMPDIR": str(tmp_path / "temporary"),
        "MLFLOW_ENV_ROOT": str(tmp_path / "temporary" / "envs"),
    }
    return Caller(tmp_path / "caller", variables)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_tag_runs_with_its_own_lock_is_skipped_again_and_is_reproduced(served: Served, caller: Caller) -> None:
    target = f"{served.url}@1.0.0"
    first = caller.runs(target, "nyc_rentals", "main.evaluate=true", *SMALL)
    assert first["actions"] == ["run"] * 7
    assert names(caller.folder) == {".relet", "mlflow.db", "mlruns"}
    code = caller.record().code
    assert (code.commit, code.repository, code.dirty) == (served.commit, served.url, False)
    again = caller.runs(target, "nyc_rentals", "main.evaluate=true", *SMALL)
    assert again["actions"] == ["skip"] * 7
    (clone,) = Path(caller.variables["RELET_CACHE"]).glob(f"checkouts/*/{served.commit}")
    assert git("status", "--porcelain", "--ignored", cwd=clone) == ""
    # from the code tree of the run: the clone is gone
    shutil.rmtree(clone.parent)
    done = caller.starts("relet", "reproduce", first["run"], "--json")
    found = json.loads(done.stdout)["reproduction"]
    assert (found["likeness"], found["environment"]) == ("IDENTICAL", "uv"), found["reason"]
    # nothing here holds the commit, which the run's code could be compared with
    untold = f"nobody can tell here whether its code is that of commit {served.commit[:12]}"
    assert (found["commit"], found["caveats"], done.returncode) == (served.commit, [untold], 0)
    assert "nothing is broken" in caller.starts("relet", "artifacts", "verify").stdout


def test_one_step_of_a_tag_runs_alone(served: Served, caller: Caller) -> None:
    assert caller.runs(f"{served.url}@1.0.0", "nyc_rentals.get_data", "rows=300")["actions"] == ["run"]
    done = caller.starts("relet", "run", f"{served.url}@1.0", "nyc_rentals")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{served.url} has no tag, branch or commit '1.0': did you mean 1.0.0?" in done.stderr


@pytest.mark.parametrize("manager", ["local", "uv"])
def test_mlflow_runs_a_tag_into_the_store_beside_its_database(
    served: Served, caller: Caller, manager: str
) -> None:
    """uv takes the index that the user configured for it; without that exact Python there is nothing to test."""
    if manager == "uv":
        try:
            assert find_interpreter(PYTHON).python == PYTHON
        except (SetUpError, AssertionError):
            pytest.skip(f"no Python {PYTHON} on this machine")
    from pipelines.nyc_rentals.generated import simulate

    listings = simulate(2000, 1).to_pandas()
    listings.to_csv(caller.folder / "listings.csv", index=False)
    done = mlflow_run(served, caller, manager, "etl.source=listings.csv data_check.min_rows=10")
    assert done.returncode == 0, done.stdout + done.stderr
    assert names(caller.folder) == {".relet", "mlflow.db", "mlruns", "listings.csv"}
    record = caller.record()
    assert (record.code.commit, record.code.repository) == (served.commit, served.url)
    assert not record.code.dirty
    assert record.steps.keys() == {"get_data", "basic_cleaning"}
    store = open_store(str(caller.folder / ".relet"))
    assert store.version("sample:latest").metadata["rows"] == len(listings)
    words = ("nyc_rentals", "steps=get_data,basic_cleaning", "etl.source=listings.csv")
    actions = caller.runs(f"{served.url}@1.0.0", *words)["actions"]
    # a run by relet goes on from there; MLflow's own environment lacks polars, which the second step's key names
    assert actions == ["skip", "skip"] if manager == "local" else actions[0] == "skip"
    temporary = Path(caller.variables["TMPDIR"])
    assert not [path for path in temporary.rglob("*") if path.name in (".relet", "mlruns", "mlflow.db")]


def test_mlflow_with_a_store_of_the_user_s_own(served: Served, caller: Caller) -> None:
    options = f"{' '.join(SMALL)} store.url=elsewhere"
    done = mlflow_run(served, caller, "local", options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert names(caller.folder) == {"elsewhere", "mlflow.db", "mlruns"}
    assert open_store(str(caller.folder / "elsewhere")).version("sample:latest").metadata["rows"] >= 2000


def mlflow_run(served: Served, caller: Caller, manager: str, options: str) -> subprocess.CompletedProcess[str]:
    words = ["run", served.url, "-v", "1.0.0", "--env-manager", manager]
    parameters = ["-P", "steps=get_data,basic_cleaning", "-P", f"hydra_options={options}"]
    return caller.starts("mlflow", *words, *parameters)
