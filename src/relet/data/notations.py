"""How numbers are written: decimal signs, thousands, what stands around them; and which way a column has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from relet.errors import SettingError

# What may stand between groups of three digits. An apostrophe and a space stand for all of their kind.
THOUSANDS = ("", ",", ".", " ", "'")
DECIMALS = (".", ",")
# The longest text, in letters, that may be an amount.
LONGEST = 100
# All signs that are written as a space or an apostrophe.
_KINDS = {" ": " \u00a0\u2009\u202f", "'": "'\u2019"}
# Letters that stand beside an amount.
_UNITS = re.compile(
    r"(?:(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|NZD|CNY|RMB|INR|BRL|MXN|ZAR|SEK|NOK|DKK|PLN|CZK|HUF|TRY|SGD|HKD|kr|zł|Kč|Ft|Fr)"
    r"\.?|%)",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"([^\d+\-.,]*)([+-]?(?:[\d.,'\u2019 \u00a0\u2009\u202f]*\d)(?:[eE][+-]?\d+)?[.,]?)(\D*)")


@dataclass(frozen=True, kw_only=True)
class NumberNotation:
    """The sign before decimals, and the one between groups of three digits (none: nothing stands there).

    Raises SettingError for another sign, and where both are the same.

    >>> NumberNotation(decimal=",", thousands=".").reads("1.234,50")
    1234.5
    """

    decimal: str = "."
    thousands: str = ""

    def __post_init__(self) -> None:
        if self.decimal not in DECIMALS:
            raise SettingError(f"decimal is . or a comma, got {self.decimal!r}")
        if self.thousands not in THOUSANDS:
            raise SettingError(
                f"thousands is a comma, a point, a space, an apostrophe or nothing, got {self.thousands!r}"
            )
        if self.decimal == self.thousands:
            raise SettingError(f"decimal and thousands can't both be {self.decimal!r}")

    @property
    def pattern(self) -> str:
        """The numbers of this notation, as a regular expression without lookaround."""
        return number_pattern(self.decimal, self.thousands)

    def reads(self, text: str) -> float | None:
        """The number that a text is in this notation; None where it is none."""
        if not re.match(self.pattern, text):
            return None
        plain = re.sub(signs_pattern(self.thousands), "", text) if self.thousands else text
        return float(plain.replace(self.decimal, "."))

    def can_be(self, text: str, *, whole: bool) -> bool:
        """Whether a text is a number in this notation, and a whole one."""
        found = self.reads(text)
        return found is not None and (not whole or found.is_integer())

    @property
    def words(self) -> dict[str, str]:
        """What the setting `number` says of it: what differs from the usual notation."""
        said = {"decimal": self.decimal, "thousands": self.thousands}
        return {name: sign for name, sign in said.items() if sign != getattr(NumberNotation(), name)}


def number_pattern(decimal: str, between: str) -> str:
    """Numbers with this sign before decimals (none: without decimals), and any of these between groups of digits.

    Groups have three digits, or as in India two and at last three.
    """
    whole = r"\d+"
    if between:
        sign = signs_pattern(between)
        whole = rf"(?:\d+|\d{{1,3}}(?:{sign}\d{{3}})+|\d{{1,2}}(?:{sign}\d{{2}})+{sign}\d{{3}})"
    if not decimal:
        return rf"^[+-]?{whole}$"
    point = re.escape(decimal)
    return rf"^[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?$"


def signs_pattern(signs: str) -> str:
    """Any of these signs, as a class of a regular expression; a space and an apostrophe stand for their kind."""
    return f"[{''.join(_KINDS.get(sign, re.escape(sign)) for sign in signs)}]"


PLAIN = NumberNotation()
# The simplest first.
NOTATIONS = tuple(
    sorted(
        (
            NumberNotation(decimal=decimal, thousands=thousands)
            for decimal, thousands in product(DECIMALS, THOUSANDS)
            if decimal != thousands
        ),
        key=lambda each: len(each.words),
    )
)


@dataclass(frozen=True, kw_only=True)
class Amount:
    """A text taken apart: the number's own letters, and the letters around it that are not part of it, without
    spaces.
    """

    number: str
    around: str


def amount(text: str) -> Amount | None:
    """A number with a currency or a percent sign, before or after it; None for any other text.

    >>> amount("1.000 €"), amount("CHF 1'250.50"), amount("about 7")
    (Amount(number='1.000', around='€'), Amount(number="1'250.50", around='CHF'), None)
    """
    found = _AMOUNT.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if not found:
        return None
    before, number, after = found.groups()
    around = before + after
    if not all(map(_is_unit, around.split())):
        return None
    return Amount(number=number.strip(), around="".join(dict.fromkeys("".join(around.split()))))


def _is_unit(word: str) -> bool:
    return bool(_UNITS.fullmatch(word)) or all(unicodedata.category(letter) == "Sc" for letter in word)


@dataclass(frozen=True, kw_only=True)
class NotationFinding:
    """The notations that a column's texts may have. `chosen` is the one that they have.

    It is None where none fits all of them, or where there are several that read different numbers: those are
    `possible`, the simplest first, and `doubtful` is a text that they read differently.
    """

    chosen: NumberNotation | None = None
    possible: tuple[NumberNotation, ...] = ()
    doubtful: str = ""


def find_notation(numbers: Iterable[str], *, whole: bool, has_points: bool = False) -> NotationFinding:
    """The notation of all these numbers. `whole`: they are whole ones. `has_points`: others, which are not among
    them, have a decimal point that can't be anything else.

    >>> find_notation(["1.234,50", "950"], whole=False).chosen
    NumberNotation(decimal=',', thousands='.')
    >>> find_notation(["1.000", "2.000"], whole=True).chosen is None
    True
    """
    texts = sorted(set(numbers))
    readings: dict[tuple[float, ...], list[NumberNotation]] = {}
    for notation in NOTATIONS:
        if has_points and notation.decimal != ".":
            continue
        found = [notation.reads(text) for text in texts]
        if any(each is None or (whole and not each.is_integer()) for each in found):
            continue
        readings.setdefault(tuple(each for each in found if each is not None), []).append(notation)
    ways = [notations[0] for notations in readings.values()]
    if len(ways) == 1:
        return NotationFinding(chosen=ways[0], possible=tuple(ways))
    return NotationFinding(possible=tuple(ways), doubtful=_read_differently(texts, ways))


def _read_differently(texts: Sequence[str], ways: Sequence[NumberNotation]) -> str:
    return next((text for text in texts if len({way.reads(text) for way in ways}) > 1), "")
