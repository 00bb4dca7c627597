"""In which settings and metrics trials differ, and what these are called in a narrow column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relet.experiments.experiment import Trial, canonical_text

# How the metrics begin that belong to the baseline or the champion that a trial is compared with.
REFERENCE_METRICS = ("baseline_", "champion_")
# How the settings begin that say where a run is kept and shown, and how trials are compared.
RUN_SETTINGS = ("main.", "store.", "tracking", "search.", "hydra")


def differing_settings(trials: Sequence[Trial]) -> list[str]:
    """The settings in which trials differ, in the order in which trials name them.

    A setting that only some trials have, such as a parameter of one model family, counts where these trials differ
    in it. A typed choice that is no setting, such as `model=linear`, counts unless a setting differs in the same
    way.
    """
    columns = _varying_names([each.settings for each in trials])
    known = {name for each in trials for name in each.settings}
    others = [
        name
        for name in _varying_names([each.chosen for each in trials], absent=True)
        if name not in known and not name.startswith(RUN_SETTINGS)
    ]
    if not others:
        return columns
    groupings = {_value_grouping([each.settings.get(name) for each in trials]) for name in columns}
    return columns + [
        n for n in others if _value_grouping([each.chosen.get(n) for each in trials]) not in groupings
    ]


def most_varied_settings(trials: Sequence[Trial], names: Sequence[str]) -> list[str]:
    """The names, those with the most values among trials first. Among equals the model's settings come first."""

    def order(name: str) -> tuple[int, bool]:
        settings = ({**each.chosen, **each.settings} for each in trials)
        values = {canonical_text(each[name]) for each in settings if name in each}
        return -len(values), not name.startswith("model")

    return sorted(names, key=order)


def _varying_names(rows: Sequence[Mapping[str, Any]], *, absent: bool = False) -> list[str]:
    """The names whose values differ among rows; with `absent` also those that some rows lack."""
    varying = []
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row[name] for row in rows if name in row]
        missing = absent and len(values) < len(rows)
        if missing or any(canonical_text(value) != canonical_text(values[0]) for value in values):
            varying.append(name)
    return varying


def _value_grouping(values: Sequence[Any]) -> tuple[int, ...]:
    """For each trial the place of the first trial that has the same value."""
    first: dict[str, int] = {}
    return tuple(first.setdefault(canonical_text(value), place) for place, value in enumerate(values))


def short_names(names: Sequence[str]) -> list[str]:
    """Each name by its last parts, as few as tell it from the others.

    >>> short_names(["model.a.depth", "etl.rows", "model.b.depth"])
    ['a.depth', 'rows', 'b.depth']
    """
    parts = [name.split(".") for name in names]
    lengths = [1] * len(names)
    while True:
        short = [".".join(each[-length:]) for each, length in zip(parts, lengths, strict=True)]
        ambiguous = [
            place
            for place, text in enumerate(short)
            if short.count(text) > 1 and lengths[place] < len(parts[place])
        ]
        if not ambiguous:
            return short
        for place in ambiguous:
            lengths[place] += 1


def distinguishing_metrics(trials: Sequence[Trial]) -> list[str]:
    """The trials' own metrics in which they differ; all of them where one trial has metrics, or none differs."""
    names = dict.fromkeys(name for each in trials for name in each.metrics)
    own = [name for name in names if not name.startswith(REFERENCE_METRICS)]
    measured = [each.metrics for each in trials if each.metrics]
    if len(measured) < 2:
        return own
    return [name for name in own if len({metrics.get(name) for metrics in measured}) > 1] or own
