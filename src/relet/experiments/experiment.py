"""The runs of an experiment as trials: what each run was set to, and what it measured."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from relet.core.record import RunKind, RunRecord, Status

# Setting → the parameters that it feeds, as `relet.core.pipeline.Pipeline.settings` holds them.
SettingFeeds = Mapping[str, Sequence[str]]

# The setting by which `relet tune` tells a run on which fold to measure: the runs of one trial differ in it alone.
FOLD = "search.fold"
# The end of the name of the setting that chooses a model's family.
FAMILY_ENDING = ".family"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of a pipeline as a row of a table.

    `settings` are the run's parameters, each under the name of the setting that feeds it, or as
    component.parameter where no setting does; a nested parameter has its path in its name. `chosen` are the
    assignments that a person typed. `outputs` are artifact → version. `sweep` is the id of the sweep or search
    that the run belongs to, `number` its place there. `seconds` is wall time, None while the run goes on.

    A trial of a search stands for several runs, one for each fold: its metrics are their means, and `folds` is
    how many of them finished.
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
        """The end of the id, which is enough to name the run on the command line."""
        return short_id(self.id)

    @property
    def family(self) -> Any:
        """The value of the setting that chooses the model's family, None where there is no such setting."""
        return next((value for name, value in self.settings.items() if name.endswith(FAMILY_ENDING)), None)

    @property
    def values(self) -> dict[str, Any]:
        """All that a filter or an order can name. A setting or metric hides a fact of the same name.

        `model` is the family also where nobody typed `model=`, and the pipeline's default was used.
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
    """The trials of one experiment, the oldest first, and the records of its sweeps and searches."""

    name: str
    trials: tuple[Trial, ...]
    sweeps: tuple[RunRecord, ...] = ()

    @property
    def pipelines(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.pipeline for each in self.trials))

    @property
    def last(self) -> str:
        """When the experiment's last run started, "" where it has none."""
        started = [*(each.started for each in self.trials), *(each.started for each in self.sweeps)]
        return max(started, default="")


def experiments(
    records: Iterable[RunRecord], feeds: Mapping[str, SettingFeeds] | None = None
) -> dict[str, Experiment]:
    """The experiments that records belong to, by name, the one that ran last first.

    `feeds` are pipeline → its settings, for the pipelines whose settings are known.
    """
    by_age = sorted(records, key=lambda each: each.id)
    links = (link for each in by_age for link in (*each.outputs.values(), *each.inputs.values()))
    types = {link.version: link.type for link in links}
    trials: dict[str, list[Trial]] = {}
    sweeps: dict[str, list[RunRecord]] = {}
    for record in by_age:
        if record.kind is RunKind.PIPELINE:
            row = trial(record, (feeds or {}).get(record.pipeline), types)
            trials.setdefault(record.experiment, []).append(row)
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


def trial(record: RunRecord, feeds: SettingFeeds | None = None, types: Mapping[str, str] | None = None) -> Trial:
    """The run of a pipeline, or of a component by itself, as a trial; `types` are version → artifact type."""
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
        # a trial has its sweep's command: the trial's own overrides replace the lists of values in it
        chosen={**chosen_settings(record.command), **chosen_settings(record.overrides)},
        settings=settings_by_name(parameters, feeds or {}),
        metrics=record.metrics,
        outputs=outputs,
        model=models[-1] if models else None,
        reason=_stop_reason(record),
    )


def _join_folds(trials: Iterable[Trial], sweeps: Iterable[RunRecord]) -> tuple[Trial, ...]:
    """The trials, with the runs of a search that differ in their fold alone joined into one."""
    searches = {each.id for each in sweeps if each.kind is RunKind.SEARCH}
    groups: dict[tuple[str, str], list[Trial]] = {}
    for each in trials:
        if each.sweep in searches and FOLD in each.settings:
            group = (each.sweep, canonical_text(_without_fold(each.settings)))
        else:
            group = (each.id, "")
        groups.setdefault(group, []).append(each)
    return tuple(_mean_over_folds(runs) if len(runs) > 1 else runs[0] for runs in groups.values())


def _without_fold(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != FOLD}


def _mean_over_folds(runs: Sequence[Trial]) -> Trial:
    """One trial for the runs of a search that differ in their fold alone; it has the status of one that failed."""
    finished = [each for each in runs if each.status is Status.FINISHED]
    unfinished = next((each for each in runs if each.status is not Status.FINISHED), None)
    names = finished[0].metrics if finished else ()
    shared = [name for name in names if all(name in each.metrics for each in finished)]
    times = [each.seconds for each in runs if each.seconds is not None]
    return replace(
        unfinished or runs[0],
        id=runs[0].id,
        metrics={name: sum(each.metrics[name] for each in finished) / len(finished) for name in shared},
        settings=_without_fold(runs[0].settings),
        seconds=sum(times) if times else None,
        folds=len(finished),
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
    """The end of a run's id, which is random and so names the run.

    >>> short_id("20261124T142033123456-ab12cd34")
    'ab12cd34'
    """
    return run_id.rpartition("-")[2]


def chosen_settings(words: Iterable[str]) -> dict[str, Any]:
    """The assignments in a command or among overrides, as name → value.

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


def settings_by_name(parameters: Mapping[str, Any], feeds: SettingFeeds) -> dict[str, Any]:
    """Turn component → parameter → value into setting → value. A nested value has its path in its name.

    Several settings may feed one parameter, such as one setting for each model family. The value then belongs to
    the setting one part of whose name is the value of another parameter of that component. One setting may feed
    several parameters whose values differ, since a component ran alone. The first then has the setting's name, and
    each other is named component.parameter.

    >>> feeds = {"etl.rows": ["get.rows"], "model.a": ["fit.more"], "model.b": ["fit.more"]}
    >>> settings_by_name({"get": {"rows": 3}, "fit": {"family": "b", "more": {"depth": 2}}}, feeds)
    {'etl.rows': 3, 'model.b.depth': 2, 'fit.family': 'b'}
    """
    feeding: dict[str, list[str]] = {}
    places = {setting: place for place, setting in enumerate(feeds)}
    for setting, parameter_names in feeds.items():
        for name in parameter_names:
            feeding.setdefault(name, []).append(setting)
    found: dict[str, Any] = {}
    order: dict[str, int] = {}
    for component, values in parameters.items():
        choices = {value for value in values.values() if isinstance(value, str)}
        for parameter, value in values.items():
            own = f"{component}.{parameter}"
            names = feeding.get(own, [own])
            if len(names) > 1:
                names = [each for each in names if choices & {*each.split(".")}] or [own]
            for path, leaf in _nested_values(value):
                name = f"{names[0]}{path}"
                if found.get(name, leaf) != leaf:
                    name = f"{own}{path}"
                found[name] = leaf
                order[name] = places.get(names[0], len(places))
    # in the order of the pipeline's settings, since a record does not keep an order
    return {name: found[name] for name in sorted(found, key=order.__getitem__)}


def _nested_values(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, each in value.items():
            yield from _nested_values(each, f"{path}.{name}")
    else:
        yield path, value


def canonical_text(value: Any) -> str:
    """A text that is the same for equal values, such as 1 and 1.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, default=str)
