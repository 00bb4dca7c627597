"""From a URL to a store, and what is asked of it before the first write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from relet.core.artifact import ArtifactType
from relet.errors import StoreError
from relet.store import open_store

LAYOUT_1 = Path(__file__).parent / "layout_1"


def test_opening_a_folder_for_reading_makes_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a" / "b")
    assert store.names() == []
    assert not (tmp_path / "a").exists()
    store.put_object(b"x")
    assert (tmp_path / "a" / "b" / "format").read_text() == "2\n"


def test_a_folder_stays_where_it_is_when_the_process_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store(".relet")
    assert store.url == str(tmp_path / ".relet")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    sha = store.put_object(b"x")
    assert open_store(f"file://{tmp_path}/.relet").read_object(sha) == b"x"


def test_memory_is_shared_by_name_within_the_process() -> None:
    sha = open_store("memory://shared-by-name").put_object(b"x")
    assert open_store("memory://shared-by-name").has_object(sha)
    assert not open_store("memory://another").has_object(sha)
    assert not open_store("memory://").has_object(sha)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s33://bucket/prefix", r"unknown scheme 's33': did you mean s3\?"),
        ("https://example.org/store", "unknown scheme 'https'"),
        ("", r"store\.url is empty"),
        ("az://container/prefix", "credentials and accounts come from the environment"),
    ],
)
def test_a_url_that_names_no_store_is_answered_with_what_would(
    url: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StoreError, match=message):
        open_store(url)


def test_a_newer_layout_is_refused_with_advice_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("3\n")
    with pytest.raises(StoreError, match="layout is number 3, this relet reads up to 2; upgrade relet"):
        open_store(tmp_path)
    (tmp_path / "format").write_text("what?")
    with pytest.raises(StoreError, match=r"should hold the layout's number, got 'what\?'"):
        open_store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["format"]


def test_an_older_layout_is_read_by_its_reader_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from relet.store import bucket, layout

    def reads_layout_1(path: str, document: layout.Document) -> layout.Document:
        return {**document, "description": "read by the old reader"} if "versions" in path else document

    shutil.copytree(LAYOUT_1, tmp_path / "store")
    monkeypatch.setattr(layout, "READERS", {1: reads_layout_1, 3: lambda _, document: document})
    monkeypatch.setattr(bucket, "READERS", layout.READERS)
    monkeypatch.setattr(bucket, "FORMAT", 3)
    monkeypatch.setattr(bucket, "EARLIER", frozenset())
    store = open_store(tmp_path / "store")
    assert store.version("sample:v1").description == "read by the old reader"
    with pytest.raises(StoreError, match="older layout 1, which this relet only reads"):
        store.put_object(b"x")


def test_a_write_to_a_store_of_layout_1_sets_its_number_so_that_an_older_relet_refuses_it(tmp_path: Path) -> None:
    shutil.copytree(LAYOUT_1, tmp_path / "store")
    store = open_store(tmp_path / "store")
    assert str(store.version("sample:prod")) == "sample:v1"
    assert (tmp_path / "store" / "format").read_text() == "1\n"
    store.put_object(b"x")
    assert (tmp_path / "store" / "format").read_text() == "2\n"
    assert str(open_store(tmp_path / "store").version("sample:prod")) == "sample:v1"


def test_a_store_that_layout_1_wrote_is_read_whole() -> None:
    store = open_store(LAYOUT_1)
    version = store.version("sample:prod")
    assert (str(version), version.type) == ("sample:v1", ArtifactType.FILE)
    assert store.read_object(version.files["data.csv"]) == b"id,price\n1,100\n"
    assert [(run.format, run.id[:8]) for run in store.runs()] == [(2, "20260102"), (1, "20260101")]
    assert store.run("20260101T000000000000-0a0a0a0a").caveats == ()
    assert store.key("a" * 64) == {"sample": "sample:v1"}
    assert store.pending("mlflow") == ["20260101T000000000000-0a0a0a0a"]
    assert store.alias_history("sample", "prod")[0].why == "it was better"
    # The fixture's keys were made up: they are digests of nothing.
    assert {(each.kind, each.where) for each in store.verify()} == {
        ("false", f"keys/{'a' * 64}.json"),
        ("false", "run 20260102T000000000000-0b0b0b0b"),
    }


def test_a_run_record_of_format_2_is_read_whole() -> None:
    store = open_store(LAYOUT_1)
    record = store.run("20260102T000000000000-0b0b0b0b")
    assert [str(caveat) for caveat in record.caveats] == [
        "connects to example.org",
        "runs code that is not committed: pipelines/p/new.py",
    ]
    assert (record.code.repository, record.code.folder) == ("https://example.org/p.git", "models/p")
    assert {what: store.read_object(digest) for what, digest in record.objects.items()} == {
        "lock": b"obstore==0.12.1\n",
        "diff": b"a diff\n",
        "file pipelines/p/new.py": b"x = 1\n",
        "source of source": b"id;price\n1;100\n",
    }
    assert record.inputs == {}
    assert record.parts is not None
    assert record.parts.inputs == {"before": None}
    assert store.maker("b" * 64) == record.id


@pytest.mark.parametrize("existing", [False, True])
def test_a_place_that_ignores_conditional_writes_is_refused(
    monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    from obstore.store import MemoryStore

    url = f"memory://careless-{existing}"
    if existing:
        open_store(url).put_object(b"x")
    honest = MemoryStore.put

    def careless(self: MemoryStore, path: str, content: bytes, **_: object) -> object:
        return honest(self, path, content)

    monkeypatch.setattr(MemoryStore, "put", careless)
    store = open_store(url)
    with pytest.raises(StoreError, match="ignores conditional writes"):
        store.put_object(b"y")
    with pytest.raises(StoreError, match="ignores conditional writes"):
        store.put_object(b"y")


def test_a_bucket_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("relet.store.address.RETRIES", 0)
    with pytest.raises(StoreError, match=r"s3://bucket/prefix.*can't be reached"):
        open_store("s3://bucket/prefix")
