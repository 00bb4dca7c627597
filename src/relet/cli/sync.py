"""`relet sync`: send the trackers what they have missed."""

from __future__ import annotations

import sys

import click

from relet.cli.place import STORE


@click.command("sync")
@STORE
@click.option("--tracker", "trackers", multiple=True, help="Only this tracker (default: all that wait).")
def command(store_url: str | None, trackers: tuple[str, ...]) -> None:
    """Send the trackers what they have missed: each record arrives once, however often it is sent."""
    from relet.cli.place import open_default_store
    from relet.engine.project import find_place
    from relet.tracking import TRACKERS, open_tracker
    from relet.tracking.outbox import deliver

    store = open_default_store(store_url)
    failed = False
    for name in trackers or TRACKERS:
        if not store.pending(name):
            click.echo(f"{name}: nothing waits")
            continue
        report = deliver(store, open_tracker(name, find_place()))
        failed = failed or report.failed is not None
        click.echo(f"{name}: {report}")
    sys.exit(1 if failed else 0)
