"""`relet accept`: compare later batches with this one."""

from __future__ import annotations

import getpass
import sys

import click

from relet.cli.place import STORE, default_root, open_default_store
from relet.cli.terminal import say


@click.command("accept")
@click.argument("reference", metavar="REFERENCE")
@click.option("--why", help="The reason, kept with the move (asked for on a terminal).")
@click.option("--force", is_flag=True, help="Accept it though it failed checks that no reference would let pass.")
@STORE
def command(reference: str, why: str | None, force: bool, store_url: str | None) -> None:
    """Accept a batch that the data tests found unlike the reference: later ones are compared with it.

    relet accept clean_sample:latest --why "the new season's prices"

    Moves the alias that the check compares with, and records who accepted it and why. The next run of the same
    pipeline tests the batch against itself, and goes on from there. A batch without rows is refused, and one that
    failed a check of what its rows are, which it would fail again: with --force that is accepted, and kept.
    """
    from relet.browsing.acceptance import accept

    if why is None and sys.stdin.isatty():
        why = click.prompt("Why is it accepted")
    store, by = open_default_store(store_url), getpass.getuser()
    accepted = accept(store, reference, by=by, why=why or "", force=force, root=default_root())
    version, named = accepted.version, f"{accepted.name}:{accepted.alias}"
    if accepted.said is not None:
        verdict = "yes" if accepted.said.metadata.get("passed") else "no"
        reason = str(accepted.said.metadata.get("reason", "")).partition(": ")[0]
        say(f"{accepted.said} said {verdict}: {reason}")
    if not accepted.changed:
        say(f"{named} is {version} already")
        return
    say(f"{named} is {version} now, it was {accepted.before or 'not set'}")
    say(f"every move: relet artifacts alias {named}")
