"""The experiments of a store, and what its versions say of their trials: verdicts and curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from relet.core.artifact import ArtifactType, Curve, Reference, Version, short_name
from relet.core.record import Status
from relet.errors import DamagedError, NotFoundError, ReletError, nearest
from relet.experiments.experiment import Experiment, SettingFeeds, Trial, experiments, short_id
from relet.store.curves import curves

if TYPE_CHECKING:
    from relet.store import Store


def gather(store: Store, start: Path | None = None, unread: list[str] | None = None) -> dict[str, Experiment]:
    """The store's experiments by name, the one that ran last first.

    A parameter has the name of the setting that feeds it where the project around `start` (the current folder) has
    the pipeline; else its name is component.parameter. Ids of runs that can't be read are added to `unread`.
    """
    records = list(store.runs(unread=unread))
    return experiments(records, pipeline_settings((record.pipeline for record in records), start))


def pipeline_settings(pipelines: Iterable[str], start: Path | None = None) -> dict[str, SettingFeeds]:
    """Pipeline → its settings, for the pipelines that the project has and that can be read."""
    from relet.config.feeds import setting_feeds
    from relet.project.folder import open_project

    found: dict[str, SettingFeeds] = {}
    for name in dict.fromkeys(pipelines):
        try:
            project = open_project(name, start)
            found[name] = setting_feeds(project.pipeline, project.conf)
        except ReletError:
            continue
    return found


def find_experiment(experiments_by_name: Mapping[str, Experiment], name: str) -> Experiment:
    """The experiment of that name; or, for the id of a sweep or search, only that one with its trials.

    Raises NotFoundError with the nearest name.
    """
    if name in experiments_by_name:
        return experiments_by_name[name]
    for each in experiments_by_name.values():
        for sweep in each.sweeps:
            if name in (sweep.id, short_id(sweep.id)):
                trials = tuple(trial for trial in each.trials if trial.sweep == sweep.id)
                return Experiment(name=each.name, trials=trials, sweeps=(sweep,))
    known = [*experiments_by_name, *(sweep.id for each in experiments_by_name.values() for sweep in each.sweeps)]
    raise NotFoundError(f"there is no experiment or sweep {name!r}: {nearest(name, known)}")


def explained_trials(store: Store, trials: Sequence[Trial]) -> list[Trial]:
    """The same trials; each that a verdict stopped has the verdict's reason."""
    return [explained_trial(store, each) for each in trials]


def explained_trial(store: Store, trial: Trial) -> Trial:
    """The trial; with the verdict's reason where a verdict stopped it."""
    if trial.status is not Status.STOPPED:
        return trial
    for version in versions_of(store, trial.outputs.values()):
        if version.type is ArtifactType.VERDICT and version.metadata.get("passed") is False:
            return replace(trial, reason=f"{short_name(version.name)}: {version.metadata.get('reason', 'no')}")
    return trial


def versions_of(store: Store, references: Iterable[str]) -> Iterator[Version]:
    """The versions that references name, without those that are gone or damaged."""
    for reference in references:
        try:
            version = store.find(Reference.parse(reference))
        except (DamagedError, NotFoundError):
            continue
        if version:
            yield version


def curves_of(store: Store, trial: Trial) -> dict[str, Curve]:
    """Metric → its curve, for the metrics of a trial that are curves."""
    by_version = (curves(store, version) for version in versions_of(store, trial.outputs.values()))
    return {name: curve for named in by_version for name, curve in named.items()}
