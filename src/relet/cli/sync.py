"""`relet sync`: send the trackers what they have missed."""

from __future__ import annotations

import sys

import click

from relet.cli.place import STORE, open_default_store
from relet.cli.terminal import say


@click.command("sync")
@STORE
@click.option("--tracker", "trackers", multiple=True, help="Only this tracker (default: all that wait).")
def command(store_url: str | None, trackers: tuple[str, ...]) -> None:
    """Send the trackers what they have missed: each record arrives once, however often it is sent."""
    from relet.project.folder import find_place
    from relet.tracking import TRACKERS, Relay, open_tracker
    from relet.tracking.outbox import deliver

    store = open_default_store(store_url)
    failed = False
    for name in trackers or TRACKERS:
        tracker = open_tracker(name, find_place())
        # A relay such as W&B keeps runs of its own that it has not uploaded yet
        if not store.pending(name) and not isinstance(tracker, Relay):
            say(f"{name}: nothing waits")
            continue
        report = deliver(store, tracker, asked=True)
        failed = failed or report.failed is not None
        idle = not (report.sent or report.waiting or report.failed or report.passed_on)
        say(f"{name}: {'nothing waits' if idle else report}")
    sys.exit(1 if failed else 0)
