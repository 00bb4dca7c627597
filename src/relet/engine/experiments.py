"""What the store knows of experiments and runs: read once, and laid out for a table, a comparison or a page."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from relet.core.artifact import ArtifactType, Curve, Reference, Version
from relet.core.contrast import Contrast, Side, contrast
from relet.core.experiment import Aim, Experiment, Table, Trial, comparable, differing, experiments, short, trial
from relet.core.record import KeyParts, Kind, RunRecord, Status
from relet.errors import DamagedError, NotFoundError, ReletError, SettingError, nearest
from relet.store.curves import curves
from relet.store.layout import object_path

if TYPE_CHECKING:
    from relet.report.experiment import Drawn, Made, Material
    from relet.store import Store

# The kinds of run that a shared beginning of ids may mean: not the sweep that its first trial began with.
RUNS = (Kind.PIPELINE, Kind.COMPONENT)

# How many runs an error offers where none is like what was written.
LATEST = 5


def gather(store: Store, start: Path | None = None, unread: list[str] | None = None) -> dict[str, Experiment]:
    """The store's experiments by name, the one that ran last first.

    Parameters have the names of the settings that feed them where the project around `start` (the current folder)
    has their pipeline; else component.parameter. The ids of runs that can't be read are added to `unread`.
    """
    records = list(store.runs(unread=unread))
    return experiments(records, tables((record.pipeline for record in records), start))


def tables(pipelines: Iterable[str], start: Path | None = None) -> dict[str, Table]:
    """The settings of those pipelines that the project has and that can be read."""
    from relet.engine.project import open_project

    found = {}
    for name in dict.fromkeys(pipelines):
        try:
            found[name] = open_project(name, start).pipeline.settings
        except ReletError:
            continue
    return found


def find(held: Mapping[str, Experiment], name: str) -> Experiment:
    """The experiment of that name; or, by its id, one sweep or search with its trials alone.

    Raises NotFoundError with the nearest name.
    """
    if name in held:
        return held[name]
    for each in held.values():
        for sweep in each.sweeps:
            if name in (sweep.id, short(sweep.id)):
                trials = tuple(trial for trial in each.trials if trial.sweep == sweep.id)
                return Experiment(name=each.name, trials=trials, sweeps=(sweep,))
    known = [*held, *(sweep.id for each in held.values() for sweep in each.sweeps)]
    raise NotFoundError(f"there is no experiment or sweep {name!r}: {nearest(name, known)}")


def explained(store: Store, trials: Sequence[Trial]) -> list[Trial]:
    """The same trials; those that a verdict stopped with what it said."""
    return [_explained(store, each) for each in trials]


def _explained(store: Store, each: Trial) -> Trial:
    if each.status is not Status.STOPPED:
        return each
    for version in _versions(store, each.outputs.values()):
        if version.type is ArtifactType.VERDICT and version.metadata.get("passed") is False:
            return replace(each, reason=f"{version.name}: {version.metadata.get('reason', 'no')}")
    return each


def _versions(store: Store, references: Iterable[str]) -> Iterator[Version]:
    for reference in references:
        try:
            version = store.find(Reference.parse(reference))
        except (DamagedError, NotFoundError):
            continue
        if version:
            yield version


def curves_of(store: Store, each: Trial) -> dict[str, Curve]:
    """The curves among what a trial measured."""
    held = (curves(store, version) for version in _versions(store, each.outputs.values()))
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
    known = tables((record.pipeline for record in records), start)
    labels = _labels(words, records)
    sides = [_side(store, label, record, known) for label, record in zip(labels, records, strict=True)]
    return contrast(sides, everything=everything)


def _labels(words: Sequence[str], records: Sequence[RunRecord]) -> list[str]:
    """A reference as it was written, a run by the end of its id; what comes twice is numbered."""
    labels = [word if ":" in word else short(record.id) for word, record in zip(words, records, strict=True)]
    seen: dict[str, int] = {}
    found = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        found.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return found


def _side(store: Store, label: str, record: RunRecord, known: Mapping[str, Table]) -> Side:
    makers = dict(_makers(store, record))
    types = {link.version: link.type for maker in makers.values() for link in maker.outputs.values()}
    seen = trial(record, known.get(record.pipeline), types)
    return Side(
        label=label,
        record=record,
        trial=_explained(store, seen),
        parts={name: _parts(maker) for name, maker in makers.items()},
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


def _parts(record: RunRecord) -> KeyParts:
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
        return _whole(store, store.run(version.producer))
    known = store.run_ids()
    if word in known:
        return _whole(store, store.run(word))
    matching = [each for each in known if each.startswith(word) or short(each) == word]
    begun = (store.run(each) for each in matching[:20])
    records = {
        record.id: record
        for record in (_whole(store, each) for each in begun if len(matching) == 1 or each.kind in RUNS)
    }
    pipelines = [each for each in records.values() if each.component is None]
    if len(pipelines or records) == 1:
        return (pipelines or list(records.values()))[0]
    if records:
        some = ", ".join(sorted(records)[:4])
        raise NotFoundError(f"{word!r} begins the ids of {len(matching)} runs; write more of it: {some}, …")
    raise NotFoundError(f"{store.url} holds no run {word!r}: {_offered(store, word, known[:200])}")


def _offered(store: Store, word: str, known: Sequence[str]) -> str:
    """The run that was probably meant, else the latest ones of pipelines."""
    if get_close_matches(word, known, n=1):
        return nearest(word, known)
    whole = (each.id for each in store.runs() if each.kind is Kind.PIPELINE)
    latest = ", ".join(islice(whole, LATEST))
    return f"the latest are {latest}; `relet runs` lists them" if latest else "nothing has run yet"


def _whole(store: Store, record: RunRecord) -> RunRecord:
    """The pipeline's run that a component's run belongs to, or the run itself."""
    if record.kind is Kind.COMPONENT and record.parent:
        try:
            return store.run(record.parent)
        except (NotFoundError, DamagedError):
            return record
    if record.kind in (Kind.SWEEP, Kind.SEARCH):
        if record.winner is None:
            raise SettingError(
                f"{record.id} is a {record.kind} without a winner; name runs of it that are compared"
            )
        return store.run(record.winner)
    return record


# Of all figures of the winner together, and of one alone, in bytes: a page that nobody can send is no page.
FIGURES, FIGURE = 1_200_000, 400_000
# How many versions are listed, and of how many trials the curves are looked for.
VERSIONS, CURVES = 1200, 66
_IMAGES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif"}


def experiment_html(
    store: Store, experiment: Experiment, trials: Sequence[Trial], by: Aim | None, *, place: Path
) -> str:
    """The page of an experiment with these trials, in this order; `place` is the folder that it will lie in."""
    from relet.report.experiment import experiment_page

    return experiment_page(material(store, experiment, trials, by, place=place))


def material(
    store: Store, experiment: Experiment, trials: Sequence[Trial], by: Aim | None, *, place: Path
) -> Material:
    """What the page shows: curves, the winner's figures, importance, and where every artifact is."""
    from relet.report.experiment import Material

    shown = tuple(explained(store, trials))
    best = by.best(shown) if by else None
    ranked = by.ranked(shown) if by else list(shown)
    shares, note = _importance(shown, by)
    made, left_out = _made(store, ranked, place)
    return Material(
        experiment=experiment,
        trials=shown,
        aim=by,
        importance=shares,
        importance_note=note,
        curves=_by_curve({each.id: curves_of(store, each) for each in ranked[:CURVES]}),
        figures=tuple(_figures(store, best)) if best else (),
        made=tuple(made),
        left_out=left_out,
    )


def _by_curve(held: Mapping[str, Mapping[str, Curve]]) -> dict[str, dict[str, Curve]]:
    found: dict[str, dict[str, Curve]] = {}
    for trial_id, named in held.items():
        for name, curve in named.items():
            found.setdefault(name, {})[trial_id] = curve
    return found


def _importance(trials: Sequence[Trial], by: Aim | None) -> tuple[Mapping[str, float] | None, str]:
    """The share of each setting, and words beside it; None with the reason why there is none."""
    from relet.evaluation.importance import FEWEST, importance

    names = differing(trials)
    if by is None or not names:
        return None, ""
    finished = [each for each in trials if each.status is Status.FINISHED and by.metric in each.metrics]
    having = comparable(finished)
    if len(having) < FEWEST:
        few = f"{len(having)} trials that finished have a {by.metric}: too few to tell what decided it"
        return None, f"{few}; from {FEWEST} on it is estimated."
    columns = {name: [each.settings.get(name, each.chosen.get(name)) for each in having] for name in names}
    found = importance(columns, [each.metrics[by.metric] for each in having])
    if found is None:
        return None, f"Not every {by.metric} is a finite number: too few are, to tell what decided it."
    trust = (
        f"It explains {found.explained:.0%} of how {by.metric} varies in trials that its trees did not see."
        if found.explained > 0.1
        else "It explains next to nothing of trials that its trees did not see: these shares may be chance."
    )
    return found.shares, (
        f"How much worse a random forest of {found.trials} trials does when a setting's values are shuffled "
        f"(permutation importance), as a share of all. {trust} A search's trials lie where it looked."
    )


def _figures(store: Store, best: Trial) -> Iterator[Drawn]:
    from base64 import b64encode
    from pathlib import PurePosixPath

    from relet.report.experiment import Drawn

    room = FIGURES
    for version in _versions(store, best.outputs.values()):
        for path, digest in version.files.items():
            kind = _IMAGES.get(PurePosixPath(path).suffix.lower())
            if kind is None or version.type not in (ArtifactType.FIGURE, ArtifactType.FILE, ArtifactType.FOLDER):
                continue
            try:
                content = store.read_object(digest)
            except (NotFoundError, DamagedError):
                continue
            size = len(content) * 4 // 3
            fits = size <= min(room, FIGURE)
            room -= size if fits else 0
            uri = f"data:{kind};base64,{b64encode(content).decode()}" if fits else None
            yield Drawn(version=str(version), path=path, uri=uri)


def _made(store: Store, trials: Sequence[Trial], place: Path) -> tuple[list[Made], int]:
    """Each version that trials have, those of the best first, and how many there was no room for."""
    from relet.report.experiment import Made

    having: dict[str, list[str]] = {}
    for each in trials:
        for reference in each.outputs.values():
            having.setdefault(reference, []).append(each.short)
    listed = list(having)[:VERSIONS]
    made = [
        Made(
            version=str(version),
            type=str(version.type),
            trials=tuple(having[str(version)]),
            files={path: _link(store, digest, place) for path, digest in sorted(version.files.items())[:4]},
        )
        for version in _versions(store, listed)
    ]
    return made, len(having) - len(listed)


def _link(store: Store, digest: str, place: Path) -> str | None:
    """From the page's folder to an object, where the store is a folder: it moves with both, or leads nowhere."""
    if "://" in store.url:
        return None
    path = Path(store.url, object_path(digest))
    try:
        return quote(Path(os.path.relpath(path, place.absolute())).as_posix())
    except ValueError:
        return path.as_uri()
