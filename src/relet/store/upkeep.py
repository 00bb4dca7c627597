"""The upkeep of a store, while others write to it: prune old versions, collect garbage."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from relet.core.artifact import DETERMINISM, REPRODUCTION, ArtifactType, Version, is_full_name
from relet.core.record import Status
from relet.errors import DamagedError, NotFoundError, StoreError
from relet.store import aliases, claims, log, objects, runs, versions
from relet.store.bucket import Bucket
from relet.store.contents import LARGEST_DOCUMENT
from relet.store.layout import (
    DIGEST,
    TOMBSTONE,
    Document,
    condemned_path,
    content_path,
    damaged_path,
    encode,
    log_path,
    object_path,
    version_path,
)

# An object younger than this may belong to a run that has not written its version yet.
GRACE = timedelta(hours=1)
# A half-written file that was written to less than this ago may have a living writer.
WRITING = timedelta(minutes=1)
# A condemned copy in a bucket that is older than this was left by a collection that was killed: no request comes
# so late. In a folder a move is one step, and the age does not matter.
LEFT = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class StoreProblem:
    """Something in a store that is damaged, missing or false: the kind of problem, the place, and what to do."""

    kind: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.message}"


def prune(bucket: Bucket, keep: int) -> list[str]:
    """Forget the versions of each artifact, but for the newest `keep`; the pruned versions, as `name:v3`.

    Of a name that an older relet gave without a pipeline, the newest of each pipeline are kept that made some.
    A version is kept where an alias is set to it, or where it is an input or output of a run that waits in an
    outbox; so is what each component said last of a version that is kept. The number of a pruned version is never
    given again. Its objects go with the next garbage collection.
    """
    if keep < 1:
        raise StoreError(f"prune: keep must be at least 1, got {keep}")
    held = _versions_in_outboxes(bucket)
    old: list[Version] = []
    kept: set[str] = set()
    for name in versions.names(bucket):
        living = versions.living_versions(bucket, name)
        if name in (REPRODUCTION, DETERMINISM):
            # Verdicts are small, and stay true of the version that they judged as long as it is kept.
            kept |= {str(each) for each in living}
            continue
        named = {
            number
            for each in (name, *versions.owners(bucket, name))
            for number in aliases.current_numbers(bucket, each).values()
        }
        spared = [each for each in living if each.number in named or str(each) in held]
        kept |= {str(each) for each in (*spared, *_newest_versions(bucket, living, keep))}
        old += [each for each in living if str(each) not in kept]
    said = _last_verdicts(bucket, kept) if any(each.type is ArtifactType.VERDICT for each in old) else set()
    pruned = [each for each in old if str(each) not in said]
    for version in pruned:
        _forget_version(bucket, version)
    return [str(each) for each in pruned]


def _newest_versions(bucket: Bucket, living: Sequence[Version], keep: int) -> Iterator[Version]:
    """The newest versions of an artifact; of a short name, which several pipelines may inherit, those of each."""
    full = not living or is_full_name(living[0].name)
    makers = [None if full else versions.pipeline_of_run(bucket, each.producer) for each in living]
    for pipeline in {*makers} - {None} or {None}:
        # what no record claims, each of them inherits
        made = [each for each, maker in zip(living, makers, strict=True) if maker in (None, pipeline)]
        yield from made[-keep:]


def _last_verdicts(bucket: Bucket, judged: set[str]) -> set[str]:
    """The verdicts that each component gave last on some versions, made here and imported."""
    seen: set[tuple[object, ...]] = set()
    verdicts: set[str] = set()
    for record in runs.newest_first(bucket):
        given = {link.version for link in record.outputs.values() if link.type == ArtifactType.VERDICT}
        if not given or record.status is not Status.FINISHED:
            continue
        for name, link in (*record.inputs.items(), *record.outputs.items()):
            # What it takes for comparison under another name, it does not judge.
            about = (record.pipeline, record.component, name, link.version, record.imported is None)
            if link.version in judged and about not in seen:
                seen.add(about)
                verdicts |= given
    return verdicts


def _versions_in_outboxes(bucket: Bucket) -> set[str]:
    held: set[str] = set()
    for tracker in bucket.folders("outbox/"):
        for run_id in runs.pending(bucket, tracker):
            with suppress(NotFoundError, DamagedError):
                record = runs.get_record(bucket, run_id)
                held |= {link.version for link in (*record.inputs.values(), *record.outputs.values())}
    return held


def _forget_version(bucket: Bucket, version: Version) -> None:
    # The tombstone comes first: a pointer to a tombstone is ignored, a version without its pointer is not.
    tombstone = versions.tombstone(version.name, version.number, version.content)
    path = version_path(version.name, version.number)
    log.put_logged(bucket, path, encode(tombstone), log.PRUNED)
    pointer = content_path(version.name, version.content)
    with suppress(DamagedError):
        if (bucket.document(pointer) or {}).get("number") == version.number:
            bucket.delete([pointer])


def collect(bucket: Bucket, older_than: timedelta = GRACE) -> list[str]:
    """Delete unreferenced objects, half-written files and claims that nobody holds, older than `older_than`; their
    paths.

    An object is referenced by a version that holds it and by a run record that needs it to be made again
    (`RunRecord.objects`). To be on the safe side, every digest counts that stands anywhere in a document which
    can't be read, which a newer relet wrote, or whose kind this relet does not know, and every digest in an object
    that such a document names. Raises DamagedError, with nothing deleted, where a document is no JSON, and where
    the code tree of a record is damaged or missing: what they needed is not known. Whatever `older_than` says,
    no version and no record that was acknowledged loses an object (decision 29).
    """
    before = datetime.now(UTC) - older_than
    collection = secrets.token_hex(8)
    garbage = _unreferenced_objects(bucket, before)
    moved = bucket.each(lambda digest: objects.condemn(bucket, digest, collection), garbage)
    ours = {condemned_path(digest, collection) for digest, found in zip(garbage, moved, strict=True) if found}
    return [*_delete_condemned(bucket, ours, before), *_unstage(bucket, before), *claims.collect(bucket, before)]


def _unreferenced_objects(bucket: Bucket, before: datetime) -> list[str]:
    """The digests of the objects that are older than `before` and that nothing refers to."""
    candidates = [entry for entry in bucket.entries("objects/") if entry.modified <= before]
    # References are read after the listing: a version written in between may refer to one of the candidates.
    wanted = _referenced_objects(bucket) if candidates else set()
    garbage = [entry.path for entry in candidates if entry.path.rpartition("/")[2] not in wanted]
    # The times are read once more: a writer that found an object stored has set its time to now.
    found = bucket.each(bucket.head, garbage)
    digests = [entry.path.rpartition("/")[2] for entry in found if entry and entry.modified <= before]
    return [digest for digest in digests if DIGEST.fullmatch(digest)]


def _delete_condemned(bucket: Bucket, ours: set[str], before: datetime) -> list[str]:
    """Delete the condemned copies that nothing refers to, and put the others back; the deleted objects' paths.

    The copies are this collection's own (`ours`), and those that killed ones left. References are read after the
    copies were condemned: a version that is written later finds that its object is not in its place (decision 29).
    """
    left = min(before, datetime.now(UTC) - LEFT)
    copies = [
        (digest, entry.path)
        for digest, entry in objects.condemned(bucket)
        if entry.path in ours or entry.modified <= (left if bucket.root is None else before)
    ]
    wanted = _referenced_objects(bucket) if copies else set()
    lost = set(objects.absent_digests(bucket, wanted.intersection(digest for digest, _ in copies)))
    done = [path for digest, path in copies if digest not in lost]
    if done:
        bucket.delete(done)
    return sorted({object_path(digest) for digest, _ in copies if digest not in wanted})


def _unstage(bucket: Bucket, before: datetime) -> list[str]:
    before = min(before, datetime.now(UTC) - WRITING)
    removed = []
    for path in list(bucket.staged()):
        with suppress(FileNotFoundError):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) <= before:
                path.unlink()
                removed.append(str(path.relative_to(bucket.root)) if bucket.root else str(path))
    return removed


@dataclass(frozen=True, kw_only=True)
class DocumentReferences:
    """The digests in one document: those of objects that it needs, and those of objects that name further ones.

    `tree` is the code tree of a record that can be read. `possible` are the digests in a document that can't be
    read whole: any of them may be a code tree.
    """

    path: str
    needed: frozenset[str] = frozenset()
    tree: str | None = None
    possible: frozenset[str] = frozenset()


def _referenced_objects(bucket: Bucket) -> set[str]:
    """The digests that anything in the store refers to. Raises DamagedError where some can't be known."""
    paths = [entry.path for prefix in ("artifacts/", "runs/", "releases/") for entry in bucket.entries(prefix)]
    # The first entry of the log names the object that lists what was there when it began.
    found = bucket.each(lambda path: _references_in_document(bucket, path), [*paths, log_path(1)])
    possible = {digest: each.path for each in found for digest in each.possible}
    trees = {each.tree: each.path for each in found if each.tree}
    named = bucket.each(lambda asked: _digests_in_object(bucket, *asked), list((possible | trees).items()))
    lost = objects.absent_digests(bucket, trees)
    if lost:
        raise _unknown_references(trees[lost[0]], str(objects.missing_error(bucket, lost[0])))
    return {*possible, *trees}.union(*(each.needed for each in found), *named)


def _references_in_document(bucket: Bucket, path: str) -> DocumentReferences:
    stored = bucket.get(path)
    if stored is None:  # deleted since it was listed
        return DocumentReferences(path=path)
    every = _digests_in(stored)
    try:
        document = bucket.parse(path, stored)
    except DamagedError as error:
        if _may_name_objects(path):
            raise _unknown_references(path, str(error)) from error
        return DocumentReferences(path=path, possible=every)
    try:
        needed = every & _digests_needed(bucket, path, document, every)
        tree = document["code"].get("tree") if path.startswith("runs/") else None
    except (StoreError, TypeError, KeyError, AttributeError):
        return DocumentReferences(path=path, possible=every)
    return DocumentReferences(path=path, needed=needed, tree=tree)


def _may_name_objects(path: str) -> bool:
    """Whether a document of this path names objects: not an alias, nor a pointer from a content to its version.

    >>> _may_name_objects("runs/r.json"), _may_name_objects("artifacts/a/contents/ab.json")
    (True, False)
    """
    folder, *below = path.split("/")
    return path.endswith(".json") and (folder != "artifacts" or below[1:2] == ["versions"])


def _digests_in(content: bytes) -> frozenset[str]:
    return frozenset(re.findall(DIGEST.pattern, content.decode(errors="replace")))


def _digests_in_object(bucket: Bucket, digest: str, path: str) -> frozenset[str]:
    """The digests in an object that may be a code tree, which the document at `path` names.

    Raises DamagedError where the object is damaged: nobody knows which files the tree named. Where the store does
    not answer, another StoreError ends the collection, too.
    """
    about = bucket.head(object_path(digest))
    if about is None and bucket.head(damaged_path(digest)) is None:
        return frozenset()  # the digest of something else
    if about is not None and about.size > LARGEST_DOCUMENT:
        return frozenset()
    try:
        return _digests_in(objects.read(bucket, digest))
    except DamagedError as error:
        raise _unknown_references(path, str(error)) from error


def _unknown_references(path: str, why: str) -> DamagedError:
    return DamagedError(
        f"nobody can tell which objects {path} needs, so nothing was deleted: {why}; restore what is damaged "
        f"from a backup, or delete {path}"
    )


def _digests_needed(bucket: Bucket, path: str, document: Document, every: frozenset[str]) -> frozenset[str]:
    folder, *below = path.split("/")
    if folder == "runs":
        record = runs.from_document(bucket, path, document)
        return frozenset({*record.objects.values(), *filter(None, [record.log])})
    if folder == "artifacts" and below[1:2] == ["versions"]:
        return frozenset() if TOMBSTONE in document else frozenset(document["files"].values())
    return frozenset() if folder == "artifacts" else every
