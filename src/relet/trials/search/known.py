"""What a search may take as known: trials whose runs a plan would skip now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import count
from typing import TYPE_CHECKING

from relet.core.lookups import undeclared_change
from relet.core.record import RunRecord, Status
from relet.errors import DamagedError, NotFoundError, SettingError
from relet.store.journal import PIECE_ADVICE
from relet.trials.search.question import SearchDefinition
from relet.trials.search.study import Candidate, Log, candidates

if TYPE_CHECKING:
    from relet.store import Store
    from relet.store.journal import JournalPiece


class SearchRuns:
    """The records of the runs that measured a search's folds; a record that has ended is read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ended: dict[str, RunRecord] = {}

    def find(self, run_id: str) -> RunRecord | None:
        """The record of a run; None where it is gone or can't be read."""
        if run_id in self._ended:
            return self._ended[run_id]
        try:
            record = self._store.run(run_id)
        except (NotFoundError, DamagedError):
            return None
        if record.status is not Status.RUNNING:
            self._ended[run_id] = record
        return record

    def change(self, question: SearchDefinition, run_ids: Iterable[str]) -> str | None:
        """In words, the first thing that a step of these runs read or looked at undeclared and that changed."""
        request = question.job.request
        digest_now, place_now = cache(request.digest_now), cache(request.place_now)
        for maker in dict.fromkeys(self._makers(run_ids)):
            record = self.find(maker)
            if changed := undeclared_change(record, digest_now, place_now):
                return f"{record.component if record else maker}: {changed}"
        return None

    def _makers(self, run_ids: Iterable[str]) -> Iterator[str]:
        """The runs that made what the steps of these runs have; a skipped step names the run before it.

        A step that failed made nothing, and counts as well: with other files it may succeed.
        """
        for run_id in run_ids:
            record = self.find(run_id)
            steps = record.steps.values() if record else ()
            yield from (step["run"] for step in steps if isinstance(step.get("run"), str))
            if record and record.status is Status.FAILED:
                yield from self._failed_step(record)

    def _failed_step(self, parent: RunRecord) -> Iterator[str]:
        """The run of the step at which a run failed, which the run's own record does not name."""
        for run_id in sorted(each for each in self._store.run_ids() if each > parent.id):
            record = self.find(run_id)
            if record and parent.ended and record.started > parent.ended:
                return
            if record and record.parent == parent.id and record.status is Status.FAILED:
                yield run_id


def study_to_go_on(question: SearchDefinition, runs: SearchRuns) -> SearchDefinition:
    """The question with the name of the study that goes on.

    What a step reads undeclared stands in no name. So the first study counts of which every run would find what it
    read as it was; where there is none, a study begins whose name has the next number, and `anew` says why.
    """
    found = question
    for number in count(2):
        changed = runs.change(found, known_runs(found))
        if changed is None:
            return found
        found = replace(question, id=f"{question.id}-{number}", anew=changed)
    raise AssertionError("a count has no end")


def known_runs(question: SearchDefinition) -> list[str]:
    """The runs that the study's journal names."""
    pieces = question.job.store.journal(question.id, dict(question.facts)).pieces()
    return [run for each in told_candidates(question, pieces) for run in each.runs]


def told_candidates(question: SearchDefinition, pieces: Sequence[JournalPiece]) -> list[Candidate]:
    """The trials that pieces of a journal hold. Raises DamagedError for a piece of another one."""
    try:
        return candidates(question, [entry for piece in pieces for entry in piece.logs])
    except DamagedError:
        logs: list[Log] = []
        for piece in pieces:
            logs += piece.logs
            try:
                candidates(question, logs)
            except DamagedError as error:
                where = f"{question.job.store.url}: {piece.path}"
                raise DamagedError(f"{where} is no piece of this search: {error}; {PIECE_ADVICE}") from None
        raise


def check_unchanged(question: SearchDefinition, runs: SearchRuns, run_ids: Iterable[str]) -> None:
    """Raise SettingError where what the runs read undeclared changed: their trials don't belong together."""
    if changed := runs.change(question, run_ids):
        raise SettingError(
            f"{changed}, and it changed while it was searched, so what was measured with it does not count; the "
            "same command searches with what there is now; what a step declares is part of the search's name"
        )
