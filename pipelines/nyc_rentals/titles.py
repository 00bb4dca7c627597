"""Titles of simulated listings, and what in a title moves the price."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

Floats = np.ndarray[Any, np.dtype[np.float64]]
Draw = Callable[[str], Floats]

_NUMBERS = ("one", "two", "three", "four", "five")
_BEDROOMS = r"(?P<count>[1-5]|one|two|three|four|five)[ -]?(?:br|bd|bdrm|bedrooms?)\b"
_GUESTS = r"sleeps (?P<count>[0-9]+)"
_BATHS = r"(?P<count>[1-3]) ?baths?\b"
_AREA = r"(?P<count>[0-9]{3,4}) ?(?:sq ?ft|sqft)"

# What a word in the title adds to the log of the price.
_WORDS = {
    r"studio": -0.16,
    r"penthouse": 0.32,
    r"luxur": 0.17,
    r"loft": 0.10,
    r"brownstone": 0.07,
    r"duplex": 0.12,
    r"terrace|rooftop": 0.09,
    r"doorman": 0.11,
    r"skyline|views?\b": 0.06,
    r"designer|renovated": 0.06,
    r"basement": -0.18,
    r"budget|affordable|cheap": -0.22,
    r"cozy": -0.06,
    r"jfk|airport": -0.08,
    r"bunk|hostel": -0.15,
}

_ADJECTIVES = (
    "Cozy", "Sunny", "Spacious", "Charming", "Beautiful", "Modern", "Quiet", "Bright", "Large", "Luxury",
    "Lovely", "Newly renovated", "Clean & quiet", "Affordable", "Budget", "Stylish", "Comfy", "Designer", "Huge",
    "",
)  # fmt: skip
_ENTIRE = (
    "apartment", "apt", "loft", "home", "brownstone", "duplex", "flat", "basement apartment", "penthouse", "place",
    "condo", "garden apartment",
)  # fmt: skip
_PRIVATE = (
    "room", "private room", "bedroom", "master bedroom", "room in loft", "room in brownstone", "guest room",
    "basement room", "space",
)  # fmt: skip
_SHARED = ("shared room", "bunk bed", "bed in shared loft", "hostel bed", "couch")
_EXTRAS = (
    "", "", "", "", "", "", "w/ terrace", "with rooftop", "near subway", "with skyline view", "+ doorman",
    "close to JFK airport", "near the park", "with private bath", "- great location", "steps from the train",
    "★ superhost", "🌇", "🏡✨", "& café & jardín", "すてきな部屋",
)  # fmt: skip
_FORMS = ("{0}BR", "{0} BR", "{0} bedroom", "{0}bd", "{0}-bedroom", "{word} bedroom")


def write_titles(
    draw: Draw, room_types: Sequence[str], bedrooms: Sequence[int], neighbourhoods: Sequence[str]
) -> list[str]:
    """A title for each listing; `bedrooms` is 0 for a studio. Fewer than half of the titles say how many."""
    return [
        _title(*each)
        for each in zip(
            room_types,
            bedrooms,
            neighbourhoods,
            *(draw(part).tolist() for part in ("adjective", "size", "form", "noun", "place", "extra", "style")),
            strict=True,
        )
    ]


def _title(
    room_type: str,
    bedrooms: int,
    neighbourhood: str,
    adjective: float,
    size: float,
    form: float,
    noun: float,
    place: float,
    extra: float,
    style: float,
) -> str:
    nouns = {"Entire home/apt": _ENTIRE, "Private room": _PRIVATE}.get(room_type, _SHARED)
    words = (
        pick(_ADJECTIVES, adjective),
        _size_words(room_type, bedrooms, size, form),
        pick(nouns, noun),
        f"in {neighbourhood}" if place < 0.45 else ("near Manhattan" if place < 0.52 else ""),
        pick(_EXTRAS, extra),
    )
    title = " ".join(word for word in words if word)
    title = title[:1].upper() + title[1:]
    if style < 0.06:
        return title.upper()
    return f"{title}!" if style < 0.12 else title


def _size_words(room_type: str, bedrooms: int, draw: float, form: float) -> str:
    if room_type == "Shared room":
        return ""
    entire = room_type == "Entire home/apt"
    if bedrooms == 0:
        return "studio" if entire and draw < 0.6 else ""
    if draw < (0.42 if entire else 0.06):
        said = pick(_FORMS, form).format(bedrooms, word=_NUMBERS[bedrooms - 1].capitalize())
        return f"{said} {1 + bedrooms // 2} bath" if form * 100 % 1 < 0.15 else said
    if entire and draw < 0.47:
        return f"sleeps {2 * bedrooms + int(3 * form)},"
    if entire and draw < 0.49:
        return f"{350 + 250 * bedrooms + int(200 * form)} sq ft"
    return ""


def pick(choices: Sequence[str], draw: float) -> str:
    """The choice that a number from [0, 1) falls on."""
    return choices[int(draw * len(choices))]


def title_effect(titles: pa.ChunkedArray, *, entire: Floats, manhattan: Floats) -> Floats:
    """What the title adds to the log of the price: size counts for entire homes, luxury most in Manhattan.

    `entire` and `manhattan` are 1.0 or 0.0 for each title. A missing title adds nothing.
    """
    import pyarrow.compute as pc

    lower = pc.utf8_lower(pc.fill_null(titles, ""))
    bedrooms, guests = _stated_number(lower, _BEDROOMS, 1), _stated_number(lower, _GUESTS, 2)
    baths, area = _stated_number(lower, _BATHS, 1), _stated_number(lower, _AREA, 700)
    effect = entire * (
        0.27 * (bedrooms - 1) ** 0.85
        + 0.07 * np.minimum(guests - 2, 10)
        + 0.12 * (baths - 1)
        + (area - 700) / 2800
    )
    effect -= (1 - entire) * 0.04 * (bedrooms - 1)
    for pattern, gain in _WORDS.items():
        said = pc.match_substring_regex(lower, pattern).to_numpy(zero_copy_only=False).astype(float)
        effect += gain * said * (1 + 0.3 * manhattan * (gain > 0))
    return effect


def _stated_number(titles: pa.ChunkedArray, pattern: str, default: int) -> Floats:
    """The number that a title states, at least `default`, which stands in where it states none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.struct_field(pc.extract_regex(titles, pattern), "count")
    for number, word in enumerate(_NUMBERS, start=1):
        found = pc.if_else(pc.equal(found, word), str(number), found)
    counts = pc.fill_null(found.cast(pa.float64()), float(default))
    return np.asarray(np.maximum(counts.to_numpy(), default))
