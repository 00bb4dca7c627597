"""How many versions stay where nobody says how many."""

from __future__ import annotations

from pathlib import Path

from relet.core.artifact import ArtifactType
from relet.store import open_store


def test_ten_versions_stay_where_nobody_says_how_many(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    for number in range(12):
        (tmp_path / "note.txt").write_text(str(number))
        digest = store.put_object(tmp_path / "note.txt")
        store.add_version(name="note", type=ArtifactType.FILE, content=digest, files={"note.txt": digest})
    assert store.prune() == ["note:v1", "note:v2"]
