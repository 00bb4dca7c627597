"""Run records, the keys that lead to their outputs, and the outbox of each tracker."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping

from relet.core import record as records
from relet.core.artifact import Reference, Version
from relet.core.record import ArtifactLink, RunRecord
from relet.errors import DamagedError, NotFoundError, StoreError, nearest
from relet.store import checking, log, objects, trees, versions
from relet.store.bucket import PARALLEL, Bucket
from relet.store.fields import wrong_record_fields
from relet.store.layout import Document, encode, key_path, outbox_folder, run_path, word
from relet.store.manifest import disowns


def put(bucket: Bucket, record: RunRecord) -> None:
    """Write a run's record, over the one before. Only the run itself does so."""
    log.put_logged(bucket, run_path(record.id), _encoded(record), log.RECORD)
    _restore_needed(bucket, record)


def add(bucket: Bucket, record: RunRecord) -> bool:
    """Write the record of a run of another store, unless it is stored already. True where this call wrote it."""
    created = log.create_logged(bucket, run_path(record.id), _encoded(record), log.RECORD)
    _restore_needed(bucket, record)
    return created


def _restore_needed(bucket: Bucket, record: RunRecord) -> None:
    """Put back what a garbage collection, which did not see the record yet, condemned of its objects."""
    if any(objects.condemned(bucket)):
        objects.restore(bucket, [*trees.objects_of(bucket, record).values(), *filter(None, [record.log])])


def _encoded(record: RunRecord) -> bytes:
    try:
        return encode(record.to_json())
    except (TypeError, ValueError) as error:
        raise StoreError(f"run {record.id}: its record can't be written as JSON: {error}") from error


def get_record(bucket: Bucket, run_id: str) -> RunRecord:
    """A run's record. Raises NotFoundError with the nearest id, or DamagedError."""
    record = read_record(bucket, run_path(run_id))
    if record is None:
        raise NotFoundError(f"{bucket.url} holds no run {run_id!r}: {nearest(run_id, ids(bucket)[:20])}")
    return record


def read_record(bucket: Bucket, path: str) -> RunRecord | None:
    stored = bucket.get(path)
    return None if stored is None else parse_record(bucket, path, stored)


def parse_record(bucket: Bucket, path: str, stored: bytes) -> RunRecord:
    return from_document(bucket, path, bucket.parse(path, stored))


def from_document(bucket: Bucket, path: str, document: Document) -> RunRecord:
    """A document's record. Raises StoreError where a newer relet wrote it, DamagedError where it is no record."""
    written = document.get("format")
    if isinstance(written, int) and written > records.FORMAT:
        raise StoreError(
            f"{bucket.url}: {path} was written by a newer relet (format {written}, this relet reads up to "
            f"{records.FORMAT}); upgrade relet"
        )
    try:
        record = RunRecord.from_json(document)
        wrong = next(wrong_record_fields(record), None)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise DamagedError(f"{bucket.url}: {path} can't be read as a run's record: {error}") from error
    if wrong:
        raise DamagedError(f"{bucket.url}: {path} can't be read as a run's record: its {wrong} can't be read")
    return record


def newest_first(bucket: Bucket, limit: int | None = None, unread: list[str] | None = None) -> Iterator[RunRecord]:
    """The records that can be read, the newest first; the ids of the others are added to `unread`."""
    lost = [] if unread is None else unread
    names = ids(bucket)[:limit]
    for start in range(0, len(names), PARALLEL):
        batch = names[start : start + PARALLEL]
        yield from (
            record for record in bucket.each(lambda name: _readable_record(bucket, name, lost), batch) if record
        )


def ids(bucket: Bucket) -> list[str]:
    """The ids of all runs, the newest first; no record is read."""
    paths = (entry.path for entry in bucket.entries("runs/"))
    return sorted((path[len("runs/") : -len(".json")] for path in paths if path.endswith(".json")), reverse=True)


def _readable_record(bucket: Bucket, run_id: str, unread: list[str]) -> RunRecord | None:
    try:
        return read_record(bucket, run_path(run_id))
    except StoreError:
        unread.append(run_id)
        return None


def put_key(bucket: Bucket, key: str, outputs: Mapping[str, str], run: str | None = None) -> None:
    """Write down the outputs of a key, output name → `clean_sample:v3`, and the run that made them."""
    for reference in outputs.values():
        if Reference.parse(reference).number is None:
            raise StoreError(f"a key leads to versions, got {reference!r}; write it as name:v3")
    bucket.put_document(key_path(key), {"outputs": dict(outputs), "run": run})


def maker(bucket: Bucket, key: str) -> str | None:
    """The run that made a key's outputs last; None where the key's document does not name it or can't be read."""
    try:
        document = bucket.document(key_path(key)) or {}
    except DamagedError:
        return None
    found = document.get("run")
    return found if isinstance(found, str) else None


def outputs_of(bucket: Bucket, key: str) -> dict[str, str] | None:
    """The outputs of a key; None where they have to be made again.

    That is where one of them was pruned, has lost an object or is not what it claims, and where the run that the
    key names has another key or made something else. Where the key names no run, that is where one of them says
    that a run made it which did not.
    """
    try:
        document = bucket.document(key_path(key))
        outputs = dict(document["outputs"]) if document else None
        if outputs is None:
            return None
        found = {each: versions.find(bucket, Reference.parse(each)) for each in outputs.values()}
        made_by = document.get("run") if document else None
        record = _readable_record(bucket, made_by, []) if isinstance(made_by, str) else None
    except (DamagedError, NotFoundError, KeyError, TypeError, ValueError, AttributeError):
        return None
    if record and not (record.key == key and leads_to(record, document or {}, found.get)):
        return None
    if made_by is None and any(_is_disowned(bucket, version) for version in found.values() if version):
        return None
    digests = {digest for version in found.values() if version for digest in version.files.values()}
    whole = all(found.values()) and not objects.absent_digests(bucket, digests)
    return outputs if whole and all(checking.holds(bucket, each) for each in found.values() if each) else None


def _is_disowned(bucket: Bucket, version: Version) -> bool:
    return version.producer is not None and disowns(_readable_record(bucket, version.producer, []), version)


def leads_to(record: RunRecord, document: Document, version: Callable[[str], Version | None]) -> bool:
    """Whether a run has made the outputs of a key's document: artifacts of the same names and contents."""
    outputs = document.get("outputs")
    if not isinstance(outputs, Mapping) or outputs.keys() != record.outputs.keys():
        return False
    for name, reference in outputs.items():
        held = version(str(reference))
        if held is not None and not _is_linked(held, record.outputs[name]):
            return False
    return True


def _is_linked(version: Version, link: ArtifactLink) -> bool:
    return (version.name, version.content) == (link.version.partition(":")[0], link.content)


def put_pending(bucket: Bucket, tracker: str, run_id: str) -> None:
    """Note that a tracker has to be sent this run's record as it is now."""
    entry = f"{word(run_id, 'a run id')}/{secrets.token_hex(8)}.json"
    bucket.put_document(f"{outbox_folder(tracker)}{entry}", {"run": run_id})


def pending(bucket: Bucket, tracker: str) -> dict[str, frozenset[str]]:
    """The runs in a tracker's outbox, the oldest first, each with the paths of its notes there."""
    folder = outbox_folder(tracker)
    found: dict[str, set[str]] = {}
    for entry in bucket.entries(folder):
        run_id, slash, _ = entry.path.removeprefix(folder).partition("/")
        if slash:
            found.setdefault(run_id, set()).add(entry.path)
    return {run_id: frozenset(found[run_id]) for run_id in sorted(found)}
