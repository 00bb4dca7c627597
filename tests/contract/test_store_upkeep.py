"""What verify, prune, export and import keep to, in memory, on a folder and on S3."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.core.artifact import ArtifactType, Version
from relet.core.record import ArtifactLink, RunRecord, Status
from relet.errors import DamagedError, NotFoundError, StoreError
from relet.store import Store, open_store
from tests.stored import add_file, lose, overwrite, overwrite_object, stored_paths
from tests.unit.store.past import a_past, consistent, everything

FreshUrl = Callable[[], str]
NOW = timedelta(0)


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
            version = add_file(store, bytes([argument]))
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
    damaged, missing, whole = add_file(store, b"1"), add_file(store, b"2"), add_file(store, b"3")
    overwrite(store, object_path(damaged), b"x")
    lose(store, object_path(missing))
    problems = store.verify()
    assert [(each.kind, each.where) for each in problems] == [
        ("damaged", f"{damaged} data.csv"),
        ("missing", f"{missing} data.csv"),
    ]
    assert [each.kind for each in store.verify()] == ["missing", "missing"]
    assert store.read_object(whole.files["data.csv"]) == b"3"
    add_file(store, b"1")
    add_file(store, b"2")
    assert store.verify() == []


def test_verify_names_a_damaged_object_that_no_version_holds(store: Store) -> None:
    sha = store.put_object(b"a lock file")
    overwrite_object(store, sha, b"x")
    assert [each.kind for each in store.verify()] == ["damaged"]


def test_verify_names_documents_that_can_not_be_read(store: Store) -> None:
    add_file(store)
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
    assert add_file(store, b"next").number == 3
    assert list(store.runs()) == []


def test_verify_names_an_alias_without_its_version_and_a_run_without_its_lock(store: Store) -> None:
    first = add_file(store)
    store.set_alias("sample", "prod", 1, by="test", why="")
    lose(store, "artifacts/sample/versions/1.json")
    add_file(store, b"other")
    lose(store, "artifacts/sample/versions/1.json")
    add_file(store, b"third")
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
        ("false", f"artifacts/sample/contents/{first.content}.json"),
        ("missing", "run r lock"),
        ("unlogged", "artifacts/sample/aliases/prod/2.json"),
    }


def test_a_version_is_found_by_its_content_whatever_its_number(store: Store) -> None:
    first, second, third = (add_file(store, content) for content in (b"1", b"2", b"3"))
    assert [store.find_content("sample", each.content) for each in (first, second)] == [first, second]
    assert store.find_content("sample", "c" * 64) is None
    assert store.find_content("model", first.content) is None
    lose(store, f"artifacts/sample/contents/{second.content}.json")
    overwrite(store, f"artifacts/sample/contents/{third.content}.json", {"number": 1})
    assert [store.find_content("sample", each.content) for each in (second, third)] == [second, third]
    store.prune(keep=1)
    assert [store.find_content("sample", each.content) for each in (first, second, third)] == [None, None, third]
    again = add_file(store, b"1")
    assert (again.number, store.find_content("sample", first.content)) == (4, again)
    with pytest.raises(StoreError, match="can't be"):
        store.find_content("../evil", "c")
    with pytest.raises(StoreError, match="can't be"):
        store.find_content("sample", "../../runs/r")


def test_prune_keeps_the_newest_what_an_alias_holds_and_what_a_tracker_waits_for(store: Store) -> None:
    for content in range(6):
        add_file(store, bytes([content]))
    store.set_alias("sample", "release-1.0.0", 2, by="test", why="")
    link = ArtifactLink(version="sample:v3", type="file", content=store.version("sample:v3").content)
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
        add_file(store, bytes([content]))
    store.prune(keep=1)
    store.gc(NOW)
    assert add_file(store, b"\0").number == 4


def test_an_exported_version_is_imported_elsewhere_under_the_next_number(
    store: Store, tmp_path: Path, fresh_url: FreshUrl
) -> None:
    add_file(store, b"first")
    version = add_file(store, b"second")
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
    add_file(store, b"some rows " * 200)
    path = tmp_path / "sample.tar"
    store.export_version("sample", path)
    content = bytearray(path.read_bytes())
    content[content.index(b"some rows")] ^= 1
    path.write_bytes(content)
    other = open_store(fresh_url())
    with pytest.raises(DamagedError, match="is damaged: object"):
        other.import_version(path)
    assert stored_paths(other) == []


@pytest.mark.sampled
def test_a_model_arrives_elsewhere_with_its_history_under_the_numbers_there(
    store: Store, tmp_path: Path, fresh_url: FreshUrl
) -> None:
    model = a_past(store)
    store.export_history("model", tmp_path / "model.tar")
    store.export_history("model", tmp_path / "again.tar")
    assert (tmp_path / "model.tar").read_bytes() == (tmp_path / "again.tar").read_bytes()
    other = open_store(fresh_url())
    add_file(other, b"own", "model")
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


def test_prune_keeps_what_a_gate_said_of_a_kept_version_that_it_compared_another_with_later(store: Store) -> None:
    rows = [add_file(store, bytes([each])) for each in range(2)]
    reports = []
    for number, inputs in enumerate([{"sample": rows[0]}, {"sample": rows[1], "reference": rows[0]}], 1):
        sha = store.put_object(bytes([number]))
        report = store.add_version(
            name="report",
            type=ArtifactType.VERDICT,
            content=sha,
            files={"verdict.json": sha},
            metadata={"passed": True},
        )
        reports.append(str(report))
        links = {
            name: ArtifactLink(version=str(each), type="file", content=each.content)
            for name, each in inputs.items()
        }
        link = ArtifactLink(version=str(report), type="verdict", content=report.content)
        facts: dict[str, Any] = {
            "pipeline": "p",
            "component": "check",
            "experiment": "e",
            "status": Status.FINISHED,
        }
        started = f"2026-01-0{number}T00:00:00"
        store.put_run(RunRecord(id=f"r{number}", started=started, inputs=links, outputs={"report": link}, **facts))
    store.set_alias("sample", "keepme", 1, by="test", why="")
    assert store.prune(keep=1) == []
    assert [str(each) for each in store.versions("report")] == reports
