"""What every store keeps to, in memory, on a folder and on S3: objects, versions, aliases and run records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.core.artifact import ArtifactType, Version
from relet.core.record import ArtifactLink, CodeState, KeyParts, RunRecord, Status
from relet.errors import DamagedError, NotFoundError, StoreError
from relet.store import Store, open_store
from tests.stored import lose, lose_objects, overwrite_object, stored_bytes, stored_paths

FreshUrl = Callable[[], str]
fewer = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NOW = timedelta(0)


def add(store: Store, name: str = "sample", content: bytes = b"rows", **more: object) -> Version:
    sha = store.put_object(content)
    fields = {"type": ArtifactType.FILE, "content": sha, "files": {"data.csv": sha}, **more}
    return store.add_version(name=name, **fields)  # type: ignore[arg-type]


def a_run(run_id: str = "20260101T000000-aa", **more: object) -> RunRecord:
    fields = {"pipeline": "nyc", "experiment": "dev", "status": Status.RUNNING, "started": "2026-01-01", **more}
    return RunRecord(id=run_id, **fields)  # type: ignore[arg-type]


# objects


@fewer
@given(content=st.binary(max_size=3000))
def test_any_bytes_come_back_as_they_were_stored(fresh_url: FreshUrl, content: bytes) -> None:
    store = open_store(fresh_url())
    sha = store.put_object(content)
    assert sha == hashlib.sha256(content).hexdigest()
    assert store.read_object(sha) == content
    assert store.has_object(sha)


def test_a_big_file_is_stored_and_fetched_in_pieces(store: Store, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 50_000)
    sha = store.put_object(big)
    store.fetch_object(sha, tmp_path / "deep" / "copy")
    assert (tmp_path / "deep" / "copy").read_bytes() == big.read_bytes()
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["copy"]


def test_an_object_that_was_never_stored_is_named(store: Store) -> None:
    sha = "ab" * 32
    assert not store.has_object(sha)
    with pytest.raises(DamagedError, match=f"object {sha} is missing"):
        store.read_object(sha)


def test_a_damaged_object_is_moved_aside_named_and_can_be_stored_again(store: Store, tmp_path: Path) -> None:
    version = add(store, content=b"right bytes")
    sha = version.files["data.csv"]
    overwrite_object(store, sha, b"wrong bytes")
    with pytest.raises(DamagedError, match=rf"sample:v1 can't be read: data.csv: object {sha}.*damaged"):
        store.materialize(version, tmp_path / "out")
    assert not (tmp_path / "out" / "data.csv").exists()
    assert not store.has_object(sha)
    assert stored_bytes(store, f"damaged/{sha}") == b"wrong bytes"
    with pytest.raises(DamagedError, match="run the step that made it again"):
        store.read_object(sha)
    assert add(store, content=b"right bytes") == version
    assert store.read_object(sha) == b"right bytes"


def test_a_truncated_object_is_healed_by_storing_it_again(store: Store) -> None:
    sha = store.put_object(b"all of it")
    overwrite_object(store, sha, b"all")
    assert store.put_object(b"all of it") == sha
    assert store.read_object(sha) == b"all of it"


# versions


def test_versions_are_numbered_from_one_and_read_back_whole(store: Store) -> None:
    first = add(store, content=b"1", description="raw", metadata={"rows": 3, "nan": [1.5]}, producer="run-1")
    second = add(store, content=b"2", type="table")
    assert [str(first), str(second)] == ["sample:v1", "sample:v2"]
    assert store.versions("sample") == [first, second]
    assert store.version("sample:v1") == first
    assert (first.description, first.metadata["rows"], first.producer) == ("raw", 3, "run-1")
    assert first.created.endswith("+00:00")
    assert store.version("sample:v2").type is ArtifactType.TABLE


def test_equal_content_makes_no_new_version_even_after_another(store: Store) -> None:
    first, other = add(store, content=b"1"), add(store, content=b"2")
    assert add(store, content=b"1") == first
    assert add(store, content=b"2") == other
    assert len(store.versions("sample")) == 2


def test_equal_content_in_other_files_is_the_same_version_while_its_files_are_there(store: Store) -> None:
    first = add(store, content=b"parquet by one writer", metadata={"rows": 1})
    other = store.put_object(b"parquet by the next writer")
    assert add(store, content=b"x", files={"data.csv": other}, **{"type": "file"}).number == 2
    again = store.add_version(name="sample", type="file", content=first.content, files={"data.csv": other})
    assert again == first
    sha = first.files["data.csv"]
    lose_objects(store, sha)
    healed = store.add_version(name="sample", type="file", content=first.content, files={"data.csv": other})
    assert healed.number == 3


def test_a_crash_before_the_pointer_is_written_makes_no_second_version(store: Store) -> None:
    first = add(store, content=b"1")
    lose(store, f"artifacts/sample/contents/{first.content}.json")
    assert add(store, content=b"1") == first
    assert stored_bytes(store, f"artifacts/sample/contents/{first.content}.json") is not None


def test_a_version_whose_object_is_not_stored_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="put the objects before the version"):
        store.add_version(name="sample", type="file", content="c", files={"a": "ab" * 32})
    assert store.names() == []


def test_a_folder_is_written_with_all_its_files(store: Store, tmp_path: Path) -> None:
    files = {"MLmodel": store.put_object(b"1"), "data/flat.npy": store.put_object(b"2"), "data/empty": ""}
    files["data/empty"] = store.put_object(b"")
    version = store.add_version(name="model", type="model", content="c", files=files)
    store.materialize(version, tmp_path / "model")
    written = {str(file.relative_to(tmp_path / "model")) for file in (tmp_path / "model").rglob("*.*")}
    assert (tmp_path / "model" / "data" / "empty").read_bytes() == b""
    assert written == {"data/flat.npy"}


def test_what_is_not_there_is_answered_with_the_nearest_right_name(store: Store) -> None:
    version = add(store, name="clean_sample")
    store.set_alias("clean_sample", "reference", version.number, by="test", why="first")
    with pytest.raises(NotFoundError, match=r"no artifact 'clean_smaple': did you mean clean_sample\?"):
        store.version("clean_smaple:v1")
    with pytest.raises(NotFoundError, match=r"did you mean reference\?"):
        store.version("clean_sample:refrence")
    with pytest.raises(NotFoundError, match=r"v1"):
        store.version("clean_sample:v9")
    assert store.find("clean_sample:v9") is None
    assert store.find("nothing:latest") is None


def test_an_empty_store_answers_everything_and_makes_nothing(url: str) -> None:
    store = open_store(url)
    assert (store.names(), store.versions("a"), store.aliases("a"), list(store.runs())) == ([], [], {}, [])
    assert (store.key("k"), store.pending("mlflow"), store.verify(), store.prune(1)) == (None, [], [], [])
    assert store.gc(NOW) == []
    assert stored_paths(store) == []


def test_what_one_handle_stores_another_reads(url: str) -> None:
    reader = open_store(url)
    assert reader.names() == []
    version = add(open_store(url))
    assert reader.version("sample") == version
    assert reader.names() == ["sample"]


def test_writers_at_the_same_time_never_share_a_number_and_lose_none(url: str) -> None:
    def write(writer: int) -> list[Version]:
        store = open_store(url)
        return [add(store, content=f"{writer}/{step}".encode()) for step in range(3)]

    with ThreadPoolExecutor(3) as pool:
        written = [version for versions in pool.map(write, range(3)) for version in versions]
    assert sorted(version.number for version in written) == list(range(1, 10))
    stored = open_store(url).versions("sample")
    assert {version.number: version for version in written} == {version.number: version for version in stored}


def test_equal_content_from_writers_at_the_same_time_is_one_version(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(lambda _: add(open_store(url), content=b"same"), range(8)))
    assert {version.number for version in written} == {1}
    assert len(open_store(url).versions("sample")) == 1


# aliases


@fewer
@given(moves=st.lists(st.tuples(st.sampled_from(["prod", "reference"]), st.integers(1, 3)), max_size=7))
def test_the_history_of_an_alias_is_its_moves(fresh_url: FreshUrl, moves: list[tuple[str, int]]) -> None:
    store = open_store(fresh_url())
    for content in (b"1", b"2", b"3"):
        add(store, content=content)
    made: dict[str, list[int]] = {}
    for step, (alias, number) in enumerate(moves):
        store.set_alias("sample", alias, number, by=f"run-{step}", why="a test")
        if made.get(alias, [0])[-1] != number:
            made.setdefault(alias, []).append(number)
    assert store.aliases("sample") == {alias: numbers[-1] for alias, numbers in made.items()}
    for alias, numbers in made.items():
        history = store.alias_history("sample", alias)
        assert [move.number for move in history] == numbers
        assert [move.move for move in history] == list(range(1, len(numbers) + 1))
        assert store.version(f"sample:{alias}").number == numbers[-1]


def test_latest_is_the_newest_version_until_the_alias_says_otherwise(store: Store) -> None:
    add(store, content=b"1")
    add(store, content=b"2")
    assert store.version("sample").number == 2
    store.set_alias("sample", "latest", 1, by="run-1", why="last run")
    assert store.version("sample:latest").number == 1
    assert store.alias_history("sample", "latest")[0].by == "run-1"


def test_an_alias_is_set_only_to_a_version_that_is_there(store: Store) -> None:
    add(store)
    with pytest.raises(NotFoundError, match="v7"):
        store.set_alias("sample", "prod", 7, by="test", why="")
    with pytest.raises(StoreError, match="reads as a version's number"):
        store.set_alias("sample", "v1", 1, by="test", why="")
    with pytest.raises(StoreError, match="can't be an alias"):
        store.set_alias("sample", "../prod", 1, by="test", why="")
    with pytest.raises(NotFoundError, match="no alias 'prod'"):
        store.alias_history("sample", "prod")


def test_no_move_of_an_alias_is_lost_when_two_set_it_at_once(url: str) -> None:
    store = open_store(url)
    for content in range(4):
        add(store, content=bytes([content]))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: open_store(url).set_alias("sample", "prod", n, by=f"{n}", why=""), range(1, 5)))
    history = store.alias_history("sample", "prod")
    assert sorted(move.number for move in history) == [1, 2, 3, 4]
    assert store.aliases("sample") == {"prod": history[-1].number}


# runs, keys, outboxes


def test_a_run_record_is_read_back_equal_and_its_last_state_counts(store: Store) -> None:
    link = ArtifactLink(version="sample:v1", type="file", content="c")
    record = a_run(
        component="get_data",
        outputs={"sample": link},
        metrics={"rows": 3.0},
        parts=KeyParts(component="get_data", parameters={"seed": 42}),
        code=CodeState(commit="abc", dirty=True),
        command=("run", "nyc"),
    )
    store.put_run(record)
    assert store.run(record.id) == record
    finished = replace(record, status=Status.FINISHED, ended="2026-01-02")
    store.put_run(finished)
    assert store.run(record.id) == finished
    assert list(store.runs()) == [finished]


def test_runs_come_newest_first_and_a_wrong_id_gets_the_nearest(store: Store) -> None:
    ids = [f"2026010{day}T000000-aa" for day in range(1, 6)]
    for run_id in ids:
        store.put_run(a_run(run_id))
    assert [run.id for run in store.runs(limit=2)] == [ids[4], ids[3]]
    assert [run.id for run in store.runs()] == ids[::-1]
    with pytest.raises(NotFoundError, match=f"did you mean {ids[2]}"):
        store.run("20260103T00000-aa")


def test_a_key_leads_to_its_outputs_while_all_of_them_are_there(store: Store) -> None:
    one, two = add(store, name="one", content=b"1"), add(store, name="two", content=b"2")
    assert store.key("k" * 64) is None
    store.put_key("k" * 64, {"one": str(one), "two": str(two)})
    assert store.key("k" * 64) == {"one": "one:v1", "two": "two:v1"}
    assert store.maker("k" * 64) is None
    store.put_key("k" * 64, {"one": str(one), "two": str(two)}, run="20260101T000000000000-0a0a0a0a")
    assert store.maker("k" * 64) == "20260101T000000000000-0a0a0a0a"
    assert store.maker("unknown") is None
    sha = two.files["data.csv"]
    lose_objects(store, sha)
    assert store.key("k" * 64) is None
    add(store, name="two", content=b"2")
    assert store.key("k" * 64) is not None
    store.put_key("other", {"one": "one:v9"})
    assert store.key("other") is None
    with pytest.raises(StoreError, match="a key leads to versions"):
        store.put_key("wrong", {"one": "one:latest"})


def test_an_outbox_gives_what_waits_oldest_first_and_forgets_what_is_done(store: Store) -> None:
    for run_id in ("20260102-b", "20260101-a", "20260102-b"):
        store.put_pending("mlflow", run_id)
    store.put_pending("wandb", "20260103-c")
    assert store.pending("mlflow") == ["20260101-a", "20260102-b"]
    store.done("mlflow", "20260102-b")
    store.done("mlflow", "20260102-b")
    assert store.pending("mlflow") == ["20260101-a"]
    assert store.pending("wandb") == ["20260103-c"]


def test_a_record_that_changed_while_it_was_sent_waits_again(url: str) -> None:
    engine, sender = open_store(url), open_store(url)
    engine.put_pending("mlflow", "r1")
    assert sender.pending("mlflow") == ["r1"]
    engine.put_pending("mlflow", "r1")
    sender.done("mlflow", "r1")
    assert sender.pending("mlflow") == ["r1"]
    sender.done("mlflow", "r1")
    assert engine.pending("mlflow") == []


def test_a_bucket_that_does_not_exist_is_named(s3_bucket: str) -> None:
    with pytest.raises(StoreError, match="there is no such bucket"):
        open_store(f"{s3_bucket}-of-another-name/prefix")
