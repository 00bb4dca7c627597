"""The recipes of docs/recipes.md do what they say, as far as a machine without a cloud can tell."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from relet.cli import COMMANDS
from tests.tiny_project import Tiny

TEXT = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
# Stands for relet: writes down when it begins and ends.
RELET = """\
#!/usr/bin/env bash
echo "begin $*" >> calls
sleep "${RELET_SECONDS:-0}"
echo end >> calls
exit "${RELET_STATUS:-0}"
"""


def block(language: str) -> str:
    """The first block in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose relet is a program that takes its time."""
    for name, text in {"weekly.sh": block("bash"), ".venv/bin/relet": RELET}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return tmp_path


def weekly(project: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    if not shutil.which("flock"):
        pytest.skip("this machine has no flock")
    return subprocess.Popen(
        [project / "weekly.sh", *words],
        env={**os.environ, **variables},
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def calls(project: Path) -> list[str]:
    return (project / "calls").read_text().splitlines() if (project / "calls").exists() else []


def test_a_weekly_run_from_another_folder_runs_and_sends_what_is_left(project: Path) -> None:
    process = weekly(project, "etl.source=x y.csv")
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
    assert calls(project) == ["begin run churn main.evaluate=true etl.source=x y.csv", "end", "begin sync", "end"]


@pytest.mark.long
def test_a_run_that_overlaps_ends_at_once_and_the_first_one_goes_on(project: Path) -> None:
    first = weekly(project, RELET_SECONDS="2")
    while not calls(project):
        time.sleep(0.02)
    second = weekly(project)
    assert second.communicate(timeout=60)[1] == "the run of last time still works\n"
    assert second.returncode == 75
    first.communicate(timeout=60)
    assert first.returncode == 0 and len(calls(project)) == 4
    third = weekly(project)
    third.communicate(timeout=60)
    assert third.returncode == 0 and len(calls(project)) == 8


def test_a_run_that_fails_is_the_status_of_the_script(project: Path) -> None:
    process = weekly(project, RELET_STATUS="3")
    process.communicate(timeout=60)
    assert process.returncode == 3 and len(calls(project)) == 2


def test_the_workflow_is_yaml_whose_commands_are_relet_s() -> None:
    workflow = yaml.safe_load(block("yaml"))
    assert workflow["concurrency"]["cancel-in-progress"] is False
    (job,) = workflow["jobs"].values()
    commands = [shlex.split(step["run"]) for step in job["steps"] if "run" in step]
    assert [words[1] for words in commands if words[0] == "relet"] == ["lock", "run"]
    assert {words[1] for words in commands if words[0] == "relet"} <= set(COMMANDS)
    assert next(step["shell"] for step in job["steps"] if "tee" in step.get("run", "")) == "bash"


def test_the_image_installs_each_package_by_its_hash_and_starts_relet() -> None:
    image = block("dockerfile")
    assert "--require-hashes -r /tmp/install/requirements.lock" in image
    assert 'ENTRYPOINT ["relet"]' in image
    for line in image.replace("\\\n", " ").splitlines():
        assert not line or re.match(r"(FROM|RUN|WORKDIR|COPY|ENV|ENTRYPOINT|CMD|#) ?", line), line


def python_blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture
def reader(tiny: Tiny) -> dict[str, Any]:
    """The names of relet_run.py, and a project whose environment has relet."""
    script = tiny.root / ".venv" / "bin" / "relet"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m relet "$@"\n')
    script.chmod(0o755)
    names: dict[str, Any] = {}
    exec(compile(python_blocks()[0], "relet_run.py", "exec"), names)
    return names


def test_the_tasks_of_schedulers_are_python_that_tries_again_after_status_1_alone() -> None:
    reader, dag, flow = python_blocks()
    for each in (reader, dag, flow):
        compile(each, "recipe", "exec", dont_inherit=True)
    for each in (dag, flow):
        imported = [node for node in ast.walk(ast.parse(each)) if isinstance(node, ast.ImportFrom)]
        (names,) = [[one.name for one in node.names] for node in imported if node.module == "relet_run"]
        assert set(names) <= {node.name for node in ast.parse(reader).body if hasattr(node, "name")}
        assert "error.may_pass_later" in each
    assert "max_active_runs=1" in dag and "AirflowFailException" in dag
    assert "global_limit=1" in flow and "retry_condition_fn=may_pass_later" in flow


def test_a_task_gets_the_last_event_of_a_run_and_tells_each_step(tiny: Tiny, reader: dict[str, Any]) -> None:
    told: list[str] = []
    last = reader["run_relet"](tiny.root, "tiny", tell=told.append)
    assert (last["event"], last["metrics"]["mae"]) == ("finished", 11.0)
    assert told[0] == "get: run, first run" and len(told) == 4


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["tiny", "etl.low=99"], 1, "train raised ZeroDivisionError: float division by zero"),
        (["tiny", "etl.lwo=3"], 2, "there is no setting 'etl.lwo': did you mean etl.low?"),
        (["tiny", "check.limit=9"], 3, "check says no: 1 rows are 9 or more"),
    ],
)
@pytest.mark.sampled
def test_a_task_fails_with_relet_s_words_and_may_be_tried_again_after_status_1(
    tiny: Tiny, reader: dict[str, Any], words: list[str], status: int, said: str
) -> None:
    with pytest.raises(reader["ReletRunError"]) as failed:
        reader["run_relet"](tiny.root, *words)
    assert str(failed.value).startswith(f"relet ended with {status}: {said}")
    assert failed.value.may_pass_later == (status == 1)


def test_a_task_that_is_ended_ends_relet(tiny: Tiny, reader: dict[str, Any]) -> None:
    tiny.edit("steps/clean.py", "    keep =", "    import time; time.sleep(60)\n    keep =")

    def end(line: str) -> None:
        raise TimeoutError(line)

    before = time.monotonic()
    with pytest.raises(TimeoutError, match="get: run, first run"):
        reader["run_relet"](tiny.root, "tiny", tell=end)
    assert time.monotonic() - before < 50
