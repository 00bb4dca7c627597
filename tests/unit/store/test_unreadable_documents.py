"""A document that is JSON, but not what stands at its place, is named by the check of the store."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from relet.cli import relet
from relet.core.artifact import ArtifactType
from relet.core.normal_form import source_digest
from relet.core.record import CodeState, KeyParts, RunRecord, Status, key_digest, tree_document
from relet.errors import DamagedError, ReletError
from relet.store import Store, open_store
from relet.store.address import open_bucket
from relet.store.layout import object_path


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("artifacts/note/versions/1.json", "can't be read as a version"),
        ("artifacts/note/aliases/prod/1.json", "can't be read as a move of an alias"),
        ("runs/r.json", "can't be read as a run"),
    ],
)
def test_an_empty_document_is_no_version_no_move_and_no_run(tmp_path: Path, path: str, said: str) -> None:
    store = open_store(tmp_path / "store")
    digest = store.put_object(b"text")
    store.add_version(name="note", type=ArtifactType.FILE, content=digest, files={"note.txt": digest})
    store.set_alias("note", "prod", 1, by="test", why="")
    assert store.verify() == []
    document = tmp_path / "store" / path
    document.parent.mkdir(exist_ok=True)
    document.write_text("{}")
    (problem,) = (each for each in store.verify() if each.kind == "unreadable")
    assert problem.where == path
    assert said in problem.message


def with_helper(store: Store, content: bytes, digest: str) -> None:
    """A run whose key says that its module `helper` has a digest, and whose code tree has this content for it."""
    source = store.put_object(content)
    tree = store.put_tree(tree_document({"helper.py": source}), {"helper.py": content})
    parts = KeyParts(component="c", code={"helper": digest})
    store.put_run(
        RunRecord(
            id="r",
            pipeline="p",
            experiment="e",
            status=Status.FINISHED,
            started="2026-01-01T00:00:00",
            key=key_digest(parts),
            parts=parts,
            code=CodeState(tree=tree),
        )
    )


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("diff", CodeState(diff="x")),
        ("code tree", CodeState(tree="x")),
        ("file new.py", CodeState(untracked={"new.py": "x"})),
    ],
)
def test_a_record_that_names_an_object_by_no_digest_is_named_and_the_check_goes_on(
    tmp_path: Path, said: str, code: CodeState
) -> None:
    store = open_store(tmp_path / "store")
    with_helper(store, b"x = 1", "0" * 64)
    document = store.run("r").to_json() | {"code": asdict(code)}
    (tmp_path / "store" / "runs" / "r.json").write_text(json.dumps(document))
    (tmp_path / "store" / "runs" / "other.json").write_text("{")
    found = {each.where: each.message for each in store.verify() if each.kind == "unreadable"}
    assert f"its {said} can't be read" in found["runs/r.json"]
    assert "runs/other.json" in found


@pytest.mark.parametrize("log", [7, "", "x", "A" * 64, "a" * 63, "a" * 65])
def test_a_record_that_names_its_log_by_no_digest_is_no_record(tmp_path: Path, log: object) -> None:
    store = open_store(tmp_path / "store")
    with_helper(store, b"x = 1", source_digest(b"x = 1"))
    written = store.put_object(b"what the component printed")
    for right in (written, None):
        store.put_run(replace(store.run("r"), log=right))
        assert store.run("r").log == right
        assert store.verify() == []
    (tmp_path / "store" / "runs" / "r.json").write_text(json.dumps(store.run("r").to_json() | {"log": log}))
    with pytest.raises(DamagedError, match="can't be read as a run's record: its log can't be read"):
        store.run("r")
    assert ("unreadable", "runs/r.json") in {(each.kind, each.where) for each in store.verify()}


def test_a_pipelines_record_whose_components_have_no_parameters_is_named_and_breaks_no_table(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path / "store")
    with_helper(store, b"x = 1", "0" * 64)
    document = store.run("r").to_json() | {"parts": None, "key": None, "parameters": {"add": None}}
    (tmp_path / "store" / "runs" / "r.json").write_text(json.dumps(document))
    shown = CliRunner().invoke(relet, ["experiments", "--store", str(tmp_path / "store")])
    assert shown.exception is None or isinstance(shown.exception, ReletError), shown.exception
    assert "its parameters can't be read" in "".join(each.message for each in store.verify())


def test_a_code_tree_that_names_a_file_by_no_digest_ends_no_check(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    with_helper(store, b"x = 1", "0" * 64)
    tree = store.put_object(tree_document({"helper.py": "x"}))
    document = store.run("r").to_json() | {"code": asdict(CodeState(tree=tree))}
    (tmp_path / "store" / "runs" / "r.json").write_text(json.dumps(document))
    (tmp_path / "store" / "runs" / "other.json").write_text("{")
    assert "runs/other.json" in {each.where for each in store.verify()}


@pytest.mark.parametrize("device", [None, "/dev/zero"], ids=["pipe", "link"])
@pytest.mark.parametrize(
    "path", ["runs/p.json", "keys/p.json", "artifacts/note/versions/1.json", "objects/aa/OBJECT"]
)
def test_a_pipe_or_a_device_in_a_documents_place_is_named_and_not_read(
    tmp_path: Path, path: str, device: str | None
) -> None:
    store = open_store(tmp_path / "store")
    with_helper(store, b"x = 1", "0" * 64)
    place = tmp_path / "store" / path.replace("OBJECT", "a" * 64)
    place.parent.mkdir(parents=True, exist_ok=True)
    if device:
        place.symlink_to(device)
    else:
        os.mkfifo(place)
    assert [each.id for each in store.runs()] == ["r"]
    found = [each.message for each in store.verify() if each.where == str(place.relative_to(store.url))]
    assert found == ["it is a pipe or a device, no file; move it away"]


def test_a_pipe_where_the_next_entry_of_the_log_goes_is_named_by_the_next_writer(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    with_helper(store, b"x = 1", "0" * 64)
    end = store.log_head()
    assert end is not None
    os.mkfifo(tmp_path / "store" / "log" / f"{end.number + 1:09}.json")
    with pytest.raises(DamagedError, match="it is a pipe or a device, no file; move it away"):
        store.put_run(replace(store.run("r"), message="again"))


def test_a_pipe_in_an_objects_place_is_a_missing_object_that_can_be_stored_again(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    with_helper(store, b"x = 1", source_digest(b"x = 1"))
    tree = str(store.run("r").code.tree)
    content = store.read_object(tree)
    place = tmp_path / "store" / object_path(tree)
    place.unlink()
    os.mkfifo(place)
    assert {each.kind for each in store.verify()} == {"unreadable", "missing"}
    assert store.put_object(content) == tree
    assert store.verify() == []


@pytest.mark.parametrize("path", ["runs/r.json", "format", "log/000000001.json"])
def test_a_pipe_that_is_read_by_its_path_is_refused(tmp_path: Path, path: str) -> None:
    with_helper(open_store(tmp_path / "store"), b"x = 1", "0" * 64)
    (tmp_path / "store" / path).unlink()
    os.mkfifo(tmp_path / "store" / path)
    with pytest.raises(DamagedError, match="it is a pipe or a device, no file; move it away"):
        open_bucket(str(tmp_path / "store")).get(path)


@pytest.mark.parametrize("deep", [b"-" * 200_000 + b"1", b"+".join([b"1"] * 50_000)])
def test_a_module_that_nests_too_deep_is_named_and_the_check_goes_on(tmp_path: Path, deep: bytes) -> None:
    store = open_store(tmp_path / "store")
    with_helper(store, b"x = " + deep, "0" * 64)
    (tmp_path / "store" / "runs" / "other.json").write_text("{")
    found = {each.where: each.message for each in store.verify()}
    assert "has the code of helper, whose stored file can't be parsed: it nests too deep" in found["run r"]
    assert "runs/other.json" in found
