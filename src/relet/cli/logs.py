"""`relet logs`: what components printed, and how they failed."""

from __future__ import annotations

from collections.abc import Iterator

import click

from relet.browsing.logs import ComponentLog, logs_of
from relet.cli.place import STORE, open_default_store
from relet.cli.terminal import say, say_document, style


@click.command("logs")
@click.argument("target", required=False)
@STORE
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def command(target: str | None, store_url: str | None, as_json: bool) -> None:
    """Show what components printed, and the traceback of one that failed.

    TARGET is a run, a component (its last run), or a version (the run that made it); without it, the last run is
    shown. A sweep or search shows the logs of its trials, each under the first trial that has it. A component that
    was skipped printed what it did when it ran: its log is that of the run that made its outputs.
    """
    logs = logs_of(open_default_store(store_url), target)
    if as_json:
        say_document(logs=[each.to_json() for each in logs])
        return
    for each in logs:
        for line in _lines(each):
            say(line)


def _lines(log: ComponentLog) -> Iterator[str]:
    trial = f"trial {log.trial}  " if log.trial else ""
    yield style(f"{trial}{log.component}  {log.status}  run {log.run_id}", bold=True)
    if log.inputs:
        yield f"  took {'  '.join(log.inputs.values())}"
    yield from log.text.splitlines() if log.text else ["  printed nothing"]
