"""What a person sees of a sweep: a line per trial as it ends, and the table that says which was the best."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import click

from relet.cli.screen import delivery_line
from relet.core.artifact import ArtifactType
from relet.core.record import Status

if TYPE_CHECKING:
    from rich.status import Status as Spinner

    from relet.trials.pool import PlannedTrial, TrialResult
    from relet.trials.sweep import Sweep, SweepOutcome

_COLOURS = {Status.FINISHED: "green", Status.STOPPED: "yellow"}
# Characters of a trial's overrides on its line.
WIDTH = 56


class SweepScreen(Protocol):
    """A watcher of a sweep that also learns what is about to be tried, and how far a download is."""

    def begin(self, sweep: Sweep) -> None:
        """The trials are known; nothing has run yet."""

    def fetched(self, done: int, total: int | None) -> None:
        """So many bytes of a source have come."""

    def doing(self, trial: PlannedTrial, what: str) -> None:
        """What a trial does now."""

    def tried(self, tried: TrialResult) -> None:
        """A trial has ended."""


@contextmanager
def board(*, as_json: bool) -> Iterator[SweepScreen]:
    """The screen that fits: JSON lines, a live one on a terminal, plain lines elsewhere."""
    if as_json:
        yield JsonSweepScreen()
    elif sys.stdout.isatty():
        with LiveSweepScreen() as live:
            yield live
    else:
        yield PlainSweepScreen()


class PlainSweepScreen:
    """One plain line for each trial, when it has ended."""

    def __init__(self) -> None:
        self.count = self.done = 0
        self.metric = ""
        self.columns: list[str] = []

    def begin(self, sweep: Sweep) -> None:
        self.count, self.metric = len(sweep.trials), sweep.metric
        self.columns = setting_columns([each.overrides for each in sweep.trials])
        workers = f"{sweep.workers} {'worker' if sweep.workers == 1 else 'workers'}"
        trials = "1 trial" if self.count == 1 else f"{self.count} trials"
        click.echo(f"{trials} of {sweep.order.pipeline} by {workers}, to {sweep.direction} {sweep.metric}")
        if sweep.warning:
            click.echo(f"{click.style('careful', fg='yellow')}: {sweep.warning}")

    def fetched(self, done: int, total: int | None) -> None: ...

    def doing(self, trial: PlannedTrial, what: str) -> None: ...

    def tried(self, tried: TrialResult) -> None:
        self.done += 1
        click.echo(self.line(tried))

    def line(self, tried: TrialResult) -> str:
        set_here = "  ".join(
            f"{name}={value}" for name, value in trial_settings(tried.trial.overrides, self.columns).items()
        )
        place = f"{self.done}/{self.count}"
        head = f"{place:>7}  {_shorten_trial_line(f'trial {tried.trial.number}  {set_here}', WIDTH):<{WIDTH}}"
        if not tried.finished:
            told = " ".join(tried.error.split())
            return f"{head}  {click.style(str(tried.status), fg=_COLOURS.get(tried.status, 'red'))}: {told}"
        number = tried.metrics.get(self.metric)
        shown = "" if number is None else f"{self.metric} {number:.6g}"
        return f"{head}  {shown:<20}{tried.seconds:>7.1f} s{'' if tried.ran else '  nothing to run'}"


class LiveSweepScreen(PlainSweepScreen):
    """The same lines, with a moving one below them for what the trials do now."""

    def __init__(self) -> None:
        from rich.console import Console

        super().__init__()
        self.console = Console(highlight=False)
        self.spinner: Spinner | None = None
        self.now: dict[int, str] = {}

    def __enter__(self) -> LiveSweepScreen:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _show(self, text: str) -> None:
        from rich.markup import escape

        if self.spinner is None:
            self.spinner = self.console.status(escape(text))
            self.spinner.start()
        else:
            self.spinner.update(escape(text))

    def _stop(self) -> None:
        if self.spinner is not None:
            self.spinner.stop()
            self.spinner = None

    def fetched(self, done: int, total: int | None) -> None:
        share = f" of {total / 1e6:.1f} MB ({done / total:.0%})" if total else " MB"
        self._show(f"fetching the source: {done / 1e6:.1f}{share}")

    def begin(self, sweep: Sweep) -> None:
        self._stop()
        super().begin(sweep)

    def doing(self, trial: PlannedTrial, what: str) -> None:
        self.now[trial.number] = what
        self._moving()

    def tried(self, tried: TrialResult) -> None:
        self._stop()
        super().tried(tried)
        self.now.pop(tried.trial.number, None)
        if self.now:
            self._moving()

    def _moving(self) -> None:
        doing = "   ".join(
            f"trial {number}: {_shorten_trial_line(what, 40)}" for number, what in sorted(self.now.items())
        )
        self._show(f"{self.done}/{self.count} done   {doing}")


class JsonSweepScreen:
    """One JSON object for each event."""

    def begin(self, sweep: Sweep) -> None:
        _print_sweep_event(
            "sweep",
            trials=len(sweep.trials),
            workers=sweep.workers,
            metric=sweep.metric,
            direction=sweep.direction,
            overrides=list(sweep.order.overrides),
            warning=sweep.warning or None,
        )

    def fetched(self, done: int, total: int | None) -> None: ...

    def doing(self, trial: PlannedTrial, what: str) -> None:
        _print_sweep_event("doing", trial=trial.number, what=what)

    def tried(self, tried: TrialResult) -> None:
        _print_sweep_event("trial", **_trial_facts(tried))


def _print_sweep_event(event: str, **facts: Any) -> None:
    click.echo(json.dumps({"event": event, **facts}, default=str))


def _trial_facts(tried: TrialResult) -> dict[str, Any]:
    return {
        "trial": tried.trial.number,
        "overrides": list(tried.trial.overrides),
        "run": tried.run_id,
        "status": str(tried.status),
        "metrics": dict(tried.metrics),
        "seconds": round(tried.seconds, 3),
        "outputs": dict(tried.outputs),
        "ran": list(tried.ran),
        "error": tried.error or None,
    }


def finish_sweep(sweep: Sweep, outcome: SweepOutcome, *, as_json: bool) -> None:
    """The last screen: the table with the best trial first, and the command that selects it."""
    selection = shlex.join(sweep.selection(outcome.winner.trial)) if outcome.winner else None
    if as_json:
        _print_sweep_event(
            "finished",
            run=outcome.run_id,
            status=str(outcome.status),
            seconds=round(outcome.seconds, 3),
            ranking=[each.trial.number for each in outcome.ranked],
            winner=_trial_facts(outcome.winner) if outcome.winner else None,
            select=selection,
            error=str(outcome.error) if outcome.error else None,
            exit_status=outcome.exit_status,
            trackers=[
                {"tracker": each.tracker, "queued": each.queued, "reason": each.reason}
                for each in outcome.deliveries
            ],
        )
        return
    click.echo()
    for line in sweep_table(sweep, outcome):
        click.echo(line)
    click.echo()
    click.echo(_sweep_summary(sweep, outcome))
    for delivery in outcome.deliveries:
        click.echo(delivery_line(delivery))
    if outcome.status is Status.INTERRUPTED:
        click.echo("interrupted; every finished trial is kept: the same command goes on from here")
    elif selection:
        click.echo(f"the best one: {selection}")
    if outcome.error is not None and outcome.status is not Status.INTERRUPTED:
        click.echo(f"relet: {outcome.error}", err=True)


def _sweep_summary(sweep: Sweep, outcome: SweepOutcome) -> str:
    status = click.style(str(outcome.status), fg=_COLOURS.get(outcome.status, "red"))
    finished = sum(each.finished for each in outcome.tried)
    ran = sum(bool(each.ran) for each in outcome.tried if each.finished)
    return (
        f"{status} in {outcome.seconds:.1f} s: {finished} of {len(sweep.trials)} trials finished, "
        f"{ran} with something to run  (run {outcome.run_id})"
    )


def sweep_table(sweep: Sweep, outcome: SweepOutcome) -> Iterator[str]:
    """The trials as lines, the best first; below them those that are none to choose, with the reason."""
    names = setting_columns([each.overrides for each in sweep.trials])
    models = [
        output.name
        for component in sweep.job.request.components
        for output in component.outputs
        if output.type is ArtifactType.MODEL
    ]
    others = [each for each in outcome.tried if each not in outcome.ranked]
    head = [sweep.metric, *names, "seconds", "status", *(["model"] if models else []), "trial"]
    rows = [
        [
            f"{each.metrics[sweep.metric]:.6g}" if sweep.metric in each.metrics else "",
            *trial_settings(each.trial.overrides, names).values(),
            f"{each.seconds:.1f}",
            str(each.status),
            *([next((each.outputs[name] for name in models if name in each.outputs), "")] if models else []),
            str(each.trial.number),
        ]
        for each in (*outcome.ranked, *others)
    ]
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    for row in [head, *rows]:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
    for each in others:
        if each.error:
            yield f"trial {each.trial.number}: {each.error}"


def setting_columns(overrides: Sequence[Sequence[str]]) -> list[str]:
    """Names for what trials set: a setting's last word, and more of it where two settings share that.

    >>> setting_columns([["modeling.random_forest.max_features=0.1", "model=linear", "other.max_features=2"]])
    ['random_forest.max_features', 'model', 'other.max_features']
    """
    keys = list(dict.fromkeys(each.partition("=")[0].lstrip("+~") for trial in overrides for each in trial))
    return [_short_setting(key, keys) for key in keys]


def _short_setting(key: str, keys: Sequence[str]) -> str:
    words = key.split(".")
    ends = (".".join(words[-count:]) for count in range(1, len(words) + 1))
    return next((end for end in ends if sum(f".{each}".endswith(f".{end}") for each in keys) == 1), key)


def trial_settings(overrides: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """What a trial set, by the column's name; empty where it did not set that.

    >>> trial_settings(["modeling.max_features=0.1"], ["max_features", "family"])
    {'max_features': '0.1', 'family': ''}
    """
    given = {key: value for key, _, value in (each.lstrip("+~").partition("=") for each in overrides)}
    return {
        name: next((value for key, value in given.items() if f".{key}".endswith(f".{name}")), "") for name in names
    }


def _shorten_trial_line(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
