"""What would become a path is looked at first."""

from __future__ import annotations

import pytest

from relet.errors import StoreError
from relet.store import Store


@pytest.mark.parametrize("sha", ["", "../../etc/passwd", "AB" * 32, "ab" * 31])
def test_what_is_no_digest_never_becomes_a_path(store: Store, sha: str) -> None:
    with pytest.raises(StoreError, match="SHA-256"):
        store.read_object(sha)


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", "a/../../b", "", "a//b", "a\\b", "./a"])
def test_a_file_that_would_leave_its_folder_is_refused(store: Store, path: str) -> None:
    sha = store.put_object(b"x")
    with pytest.raises(StoreError, match="can't be a file of a version"):
        store.add_version(name="sample", type="file", content="c", files={path: sha})


def test_a_file_can_not_lie_below_another_file(store: Store) -> None:
    sha = store.put_object(b"x")
    with pytest.raises(StoreError, match="both a file"):
        store.add_version(name="sample", type="folder", content="c", files={"a": sha, "a/b": sha})


@pytest.mark.parametrize("name", ["../x", "Sample", "", "a/B", "a/b/c", "/b", "../b", "a/", "1a"])
def test_a_name_that_could_be_a_path_is_refused(store: Store, name: str) -> None:
    with pytest.raises(StoreError, match="artifact's name"):
        store.add_version(name=name, type="file", content="c", files={})


@pytest.mark.parametrize("word", ["../x", "", "a/b", ".hidden", "a#1", "x" * 300])
def test_runs_keys_and_trackers_never_become_another_path(store: Store, word: str) -> None:
    for act in (
        lambda: store.run(word),
        lambda: store.key(word),
        lambda: store.put_pending("mlflow", word),
        lambda: store.put_pending(word, "run"),
        lambda: store.pending(word),
    ):
        with pytest.raises(StoreError, match="can't be"):
            act()
