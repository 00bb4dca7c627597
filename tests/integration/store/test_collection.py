"""A garbage collection beside writers: no version and no record that was acknowledged loses an object."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from relet.core.artifact import Version
from relet.core.record import RunRecord, Status
from relet.errors import StoreError
from relet.store import Store, open_store, upkeep
from relet.store.address import open_bucket
from relet.store.bucket import Bucket
from relet.store.layout import object_path
from tests.stored import add_file, lose_objects, overwrite, stored_paths
from tests.unit.store.interleaving import Turns, buckets, plain_bucket

NOW = timedelta(0)
CONTENTS = (b"one", b"two")


def writer(bucket: Bucket, contents: tuple[bytes, ...], acknowledged: list[Version]) -> Callable[[], None]:
    def write() -> None:
        for content in contents:
            # A store that says no has acknowledged nothing.
            with suppress(StoreError):
                acknowledged.append(add_file(Store(bucket), content))

    return write


def collector(bucket: Bucket) -> Callable[[], None]:
    def collect() -> None:
        Store(bucket).gc(NOW)

    return collect


def lost(store: Store, acknowledged: list[Version]) -> list[Version]:
    return [each for each in acknowledged if not all(map(store.has_object, each.files.values()))]


def orders(workers: int) -> st.SearchStrategy[list[int]]:
    """Whose turn it is, request by request: a worker may send many in a row."""
    turn = st.tuples(st.integers(0, workers - 1), st.one_of(st.just(1), st.integers(1, 30)))
    return st.lists(turn, max_size=24).map(lambda turns: [who for who, times in turns for _ in range(times)])


kills = st.one_of(st.none(), st.integers(1, 60))


@settings(max_examples=400)
@given(
    order=orders(4),
    dies_at=st.tuples(st.none(), kills, kills, kills),
    there=st.sets(st.sampled_from(CONTENTS)),
)
@pytest.mark.long
def test_in_whatever_order_requests_come_and_whoever_is_killed_no_acknowledged_version_loses_an_object(
    order: list[int], dies_at: tuple[int | None, ...], there: set[bytes]
) -> None:
    memory, turns = MemoryStore(), Turns(order, dies_at)
    store = Store(plain_bucket(memory))
    for content in sorted(there):
        store.put_object(content)
    first, second, third, fourth = (each for _, each in zip(range(4), buckets(memory, turns), strict=False))
    acknowledged: list[Version] = []
    turns.run(
        [
            writer(first, CONTENTS, acknowledged),
            collector(second),
            collector(third),
            writer(fourth, CONTENTS[:1], acknowledged),
        ]
    )
    assert lost(store, acknowledged) == []
    store.gc(NOW)
    assert lost(store, acknowledged) == []
    assert [store.read_object(each.content) for each in acknowledged]


# The object of a record is put back while a move has copied it and not deleted it yet.
@example(order=[1] * 9)
@settings(max_examples=100)
@given(order=orders(2))
def test_in_whatever_order_requests_come_a_stored_record_keeps_an_object_that_was_there_when_it_was_stored(
    order: list[int],
) -> None:
    memory, turns = MemoryStore(), Turns(order, (None, None))
    store = Store(plain_bucket(memory))
    lock = store.put_object(b"lock")
    first, second = (each for _, each in zip(range(2), buckets(memory, turns), strict=False))
    kept: list[bool] = []
    before = RunRecord(id="r", pipeline="p", experiment="e", status=Status.RUNNING, started="", lock=lock)

    def record() -> None:
        Store(first).put_run(before)
        # Past the store's methods, which would put it back.
        kept.append(plain_bucket(memory).head(object_path(lock)) is not None)

    turns.run([record, collector(second)])
    assert store.has_object(lock) == kept[0]
    store.gc(NOW)
    assert store.has_object(lock) == kept[0]


def test_many_writers_beside_collections_of_age_zero_lose_no_acknowledged_version(tmp_path: Path) -> None:
    url, acknowledged, over = str(tmp_path / "store"), list[Version](), threading.Event()

    def write(number: int) -> None:
        for each in range(40):
            writer(open_bucket(url), (f"{number % 3} {each}".encode(),), acknowledged)()

    def collect() -> None:
        while not over.is_set():
            open_store(url).gc(NOW)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(7)]
    collectors = [threading.Thread(target=collect) for _ in range(2)]
    for thread in (*writers, *collectors):
        thread.start()
    for thread in writers:
        thread.join(100)
    over.set()
    for thread in collectors:
        thread.join(30)
    store = open_store(url)
    assert len(acknowledged) > 100
    assert lost(store, acknowledged) == []
    store.gc(NOW)
    assert lost(store, acknowledged) == []
    assert [path for path in stored_paths(store) if path.startswith("condemned/")] == []


def condemned_path(sha: str) -> str:
    return f"condemned/{sha}.0123456789abcdef"


def a_collection_was_killed(store: Store, version: Version, content: bytes) -> None:
    """As a collection leaves an object that it moved before it died."""
    sha = version.files["data.csv"]
    overwrite(store, condemned_path(sha), content)
    lose_objects(store, sha)


@pytest.fixture(params=["memory", "folder"])
def left_store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store in which whatever lies among the condemned counts as left by a collection that was killed."""
    monkeypatch.setattr(upkeep, "LEFT", NOW)
    return open_store(f"memory://{uuid4()}" if request.param == "memory" else tmp_path)


def condemned_paths(store: Store) -> list[str]:
    return [path for path in stored_paths(store) if path.startswith("condemned/")]


def test_an_object_that_a_killed_collection_left_condemned_is_read_and_put_back(left_store: Store) -> None:
    version = add_file(left_store, b"rows")
    a_collection_was_killed(left_store, version, b"rows")
    assert left_store.read_object(version.content) == b"rows"
    a_collection_was_killed(left_store, version, b"rows")
    assert left_store.verify() == []
    a_collection_was_killed(left_store, version, b"rows")
    assert left_store.gc(NOW) == []
    assert left_store.has_object(version.content)
    assert condemned_paths(left_store) == []


def test_a_condemned_copy_that_is_damaged_is_never_put_back(left_store: Store) -> None:
    version = add_file(left_store, b"rows")
    a_collection_was_killed(left_store, version, b"r0ws")
    assert not left_store.has_object(version.content)
    assert add_file(left_store, b"rows") == version
    assert left_store.read_object(version.content) == b"rows"


def test_garbage_that_a_killed_collection_left_condemned_goes_with_the_next_one(left_store: Store) -> None:
    sha = hashlib.sha256(b"garbage").hexdigest()
    overwrite(left_store, condemned_path(sha), b"garbage")
    assert left_store.gc(NOW) == [f"objects/{sha[:2]}/{sha}"]
    assert condemned_paths(left_store) == []


def test_in_a_bucket_what_another_collection_condemned_today_is_its_own_to_delete() -> None:
    store = open_store(f"memory://{uuid4()}")
    sha = hashlib.sha256(b"garbage").hexdigest()
    overwrite(store, condemned_path(sha), b"garbage")
    assert store.gc(NOW) == []
    assert condemned_paths(store) == [condemned_path(sha)]
