"""What a verdict does not promise: worked out where that is possible, or else marked as the record's word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from relet.core.record import BUNDLE, Caveat, RunRecord
from relet.project.key import code_files, pipeline_files
from relet.project.surroundings import Surroundings, locked_versions, uncommitted_files
from relet.reproduction.history import RunHistory
from relet.reproduction.judgement import RebuiltRun

if TYPE_CHECKING:
    from relet.store import Store


def caveats_again(history: RunHistory, made: RebuiltRun, store: Store, root: Path | None) -> tuple[str, ...]:
    """The caveats of a run that was made again, as sentences.

    Which files were not committed is worked out from the code tree and the commit, if the repository around `root`
    holds it; which packages were not the lock's, from the stored lock. What the reproduction saw its own calls do
    comes next, and last what only the record says. A record without caveats takes none of the others away.
    """
    derived, settled = _derived_caveats(history, made, store, root)
    observed = {
        each: str(record.component) for record in history.steps for each in made.observed(str(record.component))
    }
    claimed = (each for each in history.caveats if each.kind not in settled and each not in observed)
    return (
        *map(str, derived),
        *_unsettled(history, settled),
        *(f"made again, {component} {each}" for each, component in observed.items()),
        *as_the_record_says(claimed),
        *_false_words(history, store),
    )


def _false_words(history: RunHistory, store: Store) -> Iterator[str]:
    """What the records say and is not so, as far as they and the store show it: a key, an input, a metric."""
    for record in history.steps:
        for claim in store.false_record_claims(record):
            yield f"the record of {record.component} {claim}"


def as_the_record_says(caveats: Iterable[Caveat]) -> Iterator[str]:
    """Caveats that nobody can work out again; where a record comes from is marked by this store itself."""
    for each in caveats:
        yield str(each) if each.kind == BUNDLE else f"the record says that it {each}"


def _derived_caveats(
    history: RunHistory, made: RebuiltRun, store: Store, root: Path | None
) -> tuple[tuple[Caveat, ...], frozenset[str]]:
    """The caveats on commit and lock, and the kinds of them that could be worked out for all steps."""
    around, settled = _surroundings_again(history.run, store, root)
    found: dict[Caveat, None] = {}
    for record in history.steps:
        component = made.project.pipeline.component(str(record.component))
        parts = made.request.code[component.name]
        files = code_files(made.project, parts) | pipeline_files(made.project)
        own_lock = (component.environment or "").partition(":")[2]
        packages = record.parts.packages if record.parts else parts.packages
        place = made.project.root / own_lock if own_lock else None
        found |= dict.fromkeys(around.caveats(files, packages, place))
    return tuple(each for each in found if each.kind in settled), settled


def _surroundings_again(run: RunRecord, store: Store, root: Path | None) -> tuple[Surroundings, frozenset[str]]:
    """The surroundings of a run as its tree, its commit and its lock show them, and which of them do."""
    settled = set()
    code = run.code
    if code.commit is None:
        settled.add("uncommitted")
    elif code.tree and root:
        contents = {path: store.read_object(digest) for path, digest in store.tree(code.tree).items()}
        other = uncommitted_files(root, code, contents)
        if other is not None:
            settled.add("uncommitted")
            code = replace(code, uncommitted=other)
    lock = store.read_object(run.lock) if run.lock and store.has_object(run.lock) else None
    if lock is not None or run.lock is None:
        settled.add("lock")
    return Surroundings(code=code, lock=run.lock, locked=locked_versions(lock or b"")), frozenset(settled)


def _unsettled(history: RunHistory, settled: frozenset[str]) -> Iterator[str]:
    """What could not be worked out, so that an absent caveat means nothing."""
    commit = history.run.code.commit
    if "uncommitted" not in settled and commit:
        yield f"nobody can tell here whether its code is that of commit {commit[:12]}"
    if "lock" not in settled:
        yield "nobody can tell here whether its packages were those of its lock, which is gone from the store"
