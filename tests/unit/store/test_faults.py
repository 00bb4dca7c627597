"""What a store does when the place it lies in lets it down."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from relet.core.artifact import ArtifactType, Verdict, Version
from relet.core.record import ArtifactLink, RunRecord, Status
from relet.errors import StoreError
from relet.store import Store, open_store
from relet.store.contents import VERDICT, files_digest
from tests.stored import add_file, enter_what_a_kill_left

NOW = timedelta(0)


@pytest.mark.parametrize(
    ("number", "advice"), [(28, "the disk is full"), (30, "read-only"), (13, "permission denied")]
)
def test_what_the_disk_says_becomes_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    from obstore.exceptions import GenericError
    from obstore.store import LocalStore

    store = open_store(tmp_path / "store")
    version = add_file(store)
    with monkeypatch.context() as patch:

        def refuse(*_: object, **__: object) -> None:
            raise GenericError(f"Generic LocalFileSystem error: as if it were so (os error {number})")

        patch.setattr(LocalStore, "put", refuse)
        with pytest.raises(StoreError, match=advice):
            add_file(store, b"more")
    assert (store.version("sample"), store.verify()) == (version, [])


def test_a_file_in_the_place_of_the_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a store")
    with pytest.raises(StoreError, match="a file stands where a folder should be"):
        open_store(tmp_path / "file")
    with pytest.raises(StoreError, match="a file stands where a folder should be"):
        add_file(open_store(tmp_path / "file" / "below"))


def test_what_a_killed_writer_staged_is_no_version_and_goes_with_the_garbage(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    version = add_file(store)
    sha = version.files["data.csv"]
    left = [
        tmp_path / "store" / "objects" / sha[:2] / f"{sha}#1",
        tmp_path / "store" / "artifacts" / "sample" / "versions" / "2.json#3",
        tmp_path / "store" / "runs" / "r.json#1",
    ]
    for path in left:
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"{")
        os.utime(path, (1_700_000_000, 1_700_000_000))
    written_now = tmp_path / "store" / "runs" / "s.json#1"
    written_now.write_bytes(b"{")
    assert (store.verify(), store.versions("sample"), list(store.runs())) == ([], [version], [])
    assert add_file(store, b"more").number == 2
    assert store.gc(timedelta(days=9999)) == []
    assert len(store.gc()) == 3
    assert not any(path.exists() for path in left)
    assert store.gc(NOW) == []
    assert written_now.exists()


def test_an_old_object_that_is_stored_again_is_young_for_the_collector(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    sha = store.put_object(b"from a run of last week")
    other = store.put_object(b"garbage of last week")
    for each in (sha, other):
        os.utime(tmp_path / "store" / "objects" / each[:2] / each, (1_700_000_000, 1_700_000_000))
    assert store.put_object(b"from a run of last week") == sha
    assert store.gc() == [f"objects/{other[:2]}/{other}"]
    assert store.has_object(sha)


def test_an_object_that_a_writer_finds_while_garbage_is_collected_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from relet.store import upkeep

    store = open_store(tmp_path / "store")
    sha = store.put_object(b"garbage, until a run made it again")
    os.utime(tmp_path / "store" / "objects" / sha[:2] / sha, (1_700_000_000, 1_700_000_000))
    look = upkeep._referenced_objects

    def writer_in_between(*arguments: object) -> object:
        found = look(*arguments)  # type: ignore[arg-type]
        add_file(store, b"garbage, until a run made it again")
        return found

    monkeypatch.setattr(upkeep, "_referenced_objects", writer_in_between)
    assert store.gc() == []
    assert store.verify() == []


class Ended(BaseException):
    """As if the process ended here."""


WRITES = ("create", "put", "delete", "move")


def work(store: Store) -> None:
    """One of everything that a run writes, twice, so that what is there already is met too."""
    for content in (b"1", b"2"):
        lock = store.put_object(b"lock")
        record = RunRecord(
            id=content.decode(),
            pipeline="p",
            experiment="e",
            status=Status.RUNNING,
            started="2026-01-01T00:00:00",
            lock=lock,
            key=content.decode(),
        )
        store.put_run(record)
        version = add_file(store, content)
        link = ArtifactLink(version=str(version), type=version.type, content=version.content)
        store.put_run(replace(record, status=Status.FINISHED, outputs={"sample": link}))
        add_verdict(store, content)
        store.set_alias("sample", "latest", version.number, by="run", why="")
        store.put_key(content.decode(), {"sample": str(version)})
        store.put_pending("mlflow", record.id)
        store.done("mlflow", record.id)
        store.prune(keep=1)
        store.gc(NOW)


def add_verdict(store: Store, content: bytes) -> Version:
    verdict = json.dumps(Verdict(passed=True, reason=content.decode()).to_json()).encode()
    files = {VERDICT: store.put_object(verdict)}
    return store.add_version(name="report", type=ArtifactType.VERDICT, content=files_digest(files), files=files)


@pytest.mark.parametrize("after", [False, True])
def test_wherever_a_process_ends_nothing_is_broken_and_the_next_one_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    from relet.store.bucket import Bucket

    ends = 0
    while True:
        url, left = str(tmp_path / str(ends)), [ends]
        with monkeypatch.context() as patch:
            for name in WRITES:
                patch.setattr(Bucket, name, ending(getattr(Bucket, name), left, after))
            try:
                work(open_store(url))
                break
            except Ended:
                pass
        store = open_store(url)
        assert enter_what_a_kill_left(store) == [], f"the process ended at write {ends}"
        work(store)
        assert store.verify() == []
        assert store.pending("mlflow") == []
        ends += 1
    assert ends > 30


def ending(write: object, left: list[int], after: bool) -> object:
    def ends(self: object, *arguments: object) -> object:
        left[0] -= 1
        if left[0] < 0 and not after:
            raise Ended
        result = write(self, *arguments)  # type: ignore[operator]
        if left[0] < 0:
            raise Ended
        return result

    return ends
