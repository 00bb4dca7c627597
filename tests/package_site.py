"""A folder of packages that a test installs into and removes from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


class Site:
    """A folder of packages on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, name: str, version: str, source: str) -> None:
        """Install a version of a package in the place of another."""
        self.remove(name)
        (self.folder / name).mkdir()
        (self.folder / name / "__init__.py").write_text(source)
        info = self.folder / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n")
        (info / "RECORD").write_text(f"{name}/__init__.py,,\n")

    def remove(self, name: str) -> None:
        for each in (*self.folder.glob(f"{name}-*.dist-info"), *self.folder.glob(name)):
            shutil.rmtree(each)


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Site:
    folder = tmp_path_factory.mktemp("packages")
    monkeypatch.setenv("RELET_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.syspath_prepend(str(folder))
    return Site(folder)
