"""`relet artifacts log`: what was put into the store, in which order, and by whom as the machines say."""

from __future__ import annotations

from collections.abc import Sequence

import click

from relet.cli.columns import UNBOUNDED, table_lines, text_column
from relet.cli.place import STORE, open_default_store
from relet.cli.terminal import say, say_document
from relet.core.wording import count
from relet.errors import NotFoundError
from relet.store.log import LogEntry, LogHead

SHOWN = 20
NO_LOG = "this store has no log yet; it begins with the next record, verdict or move of an alias that is put"


@click.command("log")
@STORE
@click.option(
    "--last",
    metavar="N",
    type=click.IntRange(min=1),
    default=SHOWN,
    show_default=True,
    help="How many entries to show.",
)
@click.option("--head", is_flag=True, help="Print NUMBER:DIGEST of the last entry, to keep outside of the store.")
@click.option(
    "--enter",
    metavar="PATH",
    multiple=True,
    help="Enter a document that `relet artifacts verify` names, as it is now; with * as many as match.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def log(store_url: str | None, last: int, head: bool, enter: tuple[str, ...], as_json: bool) -> None:
    """Show the log of the store: each record, verdict and move of an alias that was put, the newest last.

    Who put it is what the machine said, and nobody proved it: it is unauthenticated. Whoever can write the store
    can append to its log. Where an entry is changed or removed, `relet artifacts verify` names it. To see that the
    last ones were removed, keep a head elsewhere: --head prints it, and `relet artifacts verify --log-head
    NUMBER:DIGEST` compares.
    """
    store = open_default_store(store_url)
    unread: list[str] = []
    if head:
        missing = store.missing_log_entry()
        _say_head(store.log_head(), missing, as_json=as_json)
        if missing:
            say(f"entry {missing} of the log is missing; relet artifacts verify says more", err=True)
    elif enter:
        _say_entries([entry for path in enter for entry in store.enter_in_log(path)], unread, as_json=as_json)
    else:
        _say_entries(list(store.log(last, unread)), unread, as_json=as_json)
    if unread:
        which = count(len(unread), "entry", "entries")
        say(f"{which} can't be read: {unread[0]}; relet artifacts verify says why", err=True)


def _say_head(found: LogHead | None, missing: int | None, *, as_json: bool) -> None:
    if found is None:
        raise NotFoundError(NO_LOG)
    if as_json:
        say_document(head={"number": found.number, "digest": found.digest}, missing=missing)
    else:
        say(found)


def _say_entries(entries: Sequence[LogEntry], unread: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        say_document(entries=[_as_json(each) for each in entries], unread=list(unread))
        return
    columns = [
        text_column((str(each.number) for each in entries), align="right"),
        text_column(each.when for each in entries),
        text_column(each.kind for each in entries),
        text_column(each.path for each in entries),
        text_column(f"by {each.who}" for each in entries),
    ]
    for line in table_lines(columns, UNBOUNDED, headings=False) if entries else [NO_LOG]:
        say(line)


def _as_json(entry: LogEntry) -> dict[str, object]:
    document = entry.to_json()
    return {**document, "who": {**document["who"], "authenticated": False}}
