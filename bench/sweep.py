"""Time a sweep of fifteen random forests beside fifteen starts of the reference: one table.

    python bench/sweep.py [--starts 15] [--data LISTINGS.csv] [--reference FOLDER] [--workers N]

The reference takes about ten minutes for all fifteen trials. With --starts 3 it is started for three of them,
evenly spread over the fifteen, because their times differ. Half of the starts come before the sweep and half after
it, and the wall time is scaled to fifteen, which the table says. relet starts with an empty store, and MLflow is
its tracker.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from figures import Row, reached, table
from pipeline import SHARED, fresh, relet
from timing import Command, measure

TFIDF = ("10", "15", "30")
FEATURES = ("0.1", "0.33", "0.5", "0.75", "1.0")
MUST, AIM = 4.0, 6.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "nyc_2019_listings.csv")
    parser.add_argument("--reference", type=Path, default=SHARED / "bench" / "course_reference")
    print(table(rows(parser.parse_args())))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--starts", type=int, default=15, help="how many of the reference's fifteen are started")
    parser.add_argument("--workers", type=int, help="workers of the sweep (default: relet's own number)")


def rows(given: argparse.Namespace) -> list[Row]:
    """The only row: the wall time of the sweep beside that of the reference's starts."""
    trials = list(product(TFIDF, FEATURES))
    starts = getattr(given, "starts", None) or len(trials)
    chosen = spread_over(trials, starts)
    half = len(chosen) // 2
    with tempfile.TemporaryDirectory(prefix="relet-bench-") as scratch:
        before = [started(Path(scratch), given, *each) for each in chosen[:half]]
        ours = swept(Path(scratch), given)
        after = [started(Path(scratch), given, *each) for each in chosen[half:]]
    theirs = sum(before + after) * len(trials) / len(chosen)
    faster = theirs / ours
    scaled = "" if len(chosen) == len(trials) else f", scaled from {len(chosen)} starts"
    return [
        Row(
            figure="sweep of 15 random forests beside 15 starts of the reference",
            ours=f"{ours:.1f} s",
            other=f"{theirs:.0f} s{scaled}",
            ratio=f"{faster:.1f} times faster",
            must=f"{MUST:g}",
            aim=f"{AIM:g}",
            reached=reached(faster >= MUST, faster >= AIM),
        )
    ]


def spread_over(trials: Sequence[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """Choose so many of the trials, evenly spread.

    >>> spread_over([("a", "1"), ("a", "2"), ("b", "1"), ("b", "2"), ("c", "1")], 2)
    [('a', '2'), ('b', '2')]
    """
    count = max(1, min(count, len(trials)))
    return [trials[int((place + 0.5) * len(trials) / count)] for place in range(count)]


def started(scratch: Path, given: argparse.Namespace, tfidf: str, features: str) -> float:
    folder = Path(tempfile.mkdtemp(prefix="reference-", dir=scratch)) / "work"
    words = [str(given.reference / "run.sh"), str(given.data), str(folder)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = [f"max_tfidf={tfidf}", f"rf.max_features={features}"]
    return measure(Command(words=[*words, *settings], folder=scratch, environment={"PATH": path})).seconds


def swept(scratch: Path, given: argparse.Namespace) -> float:
    workers = [f"workers={given.workers}"] if getattr(given, "workers", None) else []
    command = relet(
        fresh(scratch),
        *("run", "nyc_rentals", "-m", "model=random_forest", f"etl.source='{given.data}'"),
        f"modeling.max_tfidf_features={','.join(TFIDF)}",
        f"modeling.random_forest.max_features={','.join(FEATURES)}",
        *workers,
    )
    reading = measure(command)
    finished = f"{len(TFIDF) * len(FEATURES)} of {len(TFIDF) * len(FEATURES)} trials finished"
    if finished not in reading.output:
        raise RuntimeError(f"the sweep did not finish:\n{reading.output[-3000:]}")
    return reading.seconds


if __name__ == "__main__":
    main()
