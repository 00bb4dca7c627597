"""The page of an experiment: its trials, the settings that mattered, and what the best trial made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relet.core.artifact import Curve, short_name
from relet.core.record import RunKind, Status
from relet.experiments.experiment import Experiment, Trial
from relet.experiments.objective import Objective, comparable_trials
from relet.experiments.variation import differing_settings, distinguishing_metrics, short_names
from relet.report.bars import bars
from relet.report.charts.lines import TOLD_APART, line_chart
from relet.report.charts.parallel import MOST_AXES, parallel_coordinates
from relet.report.elements import charts, facts, fold_away, mark, paragraph, scroll_box, table
from relet.report.markup import NOTHING, PageMarkup, element, empty_element
from relet.report.page import Section, page
from relet.report.wording import count, number

# At most so many trials are listed and drawn, so that the page stays below 3 MB.
LISTED, DRAWN = 1000, 400
# How many curves have a name and a colour, and how many of the other trials are drawn faint behind them.
CURVES, FAINT = 6, 60

_KINDS = {Status.FINISHED: "good", Status.FAILED: "bad", Status.STOPPED: "odd", Status.INTERRUPTED: "odd"}


@dataclass(frozen=True, kw_only=True)
class WinnerFigure:
    """A figure of the best trial: its version, its path, and its `data:` URI, None if it is too large."""

    version: str
    path: str
    uri: str | None = None


@dataclass(frozen=True, kw_only=True)
class TrialArtifact:
    """A version that trials made: its type, the trials that have it, and its files, each with its link or None."""

    version: str
    type: str
    trials: tuple[str, ...]
    files: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ExperimentPageContent:
    """Everything that an experiment's page shows. `trials` are in the order of the table.

    `curves` maps the name of a curve to the curve of each trial, by its id. `importance` maps a setting to its
    share; it is None if it is unknown, and `importance_note` says why or what it stands on.
    """

    experiment: Experiment
    trials: tuple[Trial, ...]
    aim: Objective | None
    importance: Mapping[str, float] | None = None
    importance_note: str = ""
    curves: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)
    figures: tuple[WinnerFigure, ...] = ()
    made: tuple[TrialArtifact, ...] = ()
    left_out: int = 0

    @property
    def best(self) -> Trial | None:
        return self.aim.best(self.trials) if self.aim else None


def experiment_page(held: ExperimentPageContent) -> PageMarkup:
    """An experiment as one HTML file.

    >>> trial = Trial(id="1-ab", pipeline="p", experiment="e", status=Status.FINISHED, started="2026")
    >>> experiment = Experiment(name="<e>", trials=(trial,))
    >>> nothing = ExperimentPageContent(experiment=experiment, trials=(trial,), aim=None)
    >>> experiment_page(nothing).count("&lt;e&gt;")
    2
    """
    sections = [
        Section(title="At a glance", html=_glance_html(held)),
        Section(title="Trials", html=_trials_html(held)),
        *_failures_section(held),
        *_coordinates_section(held),
        *_importance_section(held),
        *_history_section(held),
        *_curves_section(held),
        *_winner_section(held),
        *_artifacts_section(held),
    ]
    pipelines = " and ".join(held.experiment.pipelines)
    return page(
        held.experiment.name,
        subtitle=f"An experiment of {pipelines}" if pipelines else "An experiment",
        sections=sections,
        sortable=True,
    )


def _glance_html(held: ExperimentPageContent) -> PageMarkup:
    trials, best, aim = held.trials, held.best, held.aim
    told: dict[str, object] = {"trials": _trial_counts(trials)}
    sweeps = [each for each in held.experiment.sweeps if each.kind is RunKind.SWEEP]
    searches = [each for each in held.experiment.sweeps if each.kind is RunKind.SEARCH]
    groups = [count(len(sweeps), "sweep")] * bool(sweeps) + [count(len(searches), "search", "searches")] * bool(
        searches
    )
    if groups:
        told["from"] = ", ".join(groups)
    if trials:
        first, last = min(each.started for each in trials), max(each.started for each in trials)
        told["ran"] = _utc_time(first) if first[:16] == last[:16] else f"{_utc_time(first)} to {_utc_time(last)}"
        told["time"] = _running_time(sum(each.seconds or 0.0 for each in trials))
    parts = []
    if best and aim:
        model = f", {short_name(best.model)}" if best.model else ""
        words = (
            f"Best {aim.metric} ({aim.words}): {number(best.metrics[aim.metric])}, by {_trial_name(best)}{model}"
        )
        parts.append(paragraph(words, "verdict good"))
        told |= {name: best.settings.get(name, best.chosen.get(name)) for name in differing_settings(trials)}
    elif trials:
        parts.append(paragraph("No trial that finished has a metric that trials are compared by.", "verdict odd"))
    return NOTHING.join(parts) + facts(told)


def _trial_counts(trials: Sequence[Trial]) -> str:
    states = dict.fromkeys(each.status for each in trials)
    if list(states) == [Status.FINISHED]:
        return f"{len(trials):,}, all finished"
    parts = (f"{sum(each.status is state for each in trials):,} {state}" for state in states)
    return f"{len(trials):,}: {', '.join(parts)}" if trials else "none"


def _utc_time(time: str) -> str:
    return f"{time[:16].replace('T', ' ')} UTC"


def _running_time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s of running"
    return f"{seconds / 60:.1f} min of running" if seconds < 7200 else f"{seconds / 3600:.1f} h of running"


def _trial_name(trial: Trial) -> str:
    return trial.short if trial.number is None else f"trial {trial.number} ({trial.short})"


def _trials_html(held: ExperimentPageContent) -> PageMarkup:
    shown = held.trials[:LISTED]
    if not shown:
        return paragraph("Nothing to show.")
    settings, metrics = differing_settings(held.trials), distinguishing_metrics(held.trials)
    if held.aim and held.aim.metric in metrics:
        metrics.remove(held.aim.metric)
    columns: list[tuple[str, str, list[object]]] = [("run", "", [each.short for each in shown])]
    if any(each.number is not None for each in shown):
        columns.append(("trial", "", [each.number for each in shown]))
    if held.aim:
        columns.append(_metric_column(held.aim.metric, shown))
    for name, brief in zip(settings, short_names(settings), strict=True):
        columns.append((brief, name, [_trial_setting(each, name) for each in shown]))
    if any(each.folds > 1 for each in shown):
        columns.append(("folds", "how many folds it was measured on", [each.folds for each in shown]))
    if any(each.status is not Status.FINISHED for each in shown):
        columns.append(("status", "", [_status_mark(each.status) for each in shown]))
    columns.append(("seconds", "", [None if each.seconds is None else round(each.seconds, 1) for each in shown]))
    if any(each.model for each in shown):
        columns.append(
            ("made", "the version of the model", [each.model and short_name(each.model) for each in shown])
        )
    columns += [_metric_column(name, shown) for name in metrics]
    best = held.best
    place = next((at for at, each in enumerate(shown) if best and each.id == best.id), None)
    note = "A click on a heading sorts."
    if len(held.trials) > len(shown):
        note += f" The first {len(shown):,} of {len(held.trials):,} trials."
    same = [name for each in held.trials[:1] for name in each.settings if name not in settings]
    fixed = {name: held.trials[0].settings[name] for name in same}
    below = fold_away(f"Settings that are the same in all: {len(fixed)}", facts(fixed)) if fixed else NOTHING
    head = [element("span", name, title=tip or name) for name, tip, _ in columns]
    rows = zip(*(values for *_, values in columns), strict=True)
    return paragraph(note, "faint") + table(head, rows, sortable=True, best=place) + below


def _metric_column(name: str, trials: Sequence[Trial]) -> tuple[str, str, list[object]]:
    return name, "", [each.metrics.get(name) for each in trials]


def _trial_setting(trial: Trial, name: str) -> Any:
    value = trial.settings.get(name, trial.chosen.get(name))
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _status_mark(status: Status) -> PageMarkup:
    return mark(str(status), _KINDS[status]) if status in _KINDS else PageMarkup.escape(status)


def _failures_section(held: ExperimentPageContent) -> Iterator[Section]:
    lost = [each for each in held.trials if each.status is not Status.FINISHED]
    if lost:
        rows = [
            [_trial_name(each), _status_mark(each.status), each.reason or "no reason was recorded"]
            for each in lost[:100]
        ]
        more = paragraph(f"The first 100 of {len(lost):,}.", "faint") if len(lost) > 100 else NOTHING
        yield Section(title="What did not finish", html=table(["trial", "status", "why"], rows, stack=True) + more)


def _coordinates_section(held: ExperimentPageContent) -> Iterator[Section]:
    aim = held.aim
    names = differing_settings(held.trials)
    if aim is None or not names or len(held.trials) < 2:
        return
    whole = comparable_trials(held.trials)
    shown = whole[:DRAWN]
    if held.importance:
        # if there are more settings than axes, the important ones are drawn
        names = sorted(names, key=lambda name: -(held.importance or {}).get(name, 0.0))
    drawn = parallel_coordinates(
        {
            brief: [_trial_setting(each, name) for each in shown]
            for name, brief in zip(names, short_names(names), strict=True)
        },
        [each.metrics.get(aim.metric) for each in shown],
        title=f"What led to which {aim.metric}",
        measure=aim.metric,
        more=aim.more,
        names=[_trial_name(each) for each in shown],
    )
    words = "A line is a trial: the better, the lighter; the best one is orange. On the last axis better is up."
    if len(whole) > len(shown):
        words += f" The first {len(shown):,} of {len(whole):,} trials."
    if len(whole) < len(held.trials):
        words += f" Without {count(len(held.trials) - len(whole), 'trial')} that had fewer folds than the others."
    if len(names) > MOST_AXES:
        words += f" {MOST_AXES} of {len(names)} settings."
    yield Section(title="Parallel coordinates", html=paragraph(words, "faint") + scroll_box(drawn))


def _importance_section(held: ExperimentPageContent) -> Iterator[Section]:
    if held.aim is None or not differing_settings(held.trials):
        return
    drawn = NOTHING
    if held.importance:
        briefs = dict(zip(held.importance, short_names(list(held.importance)), strict=True))
        shares = {briefs[name]: share for name, share in held.importance.items()}
        drawn = charts([bars(shares, title=f"What decided {held.aim.metric}")])
    yield Section(title="Importance of settings", html=drawn + paragraph(held.importance_note, "faint"))


def _history_section(held: ExperimentPageContent) -> Iterator[Section]:
    aim = held.aim
    if aim is None:
        return
    in_order = sorted(comparable_trials(held.trials), key=lambda each: (each.number or 0, each.started, each.id))
    came = [
        (at, each, each.metrics[aim.metric]) for at, each in enumerate(in_order, 1) if aim.metric in each.metrics
    ]
    if len(came) < 3:
        return
    best: list[tuple[float, float]] = []
    for at, each, value in came:
        if each.status is Status.FINISHED:
            so_far = best[-1][1] if best else value
            best.append((at, max(so_far, value) if aim.more else min(so_far, value)))
    drawn = line_chart(
        {f"best {aim.metric} so far": best},
        title=f"{aim.metric}, trial after trial",
        x="trial",
        loose={_trial_name(each): (at, value) for at, each, value in came[:LISTED]},
    )
    words = "Each dot is a trial, in the order in which they were tried; the line is the best one so far."
    yield Section(title="History", html=charts([drawn]) + paragraph(words, "faint"))


def _curves_section(held: ExperimentPageContent) -> Iterator[Section]:
    drawn = []
    names = {each.id: _trial_name(each) for each in held.trials}
    order = [each.id for each in sorted(held.trials, key=held.aim.order)] if held.aim else list(names)
    for name, curves in held.curves.items():
        having = [each for each in order if each in curves]
        drawn.append(
            line_chart(
                {names[each]: curves[each].points for each in having[: min(CURVES, TOLD_APART)]},
                title=name,
                x=next(iter(curves.values())).x,
                faint=[curves[each].points for each in having[CURVES : CURVES + FAINT]],
            )
        )
    if drawn:
        words = "The best trials by name, up to sixty more faint behind them."
        yield Section(title="Curves", html=paragraph(words, "faint") + charts(drawn))


def _winner_section(held: ExperimentPageContent) -> Iterator[Section]:
    best = held.best
    if best is None:
        return
    told: dict[str, object] = {
        "run": best.id,
        "make it again": element("code", f"relet reproduce {best.id}"),
        **best.metrics,
    }
    pictures = [_picture_html(each) for each in held.figures]
    yield Section(title="The best one", html=facts(told) + charts(pictures))


def _picture_html(each: WinnerFigure) -> PageMarkup:
    name = f"{each.version}, {each.path}"
    if each.uri is None:
        return paragraph(f"{name} is too large for this page: relet artifacts get {each.version}", "faint")
    return empty_element("img", class_="figure", alt=name, src=each.uri) + element("figcaption", name)


def _artifacts_section(held: ExperimentPageContent) -> Iterator[Section]:
    if not held.made:
        return
    rows = [
        [
            each.version,
            each.type,
            each.trials[0] if len(each.trials) == 1 else f"{len(each.trials):,} trials",
            element("code", f"relet artifacts get {each.version}"),
            PageMarkup(", ").join(_file_link(path, link) for path, link in list(each.files.items())[:4]),
        ]
        for each in held.made
    ]
    note = (
        "The command writes an artifact's files to a folder; links lead into the store, where it can be reached."
    )
    if held.left_out:
        note += f" {held.left_out:,} more are not listed."
    head = ["version", "type", "of", "command", "files"]
    yield Section(title="Artifacts", html=paragraph(note, "faint") + table(head, rows, sortable=True))


def _file_link(path: str, link: str | None) -> PageMarkup:
    return PageMarkup.escape(path) if link is None else element("a", path, href=link)
