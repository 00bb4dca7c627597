"""Measure how often the default model's 90% intervals hold a listing's price, and how wide they are: one table.

    python bench/intervals.py [--seeds 5] [--data LISTINGS.csv] [--reference FOLDER]

The reference's own scripts clean and split; each seed gives another split. `train_model` calibrates the intervals
on validation rows, with the settings of `conf/model`. Test rows are only for reporting.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from accuracy import SHARED, arguments_of, as_table, divided
from figures import Row, reached, spread, table

DEFAULT, COVERAGE = "boosted", 0.9
GROUPS = ("room_type", "neighbourhood_group")
# A group with fewer test rows has to stay within what chance allows, a larger one within the limits of all rows.
LARGE, DEAR = 900, 250


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The intervals on the test rows of one split: share inside, width in dollars, and by group the rows inside
    and all rows.
    """

    share: float
    width: float
    dear: float
    groups: dict[str, tuple[int, int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "nyc_2019_listings.csv")
    parser.add_argument("--reference", type=Path, default=SHARED / "bench" / "course_reference")
    print(table(rows(parser.parse_args())))


def rows(given: Any) -> list[Row]:
    """The figures. `given` has `seeds`, `data` and `reference`."""
    with tempfile.TemporaryDirectory() as folder:
        seen = [_once(given, seed, Path(folder)) for seed in range(1, given.seeds + 1)]
    return list(_rows(seen))


def _once(given: Any, seed: int, folder: Path) -> Seen:
    from pipelines.nyc_rentals.components.train_model import train_model

    trainval, test = divided(given.reference, given.data, folder, seed)
    model = train_model(as_table(trainval), **arguments_of(DEFAULT, seed)).model
    listings = as_table(test)
    bounds, price = model.predict_interval(listings, COVERAGE), listings["price"]
    inside = price.between(bounds["lower"], bounds["upper"])
    groups = {name: (int(each.sum()), len(each)) for by in GROUPS for name, each in inside.groupby(listings[by])}
    found = Seen(
        share=float(inside.mean()),
        width=float((bounds["upper"] - bounds["lower"]).mean()),
        dear=float(inside[price > DEAR].mean()),
        groups=groups,
    )
    said = ", ".join(f"{name} {held / size:.3f} of {size}" for name, (held, size) in groups.items())
    print(f"seed {seed}: {found.share:.3f} inside, {found.width:.1f} wide; {said}", file=sys.stderr, flush=True)
    return found


def _misses(held: int, size: int) -> bool:
    from scipy.stats import binomtest

    found = binomtest(held, size).proportion_ci()
    return not found.low <= COVERAGE <= found.high


def _rows(seen: Sequence[Seen]) -> Iterator[Row]:
    shares = [each.share for each in seen]
    yield Row(
        figure="coverage of the 90% interval",
        ours=spread(shares),
        other="",
        ratio="",
        must="0.88 to 0.92",
        aim="0.89 to 0.91",
        reached=_within(statistics.median(shares)),
    )
    large = [name for name, (_, size) in seen[0].groups.items() if size >= LARGE]
    by_name = {name: [each.groups[name][0] / each.groups[name][1] for each in seen] for name in large}
    worst = max(by_name, key=lambda name: abs(statistics.median(by_name[name]) - COVERAGE))
    every = [share for shares in by_name.values() for share in shares]
    out = sum(not 0.88 <= share <= 0.92 for share in every)
    yield Row(
        figure=f"coverage of the worst group of {LARGE} test rows or more: {worst}",
        ours=spread(by_name[worst]),
        other=f"{out} of {len(every)} groups and splits outside of 0.88 to 0.92",
        ratio="",
        must="0.88 to 0.92",
        aim="0.89 to 0.91",
        reached=_within(statistics.median(by_name[worst])),
    )
    small = [[each.groups[name] for each in seen] for name in seen[0].groups if name not in large]
    misses = [[_misses(*split) for split in splits] for splits in small]
    missed = sum(map(sum, misses))
    middling = sum(
        _misses(*sorted(splits, key=lambda pair: pair[0] / pair[1])[len(splits) // 2]) for splits in small
    )
    # Like every figure, a group is judged by its median split. Where intervals are right, one in twenty misses.
    yield Row(
        figure="smaller groups whose binomial 95% interval misses 0.90, each in its median split",
        ours=f"{middling} of {len(small)}",
        other=f"{missed} of {sum(map(len, misses))} groups and splits; by chance 1 in 20",
        ratio="",
        must="0",
        aim="0",
        reached=reached(middling == 0, middling == 0),
    )
    widths = [each.width for each in seen]
    middle = statistics.median(widths)
    yield Row(
        figure="mean width of the 90% interval, $",
        ours=spread(widths, ".1f"),
        other="",
        ratio="",
        must="128",
        aim="118",
        reached=reached(middle <= 128, middle <= 118),
    )
    yield Row(
        figure=f"coverage where the price is above {DEAR} $",
        ours=spread([each.dear for each in seen]),
        other="",
        ratio="",
        must="reported",
        aim="",
        reached="",
    )


def _within(share: float) -> str:
    return reached(0.88 <= share <= 0.92, 0.89 <= share <= 0.91)


if __name__ == "__main__":
    main()
