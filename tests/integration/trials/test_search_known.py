"""What a search takes as known, and what it does not believe."""

from __future__ import annotations

import json
from typing import Any

import pytest

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
