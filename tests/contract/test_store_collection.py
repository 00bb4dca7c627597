"""What a garbage collection takes and what it leaves, in memory, on a folder and on S3."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta

import pytest

from relet.core.artifact import Version
from relet.core.record import CodeState, KeyParts, RunRecord, Status, tree_document
from relet.errors import DamagedError, StoreError
from relet.store import Store
from tests.stored import add_file, lose, lose_objects, overwrite, overwrite_object

NOW = timedelta(0)


def test_garbage_collection_takes_only_what_nothing_refers_to(store: Store) -> None:
    version = add_file(store, b"held")
    lock, diff, garbage = (store.put_object(content) for content in (b"lock", b"diff", b"garbage"))
    store.put_run(
        RunRecord(
            id="r",
            pipeline="p",
            experiment="e",
            status=Status.RUNNING,
            started="2026-01-01T00:00:00",
            lock=lock,
            code=CodeState(dirty=True, diff=diff),
        )
    )
    assert store.gc() == []
    assert store.gc(NOW) == [f"objects/{garbage[:2]}/{garbage}"]
    assert all(store.has_object(sha) for sha in (lock, diff, version.files["data.csv"]))
    assert not store.has_object(garbage)


@pytest.mark.sampled
def test_writers_beside_collections_of_age_zero_lose_nothing_that_was_acknowledged(store: Store) -> None:
    acknowledged: list[Version] = []
    over = threading.Event()

    def write(number: int) -> None:
        for each in range(5):
            # A store that says no has acknowledged nothing.
            with suppress(StoreError):
                acknowledged.append(add_file(store, f"{number % 2} {each}".encode()))

    def collect() -> None:
        while not over.is_set():
            store.gc(NOW)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    collector = threading.Thread(target=collect)
    for thread in (*writers, collector):
        thread.start()
    for thread in writers:
        thread.join(60)
    over.set()
    collector.join(60)
    add_file(store, b"the last")
    store.gc(NOW)
    assert all(store.read_object(version.files["data.csv"]) for version in acknowledged)


def needing(store: Store) -> tuple[RunRecord, dict[str, str]]:
    """A run that needs one of everything to be made again, and each thing's object by what it is."""
    held = {
        what: store.put_object(what.encode())
        for what in ("lock", "diff", "file new.py", "file pipelines/it.sql", "source of url")
    }
    record = RunRecord(
        id="r",
        pipeline="p",
        experiment="e",
        status=Status.FINISHED,
        started="2026-01-01T00:00:00",
        lock=held["lock"],
        code=CodeState(
            dirty=True,
            diff=held["diff"],
            untracked={what[5:]: sha for what, sha in held.items() if what.startswith("file ")},
        ),
        parts=KeyParts(component="c", parameters={"url": {"sha256": held["source of url"]}, "rows": 3}),
    )
    return record, held


def test_what_a_run_needs_to_be_made_again_is_never_garbage(store: Store) -> None:
    record, held = needing(store)
    store.put_run(record)
    garbage = store.put_object(b"garbage")
    assert store.gc(NOW) == [f"objects/{garbage[:2]}/{garbage}"]
    assert {what: store.read_object(sha) for what, sha in held.items()} == {w: w.encode() for w in held}
    assert store.verify() == []


def test_verify_names_each_thing_that_a_run_needs_and_that_is_gone(store: Store) -> None:
    record, held = needing(store)
    store.put_run(record)
    lose_objects(store, *held.values())
    assert [str(each) for each in store.verify()] == [
        f"missing: run r {what}: object {sha} is missing, so the run can't be made again exactly"
        for what, sha in held.items()
    ]


def test_a_record_of_format_1_keeps_its_objects_and_is_not_blamed_for_a_source_that_was_never_stored(
    store: Store,
) -> None:
    record, held = needing(store)
    document = record.to_json()
    document.update(format=1)
    for added in ("untracked", "repository", "folder"):
        del document["code"][added]
    del document["caveats"]
    overwrite(store, "runs/r.json", document)
    lose_objects(store, held["source of url"])
    store.gc(NOW)
    assert [what for what, sha in held.items() if store.has_object(sha)] == ["lock", "diff"]
    assert store.verify() == []
    lose_objects(store, *held.values())
    assert [each.where for each in store.verify()] == ["run r lock", "run r diff"]


@pytest.mark.parametrize("change", [{"format": 3}, {"format": 3, "code": None}, {"novelty": "x"}])
@pytest.mark.sampled
def test_every_digest_in_a_record_that_this_relet_can_not_read_is_protected(
    store: Store, change: dict[str, object]
) -> None:
    sha = store.put_object(b"what only a newer relet knows of")
    record, held = needing(store)
    document = record.to_json() | {"weights": {"of": [f"sha256:{sha}"]}} | change
    overwrite(store, "runs/r.json", document)
    store.gc(NOW)
    kept = {"lock", "source of url"} if "code" in change else set(held)
    assert kept <= {what for what, digest in held.items() if store.has_object(digest)}
    assert store.has_object(sha)
    assert [each.kind for each in store.verify()] == ["unreadable"]


def test_garbage_collection_spares_what_an_unreadable_document_may_refer_to(store: Store) -> None:
    sha = store.put_object(b"named in a torn manifest")
    add_file(store, b"other")
    overwrite(store, "artifacts/sample/versions/2.json", f'{{"files": ["{sha}"]}}'.encode())
    overwrite(store, "releases/1.json", f'{{"of": "{store.put_object(b"released")}"}}'.encode())
    assert store.gc(NOW) == []


def with_a_tree(store: Store) -> tuple[RunRecord, str]:
    """A run with its code tree, and the object of the tree's only file."""
    source = store.put_object(b"def add(): ...")
    tree = store.put_tree(tree_document({"steps.py": source}), {"steps.py": b"def add(): ..."})
    record = RunRecord(
        id="r",
        pipeline="p",
        experiment="e",
        status=Status.FINISHED,
        started="2026-01-01T00:00:00",
        code=CodeState(tree=tree),
    )
    store.put_run(record)
    return record, source


@pytest.mark.parametrize("change", [{"format": 99}, {"novelty": "x"}, {"started": 5}])
@pytest.mark.sampled
def test_the_code_of_a_record_that_can_not_be_read_is_never_garbage(
    store: Store, change: dict[str, object]
) -> None:
    record, source = with_a_tree(store)
    overwrite(store, "runs/r.json", record.to_json() | change)
    garbage = store.put_object(b"garbage")
    assert store.gc(NOW) == [f"objects/{garbage[:2]}/{garbage}"]
    assert store.has_object(source)
    assert store.has_object(str(record.code.tree))


def test_a_garbage_collection_deletes_nothing_where_a_code_tree_is_damaged_or_gone(store: Store) -> None:
    record, source = with_a_tree(store)
    tree = str(record.code.tree)
    garbage = store.put_object(b"garbage")
    overwrite_object(store, tree, b"damaged")
    for change in ({}, {"format": 99}):  # the second time the damaged tree has been moved aside
        overwrite(store, "runs/r.json", record.to_json() | change)
        with pytest.raises(DamagedError, match=r"which objects runs/r\.json needs, so nothing was deleted"):
            store.gc(NOW)
    lose(store, f"damaged/{tree}")
    overwrite(store, "runs/r.json", record.to_json())
    with pytest.raises(DamagedError, match="missing"):
        store.gc(NOW)
    assert store.has_object(source)
    assert store.has_object(garbage)


@pytest.mark.parametrize("path", ["runs/r.json", "artifacts/sample/versions/1.json", "releases/1.json"])
@pytest.mark.sampled
def test_a_garbage_collection_deletes_nothing_where_a_document_is_cut_off(store: Store, path: str) -> None:
    _, source = with_a_tree(store)
    add_file(store)
    garbage = store.put_object(b"garbage")
    overwrite(store, path, b"{")
    with pytest.raises(DamagedError, match=f"which objects {path} needs, so nothing was deleted"):
        store.gc(NOW)
    assert store.has_object(source)
    assert store.has_object(garbage)


def test_a_damaged_alias_stops_no_garbage_collection(store: Store) -> None:
    add_file(store)
    store.set_alias("sample", "prod", 1, by="test", why="")
    overwrite(store, "artifacts/sample/aliases/prod/1.json", b"{")
    garbage = store.put_object(b"garbage")
    assert store.gc(NOW) == [f"objects/{garbage[:2]}/{garbage}"]
