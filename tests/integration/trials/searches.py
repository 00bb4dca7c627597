"""Searches that the tests run or imagine, and what has to be the same of their trials."""

from __future__ import annotations

from typing import Any

from relet.trials.search.question import read_question
from relet.trials.search.rounds import SearchOutcome, search
from relet.trials.search.study import Candidate
from tests.search_project import Hills, Silent


def shape(found: Candidate) -> tuple[Any, ...]:
    """All of a trial that has to be the same whoever measured it."""
    return found.number, dict(found.values), found.outcome, found.folds, found.error, found.beside


def told(hills: Hills, *words: str, trials: int, **more: Any) -> list[tuple[Any, ...]]:
    return [shape(each) for each in hills.imagine(hills.question(*words), trials, **more).trials]


def tune(hills: Hills, *words: str, watch: Silent | None = None) -> SearchOutcome:
    question, wishes = read_question("hills", words)
    return search(question, wishes, watch or Silent())
