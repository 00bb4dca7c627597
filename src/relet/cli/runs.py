"""`relet runs`: what ran, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

import click

from relet.cli.columns import UNBOUNDED, table_lines, text_column
from relet.cli.place import STORE, open_default_store
from relet.cli.terminal import say, say_document
from relet.core.record import RunKind, RunRecord, Status
from relet.store.reproductions import ReproductionSummary, latest_of_runs

GROUPS = (RunKind.SWEEP, RunKind.SEARCH)
# How many runs without a readable record are named.
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
    store = open_default_store(store_url)
    if run_id:
        record = store.run(run_id)
        if as_json:
            say_document(run=record.to_json())
            return
        trials = [each for each in store.runs() if each.parent == run_id] if record.kind in GROUPS else []
        trials.sort(key=lambda each: each.trial or 0)
        for line in _run_details(record, latest_of_runs(store), trials):
            say(line)
        for claim in store.false_record_claims(record):
            say(f"FALSE     it {claim}")
        return
    unread: list[str] = []
    records = list(islice((each for each in store.runs(unread=unread) if each.parent is None), limit))
    tell_unread(unread)
    if as_json:
        say_document(runs=[each.to_json() for each in records], unread=sorted(unread))
        return
    for line in _run_lines(records, latest_of_runs(store)):
        say(line)
    if not records:
        say("nothing has run yet; try: relet run PIPELINE")


def tell_unread(unread: Sequence[str]) -> None:
    """Name the runs that a list leaves out, since their records are damaged or were written by a newer relet."""
    if not unread:
        return
    which = "1 run's record" if len(unread) == 1 else f"{len(unread)} runs' records"
    more = ", …" if len(unread) > NAMED else ""
    listed = ", ".join(sorted(unread, reverse=True)[:NAMED])
    say(f"{which} can't be read: {listed}{more}; relet artifacts verify says why", err=True)


def _run_lines(records: Sequence[RunRecord], judged: Mapping[str, ReproductionSummary]) -> Iterator[str]:
    """A line for each run; `judged` are run id → what `relet reproduce` said of it last."""
    likeness = (judged[each.id].word if each.id in judged else "" for each in records)
    columns = [
        text_column(each.id for each in records),
        text_column(each.started[:16].replace("T", " ") for each in records),
        text_column((_duration_text(each) for each in records), least=7, align="right"),
        text_column(map(_status_word, records), least=10),
        text_column((_work_counts(each) for each in records), least=18),
        text_column(likeness, least=10),
        text_column(f"{' '.join(each.command)}{_caveat_kinds(each)}" for each in records),
    ]
    return table_lines(columns, UNBOUNDED, headings=False)


def _status_word(record: RunRecord) -> str:
    """How a run stands; `lost` where its process ended without saying how."""
    from relet.project.liveness import has_ended

    return "lost" if record.status is Status.RUNNING and has_ended(record.machine) else str(record.status)


def _work_counts(record: RunRecord) -> str:
    """How many steps a pipeline's run ran and skipped, or how many trials a sweep or search has."""
    if record.kind in GROUPS:
        trials = record.parameters.get("trials")
        return f"{record.kind}{f', {trials} trials' if trials else ''}"
    ran = sum(step["action"] == "run" for step in record.steps.values())
    return f"{ran} run, {len(record.steps) - ran} skipped"


def _caveat_kinds(record: RunRecord) -> str:
    """The kinds of caveats, such as a step that used the network; `relet runs ID` lists the caveats."""
    kinds = dict.fromkeys(each.kind for each in record.caveats)
    return f"  (not promised: {', '.join(kinds)})" if kinds else ""


def _duration_text(record: RunRecord) -> str:
    if record.ended is None:
        return "?"
    duration = datetime.fromisoformat(record.ended) - datetime.fromisoformat(record.started)
    return f"{duration.total_seconds():.1f} s"


def _run_details(
    record: RunRecord, judged: Mapping[str, ReproductionSummary], trials: Sequence[RunRecord]
) -> Iterator[str]:
    yield from _run_lines([record], judged)
    if record.parent and record.component is None:
        yield f"trial     {record.trial} of run {record.parent}: {' '.join(record.overrides)}"
    if record.id in judged:
        yield f"again     {judged[record.id]}"
    dirty = ", with changes that are not committed" if record.code.dirty else ""
    yield f"commit    {record.code.commit or 'none'}{dirty}"
    yield f"lock      {record.lock or 'none'}"
    yield f"machine   {', '.join(f'{name} {value}' for name, value in record.machine.items() if value)}"
    if record.imported:
        yield f"imported  with {record.imported}"
    if record.key:
        yield f"key       {record.key}"
    for name, step in record.steps.items():
        outputs = "  ".join(step["outputs"].values())
        yield f"  {name:<18}{step['action']:<6}{step['reason']:<40}{outputs}  {step.get('run') or ''}".rstrip()
    for each in trials:
        best = "  the best one" if each.id == record.winner else ""
        yield f"  trial {each.trial:<6}{each.id}  {_status_word(each):<12}{' '.join(each.overrides)}{best}"
    for side, links in (("input", record.inputs), ("output", record.outputs)):
        for link in links.values():
            yield f"  {side:<8}{link.version:<24}{link.type:<10}{link.content[:16]}"
    for name, value in record.metrics.items():
        yield f"  metric  {name:<24}{value:.6g}"
    for caveat in record.caveats:
        yield f"  not promised: {caveat}"
    if record.message:
        yield f"message   {record.message}"
