"""What the store knows of experiments and runs: read once, and laid out for a table, a comparison or a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from relet.core.artifact import ArtifactType, Curve, Reference, Version
from relet.core.record import KeyParts, RunKind, RunRecord, Status
from relet.errors import DamagedError, NotFoundError, ReletError, SettingError, nearest
from relet.experiments.contrast import Contrast, ContrastedRun, contrast
from relet.experiments.experiment import (
    Experiment,
    Table,
    Trial,
    experiments,
    short_id,
    trial,
)
from relet.store.curves import curves

if TYPE_CHECKING:
    from relet.store import Store

# The kinds of run that a shared beginning of ids may mean: not the sweep that its first trial began with.
RUNS = (RunKind.PIPELINE, RunKind.COMPONENT)

# How many runs an error offers where none is like what was written.
LATEST = 5


def gather(store: Store, start: Path | None = None, unread: list[str] | None = None) -> dict[str, Experiment]:
    """The store's experiments by name, the one that ran last first.

    Parameters have the names of the settings that feed them where the project around `start` (the current folder)
    has their pipeline; else component.parameter. The ids of runs that can't be read are added to `unread`.
    """
    records = list(store.runs(unread=unread))
    return experiments(records, settings_tables((record.pipeline for record in records), start))


def settings_tables(pipelines: Iterable[str], start: Path | None = None) -> dict[str, Table]:
    """The settings of those pipelines that the project has and that can be read."""
    from relet.project.folder import open_project

    found = {}
    for name in dict.fromkeys(pipelines):
        try:
            found[name] = open_project(name, start).pipeline.settings
        except ReletError:
            continue
    return found


def find_experiment(held: Mapping[str, Experiment], name: str) -> Experiment:
    """The experiment of that name; or, by its id, one sweep or search with its trials alone.

    Raises NotFoundError with the nearest name.
    """
    if name in held:
        return held[name]
    for each in held.values():
        for sweep in each.sweeps:
            if name in (sweep.id, short_id(sweep.id)):
                trials = tuple(trial for trial in each.trials if trial.sweep == sweep.id)
                return Experiment(name=each.name, trials=trials, sweeps=(sweep,))
    known = [*held, *(sweep.id for each in held.values() for sweep in each.sweeps)]
    raise NotFoundError(f"there is no experiment or sweep {name!r}: {nearest(name, known)}")


def explained_trials(store: Store, trials: Sequence[Trial]) -> list[Trial]:
    """The same trials; those that a verdict stopped with what it said."""
    return [_explained_trial(store, each) for each in trials]


def _explained_trial(store: Store, each: Trial) -> Trial:
    if each.status is not Status.STOPPED:
        return each
    for version in versions_of(store, each.outputs.values()):
        if version.type is ArtifactType.VERDICT and version.metadata.get("passed") is False:
            return replace(each, reason=f"{version.name}: {version.metadata.get('reason', 'no')}")
    return each


def versions_of(store: Store, references: Iterable[str]) -> Iterator[Version]:
    for reference in references:
        try:
            version = store.find(Reference.parse(reference))
        except (DamagedError, NotFoundError):
            continue
        if version:
            yield version


def curves_of(store: Store, each: Trial) -> dict[str, Curve]:
    """The curves among what a trial measured."""
    held = (curves(store, version) for version in versions_of(store, each.outputs.values()))
    return {name: curve for found in held for name, curve in found.items()}


def compare(
    store: Store, words: Sequence[str], *, everything: bool = False, start: Path | None = None
) -> Contrast:
    """What differs between the runs that words name: ids, beginnings or ends of ids, versions, aliases.

    Raises SettingError for fewer than two runs, NotFoundError for a word that names none, or several.
    """
    records = [run(store, word) for word in words]
    if len({record.id for record in records}) < 2:
        same = f"{' and '.join(words)} are the same run" if len(words) > 1 else f"only {words[0]} was named"
        raise SettingError(f"a comparison takes two runs or more, and {same}; `relet runs` lists what ran")
    known = settings_tables((record.pipeline for record in records), start)
    labels = _labels(words, records)
    sides = [_contrast_side(store, label, record, known) for label, record in zip(labels, records, strict=True)]
    return contrast(sides, everything=everything)


def _labels(words: Sequence[str], records: Sequence[RunRecord]) -> list[str]:
    """A reference as it was written, a run by the end of its id; what comes twice is numbered."""
    labels = [word if ":" in word else short_id(record.id) for word, record in zip(words, records, strict=True)]
    seen: dict[str, int] = {}
    found = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        found.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return found


def _contrast_side(store: Store, label: str, record: RunRecord, known: Mapping[str, Table]) -> ContrastedRun:
    makers = dict(_makers(store, record))
    types = {link.version: link.type for maker in makers.values() for link in maker.outputs.values()}
    seen = trial(record, known.get(record.pipeline), types)
    return ContrastedRun(
        label=label,
        record=record,
        trial=_explained_trial(store, seen),
        parts={name: _recorded_parts(maker) for name, maker in makers.items()},
        curves=curves_of(store, seen),
    )


def _makers(store: Store, record: RunRecord) -> Iterator[tuple[str, RunRecord]]:
    """Of each step that a run has, the run that made it; a component's run is its own."""
    if record.component:
        yield record.component, record
    for component, step in record.steps.items():
        try:
            if step.get("run"):
                yield component, store.run(str(step["run"]))
        except (NotFoundError, DamagedError):
            continue


def _recorded_parts(record: RunRecord) -> KeyParts:
    return record.parts or KeyParts(component=record.component or "")


def run(store: Store, word: str) -> RunRecord:
    """The run that a word names: its id, the beginning or the end of it, or a version that it made.

    A component's run stands for the pipeline's that it belongs to. Raises NotFoundError where there is none (with
    the nearest id), where the beginning fits several, and where nobody wrote down what made the version.
    """
    if ":" in word:
        version = store.version(word)
        if version.producer is None:
            raise NotFoundError(
                f"{version} was made by no run that was recorded; name one that `relet runs` lists"
            )
        return _pipeline_run(store, store.run(version.producer))
    known = store.run_ids()
    if word in known:
        return _pipeline_run(store, store.run(word))
    matching = [each for each in known if each.startswith(word) or short_id(each) == word]
    begun = (store.run(each) for each in matching[:20])
    records = {
        record.id: record
        for record in (_pipeline_run(store, each) for each in begun if len(matching) == 1 or each.kind in RUNS)
    }
    pipelines = [each for each in records.values() if each.component is None]
    if len(pipelines or records) == 1:
        return (pipelines or list(records.values()))[0]
    if records:
        some = ", ".join(sorted(records)[:4])
        raise NotFoundError(f"{word!r} begins the ids of {len(matching)} runs; write more of it: {some}, …")
    raise NotFoundError(f"{store.url} holds no run {word!r}: {_suggested_runs(store, word, known[:200])}")


def _suggested_runs(store: Store, word: str, known: Sequence[str]) -> str:
    """The run that was probably meant, else the latest ones of pipelines."""
    if get_close_matches(word, known, n=1):
        return nearest(word, known)
    whole = (each.id for each in store.runs() if each.kind is RunKind.PIPELINE)
    latest = ", ".join(islice(whole, LATEST))
    return f"the latest are {latest}; `relet runs` lists them" if latest else "nothing has run yet"


def _pipeline_run(store: Store, record: RunRecord) -> RunRecord:
    """The pipeline's run that a component's run belongs to, or the run itself."""
    if record.kind is RunKind.COMPONENT and record.parent:
        try:
            return store.run(record.parent)
        except (NotFoundError, DamagedError):
            return record
    if record.kind in (RunKind.SWEEP, RunKind.SEARCH):
        if record.winner is None:
            raise SettingError(
                f"{record.id} is a {record.kind} without a winner; name runs of it that are compared"
            )
        return store.run(record.winner)
    return record
