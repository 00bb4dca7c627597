"""Which run a person means by an id, a part of one, or a version."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

from relet.core.record import RunKind, RunRecord
from relet.errors import DamagedError, NotFoundError, SettingError, nearest
from relet.experiments.experiment import short_id

if TYPE_CHECKING:
    from relet.store import Store

# How many of the records are read whose ids begin with a word.
READ = 20
# How many runs an error lists where a word begins the ids of several, and how many where it is like no id.
LISTED, LATEST = 4, 5
# Among how many ids a word that was mistyped is looked for.
LIKELY = 200


def find_run(store: Store, word: str) -> RunRecord:
    """The run that a word names: by its id, by the beginning or the end of its id, or by a version that it made.

    The run of a component stands for the pipeline's run that it belongs to, and a sweep or search for its winner.
    Raises NotFoundError where no run has such an id (with the nearest id), where several ids begin so, and where
    no run is recorded that made the version; SettingError for a sweep or search without a winner.
    """
    if ":" in word:
        version = store.version(word)
        if version.producer is None:
            raise NotFoundError(
                f"{version} was made by no run that was recorded; name one that `relet runs` lists"
            )
        return _pipeline_run(store, store.run(version.producer))
    ids = store.run_ids()
    if word in ids:
        return _pipeline_run(store, store.run(word))
    matching = [each for each in ids if each.startswith(word) or short_id(each) == word]
    candidates = (store.run(each) for each in matching[:READ])
    # a sweep begins in the moment of its first trial: where both ids begin so, the trial is meant
    runs = [each for each in candidates if len(matching) == 1 or each.kind not in (RunKind.SWEEP, RunKind.SEARCH)]
    records = {record.id: record for record in (_pipeline_run(store, each) for each in runs)}
    pipelines = [each for each in records.values() if each.component is None]
    if len(pipelines or records) == 1:
        return (pipelines or list(records.values()))[0]
    if records:
        some = ", ".join(sorted(records)[:LISTED])
        raise NotFoundError(f"{word!r} begins the ids of {len(matching)} runs; write more of it: {some}, …")
    raise NotFoundError(f"{store.url} holds no run {word!r}: {_suggested_runs(store, word, ids[:LIKELY])}")


def _suggested_runs(store: Store, word: str, ids: Sequence[str]) -> str:
    """The run that was probably meant, else the latest runs of pipelines."""
    if get_close_matches(word, ids, n=1):
        return nearest(word, ids)
    pipelines = (each.id for each in store.runs() if each.kind is RunKind.PIPELINE)
    latest = ", ".join(islice(pipelines, LATEST))
    return f"the latest are {latest}; `relet runs` lists them" if latest else "nothing has run yet"


def _pipeline_run(store: Store, record: RunRecord) -> RunRecord:
    """The pipeline's run that a component's run belongs to, the winner of a sweep or search, or the run itself."""
    if record.kind is RunKind.COMPONENT and record.parent:
        try:
            return store.run(record.parent)
        except (NotFoundError, DamagedError):
            return record
    if record.kind in (RunKind.SWEEP, RunKind.SEARCH):
        if record.winner is None:
            raise SettingError(
                f"{record.id} is a {record.kind} without a winner; name runs of it that are compared"
            )
        return store.run(record.winner)
    return record
