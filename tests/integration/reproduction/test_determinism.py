"""A step done a second time under other circumstances: what depends on them is caught, and named."""

from __future__ import annotations

import json
import socket

import pytest

from relet.core.artifact import Verdict
from relet.engine.run import execute
from relet.project.order import Order
from relet.project.request import prepare
from relet.reproduction.determinism import judge_determinism
from relet.store import open_store
from tests.integration.cli.test_cli import relet
from tests.tiny_project import Tiny

# One step that imports next to nothing, so that a second process starts in a moment.
DICE = {
    "pipeline.py": """
from relet import Pipeline
from pipelines.dice.roll import roll

pipeline = Pipeline([roll], settings={"sides": "roll.sides"})
""",
    "conf/config.yaml": """
main: {experiment_name: dice, seed: 1, evaluate: false}
store: {url: .relet}
tracking: []
sides: 6
""",
    "roll.py": """
import tempfile
from pathlib import Path
from typing import NamedTuple
from relet import component

class Rolled(NamedTuple):
    roll: Path

@component(job_type="roll")
def roll(*, sides: int = 6) -> Rolled:
    path = Path(tempfile.mkdtemp()) / "roll.txt"
    path.write_text(str(CODE))
    return Rolled(path)
""",
}


class Dice:
    """A project whose one step writes down what an expression gives."""

    def __init__(self, tiny: Tiny) -> None:
        self.root = tiny.root

    def says(self, code: str) -> Dice:
        for name, text in DICE.items():
            path = self.root / "pipelines" / "dice" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("CODE", code))
        return self

    def checked(self) -> Verdict:
        job = prepare(Order(pipeline="dice"))
        outcome = execute(job)
        assert outcome.error is None
        return judge_determinism(job, outcome)


@pytest.fixture
def dice(tiny: Tiny) -> Dice:
    return Dice(tiny)


def test_a_deterministic_step_makes_the_same_a_second_time(dice: Dice) -> None:
    verdict = dice.says("4").checked()
    assert (verdict.passed, verdict.reason) == (True, "1 step gave the same digests a second time")
    stored = open_store(dice.root / ".relet")
    assert stored.version("determinism:latest").metadata["passed"]
    # nothing that the second time made is kept
    assert stored.names() == ["determinism", "roll"]


def test_a_step_that_is_skipped_is_done_a_second_time_too(dice: Dice) -> None:
    dice.says("__import__('random').random()")
    assert not dice.checked().passed
    assert not dice.checked().passed


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("__import__('datetime').datetime.now(__import__('datetime').UTC).date()", "the clock"),
        ("__import__('time').time()", "the clock"),
        ("__import__('random').random()", "something that is other each time: a generator without a seed"),
        ("__import__('os').urandom(3)", "something that is other each time: a generator without a seed"),
        ("__import__('os').environ.get('RELET_TEST_SECRET')", "the environment"),
        ("__import__('pathlib').Path.home()", "the environment"),
        ("hash('a word')", "the hash seed"),
        ("__import__('time').localtime(0).tm_hour", "the time zone"),
        ("__import__('locale').setlocale(__import__('locale').LC_CTYPE, '')", "the language"),
        ("len(__import__('os').sched_getaffinity(0))", "the number of threads"),
        ("__import__('os').environ.get('OMP_NUM_THREADS')", "the number of threads"),
    ],
)
def test_what_a_step_depends_on_is_named(
    dice: Dice, monkeypatch: pytest.MonkeyPatch, code: str, cause: str
) -> None:
    monkeypatch.setenv("RELET_TEST_SECRET", "a word")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    verdict = dice.says(code).checked()
    assert not verdict.passed
    assert verdict.reason.startswith(f"1 of 1 step: roll made another roll; it depends on {cause}")


def test_a_step_that_needs_the_network_is_named(dice: Dice) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = ("127.0.0.1", server.getsockname()[1])
        verdict = dice.says(f"__import__('socket').create_connection({address}).close()").checked()
    (found,) = verdict.checks
    assert found.message.endswith("it depends on the network")
    assert "there is no network here" in found.message


def test_several_things_that_differ_by_themselves_are_all_named(
    dice: Dice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELET_TEST_SECRET", "a word")
    code = "(__import__('os').environ.get('RELET_TEST_SECRET'), __import__('time').localtime(0).tm_hour)"
    assert "it depends on the environment and the time zone" in dice.says(code).checked().reason


@pytest.mark.long
def test_a_pipeline_of_tables_makes_the_same_a_second_time(tiny: Tiny) -> None:
    job = prepare(Order(pipeline="tiny"))
    verdict = judge_determinism(job, execute(job))
    assert verdict.passed
    assert [each.name for each in verdict.checks] == ["get", "clean", "check", "train"]


def test_a_step_whose_record_is_gone_was_not_checked_and_is_no_yes(dice: Dice) -> None:
    dice.says("4").checked()
    for path in (dice.root / ".relet" / "runs").iterdir():
        path.unlink()
    verdict = dice.checked()
    assert not verdict.passed
    assert verdict.reason == "1 of 1 step: roll was not checked: no record says what it took"


def test_a_step_that_an_older_relet_made_is_checked_by_what_made_it_first(dice: Dice) -> None:
    dice.says("4").checked()
    for path in (dice.root / ".relet" / "keys").iterdir():
        path.write_text(json.dumps({"outputs": {"roll": "roll:v1"}}))
    assert dice.checked().passed


def test_a_version_is_shown_with_the_check_of_the_step_that_made_it(
    dice: Dice, capsys: pytest.CaptureFixture[str]
) -> None:
    dice.says("sides").checked()
    assert "twice     passed: roll the same (determinism:v1)\n" in relet(capsys, "artifacts", "show", "roll:v1")[1]
    dice.says("__import__('time').time()").checked()
    shown = relet(capsys, "artifacts", "show", "roll:v2")[1]
    assert "twice     FAILED: roll made another roll; it depends on the clock (determinism:v2)\n" in shown
    assert "determinism:v1" in relet(capsys, "artifacts", "show", "roll:v1")[1]


def test_two_checks_that_find_the_same_are_linked_each_to_its_own_versions(
    dice: Dice, capsys: pytest.CaptureFixture[str]
) -> None:
    for sides, number in (("sides", 1), ("sides + 1", 2)):
        dice.says(sides).checked()
        shown = relet(capsys, "artifacts", "show", f"roll:v{number}")[1]
        assert f"twice     passed: roll the same (determinism:v{number})\n" in shown


def test_a_check_whose_verdict_was_changed_is_shown_as_false(
    dice: Dice, capsys: pytest.CaptureFixture[str]
) -> None:
    dice.says("__import__('time').time()").checked()
    path = dice.root / ".relet" / "artifacts" / "determinism" / "versions" / "1.json"
    path.write_text(path.read_text().replace("false", "true"))
    assert "twice     FALSE: " in relet(capsys, "artifacts", "show", "roll:v1")[1]
