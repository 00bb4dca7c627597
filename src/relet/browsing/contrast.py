"""Runs that a person names, laid side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from relet.browsing.experiments import curves_of, explained_trial, pipeline_settings
from relet.browsing.runs import find_run
from relet.core.record import KeyParts, RunRecord
from relet.errors import DamagedError, NotFoundError, SettingError
from relet.experiments.contrast import Contrast, ContrastedRun, contrast
from relet.experiments.experiment import SettingFeeds, short_id, trial

if TYPE_CHECKING:
    from relet.store import Store


def compare(
    store: Store, words: Sequence[str], *, everything: bool = False, start: Path | None = None
) -> Contrast:
    """What differs between the runs that words name (see `find_run`).

    Raises SettingError for fewer than two runs, NotFoundError for a word that names no run or several.
    """
    records = [find_run(store, word) for word in words]
    if len({record.id for record in records}) < 2:
        same = f"{' and '.join(words)} are the same run" if len(words) > 1 else f"only {words[0]} was named"
        raise SettingError(f"a comparison takes two runs or more, and {same}; `relet runs` lists what ran")
    feeds = pipeline_settings((record.pipeline for record in records), start)
    labels = _labels(words, records)
    sides = [_contrast_side(store, label, record, feeds) for label, record in zip(labels, records, strict=True)]
    return contrast(sides, everything=everything)


def _labels(words: Sequence[str], records: Sequence[RunRecord]) -> list[str]:
    """What each run is called: a reference as it was written, else the end of its id. Equal ones are numbered."""
    labels = [word if ":" in word else short_id(record.id) for word, record in zip(words, records, strict=True)]
    seen: dict[str, int] = {}
    numbered = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        numbered.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return numbered


def _contrast_side(
    store: Store, label: str, record: RunRecord, feeds: Mapping[str, SettingFeeds]
) -> ContrastedRun:
    makers = dict(_makers(store, record))
    types = {link.version: link.type for maker in makers.values() for link in maker.outputs.values()}
    row = trial(record, feeds.get(record.pipeline), types)
    return ContrastedRun(
        label=label,
        record=record,
        trial=explained_trial(store, row),
        parts={name: _recorded_parts(maker) for name, maker in makers.items()},
        curves=curves_of(store, row),
    )


def _makers(store: Store, record: RunRecord) -> Iterator[tuple[str, RunRecord]]:
    """Each component of a run with the run that made its outputs, which may be an earlier one.

    The run of a component is its own maker.
    """
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
