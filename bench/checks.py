"""Measure the errors of non-deterministic tests: how often they raise false alarms, and miss known shifts.

    python bench/checks.py [--pairs 2000] [--rows 20000] [--seed 1] [--data LISTINGS.csv] [--alpha 0.05]

The program draws pairs of batches from one source (rows with replacement, as weekly batches are drawn from a
market), tests eight columns of each pair as one family, and counts how often the family rejects any null
hypothesis, without a floor on the effect. It does so once with whole rows, so that columns stay dependent, and
once with each column drawn by itself. Then it shifts one column of the batch, which the test of that column should
detect, in batches of that size and of a tenth of that size. Intervals are 95% intervals by Clopper and Pearson.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pipelines.nyc_rentals.generated import simulate
from relet.checks.family import CORRECTIONS, MIN_EFFECT, FamilyRules, SubmittedOutcome, judge_family
from relet.checks.statistics import (
    Tally,
    TwoSampleOutcome,
    anderson_darling,
    chi_square,
    g_test,
    kolmogorov_smirnov,
    kullback_leibler,
    mann_whitney,
    missing_share,
    tally,
    welch,
)

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "nyc_2019_listings.csv"
KL_THRESHOLD = 0.2
# One test for each column: where each column is drawn by itself, the tests are independent.
TESTS: Mapping[str, Callable[[Any, Any], TwoSampleOutcome]] = {
    "price": kolmogorov_smirnov,
    "latitude": anderson_darling,
    "longitude": mann_whitney,
    "neighbourhood_group": chi_square,
    "room_type": g_test,
    "last_review": missing_share,
    "availability_365": mann_whitney,
    "number_of_reviews": welch,
}
BOROUGH = "Queens"
Row = np.ndarray[Any, np.dtype[np.int64]]
Counts = dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Source:
    """The market: the distinct values of each column, and the place of each listing's value (-1: missing)."""

    values: Mapping[str, Any]
    codes: Mapping[str, Row]

    @property
    def rows(self) -> int:
        return len(self.codes["price"])

    def tally(self, column: str, drawn: Row) -> Tally:
        """The tally of a column over the listings `drawn`."""
        counts = np.bincount(self.codes[column][drawn] + 1, minlength=len(self.values[column]) + 1)
        there = counts[1:] > 0
        return Tally(
            values=self.values[column][there],
            counts=counts[1:][there],
            missing=int(counts[0]),
            name=column,
        )


def source(listings: pd.DataFrame) -> Source:
    clean = listings[listings["price"].between(10, 350)]
    tallies = {column: tally(clean[column]) for column in TESTS}
    codes = {}
    for column, counted in tallies.items():
        values = clean[column]
        if values.dtype.kind == "M" or column == "last_review":
            codes[column] = np.where(values.isna(), -1, 0)
            tallies[column] = Tally(values=np.array([0]), counts=np.array([len(values)]), name=column)
        else:
            codes[column] = np.searchsorted(counted.values, values.to_numpy(dtype=counted.values.dtype))
    return Source(values={name: each.values for name, each in tallies.items()}, codes=codes)


def drawn_together(market: Source, rows: int, random: np.random.Generator) -> dict[str, Tally]:
    rows_drawn = random.integers(market.rows, size=rows)
    return {column: market.tally(column, rows_drawn) for column in TESTS}


def drawn_apart(market: Source, rows: int, random: np.random.Generator) -> dict[str, Tally]:
    return {column: market.tally(column, random.integers(market.rows, size=rows)) for column in TESTS}


def dearer(market: Source, rows: int, random: np.random.Generator, *, factor: float) -> dict[str, Tally]:
    """Multiply prices by a factor, in whole dollars. Cleaning removes listings that then cost more than 350."""
    found = drawn_together(market, rows, random)
    before = found["price"]
    raised = np.round(np.repeat(before.values, before.counts) * factor)
    return {**found, "price": tally(pd.Series(raised[raised <= 350], name="price"))}


def more_in_borough(market: Source, rows: int, random: np.random.Generator) -> dict[str, Tally]:
    """Raise the borough's share by two points, and lower those of the others in proportion."""
    inside = market.codes["neighbourhood_group"] == list(market.values["neighbourhood_group"]).index(BOROUGH)
    wanted = random.random(rows) < inside.mean() + 0.02
    places = [np.flatnonzero(~inside), np.flatnonzero(inside)]
    rows_drawn = np.where(wanted, random.choice(places[1], rows), random.choice(places[0], rows))
    return {column: market.tally(column, rows_drawn) for column in TESTS}


def fewer_reviewed(market: Source, rows: int, random: np.random.Generator) -> dict[str, Tally]:
    """Make reviews missing twice as often."""
    found = drawn_together(market, rows, random)
    share = float((market.codes["last_review"] < 0).mean())
    missing = int(random.binomial(rows, 2 * share))
    return {
        **found,
        "last_review": Tally(
            values=np.array([0]), counts=np.array([rows - missing]), missing=missing, name="last_review"
        ),
    }


@dataclass(frozen=True, kw_only=True)
class Case:
    """How the batches of a case are drawn; `column` is the shifted column, None where nothing is shifted.

    `part` divides the number of rows that was asked for.
    """

    title: str
    draw: Callable[[Source, int, np.random.Generator], dict[str, Tally]]
    apart: bool = False
    column: str | None = None
    part: int = 1

    @property
    def name(self) -> str:
        return f"{self.title}, 1/{self.part}"


AS_ASKED = (
    Case(title="same source", draw=drawn_together),
    Case(title="independent columns", draw=drawn_apart, apart=True),
    Case(title="price +5%", draw=partial(dearer, factor=1.05), column="price"),
    Case(title="price +10%", draw=partial(dearer, factor=1.1), column="price"),
    Case(title=f"{BOROUGH} +2 points", draw=more_in_borough, column="neighbourhood_group"),
    Case(title="reviews missing ×2", draw=fewer_reviewed, column="last_review"),
)
SHIFTED = tuple(case for case in AS_ASKED if case.column)
SMALL = tuple(replace(case, part=10) for case in SHIFTED)
CASES = (*AS_ASKED, *SMALL)
UNCORRECTED, BY_KL = "no correction", f"KL threshold {KL_THRESHOLD} alone"
FLOORED = f"holm, floor {MIN_EFFECT:g}"
METHODS = (*CORRECTIONS, FLOORED, UNCORRECTED, BY_KL)


def alarms(batch: Mapping[str, Tally], reference: Mapping[str, Tally], alpha: float) -> dict[str, set[str]]:
    """For each method, the columns whose null hypothesis (equal to the reference) it rejects."""
    outcomes = {column: test(batch[column], reference[column]) for column, test in TESTS.items()}
    entries = [SubmittedOutcome(node=column, outcome=outcome) for column, outcome in outcomes.items()]
    rules = {name: FamilyRules(alpha=alpha, correction=name, min_effect=0.0) for name in CORRECTIONS}
    rules[FLOORED] = FamilyRules(alpha=alpha, correction="holm", min_effect=MIN_EFFECT)
    found = {
        name: {each.node for each in judge_family(entries, rule) if each.rejected} for name, rule in rules.items()
    }
    found[UNCORRECTED] = {column for column, outcome in outcomes.items() if (outcome.p_value or 0.0) <= alpha}
    borough = "neighbourhood_group"
    divergence = kullback_leibler(batch[borough], reference[borough]).effect
    return {**found, BY_KL: {borough} if divergence > KL_THRESHOLD else set()}


def counted(market: Source, rows: int, seed: int, alpha: float, pairs: range) -> dict[str, Counts]:
    """For each case and method, the number of pairs with an alarm: in the shifted column, else in any column."""
    found: dict[str, Counts] = {case.name: dict.fromkeys(METHODS, 0) for case in CASES}
    for pair in pairs:
        for place, case in enumerate(CASES):
            random = np.random.default_rng([seed, pair, place])
            size = max(2, rows // case.part)
            reference = (drawn_apart if case.apart else drawn_together)(market, size, random)
            said = alarms(case.draw(market, size, random), reference, alpha)
            for method, columns in said.items():
                found[case.name][method] += bool(columns) if case.column is None else case.column in columns
    return found


def spread(market: Source, given: argparse.Namespace) -> dict[str, Counts]:
    """Count on all cores. Each pair has a seed of its own, so the number of cores does not change the counts."""
    cores = len(os.sched_getaffinity(0))
    parts = [range(start, given.pairs, 8 * cores) for start in range(min(8 * cores, given.pairs))]
    total: dict[str, Counts] = {case.name: dict.fromkeys(METHODS, 0) for case in CASES}
    fixed = [repeat(each) for each in (market, given.rows, given.seed, given.alpha)]
    with ProcessPoolExecutor(cores) as pool:
        for part in pool.map(counted, *fixed, parts):
            for title, counts in part.items():
                for method, count in counts.items():
                    total[title][method] += count
    return total


def interval(count: int, pairs: int) -> tuple[float, float]:
    low, high = stats.binomtest(count, pairs).proportion_ci(0.95, method="exact")
    return float(low), float(high)


def table(cases: Sequence[Case], total: Mapping[str, Counts], pairs: int) -> Iterator[str]:
    """The table with the share of pairs with an alarm, for each method."""
    cells = [["", *(case.title for case in cases)]]
    for method in METHODS:
        counts = (total[case.name][method] for case in cases)
        cells.append([method, *(shown(count, pairs) for count in counts)])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for title, *rest in cells:
        padded = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        yield "  ".join([title.ljust(widths[0]), *padded])


def shown(count: int, pairs: int) -> str:
    low, high = interval(count, pairs)
    return f"{count / pairs:.4f} [{low:.4f} {high:.4f}]"


def musts(total: Mapping[str, Counts], pairs: int, alpha: float) -> Iterator[tuple[str, bool]]:
    for title in ("same source", "independent columns"):
        for method in CORRECTIONS:
            low, _ = interval(total[f"{title}, 1/1"][method], pairs)
            yield f"{method}, {title}: the interval contains {alpha:g} or lies under it", low <= alpha
    for method in ("holm", "sidak"):
        share = total["independent columns, 1/1"][method] / pairs
        yield f"{method}, independent columns: over {0.4 * alpha:g}", share > 0.4 * alpha


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of each batch")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alpha", type=float, default=0.05)
    parser.add_argument("--data", default=str(DATA), help="a listings file, or `generated`")
    given = parser.parse_args()
    began = time.perf_counter()
    real = given.data != "generated" and Path(given.data).is_file()
    market = source(pd.read_csv(given.data) if real else simulate(40_000, given.seed).to_pandas())
    kind = Path(given.data).name if real else "generated listings"
    print(f"{given.pairs:,} pairs of batches of {given.rows:,} rows from the {market.rows:,} of {kind}; ", end="")
    print(f"alpha {given.alpha:g}, {len(TESTS)} tests a family, seed {given.seed}")
    total = spread(market, given)
    for said, cases in (
        ("False alarms: nothing was shifted, and any test of the family rejects", AS_ASKED[:2]),
        (f"Power in batches of {given.rows:,} rows: the shifted column's test rejects", SHIFTED),
        (f"Power in batches of {given.rows // 10:,} rows", SMALL),
    ):
        print(f"\n{said}")
        print("\n".join(table(cases, total, given.pairs)))
    print()
    missed = [said for said, holds in musts(total, given.pairs, given.alpha) if not holds]
    print(f"musts: {'all reached' if not missed else 'missed: ' + '; '.join(missed)}", end="")
    print(f" ({time.perf_counter() - began:.0f} s)")
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
