"""`relet artifacts`: what the store holds."""

from __future__ import annotations

import click

from relet.cli.artifacts import listing, log, moving, pages, upkeep


@click.group("artifacts")
def command() -> None:
    """List, show, look into, name, check, move and tidy what the store holds.

    A REFERENCE is a name with a version or an alias: clean_sample:v3, clean_sample:latest, model:prod. Where
    several pipelines have such an artifact, write the pipeline before it: nyc_rentals/model:prod.
    """


for _each in (
    listing.list_,
    listing.show,
    pages.card,
    pages.diff,
    upkeep.alias,
    upkeep.verify,
    log.log,
    upkeep.prune,
    upkeep.gc,
    moving.get,
    moving.export,
    moving.import_,
):
    command.add_command(_each)
