"""Compare text that contains numbers: the words have to be equal, the numbers close enough."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from relet.evaluation.comparison.numbers import gap_words, is_within, relative_gap
from relet.evaluation.comparison.outcome import Difference, common_length, cut_text

_PLAIN = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_GROUPED = r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])(?:\.[0-9]+)?"
# Digits in a name, a colour, a version, a date, a time or a path count as words.
_FREE = r"(?<![\w#.:/-])[+-]?", r"(?!\.?[A-Za-z_]*[0-9]|[:/-][0-9])"
PROSE = re.compile(f"{_FREE[0]}(?:{_GROUPED}|{_PLAIN}){_FREE[1]}")
_MARKUP = re.compile(f"{_FREE[0]}{_PLAIN}{_FREE[1]}")
# The attributes in which SVG may write numbers directly beside letters.
_GEOMETRY = re.compile(r"""(?<=\sd=")[^"]*|(?<=\spoints=")[^"]*|(?<=\stransform=")[^"]*""")
_COORDINATE = re.compile(rf"[+-]?{_PLAIN}")
# Names that matplotlib makes from a hash of their object. Every change of a last digit changes such a name.
_HASHED = re.compile(r"""(?<=\sid=")(?:[A-Za-z]{1,8}|C[0-9a-f]+_[0-9a-f]+_)[0-9a-f]{10}(?=")""")
# Python refuses to parse longer numbers; as floats they would be infinite.
_LONGEST = 300


@dataclass
class TextParts:
    """A text as alternating words and numbers."""

    words: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)


def prose_parts(text: str) -> TextParts:
    """The parts of a sentence.

    >>> prose_parts("R2 0.25 of 1,200 rows since 2019-07-08").numbers
    ['0.25', '1,200']
    """
    return _parts_around_numbers(text, PROSE.finditer(text))


def drawing_parts(text: str) -> TextParts:
    """The parts of SVG text.

    >>> drawing_parts('<path d="M10-2.5L3 4" fill="#1f77b4" stroke-width="0.8px"/>').numbers
    ['10', '-2.5', '3', '4', '0.8']
    """
    return _parts_around_numbers(text, _numbers_in_drawing(text))


def number_hashed_names(text: str) -> str:
    """SVG text in which names made from hashes are numbered in order of appearance."""
    names = {name: f"name-{number}" for number, name in enumerate(dict.fromkeys(_HASHED.findall(text)))}
    return re.sub(r"""(?<=\sid=")[^"]+|(?<=#)[\w-]+""", lambda found: names.get(found[0], found[0]), text)


def compare_parts(
    what: str, recorded: TextParts, reproduced: TextParts, tolerance: float | None
) -> Iterator[Difference]:
    """Compare two texts: the first difference of their words, else one sentence on their numbers."""
    if recorded.words != reproduced.words:
        line, old, new = _first_other_words(recorded, reproduced)
        yield Difference(f"{what}: other text in line {line:,}: {old!r} → {new!r}")
        return
    pairs = list(zip(recorded.numbers, reproduced.numbers, strict=True))
    differing = [place for place, (old, new) in enumerate(pairs) if old != new]
    if not differing:
        return
    apart = {
        place: relative_gap(_parse_number(pairs[place][0]), _parse_number(pairs[place][1])) for place in differing
    }
    worst = max(differing, key=apart.__getitem__)
    old, new = pairs[worst]
    line = 1 + "".join(recorded.words[: worst + 1]).count("\n")
    yield Difference(
        f"{what}: {len(differing):,} of {len(pairs):,} numbers differ, "
        f"most of all in line {line:,}: {cut_text(old)} → {cut_text(new)} ({gap_words(apart[worst])})",
        apart[worst],
        is_within(apart[worst], tolerance),
    )


def _numbers_in_drawing(text: str) -> Iterator[re.Match[str]]:
    end = 0
    for attribute in _GEOMETRY.finditer(text):
        yield from _MARKUP.finditer(text, end, attribute.start())
        yield from _COORDINATE.finditer(text, *attribute.span())
        end = attribute.end()
    yield from _MARKUP.finditer(text, end)


def _parts_around_numbers(text: str, numbers: Iterator[re.Match[str]]) -> TextParts:
    parts = TextParts()
    end = 0
    for number in numbers:
        parts.words.append(text[end : number.start()])
        parts.numbers.append(number[0])
        end = number.end()
    parts.words.append(text[end:])
    return parts


def _first_other_words(recorded: TextParts, reproduced: TextParts) -> tuple[int, str, str]:
    """The line, counted from 1, and the words of both texts from their first difference on."""
    line = 1
    for old, new in zip_longest(recorded.words, reproduced.words, fillvalue=""):
        if old != new:
            break
        line += old.count("\n")
    same = common_length(old, new)
    start = max(0, same - 20)
    return line + old[:same].count("\n"), cut_text(old[start:]), cut_text(new[start:])


def _parse_number(text: str) -> float:
    """Parse a number; a whole number exactly, unless it is too long."""
    plain = text.replace(",", "")
    return int(plain) if len(plain) < _LONGEST and plain.lstrip("+-").isdigit() else float(plain)
