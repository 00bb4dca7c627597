"""Read a run's record, or that of the run that made a version: which steps to make again, from which inputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relet.core.artifact import Reference, Version, short_name
from relet.core.record import ArtifactLink, Caveat, RunKind, RunRecord, Status
from relet.errors import DamagedError, ImpossibleError, NotFoundError
from relet.reproduction.suspicion import unfit_part
from relet.store.manifest import has_made

if TYPE_CHECKING:
    from relet.store import Store

_RUN = re.compile(r"[0-9]{8}T[0-9]+-[0-9a-f]{8}")


@dataclass(frozen=True, kw_only=True)
class ReproductionTarget:
    """The target of a reproduction: a run, or a `version` and the `run` that made it, where the store knows it."""

    target: str
    run: str | None
    version: Version | None = None


@dataclass(frozen=True, kw_only=True)
class RunHistory:
    """The recorded history to reproduce.

    `run` is the requested run, or the one that made the version; its commit and its lock are rebuilt. `steps` are
    the runs of components to make again. `pinned` are the inputs that no step made, as `component.input` → link.
    `echoed` are inputs that a component took under another name than the artifact's, and whose content one of the
    steps made. The component's signature tells whether such an input was a stored version or a product of the run.
    """

    run: RunRecord
    steps: tuple[RunRecord, ...]
    pinned: Mapping[str, ArtifactLink]
    echoed: Mapping[str, ArtifactLink]

    def foreign(self, asked: ReproductionTarget) -> dict[str, str]:
        """Each run that came from another store → where it came with, in words: its code is that of somebody else.

        The mark of the version that was asked for counts as much as that of the record.
        """
        found = {record.id: record.imported for record in (self.run, *self.steps) if record.imported}
        if asked.version and asked.version.imported:
            found.setdefault(self.run.id, f"the bundle {asked.version.imported['bundle'][:12]}")
        return found

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        every = (each for record in (self.run, *self.steps) for each in record.caveats)
        return tuple(dict.fromkeys(every))


def find_subject(target: str, store: Store) -> ReproductionTarget:
    """The target that a run's id or a reference (`model:v7`, `model:prod`) names.

    Raises NotFoundError for neither.
    """
    if _RUN.fullmatch(target):
        with suppress(DamagedError):
            store.run(target)
        return ReproductionTarget(target=target, run=target)
    try:
        Reference.parse(target)
    except NotFoundError:
        raise NotFoundError(
            f"{target!r} is neither a run's id (`relet runs` lists them) nor a version, such as model:v7"
        ) from None
    version = store.version(target)
    return ReproductionTarget(target=target, run=version.producer, version=version)


def recorded_history(asked: ReproductionTarget, store: Store) -> RunHistory:
    """The history of a run from its record; of a version, the steps of its run that lead to it.

    Raises ImpossibleError where the record is incomplete.
    """
    run = _recorded_run(asked, store)
    if asked.version and not has_made(run, asked.version):
        raise ImpossibleError(_why_not_the_maker(asked.version, run))
    steps = _wanted_steps(asked, run, store)
    if not steps:
        raise ImpossibleError(_why_nothing_finished(run))
    for record in (run, *steps):
        if wrong := unfit_part(record):
            raise ImpossibleError(f"the record of run {record.id} names {wrong}: relet writes none such")
    made = {each for record in steps for each in _link_contents(record.outputs.values())}
    taken = {(str(record.component), name): link for record in steps for name, link in record.inputs.items()}
    echoed = {place: link for place, link in taken.items() if made.intersection(_link_contents([link]))}
    return RunHistory(
        run=run,
        steps=tuple(steps),
        pinned={".".join(place): link for place, link in taken.items() if place not in echoed},
        echoed={
            ".".join(place): link
            for place, link in echoed.items()
            if short_name(Reference.parse(link.version).name) != place[1]
        },
    )


def _recorded_run(asked: ReproductionTarget, store: Store) -> RunRecord:
    if asked.run is None:
        raise ImpossibleError(f"{asked.version} does not say which run made it: it came here without its history")
    try:
        return store.run(asked.run)
    except (NotFoundError, DamagedError) as error:
        what = f"the run that made {asked.version}" if asked.version else f"run {asked.run}"
        raise ImpossibleError(f"the record of {what} can't be had: {error}") from None


def _why_not_the_maker(version: Version, run: RunRecord) -> str:
    told = f"{version} says that run {run.id} made it, and that run's record names no output of this content"
    if run.status is Status.FINISHED:
        return f"{told}: one of the two was changed (`relet artifacts verify`)"
    return f"{told}: its status is {run.status}; name the run that made this content since (`relet runs`)"


def _wanted_steps(asked: ReproductionTarget, run: RunRecord, store: Store) -> list[RunRecord]:
    if asked.version:
        return _steps_leading_to(run, store)
    return _finished_records([run]) if run.component else _recorded_steps(run, store)


def _why_nothing_finished(run: RunRecord) -> str:
    if run.kind in (RunKind.SWEEP, RunKind.SEARCH):
        best = f", such as the best one: {run.winner}" if run.winner else ""
        return f"run {run.id} is a {run.kind}, which makes nothing by itself: name one of its trials{best}"
    if run.status is Status.RUNNING:
        return f"run {run.id} has not ended, or was killed: name a version that it made, such as model:v7"
    told = f" ({run.message})" if run.message else ""
    return f"run {run.id} ended as {run.status} before any step was finished{told}: there is nothing to compare"


def _recorded_steps(run: RunRecord, store: Store) -> list[RunRecord]:
    """The component runs of a pipeline's run: those it made, and the earlier ones of the steps it skipped."""
    found = []
    for step in run.steps.values():
        ids = [step["run"]] if step.get("run") else _producers(step.get("outputs", {}), store)
        try:
            found += [store.run(run_id) for run_id in ids]
        except NotFoundError as error:
            raise ImpossibleError(str(error)) from None
    return _finished_records(found)


def _finished_records(records: Iterable[RunRecord]) -> list[RunRecord]:
    return [record for record in records if record.status is Status.FINISHED]


def _producers(outputs: Mapping[str, str], store: Store) -> Iterable[str]:
    """The runs that made a skipped step's outputs. Older records do not name the run of a skipped step."""
    versions = (store.find(Reference.parse(each)) for each in outputs.values())
    return dict.fromkeys(version.producer for version in versions if version and version.producer)


def _steps_leading_to(run: RunRecord, store: Store) -> list[RunRecord]:
    try:
        parent = store.run(run.parent) if run.parent else None
    except NotFoundError:
        parent = None
    others = [record for record in _recorded_steps(parent, store) if record.id != run.id] if parent else []
    needed = [run]
    while more := [each for each in others if each not in needed and _feeds_any(each, needed)]:
        needed += more
    return needed


def _feeds_any(record: RunRecord, others: Iterable[RunRecord]) -> bool:
    made = set(_link_contents(record.outputs.values()))
    return any(made & set(_link_contents(other.inputs.values())) for other in others)


def _link_contents(links: Iterable[ArtifactLink]) -> Iterator[tuple[str, str]]:
    return ((Reference.parse(link.version).name, link.content) for link in links)


def missing_for_rebuild(history: RunHistory, store: Store, *, lock: bool) -> Iterator[str]:
    """The objects that a reproduction needs and the store does not hold.

    `lock` says whether the lock is needed.
    """
    if lock and history.run.lock is None:
        # What is stored already is skipped, and keeps its record.
        again = f"relet run {history.run.pipeline} store.url=FOLDER"
        yield (
            "no lock was recorded: the project had no requirements.lock; where it has one now, run it in a new "
            f"store ({again}), or take the current environment (--here)"
        )
    needless = {*(() if lock else ("lock",)), *(("diff",) if history.run.code.tree else ())}
    wanted = {what: digest for what, digest in store.objects_of(history.run).items() if what not in needless}
    for step in history.steps:
        wanted |= {f"the file {path} of {step.component}": sha for path, sha in step.modules_kept.items()}
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
