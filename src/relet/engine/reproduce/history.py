"""What a run, or the run that made a version, recorded: which steps are made again, from what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relet.core.artifact import Reference, Version
from relet.core.record import Caveat, Link, RunRecord, Status
from relet.errors import DamagedError, ImpossibleError, NotFoundError

if TYPE_CHECKING:
    from relet.store import Store

_RUN = re.compile(r"[0-9]{8}T[0-9]+-[0-9a-f]{8}")


@dataclass(frozen=True, kw_only=True)
class History:
    """What is made again.

    `run` is the one that was asked for, or that made the version: its commit and its lock are rebuilt; `steps` are
    the runs of components to make again; `pinned` are the inputs that none of them made, `component.input` → link.
    """

    target: str
    run: RunRecord
    steps: tuple[RunRecord, ...]
    pinned: Mapping[str, Link]

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        every = (each for record in (self.run, *self.steps) for each in record.caveats)
        return tuple(dict.fromkeys(every))


def recorded(target: str, store: Store) -> History:
    """The history of a run's id, or of a version: `model:v7`, `model:prod`.

    A version's history are the steps of the run that made it that lead up to it. Raises NotFoundError for what is
    not in the store, ImpossibleError where it does not say how it was made.
    """
    if _RUN.fullmatch(target):
        run = store.run(target)
        steps = [run] if run.component else _steps(run, store)
    else:
        version = store.version(target)
        run = _maker(version, store)
        steps = _leading_to(run, store)
    if not steps:
        raise ImpossibleError(f"run {run.id} ended as {run.status} before any step was finished")
    return History(target=target, run=run, steps=tuple(steps), pinned=_pinned(steps))


def _maker(version: Version, store: Store) -> RunRecord:
    if version.producer is None:
        raise ImpossibleError(f"{version} does not say which run made it")
    try:
        return store.run(version.producer)
    except (NotFoundError, DamagedError) as error:
        raise ImpossibleError(f"the record of the run that made {version} can't be had: {error}") from None


def _steps(run: RunRecord, store: Store) -> list[RunRecord]:
    """The component runs that a pipeline's run is made of: its own, and the earlier ones of what it skipped."""
    found = []
    for step in run.steps.values():
        ids = [step["run"]] if step.get("run") else _producers(step.get("outputs", {}), store)
        try:
            found += [store.run(run_id) for run_id in ids]
        except NotFoundError as error:
            raise ImpossibleError(str(error)) from None
    return [record for record in found if record.status is Status.FINISHED]


def _producers(outputs: Mapping[str, str], store: Store) -> Iterable[str]:
    """Older records don't name the run of a step that was skipped: what it has does."""
    versions = (store.find(reference) for reference in outputs.values())
    return dict.fromkeys(version.producer for version in versions if version and version.producer)


def _leading_to(run: RunRecord, store: Store) -> list[RunRecord]:
    try:
        parent = store.run(run.parent) if run.parent else None
    except NotFoundError:
        parent = None
    others = [record for record in _steps(parent, store) if record.id != run.id] if parent else []
    needed = [run]
    while more := [each for each in others if each not in needed and _feeds(each, needed)]:
        needed += more
    return needed


def _feeds(record: RunRecord, others: Iterable[RunRecord]) -> bool:
    made = set(_contents(record.outputs.values()))
    return any(made & set(_contents(other.inputs.values())) for other in others)


def _contents(links: Iterable[Link]) -> Iterator[tuple[str, str]]:
    return ((Reference.parse(link.version).name, link.content) for link in links)


def _pinned(steps: Iterable[RunRecord]) -> dict[str, Link]:
    made = {each for record in steps for each in _contents(record.outputs.values())}
    return {
        f"{record.component}.{name}": link
        for record in steps
        for name, link in record.inputs.items()
        if not made.intersection(_contents([link]))
    }


def missing(history: History, store: Store, *, lock: bool) -> Iterator[str]:
    """What reproduction needs and the store does not hold; `lock` says whether the lock is needed."""
    if lock and history.run.lock is None:
        yield "no lock was recorded: the project had no requirements.lock (--here uses the current environment)"
    wanted = {what: digest for what, digest in history.run.objects.items() if lock or what != "lock"}
    for step in history.steps:
        wanted |= {f"the source of {step.component}.{name}": sha for name, sha in step.sources.items()}
    for what, digest in wanted.items():
        if not store.has_object(digest):
            yield f"{what} is gone from the store: object {digest[:12]}"
    for place, link in history.pinned.items():
        version = store.find_content(Reference.parse(link.version).name, link.content)
        if version is None:
            yield f"{link.version}, which {place} takes, is gone from the store: it was pruned"
            continue
        for path, digest in version.files.items():
            if not store.has_object(digest):
                yield f"{path} of {version}, which {place} takes, is gone: object {digest[:12]}"
