"""What lies in a store: a version that is put there, and what a disk or a person does to files, past the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from relet.core.artifact import Version
from relet.store import Store
from relet.store.address import open_bucket
from relet.store.bucket import Bucket
from relet.store.layout import object_path


def add_file(store: Store, content: bytes = b"rows", name: str = "sample") -> Version:
    """The version of this content: of one file, `data.csv`."""
    sha = store.put_object(content)
    return store.add_version(name=name, type="file", content=sha, files={"data.csv": sha})


def stored_paths(store: Store) -> list[str]:
    return [entry.path for entry in _bucket(store).entries("")]


def stored_bytes(store: Store, path: str) -> bytes | None:
    return _bucket(store).get(path)


def overwrite(store: Store, path: str, content: bytes | Mapping[str, Any]) -> None:
    """Put bytes, or a document, where the store keeps something else or nothing."""
    written = content if isinstance(content, bytes) else json.dumps(content).encode()
    _bucket(store).put(path, written)


def overwrite_object(store: Store, sha: str, content: bytes) -> None:
    overwrite(store, object_path(sha), content)


def lose(store: Store, *paths: str) -> None:
    _bucket(store).delete(paths)


def lose_objects(store: Store, *shas: str) -> None:
    lose(store, *map(object_path, shas))


def _bucket(store: Store) -> Bucket:
    assert store.url != "memory://", "a store in memory is found again by its name alone: memory://NAME"
    return open_bucket(store.url)


def enter_what_a_kill_left(store: Store) -> list[str]:
    """Enter the document that a killed writer left without its entry, if there is one; what is named besides.

    That document is all that a kill leaves to name. A kill leaves one at most.
    """
    left = [each for each in store.verify() if each.kind in ("unlogged", "changed")]
    assert len(left) <= 1, left
    for each in left:
        assert "a writer was stopped before it wrote the entry" in each.message
        assert [entry.kind for entry in store.enter_in_log(each.where)] == ["entered"]
    return [str(each) for each in store.verify()]
