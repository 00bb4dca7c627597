"""Time getting, cleaning, checking and splitting listings, beside the same work in pandas and SciPy.

    python bench/data.py [--runs 3] [--data LISTINGS.csv] [--tiles 1,10,100] [--against pandas-csv,pandas-parquet]

Each reading is a process of its own. It does the work once on a few rows before its time is taken, so that imports
are left out. relet and pandas take turns. The file is repeated to 431,360 and 4,313,600 rows, with new ids in
ascending order, as in the public file. On both sides each step reads what the step before stored, and stores what
it makes. pandas stores CSV, as the reference's steps do, and as a second opponent Parquet. (relet also keeps the
source and digests all of it, which pandas does not do.)
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
STEPS = ("get_data", "basic_cleaning", "data_check", "data_split")
BOROUGHS = ("Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island")
NEEDED = ("neighbourhood_group", "neighbourhood", "room_type", "latitude", "longitude", "minimum_nights")
WARM_UP_ROWS = 2000


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One timed run: seconds without imports, peak memory of the process in MB, and rows in and out."""

    seconds: float
    megabytes: float
    rows: dict[str, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "nyc_2019_listings.csv")
    parser.add_argument("--tiles", default="1,10,100", help="how often to repeat the rows, with commas")
    parser.add_argument("--against", default="pandas-csv,pandas-parquet")
    parser.add_argument("--work", nargs=3, metavar=("WHO", "SOURCE", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        print(json.dumps(work(*given.work)))
        return
    who = ["relet", *filter(None, given.against.split(","))]
    found: dict[int, dict[str, list[Reading]]] = {}
    with tempfile.TemporaryDirectory(prefix="relet-bench-") as scratch:
        for tiles in map(int, given.tiles.split(",")):
            source = Path(scratch) / f"listings-{tiles}.csv"
            tile(given.data, tiles, source)
            found[tiles] = alternate(who, source, given.runs)
            source.unlink()
    print(table(found))


def tile(source: Path, times: int, target: Path) -> None:
    """Write the file's rows so many times, each time with ids above those before."""
    with source.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = next(reader)
        rows = [(int(record[0]), _line(record[1:])) for record in reader]
    step = max(number for number, _ in rows) + 1
    with target.open("w", newline="", encoding="utf-8") as file:
        file.write(_line(header))
        for time in range(times):
            file.write("".join(f"{number + time * step},{rest}" for number, rest in rows))


def _line(record: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(record)
    return text.getvalue()


def alternate(who: Sequence[str], source: Path, runs: int) -> dict[str, list[Reading]]:
    readings: dict[str, list[Reading]] = {name: [] for name in who}
    for _ in range(runs):
        for name in who:
            readings[name].append(measured(name, source))
    return readings


def measured(who: str, source: Path) -> Reading:
    with tempfile.TemporaryDirectory(prefix=f"relet-bench-{who}-") as folder:
        command = [sys.executable, __file__, "--work", who, str(source), folder]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ))
        if done.returncode:
            raise RuntimeError(f"{who} on {source.name} failed:\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
    reading = Reading(**json.loads(done.stdout.splitlines()[-1]))
    print(f"{source.name:<20}{who:<16}{reading.seconds:8.2f} s {reading.megabytes:7.0f} MB", file=sys.stderr)
    return reading


def work(who: str, source: str, folder: str) -> dict[str, Any]:
    """Do the work once on a few rows, so that everything is imported, then on all rows."""
    import resource
    import time

    do = in_relet if who == "relet" else lambda *arguments: in_pandas(*arguments, storing=who.partition("-")[2])
    few = Path(folder) / "few.csv"
    with Path(source).open(newline="", encoding="utf-8") as file, few.open("w", encoding="utf-8") as start:
        rows = csv.reader(file)
        start.writelines(_line(record) for _, record in zip(range(WARM_UP_ROWS + 1), rows, strict=False))
    do(few, Path(folder) / "few")
    began = time.perf_counter()
    made = do(Path(source), Path(folder) / "all")
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows": made,
    }


def in_relet(source: Path, folder: Path) -> dict[str, int]:
    import relet

    os.environ["RELET_STORE"] = str(folder)
    outcome = relet.run(
        "nyc_rentals",
        f"etl.source={source}",
        "tracking=[]",
        "data_check.min_rows=100",
        "data_check.max_rows=100000000",
        steps=list(STEPS),
    )
    refused = [each.verdict.reason for each in outcome.results if each.verdict and not each.verdict.passed]
    if outcome.exit_status not in (0, 3) or (refused and source.name != "few.csv"):
        raise RuntimeError(f"the run ended with {outcome.exit_status}: {refused}")
    versions = {name: version for each in outcome.results for name, version in each.outputs.items()}
    return {name: version.metadata["rows"] for name, version in versions.items() if "rows" in version.metadata}


def in_pandas(source: Path, folder: Path, *, storing: str) -> dict[str, int]:
    """Do the four steps as scripts do: each reads what the step before stored, and stores what it makes."""
    folder.mkdir()
    steps = Scripts(folder, storing)
    steps.get(source)
    steps.clean()
    # as in relet, the first batch is compared with itself
    check_in_scipy(steps.read("clean_sample"), steps.read("clean_sample"))
    steps.split()
    return steps.rows


class Scripts:
    """The work of the flagship as scripts, with the same columns, reasons, sides and leaks."""

    def __init__(self, folder: Path, storing: str) -> None:
        self.folder = folder
        self.storing = storing
        self.rows: dict[str, int] = {}

    def read(self, name: str) -> Any:
        import pandas as pd

        if self.storing == "csv":
            return pd.read_csv(self.folder / f"{name}.csv", parse_dates=["last_review"])
        return pd.read_parquet(self.folder / f"{name}.parquet")

    def store(self, name: str, frame: Any) -> None:
        self.rows[name] = len(frame)
        if self.storing == "csv":
            frame.to_csv(self.folder / f"{name}.csv", index=False)
        else:
            frame.to_parquet(self.folder / f"{name}.parquet", compression="zstd")

    def get(self, source: Path) -> None:
        import pandas as pd

        sample = pd.read_csv(source, parse_dates=["last_review"])
        assert sample["id"].is_unique and sample["id"].notna().all()
        if self.storing == "csv":
            shutil.copy(source, self.folder / "sample.csv")
            self.rows["sample"] = len(sample)
        else:
            self.store("sample", sample)

    def clean(self) -> None:
        import numpy as np

        sample = self.read("sample")
        inside = sample["longitude"].between(-74.25, -73.5) & sample["latitude"].between(40.5, 41.2)
        conditions = [sample["price"].isna(), sample["price"] < 10, sample["price"] > 350]
        reasons = ["no price", "price below 10", "price above 350"]
        for name in NEEDED:
            conditions.append(sample[name].isna())
            reasons.append(f"no {name}")
        reason = np.select([*conditions, ~inside], [*reasons, "outside the city"], default="")
        keep = reason == ""
        self.store("clean_sample", sample[keep].reset_index(drop=True))
        self.store("quarantine", sample.assign(reason=reason)[~keep].reset_index(drop=True))

    def split(self) -> None:
        import numpy as np
        import pandas as pd

        clean = self.read("clean_sample")
        in_test = pd.util.hash_array(clean["id"].to_numpy()) < np.uint64(0.2 * 2**64)
        trainval, test = clean[~in_test].reset_index(drop=True), clean[in_test].reset_index(drop=True)
        del clean
        for part in (trainval, test):
            part["neighbourhood_group"].value_counts(normalize=True)
        np.isin(test["id"], trainval["id"]).sum()
        np.isin(test["host_id"], trainval["host_id"]).sum()
        rows, others = (
            pd.util.hash_pandas_object(part.drop(columns="id"), index=False) for part in (test, trainval)
        )
        np.isin(rows, others).sum()
        self.store("trainval", trainval)
        self.store("test", test)


def check_in_scipy(data: Any, reference: Any) -> list[float]:
    """The flagship's suite: checks on each row, and on whether the batch has the reference's distribution."""
    import numpy as np
    import scipy.stats as stats

    assert not data["id"].duplicated().any()
    assert data["neighbourhood_group"].isin(BOROUGHS).all()
    assert set(data["neighbourhood_group"].unique()) == set(BOROUGHS)
    assert (data["longitude"].between(-74.25, -73.5) & data["latitude"].between(40.5, 41.2)).all()
    assert data["price"].between(10, 350).all()

    def shares(name: str) -> Any:
        counts = [side[name].value_counts() for side in (data, reference)]
        return np.array([counts[0].reindex(counts[1].index, fill_value=0), counts[1]])

    p, q = shares("neighbourhood_group")
    assert stats.entropy(p, q, base=2) <= 0.2
    missing = [[side["last_review"].isna().sum(), side["last_review"].notna().sum()] for side in (data, reference)]
    found = [
        stats.chi2_contingency(shares("neighbourhood_group")).pvalue,
        stats.chi2_contingency(shares("room_type")).pvalue,
        stats.mannwhitneyu(data["price"], reference["price"], alternative="greater").pvalue,
        stats.chi2_contingency(missing).pvalue,
    ]
    for name in (
        "price",
        "minimum_nights",
        "availability_365",
        "number_of_reviews",
        "calculated_host_listings_count",
    ):
        found.append(stats.ks_2samp(data[name], reference[name]).pvalue)
    ascending = np.sort(found)
    holm = np.maximum.accumulate(ascending * np.arange(len(found), 0, -1))
    assert holm[0] > 0.05
    return [float(value) for value in holm]


def table(found: dict[int, dict[str, list[Reading]]]) -> str:
    lines = ["| figure | relet | the other | | must | aim |", "|---|---|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in _rows(found))])


def _rows(found: dict[int, dict[str, list[Reading]]]) -> Iterator[tuple[str, ...]]:
    for readings in found.values():
        rows = readings["relet"][0].rows["sample"]
        for other in (name for name in readings if name != "relet"):
            ours, theirs = (_seconds(readings[name]) for name in ("relet", other))
            if rows < 100_000:
                seen = f"{_paired(readings, other):.2f} times as long"
                goal = ("4 times", "")
            else:
                seen = f"{1 / _paired(readings, other):.1f} times faster"
                goal = ("6 times", "12 times") if rows > 1_000_000 else ("", "")
            yield f"{rows:,} rows, {other}", f"{ours:.2f} s", f"{theirs:.2f} s", seen, *goal
            if rows > 1_000_000:
                mine, other_s = (
                    statistics.median(each.megabytes for each in readings[name]) for name in ("relet", other)
                )
                share = f"{mine / other_s:.2f} of it"
                yield f"peak memory there, {other}", f"{mine:.0f} MB", f"{other_s:.0f} MB", share, "0.25", ""
    sizes = {readings["relet"][0].rows["sample"]: _seconds(readings["relet"]) for readings in found.values()}
    large = [size for size in sorted(sizes) if size > 100_000]
    if len(large) > 1:
        few, many = large[0], large[-1]
        each, other = sizes[many] / many * 1e6, sizes[few] / few * 1e6
        yield (
            f"time per row, {many:,} beside {few:,}",
            f"{each:.2f} µs",
            f"{other:.2f} µs",
            f"{each / other:.2f} times",
            "1.2 times",
            "",
        )


def _seconds(readings: Sequence[Reading]) -> float:
    return statistics.median(each.seconds for each in readings)


def _paired(readings: dict[str, list[Reading]], other: str) -> float:
    pairs = zip(readings["relet"], readings[other], strict=True)
    return statistics.median(ours.seconds / theirs.seconds for ours, theirs in pairs)


if __name__ == "__main__":
    main()
