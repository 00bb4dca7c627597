"""Which columns of a file are ours under another name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache

from relet.core.override_words import is_plain_name
from relet.data.layout import OTHERS, Layout
from relet.data.schema import Column
from relet.errors import BadDataError

# From this share of equal letters on, two names are alike.
ALIKE = 0.75
# So many columns that are left out are named; for more, or where a command can't name one, there is one word.
NAMED = 5
# Of so many columns of like names none is chosen, and among so many others none is looked for by its values.
MANY = 200


def names_fault(file: str, layout: Layout, header: Sequence[str]) -> BadDataError | None:
    """The error for a file whose columns are others than a layout takes and leaves out."""
    removed, added = _difference(layout, header)
    if not removed and not added:
        return None
    return BadDataError(f"{file} has other columns than expected: {', '.join((*removed, *added))}")


def _difference(layout: Layout, header: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that a layout takes and a file has not, and those that it has and nobody spoke of."""
    taken = layout.taken
    removed = tuple(name for name in taken if name not in header)
    return removed, tuple(name for name in header if name not in taken and not layout.leaves_out(name))


@dataclass(frozen=True, kw_only=True)
class NameFinding:
    """How the names of a file's columns differ from a layout, and what can be said of that.

    `removed` are the file's columns that the layout takes and the file has not, `added` those that it has and
    nobody spoke of. `told` is what the setting has to say. `unknown` are our columns that only a person can find
    in the file, each with the columns that it may be.
    """

    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    told: Mapping[str, str | None] = field(default_factory=dict)
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def find_names(layout: Layout, header: Sequence[str], holds: Callable[[str, Column], float]) -> NameFinding:
    """Find the columns that a file has under other names.

    `holds` says how well the values of a file's column are those of ours: 0 not at all, 1 by their type, 2 by
    their values, too.
    """
    taken = layout.taken
    removed, added = _difference(layout, header)
    # one that was left out may be the column that is missing
    spare = [name for name in header if name not in taken]
    told: dict[str, str | None] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    for name in removed:
        column = taken[name]
        best = _likeliest(name, column, [each for each in spare if each not in told.values()], holds)
        if len(best) == 1:
            told[column.name] = best[0]
        elif best or not column.can_be_left_out:
            unknown[column.name] = best
        else:
            told[column.name] = None
    left_out = [name for name in added if name not in told.values()]
    if len(left_out) > NAMED or not all(is_plain_name(name) and name not in layout.origins for name in left_out):
        left_out = [OTHERS]
    return NameFinding(removed=removed, added=added, told={**told, **dict.fromkeys(left_out)}, unknown=unknown)


def _likeliest(
    name: str, column: Column, spare: Sequence[str], holds: Callable[[str, Column], float]
) -> tuple[str, ...]:
    """The columns that are most likely this one; several where they are alike, none where no one is."""
    alikes = {other: max(_likeness(name, other), _likeness(column.name, other)) for other in spare}
    most = max(alikes.values(), default=0.0)
    if most and (best := [other for other, alike in alikes.items() if alike == most])[MANY:]:
        return tuple(best)
    scores: dict[str, float] = {}
    for other, alike in alikes.items():
        content = holds(other, column) if alike or (column.values and len(spare) <= MANY) else 0.0
        if content and (alike or content > 1):
            scores[other] = alike + 2 * (content - 1)
    most = max(scores.values(), default=0.0)
    return tuple(other for other, score in scores.items() if score == most)


def _likeness(name: str, other: str) -> float:
    """How alike two names are: 3 the same words, 2 one has all of the other's, 1 most letters."""
    words, others = _words(name), _words(other)
    if words == others or "".join(words) == "".join(others):
        return 3.0
    if (
        words
        and others
        and (set(words) <= set(others) or (set(others) <= set(words) and len("".join(others)) > 3))
    ):
        return 2.0
    ours, theirs = "_".join(words), "_".join(others)
    if 2 * min(len(ours), len(theirs)) < ALIKE * (len(ours) + len(theirs)):
        return 0.0  # too long to be alike
    return 1.0 if SequenceMatcher(None, ours, theirs).ratio() >= ALIKE else 0.0


@lru_cache(maxsize=2**15)
def _words(name: str) -> tuple[str, ...]:
    """The words of a name, in small letters.

    >>> _words("Price (USD)"), _words("listingId")
    (('price', 'usd'), ('listing', 'id'))
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return tuple(word for word in re.split(r"[\W_]+", apart.casefold()) if word)
