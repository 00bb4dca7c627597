"""Draw parts at random: single rows, with equal shares of each stratum, or whole groups."""

# mypy: disable-error-code="import-untyped"
# scikit-learn ships no stubs.
from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relet.errors import SettingError

if TYPE_CHECKING:
    import numpy as np

    Integers = np.ndarray[Any, np.dtype[np.int64]]
    Bytes = np.ndarray[Any, np.dtype[np.int8]]

# How many groups are tried in one step.
_GROUPS = 65_536


def parts_at_random(
    rows: int, shares: Mapping[str, float], *, seed: int, strata: Integers | None, name: str
) -> Bytes:
    """The number of each row's part, at random.

    `strata` has the number of each row's stratum. Each stratum has the same share in every part, to within a row;
    a stratum of one row goes to the first part. scikit-learn's `train_test_split` draws the last part and rounds
    its size up. The parts between are taken from the remaining rows, in the order to which it shuffled them.
    Raises SettingError for a table too small to split.
    """
    import numpy as np
    from sklearn.model_selection import train_test_split

    sizes = sizes_of(rows, shares)
    codes = np.zeros(rows, dtype=np.int64) if strata is None else strata
    counts = np.bincount(codes)
    several = np.arange(rows) if strata is None else np.flatnonzero(counts[codes] > 1)
    values = int((counts > 1).sum())
    last = sizes[-1]
    if strata is not None and (last < values or len(several) - last < values):
        raise SettingError(
            f"segregation: {last} of {rows} rows and the rest can't both hold each of {values} values "
            f"of {name}; set another stratify_by, or another share"
        )
    rest, test = train_test_split(
        several, test_size=last, random_state=seed, stratify=None if strata is None else codes[several]
    )
    found = np.zeros(rows, dtype=np.int8)
    found[test] = len(sizes) - 1
    if len(sizes) > 2:
        found[rest] = _parts_before_last(
            codes[rest], np.bincount(codes[test], minlength=len(counts)), sizes, len(several)
        )
    return found


def sizes_of(rows: int, shares: Mapping[str, float]) -> list[int]:
    """How many rows each part has.

    From the last part on sizes are rounded up, as scikit-learn does, after rounding errors of sums are removed.
    """
    values = list(shares.values())
    ends = [math.ceil(round(rows * math.fsum(values[place:]), 6)) for place in range(1, len(values))]
    sizes = [upper - lower for upper, lower in zip([rows, *ends], [*ends, 0], strict=True)]
    if min(sizes) < 1:
        name = list(shares)[sizes.index(min(sizes))]
        raise SettingError(
            f"segregation: {rows} rows are too few to keep {shares[name]:g} of them apart as {name}; "
            "set another share, or fewer parts"
        )
    return sizes


def _parts_before_last(codes: Integers, tested: Integers, sizes: list[int], rows: int) -> Bytes:
    """The parts before the last, for rows in random order.

    In each stratum of n rows the parts from the j-th on have floor(n c + u) rows, where c is their share and u
    the same for every j: then each part has n times its share, to within a row. u is chosen so that the last part
    has the rows that were drawn for it.
    """
    import numpy as np

    counts = np.bincount(codes, minlength=len(tested)) + tested
    exact = counts * sizes[-1] / rows
    over = exact - np.floor(exact)
    offset = np.where(tested > np.floor(exact), 1 - over / 2, (1 - over) / 2)
    order = np.argsort(codes, kind="stable")
    starts = np.cumsum(counts - tested) - (counts - tested)
    rank = np.empty(len(codes), dtype=np.int64)
    rank[order] = np.arange(len(codes)) - starts[codes[order]]
    found = np.zeros(len(codes), dtype=np.int8)
    for place in range(1, len(sizes) - 1):
        ends = np.floor(counts * (sum(sizes[place:]) / rows) + offset).astype(np.int64)
        found[rank + tested[codes] < ends[codes]] = place
    return found


def parts_by_group(
    groups: Integers, shares: Mapping[str, float], *, seed: int, strata: Integers | None, name: str
) -> Bytes:
    """The number of each row's part, with all rows of a group in the same part.

    In random order, groups go to the last part while they fit into it (with `strata`, into its share of each
    stratum), then to the part before it. A group that does not fit, such as a host of many listings, is passed
    over. The first part gets the rest. Raises SettingError where no group fits into a part.
    """
    import numpy as np

    sizes = sizes_of(len(groups), shares)
    strata = np.zeros_like(groups) if strata is None else strata
    width = int(strata.max()) + 1
    table = np.bincount(groups * width + strata, minlength=(int(groups.max()) + 1) * width).reshape(-1, width)
    whole = table.sum(axis=0)
    order = np.random.RandomState(seed).permutation(len(table))
    of_group = np.zeros(len(table), dtype=np.int8)
    for place in range(len(sizes) - 1, 0, -1):
        chosen = _fitting_groups(table, order, np.round(whole * sizes[place] / len(groups)).astype(np.int64))
        of_group[chosen] = place
        order = order[of_group[order] == 0]
        if not len(chosen) or not len(order):
            raise SettingError(
                f"segregation: no group of {name} fits into {sizes[place]} of {len(groups)} rows; "
                "set another group_by, stratify_by or share"
            )
    return of_group[groups]


def _fitting_groups(table: Integers, order: Integers, room: Integers) -> Integers:
    """The groups that fit, tried in this order. Each step takes as many groups as certainly fit."""
    import numpy as np

    chosen = [np.empty(0, dtype=np.int64)]
    for start in range(0, len(order), _GROUPS):
        waiting = order[start : start + _GROUPS]
        while len(waiting := waiting[(table[waiting] <= room).all(axis=1)]):
            filled = np.cumsum(table[waiting], axis=0)
            fits = (filled <= room).all(axis=1)
            until = len(waiting) if fits.all() else int(fits.argmin())
            chosen.append(waiting[:until])
            room = room - filled[until - 1]
            waiting = waiting[until:]
    return np.concatenate(chosen)
