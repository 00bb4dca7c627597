"""The outcome of a comparison: differences as sentences, and whether all are within the tolerance."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from relet.errors import BadDataError

# How many sentences are shown; the others are counted.
MOST = 10


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How a reproduced artifact differs from the recorded one.

    `within` says that every difference is a number within the tolerance. `largest` is the largest difference of
    two numbers, relative to max(1, |recorded|): None where no numbers differ, or none could be compared; infinite
    where a number has no counterpart. `differences` are sentences, the most important first.
    """

    within: bool
    largest: float | None
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """One difference of two artifacts. `size` is the relative gap of two numbers, see `numbers.relative_gap`."""

    sentence: str
    size: float | None = None
    within: bool = False


def remark(sentence: str) -> Difference:
    """A difference that is worth mentioning and decides nothing."""
    return Difference(sentence, 0.0, within=True)


def conclude(differences: Iterable[Difference]) -> Comparison:
    """The comparison that has these differences."""
    found = sorted(differences, key=_order_of_weight)
    sizes = [difference.size for difference in found if difference.size]
    sentences = [difference.sentence for difference in found]
    if len(sentences) > MOST:
        sentences[MOST:] = [f"and {len(sentences) - MOST:,} more"]
    return Comparison(
        within=all(difference.within for difference in found),
        largest=max(sizes, default=None),
        differences=tuple(sentences),
    )


def _order_of_weight(difference: Difference) -> float:
    """The sort key of differences: first those that no tolerance allows, then large before small."""
    return -math.inf if difference.size is None else -difference.size


def files_in(folder: Path) -> dict[str, Path]:
    """The files of an artifact by their relative paths."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in found}


def only_file(folder: Path, side: str) -> Path:
    """The only file of an artifact. Raises BadDataError where there is none, or more than one."""
    found = list(files_in(folder).values())
    if len(found) != 1:
        raise BadDataError(f"the {side} artifact should be one file, and has {len(found):,}")
    return found[0]


def cut_text(text: str, width: int = 80) -> str:
    """A text, cut to a length.

    >>> cut_text("a long story", 7)
    'a long…'
    """
    return text if len(text) <= width else f"{text[: width - 1]}…"


def common_length(old: str, new: str) -> int:
    """How many letters two texts have in common at their beginning.

    >>> common_length("house", "hotel"), common_length("a", "ab")
    (2, 1)
    """
    together = zip(old, new, strict=False)
    return next((place for place, (one, other) in enumerate(together) if one != other), min(len(old), len(new)))
