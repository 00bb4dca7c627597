"""What the page of an experiment shows, gathered from the store: curves, figures, importance, artifacts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from relet.browsing.experiments import curves_of, explained_trials, versions_of
from relet.core.artifact import ArtifactType, Curve
from relet.core.record import Status
from relet.errors import DamagedError, NotFoundError
from relet.experiments.experiment import Experiment, Trial
from relet.experiments.objective import Objective, comparable_trials
from relet.experiments.variation import differing_settings
from relet.store.layout import object_path

if TYPE_CHECKING:
    from relet.report.experiment import ExperimentPageContent, TrialArtifact, WinnerFigure
    from relet.store import Store

# Of all figures of the winner together, and of one alone, in bytes: a page that nobody can send is no page.
FIGURES, FIGURE = 1_200_000, 400_000
# How many versions are listed, and of how many trials the curves are looked for.
VERSIONS, CURVES = 1200, 66
_IMAGES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif"}


def experiment_html(
    store: Store, experiment: Experiment, trials: Sequence[Trial], by: Objective | None, *, place: Path
) -> str:
    """The page of an experiment with these trials, in this order; `place` is the folder that it will lie in."""
    from relet.report.experiment import experiment_page

    return experiment_page(page_material(store, experiment, trials, by, place=place))


def page_material(
    store: Store, experiment: Experiment, trials: Sequence[Trial], by: Objective | None, *, place: Path
) -> ExperimentPageContent:
    """What the page shows: curves, the winner's figures, importance, and where every artifact is."""
    from relet.report.experiment import ExperimentPageContent

    shown = tuple(explained_trials(store, trials))
    best = by.best(shown) if by else None
    ranked = by.ranked(shown) if by else list(shown)
    shares, note = _importance_section(shown, by)
    made, left_out = _listed_versions(store, ranked, place)
    return ExperimentPageContent(
        experiment=experiment,
        trials=shown,
        aim=by,
        importance=shares,
        importance_note=note,
        curves=_curves_by_name({each.id: curves_of(store, each) for each in ranked[:CURVES]}),
        figures=tuple(_figures(store, best)) if best else (),
        made=tuple(made),
        left_out=left_out,
    )


def _curves_by_name(held: Mapping[str, Mapping[str, Curve]]) -> dict[str, dict[str, Curve]]:
    found: dict[str, dict[str, Curve]] = {}
    for trial_id, named in held.items():
        for name, curve in named.items():
            found.setdefault(name, {})[trial_id] = curve
    return found


def _importance_section(trials: Sequence[Trial], by: Objective | None) -> tuple[Mapping[str, float] | None, str]:
    """The share of each setting, and words beside it; None with the reason why there is none."""
    from relet.evaluation.importance import FEWEST, importance

    names = differing_settings(trials)
    if by is None or not names:
        return None, ""
    finished = [each for each in trials if each.status is Status.FINISHED and by.metric in each.metrics]
    having = comparable_trials(finished)
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


def _figures(store: Store, best: Trial) -> Iterator[WinnerFigure]:
    from base64 import b64encode
    from pathlib import PurePosixPath

    from relet.report.experiment import WinnerFigure

    room = FIGURES
    for version in versions_of(store, best.outputs.values()):
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
            yield WinnerFigure(version=str(version), path=path, uri=uri)


def _listed_versions(store: Store, trials: Sequence[Trial], place: Path) -> tuple[list[TrialArtifact], int]:
    """Each version that trials have, those of the best first, and how many there was no room for."""
    from relet.report.experiment import TrialArtifact

    having: dict[str, list[str]] = {}
    for each in trials:
        for reference in each.outputs.values():
            having.setdefault(reference, []).append(each.short)
    listed = list(having)[:VERSIONS]
    made = [
        TrialArtifact(
            version=str(version),
            type=str(version.type),
            trials=tuple(having[str(version)]),
            files={path: _object_link(store, digest, place) for path, digest in sorted(version.files.items())[:4]},
        )
        for version in versions_of(store, listed)
    ]
    return made, len(having) - len(listed)


def _object_link(store: Store, digest: str, place: Path) -> str | None:
    """From the page's folder to an object, where the store is a folder: it moves with both, or leads nowhere."""
    if "://" in store.url:
        return None
    path = Path(store.url, object_path(digest))
    try:
        return quote(Path(os.path.relpath(path, place.absolute())).as_posix())
    except ValueError:
        return path.as_uri()
