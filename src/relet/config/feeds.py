"""Every setting that a pipeline's files and its table have, and the parameters that each one feeds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from relet.config.binding import is_whole
from relet.config.diagnosis import places
from relet.config.own import wiring_of
from relet.core.pipeline import Pipeline
from relet.core.wiring import Wiring


def setting_feeds(pipeline: Pipeline, folder: Path) -> dict[str, tuple[str, ...]]:
    """Setting → the parameters that it feeds, as `component.parameter`, in the order of the files.

    Each option of a group counts: `modeling.boosted.num_leaves` and `modeling.mlp.hidden` both feed a learner.
    """
    wiring = wiring_of(pipeline)
    feeds: dict[str, list[str]] = {}
    levels: dict[tuple[str, str], int] = {}
    reaches = {key: wiring.reach(key) for key in file_settings(folder, wiring)}
    for reach in reaches.values():
        for fed in reach.fed:
            place = (fed.name, fed.option)
            levels[place] = max(reach.level, levels.get(place, 0))
    for key, reach in reaches.items():
        names = dict.fromkeys(fed.name for fed in reach.fed if levels[fed.name, fed.option] == reach.level)
        if names:
            feeds[key] = list(names)
    return {key: tuple(names) for key, names in feeds.items()}


def file_settings(folder: Path, wiring: Wiring) -> Iterator[str]:
    """The keys that the files set and the table names: no sections, and a mapping that is taken whole as one."""
    known = dict.fromkeys([*places(folder), *wiring.rows])
    whole = [key for key in known if is_whole(key, wiring)]
    for key in known:
        inside = any(key.startswith(f"{each}.") for each in whole)
        section = any(each.startswith(f"{key}.") for each in known)
        if key in whole or not (inside or section):
            yield key
