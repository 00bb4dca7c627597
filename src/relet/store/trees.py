"""Code trees: a document that names files by their SHA-256, and the files, each an object of the store."""

from __future__ import annotations

from collections.abc import Mapping

from relet.core.record import RunRecord, tree_files
from relet.errors import DamagedError
from relet.store import objects
from relet.store.bucket import Bucket
from relet.store.layout import DIGEST, file_paths


def put(bucket: Bucket, document: bytes, files: Mapping[str, bytes]) -> str:
    """Store a tree: its files, and at last the document that names them; the document's SHA-256.

    A file that is stored already is not written again.
    """
    absent = set(objects.absent_digests(bucket, tree_files(document).values()))
    bucket.each(lambda content: objects.put(bucket, content), _with_digests(files, absent))
    return objects.put(bucket, document)


def _with_digests(files: Mapping[str, bytes], digests: set[str]) -> list[bytes]:
    return [content for content in files.values() if objects.digest_of(content) in digests]


def files_of(bucket: Bucket, digest: str) -> dict[str, str]:
    """The files of a stored tree, path → SHA-256. Raises DamagedError where it can't be read as a tree."""
    try:
        files = tree_files(objects.read(bucket, digest))
        file_paths(files)
        if wrong := next((each for each in files.values() if not DIGEST.fullmatch(each)), None):
            raise ValueError(f"{wrong!r} is no object's SHA-256")
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"object {digest} can't be read as a code tree: {error}") from error
    return files


def objects_of(bucket: Bucket, record: RunRecord) -> dict[str, str]:
    """The objects that it takes to make a run again, those of its code tree too: what each is → its SHA-256.

    Without the files of a tree that can't be read.
    """
    found = record.objects
    if record.code.tree:
        try:
            files = files_of(bucket, record.code.tree)
        except DamagedError:
            return found
        found = {**{f"code {path}": digest for path, digest in files.items()}, **found}
    return found
