"""The arguments of many commands: a stored version, and the store it is in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from relet.errors import NotFoundError

if TYPE_CHECKING:
    from relet.store import Store

REFERENCE = click.argument("reference", metavar="REFERENCE")
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
    """The folder of the project that the current folder belongs to; None outside of any project."""
    from relet.project.folder import find_root

    try:
        return find_root()
    except NotFoundError:
        return None
