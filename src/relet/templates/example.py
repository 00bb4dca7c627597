"""The rows of a project that begins without a file: flats with their rents, invented, with the usual dirt."""

from __future__ import annotations

from random import Random

TARGET = "rent"
ROWS = 1200
DISTRICTS = {"Centre": 1.5, "Harbour": 1.3, "Hill": 1.1, "North": 0.95, "Station": 0.8}
CONDITIONS = {"new": 1.2, "good": 1.0, "old": 0.85}


def flats() -> str:
    """A CSV file of 1,200 flats, the same each time.

    A rent is a known function of the other columns, times an error of at most 15%. Some values are missing.

    >>> flats().splitlines()[:2]
    ['id,district,area,rooms,floor,condition,balcony,rent', '1,Centre,94.2,4,3,new,true,2012']
    """
    random = Random(42)
    lines = ["id,district,area,rooms,floor,condition,balcony,rent"]
    for number in range(1, ROWS + 1):
        district, condition = random.choice(list(DISTRICTS)), random.choice(list(CONDITIONS))
        area, floor, balcony = random.uniform(20, 120), random.randrange(8), random.random() < 0.4
        rooms = max(1, round(area / 28 + random.uniform(-0.7, 0.7)))
        usual = (180 + 8.5 * area + 12 * floor + 45 * balcony) * DISTRICTS[district] * CONDITIONS[condition]
        rent = str(round(usual * random.uniform(0.85, 1.15)))
        shown = {"condition": condition, "floor": str(floor), "rent": rent}
        for name, share in (("condition", 0.05), ("floor", 0.03), ("rent", 0.01)):
            if random.random() < share:
                shown[name] = ""
        lines.append(
            f"{number},{district},{area:.1f},{rooms},{shown['floor']},{shown['condition']},"
            f"{str(balcony).lower()},{shown['rent']}"
        )
    return "\n".join(lines) + "\n"
