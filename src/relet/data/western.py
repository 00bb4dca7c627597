"""Which of the old encodings of Western Europe a text has: told by what its letters would be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Windows' encoding holds all of Latin-1 but for bytes that are no letters there. That of DOS is never the answer:
# it keeps a text of DOS from being taken for one of the others.
ENCODINGS = ("cp1252", "mac_roman", "cp850")
OFFERED = ("cp1252", "mac_roman")
# The letters beside ASCII of the languages that such a text may be in: a word has those of one of them.
WESTERN = tuple(
    map(
        frozenset,
        (
            "äöüß",  # German
            "àâæçéèêëîïôœùûüÿ",  # French
            "áéíóúüñ",  # Spanish
            "áâãàçéêíóôõúü",  # Portuguese
            "àèéìíîòóùú",  # Italian
            "áéëíïóöúüèêç",  # Dutch
            "àèéíïóòúüç",  # Catalan
            "åäöéü",  # Swedish, Finnish
            "æøåéèòôü",  # Danish, Norwegian
        ),
    )
)
# Languages whose texts would be words of Western Europe, if their encoding were taken for another one; and how
# many of their letters tell them: the n of Spanish and of Polish have one place, as have two letters of Danish and
# of Lithuanian. Turkish is not among them: in cp1252 it has letters of Icelandic alone.
OTHERS = tuple(
    (encoding, frozenset(letters), least)
    for encodings, letters, least in (
        (("cp1250", "iso8859_2"), "áčďéěíňóřšťúůýž", 2),  # Czech
        (("cp1250", "iso8859_2"), "áäčďéíľňóôšťúýž", 2),  # Slovak, without two letters that Italian would have
        (("cp1250", "iso8859_2"), "ąćęłńóśźż", 2),  # Polish
        (("cp1250", "iso8859_2"), "áéíóöőúüű", 2),  # Hungarian
        (("cp1250", "iso8859_2"), "ăâîşţ", 2),  # Romanian
        (("cp1250", "iso8859_2"), "čćđšž", 2),  # Croatian, Slovene
        (("cp1257",), "ąčęėįšųūž", 3),  # Lithuanian
        (("cp1257",), "āčēģīķļņšūž", 2),  # Latvian
        (("cp1257",), "äöõüšž", 2),  # Estonian
    )
    for encoding in encodings
)
# The share of words that must be likely in one encoding, and by how much it must be ahead of the others.
LIKELY, AHEAD = 0.9, 0.2
# The share of words that another language may have of those that it would write in another way.
MANY = 0.7
# How many words are looked at.
WORDS = 2000
_WORD = re.compile(rb"[^\s,;|\t\"]*[\x80-\xff][^\s,;|\t\"]*")
# A sign of UTF-8 that takes several bytes.
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
# Letters with a mark that are words of their own.
_ALONE = frozenset("àÀéèÈÉóòÓùúåÅäÄöÖøØæÆêÊ")
# Signs that stand in such texts beside letters and digits; those that stand before a word, behind one, and those
# that are no sign before a letter.
_SIGNS = frozenset("“”\u2018’«»–—•·…€£°²³½¼¾™®©ºª¡¿§±×\u00a0")
_BEHIND = frozenset("²³°ºª½¼¾")
_WITHIN = frozenset("’\u2018·–—•\u00a0")
_BEFORE_DIGITS = frozenset("€£")


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
        shares[encoding] = sum(map(_is_likely, texts)) / max(len(texts), 1)
        examples[encoding] = " ".join(texts[:3])
    ranked = sorted(shares, key=lambda each: -shares[each])
    best, second = ranked[0], shares[ranked[1]] if len(ranked) > 1 else 0.0
    is_clear = best in OFFERED and shares[best] >= LIKELY and shares[best] - second >= AHEAD
    shown = {name: text for name, text in examples.items() if name in OFFERED}
    if other := _other_reading(words, "cp1252" if best == "cp850" else best):
        is_clear, shown = False, {other[0]: other[1], **shown}
    return EncodingGuess(encoding=best if is_clear else None, examples=shown)


def _other_reading(words: Sequence[bytes], encoding: str) -> tuple[str, str] | None:
    """Another encoding by which the words are ones of a language that has it, with some of them."""
    for other, letters, least in OTHERS:
        try:
            pairs = [(word.decode(encoding), word.decode(other)) for word in words]
        except UnicodeDecodeError:
            continue
        differing = [(ours, theirs) for ours, theirs in pairs if ours != theirs]
        fitting = [theirs for _, theirs in differing if _is_of_language(theirs, letters)]
        known = frozenset("".join(fitting).lower()) & letters
        told = {letter for letter in known if letter.encode(other).decode(encoding, "replace") != letter}
        if len(told) >= (least if encoding == "cp1252" else 1) and len(fitting) >= MANY * len(differing):
            return other, " ".join(fitting[:3])
    return None


def _is_of_language(word: str, letters: frozenset[str]) -> bool:
    """Whether a word of several letters can be one of a language that has these beside ASCII."""
    marked = _marked_letters(word)
    places = (place for place, letter in enumerate(word) if ord(letter) > 127)
    return (
        len(word) > 1 and bool(marked) and marked <= letters and all(_is_likely_at(word, each) for each in places)
    )


def _marked_letters(word: str) -> frozenset[str]:
    """The letters of a word that are not ASCII, as small ones."""
    return frozenset(letter for letter in word.lower() if ord(letter) > 127 and letter.isalpha())


def _is_likely(word: str) -> bool:
    """Whether a word may stand in a text of Western Europe."""
    places = [place for place, letter in enumerate(word) if ord(letter) > 127]
    # three signs in a row that are not ASCII: another alphabet
    if any(place + 1 in places and place + 2 in places for place in places):
        return False
    is_of_west = any(_marked_letters(word) - {"º", "ª"} <= letters for letters in WESTERN)
    return is_of_west and all(_is_likely_at(word, place) for place in places)


def _is_likely_at(word: str, place: int) -> bool:
    letter = word[place]
    before, after = word[place - 1 : place], word[place + 1 : place + 2]
    if letter in _SIGNS:
        # signs stand around words and numbers, and only an apostrophe, a dash or a dot within them
        if letter in _BEHIND and not (before.isalnum() or after.isdigit()):
            return False
        if letter in _BEFORE_DIGITS and after.isalpha():
            return False
        return letter in _WITHIN or not (before.isalpha() and after.isalpha())
    if not letter.isalpha():
        return False
    if (before.islower() and letter.isupper()) or (letter.islower() and after.isupper()):
        return False
    return before.isalpha() or after.isalpha() or letter in _ALONE
