"""`relet tune`: search for settings that make a better model."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from relet.cli.screen import delivery_line
from relet.cli.sweeps import setting_columns
from relet.core.record import Status

if TYPE_CHECKING:
    from relet.trials.search.question import SearchDefinition, SearchLimits
    from relet.trials.search.rounds import SearchOutcome
    from relet.trials.search.study import Candidate, FoldResult
    from relet.trials.search.winner import WinnerFile

# How many trials the last table shows.
SHOWN = 10
_COLOURS = {"complete": "green", "pruned": "yellow", "failed": "red"}


@click.command("tune", context_settings={"ignore_unknown_options": True})
@click.argument("target")
@click.argument(
    "words", nargs=-1, type=click.UNPROCESSED, metavar="[trials=N] [timeout=10m] [workers=N] [OVERRIDES]..."
)
@click.option("--as", "name", default="tuned", help="Write the winner to conf/model/NAME.yaml (default: tuned).")
@click.option("--force", is_flag=True, help="Write it over a file that was written or changed by hand.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
def command(target: str, words: tuple[str, ...], name: str, force: bool, as_json: bool) -> None:
    """Search for settings that make a better model.

    TARGET is a pipeline. What may change stands in conf/search/, in a file for each model family; an override
    that names several values (`modeling.boosted.num_leaves='interval(8, 64)'`) replaces a line of it, one that
    names a single value fixes that setting. Trials are compared by search.metric, the mean of search.folds parts
    of the training rows: no test row is looked at. The first trial is what is configured.

    The same seed (search.seed) gives the same trials and the same winner, however many workers there are and
    however often the search was interrupted: the same command goes on, on several machines at once if the store
    is a bucket. Only how many trials a timeout leaves time for is chance.

    \b
    Exit status: 0 done, 1 a component failed, 2 wrong settings or bad data, 130 interrupted.
    """
    from relet.trials.search.question import read_question
    from relet.trials.search.rounds import search
    from relet.trials.search.winner import check_name, write_winner

    watch = JsonSearchScreen() if as_json else PlainSearchScreen()
    question, wishes = read_question(target, words, ("relet", *sys.argv[1:]))
    check_name(question.project.conf, name, question.base, force=force)
    found = search(question, wishes, watch)
    written = write_winner(found, name, force=force) if found.candidates else None
    finish_search(found, written, as_json=as_json)
    sys.exit(found.exit_status)


class PlainSearchScreen:
    """A line for each trial whose folds were measured, and for each fold while it goes on a terminal."""

    def __init__(self) -> None:
        self.live = sys.stdout.isatty()
        self.metric = ""
        self.columns: list[str] = []
        self.question: SearchDefinition | None = None

    def begun(
        self, question: SearchDefinition, wishes: SearchLimits, known: Sequence[Candidate], others: bool
    ) -> None:
        self.question, self.metric = question, question.metric
        self.columns = setting_columns([[f"{each.setting}=" for each in question.dimensions]])
        click.echo(
            f"search {question.id} of {question.order.pipeline}: {_count_with_noun(wishes.trials, 'trial')}, to "
            f"{question.direction} {question.metric} on {_count_with_noun(question.folds, 'fold')} of what is "
            "trained on"
        )
        for each in question.dimensions:
            click.echo(f"  {each}")
        if known:
            click.echo(
                f"{_count_with_noun(len(known), 'trial')} of it known already"
                + (", all there is to do" if len(known) >= wishes.trials else "")
            )
        if others:
            click.echo(
                "another process searches the same, or was ended over it: what it has measured counts here too"
            )
        if wishes.timeout is not None:
            click.echo(f"it ends after {wishes.timeout:g} s: how many trials that leaves time for is chance")

    def doing(self, number: int, what: str) -> None:
        self._moving(f"trial {number}: {what}")

    def measured(self, number: int, fold: int, found: FoldResult) -> None:
        shown = f"{self.metric} {found.value:.6g}" if found.value is not None else found.error
        self._moving(f"trial {number}, fold {fold}: {shown}")

    def _moving(self, text: str) -> None:
        if self.live:
            click.echo(f"\r\x1b[K{text[:100]}", nl=False)

    def told(self, found: Sequence[Candidate]) -> None:
        if self.live:
            click.echo("\r\x1b[K", nl=False)
        for each in found:
            click.echo(self.line(each))

    def line(self, found: Candidate) -> str:
        point = "  ".join(
            f"{name}={_setting_text(value)}"
            for name, value in zip(self.columns, (found.values[key] for key in found.values), strict=True)
        )
        told = f"{self.metric} {found.value:.6g}" if found.value is not None else found.error or found.outcome
        if found.outcome == "pruned":
            told = f"given up after {_count_with_noun(len(found.folds), 'fold')}"
        first = "  (as configured)" if found.number == 1 else ""
        return f"trial {found.number:>3}  {click.style(f'{told:<24}', fg=_COLOURS[found.outcome])}  {point}{first}"


class JsonSearchScreen:
    """One JSON object for each event."""

    def begun(
        self, question: SearchDefinition, wishes: SearchLimits, known: Sequence[Candidate], others: bool
    ) -> None:
        _print_search_event(
            "search",
            search=question.id,
            metric=question.metric,
            direction=question.direction,
            trials=wishes.trials,
            known=len(known),
            space={each.setting: str(each).partition(": ")[2] for each in question.dimensions},
        )

    def doing(self, number: int, what: str) -> None:
        _print_search_event("doing", trial=number, what=what)

    def measured(self, number: int, fold: int, found: FoldResult) -> None:
        _print_search_event(
            "measured", trial=number, fold=fold, value=found.value, error=found.error or None, run=found.run
        )

    def told(self, found: Sequence[Candidate]) -> None:
        for each in found:
            _print_search_event("trial", **_candidate_facts(each))


def _print_search_event(event: str, **facts: Any) -> None:
    click.echo(json.dumps({"event": event, **facts}, default=str))


def _candidate_facts(found: Candidate) -> dict[str, Any]:
    return {
        "trial": found.number,
        "outcome": found.outcome,
        "value": found.value,
        "folds": list(found.folds),
        "values": dict(found.values),
        "runs": list(found.runs),
        "seconds": found.seconds,
        "error": found.error or None,
    }


def finish_search(found: SearchOutcome, written: WinnerFile | None, *, as_json: bool) -> None:
    """The last screen: the best trials, what was gained over the configured settings, and how to go on."""
    from relet.trials.search.winner import winner_command

    winner, default = found.winner, found.default
    better = winner is not None and winner.number != 1
    if as_json:
        _print_search_event(
            "finished",
            run=found.run_id,
            search=found.question.id,
            status=str(found.status),
            trials=len(found.candidates),
            known=found.known,
            out_of_time=found.out_of_time,
            winner=_candidate_facts(winner) if winner else None,
            default=_candidate_facts(default) if default else None,
            written=str(written.path) if written and not written.held_back else None,
            held_back=written.held_back or None if written else None,
            select=written.run if written else winner_command(found) if better else None,
            seconds=round(found.seconds, 3),
            error=str(found.error or "") or None,
            exit_status=found.exit_status,
            trackers=[
                {"tracker": each.tracker, "queued": each.queued, "reason": each.reason}
                for each in found.deliveries
            ],
        )
        return
    click.echo()
    for line in search_table(found):
        click.echo(line)
    click.echo(_search_summary(found))
    for line in _gain_lines(found):
        click.echo(line)
    for delivery in found.deliveries:
        click.echo(delivery_line(delivery))
    if found.status is Status.INTERRUPTED:
        click.echo("interrupted; what was measured is kept: the same command goes on from here")
    elif found.out_of_time:
        click.echo(
            "out of time; what was measured is kept: the same command, or one with a later timeout, goes on"
        )
    if written and written.held_back:
        click.echo(f"the winner is not written: {written.held_back}; this runs it:")
        click.echo(f"  {written.run}")
    elif written:
        click.echo(f"the winner is written to {written.path}; go on with:")
        click.echo(f"  {written.run}")
        click.echo(f"  {written.add}")
    elif better:
        click.echo(f"the winner: {winner_command(found)}")
    if found.error is not None and found.status is not Status.INTERRUPTED:
        click.echo(f"relet: {found.error}", err=True)


def search_table(found: SearchOutcome) -> Iterator[str]:
    """The best trials as lines, the best first; what is configured is always among them."""
    question = found.question
    ranked = sorted(
        (each for each in found.candidates if each.value is not None),
        key=lambda each: (-question.better * (each.value or 0.0), each.number),
    )
    if not ranked:
        return
    names = setting_columns([[f"{each.setting}=" for each in question.dimensions]])
    shown = [*ranked[:SHOWN], *(each for each in ranked[SHOWN:] if each.number == 1)]
    head = [question.metric, *names, "seconds", "trial"]
    rows = [
        [
            f"{each.value:.6g}",
            *(_setting_text(each.values[dimension.setting]) for dimension in question.dimensions),
            f"{each.seconds:.1f}",
            f"{each.number}{' as configured' if each.number == 1 else ''}",
        ]
        for each in shown
    ]
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    for row in [head, *rows]:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _search_summary(found: SearchOutcome) -> str:
    counts = {kind: sum(each.outcome == kind for each in found.candidates) for kind in _COLOURS}
    colour = "green" if found.status is Status.FINISHED else "red"
    parts = [f"{counts['complete']} on every fold", f"{counts['pruned']} given up early"]
    parts += [f"{counts['failed']} failed"] if counts["failed"] else []
    return (
        f"{click.style(str(found.status), fg=colour)} in {found.seconds:.1f} s: "
        f"{_count_with_noun(len(found.candidates), 'trial')}, {', '.join(parts)}, {found.known} known before  "
        f"(run {found.run_id})"
    )


def _gain_lines(found: SearchOutcome) -> Iterator[str]:
    winner, default = found.winner, found.default
    if winner is None or winner.value is None:
        if found.error is None:
            yield "no batch was finished"
    elif winner.number == 1:
        yield "no trial is better than what is configured: nothing is written"
    elif default is not None and default.value:
        gained = found.question.better * (winner.value - default.value) / abs(default.value)
        yield (
            f"{found.question.metric} {winner.value:.6g} instead of {default.value:.6g} as configured, on "
            f"validation: {gained:.2%} better"
        )


def _count_with_noun(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _setting_text(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
