"""`relet experiments`: what was tried, and how well it did."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relet.cli.columns import ScreenColumn, screen_width, table_lines
from relet.cli.pages import write_page
from relet.cli.place import STORE, open_default_store
from relet.cli.runs import tell_unread
from relet.cli.terminal import say, say_document
from relet.core.artifact import short_name
from relet.core.record import Status
from relet.core.wording import count, printable, shorten
from relet.errors import SettingError
from relet.experiments.experiment import Experiment, Trial
from relet.experiments.objective import Objective, aim, comparable_trials
from relet.experiments.selection import ordered_trials, selected_trials
from relet.experiments.variation import (
    differing_settings,
    distinguishing_metrics,
    most_varied_settings,
    short_names,
)

if TYPE_CHECKING:
    from relet.store import Store

# How many runs are listed where nothing says how many.
LISTED = 30


@click.command("experiments")
@click.argument("name", required=False)
@STORE
@click.option("--filter", "condition", help="Only runs that meet this: 'mae<30 and model=random_forest'.")
@click.option(
    "--sort", "by", help="By a metric, setting or fact: mae ascending, -mae descending (default: best first)."
)
@click.option("--metric", help="The metric that runs are compared by (default: the sweep's, else mae).")
@click.option(
    "-n", "--limit", type=click.IntRange(min=1), help=f"How many runs at most (default: {LISTED}; a page has all)."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.option("--html", "as_page", is_flag=True, help="Write a page that opens without a network.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the page.")
def command(
    name: str | None,
    store_url: str | None,
    condition: str | None,
    by: str | None,
    metric: str | None,
    limit: int | None,
    as_json: bool,
    as_page: bool,
    output: Path | None,
) -> None:
    """List experiments; or the runs of one, by its NAME or by the id of a sweep, with what differs between them.

    A filter joins comparisons (= != < <= > >=) by and; a name is a metric, a setting or its end, model (the
    family), status, seconds, run, trial, sweep, started or model_version; a value is a number, a word, text in
    quotes, or none.
    """
    from relet.browsing.experiments import explained_trials, find_experiment, gather

    store = open_default_store(store_url)
    unread: list[str] = []
    by_name = gather(store, unread=unread)
    tell_unread(unread)
    if name is None:
        _refuse_without_name({"--filter": condition, "--sort": by, "--html": as_page, "-o": output})
        _overview(by_name, metric, unread, as_json=as_json)
        return
    experiment = find_experiment(by_name, name)
    by_metric = aim(experiment, metric)
    trials = list(experiment.trials)
    if condition:
        trials = selected_trials(trials, condition)
    if by:
        trials = ordered_trials(trials, by) if trials else []
    elif by_metric:
        trials = by_metric.ranked(trials)
    else:
        trials.reverse()
    if as_page or output:
        if limit is not None:
            raise SettingError("-n: a page has all runs; leave -n out, or choose them by --filter")
        _write_experiment_page(
            store, experiment, trials, by_metric, output or Path(f"{_page_file_name(name)}.html"), err=as_json
        )
        if not as_json:
            return
    shown = explained_trials(store, trials[: limit or LISTED])
    best = by_metric.best(trials) if by_metric else None
    if as_json:
        say_document(experiment=_as_json(experiment, shown, by_metric, best), unread=sorted(unread))
        return
    for line in _trial_table(experiment, shown, len(trials), by_metric, best, screen_width()):
        say(line)


def _refuse_without_name(given: Mapping[str, Any]) -> None:
    if options := [option for option, value in given.items() if value]:
        raise SettingError(
            f"{options[0]} speaks of one experiment; name it: relet experiments NAME {options[0]} …"
        )


def _page_file_name(name: str) -> str:
    return re.sub(r"[^\w.\-]+", "_", name).strip("._") or "experiment"


def _overview(
    by_name: Mapping[str, Experiment], metric: str | None, unread: Sequence[str], *, as_json: bool
) -> None:
    aims = [(each, _aim(each, metric)) for each in by_name.values()]
    best = [by.best(each.trials) if by else None for each, by in aims]
    values = [one.metrics[by.metric] if one and by else None for (_, by), one in zip(aims, best, strict=True)]
    if as_json:
        overview = [
            {
                "name": each.name,
                "pipelines": each.pipelines,
                "runs": sum(trial.sweep is None for trial in each.trials),
                "sweeps": [sweep.id for sweep in each.sweeps],
                "trials": sum(trial.sweep is not None for trial in each.trials),
                "metric": by.metric if by else None,
                "best": value,
                "best_run": one.id if one else None,
                "last": each.last,
            }
            for (each, by), one, value in zip(aims, best, values, strict=True)
        ]
        say_document(experiments=overview, unread=sorted(unread))
        return
    if not by_name:
        say("nothing has run yet; try: relet run PIPELINE")
        return
    experiments = list(by_name.values())
    columns = [
        ScreenColumn(name="experiment", values=[each.name for each in experiments]),
        ScreenColumn(
            name="runs", values=[sum(t.sweep is None for t in each.trials) for each in experiments], rank=2
        ),
        ScreenColumn(name="sweeps", values=[len(each.sweeps) for each in experiments], rank=3),
        ScreenColumn(
            name="trials", values=[sum(t.sweep is not None for t in each.trials) for each in experiments], rank=2
        ),
        ScreenColumn(
            name="not finished", brief="not ok", values=[_unfinished_count(each) for each in experiments], rank=3
        ),
        ScreenColumn(name="metric", values=[by.metric if by else None for _, by in aims], rank=1),
        ScreenColumn(name="best", values=values, rank=1),
        ScreenColumn(name="last run", values=[each.last[:16].replace("T", " ") for each in experiments], rank=1),
    ]
    for line in table_lines(columns, screen_width()):
        say(line)
    say(f"look into one: relet experiments {_shell_quoted(experiments[0].name)}")


def _aim(experiment: Experiment, metric: str | None) -> Objective | None:
    """What an experiment's trials are compared by; None where it does not have the metric that is asked for."""
    if metric is not None and all(metric not in each.metrics for each in experiment.trials):
        return None
    return aim(experiment, metric)


def _unfinished_count(experiment: Experiment) -> int:
    return sum(each.status is not Status.FINISHED for each in experiment.trials)


def _shell_quoted(word: str) -> str:
    import shlex

    return shlex.quote(printable(word))


def _as_json(
    experiment: Experiment, trials: Sequence[Trial], by: Objective | None, best: Trial | None
) -> dict[str, Any]:
    return {
        "name": experiment.name,
        "sweeps": [sweep.id for sweep in experiment.sweeps],
        "metric": by.metric if by else None,
        "more_is_better": by.more if by and by.known else None,
        "best_run": best.id if best else None,
        "differing": differing_settings(trials),
        "runs": [asdict(each) for each in trials],
    }


def _trial_table(
    experiment: Experiment, trials: Sequence[Trial], of: int, by: Objective | None, best: Trial | None, width: int
) -> Iterator[str]:
    """The lines of a table of `trials`, which are the first of `of` trials; `best` is the best of all of them."""
    if not trials:
        why = "no run meets the filter" if experiment.trials else "no run of it is recorded"
        yield f"{printable(experiment.name)}: {why}"
        return
    yield from table_lines(list(_trial_columns(trials, by, best)), width, bold=_best_places(trials, best))
    for each in trials:
        if each.reason and each.status is not Status.FINISHED:
            text = f"{each.short} {each.status}: {printable(' '.join(each.reason.split()))}"
            yield shorten(text, max(width, 21))
    if of > len(trials):
        yield f"the first {len(trials)} of {of}; -n {of} shows all"
    elif _all_finished(trials) and of > 1:
        whole = len(comparable_trials(trials))
        given_up = f", {of - whole} of them given up before the last fold" if whole < of else ""
        yield f"{of} runs, all finished{given_up}"
    if best and by:
        model = f" ({short_name(best.model)})" if best.model else ""
        yield f"best by {by.metric}, where {by.words}: {best.short}{model}"
        page = f"relet experiments {_shell_quoted(experiment.name)} --html"
        others = [each.short for each in trials if each is not best][:1]
        yield "   ".join(["look further:", *(f"relet compare {best.short} {other}" for other in others), page])


def _best_places(trials: Sequence[Trial], best: Trial | None) -> list[int]:
    return [place for place, each in enumerate(trials) if each is best]


def _trial_columns(trials: Sequence[Trial], by: Objective | None, best: Trial | None) -> Iterator[ScreenColumn]:
    settings = most_varied_settings(trials, differing_settings(trials))
    metrics = distinguishing_metrics(trials)
    if by and by.metric in metrics:
        metrics.remove(by.metric)
    yield ScreenColumn(name="run", values=[f"{each.short}{' *' if each is best else ''}" for each in trials])
    if any(each.number is not None for each in trials):
        yield ScreenColumn(name="trial", values=[each.number for each in trials], rank=4)
    if by:
        yield ScreenColumn(name=by.metric, values=[each.metrics.get(by.metric) for each in trials])
    for place, (name, brief) in enumerate(zip(settings, short_names(settings), strict=True)):
        values = [each.settings.get(name, each.chosen.get(name)) for each in trials]
        # the four that vary most are the last to be left out
        rank = 1 if place < 4 else 2
        yield ScreenColumn(
            name=name, brief=brief, values=[_column_value(value) for value in values], rank=rank, exact=True
        )
    if any(each.folds > 1 for each in trials):
        all_whole = len({each.folds for each in trials}) == 1
        yield ScreenColumn(name="folds", values=[each.folds for each in trials], rank=3 if all_whole else 0)
    if not _all_finished(trials):
        yield ScreenColumn(name="status", values=[str(each.status) for each in trials])
    seconds = [None if each.seconds is None else f"{each.seconds:.1f}" for each in trials]
    yield ScreenColumn(name="seconds", brief="s", values=seconds, rank=3)
    if any(each.model for each in trials):
        yield ScreenColumn(name="made", values=[each.model and short_name(each.model) for each in trials], rank=3)
    for name in metrics:
        yield ScreenColumn(name=name, values=[each.metrics.get(name) for each in trials], rank=5)


def _all_finished(trials: Sequence[Trial]) -> bool:
    return all(each.status is Status.FINISHED for each in trials)


def _column_value(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None or isinstance(value, int | float) else str(value)


def _write_experiment_page(
    store: Store, experiment: Experiment, trials: Sequence[Trial], by: Objective | None, path: Path, *, err: bool
) -> None:
    from relet.browsing.experiment_page import experiment_html

    write_page(experiment_html(store, experiment, trials, by, place=path.parent), path)
    say(f"{path}: {count(len(trials), 'run')} of {experiment.name}", err=err)
