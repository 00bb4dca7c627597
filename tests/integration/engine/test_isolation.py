"""Steps in environments of their own: the same keys, the same artifacts, the same errors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from relet import environments
from relet.core.record import Status
from relet.engine.run import execute
from relet.environments import Environment
from relet.errors import ComponentError, SetUpError
from relet.project.job import RunOutcome
from relet.project.order import Order
from relet.project.request import prepare
from tests.command import relet
from tests.sums_project import LOCK, Sums


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """What environments are asked for; each is the current interpreter."""
    asked: list[tuple[str, bytes]] = []

    def build(manager: str, lock: bytes, **_: Any) -> Environment:
        asked.append((manager, lock))
        return replace(environments.here(), manager=manager)

    monkeypatch.setattr(environments, "build", build)
    return asked


def isolated(*overrides: str, manager: str | None = "uv", steps: Sequence[str] | None = None) -> RunOutcome:
    order = Order(pipeline="sums", overrides=overrides, steps=tuple(steps) if steps else None)
    return execute(replace(prepare(order), manager=manager))


def actions(outcome: RunOutcome) -> list[str]:
    return [str(each.action) for each in outcome.results]


def test_an_isolated_run_makes_the_same_keys_and_the_same_artifacts(
    sums: Sums, built: list[tuple[str, bytes]]
) -> None:
    outcome = isolated()
    assert (outcome.error, actions(outcome)) == (None, ["run", "run"])
    assert built == [("uv", LOCK.encode())]
    isolated_content = {name: sums.store.version(name).content for name in ("drawn", "report", "sums")}
    assert actions(sums.run()) == ["skip", "skip"]
    sums.edit("helper.py", "float(", "0 + float(")
    assert actions(sums.run()) == ["skip", "run"]
    assert {name: sums.store.version(name).content for name in isolated_content} == isolated_content


def test_what_a_run_in_this_process_made_an_isolated_one_skips(sums: Sums, built: list[tuple[str, bytes]]) -> None:
    sums.run()
    assert actions(isolated()) == ["skip", "skip"]
    assert actions(isolated("scale=2")) == ["skip", "run"]


def test_an_isolated_run_can_be_made_again(sums: Sums, built: list[tuple[str, bytes]]) -> None:
    assert sums.again(isolated()).likeness == "IDENTICAL"


def test_only_a_component_that_says_so_has_an_environment_of_its_own(
    sums: Sums, built: list[tuple[str, bytes]]
) -> None:
    (sums.root / "locks").mkdir()
    (sums.root / "locks" / "six.lock").write_text("six==1\n")
    sums.edit("add.py", 'job_type="add"', 'job_type="add", environment="virtualenv:locks/six.lock"')
    outcome = isolated(manager=None)
    assert (outcome.error, actions(outcome)) == (None, ["run", "run"])
    assert built == [("virtualenv", b"six==1\n")]


def test_a_lock_that_is_not_there_is_named_before_anything_runs(
    sums: Sums, built: list[tuple[str, bytes]]
) -> None:
    sums.edit("add.py", 'job_type="add"', 'job_type="add", environment="uv:locks/six.lock"')
    with pytest.raises(SetUpError, match=r"there is no lock .*locks/six\.lock: an environment is made from one"):
        isolated(manager=None)
    assert list(sums.store.runs()) == []


def test_an_error_in_an_isolated_component_is_the_same_error(sums: Sums, built: list[tuple[str, bytes]]) -> None:
    sums.edit("helper.py", "return", "raise ValueError('no sum')\n    return")
    outcome = isolated()
    here = execute(prepare(Order(pipeline="sums")))
    assert isinstance(outcome.error, ComponentError)
    assert (str(outcome.error), outcome.exit_status) == (str(here.error), here.exit_status)
    assert [(each.component, each.status, each.message) for each in sums.store.runs(1)] == [
        ("add", Status.FAILED, "ComponentError: add raised ValueError: no sum")
    ]


def test_ctrl_c_interrupts_an_isolated_component_at_once(sums: Sums, built: list[tuple[str, bytes]]) -> None:
    # the parent of the process that this one is a copy of
    above = "int(open(f'/proc/{os.getppid()}/stat').read().rpartition(')')[2].split()[1])"
    stops = f"import os, time; os.kill({above}, 2); time.sleep(60)"
    sums.edit("helper.py", "return", f"{stops}\n    return")
    began = time.monotonic()
    outcome = isolated()
    assert time.monotonic() - began < 30
    assert (outcome.status, outcome.exit_status) == (Status.INTERRUPTED, 130)
    assert [each.status for each in sums.store.runs(2)] == [Status.INTERRUPTED, Status.FINISHED]


def test_what_an_isolated_component_prints_goes_to_standard_error(
    sums: Sums, built: list[tuple[str, bytes]], capfd: pytest.CaptureFixture[str]
) -> None:
    sums.edit("helper.py", "return", "print('a word')\n    return")
    assert isolated().error is None
    assert capfd.readouterr() == ("", "a word\n")


def test_nothing_is_left_in_the_temporary_folder(
    sums: Sums,
    built: list[tuple[str, bytes]],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scratch: Path = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setenv("TMPDIR", str(scratch))
    assert isolated().error is None
    assert list(scratch.iterdir()) == []


def test_the_debugger_is_refused_where_steps_run_in_other_processes(
    sums: Sums, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = relet(capsys, "run", "sums", "--pdb", "--isolate")
    assert (status, err) == (
        2,
        "relet: --pdb looks into this process, --isolate runs steps in others: leave one out\n",
    )


def test_a_component_that_says_so_itself_is_noted_as_out_of_the_debugger_s_sight(
    sums: Sums, built: list[tuple[str, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    sums.edit("add.py", 'job_type="add"', 'job_type="add", environment="uv"')
    _, out, _ = relet(capsys, "run", "sums", "--pdb")
    assert "add runs in an environment of its own, where --pdb can't look" in out
    assert "draw runs in" not in out


def test_the_lock_of_a_component_of_its_own_is_recorded_where_git_does_not_hold_it(
    sums: Sums, built: list[tuple[str, bytes]]
) -> None:
    (sums.root / "locks").mkdir()
    (sums.root / "locks" / "six.lock").write_text("six==1\n")
    sums.edit("add.py", 'job_type="add"', 'job_type="add", environment="uv:locks/six.lock"')
    outcome = isolated(manager=None)
    record = sums.store.run(outcome.run_id)
    assert record.code.tree is not None
    assert sums.store.read_object(sums.store.tree(record.code.tree)["locks/six.lock"]) == b"six==1\n"


def test_a_component_is_held_to_its_own_lock_and_not_to_the_project_s(
    sums: Sums, built: list[tuple[str, bytes]]
) -> None:
    text = sums.path("add.py").read_text()
    sums.path("add.py").write_text(f"import click\n{text}")
    own = ['environment="uv:own.lock"', f"click=={version('click')}\n"]
    sums.edit("add.py", 'job_type="add"', f'job_type="add", {own[0]}')
    (sums.root / "own.lock").write_text(own[1])
    drifted = [each for each in sums.record(isolated(manager=None), "add").caveats if each.kind == "lock"]
    assert drifted == []
    (sums.root / "own.lock").write_text("click==0.1\n")
    sums.edit("add.py", "import click\n", "import click as c\n")
    drifted = [each.what for each in sums.record(isolated(manager=None), "add").caveats if each.kind == "lock"]
    assert drifted == [f"click {version('click')}, locked 0.1"]


def test_here_is_for_a_run_straight_from_git(sums: Sums, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = relet(capsys, "run", "sums", "--here")
    assert (status, "--here goes with a git repository as the first word" in err) == (2, True)


def test_isolate_takes_uv_unless_another_manager_is_named(
    sums: Sums, built: list[tuple[str, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert relet(capsys, "run", "sums", "--isolate")[0] == 0
    assert relet(capsys, "run", "sums", "scale=2", "--env-manager", "virtualenv")[0] == 0
    assert [manager for manager, _ in built] == ["uv", "virtualenv"]
