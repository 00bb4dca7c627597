"""What verify, prune, garbage collection, export and import keep to, in memory, on a folder and on S3."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.core.artifact import Version
from relet.core.record import ArtifactLink, CodeState, KeyParts, RunRecord, Status, tree_document
from relet.errors import DamagedError, NotFoundError, StoreError
from relet.store import Store, open_store
from tests.stored import lose, lose_objects, overwrite, overwrite_object, stored_paths
from tests.unit.store.past import a_past, consistent, everything

FreshUrl = Callable[[], str]
NOW = timedelta(0)


def add(store: Store, content: bytes = b"rows", name: str = "sample") -> Version:
    sha = store.put_object(content)
    return store.add_version(name=name, type="file", content=sha, files={"data.csv": sha})


def object_path(version: Version) -> str:
    sha = version.files["data.csv"]
    return f"objects/{sha[:2]}/{sha}"


steps = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 6)),
    st.tuples(st.just("alias"), st.integers(1, 7)),
    st.tuples(st.just("prune"), st.integers(1, 3)),
    st.tuples(st.just("gc"), st.just(0)),
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sequence=st.lists(steps, max_size=12))
def test_whatever_is_added_aliased_pruned_and_collected_the_rest_is_whole(
    fresh_url: FreshUrl, sequence: list[tuple[str, int]]
) -> None:
    store = open_store(fresh_url())
    given_out: dict[int, int] = {}
    alive: set[int] = set()
    aliased: int | None = None
    for action, argument in sequence:
        if action == "add":
            version = add(store, bytes([argument]))
            assert given_out.setdefault(version.number, argument) == argument, "a number was used again"
            assert version.number in alive or version.number == max(given_out)
            alive.add(version.number)
        elif action == "alias" and argument in alive:
            store.set_alias("sample", "prod", argument, by="test", why="")
            aliased = argument
        elif action == "prune":
            store.prune(argument)
            alive = {n for n in alive if n in sorted(alive)[-argument:] or n == aliased}
        elif action == "gc":
            store.gc(NOW)
    stored = store.versions("sample")
    assert {version.number for version in stored} == alive
    for version in stored:
        assert store.read_object(version.files["data.csv"]) == bytes([given_out[version.number]])
    assert store.verify() == []


def test_verify_names_a_damaged_and_a_missing_object_with_their_versions(store: Store) -> None:
    damaged, missing, whole = add(store, b"1"), add(store, b"2"), add(store, b"3")
    overwrite(store, object_path(damaged), b"x")
    lose(store, object_path(missing))
    problems = store.verify()
    assert [(each.kind, each.where) for each in problems] == [
        ("damaged", f"{damaged} data.csv"),
        ("missing", f"{missing} data.csv"),
    ]
    assert [each.kind for each in store.verify()] == ["missing", "missing"]
    assert store.read_object(whole.files["data.csv"]) == b"3"
    add(store, b"1")
    add(store, b"2")
    assert store.verify() == []


def test_verify_names_a_damaged_object_that_no_version_holds(store: Store) -> None:
    sha = store.put_object(b"a lock file")
    overwrite_object(store, sha, b"x")
    assert [each.kind for each in store.verify()] == ["damaged"]


def test_verify_names_documents_that_can_not_be_read(store: Store) -> None:
    add(store)
    store.set_alias("sample", "prod", 1, by="test", why="")
    paths = [
        "artifacts/sample/aliases/prod/1.json",
        "artifacts/sample/versions/2.json",
        "keys/7.json",
        "runs/r.json",
    ]
    for path in paths:
        overwrite(store, path, b"{")
    assert sorted(each.where for each in store.verify() if each.kind == "unreadable") == sorted(paths)
    assert [version.number for version in store.versions("sample")] == [1]
    with pytest.raises(DamagedError, match=r"versions/2\.json"):
        store.version("sample:v2")
    assert add(store, b"next").number == 3
    assert list(store.runs()) == []


def test_verify_names_an_alias_without_its_version_and_a_run_without_its_lock(store: Store) -> None:
    add(store)
    store.set_alias("sample", "prod", 1, by="test", why="")
    lose(store, "artifacts/sample/versions/1.json")
    add(store, b"other")
    lose(store, "artifacts/sample/versions/1.json")
    add(store, b"third")
    overwrite(
        store,
        "artifacts/sample/aliases/prod/2.json",
        {"number": 9, "when": "2026-01-01T00:00:00", "by": "", "why": ""},
    )
    facts: dict[str, Any] = {"pipeline": "p", "experiment": "e", "status": Status.FINISHED}
    record = RunRecord(id="r", started="2026-01-01T00:00:00", lock="ab" * 32, **facts)
    store.put_run(record)
    assert {(each.kind, each.where) for each in store.verify()} == {
        ("dangling", "sample:prod"),
        ("missing", "run r lock"),
        ("unlogged", "artifacts/sample/aliases/prod/2.json"),
    }


def test_a_version_is_found_by_its_content_whatever_its_number(store: Store) -> None:
    first, second, third = (add(store, content) for content in (b"1", b"2", b"3"))
    assert [store.find_content("sample", each.content) for each in (first, second)] == [first, second]
    assert store.find_content("sample", "c" * 64) is None
    assert store.find_content("model", first.content) is None
    lose(store, f"artifacts/sample/contents/{second.content}.json")
    overwrite(store, f"artifacts/sample/contents/{third.content}.json", {"number": 1})
    assert [store.find_content("sample", each.content) for each in (second, third)] == [second, third]
    store.prune(keep=1)
    assert [store.find_content("sample", each.content) for each in (first, second, third)] == [None, None, third]
    again = add(store, b"1")
    assert (again.number, store.find_content("sample", first.content)) == (4, again)
    with pytest.raises(StoreError, match="can't be"):
        store.find_content("../evil", "c")
    with pytest.raises(StoreError, match="can't be"):
        store.find_content("sample", "../../runs/r")


def test_prune_keeps_the_newest_what_an_alias_holds_and_what_a_tracker_waits_for(store: Store) -> None:
    for content in range(6):
        add(store, bytes([content]))
    store.set_alias("sample", "release-1.0.0", 2, by="test", why="")
    link = ArtifactLink(version="sample:v3", type="file", content="c")
    store.put_run(
        RunRecord(
            id="r",
            pipeline="p",
            experiment="e",
            status=Status.FINISHED,
            started="2026-01-01T00:00:00",
            outputs={"sample": link},
            key="k",
        )
    )
    store.put_pending("mlflow", "r")
    store.put_key("k", {"sample": "sample:v1"})
    assert store.prune(keep=2) == ["sample:v1", "sample:v4"]
    assert [version.number for version in store.versions("sample")] == [2, 3, 5, 6]
    with pytest.raises(NotFoundError, match="v1 was pruned"):
        store.version("sample:v1")
    assert store.key("k") is None
    assert store.prune(keep=2) == []
    store.done("mlflow", "r")
    assert store.prune(keep=2) == ["sample:v3"]
    assert store.verify() == []
    with pytest.raises(StoreError, match="keep must be at least 1"):
        store.prune(keep=0)


def test_pruned_content_that_comes_back_gets_a_number_that_was_never_used(store: Store) -> None:
    for content in range(3):
        add(store, bytes([content]))
    store.prune(keep=1)
    store.gc(NOW)
    assert add(store, b"\0").number == 4


def test_garbage_collection_takes_only_what_nothing_refers_to(store: Store) -> None:
    version = add(store, b"held")
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


def test_writers_beside_collections_of_age_zero_lose_nothing_that_was_acknowledged(store: Store) -> None:
    acknowledged: list[Version] = []
    over = threading.Event()

    def write(number: int) -> None:
        for each in range(5):
            # A store that says no has acknowledged nothing.
            with suppress(StoreError):
                acknowledged.append(add(store, f"{number % 2} {each}".encode()))

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
    add(store, b"the last")
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
    add(store, b"other")
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
def test_a_garbage_collection_deletes_nothing_where_a_document_is_cut_off(store: Store, path: str) -> None:
    _, source = with_a_tree(store)
    add(store)
    garbage = store.put_object(b"garbage")
    overwrite(store, path, b"{")
    with pytest.raises(DamagedError, match=f"which objects {path} needs, so nothing was deleted"):
        store.gc(NOW)
    assert store.has_object(source)
    assert store.has_object(garbage)


def test_a_damaged_alias_stops_no_garbage_collection(store: Store) -> None:
    add(store)
    store.set_alias("sample", "prod", 1, by="test", why="")
    overwrite(store, "artifacts/sample/aliases/prod/1.json", b"{")
    garbage = store.put_object(b"garbage")
    assert store.gc(NOW) == [f"objects/{garbage[:2]}/{garbage}"]


def test_an_exported_version_is_imported_elsewhere_under_the_next_number(
    store: Store, tmp_path: Path, fresh_url: FreshUrl
) -> None:
    add(store, b"first")
    version = add(store, b"second")
    store.export_version("sample:v2", tmp_path / "sample.tar")
    store.export_version("sample", tmp_path / "again.tar")
    assert (tmp_path / "sample.tar").read_bytes() == (tmp_path / "again.tar").read_bytes()
    other = open_store(fresh_url())
    imported = other.import_version(tmp_path / "sample.tar")
    assert (imported.number, imported.content, imported.files) == (1, version.content, version.files)
    assert other.read_object(version.files["data.csv"]) == b"second"
    assert other.import_version(tmp_path / "sample.tar") == imported
    other.export_version("sample", tmp_path / "from_other.tar")
    assert (tmp_path / "sample.tar").read_bytes() == (tmp_path / "from_other.tar").read_bytes()
    assert store.import_version(tmp_path / "sample.tar") == version


def test_a_flipped_byte_in_an_exported_file_is_found_and_nothing_is_stored(
    store: Store, tmp_path: Path, fresh_url: FreshUrl
) -> None:
    add(store, b"some rows " * 200)
    path = tmp_path / "sample.tar"
    store.export_version("sample", path)
    content = bytearray(path.read_bytes())
    content[content.index(b"some rows")] ^= 1
    path.write_bytes(content)
    other = open_store(fresh_url())
    with pytest.raises(DamagedError, match="is damaged: object"):
        other.import_version(path)
    assert stored_paths(other) == []


def test_a_model_arrives_elsewhere_with_its_history_under_the_numbers_there(
    store: Store, tmp_path: Path, fresh_url: FreshUrl
) -> None:
    model = a_past(store)
    store.export_history("model", tmp_path / "model.tar")
    store.export_history("model", tmp_path / "again.tar")
    assert (tmp_path / "model.tar").read_bytes() == (tmp_path / "again.tar").read_bytes()
    other = open_store(fresh_url())
    add(other, b"own", "model")
    arrival = other.import_bundle(tmp_path / "model.tar")
    assert (str(arrival.version), arrival.version.content) == ("model:v3", model.content)
    assert other.run("run5-train").outputs["model"].version == "model:v3"
    assert other.find_content("model", model.content) == arrival.version
    assert other.maker(str(store.run("run5-train").key)) is None
    assert other.gc(NOW) == []
    consistent(other)
    before = everything(other)
    assert other.import_bundle(tmp_path / "model.tar").runs == ()
    assert everything(other) == before
