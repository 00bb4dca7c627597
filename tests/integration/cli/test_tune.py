"""`relet tune`, as a person meets it; and the file that holds the winner."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

import relet as package
from relet.cli.progress import progress_display
from relet.cli.tune import SearchScreen, finish_search
from relet.core.record import Status
from relet.errors import SettingError
from relet.trials.search.question import read_question
from relet.trials.search.rounds import SearchOutcome
from relet.trials.search.study import Candidate
from relet.trials.search.winner import is_own, winner_command, write_winner
from tests.command import relet
from tests.search_project import Hills
from tests.unit.cli.test_progress import Terminal

POINT: dict[str, Any] = {"modeling.depth": 5, "modeling.kind": "square", "modeling.rate": 0.00001}


def found(
    hills: Hills, *words: str, values: dict[str, Any] = POINT, number: int = 2, value: float = 1.0
) -> SearchOutcome:
    """A search that has found this point."""
    question, _ = read_question("hills", words)
    beside = not question.default_fits
    default = Candidate(number=1, values=question.defaults, outcome="complete", folds=(2.0,), beside=beside)
    best = Candidate(number=number, values=values, outcome="complete", folds=(value,))
    return SearchOutcome(
        question=question,
        run_id="a",
        status=Status.FINISHED,
        candidates=(default, best) if number != 1 else (best,),
        known=0,
        seconds=1.0,
    )


def model(hills: Hills, name: str) -> Path:
    return hills.path(f"conf/model/{name}.yaml")


@pytest.mark.long
def test_a_search_is_told_trial_by_trial_and_ends_with_a_table_a_gain_and_the_way_on(
    hills: Hills, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = relet(capsys, "tune", "hills", "trials=6", "workers=1", "search.folds=2")
    assert status == 0, err
    assert re.search(r"search [0-9a-f]{16} of hills: 6 trials, to minimize loss on 2 folds", out)
    assert "  modeling.rate: 0.001 to 1, on a log scale\n" in out
    assert re.search(r"trial   1  loss 1.20\d+ +depth=3  kind=round  rate=0.5  \(as configured\)", out)
    table = out[out.index("\nloss ") :].splitlines()[1:]
    assert re.match(r"loss +depth +kind +rate +seconds +trial", table[0])
    values = [float(line.split()[0]) for line in table[1:5]]
    assert values == sorted(values)
    assert re.search(r"finished in .* s: 6 trials, \d on every fold, \d given up early, 0 known before", out)
    assert re.search(r"loss [01]\.\d+ instead of 1\.20\d+ as configured, on validation: \d+\.\d\d% better", out)
    assert "  relet run hills model=tuned\n" in out
    assert "  git add pipelines/hills/conf/model/tuned.yaml\n" in out
    outcome = package.run("hills", "model=tuned")
    assert outcome.exit_status == 0
    status, out, _ = relet(capsys, "tune", "hills", "trials=6", "workers=1", "search.folds=2")
    assert status == 0
    assert "6 trials of it known already" in out
    assert "6 known before" in out


@pytest.mark.parametrize(("status", "colour"), [(Status.FINISHED, "green"), (Status.FAILED, "red")])
def test_how_a_search_ended_is_green_on_a_terminal_where_it_finished_and_red_where_not(
    hills: Hills, monkeypatch: pytest.MonkeyPatch, status: Status, colour: str
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    finish_search(replace(found(hills), status=status), None, as_json=False)
    assert f"{click.style(str(status), fg=colour)} in 1.0 s: 2 trials" in terminal.getvalue()


def test_json_is_one_object_a_line(hills: Hills, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = relet(capsys, "tune", "hills", "trials=2", "workers=1", "search.folds=1", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    kinds = [each["event"] for each in events if each["event"] != "doing"]
    assert kinds == ["search", "measured", "measured", "trial", "trial", "finished"]
    last = events[-1]
    assert (last["exit_status"], last["trials"], last["known"]) == (status, 2, 0) == (0, 2, 0)
    assert last["default"]["trial"] == 1
    assert last["search"] == events[0]["search"]


@pytest.mark.parametrize(("anew", "told"), [("bias.json changed", "bias.json changed"), ("", None)])
def test_a_program_is_told_why_a_study_begins_anew(
    hills: Hills, capsys: pytest.CaptureFixture[str], anew: str, told: str | None
) -> None:
    question, limits = read_question("hills", ["trials=2"])
    with progress_display(as_json=True) as display:
        SearchScreen(display).begun(replace(question, anew=anew), limits, [], others=False)
    event = json.loads(capsys.readouterr().out)
    assert (event["event"], event["trials"], event["known"], event["anew"]) == ("search", 2, 0, told)


def test_the_winner_stands_in_the_family_s_file_with_its_comments(hills: Hills) -> None:
    written = write_winner(found(hills), "tuned")
    assert written is not None
    text = model(hills, "tuned").read_text()
    assert text.startswith("# @package modeling\n# Trial 2 of the 2 (0 given up early) of search ")
    assert "# loss 1, the mean of 3 validation folds; model=steep has 2.\n" in text
    assert text.endswith("rate: 1.0e-05      # how fast\ndepth: 5       # whole\nkind: square\ntitle: none\n")
    assert is_own(text)
    found_again = read_question("hills", ["model=tuned", "search=steep"])[0]
    assert dict(found_again.defaults) == POINT


def test_the_winner_s_file_is_the_same_every_time(hills: Hills) -> None:
    write_winner(found(hills), "tuned")
    first = model(hills, "tuned").read_bytes()
    write_winner(found(hills), "tuned")
    assert model(hills, "tuned").read_bytes() == first


def test_a_value_that_the_family_s_file_takes_from_another_setting_is_written_where_it_was_searched(
    hills: Hills,
) -> None:
    hills.edit("conf/model/steep.yaml", "depth: 3 ", "depth: ${count} ")
    hills.edit("conf/model/steep.yaml", "title: none", "title: ${main.experiment_name}")
    written = write_winner(found(hills), "tuned")
    assert written is not None
    assert (
        model(hills, "tuned")
        .read_text()
        .endswith("depth: 5       # whole\nkind: square\ntitle: ${main.experiment_name}\n")
    )


def test_what_the_family_s_file_does_not_hold_stands_in_the_command(hills: Hills) -> None:
    words = ("modeling.title=other", "count=7", "search.seed=3", "model=flat", "search=steep")
    written = write_winner(found(hills, *words), "best")
    assert written is not None
    assert written.run == "relet run hills model=best count=7"
    assert "title: other\n" in model(hills, "best").read_text()
    assert "model=flat has 2." in model(hills, "best").read_text()
    assert winner_command(found(hills, "count=7")) == (
        "relet run hills count=7 modeling.depth=5 modeling.kind=square modeling.rate=1e-05"
    )


def test_a_search_from_the_winner_replaces_what_was_said_of_it(hills: Hills) -> None:
    write_winner(found(hills), "tuned")
    again = found(hills, "model=tuned", "search=steep", values={**POINT, "modeling.depth": 6})
    assert write_winner(again, "tuned") is not None
    text = model(hills, "tuned").read_text()
    assert "depth: 6" in text
    assert text.count("Written by relet tune") == text.count("# Trial") == 1
    assert is_own(text)


def test_where_nothing_is_better_nothing_is_written(hills: Hills) -> None:
    assert write_winner(found(hills, number=1), "tuned") is None
    assert write_winner(found(hills, value=2.0), "tuned") is None
    assert not model(hills, "tuned").exists()


@pytest.mark.parametrize("value", [2.0, 2.5])
def test_configured_settings_outside_the_space_that_no_trial_beats_are_kept(
    hills: Hills, capsys: pytest.CaptureFixture[str], value: float
) -> None:
    done = found(hills, "modeling.rate=interval(0.00001, 0.001)", value=value)
    assert done.winner is not None and done.winner.number == 2
    assert write_winner(done, "tuned") is None
    assert not model(hills, "tuned").exists()
    finish_search(done, None, as_json=False)
    finish_search(done, None, as_json=True)
    *out, last = capsys.readouterr().out.splitlines()
    told = "no trial is better than what is configured, which lies outside the space"
    assert f"{told} (loss {value:g} instead of 2): nothing is written" in out
    assert not any("the winner: " in each or "% better" in each for each in out)
    assert json.loads(last)["select"] is None


@pytest.mark.parametrize("name", ["tuned", "steep"])
def test_a_file_that_somebody_changed_is_not_written_over_unless_that_is_asked_for(
    hills: Hills, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    if name == "tuned":
        write_winner(found(hills), "tuned")
        model(hills, name).write_text(model(hills, name).read_text().replace("depth: 5", "depth: 7"))
    before = model(hills, name).read_text()
    status, _, err = relet(capsys, "tune", "hills", "trials=2", "workers=1", "--as", name)
    assert status == 2
    assert f"conf/model/{name}.yaml was written or changed by hand: --as NAME" in err
    assert model(hills, name).read_text() == before
    assert not (hills.root / ".relet").exists()


@pytest.mark.parametrize("text", ["# @package modeling\nrate: 0.5\n", None], ids=["made", "changed"])
def test_a_file_that_somebody_made_or_changed_meanwhile_stays_as_it_is(hills: Hills, text: str | None) -> None:
    done = found(hills)
    if text is None:
        write_winner(done, "tuned")
        text = model(hills, "tuned").read_text().replace("depth: 5", "depth: 7")
    model(hills, "tuned").write_text(text)
    written = write_winner(done, "tuned")
    assert written is not None
    assert written.held_back == (
        "pipelines/hills/conf/model/tuned.yaml was written or changed by hand meanwhile; --as NAME writes the "
        "winner elsewhere"
    )
    assert (written.run, written.add) == (winner_command(done), "")
    assert model(hills, "tuned").read_text() == text
    assert {each.name for each in model(hills, "tuned").parent.iterdir()} == {
        "steep.yaml",
        "flat.yaml",
        "tuned.yaml",
    }
    assert write_winner(done, "tuned", force=True) is not None
    assert is_own(model(hills, "tuned").read_text())


@pytest.mark.parametrize(
    "early", [{"status": Status.INTERRUPTED}, {"out_of_time": True}], ids=["ctrl-c", "timeout"]
)
def test_the_file_that_a_search_stands_on_is_not_written_before_it_is_over(
    hills: Hills, early: dict[str, Any]
) -> None:
    write_winner(found(hills), "tuned")
    before = model(hills, "tuned").read_text()
    words = ("model=tuned", "search=steep")
    done = replace(found(hills, *words, values={**POINT, "modeling.depth": 6}), **early)
    written = write_winner(done, "tuned")
    assert written is not None
    assert written.held_back == "the search stands on pipelines/hills/conf/model/tuned.yaml and is not over"
    assert written.run == ("relet run hills model=tuned modeling.depth=6 modeling.kind=square modeling.rate=1e-05")
    assert model(hills, "tuned").read_text() == before
    assert read_question("hills", words)[0].id == done.question.id
    elsewhere = write_winner(done, "other")
    assert elsewhere is not None and not elsewhere.held_back


def test_a_winner_that_is_not_written_is_said_with_the_command_that_runs_it(
    hills: Hills, capsys: pytest.CaptureFixture[str]
) -> None:
    done = found(hills)
    model(hills, "tuned").write_text("rate: 0.5\n")
    written = write_winner(done, "tuned")
    finish_search(done, written, as_json=False)
    finish_search(done, written, as_json=True)
    out = capsys.readouterr().out
    assert "the winner is not written: pipelines/hills/conf/model/tuned.yaml was written or changed" in out
    assert f"; this runs it:\n  {winner_command(done)}\n" in out
    last = json.loads(out.splitlines()[-1])
    assert last["written"] is None
    assert "changed by hand meanwhile" in last["held_back"]
    assert last["select"] == winner_command(done)


@pytest.mark.long
def test_force_writes_over_it_and_one_s_own_needs_no_force(
    hills: Hills, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("tune", "hills", "trials=6", "workers=1", "search.folds=2", "--as", "mine")
    model(hills, "mine").write_text("# @package modeling\nrate: 0.5\n")
    assert relet(capsys, *words)[0] == 2
    assert relet(capsys, *words, "--force")[0] == 0
    text = model(hills, "mine").read_text()
    assert is_own(text)
    assert relet(capsys, *words)[0] == 0
    assert model(hills, "mine").read_text() == text


@pytest.mark.parametrize("name", ["../x", "Big", "", "a b"])
@pytest.mark.sampled
def test_a_name_that_is_no_option_is_refused(hills: Hills, capsys: pytest.CaptureFixture[str], name: str) -> None:
    status, _, err = relet(capsys, "tune", "hills", "--as", name)
    assert status == 2
    assert "--as takes lower-case letters" in err


def test_a_pipeline_without_families_gets_the_winner_as_a_command(hills: Hills) -> None:
    hills.edit("conf/config.yaml", "  - model: steep\n  - optional search: ${model}\n", "")
    hills.edit(
        "conf/config.yaml", "count: 3\n", "count: 3\nmodeling: {rate: 0.5, depth: 3, kind: round, title: a}\n"
    )
    words = ["modeling.depth=interval(1,9)"]
    question, _ = read_question("hills", words)
    assert question.dimensions[0].kind == "int"
    assert write_winner(found(hills, *words, values={"modeling.depth": 5}), "tuned") is None


def test_an_unknown_pipeline_or_setting_ends_with_2(hills: Hills, capsys: pytest.CaptureFixture[str]) -> None:
    assert relet(capsys, "tune", "hill")[0] == 2
    status, _, err = relet(capsys, "tune", "hills", "modeling.dept=interval(1,9)")
    assert status == 2
    assert "did you mean modeling.depth" in err


def test_asking_for_help_imports_no_optuna() -> None:
    program = "import sys, relet.cli.tune, relet.trials.search.rounds; print('optuna' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_search_needs_a_store_that_processes_can_share(hills: Hills) -> None:
    from relet.trials.search.rounds import search
    from tests.search_project import Silent

    question, wishes = read_question("hills", ["trials=2", "store.url=memory://a"])
    with pytest.raises(SettingError, match="can't share a store in memory"):
        search(question, wishes, Silent())
