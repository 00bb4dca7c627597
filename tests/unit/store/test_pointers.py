"""What points to a version, and what stands in the place of a pruned one, is held to the versions and the log."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from relet.core.artifact import ArtifactType, Version
from relet.core.record import ArtifactLink, RunRecord, Status
from relet.store import Store, open_store
from relet.store.layout import content_path, log_path, version_path


def add_note(store: Store, text: str, **facts: object) -> Version:
    digest = store.put_object(text.encode())
    files = {"note.txt": digest}
    return store.add_version(name="note", type=ArtifactType.FILE, content=digest, files=files, **facts)  # type: ignore[arg-type]


def put_run(store: Store, output: Version) -> None:
    """A run whose record names an output, which begins the log as well."""
    link = ArtifactLink(version=str(output), type=output.type, content=output.content)
    store.put_run(
        RunRecord(
            id="r",
            pipeline="p",
            experiment="e",
            status=Status.FINISHED,
            started="2026-01-01T00:00:00",
            component="c",
            outputs={"note": link},
        )
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = open_store(tmp_path / "store")
    put_run(found, add_note(found, "one"))
    add_note(found, "two")
    assert found.verify() == []
    return found


def problems(store: Store) -> dict[str, str]:
    return {each.where: each.message for each in store.verify()}


def replace_document(store: Store, path: str, **fields: object) -> None:
    place = Path(store.url) / path
    place.write_text(json.dumps({**json.loads(place.read_text()), **fields}))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (2, "it leads to note:v2, which has another content"),
        (7, "it leads to note:v7, which is not there"),
        ("1", "it leads to version '1', which is no number"),
    ],
)
def test_a_pointer_that_leads_to_no_version_of_its_content_is_named(
    store: Store, number: object, said: str
) -> None:
    path = content_path("note", store.version("note:v1").content)
    replace_document(store, path, number=number)
    found = problems(store)
    assert found.keys() == {path}
    assert found[path].startswith(said)


def test_a_version_that_was_pruned_is_no_problem_and_one_that_only_looks_so_is_named(store: Store) -> None:
    for text in ("three", "four"):
        add_note(store, text)
    assert store.prune(keep=3) == ["note:v1"]
    assert problems(store) == {}
    planted = version_path("note", 2)
    path = Path(store.url) / version_path("note", 1)
    content = store.version("note:v2").content
    stone = {**json.loads(path.read_text()), "number": 2, "content": content}
    (Path(store.url) / planted).write_text(json.dumps(stone))
    found = problems(store)
    assert found.keys() == {planted}
    assert found[planted].startswith("it has no entry in the log")
    store.enter_in_log(planted)
    assert problems(store) == {}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"number": 5}, "it says that note:v5 was pruned"),
        ({"content": "0" * 64}, f"it says that the pruned version had the content {'0' * 64}, and a run names it"),
    ],
)
def test_a_pruned_version_that_is_another_than_the_runs_say_is_named(
    store: Store, fields: dict[str, object], said: str
) -> None:
    add_note(store, "three")
    store.prune(keep=2)
    path = version_path("note", 1)
    replace_document(store, path, **fields)
    store.enter_in_log(path)
    found = problems(store)
    assert found.keys() == {path}
    assert found[path].startswith(said)


def test_beside_a_pipe_in_the_place_of_an_entry_of_the_log_the_other_problems_are_named(store: Store) -> None:
    head = store.log_head()
    assert head is not None
    pointer = content_path("note", store.version("note:v1").content)
    replace_document(store, pointer, number=2)
    pipe = log_path(head.number)
    (Path(store.url) / pipe).unlink()
    os.mkfifo(Path(store.url) / pipe)
    found = problems(store)
    assert {pipe, pointer} <= found.keys()
