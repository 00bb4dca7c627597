"""A run is rebuilt in a clean place: its code, its lock, and the environments that are made from it."""

from __future__ import annotations

from typing import Any

import pytest

from relet import environments
from relet.errors import SetUpError
from relet.reproduction import ReproductionOptions, reproduce
from relet.store import open_store
from tests.integration.reproduction.tampering import edit_record, without_tree
from tests.sums_project import LOCK, Sums

OWN_LOCK = LOCK.replace("pandas==3", "six==1")


def test_a_folder_that_is_kept_holds_the_code_the_store_and_what_was_printed(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outcome = sums.run()
    kept = tmp_path_factory.mktemp("kept") / "again"
    assert sums.again(outcome, kept=kept).likeness == "IDENTICAL"
    assert {"code", "store", "log"} <= {path.name for path in kept.iterdir()}
    assert open_store(kept / "store").names() == ["sums/drawn", "sums/report", "sums/sums"]
    with pytest.raises(SetUpError, match="is not empty; name a folder that is, or is not there"):
        sums.again(outcome, kept=kept)
    with pytest.raises(SetUpError, match=r"can't be used .* name an empty folder"):
        sums.again(outcome, kept=kept / "log" / "x")


def test_the_environment_is_made_from_the_recorded_lock_with_the_recorded_python(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sums.run()
    (sums.root / "requirements.lock").write_text("pandas==4\n")
    asked: list[Any] = []

    def build(manager: str, lock: bytes, *, python: str, **_: Any) -> environments.Environment:
        asked.append((manager, lock, python))
        return environments.here()

    monkeypatch.setattr(environments, "build", build)
    assert reproduce(outcome.run_id, sums.store, root=sums.root).likeness == "IDENTICAL"
    reproduce(outcome.run_id, sums.store, root=sums.root, wishes=ReproductionOptions(python="3.13"))
    recorded = sums.record(outcome).machine["python"]
    assert asked == [("uv", LOCK.encode(), recorded), ("uv", LOCK.encode(), "3.13")]


def test_a_component_with_a_lock_of_its_own_is_called_in_an_environment_made_from_it(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.path("own.lock").write_text(OWN_LOCK)
    own = "docker:pipelines/sums/own.lock"
    sums.edit("add.py", 'job_type="add"', f'job_type="add", environment="{own}"')
    sums.commit()
    asked: list[Any] = []

    def build(manager: str, lock: bytes, **_: Any) -> environments.Environment:
        asked.append((manager, lock))
        return environments.here()

    monkeypatch.setattr(environments, "build", build)
    outcome = sums.run()
    assert asked == [("docker", OWN_LOCK.encode())]
    asked.clear()
    assert sums.again(outcome).likeness == "IDENTICAL"
    assert asked == []
    assert reproduce(outcome.run_id, sums.store, root=sums.root).likeness == "IDENTICAL"
    assert asked == [("uv", LOCK.encode()), ("uv", OWN_LOCK.encode())]
    sums.git("rm", "-q", "pipelines/sums/own.lock")
    run_id = edit_record(
        sums, outcome.run_id, lambda record: record["code"].update(tree=None, commit=sums.commit())
    )
    assert reproduce(run_id, sums.store, root=sums.root).missing == (
        "the recorded code holds no lock pipelines/sums/own.lock, which add names",
    )


def test_it_is_said_which_code_is_laid_out(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: Any, **__: Any) -> environments.Environment:
        raise SetUpError("no network")

    def said(run_id: str) -> list[str]:
        lines: list[str] = []
        reproduce(run_id, sums.store, root=sums.root, tell=lines.append)
        return lines

    monkeypatch.setattr(environments, "build", build)
    commit = sums.git("rev-parse", "HEAD")[:12]
    clean = sums.run().run_id
    sums.path("new.py").write_text("STEP = 1\n")
    sums.edit("add.py", "import os\n", "import os\nfrom pipelines.sums import new\n")
    dirty = sums.run().run_id
    assert said(clean) == [f"code         as the run stored it (commit {commit})"]
    assert said(dirty) == [f"code         as the run stored it (commit {commit}, but for 2 files)"]
    without_tree(sums, clean)
    assert said(clean) == [f"code         commit {commit}"]
    edit_record(sums, clean, lambda record: record["code"].update(commit=None))
    assert said(clean) == ["code         no commit"]


def test_without_git_there_is_no_verdict_on_an_older_run_of_a_commit(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = without_tree(sums, sums.run().run_id)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SetUpError, match="git is not on this machine; install it"):
        sums.again(outcome)


def test_a_lock_that_can_not_be_installed_is_impossible_but_a_wish_that_can_not_be_met_is_an_error(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sums.run()

    def build(*_: Any, **__: Any) -> environments.Environment:
        raise SetUpError("the lock can't be installed: pandas==3 is nowhere")

    monkeypatch.setattr(environments, "build", build)
    found = reproduce(outcome.run_id, sums.store, root=sums.root)
    assert (found.likeness, found.reason) == ("IMPOSSIBLE", "the lock can't be installed: pandas==3 is nowhere")
    with pytest.raises(SetUpError):
        reproduce(outcome.run_id, sums.store, root=sums.root, wishes=ReproductionOptions(python="3.99"))


def test_an_environment_that_can_not_call_components_is_impossible(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sums.run()
    for command, said in (("/bin/false", "ended its process with status 1"), ("/nowhere", "can't be started")):
        there = environments.Environment(manager="uv", command=(command,), python="3.11.7", made=False)
        monkeypatch.setattr(environments, "build", lambda *_, there=there, **__: there)
        found = reproduce(outcome.run_id, sums.store, root=sums.root)
        assert found.likeness == "IMPOSSIBLE"
        assert found.reason.startswith("the environment (uv) can't call components: ")
        assert said in found.reason
