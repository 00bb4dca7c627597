"""What a search takes as known, and what it does not believe."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relet.errors import DamagedError
from tests.integration.trials.searches import shape, tune
from tests.search_project import Hills, Silent

WORDS = ("trials=2", "workers=1", "search.folds=1")


def bias(hills: Hills, value: float) -> None:
    (hills.root / "bias.json").write_text(json.dumps(value))


def read_undeclared(hills: Hills) -> None:
    """Let the step that measures read a file that it does not declare."""
    bias(hills, 0)
    hills.edit("measure.py", "import math\n", "import json\nimport math\n")
    hills.edit("measure.py", "+ off + fold", "+ off + json.loads(Path('bias.json').read_text()) + fold")


@pytest.mark.long
def test_an_undeclared_file_that_changed_begins_a_study_of_its_own_and_its_old_content_goes_on_with_the_first(
    hills: Hills,
) -> None:
    read_undeclared(hills)
    first = tune(hills, *WORDS)
    bias(hills, 5)
    second = tune(hills, *WORDS)
    assert (second.known, second.question.id) == (0, f"{first.question.id}-2")
    assert second.question.anew == "measure: bias.json changed, which it reads undeclared"
    values = [(each.value or 0) + 5 for each in first.candidates]
    assert [each.value for each in second.candidates] == pytest.approx(values)
    again = tune(hills, *WORDS)
    assert (again.known, again.question.id) == (2, second.question.id)
    bias(hills, 0)
    back = tune(hills, *WORDS)
    assert (back.known, back.question.id, back.question.anew) == (2, first.question.id, "")
    assert [shape(each) for each in back.candidates] == [shape(each) for each in first.candidates]
    assert hills.store.verify() == []


@pytest.mark.long
def test_a_trial_that_failed_by_an_undeclared_file_is_measured_again_when_that_changed(hills: Hills) -> None:
    bias(hills, 0)
    hills.edit("measure.py", "import math\n", "import json\nimport math\n")
    hills.edit(
        "measure.py",
        "    off = ",
        "    if depth != 3 and json.loads(Path('bias.json').read_text()):\n"
        "        raise ValueError('broken')\n    off = ",
    )
    bias(hills, 1)
    first = tune(hills, *WORDS)
    assert [each.outcome for each in first.candidates] == ["complete", "failed"]
    assert tune(hills, *WORDS).known == 2
    bias(hills, 0)
    second = tune(hills, *WORDS)
    assert second.question.anew == "measure: bias.json changed, which it reads undeclared"
    assert [each.outcome for each in second.candidates] == ["complete", "complete"]
    assert hills.store.verify() == []


@pytest.mark.long
def test_an_undeclared_file_that_changes_while_it_is_searched_is_named_and_nothing_is_mixed(hills: Hills) -> None:
    read_undeclared(hills)

    class Editing(Silent):
        def measured(self, number: int, fold: int, found: Any) -> None:
            super().measured(number, fold, found)
            if number == 4:
                bias(hills, 5)

    found = tune(hills, "trials=4", *WORDS[1:], "search.batch=2", watch=Editing())
    assert found.exit_status == 2
    assert "bias.json changed, which it reads undeclared" in str(found.error)
    assert [each.number for each in found.candidates] == [1, 2]
    after = tune(hills, "trials=4", *WORDS[1:], "search.batch=2")
    assert (after.known, after.question.id) == (0, f"{found.question.id}-2")


def piece(hills: Hills) -> Path:
    (found,) = (hills.root / ".relet" / "searches").glob("*/1-*.json")
    return found


def edit_trial(hills: Hills, number: int, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit by hand what the journal says of a trial."""
    journal = json.loads(piece(hills).read_text())
    for entry in journal["logs"]:
        told = (entry.get("user_attr") or {}).get("relet")
        if told and entry["trial_id"] == number - 1:
            edit(told)
    piece(hills).write_text(json.dumps(journal))


@pytest.mark.long
def test_a_journal_that_says_otherwise_than_its_runs_is_named_and_no_trial_of_it_counts(hills: Hills) -> None:
    found = tune(hills, *WORDS)
    before, runs = piece(hills).read_text(), len(list(hills.store.runs()))
    other_run = found.candidates[0].runs[0]
    edits: dict[str, Callable[[dict[str, Any]], object]] = {
        "says of trial 2 loss = -99.0 on fold 1, and the record of": lambda told: told.update(folds=[-99.0]),
        "says of trial 2 that run .* with modeling.depth=3": lambda told: told["values"].update(
            {"modeling.depth": 3}
        ),
        "says of trial 2 that run .* measured it with": lambda told: told.update(runs=[other_run]),
        "says of trial 2 that run gone measured it, whose record is gone": lambda told: told.update(runs=["gone"]),
        "says of trial 2 that it is complete with 1 values, and names 0": lambda told: told.update(runs=[]),
        "says of trial 2 that it is pruned with 1 of 1 folds": lambda told: told.update(outcome="pruned"),
        "says of trial 2 that it is complete with 1 of 1 folds": lambda told: told.update(beside=True),
        "says of trial 2 that it failed on fold 1, and": lambda told: told.update(outcome="failed", folds=[]),
        "says of trial 2 what no search says of a trial": lambda told: told.update(folds="-99"),
    }
    for message, edit in edits.items():
        piece(hills).write_text(before)
        edit_trial(hills, 2, edit)
        with pytest.raises(DamagedError, match=rf"searches/.*/1-2.json {message}.*delete it and search again"):
            tune(hills, *WORDS)
        problems = hills.store.verify()
        assert {(each.kind, each.where.rpartition("/")[2]) for each in problems} == {("false", "1-2.json")}, (
            message
        )
        assert len(list(hills.store.runs())) == runs
    piece(hills).unlink()
    again = tune(hills, *WORDS)
    assert [each.values for each in again.candidates] == [each.values for each in found.candidates]
    assert hills.store.verify() == []


def test_verify_names_a_description_that_is_gone_or_of_another_search(hills: Hills) -> None:
    found = tune(hills, *WORDS)
    about = piece(hills).with_name("about.json")
    text = about.read_text()
    about.write_text(text.replace('"loss"', '"other"'))
    (problem,) = hills.store.verify()
    assert (problem.kind, problem.where) == ("false", f"searches/{found.question.id}/about.json")
    assert "it describes search" in problem.message
    about.unlink()
    (problem,) = hills.store.verify()
    assert "is gone, so nobody can say what was searched" in problem.message


@pytest.mark.long
def test_a_piece_that_no_search_writes_is_named_with_the_way_on_and_by_verify(hills: Hills) -> None:
    tune(hills, *WORDS)
    before = json.loads(piece(hills).read_text())["logs"]
    other_study = [{**before[0], "study_name": "other"}, *before[1:]]
    learns_a_value = [{**each, "values": [-9.0]} if each.get("values") else each for each in before]
    other_point = [{**each, "param_value_internal": 1.0} if "param_name" in each else each for each in before]
    foreign: list[tuple[str, list[Any], bool]] = [
        ("begins with the study None", [], True),
        ("begins with the study None", [{}], True),
        ("begins with the study None", [{"op_code": 99}], True),
        ("begins with the study other", other_study, True),
        ("has an entry of the kind None", [*before, {}], True),
        ("has an entry of the kind '__import__'", [*before, {"op_code": "__import__"}], True),
        ("has an entry of the kind 1, ", [*before, {"op_code": 1, "study_id": 0, "worker_id": "a"}], True),
        ("is the piece of 2 trials, has 0 new ones", before[:1], True),
        ("is no piece of this search: optuna can't read it .KeyError", [*before, {"op_code": 6}], False),
        ("is no piece of this search: what optuna learns of trial 1", learns_a_value, False),
        ("is no piece of this search: what optuna learns of trial 1", other_point, False),
    ]
    for message, logs, by_verify in foreign:
        piece(hills).write_text(json.dumps({"logs": logs}))
        with pytest.raises(DamagedError, match=rf"searches/.*/1-2.json {message}.*; delete it and search again"):
            tune(hills, *WORDS)
        if by_verify:
            assert [each.where.rpartition("/")[2] for each in hills.store.verify()] == ["1-2.json"], message
    piece(hills).write_text(json.dumps({"logs": 5}))
    assert [each.where.rpartition("/")[2] for each in hills.store.verify()] == ["1-2.json"]
