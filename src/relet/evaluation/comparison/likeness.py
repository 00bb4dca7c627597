"""Match the rows of two tables without a key by their likeness."""

# mypy: disable-error-code="import-untyped"
# pandas' factorize is more than its stubs say.
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from relet.evaluation.comparison.numbers import relative_gaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    # Row numbers; and pairs of row numbers, one of each table.
    Places = NDArray[np.int64]
    Pairs = tuple[Places, Places]

# Floats as close as this are taken for one number, whatever the tolerance. A row whose last bits differ has to be
# matched too, so that the difference can be reported.
LAST_BITS = 1e-12
NEAR = 1e-9


@dataclass(frozen=True, kw_only=True)
class StackedRows:
    """The rows of both tables, numbered together: the recorded rows, then the reproduced rows (`again`).

    `exact` has a code for each value that is no float: equal values have equal codes.
    """

    exact: Sequence[NDArray[np.int32]]
    floats: Sequence[NDArray[np.float64]]
    again: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.again)

    @cached_property
    def groups(self) -> Places:
        """A group number for each row: rows that agree in all columns but floats have the same number."""
        return _group_numbers(self.exact, len(self))

    def only(self, places: Places) -> StackedRows:
        if len(places) == len(self):
            return self
        return StackedRows(
            exact=[codes[places] for codes in self.exact],
            floats=[values[places] for values in self.floats],
            again=self.again[places],
        )


def pair_by_likeness(rows: StackedRows, near: float) -> Pairs:
    """Pair rows, each row at most once; the second row of a pair is counted from the first reproduced row.

    First come rows that agree in all columns but floats and are closest in floats; then rows that differ in one
    other column; then rows whose floats differ by more. Where all this matches few rows, rows of equal position
    are paired.
    """
    pairs = _pair_in_turn(
        rows,
        [
            partial(_pair_whole_groups, near=near),
            *(partial(_pair_near_rows, gap=gap, near=near) for gap in (LAST_BITS, near)),
            *(partial(pair_but_for_one, column, near=near) for column in range(len(rows.exact))),
            lambda left: _pair_by_float_order(left, left.groups),
            partial(_pair_in_order, most=len(rows) / 2),
        ],
    )
    return pairs[0], pairs[1] - int((~rows.again).sum())


def pair_but_for_one(column: int, rows: StackedRows, *, near: float, unique: bool = False) -> Pairs:
    """Pair rows that agree in all but one of the columns without floats, and nearly in floats.

    With `unique` only rows that no third row resembles. The rows have to agree in at least one other column.
    """
    others = [codes for place, codes in enumerate(rows.exact) if place != column]
    if not (others or rows.floats):
        return _no_pairs()
    places, block = _split_blocks_by_floats(rows, _group_numbers(others, len(rows)), near)
    if unique:
        alone = np.bincount(block, minlength=1)[block] == 2
        places, block = places[alone], block[alone]
    return _near_pairs(rows, _pairs_among_all(places, _pair_by_float_order(rows.only(places), block)), near)


def _pair_in_turn(rows: StackedRows, ways: Iterable[Callable[[StackedRows], Pairs]]) -> Pairs:
    """Try several ways of pairing in turn, each on the rows that the ways before it left over."""
    waiting = np.arange(len(rows))
    found = [_no_pairs()]
    for way in ways:
        if rows.again.all() or not rows.again.any():
            break
        pairs = way(rows)
        found.append(_pairs_among_all(waiting, pairs))
        left = np.delete(np.arange(len(rows)), np.concatenate(pairs))
        rows, waiting = rows.only(left), waiting[left]
    return np.concatenate([old for old, _ in found]), np.concatenate([new for _, new in found])


def _pair_whole_groups(rows: StackedRows, near: float) -> Pairs:
    """Pair all rows of two groups that agree in all columns but floats, where the sorted floats are all near.

    With one column of floats, sorting finds a pairing within `near` whenever there is one.
    """
    block = rows.groups
    old, new = _pair_by_float_order(rows, block)
    refused = _chosen_per_block(block, ~rows.again) != _chosen_per_block(block, rows.again)
    refused[block[old[~_are_pairs_near(rows, (old, new), near)]]] = True
    kept = ~refused[block[old]]
    return old[kept], new[kept]


def _pair_near_rows(rows: StackedRows, gap: float, near: float) -> Pairs:
    """Pair rows that agree in all columns but floats, whose floats are near and linked by steps of at most `gap`.

    Whole groups were tried before, so two rows that are alone in their groups are not near.
    """
    crowded = np.flatnonzero(np.bincount(rows.groups)[rows.groups] > 2)
    few = rows.only(crowded)
    places, block = _split_blocks_by_floats(few, few.groups, gap)
    places = crowded[places]
    return _near_pairs(rows, _pairs_among_all(places, _pair_by_float_order(rows.only(places), block)), near)


def _pair_in_order(rows: StackedRows, most: float) -> Pairs:
    """Pair rows by position, if both sides have equally many and there are more than `most` in all."""
    old, new = np.flatnonzero(~rows.again), np.flatnonzero(rows.again)
    return (old, new) if len(old) == len(new) and len(rows) > most else _no_pairs()


def _pair_by_float_order(rows: StackedRows, block: Places) -> Pairs:
    """Pair the rows of each block in the order of their floats: first with first, second with second, …"""
    places, block = _rows_of_shared_blocks(rows, np.arange(len(rows)), block)
    if not len(places):
        return _no_pairs()
    rows = rows.only(places)
    order = np.lexsort((*reversed(rows.floats), rows.again, block))
    block, again = block[order], rows.again[order]
    starts = np.flatnonzero(np.r_[True, (block[1:] != block[:-1]) | (again[1:] != again[:-1])])
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    place = block * len(order) + rank
    _, old, new = np.intersect1d(place[~again], place[again], assume_unique=True, return_indices=True)
    return _pairs_among_all(places, (order[~again][old], order[again][new]))


def _group_numbers(columns: Sequence[NDArray[np.int32]], size: int) -> Places:
    """One number for each combination of codes, from 0."""
    import pandas as pd

    block = np.zeros(size, dtype=np.int64)
    for codes in columns:
        block = pd.factorize(block * (int(codes.max(initial=0)) + 1) + codes)[0]
    return block


def _split_blocks_by_floats(rows: StackedRows, block: Places, gap: float) -> tuple[Places, Places]:
    """Split blocks where one float is more than `gap` from the next; gives the blocks and the rows that may still
    match.
    """
    places = np.arange(len(rows))
    for values in rows.floats:
        places, block = _rows_of_shared_blocks(rows, places, block)
        block = _split_at_gaps(block, values[places], gap)
    return places, block


def _rows_of_shared_blocks(rows: StackedRows, places: Places, block: Places) -> tuple[Places, Places]:
    """The rows of those blocks that have rows of both sides."""
    again = rows.again[places]
    kept = ((_chosen_per_block(block, again) > 0) & (_chosen_per_block(block, ~again) > 0))[block]
    return places[kept], block[kept]


def _split_at_gaps(block: Places, values: NDArray[np.float64], gap: float) -> Places:
    order = np.lexsort((values, block))
    sorted_, values = block[order], values[order]
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.diff(values) > gap * np.maximum(1, np.abs(values[:-1]))
    for is_ in (np.isnan, np.isinf):
        apart |= np.diff(is_(values))
    split = np.empty_like(block)
    split[order] = np.concatenate([np.zeros(min(1, len(order)), bool), (np.diff(sorted_) != 0) | apart]).cumsum()
    return split


def _chosen_per_block(block: Places, chosen: NDArray[np.bool_]) -> Places:
    """How many chosen rows each block has."""
    return np.bincount(block[chosen], minlength=int(block.max(initial=-1)) + 1)


def _near_pairs(rows: StackedRows, pairs: Pairs, near: float) -> Pairs:
    kept = _are_pairs_near(rows, pairs, near)
    return pairs[0][kept], pairs[1][kept]


def _are_pairs_near(rows: StackedRows, pairs: Pairs, near: float) -> NDArray[np.bool_]:
    """For each pair whether all floats are near."""
    kept = np.ones(len(pairs[0]), dtype=bool)
    for values in rows.floats:
        kept &= relative_gaps(values[pairs[0]], values[pairs[1]]) <= near
    return kept


def _pairs_among_all(places: Places, pairs: Pairs) -> Pairs:
    """Renumber pairs: from numbers among `places` to numbers among all rows."""
    return places[pairs[0]], places[pairs[1]]


def _no_pairs() -> Pairs:
    return np.arange(0), np.arange(0)
