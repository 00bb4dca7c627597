"""Which of the old encodings of Western Europe a text has: told by what its letters would be."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# Windows' encoding holds all of Latin-1 but for bytes that are no letters there.
ENCODINGS = ("cp1252", "mac_roman")
# The share of words that must be likely in one encoding, and by how much it must be ahead of the others.
LIKELY, AHEAD = 0.9, 0.2
# How many words are looked at.
WORDS = 2000
_WORD = re.compile(rb"[^\s,;|\t\"]*[\x80-\xff][^\s,;|\t\"]*")
# A sign of UTF-8 that takes several bytes.
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
# Letters with a mark that are words of their own.
_ALONE = frozenset("àÀéèÈÉóòÓùúåÅäÄöÖøØæÆêÊ")
# Signs that stand in such texts beside letters and digits.
_SIGNS = frozenset("“”\u2018’«»–—•·…€£°²³½¼¾™®©ºª¡¿§±×\u00a0")


@dataclass(frozen=True, kw_only=True)
class EncodingGuess:
    """The encoding that a text has, None where none is more likely than all others; and by each of them, some of
    its words.
    """

    encoding: str | None
    examples: dict[str, str]


def guess_encoding(content: bytes) -> EncodingGuess:
    """The encoding of a text that is not UTF-8.

    >>> guess_encoding("Café – loft".encode("cp1252")).encoding
    'cp1252'
    >>> guess_encoding("Café – größer".encode("mac_roman")).encoding
    'mac_roman'
    >>> guess_encoding("Большая комната".encode("cp1251")).encoding is None
    True
    """
    if 2 * sum(map(len, _UTF8.findall(content))) > len(_HIGH.findall(content)):
        return EncodingGuess(encoding=None, examples={})  # UTF-8, in which a byte is wrong
    words = list(dict.fromkeys(_WORD.findall(content)))[:WORDS]
    shares: dict[str, float] = {}
    examples: dict[str, str] = {}
    for encoding in ENCODINGS:
        try:
            texts = [word.decode(encoding) for word in words]
        except UnicodeDecodeError:
            continue
        shares[encoding] = sum(map(_is_likely, texts)) / len(texts) if texts else 0.0
        examples[encoding] = " ".join(texts[:3])
    ranked = sorted(shares, key=lambda each: -shares[each])
    second = shares[ranked[1]] if len(ranked) > 1 else 0.0
    is_clear = bool(ranked) and shares[ranked[0]] >= LIKELY and shares[ranked[0]] - second >= AHEAD
    return EncodingGuess(encoding=ranked[0] if is_clear else None, examples=examples)


def _is_likely(word: str) -> bool:
    """Whether a word may stand in a text of Western Europe."""
    places = [place for place, letter in enumerate(word) if ord(letter) > 127]
    return (len(places) < 3 or len(places) < len(word)) and all(_is_likely_at(word, place) for place in places)


def _is_likely_at(word: str, place: int) -> bool:
    letter = word[place]
    before, after = word[place - 1 : place], word[place + 1 : place + 2]
    if not letter.isalpha():
        # signs stand around words and numbers, and only an apostrophe, a dash or a dot within them
        return letter in _SIGNS and (letter in "’\u2018·–—•ºª\u00a0" or not (before.isalpha() and after.isalpha()))
    if not unicodedata.name(letter, "").startswith("LATIN"):
        return False
    if (before.islower() and letter.isupper()) or (letter.islower() and after.isupper()):
        return False
    if not before.isalpha() and not after.isalpha():
        return letter in _ALONE
    # three letters in a row that are not ASCII: another alphabet
    return not all(ord(each) > 127 for each in word[max(place - 2, 0) : place + 1]) or place < 2
