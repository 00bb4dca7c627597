"""What a command shows of a sweep: a line for each trial as it ends, and the table that ranks them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from relet.cli.columns import UNBOUNDED, table_lines, text_column
from relet.cli.progress import ProgressDisplay, download_text, print_event, progress_display
from relet.cli.screen import delivery_facts, delivery_line
from relet.cli.terminal import error_text, say, style
from relet.core.artifact import ArtifactType
from relet.core.record import Status
from relet.core.wording import count, shorten
from relet.experiments.variation import short_names

if TYPE_CHECKING:
    from relet.trials.pool import PlannedTrial, TrialResult
    from relet.trials.sweep import Sweep, SweepOutcome

_COLOURS = {Status.FINISHED: "green", Status.STOPPED: "yellow"}
# The most letters of a trial's number and settings on its line, and of what it does on the moving line.
TRIAL_WIDTH, ACTIVITY_WIDTH = 56, 40


@contextmanager
def sweep_screen(*, as_json: bool) -> Iterator[SweepScreen]:
    """The screen of a sweep, on the display that fits where its output goes."""
    with progress_display(as_json=as_json) as display:
        yield SweepScreen(display)


class SweepScreen:
    """The watcher of a sweep (see `SweepWatcher`). It also learns the trials, and how far a download is."""

    def __init__(self, display: ProgressDisplay) -> None:
        self._display = display
        self._total = self._ended = 0
        self._metric = ""
        self._columns: list[str] = []
        self._activities: dict[int, str] = {}

    def begin(self, sweep: Sweep) -> None:
        """The trials are known; nothing has run yet."""
        self._total, self._metric = len(sweep.trials), sweep.metric
        self._columns = setting_columns([each.overrides for each in sweep.trials])
        self._display.event(
            "sweep",
            trials=len(sweep.trials),
            workers=sweep.workers,
            metric=sweep.metric,
            direction=sweep.direction,
            overrides=list(sweep.order.overrides),
            warning=sweep.warning or None,
        )
        self._display.line(
            f"{count(self._total, 'trial')} of {sweep.order.pipeline} by {count(sweep.workers, 'worker')}, "
            f"to {sweep.direction} {sweep.metric}"
        )
        if sweep.warning:
            self._display.line(f"{style('careful', fg='yellow')}: {sweep.warning}")

    def fetched(self, done: int, total: int | None) -> None:
        """So many bytes of a source have come."""
        self._display.moving(download_text(done, total))

    def doing(self, trial: PlannedTrial, what: str) -> None:
        self._display.event("doing", trial=trial.number, what=what)
        self._activities[trial.number] = what
        self._show_activities()

    def tried(self, tried: TrialResult) -> None:
        self._ended += 1
        self._display.event("trial", **_trial_facts(tried))
        self._display.line(self._trial_line(tried))
        self._activities.pop(tried.trial.number, None)
        if self._activities:
            self._show_activities()

    def _show_activities(self) -> None:
        activities = (
            f"trial {number}: {shorten(what, ACTIVITY_WIDTH)}" for number, what in sorted(self._activities.items())
        )
        self._display.moving(f"{self._ended}/{self._total} done   {'   '.join(activities)}")

    def _trial_line(self, result: TrialResult) -> str:
        settings = trial_settings(result.trial.overrides, self._columns)
        named = "  ".join([f"trial {result.trial.number}", *(f"{key}={value}" for key, value in settings.items())])
        head = f"{f'{self._ended}/{self._total}':>7}  {shorten(named, TRIAL_WIDTH):<{TRIAL_WIDTH}}"
        if not result.finished:
            status = style(str(result.status), fg=_COLOURS.get(result.status, "red"))
            return f"{head}  {status}: {' '.join(result.error.split())}"
        number = result.metrics.get(self._metric)
        score = "" if number is None else f"{self._metric} {number:.6g}"
        return f"{head}  {score:<20}{result.seconds:>7.1f} s{'' if result.ran else '  nothing to run'}"


def _trial_facts(result: TrialResult) -> dict[str, Any]:
    return {
        "trial": result.trial.number,
        "overrides": list(result.trial.overrides),
        "run": result.run_id,
        "status": str(result.status),
        "metrics": dict(result.metrics),
        "seconds": round(result.seconds, 3),
        "outputs": dict(result.outputs),
        "ran": list(result.ran),
        "error": result.error or None,
    }


def finish_sweep(sweep: Sweep, outcome: SweepOutcome, *, as_json: bool) -> None:
    """Print the table with the best trial first, and the command that selects that trial."""
    selection = shlex.join(sweep.selection(outcome.winner.trial)) if outcome.winner else None
    if as_json:
        print_event(
            "finished",
            run=outcome.run_id,
            status=str(outcome.status),
            seconds=round(outcome.seconds, 3),
            ranking=[each.trial.number for each in outcome.ranked],
            winner=_trial_facts(outcome.winner) if outcome.winner else None,
            select=selection,
            error=error_text(outcome.error) if outcome.error else None,
            exit_status=outcome.exit_status,
            trackers=delivery_facts(outcome.deliveries),
        )
    else:
        for line in _closing_lines(sweep, outcome, selection):
            say(line)
    if outcome.error is not None and outcome.status is not Status.INTERRUPTED:
        say(f"relet: {error_text(outcome.error)}", err=True)


def _closing_lines(sweep: Sweep, outcome: SweepOutcome, selection: str | None) -> Iterator[str]:
    yield ""
    yield from sweep_table(sweep, outcome)
    yield ""
    yield _sweep_summary(sweep, outcome)
    yield from map(delivery_line, outcome.deliveries)
    if outcome.status is Status.INTERRUPTED:
        yield "interrupted; every finished trial is kept: the same command goes on from here"
    elif selection:
        yield f"the best one: {selection}"


def _sweep_summary(sweep: Sweep, outcome: SweepOutcome) -> str:
    status = style(str(outcome.status), fg=_COLOURS.get(outcome.status, "red"))
    finished = sum(each.finished for each in outcome.tried)
    ran = sum(bool(each.ran) for each in outcome.tried if each.finished)
    return (
        f"{status} in {outcome.seconds:.1f} s: {finished} of {len(sweep.trials)} trials finished, "
        f"{ran} with something to run  (run {outcome.run_id})"
    )


def sweep_table(sweep: Sweep, outcome: SweepOutcome) -> Iterator[str]:
    """The table of trials, the best first. Below the table stand the reasons of those that can't be chosen."""
    names = setting_columns([each.overrides for each in sweep.trials])
    models = [
        output.name
        for component in sweep.job.request.components
        for output in component.outputs
        if output.type is ArtifactType.MODEL
    ]
    others = [each for each in outcome.tried if each not in outcome.ranked]
    headings = [sweep.metric, *names, "seconds", "status", *(["model"] if models else []), "trial"]
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
    yield from ranking_lines(headings, rows)
    for each in others:
        if each.error:
            yield f"trial {each.trial.number}: {each.error}"


def ranking_lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The table that ranks trials: all its cells stand left, and none is cut."""
    columns = [text_column((row[place] for row in rows), name=name) for place, name in enumerate(headings)]
    return table_lines(columns, UNBOUNDED)


def setting_columns(overrides: Sequence[Sequence[str]]) -> list[str]:
    """The names of the settings that trials set, each as short as it can be and still differ from the others.

    >>> setting_columns([["modeling.random_forest.max_features=0.1", "model=linear", "other.max_features=2"]])
    ['random_forest.max_features', 'model', 'other.max_features']
    """
    keys = dict.fromkeys(each.partition("=")[0].lstrip("+~") for trial in overrides for each in trial)
    return short_names(list(keys))


def trial_settings(overrides: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """What a trial set, as column's name → value; the value is empty where the trial did not set that.

    >>> trial_settings(["modeling.max_features=0.1"], ["max_features", "family"])
    {'max_features': '0.1', 'family': ''}
    """
    given = {key: value for key, _, value in (each.lstrip("+~").partition("=") for each in overrides)}
    return {
        name: next((value for key, value in given.items() if f".{key}".endswith(f".{name}")), "") for name in names
    }
