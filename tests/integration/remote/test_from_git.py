"""Runs of what a commit of a repository holds."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relet import environments
from relet.cli.run import command
from relet.environments import interpreters
from relet.errors import SetUpError
from relet.remote.clones import obtain_clone
from relet.remote.visit import visit
from relet.store import open_store
from tests.integration.remote.repository import Repository, git, relet_run
from tests.tiny_project import Tiny


@pytest.mark.long
def test_a_tag_runs_as_it_was_into_the_caller_s_store(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a local run does, down to the exit status; what is relative is the caller's."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    here = Path.cwd()
    (here / "rows.csv").write_text("n,name\n3,three\n4,four\n")
    target = f"{repository.folder}@1.0.0"
    done = relet_run(target, "tiny", "--here", "--json", "etl.source=rows.csv")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["exit_status"] == 0
    assert f"code         commit {repository.first[:12]} of {target}" in done.stderr
    store = open_store(str(here / ".relet"))
    record = store.run(events[-1]["run"])
    assert (record.code.commit, record.code.dirty) == (repository.first, False)
    assert record.command == ("relet", "run", "tiny", "etl.source=rows.csv", "--json")
    assert record.parameters["get"]["source"] == "rows.csv"
    assert {path.name for path in here.iterdir()} == {"rows.csv", ".relet"}
    clone = obtain_clone(repository.at("1.0.0"), tell=pytest.fail)
    assert git(clone.folder, "status", "--porcelain", "--ignored") == ""
    again = relet_run(target, "tiny", "--here", "etl.source=rows.csv", "check.limit=4")
    assert again.returncode == 3
    assert "check says no: 1 of 1 checks failed\n  small: 1 rows are 4 or more" in again.stdout
    assert "get    skip  same key" in again.stdout


def test_ctrl_c_ends_it_as_it_ends_a_local_run(repository: Repository) -> None:
    repository.change("Got:\n", "Got:\n    import time\n    print('begun', flush=True)\n    time.sleep(90)\n")
    repository.change("'''Get the rows.'''", "")
    target = repository.tag("slow")
    process = subprocess.Popen(
        [sys.executable, "-m", "relet", "run", target, "tiny", "--here"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    # what a component prints goes to standard error
    assert "begun\n" in iter(process.stderr.readline, "")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from here" in out


class _BecameError(Exception):
    """Raised in place of becoming another program."""

    def __init__(self, path: str, command: list[str], variables: dict[str, str]) -> None:
        self.command, self.variables = command, variables


@pytest.fixture
def became(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Callable[..., _BecameError]:
    """What `visit` would become."""

    def execve(*arguments: Any) -> None:
        raise _BecameError(*arguments)

    def of(revision: str, *words: str, **options: Any) -> _BecameError:
        with pytest.raises(_BecameError) as raised:
            visit(repository.at(revision), words, **options)
        return raised.value

    monkeypatch.setattr(os, "execve", execve)
    return of


def test_the_caller_s_store_is_that_of_the_caller_s_own_project(
    became: Callable[..., _BecameError], tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path.cwd()
    assert became("1.0.0", "tiny", here=True).variables["RELET_STORE"] == str(here / ".relet")
    tiny.edit("conf/config.yaml", "url: .relet", "url: 's3://bucket/ours'")
    (tiny.root / "below").mkdir()
    monkeypatch.chdir(tiny.root / "below")
    assert became("1.0.0", "tiny", here=True).variables["RELET_STORE"] == "s3://bucket/ours"
    assert "RELET_STORE" not in became("1.0.0", "tiny", "store.url=x", here=True).variables
    monkeypatch.setenv("RELET_STORE", "own")
    assert became("1.0.0", "tiny", here=True).variables["RELET_STORE"] == "own"


def test_nothing_of_this_process_s_code_is_passed_on(
    became: Callable[..., _BecameError], repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    found = became("1.0.0", "tiny", "etl.low=3", here=True)
    assert found.command == [sys.executable, "-P", "-m", "relet", "run", "tiny", "etl.low=3"]
    assert "/elsewhere" not in found.variables["PYTHONPATH"]
    assert [path.name for path in Path(found.variables["PYTHONPATH"]).iterdir()] == ["relet"]


def test_a_commit_s_own_relet_runs_it(became: Callable[..., _BecameError], repository: Repository) -> None:
    for tag, room in {"own": "relet/remote", "before_the_rooms": "relet/engine/remote"}.items():
        for name in ("relet", "relet/cli", "relet/engine", room):
            repository.write(f"src/{name}/__init__.py", "")
        repository.tag(tag)
        clone = obtain_clone(repository.at(tag))
        assert became(tag, "tiny", here=True).variables["PYTHONPATH"] == str(clone.folder / "src")


def test_an_older_relet_is_not_left_to_run_the_caller_s_project(
    became: Callable[..., _BecameError], repository: Repository
) -> None:
    for name in ("relet", "relet/cli", "relet/engine"):
        repository.write(f"src/{name}/__init__.py", "")
    repository.tag("old")
    with pytest.raises(SetUpError, match=r"old can't be run from elsewhere .*relet\.engine\.remote.*; clone"):
        visit(repository.at("old"), ["tiny"], here=True)


MINOR = platform.python_version().rpartition(".")[0]


@pytest.mark.parametrize(
    ("declared", "required", "asked"),
    [
        (None, None, [MINOR]),
        (None, f">={MINOR}", [MINOR]),
        (None, f"!={MINOR}.*,>=3.11", ["3.20", "3.14"]),
        (f"{MINOR}.99", None, [f"{MINOR}.99"]),
        ("3.14", f">={MINOR}", ["3.14"]),
        ("3.8", None, ["3.8"]),
        ("3.8", f">=3.8,<={MINOR}.99", ["3.8", MINOR]),
        ("3.8", f">=3.8,!={MINOR}.*", ["3.8", "3.14"]),
        ("'no version'", None, [MINOR]),
    ],
)
@pytest.mark.sampled
def test_the_python_is_one_that_the_project_allows(
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    declared: str | None,
    required: str | None,
    asked: list[str],
) -> None:
    """The one that it declares, else this one; another that it allows where the machine lacks the first."""
    repository.write("requirements.lock", "")
    if declared:
        repository.write("python_env.yaml", f"python: {declared}\n")
    if required:
        repository.write("pyproject.toml", f"[project]\nrequires-python = {required!r}\n")
    repository.tag("python")
    tried = []

    def build(manager: str, lock: bytes, *, python: str, progress: Any) -> None:
        tried.append(python)
        raise SetUpError(f"no Python {python}")

    def find(python: str) -> None:
        if not python.startswith((MINOR, "3.14")):
            raise SetUpError(f"no Python {python}")

    monkeypatch.setattr(interpreters, "find_interpreter", find)
    monkeypatch.setattr(environments, "build", build)
    with pytest.raises(SetUpError, match="no Python"):
        visit(repository.at("python"), ["tiny"])
    assert tried == asked


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["1.0.1", "tiny"], "has no tag, branch or commit '1.0.1': did you mean 1.0.0?"),
        (["1.0.0", "tinny"], "@1.0.0 has no pipeline 'tinny': did you mean tiny?"),
        (["1.0.0", "tinny.get"], "@1.0.0 has no pipeline 'tinny.get': did you mean tiny?"),
        (["1.0.0"], "say which pipeline of "),
        (["1.0.0", "etl.low=3"], "@1.0.0 to run: there are tiny"),
        (["bare", "tiny"], "@bare has no requirements.lock to make its environment from; --here runs it in this"),
        (["empty", "tiny"], "@empty is no relet project: it has no pipelines/NAME/pipeline.py"),
        (["odd", "tiny"], "pyproject.toml of "),
        (["never", "tiny"], "@never allows no Python that relet knows: requires-python is ==2.*"),
    ],
)
@pytest.mark.sampled
def test_what_is_wrong_is_said_with_what_to_change(repository: Repository, words: list[str], said: str) -> None:
    repository.write("pyproject.toml", "[project]\nrequires-python = 'three'\n")
    repository.tag("odd")
    repository.write("pyproject.toml", "[project]\nrequires-python = '==2.*'\n")
    repository.tag("never")
    (repository.folder / "requirements.lock").unlink()
    repository.tag("bare")
    shutil.rmtree(repository.folder / "pipelines")
    repository.tag("empty")
    done = relet_run(f"{repository.folder}@{words[0]}", *words[1:])
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_options_reach_the_run_as_they_were_given(
    became: Callable[..., _BecameError], repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--json", "--check-determinism", "--env-manager", "virtualenv", "steps=get"]
    with pytest.raises(_BecameError) as raised:
        command.main([*words[:2], str(repository.folder), "tiny", *words[2:], "--here"], standalone_mode=False)
    given = raised.value.command[raised.value.command.index("run") + 1 :]
    assert given == ["tiny", "steps=get", "--json", "--env-manager=virtualenv", "--check-determinism"]
