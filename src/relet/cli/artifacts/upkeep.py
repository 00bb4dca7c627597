"""`relet artifacts alias`, `verify`, `prune` and `gc`: names, and what is kept."""

from __future__ import annotations

import getpass
import sys
from datetime import timedelta

import click

from relet.cli.artifacts.log import NO_LOG
from relet.cli.place import REFERENCE, STORE, open_default_store
from relet.cli.terminal import say
from relet.store.log import LogHead


@click.command("alias")
@REFERENCE
@click.argument("alias", required=False)
@STORE
@click.option("--why", default="", help="The reason, kept with the move.")
def alias(reference: str, alias: str | None, store_url: str | None, why: str) -> None:
    """Set ALIAS to the version that REFERENCE names; without ALIAS, show the moves of REFERENCE's alias.

    relet artifacts alias model:v3 prod --why "better on the test split"
    """
    store = open_default_store(store_url)
    if alias is None:
        wanted = store.full_reference(reference)
        for move in store.alias_history(wanted, wanted.selector):
            say(f"{move.when}  v{move.number}  by {move.by}  {move.why}".rstrip())
        return
    wanted = store.full_reference(reference)
    version = store.version(wanted)
    store.set_alias(wanted, alias, version.number, by=getpass.getuser(), why=why)
    say(f"{wanted.name}:{alias} is {version} now")


@click.command("verify")
@STORE
@click.option(
    "--log-head",
    metavar="NUMBER:DIGEST",
    help="What `relet artifacts log --head` printed once: the log must hold that entry still.",
)
def verify(store_url: str | None, log_head: str | None) -> None:
    """Read everything back and name what is broken, false, or not what the log says; exit 1 if anything is.

    The log shows what was changed, deleted or planted. Only a --log-head that was kept outside of the store shows
    that the end of the log was cut off, or that all of it was written anew.
    """
    head = LogHead.parse(log_head) if log_head else None
    store = open_default_store(store_url)
    problems = store.verify(head)
    if store.log_head() is None:
        say(NO_LOG)
    for problem in problems:
        say(str(problem))
    say(f"{len(problems)} broken" if problems else "nothing is broken")
    sys.exit(1 if problems else 0)


@click.command("prune")
@STORE
@click.option("--keep", default=10, show_default=True, help="How many of the newest versions of each to keep.")
def prune(store_url: str | None, keep: int) -> None:
    """Forget old versions; what an alias or a release holds stays."""
    pruned = open_default_store(store_url).prune(keep)
    for each in pruned:
        say(each)
    say(f"{len(pruned)} versions forgotten; `relet artifacts gc` frees their space")


@click.command("gc")
@STORE
@click.option("--older-than", default=60.0, show_default=True, help="Spare what is younger, in minutes.")
def gc(store_url: str | None, older_than: float) -> None:
    """Delete what no version, run or alias refers to."""
    deleted = open_default_store(store_url).gc(timedelta(minutes=older_than))
    say(f"{len(deleted)} files deleted")
