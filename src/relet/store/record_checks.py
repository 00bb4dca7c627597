"""What a run's record claims, compared with the versions and the runs that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from relet.core.artifact import ArtifactType, Reference, Version
from relet.core.record import ArtifactLink, RunKind, RunRecord, key_digest
from relet.errors import NotFoundError, StoreError
from relet.store import runs, versions
from relet.store.bucket import Bucket
from relet.store.code_checks import StoredCode
from relet.store.fields import moment
from relet.store.layout import run_path, version_path
from relet.store.manifest import links, named_versions

FindVersion = Callable[[str], Version | None]
FindRecord = Callable[[str], RunRecord | None]


def false_record_claims(record: RunRecord, version: FindVersion, run: FindRecord) -> Iterator[str]:
    """Each claim of a record that is not so, in words. What can't be found is not judged.

    `version` and `run` find what a record names, and give None where it is gone.
    """
    yield from _false_times(record)
    if record.parts is not None and record.key is not None:
        found = key_digest(record.parts)
        if found != record.key:
            yield f"says that its key is {record.key}, and the digest of its parts is {found}"
    if record.parts is not None:
        if record.parts.pipeline not in ("", record.pipeline):
            yield f"says that it is of {record.pipeline}, and its key that it is of {record.parts.pipeline}"
        yield from _false_inputs(record)
    for link in links(record):
        yield from _false_link(link, version(link.version))
    yield from _false_metrics(record, version, run)


def stored_false_record_claims(bucket: Bucket, record: RunRecord) -> list[str]:
    """What a stored record claims and is not so, in words."""

    def version(reference: str) -> Version | None:
        with suppress(StoreError, NotFoundError):
            return versions.find(bucket, Reference.parse(reference))
        return None

    def run(run_id: str) -> RunRecord | None:
        with suppress(StoreError):
            return runs.read_record(bucket, run_path(run_id))
        return None

    return [*false_record_claims(record, version, run), *StoredCode.of(bucket).false_claims(record)]


@dataclass(frozen=True, kw_only=True)
class LostVersion:
    """A version that the record of a run names and whose document is gone; its content, where that is recorded."""

    reference: Reference
    content: str | None
    run: str

    def __str__(self) -> str:
        return f"run {self.run} names {self.reference}, and it is gone and was not pruned"


def lost_versions(bucket: Bucket, records: Iterable[RunRecord]) -> dict[str, LostVersion]:
    """The versions that records name and of which nothing is left, by the paths of their documents.

    A pruned version leaves a tombstone. The records have to be read before the call: a version is written before
    the record that names it.
    """
    named: dict[str, LostVersion] = {}
    for record in records:
        for reference, content in named_versions((record,)).items():
            found = Reference.parse(reference)
            if found.number and (str(found) not in named or named[str(found)].content is None):
                named[str(found)] = LostVersion(reference=found, content=content, run=record.id)
    listed = {
        name: versions.version_numbers(bucket, name) for name in {each.reference.name for each in named.values()}
    }
    unlisted = {
        version_path(each.reference.name, each.reference.number or 0): each
        for each in named.values()
        if each.reference.number not in listed[each.reference.name]
    }
    # A listing may pass over what was just created.
    return {path: each for path, each in sorted(unlisted.items()) if bucket.head(path) is None}


def _false_times(record: RunRecord) -> Iterator[str]:
    if record.ended is not None and moment(record.ended) < moment(record.started):
        yield f"says that it ended at {record.ended}, before it started at {record.started}"


def _false_inputs(record: RunRecord) -> Iterator[str]:
    """The inputs whose content differs from the content that the key was made of."""
    parts = record.parts.inputs if record.parts else {}
    for name, link in record.inputs.items():
        if parts.get(name, link.content) != link.content:
            yield f"says that its input {name} has the content {link.content}, and its key that of {parts[name]}"


def _false_link(link: ArtifactLink, found: Version | None) -> Iterator[str]:
    if found is not None and (found.content, found.type) != (link.content, link.type):
        yield (
            f"says that {link.version} is a {link.type} with the content {link.content}, "
            f"and it is a {found.type} with {found.content}"
        )


def _false_metrics(record: RunRecord, version: FindVersion, run: FindRecord) -> Iterator[str]:
    possible = proven_metrics(record, version, run)
    for name, value in record.metrics.items() if possible is not None else ():
        values = (possible or {}).get(name)
        if values is None:
            yield f"says {name} = {value!r}, and no artifact of metrics that it names has that metric"
        elif not any(_is_same_number(value, each) for each in values):
            yield f"says {name} = {value!r}, and its artifacts say {values[0]!r}"


def _is_same_number(one: Any, other: Any) -> bool:
    return bool(one == other or (one != one and other != other))


def proven_metrics(record: RunRecord, version: FindVersion, run: FindRecord) -> dict[str, list[Any]] | None:
    """The metrics that a record's artifacts hold: name → values; of a sweep those of its winner.

    None where one of the artifacts, or the winner's record, is gone: then nothing can be said of the metrics.
    """
    if record.kind is RunKind.SEARCH:
        return None  # Its metrics are means over folds, which its journal holds.
    if record.kind is RunKind.SWEEP:
        winner = run(record.winner) if record.winner else None
        return {name: [value] for name, value in winner.metrics.items()} if winner else None
    found: dict[str, list[Any]] = {}
    for step, name in _steps_with_outputs(record) if record.component is None else _links_to_metrics(record):
        held = version(name)
        if held is None:
            return None
        if held.type is ArtifactType.METRICS:
            for metric, value in _metrics_of(held).items():
                found.setdefault(metric, []).append(value)
                # a component that is used twice has its step's name before them
                found.setdefault(f"{step}.{metric}", []).append(value)
    return found


def _steps_with_outputs(record: RunRecord) -> Iterator[tuple[str, str]]:
    for name, step in record.steps.items():
        yield from ((name, version) for version in step.get("outputs", {}).values())


def _links_to_metrics(record: RunRecord) -> Iterator[tuple[str, str]]:
    links = record.outputs.values()
    return ((record.component or "", link.version) for link in links if link.type == ArtifactType.METRICS)


def _metrics_of(version: Version) -> Mapping[str, Any]:
    metrics: Mapping[str, Any] = version.metadata.get("metrics", {})
    return metrics
