"""`relet run -m` on the command line."""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from relet.cli.sweeps import setting_columns, trial_settings
from tests.command import relet
from tests.sums_project import Sums


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a command ended with and printed, errors last."""

    exit_code: int
    output: str


Say = Callable[..., Shown]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    def invoke(*words: str) -> Shown:
        status, out, err = relet(capsys, *words)
        return Shown(exit_code=status, output=out + err)

    return invoke


@pytest.fixture
def run(say: Say) -> Say:
    return lambda *words: say("run", "sums", *words)


@pytest.fixture
def adding(sums: Sums) -> Sums:
    conf = sums.path("conf/config.yaml")
    conf.write_text(conf.read_text() + "search: {metric: total, direction: minimize}\n")
    return sums


def test_the_end_is_a_table_and_the_command_that_selects_the_best(adding: Sums, run: Say) -> None:
    shown = run("-m", "scale=3,1,2", "seed=7", "workers=2")
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert lines[0] == "3 trials of sums by 2 workers, to minimize total"
    start = next(place for place, line in enumerate(lines) if line.startswith("total "))
    assert lines[start].split() == ["total", "scale", "seconds", "status", "trial"]
    table = [line.split() for line in lines[start + 1 : start + 4]]
    assert [row[1] for row in table] == ["1", "2", "3"]
    assert [row[3:] for row in table] == [["finished", "2"], ["finished", "3"], ["finished", "1"]]
    best = next(line for line in lines if line.startswith("the best one: "))
    assert best == "the best one: relet run sums seed=7 scale=1 main.evaluate=true"


def test_the_command_that_selects_the_winner_can_be_copied_into_a_shell(adding: Sums, run: Say, say: Say) -> None:
    shown = run("--multirun", "scale=2,1", "source='a b.txt'", "workers=1")
    assert "a b.txt: there is no such file" in shown.output
    (adding.root / "a b.txt").write_text("1 2")
    shown = run("--multirun", "scale=2,1", "source='a b.txt'", "workers=1", "--json")
    said = [json.loads(line) for line in shown.output.splitlines()]
    words = shlex.split(said[-1]["select"])
    assert words == ["relet", "run", "sums", "source='a b.txt'", "scale=1", "main.evaluate=true"]
    again = say(*words[1:])
    assert again.exit_code == 0, again.output
    assert "rate" in again.output


def test_each_trial_is_a_line_of_json_and_the_last_one_says_which_was_the_best(adding: Sums, run: Say) -> None:
    shown = run("-m", "scale=2,1", "workers=1", "--json")
    said = [json.loads(line) for line in shown.output.splitlines()]
    assert (said[0]["event"], said[0]["trials"], said[0]["metric"]) == ("sweep", 2, "total")
    trials = [each for each in said if each["event"] == "trial"]
    assert [(each["trial"], each["status"]) for each in trials] == [(1, "finished"), (2, "finished")]
    assert said[-1]["ranking"] == [2, 1]
    assert said[-1]["winner"]["overrides"] == ["scale=1"]
    assert said[-1]["exit_status"] == 0


def test_a_trial_that_failed_stands_below_the_others_with_its_reason(adding: Sums, run: Say) -> None:
    adding.edit("add.py", "value = scale", "assert scale != 1, 'one is no scale'\n    value = scale")
    shown = run("-m", "scale=3,1", "workers=2")
    assert shown.exit_code == 1
    assert "trial 2: add raised AssertionError: one is no scale" in shown.output
    assert "the best one: relet run sums scale=3" in shown.output


def test_runs_lists_a_sweep_as_one_line_and_shows_its_trials(adding: Sums, run: Say, say: Say) -> None:
    run("-m", "scale=2,1", "workers=1")
    listed = say("runs").output.splitlines()
    assert len(listed) == 1
    assert "sweep, 2 trials" in listed[0]
    shown = say("runs", listed[0].split()[0]).output
    trials = [line.split() for line in shown.splitlines() if line.startswith("  trial")]
    assert [(each[1], each[3], each[4:]) for each in trials] == [
        ("1", "finished", ["scale=2"]),
        ("2", "finished", ["scale=1", "the", "best", "one"]),
    ]
    trial = say("runs", trials[0][2]).output
    assert f"trial     1 of run {listed[0].split()[0]}: scale=2" in trial


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["scale=1,2"], "names several values, which only a sweep takes: run it with -m"),
        (["scale=1", "workers=2"], "workers=2 goes with a sweep: add -m"),
        (["-m", "scale=1,2", "--pdb"], "--pdb looks at one run, -m has many at once"),
        (["-m", "scale=1,2", "--isolate"], "--isolate looks at one run"),
        (["-m", "scale=1,2", "--env-manager", "uv"], "--env-manager looks at one run"),
        (["-m", "scale=1,2", "--check-determinism"], "--check-determinism looks at one run"),
        (["-m", "scale=interval(1,2)"], "relet tune PIPELINE 'scale=interval(1,2)'"),
    ],
)
def test_what_does_not_go_together_says_what_does(adding: Sums, run: Say, words: list[str], message: str) -> None:
    shown = run(*words)
    assert shown.exit_code == 2
    assert message in shown.output
    assert list(adding.store.runs()) == []


def test_a_column_is_as_short_as_its_name_is_its_own() -> None:
    names = setting_columns([["a.b.depth=1", "c.depth=2", "e.width=3"], ["a.b.depth=2", "~f"]])
    assert names == ["b.depth", "c.depth", "width", "f"]
    assert trial_settings(["a.b.depth=1", "e.width='x=y'"], names) == {
        "b.depth": "1",
        "c.depth": "",
        "width": "'x=y'",
        "f": "",
    }
