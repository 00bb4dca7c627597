"""`relet tune`: search for settings that make a better model."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from relet.cli.progress import ProgressDisplay, print_event, progress_display
from relet.cli.screen import delivery_facts, delivery_line
from relet.cli.sweeps import ranking_lines
from relet.cli.terminal import error_text, say, style
from relet.core.record import Status
from relet.core.wording import count
from relet.experiments.variation import short_names

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
    Exit status: 0 done, 1 a component failed, 2 wrong settings or bad data, 130 interrupted (143 by
    SIGTERM, 129 by SIGHUP).
    """
    from relet.trials.search.question import read_question
    from relet.trials.search.rounds import search
    from relet.trials.search.winner import check_name, write_winner

    question, limits = read_question(target, words, ("relet", *sys.argv[1:]))
    check_name(question.project.conf, name, question.base, force=force)
    with progress_display(as_json=as_json) as display:
        found = search(question, limits, SearchScreen(display))
    written = write_winner(found, name, force=force) if found.candidates else None
    finish_search(found, written, as_json=as_json)
    sys.exit(found.exit_status)


class SearchScreen:
    """The watcher of a search (see `SearchWatcher`): a line for each trial whose folds were measured."""

    def __init__(self, display: ProgressDisplay) -> None:
        self._display = display
        self._metric = ""
        self._columns: list[str] = []

    def begun(
        self, question: SearchDefinition, wishes: SearchLimits, known: Sequence[Candidate], others: bool
    ) -> None:
        self._metric, self._columns = question.metric, _dimension_names(question)
        self._display.event(
            "search",
            search=question.id,
            metric=question.metric,
            direction=question.direction,
            trials=wishes.trials,
            known=len(known),
            anew=question.anew or None,
            space={each.setting: str(each).partition(": ")[2] for each in question.dimensions},
        )
        for line in _opening_lines(question, wishes, len(known), others=others):
            self._display.line(line)

    def doing(self, number: int, what: str) -> None:
        self._display.event("doing", trial=number, what=what)
        self._display.moving(f"trial {number}: {what}")

    def measured(self, number: int, fold: int, found: FoldResult) -> None:
        self._display.event(
            "measured", trial=number, fold=fold, value=found.value, error=found.error or None, run=found.run
        )
        score = f"{self._metric} {found.value:.6g}" if found.value is not None else found.error
        self._display.moving(f"trial {number}, fold {fold}: {score}")

    def told(self, found: Sequence[Candidate]) -> None:
        for each in found:
            self._display.event("trial", **_candidate_facts(each))
            self._display.line(self._trial_line(each))

    def _trial_line(self, candidate: Candidate) -> str:
        settings = "  ".join(
            f"{name}={_setting_text(value)}"
            for name, value in zip(self._columns, candidate.values.values(), strict=True)
        )
        if candidate.outcome == "pruned":
            result = f"given up after {count(len(candidate.folds), 'fold')}"
        elif candidate.value is not None:
            result = f"{self._metric} {candidate.value:.6g}"
        else:
            result = candidate.error or candidate.outcome
        coloured = style(f"{result:<24}", fg=_COLOURS[candidate.outcome])
        configured = "  (as configured)" if candidate.number == 1 else ""
        return f"trial {candidate.number:>3}  {coloured}  {settings}{configured}"


def _opening_lines(question: SearchDefinition, limits: SearchLimits, known: int, *, others: bool) -> Iterator[str]:
    yield (
        f"search {question.id} of {question.order.pipeline}: {count(limits.trials, 'trial')}, to "
        f"{question.direction} {question.metric} on {count(question.folds, 'fold')} of what is trained on"
    )
    for each in question.dimensions:
        yield f"  {each}"
    if question.anew:
        yield f"the trials of an earlier study of this search don't count now: {question.anew}"
    if known:
        complete = ", all there is to do" if known >= limits.trials else ""
        yield f"{count(known, 'trial')} of it known already{complete}"
    if others:
        yield "another process searches the same, or was ended over it: what it has measured counts here too"
    if limits.timeout is not None:
        yield f"it ends after {limits.timeout:g} s: how many trials that leaves time for is chance"


def _dimension_names(question: SearchDefinition) -> list[str]:
    return short_names([each.setting for each in question.dimensions])


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
    """Print the best trials, the gain over the configured settings, and the command to go on with."""
    from relet.trials.search.winner import winner_command

    winner, default = found.winner, found.default
    if as_json:
        print_event(
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
            select=written.run if written else winner_command(found) if found.is_improved else None,
            seconds=round(found.seconds, 3),
            error=error_text(found.error) if found.error else None,
            exit_status=found.exit_status,
            trackers=delivery_facts(found.deliveries),
        )
    else:
        for line in _closing_lines(found, written):
            say(line)
    if found.error is not None and found.status is not Status.INTERRUPTED:
        say(f"relet: {error_text(found.error)}", err=True)


def _closing_lines(found: SearchOutcome, written: WinnerFile | None) -> Iterator[str]:
    from relet.trials.search.winner import winner_command

    yield ""
    yield from search_table(found)
    yield _search_summary(found)
    yield from _gain_lines(found)
    yield from map(delivery_line, found.deliveries)
    if found.status is Status.INTERRUPTED:
        yield "interrupted; what was measured is kept: the same command goes on from here"
    elif found.out_of_time:
        yield "out of time; what was measured is kept: the same command, or one with a later timeout, goes on"
    if written and written.held_back:
        yield f"the winner is not written: {written.held_back}; this runs it:"
        yield f"  {written.run}"
    elif written:
        yield f"the winner is written to {written.path}; go on with:"
        yield f"  {written.run}"
        yield f"  {written.add}"
    elif found.is_improved:
        yield f"the winner: {winner_command(found)}"


def search_table(found: SearchOutcome) -> Iterator[str]:
    """The table of the best trials, the best first. The configured settings are always among them."""
    question = found.question
    ranked = sorted(
        (each for each in found.candidates if each.value is not None),
        key=lambda each: (-question.better * (each.value or 0.0), each.number),
    )
    if not ranked:
        return
    shown = [*ranked[:SHOWN], *(each for each in ranked[SHOWN:] if each.number == 1)]
    headings = [question.metric, *_dimension_names(question), "seconds", "trial"]
    rows = [
        [
            f"{each.value:.6g}",
            *(_setting_text(each.values[dimension.setting]) for dimension in question.dimensions),
            f"{each.seconds:.1f}",
            f"{each.number}{' as configured' if each.number == 1 else ''}",
        ]
        for each in shown
    ]
    yield from ranking_lines(headings, rows)


def _search_summary(found: SearchOutcome) -> str:
    counts = {kind: sum(each.outcome == kind for each in found.candidates) for kind in _COLOURS}
    colour = "green" if found.status is Status.FINISHED else "red"
    parts = [f"{counts['complete']} on every fold", f"{counts['pruned']} given up early"]
    parts += [f"{counts['failed']} failed"] if counts["failed"] else []
    return (
        f"{style(str(found.status), fg=colour)} in {found.seconds:.1f} s: "
        f"{count(len(found.candidates), 'trial')}, {', '.join(parts)}, {found.known} known before  "
        f"(run {found.run_id})"
    )


def _gain_lines(found: SearchOutcome) -> Iterator[str]:
    winner, default = found.winner, found.default
    if winner is None or winner.value is None:
        if found.error is None:
            yield "no batch was finished"
    elif winner.number == 1:
        yield "no trial is better than what is configured: nothing is written"
    elif default is not None and default.value is not None and not found.is_improved:
        yield (
            "no trial is better than what is configured, which lies outside the space "
            f"({found.question.metric} {winner.value:.6g} instead of {default.value:.6g}): nothing is written"
        )
    elif default is not None and default.value:
        gained = found.question.better * (winner.value - default.value) / abs(default.value)
        yield (
            f"{found.question.metric} {winner.value:.6g} instead of {default.value:.6g} as configured, on "
            f"validation: {gained:.2%} better"
        )


def _setting_text(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
