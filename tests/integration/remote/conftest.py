"""A repository to run from, with a cache of its own."""

from __future__ import annotations

import pytest

from tests.integration.remote.repository import Repository


@pytest.fixture
def repository(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The repository, with a cache of its own and the current folder outside of every project."""
    monkeypatch.setenv("RELET_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.chdir(tmp_path_factory.mktemp("caller"))
    return Repository(tmp_path_factory.mktemp("origin"))
