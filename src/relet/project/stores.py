"""Where the store is: named by the words of a command, by RELET_STORE, or by the project's configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from relet.config import settings
from relet.errors import NotFoundError, SettingError
from relet.project.folder import KEPT, find_place, find_root, of_each_pipeline

# The store's URL, in place of `store.url` of the configuration; a path is relative to the current folder.
STORE = "RELET_STORE"


def names_store(words: Iterable[str]) -> bool:
    """Whether the words of a command line say which store is meant.

    >>> names_store(["etl.rows=10", "++store.url=elsewhere"])
    True
    """
    return any(word.lstrip("+").startswith(("store.url=", "store=")) for word in words)


def store_address(url: str, place: Path) -> str:
    """A store's URL as it is, a folder relative to where the project keeps things as an absolute path."""
    return url if "://" in url else str(place / url)


def configured_store(start: Path | None = None) -> str:
    """The address of the store: RELET_STORE, else the one that the project's pipelines are configured with.

    Outside of every project, that of the projects from elsewhere that were run in the current folder. Raises
    SettingError where the pipelines are configured with different ones, NotFoundError where there is neither.
    """
    if start is None and (own := os.environ.get(STORE)):
        return own
    place = find_place(start)
    try:
        root = find_root(start)
    except NotFoundError:
        return store_address(KEPT, place)
    urls = of_each_pipeline(root, lambda project: settings(project.pipeline, project.conf).store_url)
    found = {name: store_address(url, place) for name, url in urls.items()}
    if len(set(found.values())) > 1:
        shown = ", ".join(f"{name}: {url}" for name, url in found.items())
        raise SettingError(f"the pipelines have different stores ({shown}); say which with --store or {STORE}")
    return next(iter(found.values()), store_address(KEPT, place))


def callers_store() -> str:
    """The store of the project around the current folder; outside of every project, one in the current folder."""
    try:
        return configured_store()
    except NotFoundError:
        return store_address(KEPT, Path.cwd())


def configured_trackers(root: Path | None) -> tuple[str, ...]:
    """The trackers that the project's pipelines are configured with; none outside of a project."""
    if root is None:
        return ()
    each = of_each_pipeline(root, lambda project: settings(project.pipeline, project.conf).tracking)
    return tuple(dict.fromkeys(tracker for trackers in each.values() for tracker in trackers))
