"""The runs of an experiment as trials side by side: what each was set to, what came of it, where they differ."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from relet.core.record import RunKind, RunRecord, Status
from relet.errors import NotFoundError, nearest

# A pipeline's settings, each with the parameters that it feeds: those of `relet.core.pipeline.Pipeline`.
Table = Mapping[str, Sequence[str]]

# Of these metrics more is better, as a whole name or as a part of one; of any other, less is.
MORE_IS_BETTER = frozenset({"accuracy", "auc", "coverage", "f1", "precision", "r2", "recall", "score"})
# Where nothing says by which metric trials are compared, the first of these that there is.
USUAL = ("mae", "rmse", "r2", "accuracy")
# The setting that says on which fold a search's run is measured.
FOLD = "search.fold"
# How the setting ends that says which family of models a run trains.
FAMILY = ".family"
# Metrics that measure something else than the trial: what it is compared with.
BESIDE = ("baseline_", "champion_")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of a pipeline as a row of a table.

    `settings` are its parameters under the names of the settings that feed them (component.parameter where none
    does), nested ones with their path; `chosen` is what it was asked for beyond the configuration, as written.
    `outputs` are artifact → version. `sweep` is the sweep or search that it belongs to, `number` its place there.
    `seconds` is wall time, None while it runs. A trial of a search is several runs, one a fold: its metrics are
    their means, and `folds` says how many there are.
    """

    id: str
    pipeline: str
    experiment: str
    status: Status
    started: str
    seconds: float | None = None
    sweep: str | None = None
    number: int | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None
    reason: str = ""
    folds: int = 1

    @property
    def short(self) -> str:
        """The end of its id, by which people call a run."""
        return short_id(self.id)

    @property
    def family(self) -> Any:
        """The model's family as it was set, None where no setting is called so."""
        return next((value for name, value in self.settings.items() if name.endswith(FAMILY)), None)

    @property
    def values(self) -> dict[str, Any]:
        """All that a trial can be asked for, by name; a setting or metric goes before a fact of the same name.

        The choice `model` is the family where nobody typed it: a pipeline's default is one too.
        """
        facts = {
            "run": self.id,
            "trial": self.number,
            "sweep": self.sweep,
            "pipeline": self.pipeline,
            "status": str(self.status),
            "started": self.started,
            "seconds": self.seconds,
            "model_version": self.model,
        }
        if self.family is not None:
            facts["model"] = self.family
        return {**facts, **self.chosen, **self.settings, **self.metrics}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The trials that belong together, the oldest first, and the sweeps and searches among them."""

    name: str
    trials: tuple[Trial, ...]
    sweeps: tuple[RunRecord, ...] = ()

    @property
    def pipelines(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.pipeline for each in self.trials))

    @property
    def last(self) -> str:
        """When the last run of it started, "" where there is none."""
        started = [*(each.started for each in self.trials), *(each.started for each in self.sweeps)]
        return max(started, default="")


@dataclass(frozen=True, kw_only=True)
class Objective:
    """By which metric trials are compared, and whether more of it is better.

    >>> Objective.of("test_r2").more, Objective.of("mae").more
    (True, False)
    """

    metric: str
    more: bool = False

    @classmethod
    def of(cls, metric: str) -> Objective:
        return cls(metric=metric, more=bool({metric, *metric.split("_")} & MORE_IS_BETTER))

    def order(self, trial: Trial) -> tuple[bool, float, str]:
        """What sorts trials from the best to the worst, those that have no such metric last."""
        value = trial.metrics.get(self.metric)
        if value is None or value != value:
            return True, 0.0, trial.id
        return False, -value if self.more else value, trial.id

    def best(self, trials: Iterable[Trial]) -> Trial | None:
        """The best of those that finished, the earliest where several are equally good.

        Of trials that were measured on folds only those count that have the most: the others were given up.
        """
        able = [each for each in trials if each.status is Status.FINISHED and not self.order(each)[0]]
        return min(comparable_trials(able), key=self.order, default=None)

    def ranked(self, trials: Sequence[Trial]) -> list[Trial]:
        """From the best to the worst; then those that were given up, then those without the metric."""
        whole = {each.id for each in comparable_trials(trials)}
        return sorted(trials, key=lambda each: (self.order(each)[0], each.id not in whole, self.order(each)))


def comparable_trials(trials: Sequence[Trial]) -> list[Trial]:
    """Those that were measured on as many folds as any: what was given up after the first is another measure."""
    most = max((each.folds for each in trials), default=1)
    return [each for each in trials if each.folds == most]


def experiments(records: Iterable[RunRecord], tables: Mapping[str, Table] | None = None) -> dict[str, Experiment]:
    """The experiments that records belong to, by name, the one that ran last first.

    `tables` are the settings of pipelines, by name, as far as they are known.
    """
    held = sorted(records, key=lambda each: each.id)
    types = {link.version: link.type for each in held for link in (*each.outputs.values(), *each.inputs.values())}
    trials: dict[str, list[Trial]] = {}
    sweeps: dict[str, list[RunRecord]] = {}
    for record in held:
        if record.kind is RunKind.PIPELINE:
            made = trial(record, (tables or {}).get(record.pipeline), types)
            trials.setdefault(record.experiment, []).append(made)
        elif record.kind is not RunKind.COMPONENT:
            sweeps.setdefault(record.experiment, []).append(record)
    found = [
        Experiment(
            name=name,
            trials=_join_folds(trials.get(name, ()), sweeps.get(name, ())),
            sweeps=tuple(sweeps.get(name, ())),
        )
        for name in dict.fromkeys((*trials, *sweeps))
    ]
    return {each.name: each for each in sorted(found, key=lambda each: each.last, reverse=True)}


def trial(record: RunRecord, table: Table | None = None, types: Mapping[str, str] | None = None) -> Trial:
    """A pipeline's run as a trial, or a component's run by itself; `types` are the types of versions."""
    outputs = {name: str(v) for step in record.steps.values() for name, v in step.get("outputs", {}).items()}
    outputs |= {name: link.version for name, link in record.outputs.items()}
    models = [version for version in outputs.values() if (types or {}).get(version) == "model"]
    parameters = {record.component: record.parameters} if record.component else dict(record.parameters)
    return Trial(
        id=record.id,
        pipeline=record.pipeline,
        experiment=record.experiment,
        status=record.status,
        started=record.started,
        seconds=_run_seconds(record),
        sweep=record.parent if record.kind is RunKind.PIPELINE else None,
        number=record.trial,
        # a trial's command is that of its sweep, whose lists its own overrides stand for
        chosen={**chosen_settings(record.command), **chosen_settings(record.overrides)},
        settings=settings_by_name(parameters, table or {}),
        metrics=record.metrics,
        outputs=outputs,
        model=models[-1] if models else None,
        reason=_stop_reason(record),
    )


def _join_folds(trials: Iterable[Trial], sweeps: Iterable[RunRecord]) -> tuple[Trial, ...]:
    """The runs of a search that differ by nothing but their fold as one trial."""
    searches = {each.id for each in sweeps if each.kind is RunKind.SEARCH}
    held: dict[tuple[str, str], list[Trial]] = {}
    for each in trials:
        same = {name: value for name, value in each.settings.items() if name != FOLD}
        place = (
            (each.sweep, _canonical_text(same))
            if each.sweep in searches and FOLD in each.settings
            else (each.id, "")
        )
        held.setdefault(place, []).append(each)
    return tuple(_mean_over_folds(runs) if len(runs) > 1 else runs[0] for runs in held.values())


def _mean_over_folds(runs: Sequence[Trial]) -> Trial:
    done = [each for each in runs if each.status is Status.FINISHED]
    other = next((each for each in runs if each.status is not Status.FINISHED), None)
    shared = [name for name in (done[0].metrics if done else ()) if all(name in each.metrics for each in done)]
    times = [each.seconds for each in runs if each.seconds is not None]
    return replace(
        other or runs[0],
        id=runs[0].id,
        metrics={name: sum(each.metrics[name] for each in done) / len(done) for name in shared},
        settings={name: value for name, value in runs[0].settings.items() if name != FOLD},
        seconds=sum(times) if times else None,
        folds=len(done),
    )


def _run_seconds(record: RunRecord) -> float | None:
    if record.ended is None:
        return None
    return (datetime.fromisoformat(record.ended) - datetime.fromisoformat(record.started)).total_seconds()


def _stop_reason(record: RunRecord) -> str:
    if record.message or record.status in (Status.FINISHED, Status.RUNNING):
        return record.message
    waits = (f"{name}: {step['reason']}" for name, step in record.steps.items() if step["action"] == "waits")
    return next(waits, "")


def short_id(run_id: str) -> str:
    """
    >>> short_id("20261124T142033123456-ab12cd34")
    'ab12cd34'
    """
    return run_id.rpartition("-")[2]


def chosen_settings(words: Iterable[str]) -> dict[str, Any]:
    """The assignments among the words of a command or among overrides: name → value.

    >>> chosen_settings(["relet", "run", "p", "model=linear", "+etl.rows=30", "steps=a,b"])
    {'model': 'linear', 'etl.rows': 30}
    """
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        name = name.lstrip("+~")
        if equals and re.fullmatch(r"[A-Za-z_][\w./@]*", name) and name not in ("steps", "workers"):
            found[name] = _assigned_value(value)
    return found


def _assigned_value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip("'\"")


def settings_by_name(parameters: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """Component → parameter → value as setting → value, nested values each with its path.

    Where several settings feed one parameter, as one for each model family does, it is the one that ends in the
    value of another parameter of the component. Where one setting feeds several that differ, as when a component
    ran alone, each further one is named component.parameter.

    >>> table = {"etl.rows": ["get.rows"], "model.a": ["fit.more"], "model.b": ["fit.more"]}
    >>> settings_by_name({"get": {"rows": 3}, "fit": {"family": "b", "more": {"depth": 2}}}, table)
    {'etl.rows': 3, 'model.b.depth': 2, 'fit.family': 'b'}
    """
    feeding: dict[str, list[str]] = {}
    places = {setting: place for place, setting in enumerate(table)}
    for setting, feeds in table.items():
        for feed in feeds:
            feeding.setdefault(feed, []).append(setting)
    found: dict[str, Any] = {}
    order: dict[str, int] = {}
    for component, values in parameters.items():
        choices = {value for value in values.values() if isinstance(value, str)}
        for parameter, value in values.items():
            own = f"{component}.{parameter}"
            names = feeding.get(own, [own])
            if len(names) > 1:
                names = [each for each in names if each.rpartition(".")[2] in choices] or [own]
            for path, leaf in _nested_values(value):
                name = f"{names[0]}{path}"
                if found.get(name, leaf) != leaf:
                    name = f"{own}{path}"
                found[name] = leaf
                order[name] = places.get(names[0], len(places))
    # as the pipeline lists its settings: a record has lost the order of what it holds
    return {name: found[name] for name in sorted(found, key=order.__getitem__)}


def _nested_values(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, each in value.items():
            yield from _nested_values(each, f"{path}.{name}")
    else:
        yield path, value


def differing_settings(trials: Sequence[Trial]) -> list[str]:
    """The settings in which trials differ, in the order in which they come.

    One that only some trials have, such as a parameter of one model family, counts where those differ. A choice
    that is no setting, such as an option of a configuration group, counts where no setting that differs says it.
    """
    columns = _varying_names([each.settings for each in trials])
    known = {name for each in trials for name in each.settings}
    others = [
        name
        for name in _varying_names([each.chosen for each in trials], absent=True)
        if name not in known and not name.startswith(OWN)
    ]
    if not others:
        return columns
    groupings = {_value_grouping([each.settings.get(name) for each in trials]) for name in columns}
    return columns + [
        n for n in others if _value_grouping([each.chosen.get(n) for each in trials]) not in groupings
    ]


def most_varied_settings(trials: Sequence[Trial], names: Sequence[str]) -> list[str]:
    """Names of settings by how many values each has among trials, most first; of equals the model's first."""

    def order(name: str) -> tuple[int, bool]:
        held = ({**each.chosen, **each.settings} for each in trials)
        values = {_canonical_text(each[name]) for each in held if name in each}
        return -len(values), not name.startswith("model")

    return sorted(names, key=order)


# Settings of a run that are none of a trial's: where it is kept and shown, and how trials are compared.
OWN = ("main.", "store.", "tracking", "search.", "hydra")


def _varying_names(held: Sequence[Mapping[str, Any]], *, absent: bool = False) -> list[str]:
    names = dict.fromkeys(name for each in held for name in each)
    found = []
    for name in names:
        values = [each[name] for each in held if name in each]
        missing = absent and len(values) < len(held)
        if missing or any(_canonical_text(value) != _canonical_text(values[0]) for value in values):
            found.append(name)
    return found


def _canonical_text(value: Any) -> str:
    """A value as text that is equal where it is: 1 and 1.0 are."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, default=str)


def _value_grouping(values: Sequence[Any]) -> tuple[int, ...]:
    """Which trials have the same value: the place of the first that has it."""
    first: dict[str, int] = {}
    return tuple(first.setdefault(_canonical_text(value), place) for place, value in enumerate(values))


def short_names(names: Sequence[str]) -> list[str]:
    """Names by their last part, as long as that tells them apart.

    >>> short_names(["model.a.depth", "etl.rows", "model.b.depth"])
    ['a.depth', 'rows', 'b.depth']
    """
    parts = [name.split(".") for name in names]
    taken = [1] * len(names)
    while True:
        found = [".".join(each[-count:]) for each, count in zip(parts, taken, strict=True)]
        twice = [
            place for place, text in enumerate(found) if found.count(text) > 1 and taken[place] < len(parts[place])
        ]
        if not twice:
            return found
        for place in twice:
            taken[place] += 1


def distinguishing_metrics(trials: Sequence[Trial]) -> list[str]:
    """The metrics that tell trials apart: of several trials those that differ, of one those that are its own."""
    names = list(dict.fromkeys(name for each in trials for name in each.metrics))
    own = [name for name in names if not name.startswith(BESIDE)]
    if sum(bool(each.metrics) for each in trials) < 2:
        return own
    held = [each.metrics for each in trials if each.metrics]
    differ = [name for name in own if len({metrics.get(name) for metrics in held}) > 1]
    return differ or own


def aim(experiment: Experiment, metric: str | None = None) -> Objective | None:
    """By what its trials are compared: the metric that is asked for, else that of its last sweep or search.

    Where neither says it, a usual one, else the first that there is; None where nothing was measured. Raises
    NotFoundError where the metric that is asked for was measured by no trial.
    """
    known = list(dict.fromkeys(name for each in experiment.trials for name in each.metrics))
    if metric is not None:
        if metric not in known:
            raise NotFoundError(f"no run of {experiment.name} has the metric {metric!r}: {nearest(metric, known)}")
        return Objective.of(metric)
    for record in reversed(experiment.sweeps):
        if (name := str(record.parameters.get("metric", ""))) in known:
            return Objective(metric=name, more=record.parameters.get("direction") == "maximize")
    own = distinguishing_metrics(experiment.trials) or known
    names = [*(each for each in USUAL if each in known), *own]
    return Objective.of(names[0]) if names else None
