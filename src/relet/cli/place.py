"""Which store a command means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from relet.errors import NotFoundError

if TYPE_CHECKING:
    from relet.store import Store

STORE = click.option(
    "--store",
    "store_url",
    envvar="RELET_STORE",
    help="The store's URL (default: RELET_STORE, else store.url of the project's pipelines).",
)


def open_default_store(url: str | None) -> Store:
    """The store at `url`, else the one that the project's pipelines are configured with."""
    from relet.project.stores import configured_store
    from relet.store import open_store

    return open_store(url or configured_store())


def default_root() -> Path | None:
    """The project's folder around the current one, or None outside of any."""
    from relet.project.folder import find_root

    try:
        return find_root()
    except NotFoundError:
        return None
