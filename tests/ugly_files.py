"""CSV files as people have them, written for a test: each is one function, with the target to predict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import sklearn.datasets as bundled

ROWS = 300


def semicolons(path: Path) -> str:
    """German: semicolons, decimal commas, dates with points, Windows' letters, capitals, signs in names."""
    random = Random(1)
    lines = ["Kunden-ID;Fläche (m²);Straße;Bau Datum;Zustand;Miete €"]
    for number in range(ROWS):
        area = random.uniform(20, 120)
        date = f"{random.randint(1, 28):02}.{random.randint(1, 12):02}.{random.randint(1950, 2020)}"
        state = random.choice(["gut", "schlecht", ""])
        rent = f"{9.5 * area + 50 * (state == 'gut') + random.gauss(0, 30):.2f}".replace(".", ",")
        square = f"{area:.1f}".replace(".", ",")
        lines.append(f"K{number:05};{square};Weg {random.randint(1, 9)};{date};{state};{rent}")
    path.write_text("\n".join(lines) + "\n", encoding="cp1252")
    return "Miete €"


def dirty_names(path: Path) -> str:
    """Duplicates, keywords, no name, a byte order mark, names that differ in case, words for what is missing."""
    random = Random(2)
    lines = ["class,Class,x,x,,from,reason,constant,nothing,two  words"]
    for number in range(ROWS):
        kind = random.choice(["low", "high"])
        value = random.gauss(3 if kind == "high" else 0, 1)
        twice = random.choice(["NA", "?", f"{value * 2:.3f}"])
        odd = "" if random.random() < 0.1 else kind
        letter, words = random.choice("abc"), f"{kind[0]}{number % 3}"
        lines.append(f"{odd},{random.randint(0, 1)},{value:.3f},{twice},{number},{letter},why,5,,{words}")
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8-sig")
    return "class"


def orders(path: Path) -> str:
    """A row for each order: a time, a customer with several orders, money, text with commas, quotes and lines."""
    random = Random(3)
    lines = ["order_id,customer_id,ordered_at,amount,discount,comment,late"]
    for number in range(ROWS):
        amount = random.uniform(5, 4000)
        late = amount > 1500 if random.random() < 0.9 else amount <= 1500
        comment = '"please deliver to the ""back"" door,\nsecond floor, thank you"' if number % 3 else ""
        lines.append(
            f"{1000 + number},{number % 40},2024-{1 + number % 12:02}-{1 + number % 28:02} 1{number % 10}:30:00,"
            f'"${amount:,.2f}",{random.randint(0, 30)}%,{comment},{late}'
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "late"


def sensors(path: Path) -> str:
    """Tabs, a time, gaps, a target with missing values, a column that is the target in another unit."""
    random = Random(4)
    lines = ["timestamp\tTemperature °C\thumidity\tpower_kW\tpower_W\tstatus"]
    for number in range(ROWS):
        warm = random.gauss(15, 8)
        power = max(0.1, 5 - 0.15 * warm + random.gauss(0, 0.5))
        shown = "" if number % 17 == 0 else f"{power:.3f}"
        wet = "nan" if number % 5 == 0 else f"{random.uniform(20, 90):.1f}"
        watts = "" if not shown else f"{float(shown) * 1000:.0f}"
        lines.append(f"{number // 24 + 1}/{number % 12 + 1}/2023\t{warm:.2f}\t{wet}\t{shown}\t{watts}\tok")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "power_kW"


def many_classes(path: Path) -> str:
    """Text classes of other alphabets, one of them in a single row, and truth values."""
    random = Random(5)
    lines = ["価格,is_new,größe,Ort"]
    for number in range(ROWS):
        place = "唯一" if number == 7 else random.choice(["東京", "Köln", "São Paulo", 'O\'Hare "x"'])
        quoted = '"' + place.replace('"', '""') + '"'
        price, new = len(place) + random.gauss(0, 0.4), random.choice(["True", "False", ""])
        lines.append(f"{price:.3f},{new},{random.randint(1, 50)},{quoted}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "Ort"


def _bundled(load: Callable[..., object]) -> Callable[[Path], str]:
    def write(path: Path) -> str:
        frame = load(as_frame=True).frame  # type: ignore[attr-defined]
        frame.to_csv(path, index=False)
        return "target"

    return write


UGLY = {each.__name__: each for each in (semicolons, dirty_names, orders, sensors, many_classes)}
BUNDLED = {
    name: _bundled(getattr(bundled, f"load_{name}"))
    for name in ("diabetes", "iris", "wine", "breast_cancer", "digits")
}
