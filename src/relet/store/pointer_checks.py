"""What points to a version, and what stands in the place of a pruned one, compared with the versions."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from pathlib import PurePosixPath

from relet.errors import DamagedError
from relet.store import versions
from relet.store.bucket import Bucket
from relet.store.layout import (
    TOMBSTONE,
    contents_folder,
    name_of_folder,
    number_in_path,
    version_path,
)

POINTER_ADVICE = "delete it: relet finds the version without it, and writes it anew"
TOMBSTONE_ADVICE = "restore the version's document from a backup"


def false_pointers(bucket: Bucket, contents: Container[str]) -> Iterator[tuple[str, str]]:
    """The pointers of contents that lead to no version of that content: the path of each, and why, in words.

    A pointer to a pruned version is right: a killed process may leave it, and no run takes it. One to a version
    that is gone, and that records name, is passed over; `contents` holds those versions.
    """
    for name in filter(None, map(name_of_folder, bucket.folders("artifacts/"))):
        for entry in bucket.entries(contents_folder(name)):
            with suppress(DamagedError):  # `verify` has named what can't be read
                if wrong := _false_pointer(bucket, name, entry.path, contents):
                    yield entry.path, f"{wrong}; {POINTER_ADVICE}"


def _false_pointer(bucket: Bucket, name: str, path: str, contents: Container[str]) -> str | None:
    content = PurePosixPath(path).stem
    number = (bucket.document(path) or {}).get("number")
    if type(number) is not int or not number_in_path(f"{number}.json"):
        return f"leads to version {number!r}, which is no number"
    document = bucket.document(version_path(name, number))
    if document is None:
        return None if f"{name}:v{number}" in contents else f"leads to {name}:v{number}, which is not there"
    if document.get("content") != content:
        return f"leads to {name}:v{number}, which has another content"
    return None


def false_tombstones(bucket: Bucket, contents: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    """The documents in the place of pruned versions that say something else than the runs do: path, and why.

    `contents` are the versions that records name → their content there, where they name it.
    """
    for name in versions.names(bucket):
        for number in versions.version_numbers(bucket, name):
            path = version_path(name, number)
            with suppress(DamagedError):
                document = bucket.document(path) or {}
                if TOMBSTONE not in document:
                    continue
                said = contents.get(f"{name}:v{number}")
                if (document.get("name"), document.get("number")) != (name, number):
                    where = f"{document.get('name')}:v{document.get('number')}"
                    yield path, f"says that {where} was pruned; {TOMBSTONE_ADVICE}"
                elif said is not None and document.get("content") not in (said, None):
                    wrong = f"says that the pruned version had the content {document.get('content')}"
                    yield path, f"{wrong}, and a run names it with {said}; {TOMBSTONE_ADVICE}"
