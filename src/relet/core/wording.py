"""Counts and long texts as messages and pages show them."""

from __future__ import annotations


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
