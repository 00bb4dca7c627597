"""Measure what a search for better settings gains, and whether one worker and two find the same: one table.

    python bench/search.py [--trials 40] [--again 9] [--seeds 5] [--workers 2] [--family boosted]
                           [--data LISTINGS.csv]

The gain on validation is that of the best trial over the configured settings, as the mean of three folds. The
search chose by this number, so it is too optimistic. The gain on test is the mean over seeds of training, on one
split whose test rows no trial has seen. One worker with an empty store repeats the first --again trials.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from figures import Row, reached, spread, table
from pipeline import SHARED, fresh, relet
from timing import measure

METRIC = "mae"
SPLIT = "segregation.seed=42"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--again", type=int, default=9, help="how many of the trials one worker repeats")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of training, for the gain on test")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--family", default="boosted")
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "nyc_2019_listings.csv")
    print(table(rows(parser.parse_args())))


def rows(given: argparse.Namespace) -> list[Row]:
    """The gain on validation and on test, and the same trials by one worker."""
    trials, family = getattr(given, "trials", 40), getattr(given, "family", "boosted")
    workers, again = getattr(given, "workers", None) or 2, getattr(given, "again", 9)
    with tempfile.TemporaryDirectory(prefix="relet-bench-") as scratch:
        folder = fresh(Path(scratch))
        seconds, events = tuned(folder, given.data, family, trials, workers)
        best, default = events[-1]["winner"], events[-1]["default"]
        other_seconds, others = tuned(fresh(Path(scratch)), given.data, family, min(again, trials), 1)
        tested = on_test(folder, given.data, family, given.seeds) if events[-1]["written"] else None
    first, same = shapes(others), shapes(events)[: min(again, trials)]
    pruned = sum(each["outcome"] == "pruned" for each in events if each["event"] == "trial")
    made = [
        Row(
            figure=f"search, {trials} trials of {family} by {workers} workers ({pruned} given up early): "
            f"validation {METRIC}",
            ours=f"{best['value']:.3f} in {seconds:.0f} s",
            other=f"{default['value']:.3f} as configured",
            ratio=f"{best['value'] / default['value']:.4f}",
            must="reported",
            aim="",
            reached="",
        ),
        Row(
            figure=f"its first {len(first)} trials, by one worker again",
            ours="the same" if first == same else "others",
            other=f"{other_seconds:.0f} s",
            ratio="",
            must="the same",
            aim="the same",
            reached=reached(first == same, first == same),
        ),
    ]
    if tested:
        made.append(
            Row(
                figure=f"test {METRIC} of its winner, {given.seeds} seeds of training",
                ours=spread(tested["tuned"], ".2f"),
                other=f"{spread(tested[family], '.2f')} as configured",
                ratio=f"{statistics.mean(tested['tuned']) / statistics.mean(tested[family]):.4f}",
                must="reported",
                aim="",
                reached="",
            )
        )
    return made


def tuned(folder: Path, data: Path, family: str, trials: int, workers: int) -> tuple[float, list[dict[str, Any]]]:
    """Run a search; give its seconds and its output."""
    words = ("tune", "nyc_rentals", "--json", f"trials={trials}", f"workers={workers}", f"model={family}")
    reading = measure(relet(folder, *words, SPLIT, "tracking=[]", f"etl.source='{data}'"))
    return reading.seconds, [json.loads(line) for line in reading.output.splitlines() if line.startswith("{")]


def shapes(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The facts of each trial that must not depend on who measured it."""
    found = [each for each in events if each["event"] == "trial"]
    return [(each["trial"], each["values"], each["outcome"], each["folds"]) for each in found]


def on_test(folder: Path, data: Path, family: str, seeds: int) -> dict[str, list[float]]:
    """The test error of the winner and of the configured settings, for each seed of training."""
    words = (f"model={family},tuned", f"main.seed={','.join(map(str, range(1, seeds + 1)))}", SPLIT)
    command = relet(
        *(folder, "run", "nyc_rentals", "-m", "--json", *words),
        *("main.evaluate=true", "tracking=[]", f"etl.source='{data}'"),
    )
    found: dict[str, list[float]] = {family: [], "tuned": []}
    for line in measure(command).output.splitlines():
        event = json.loads(line) if line.startswith("{") else {}
        if event.get("event") == "trial":
            (model,) = (each for each in event["overrides"] if each.startswith("model="))
            found[model.removeprefix("model=")].append(event["metrics"][f"test_{METRIC}"])
    return found


if __name__ == "__main__":
    main()
