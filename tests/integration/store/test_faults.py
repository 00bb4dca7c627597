"""What a disk does to a store: it is read-only, or full."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relet.errors import DamagedError, StoreError
from relet.store import open_store
from tests.stored import add_file
from tests.tiny_disk import tiny_disk


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be made: by its permissions, or for root by its attribute."""
    folders = [str(folder), *(str(path) for path in folder.rglob("*") if path.is_dir())]
    if os.getuid() != 0:
        close, reopen = ["chmod", "u-w", *folders], ["chmod", "u+w", *folders]
    else:
        close, reopen = ["chattr", "+i", *folders], ["chattr", "-i", *folders]
    if not shutil.which(close[0]) or subprocess.run(close, capture_output=True).returncode:
        pytest.skip(f"root writes everywhere, and {close[0]} can't stop it on this file system")
    try:
        yield
    finally:
        subprocess.run(reopen, check=True)


def test_a_read_only_store_is_read_and_says_why_it_can_not_be_written(tmp_path: Path) -> None:
    version = add_file(open_store(tmp_path / "store"))
    open_store(tmp_path / "store").set_alias("sample", "prod", 1, by="test", why="")
    with read_only(tmp_path / "store"):
        store = open_store(tmp_path / "store")
        assert store.version("sample") == version
        assert store.read_object(version.files["data.csv"]) == b"rows"
        with pytest.raises(StoreError, match=r"can't write .*/store/.*permission denied.*store\.url"):
            add_file(store, b"more")
        with pytest.raises(StoreError, match="permission denied"):
            store.set_alias("sample", "other", 1, by="test", why="")
        assert store.verify(store.log_head()) == []
        assert [each.kind for each in store.log()] == ["began", "alias"]
    assert store.verify() == []
    assert add_file(store, b"more").number == 2


def test_a_damaged_object_in_a_read_only_store_is_named_all_the_same(tmp_path: Path) -> None:
    sha = add_file(open_store(tmp_path / "store")).files["data.csv"]
    (tmp_path / "store" / "objects" / sha[:2] / sha).write_bytes(b"r0ws")
    with read_only(tmp_path / "store"), pytest.raises(DamagedError, match=f"object {sha}.*not be moved aside"):
        open_store(tmp_path / "store").read_object(sha)


def test_a_full_disk_is_named_and_loses_nothing(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk"):
        store = open_store(tmp_path / "disk" / "store")
        version = add_file(store)
        big = tmp_path / "big"
        big.write_bytes(os.urandom(400_000))
        for content in (big, big.read_bytes()):
            with pytest.raises(StoreError, match=r"can't write .*the disk is full; free some space"):
                store.put_object(content)
        with pytest.raises(StoreError, match=r"can't write .*No space left"):
            (tmp_path / "other").mkdir()
            open_store(tmp_path / "other").put_object(big)
            sha = open_store(tmp_path / "other").put_object(big)
            open_store(tmp_path / "other").fetch_object(sha, tmp_path / "disk" / "copy")
        assert store.verify() == []
        assert list((tmp_path / "disk" / "store").rglob("*#*")) == []
        assert store.read_object(version.files["data.csv"]) == b"rows"
        assert add_file(store, b"little").number == 2
