"""Content-addressed objects: written once under their SHA-256, verified whenever they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from relet.errors import DamagedError, StoreError
from relet.files import replacing, space_advice
from relet.store.bucket import Bucket
from relet.store.disk import BucketEntry
from relet.store.layout import CONDEMNED, condemned_path, damaged_path, object_path

# An object that is stored already is not written again. Where it is older than this, its time is set to now: else
# a garbage collection at the same time might delete it before a version refers to it. Well below the grace period.
FRESH = timedelta(minutes=15)
# How often an object that is missing is looked for among the condemned ones: a second time, since a garbage
# collection may have put it back between two looks.
LOOKS = 2


def put(bucket: Bucket, content: bytes | Path) -> str:
    """Store bytes, or a file, which is not read into memory as a whole; the SHA-256."""
    if isinstance(content, Path):
        with content.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = content.stat().st_size
    else:
        digest, size = hashlib.sha256(content).hexdigest(), len(content)
    path = object_path(digest)
    if not _is_kept_fresh(bucket, bucket.head(path), size):
        bucket.put(path, content)
    return digest


def digest_of(content: bytes) -> str:
    """The SHA-256 that an object of this content is stored under, in hex."""
    return hashlib.sha256(content).hexdigest()


def _is_kept_fresh(bucket: Bucket, found: BucketEntry | None, size: int) -> bool:
    if found is None or found.size != size:
        return False
    return datetime.now(UTC) - found.modified < FRESH or bucket.touch(found.path)


def read(bucket: Bucket, digest: str) -> bytes:
    """An object's bytes. Raises DamagedError where they are missing or are not what was stored."""
    content = bucket.get(object_path(digest))
    if content is None and not absent_digests(bucket, [digest]):
        content = bucket.get(object_path(digest))
    if content is None:
        raise missing_error(bucket, digest)
    if hashlib.sha256(content).hexdigest() != digest:
        raise _set_aside(bucket, digest)
    return content


def pieces(bucket: Bucket, digest: str) -> Iterator[bytes]:
    """An object's bytes piece by piece. Raises DamagedError after the last one where the object is damaged."""
    stream = bucket.stream(object_path(digest))
    if stream is None and not absent_digests(bucket, [digest]):
        stream = bucket.stream(object_path(digest))
    if stream is None:
        raise missing_error(bucket, digest)
    seen = hashlib.sha256()
    for piece in stream:
        seen.update(piece)
        yield piece
    if seen.hexdigest() != digest:
        raise _set_aside(bucket, digest)


def fetch(bucket: Bucket, digest: str, to: Path) -> None:
    """Write an object to a file, which appears when it is whole and verified."""
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with replacing(to) as part, part.open("wb") as file:
            for piece in pieces(bucket, digest):
                file.write(piece)
    except OSError as error:
        import tempfile

        temporary = tempfile.gettempdir()
        advice = space_advice(error, temporary if to.is_relative_to(temporary) else "")
        raise StoreError(
            f"can't write {to}: {error.strerror or error}; nothing in the store is changed{advice}"
        ) from error


def absent_digests(bucket: Bucket, digests: Iterable[str]) -> list[str]:
    """The digests under which no object is stored. An object that was condemned in error is put back."""
    absent = _without_object(bucket, sorted(set(digests)))
    for _ in range(LOOKS if absent else 0):
        restore(bucket, absent)
        absent = _without_object(bucket, absent)
    return absent


def _without_object(bucket: Bucket, digests: list[str]) -> list[str]:
    found = bucket.each(lambda digest: bucket.head(object_path(digest)), digests)
    return [digest for digest, entry in zip(digests, found, strict=True) if entry is None]


def condemn(bucket: Bucket, digest: str, collection: str) -> bool:
    """Move an object out of the readers' sight, where it can be put back from. False where it is gone."""
    return bucket.move(object_path(digest), condemned_path(digest, collection))


def condemned(bucket: Bucket) -> list[tuple[str, BucketEntry]]:
    """Each condemned copy, with the digest of its object; an object may have copies of several collections."""
    return [(entry.path.removeprefix(CONDEMNED).partition(".")[0], entry) for entry in bucket.entries(CONDEMNED)]


def restore(bucket: Bucket, digests: Iterable[str]) -> None:
    """Put back those of the objects that are condemned and whole; the copies are the collections' to delete."""
    wanted = set(digests)
    for digest, entry in condemned(bucket):
        if digest in wanted and _is_whole(bucket, entry.path, digest):
            bucket.copy_back(entry.path, object_path(digest))


def _is_whole(bucket: Bucket, path: str, digest: str) -> bool:
    """Whether something is stored at a path and has this SHA-256."""
    seen = hashlib.sha256()
    for piece in bucket.stream(path) or ():
        seen.update(piece)
    return seen.hexdigest() == digest


def missing_error(bucket: Bucket, digest: str) -> DamagedError:
    aside = damaged_path(digest)
    if bucket.head(aside):
        return DamagedError(
            f"object {digest} was damaged and lies in {bucket.url}/{aside}; run the step that made it again"
        )
    return DamagedError(f"object {digest} is missing from {bucket.url}; run the step that made it again")


def _set_aside(bucket: Bucket, digest: str) -> DamagedError:
    """Move a damaged object away, so that the right bytes can be stored again; the error to raise."""
    what = f"object {digest} in {bucket.url} is damaged: its bytes have another SHA-256"
    aside = damaged_path(digest)
    try:
        bucket.move(object_path(digest), aside)
    except StoreError as error:
        return DamagedError(f"{what}; it could not be moved aside: {error}")
    return DamagedError(f"{what}; it was moved to {aside}; run the step that made it again")
