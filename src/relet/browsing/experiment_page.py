"""The page of an experiment: its curves, figures, importance of settings and artifacts, read from the store."""

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

# The most bytes of all the winner's figures together, and of one figure: a page must be small enough to send.
FIGURES, FIGURE = 1_200_000, 400_000
# How many versions the page lists, and of how many trials it draws curves.
VERSIONS, CURVES = 1200, 66
_IMAGES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif"}


def experiment_html(
    store: Store, experiment: Experiment, trials: Sequence[Trial], by: Objective | None, *, place: Path
) -> str:
    """The page of an experiment with these trials, in this order; `place` is the folder of the page's file."""
    from relet.report.experiment import experiment_page

    return experiment_page(page_material(store, experiment, trials, by, place=place))


def page_material(
    store: Store, experiment: Experiment, trials: Sequence[Trial], by: Objective | None, *, place: Path
) -> ExperimentPageContent:
    """What the page shows of these trials, in this order; `place` is the folder of the page's file."""
    from relet.report.experiment import ExperimentPageContent

    shown = tuple(explained_trials(store, trials))
    best = by.best(shown) if by else None
    ranked = by.ranked(shown) if by else list(shown)
    shares, note = _importance_section(shown, by)
    artifacts, left_out = _listed_versions(store, ranked, place)
    return ExperimentPageContent(
        experiment=experiment,
        trials=shown,
        aim=by,
        importance=shares,
        importance_note=note,
        curves=_curves_by_name({each.id: curves_of(store, each) for each in ranked[:CURVES]}),
        figures=tuple(_figures(store, best)) if best else (),
        made=tuple(artifacts),
        left_out=left_out,
    )


def _curves_by_name(by_trial: Mapping[str, Mapping[str, Curve]]) -> dict[str, dict[str, Curve]]:
    """Turn trial → metric → curve into metric → trial → curve."""
    by_name: dict[str, dict[str, Curve]] = {}
    for trial_id, curves in by_trial.items():
        for name, curve in curves.items():
            by_name.setdefault(name, {})[trial_id] = curve
    return by_name


def _importance_section(trials: Sequence[Trial], by: Objective | None) -> tuple[Mapping[str, float] | None, str]:
    """Setting → its share of importance, with a note; or None, and the note says why importance is unknown."""
    from relet.evaluation.importance import FEWEST, importance

    names = differing_settings(trials)
    if by is None or not names:
        return None, ""
    finished = [each for each in trials if each.status is Status.FINISHED and by.metric in each.metrics]
    compared = comparable_trials(finished)
    if len(compared) < FEWEST:
        few = f"{len(compared)} trials that finished have a {by.metric}: too few to tell what decided it"
        return None, f"{few}; from {FEWEST} on it is estimated."
    columns = {name: [each.settings.get(name, each.chosen.get(name)) for each in compared] for name in names}
    estimate = importance(columns, [each.metrics[by.metric] for each in compared])
    if estimate is None:
        return None, f"Not every {by.metric} is a finite number: too few are, to tell what decided it."
    trust = (
        f"It explains {estimate.explained:.0%} of how {by.metric} varies in trials that its trees did not see."
        if estimate.explained > 0.1
        else "It explains next to nothing of trials that its trees did not see: these shares may be chance."
    )
    return estimate.shares, (
        f"How much worse a random forest of {estimate.trials} trials does when a setting's values are shuffled "
        f"(permutation importance), as a share of all. {trust} A search's trials lie where it looked."
    )


def _figures(store: Store, best: Trial) -> Iterator[WinnerFigure]:
    """The figures of the best trial; a figure that is too large for the page has no content."""
    from base64 import b64encode
    from pathlib import PurePosixPath

    from relet.report.experiment import WinnerFigure

    bytes_left = FIGURES
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
            fits = size <= min(bytes_left, FIGURE)
            bytes_left -= size if fits else 0
            uri = f"data:{kind};base64,{b64encode(content).decode()}" if fits else None
            yield WinnerFigure(version=str(version), path=path, uri=uri)


def _listed_versions(store: Store, trials: Sequence[Trial], place: Path) -> tuple[list[TrialArtifact], int]:
    """The versions that trials made, the best trial's first, and how many versions the page leaves out."""
    from relet.report.experiment import TrialArtifact

    makers: dict[str, list[str]] = {}
    for each in trials:
        for reference in each.outputs.values():
            makers.setdefault(reference, []).append(each.short)
    listed = list(makers)[:VERSIONS]
    artifacts = [
        TrialArtifact(
            version=str(version),
            type=str(version.type),
            trials=tuple(makers[str(version)]),
            files={path: _object_link(store, digest, place) for path, digest in sorted(version.files.items())[:4]},
        )
        for version in versions_of(store, listed)
    ]
    return artifacts, len(makers) - len(listed)


def _object_link(store: Store, digest: str, place: Path) -> str | None:
    """The relative path from the page's folder to an object; None where the store is no folder.

    The link still works where the page and the store are moved together.
    """
    if "://" in store.url:
        return None
    path = Path(store.url, object_path(digest))
    try:
        return quote(Path(os.path.relpath(path, place.absolute())).as_posix())
    except ValueError:
        return path.as_uri()
