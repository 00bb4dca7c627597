"""`relet runs`: what ran, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

import click

from relet.cli.place import STORE
from relet.core.record import RunKind, RunRecord
from relet.store.reproductions import ReproductionSummary, latest_of_runs

GROUPS = (RunKind.SWEEP, RunKind.SEARCH)
# Of how many runs without a readable record the ids are said.
NAMED = 3


@click.command("runs")
@click.argument("run_id", required=False)
@STORE
@click.option(
    "-n", "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def command(run_id: str | None, store_url: str | None, limit: int, as_json: bool) -> None:
    """List the runs of pipelines, newest first; or show one run whole, by its id."""
    from relet.cli.place import open_default_store

    store = open_default_store(store_url)
    if run_id:
        record = store.run(run_id)
        trials = [each for each in store.runs() if each.parent == run_id] if record.kind in GROUPS else []
        lines = _run_details(
            record, latest_of_runs(store).get(run_id), sorted(trials, key=lambda each: each.trial or 0)
        )
        click.echo(json.dumps(record.to_json(), indent=1) if as_json else "\n".join(lines))
        return
    unread: list[str] = []
    records = list(islice((each for each in store.runs(unread=unread) if each.parent is None), limit))
    tell_unread(unread)
    if as_json:
        click.echo(json.dumps([each.to_json() for each in records], indent=1))
        return
    judged = latest_of_runs(store)
    for record in records:
        click.echo(_run_line(record, judged.get(record.id)))
    if not records:
        click.echo("nothing has run yet; try: relet run PIPELINE")


def tell_unread(unread: Sequence[str]) -> None:
    """Say which runs are missing from a list since their records are damaged, or a newer relet's."""
    if not unread:
        return
    which = "1 run's record" if len(unread) == 1 else f"{len(unread)} runs' records"
    more = ", …" if len(unread) > NAMED else ""
    listed = ", ".join(sorted(unread, reverse=True)[:NAMED])
    click.echo(f"{which} can't be read: {listed}{more}; relet artifacts verify says why", err=True)


def _run_line(record: RunRecord, judged: ReproductionSummary | None) -> str:
    return (
        f"{record.id}  {record.started[:16].replace('T', ' ')}  {_duration_text(record):>7}  {record.status:<12}"
        f"{_work_counts(record):<20}{judged.likeness if judged else '':<12}"
        f"{' '.join(record.command)}{_caveat_kinds(record)}"
    ).rstrip()


def _work_counts(record: RunRecord) -> str:
    """How much there was to do: the steps of a pipeline's run, the trials of a sweep or search."""
    if record.kind in GROUPS:
        trials = record.parameters.get("trials")
        return f"{record.kind}{f', {trials} trials' if trials else ''}"
    ran = sum(step["action"] == "run" for step in record.steps.values())
    return f"{ran} run, {len(record.steps) - ran} skipped"


def _caveat_kinds(record: RunRecord) -> str:
    """Which kinds of thing no record holds; `relet runs ID` lists them."""
    kinds = dict.fromkeys(each.kind for each in record.caveats)
    return f"  (not promised: {', '.join(kinds)})" if kinds else ""


def _duration_text(record: RunRecord) -> str:
    if record.ended is None:
        return "?"
    took = datetime.fromisoformat(record.ended) - datetime.fromisoformat(record.started)
    return f"{took.total_seconds():.1f} s"


def _run_details(
    record: RunRecord, judged: ReproductionSummary | None, trials: Sequence[RunRecord]
) -> Iterator[str]:
    yield _run_line(record, judged)
    if record.parent and record.component is None:
        yield f"trial     {record.trial} of run {record.parent}: {' '.join(record.overrides)}"
    if judged:
        yield f"again     {judged}"
    dirty = ", with changes that are not committed" if record.code.dirty else ""
    yield f"commit    {record.code.commit or 'none'}{dirty}"
    yield f"lock      {record.lock or 'none'}"
    yield f"machine   {', '.join(f'{name} {value}' for name, value in record.machine.items() if value)}"
    if record.key:
        yield f"key       {record.key}"
    for name, step in record.steps.items():
        outputs = "  ".join(step["outputs"].values())
        yield f"  {name:<18}{step['action']:<6}{step['reason']:<40}{outputs}  {step['run'] or ''}".rstrip()
    for each in trials:
        best = "  the best one" if each.id == record.winner else ""
        yield f"  trial {each.trial:<6}{each.id}  {each.status:<12}{' '.join(each.overrides)}{best}"
    for side, links in (("input", record.inputs), ("output", record.outputs)):
        for link in links.values():
            yield f"  {side:<8}{link.version:<24}{link.type:<10}{link.content[:16]}"
    for name, value in record.metrics.items():
        yield f"  metric  {name:<24}{value:.6g}"
    for caveat in record.caveats:
        yield f"  not promised: {caveat}"
    if record.message:
        yield f"message   {record.message}"
