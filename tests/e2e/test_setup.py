"""Setting up: what `make` does on a fresh machine, a second time, and when something is wrong."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# The extras that have locks of their own.
LARGE = ("torch", "xgboost", "catboost")
ROOT = Path(__file__).parents[2]
PARTS = ("Makefile", "requirements.lock", "pyproject.toml", ".ci")

# Stands in for every interpreter: a good one makes a .venv whose pip and uv only write down how they are called.
GOOD = """#!/usr/bin/env bash
case "$*" in
  "-m venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python; cp "$0" .venv/bin/uv ;;
  "-m pip config get global.index-url") echo "${PIP_ANSWERS:-}" ;;
  "-m pip config get"*) exit 1 ;;
  "pip sync"*) echo "$UV_DEFAULT_INDEX" >.venv/index; exit "${SYNC_FAILS:-0}" ;;
esac
"""
OLD = """#!/usr/bin/env bash
case "$1" in --version) echo "Python 3.9.1" ;; *) exit 1 ;; esac
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout on a machine whose python3 is a stand-in, with nothing set up."""
    for name in PARTS:
        whole = ROOT / name
        (shutil.copytree if whole.is_dir() else shutil.copy)(whole, tmp_path / name)
    (tmp_path / "bin").mkdir()
    return tmp_path


def python(machine: Path, name: str, program: str) -> None:
    file = machine / "bin" / name
    file.write_text(program)
    file.chmod(0o755)


def make(machine: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "MAKE"))}
    path = f"{machine / 'bin'}:/usr/bin:/bin"
    return subprocess.run(
        ["make", ".venv/.ready", *arguments],
        cwd=machine,
        env={**kept, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_set_up_ends_with_a_stamp_and_is_not_done_twice(machine: Path) -> None:
    python(machine, "python3", GOOD)
    assert make(machine).returncode == 0
    assert (machine / ".venv" / ".ready").exists()
    assert "up to date" in make(machine).stdout


def test_a_newer_lock_is_set_up_again(machine: Path) -> None:
    python(machine, "python3", GOOD)
    make(machine)
    stamp = (machine / ".venv" / ".ready").stat().st_mtime
    os.utime(machine / "requirements.lock", (stamp + 10, stamp + 10))
    assert "set up" in make(machine).stdout


def test_a_set_up_that_failed_half_way_is_done_again(machine: Path) -> None:
    python(machine, "python3", GOOD)
    make(machine)
    future = (machine / ".venv" / ".ready").stat().st_mtime + 10
    os.utime(machine / "requirements.lock", (future, future))
    assert make(machine, SYNC_FAILS="1").returncode != 0
    assert not (machine / ".venv" / ".ready").exists()
    assert make(machine).returncode == 0


def test_an_old_python_is_named_with_what_to_do(machine: Path) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        python(machine, name, OLD)
    done = make(machine)
    assert done.returncode != 0
    assert "relet needs Python 3.11, 3.12 or 3.13; python3 is Python 3.9.1" in done.stderr
    assert "PYTHON=/path/to/python3.12" in done.stderr
    assert not (machine / ".venv").exists()


def test_a_newer_python_beside_an_old_one_is_found(machine: Path) -> None:
    python(machine, "python3", OLD)
    python(machine, "python3.12", GOOD)
    assert make(machine).returncode == 0


def test_the_python_that_was_chosen_is_held_to(machine: Path) -> None:
    python(machine, "python3", GOOD)
    python(machine, "ancient", OLD)
    done = make(machine, "PYTHON=ancient")
    assert done.returncode != 0
    assert "PYTHON=ancient is Python 3.9.1" in done.stderr


@pytest.mark.parametrize(
    ("environment", "index"),
    [
        ({}, ""),
        ({"PIP_ANSWERS": "https://mirror.example/simple"}, "https://mirror.example/simple"),
        ({"PIP_INDEX_URL": "https://other.example/simple"}, "https://other.example/simple"),
        ({"PIP_ANSWERS": "https://a.example", "UV_DEFAULT_INDEX": "https://b.example"}, "https://b.example"),
    ],
)
def test_uv_is_told_of_the_index_that_pip_is_configured_with(
    machine: Path, environment: dict[str, str], index: str
) -> None:
    python(machine, "python3", GOOD)
    assert make(machine, **environment).returncode == 0
    assert (machine / ".venv" / "index").read_text().strip() == index


def test_the_lock_holds_every_file_to_a_hash_and_names_no_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^[a-z0-9].*", lock, re.MULTILINE)
    assert len(pinned) > 100
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.\-]*==\S+( ; .+)? \\", line) for line in pinned)
    assert "://" not in lock
    assert not re.search(r"^-", lock, re.MULTILINE)


def test_the_lock_has_what_the_project_asks_for() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [
        *project["dependencies"],
        # large, each for some models: whoever wants one installs it beside the lock
        *(each for name, extra in project["optional-dependencies"].items() if name not in LARGE for each in extra),
    ]
    names = {re.split(r"[\[<>=]", each)[0].lower() for each in asked} - {"relet"}
    locked = set(re.findall(r"^([a-z0-9][a-z0-9.\-]*)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert names - locked == set(), "run `make lock`"


def _other_python() -> str | None:
    uv = Path(sys.executable).parent / "uv"
    here = f"3.{sys.version_info.minor}"
    for version in {"3.11", "3.12", "3.13"} - {here}:
        found = subprocess.run(
            [uv, "python", "find", "--no-python-downloads", "--no-project", version],
            capture_output=True,
            text=True,
        )
        if found.returncode == 0:
            return found.stdout.strip()
    return None


@pytest.mark.long
@pytest.mark.timeout(900)
def test_another_python_is_set_up_and_imports_all_of_relet(tmp_path: Path) -> None:
    other = _other_python()
    if other is None:
        pytest.skip("this machine has no other Python that relet supports")
    copy = tmp_path / "copy"
    ignored = shutil.ignore_patterns(".git", ".venv", ".relet", "mlruns", "mlflow.db*", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=ignored)
    done = subprocess.run(["make", ".venv/.ready", f"PYTHON={other}"], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    tests = [copy / ".venv/bin/python", "-m", "pytest", "-q", "tests/architecture", "tests/unit/config"]
    checked = subprocess.run(tests, cwd=copy, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
