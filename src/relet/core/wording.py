"""Counts and long texts as messages and pages show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SCHEME = r"[A-Za-z][A-Za-z0-9+.\-]*://"
# An address in a text, up to a blank or the next address; and the signs after it that belong to the text.
_ADDRESS = re.compile(rf"({_SCHEME})((?:(?!{_SCHEME})\S)+)")
_AFTER = re.compile(r"""[\\'"`,;)\]}>.]*\Z""")
MASK = "***"
# Controls, signs that turn the direction of writing or have no width, lone halves of a sign, and line separators.
_UNSAFE = frozenset(("Cc", "Cf", "Co", "Cs", "Zl", "Zp"))


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun; `plural` is for a noun whose plural is not formed by an s.

    >>> count(1, "row"), count(1200, "row"), count(2, "category", "categories")
    ('1 row', '1,200 rows', '2 categories')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def shorten(text: str, most: int = 80) -> str:
    """The text in `most` letters or fewer: an ellipsis stands for the end of a longer one.

    >>> shorten("a long name", most=6)
    'a lon…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def printable(text: str, *, keep: str = "") -> str:
    """The text with each sign that a terminal would obey, or that hides or turns others, as its escape sequence.

    >>> print(printable("a\\x07b\\x1b[2J"))
    a\\x07b\\x1b[2J
    """
    if text.isprintable():
        return text
    import unicodedata

    return "".join(
        sign
        if sign in keep or unicodedata.category(sign) not in _UNSAFE
        else sign.encode("unicode_escape", "surrogatepass").decode()
        for sign in text
    )


def without_credentials(value: Any) -> Any:
    """A text, or the texts in a list or a mapping, whose addresses have no user, no password and no values in
    their query. Any other value is given back as it is.

    >>> without_credentials("etl.source=https://ana:secret@host/rows.csv?token=abc&page=2")
    'etl.source=https://host/rows.csv?token=***&page=***'
    >>> without_credentials({"from": ["ssh://git@host/x.git", 3]})
    {'from': ['ssh://git@host/x.git', 3]}
    """
    if isinstance(value, str):
        return _ADDRESS.sub(_masked_address, value) if "://" in value else value
    if isinstance(value, Mapping):
        return {without_credentials(name): without_credentials(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        masked = [without_credentials(each) for each in value]
        return masked if isinstance(value, list) else tuple(masked)
    return value


def _masked_address(found: re.Match[str]) -> str:
    scheme, rest = found.groups()
    after = _AFTER.search(rest)
    end = after[0] if after else ""
    place, question, query = rest.removesuffix(end).partition("?")
    place, hash_, fragment = place.partition("#")
    authority, slash, path = place.partition("/")
    user, _, host = authority.rpartition("@")
    if not user and re.search(r":[^0-9]", host) and "@" in f"{path}{query}" and not host.startswith("["):
        # A password with a slash or a question mark in it: all before the last @ may be a part of it.
        return str(without_credentials(f"{scheme}{rest.rpartition('@')[2]}"))
    kept = "git@" if (scheme.lower(), user) == ("ssh://", "git") else ""
    masked = f"{hash_}{MASK}" if fragment else hash_
    return f"{scheme}{kept}{host}{slash}{path}{masked}{question}{_masked_query(query)}{end}"


def _masked_query(query: str) -> str:
    """
    >>> _masked_query("a=1&b=&secret")
    'a=***&b=&***'
    """
    pairs = [pair.partition("=") for pair in query.split("&")] if query else []
    return "&".join(
        f"{name}={MASK if value else ''}" if equals else MASK if name else "" for name, equals, value in pairs
    )
