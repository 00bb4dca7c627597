"""A project that is written into a temporary folder, and what a person does in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from relet.store import Store, open_store


class WrittenProject:
    """The folder of a project with one pipeline, which has the name `pipeline`."""

    pipeline: ClassVar[str]

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def store(self) -> Store:
        return open_store(self.root / ".relet")

    def path(self, name: str) -> Path:
        """A file of the pipeline's own folder."""
        return self.root / "pipelines" / self.pipeline / name

    def edit(self, name: str, old: str, new: str) -> None:
        """Write something else into a file, which has to hold what is replaced."""
        text = self.path(name).read_text()
        assert old in text
        self.path(name).write_text(text.replace(old, new))


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts by their paths, each without the line end that it may begin with."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.removeprefix("\n"))
