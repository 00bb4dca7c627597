"""A document that is JSON, but not what stands at its place, is named by the check of the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.core.artifact import ArtifactType
from relet.store import open_store


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
