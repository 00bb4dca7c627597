"""What a gatekeeper said last of a version, and what becomes of that where a document of it is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

from relet.core.artifact import ArtifactType, Reference, Version, in_pipeline, short_name, within_pipeline
from relet.core.component import Component
from relet.core.record import RunRecord, Status
from relet.errors import DamagedError, NotFoundError, StoreError


class JudgementReader(Protocol):
    """What the search for a judgement reads of a store."""

    def find(self, reference: str | Reference) -> Version | None:
        """The version a reference names, or None."""

    def passed(self, verdict: Version) -> bool:
        """Whether a stored verdict passed, as its own file says; False where its version claims anything else."""

    def versions(self, name: str, unread: list[str] | None = None) -> list[Version]:
        """An artifact's versions that can be read, the oldest first; the others join `unread`."""

    def runs(self, limit: int | None = None, unread: list[str] | None = None) -> Iterator[RunRecord]:
        """The run records that can be read, the newest first; the ids of the others join `unread`."""

    def run_ids(self) -> list[str]:
        """The ids of all runs, the newest first; no record is read."""

    def run(self, id: str) -> RunRecord:
        """A run's record."""


# The ids of runs begin with the time. Machines that share a store may differ by this much in the time.
CLOCKS_APART = timedelta(hours=1)
TIME_OF_ID = "%Y%m%dT%H%M%S"


def judgements(
    version: Version, store: JudgementReader, component: str | None = None, pipeline: str | None = None
) -> Iterator[RunRecord]:
    """The finished runs of a pipeline's component (None: of any) that took or made a version, the newest first.

    A run counts where its input or output has the version's own short name: under another name the version is what
    a run compared with, and the verdict does not speak of it. A run that was imported does not count: nobody here
    saw it judge.
    """
    for record in _records_since_made(version, store):
        if judges(record, version, component, pipeline) and not record.imported:
            yield record


def refusing_components(version: Version, store: JudgementReader) -> list[str]:
    """The components of the pipeline that made a version whose newest verdict on it is a no."""
    pipeline, slash, _ = version.name.partition("/")
    said: dict[str, bool] = {}
    for record in judgements(version, store, pipeline=pipeline) if slash else ():
        verdicts = [link.version for link in record.outputs.values() if link.type == ArtifactType.VERDICT]
        found = [each for each in map(store.find, verdicts) if each is not None]
        if found and record.component:
            said.setdefault(record.component, all(map(store.passed, found)))
    return [name for name, passed in said.items() if not passed]


def judges(record: RunRecord, version: Version, component: str | None, pipeline: str | None) -> bool:
    """Whether a run has judged a version, as a finished run of a pipeline's component (None: of any)."""
    if record.status is not Status.FINISHED:
        return False
    if component not in (None, record.component) or pipeline not in (None, record.pipeline):
        return False
    link = {**record.inputs, **record.outputs}.get(short_name(version.name))
    return link is not None and link.version == str(version)


def why_refused(version: Version, store: JudgementReader, gatekeeper: Component, pipeline: str) -> str | None:
    """Why a pipeline's gatekeeper that does not run now holds back what takes a version; None where it does not.

    Only what the pipeline's own gatekeeper said counts: another pipeline may have one of that name.
    The newest judgement that was made here counts; where there is none, the newest one that was imported. A
    judgement that was made, and of which the record or the verdict is gone or can't be read, holds back.
    """
    unread: list[str] = []
    passed_by: list[RunRecord] = []
    judged = None
    for record in _records_since_made(version, store, unread):
        if judges(record, version, gatekeeper.name, pipeline) and not record.imported:
            judged = record
            break
        if record.pipeline == pipeline:
            passed_by.append(record)
    since = judged.id if judged else earliest_judgement(version)
    verdicts = list(_known_verdicts(store, gatekeeper, pipeline, every=judged is None))
    lost = {*unread, *_lost_judgements(version, store, gatekeeper, passed_by, verdicts)}
    if newest := max((run_id for run_id in lost if run_id > since), default=None):
        return _ask_again(version, gatekeeper, f"run {newest}", pipeline)
    judged = judged or _newest_import(version, store, gatekeeper, passed_by, verdicts)
    return _what_it_says(judged, version, store, gatekeeper, pipeline) if judged else None


def _what_it_says(
    record: RunRecord, version: Version, store: JudgementReader, gatekeeper: Component, pipeline: str
) -> str | None:
    for name in gatekeeper.verdicts:
        if name not in record.outputs:
            continue
        verdict = None
        with suppress(StoreError):
            verdict = store.find(Reference.parse(record.outputs[name].version))
        if verdict is None:
            return _ask_again(version, gatekeeper, record.outputs[name].version, pipeline)
        if not store.passed(verdict):
            return f"{gatekeeper.name} said no to it"
    return None


def _ask_again(version: Version, gatekeeper: Component, lost: str, pipeline: str) -> str:
    said, gone = within_pipeline(pipeline, str(version)), within_pipeline(pipeline, lost)
    return (
        f"what {gatekeeper.name} said of {said} is not known, for {gone} is gone or can't be read: "
        f"run {gatekeeper.name} again, together with it"
    )


def _records_since_made(
    version: Version, store: JudgementReader, unread: list[str] | None = None
) -> Iterator[RunRecord]:
    """The records, the newest first, back to the time when a version was made: no run here judged it before."""
    earliest = earliest_judgement(version)
    for record in store.runs(unread=unread):
        if record.id < earliest:
            return
        yield record


def earliest_judgement(version: Version) -> str:
    """No run whose id sorts before this one judged the version; "" where that is not known.

    Of a version that was imported only the bundle says when it was made.

    >>> run_id = "20260101T120000000000-0a1b2c3d"
    >>> made = Version(name="a", number=1, type="table", content="c", files={}, producer=run_id)
    >>> earliest_judgement(made)
    '20260101T110000'
    """
    if version.imported:
        return ""
    try:
        made = datetime.strptime((version.producer or "")[:15], TIME_OF_ID)
    except ValueError:
        return ""
    return (made - CLOCKS_APART).strftime(TIME_OF_ID)


def _known_verdicts(
    store: JudgementReader, gatekeeper: Component, pipeline: str, *, every: bool
) -> Iterator[Version]:
    """The stored verdicts of a pipeline's gatekeeper: every one, or only the latest."""
    for name in (in_pipeline(pipeline, each) for each in gatekeeper.verdicts):
        if every:
            yield from store.versions(name)
            continue
        with suppress(StoreError):
            if latest := store.find(f"{name}:latest"):
                yield latest


def _lost_judgements(
    version: Version,
    store: JudgementReader,
    gatekeeper: Component,
    records: Iterable[RunRecord],
    verdicts: Iterable[Version],
) -> set[str]:
    """The runs of a gatekeeper that may have judged a version, and whose records are gone.

    The `records` of its pipeline name them, and so do the verdicts that they made.
    """
    held = set(store.run_ids())
    makers = {verdict.producer for verdict in verdicts if verdict.producer and not verdict.imported}
    lost = makers - held
    of_others = set()
    for record in records:
        run_id = record.steps.get(gatekeeper.name, {}).get("run")
        if isinstance(run_id, str) and run_id not in held and not record.imported:
            lost.add(run_id)
            if _other_versions(record, version):
                of_others.add(run_id)
    return lost - of_others


def _other_versions(record: RunRecord, version: Version) -> bool:
    """Whether the run of a pipeline had the artifact of a version's name in other versions alone."""
    outputs = [str(each) for step in record.steps.values() for each in step.get("outputs", {}).values()]
    named = {each for each in outputs if short_name(each.partition(":")[0]) == short_name(version.name)}
    return bool(named) and str(version) not in named


def _newest_import(
    version: Version,
    store: JudgementReader,
    gatekeeper: Component,
    records: Iterable[RunRecord],
    verdicts: Iterable[Version],
) -> RunRecord | None:
    """The newest imported judgement of a version: it may be older than the version is here."""
    found = {record.id: record for record in records}
    for run_id in {verdict.producer for verdict in verdicts if verdict.producer} - found.keys():
        with suppress(NotFoundError, DamagedError):
            found[run_id] = store.run(run_id)
    imported = [each for each in found.values() if each.imported and judges(each, version, gatekeeper.name, None)]
    return max(imported, key=lambda record: record.id, default=None)
