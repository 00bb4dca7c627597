"""Files of listings with any headers, notations and encodings, each with the rows that it means."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NAMES = (
    "id",
    "name",
    "host_id",
    "host_name",
    "neighbourhood_group",
    "neighbourhood",
    "latitude",
    "longitude",
    "room_type",
    "price",
    "minimum_nights",
    "number_of_reviews",
    "last_review",
    "reviews_per_month",
    "calculated_host_listings_count",
    "availability_365",
)
BOROUGHS = ("Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island")
WHOLE = ("price", "minimum_nights", "number_of_reviews", "calculated_host_listings_count", "availability_365")
RENAMED: dict[str, tuple[str, ...]] = {
    "id": ("listing_id", "ID", "Listing Id"),
    "price": ("Price (USD)", "nightly_price", "PRICE", "price $"),
    "neighbourhood_group": ("borough", "neighbourhood_group_cleansed", "Stadtteil"),
    "last_review": ("date_of_last_review", "Last review"),
    "latitude": ("lat", "Latitude"),
    "room_type": ("type of room", "Room-Type"),
}
EXTRA = (
    "Unnamed: 0",
    " beds",
    "größe",
    "true",
    "null",
    "a'b",
    'q"q',
    "#",
    "x=y",
    "${a}",
    "license",
    "7",
    "*",
    "名前",
    "a, b",
)
MISSING = ("", "NULL", "N/A", "\\N", "-", "None", "NaN", "n/a", "No Reviews")
DATES = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%Y%m%d",
    "%d %b %Y",
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%y",
    "%B %d, %Y",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "mac_roman", "latin-1")
WORDS = (
    "Café – loft",
    "Zimmer am Park",
    "größer Raum",
    "Room 7",
    "Chambre à louer",
    'a "fine" flat',
    "two\nlines",
    "x; y",
)


@dataclass(frozen=True, kw_only=True)
class OddFile:
    """A file's bytes, the rows that it means, and what is odd about it."""

    content: bytes
    rows: Sequence[dict[str, Any]]
    about: str


def odd_file(seed: int) -> OddFile:
    """The file of a seed: usual but for one to three things."""
    chance = random.Random(seed)
    rows = [_row(number, chance) for number in range(1, 31)]
    odd = set(
        chance.sample(
            ["names", "extra", "numbers", "dates", "missing", "encoding", "separator", "packed"],
            chance.randint(1, 3),
        )
    )
    about = []
    header = {name: name for name in NAMES}
    if "names" in odd:
        for name in chance.sample(list(RENAMED), chance.randint(1, 2)):
            header[name] = chance.choice(RENAMED[name])
    extra = chance.sample(EXTRA, chance.randint(1, 3)) if "extra" in odd else []
    separator = chance.choice(";\t|") if "separator" in odd else ","
    decimal, thousands, around = ".", "", ("", "")
    if "numbers" in odd:
        decimal, thousands = chance.choice([(",", "."), (",", " "), (".", ","), (".", "'"), (",", ""), (".", "")])
        around = chance.choice([("$", ""), ("", " €"), ("CHF ", ""), ("", ""), ("£", "")])
    date = chance.choice(DATES) if "dates" in odd else DATES[0]
    missing = chance.choice(MISSING) if "missing" in odd else ""
    encoding = chance.choice(ENCODINGS) if "encoding" in odd else "utf-8"

    def shown(name: str, value: Any) -> str:
        if value is None:
            return missing if name in ("last_review", "reviews_per_month", "price") else ""
        if isinstance(value, dt.date):
            return value.strftime(date)
        if name == "price":
            return f"{around[0]}{_number(value, decimal, thousands)}{around[1]}"
        if isinstance(value, float):
            return repr(value).replace(".", decimal)
        return str(value)

    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=chance.choice(["\n", "\r\n"]))
    order = chance.sample(NAMES, len(NAMES))
    writer.writerow([*(header[name] for name in order), *extra])
    for row in rows:
        writer.writerow(
            [*(shown(name, row[name]) for name in order), *(chance.choice(["x", "1", ""]) for _ in extra)]
        )
    content = text.getvalue()
    if encoding not in ("utf-8", "utf-8-sig") and not encoding.startswith(("utf-16", "utf-32")):
        content = "".join(letter if _fits(letter, encoding) else "?" for letter in content)
        rows = [
            {**row, "name": "".join(each if _fits(each, encoding) else "?" for each in row["name"])}
            for row in rows
        ]
    packed = content.encode(encoding)
    about = [f"{key}" for key in sorted(odd)]
    details = f"{header}{extra}{separator!r}{decimal}{thousands}{around}{date}{missing!r}{encoding}"
    return OddFile(
        content=gzip.compress(packed) if "packed" in odd else packed, rows=rows, about=f"{about} {details}"
    )


def _fits(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _number(value: int, decimal: str, thousands: str) -> str:
    return f"{value:,}".replace(",", thousands)


def _row(number: int, chance: random.Random) -> dict[str, Any]:
    def maybe(value: Any) -> Any:
        return None if chance.random() < 0.2 else value

    return {
        "id": number * 17,
        "name": chance.choice(WORDS),
        "host_id": chance.randint(1, 9) * 101,
        "host_name": "Ann",
        "neighbourhood_group": chance.choice(BOROUGHS),
        "neighbourhood": "Astoria",
        "latitude": round(chance.uniform(40.5, 41.2), 5),
        "longitude": round(chance.uniform(-74.2, -73.6), 5),
        "room_type": chance.choice(["Private room", "Entire home/apt"]),
        "price": maybe(chance.choice([chance.randint(20, 999), chance.randint(1000, 9999)])),
        "minimum_nights": chance.randint(1, 30),
        "number_of_reviews": chance.randint(0, 300),
        "last_review": maybe(dt.date(2019, 1, 1) + dt.timedelta(days=chance.randint(0, 400))),
        "reviews_per_month": maybe(round(chance.uniform(0.01, 12), 2)),
        "calculated_host_listings_count": chance.randint(1, 9),
        "availability_365": chance.randint(0, 365),
    }
