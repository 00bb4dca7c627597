"""Measure relet as a stranger meets it, installed from a wheel: how one begins, ten data sets, import and size.

    python bench/own.py [--only begin,data,import,size] [--sets iris,wine] [--runs 3] [--keep FOLDER]

A wheel of this tree is installed into a fresh environment, without the repository. There `relet new NAME
--from-csv FILE --target COLUMN` makes a project for each data set. It is run, its tests are run, and its model is
scored on the test rows beside scikit-learn's HistGradientBoosting with default settings, fitted on the same rows:
by R², or by log loss, with accuracy beside. Settings of the templates are chosen by cross-validation on training
rows; this program only reports.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from figures import Row, reached, table
from layouts import UV, Environment, make_environment
from own_data import DATA_SETS, DataSet, write_data_sets
from timing import Command, Reading, alternate, median_seconds, paired_ratio

SCORES = Path(__file__).with_name("own_scores.py")
PARTS = ("begin", "data", "import", "size")
MB = 1e6
DATA_HEADER = (
    "| data set | task | new, run, test | measure | relet | scikit-learn's default | accuracy |",
    "|---|---|---|---|---|---|---|",
)
# How many packages of the largest the table of sizes names.
SHOWN = 12
_UNSET = ("PYTHONPATH", "VIRTUAL_ENV", "RELET_PROJECT", "PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS")


@dataclass(frozen=True, kw_only=True)
class OwnProject:
    """What became of one data set: seconds of each command, the first that failed, and scores by model."""

    seconds: Mapping[str, float]
    failed: str = ""
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def is_classified(self) -> bool:
        return "log_loss" in self.scores.get("ours", {})

    def gain(self, metric: str) -> float:
        """By how much the model is better than scikit-learn's default: above 0 where it is."""
        difference = self.scores["ours"][metric] - self.scores["other"][metric]
        return -difference if metric == "log_loss" else difference


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--sets", default="", help="data sets, separated by commas; all without it")
    parser.add_argument("--runs", type=int, default=5, help="how often imports are timed")
    parser.add_argument("--keep", type=Path, help="the folder in which the projects are made, and stay")
    given = parser.parse_args(arguments)
    folder = (given.keep or Path(tempfile.mkdtemp(prefix="relet-own-"))).resolve()
    parts = given.only.split(",")
    sets = [each for each in DATA_SETS if not given.sets or each.name in given.sets.split(",")]
    try:
        environment = make_environment(folder)
        rows = list(_measured(parts, sets, folder, environment, given.runs))
    finally:
        if given.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(table(rows))
    return 1 if any(row.reached == "no" for row in rows) else 0


def _measured(
    parts: Sequence[str], sets: Sequence[DataSet], folder: Path, environment: Environment, runs: int
) -> Iterator[Row]:
    if "size" in parts:
        yield size_row(environment)
    # the tracker is an extra
    wheel = next((folder / "dist").glob("*.whl"))
    environment.install(f"{wheel}[mlflow]")
    if {"begin", "data"} & set(parts):
        files = write_data_sets(folder, python=environment.python, uv=UV)
    if "begin" in parts:
        yield begin(folder, environment, files["penguins"])
    if "data" in parts:
        made = {}
        print("\n".join(DATA_HEADER), flush=True)
        for each in sets:
            made[each] = try_data_set(each, files[each.name], folder, environment)
            print(data_line(each, made[each]), flush=True)
        yield from data_rows(made)
    if "import" in parts:
        yield from import_rows(folder, environment, runs)


def begin(folder: Path, environment: Environment, file: Path) -> Row:
    """From an empty folder to a model, trained, tested and tracked: commands, and seconds beyond installing."""
    home = folder / "first"
    home.mkdir()
    commands = [
        (home, ["new", "penguins", "--from-csv", str(file), "--target", "species"]),
        (home / "penguins", ["run", "penguins", "main.evaluate=true"]),
    ]
    began = time.perf_counter()
    for where, words in commands:
        ended = _command(environment, "relet", *words, where=where, cache=folder / "first-cache")
        if ended.returncode:
            raise RuntimeError(f"relet {' '.join(words)}: {_last_words(ended)}")
    seconds = time.perf_counter() - began
    if not (home / "penguins" / "mlflow.db").exists():
        raise RuntimeError("nothing was tracked")
    count = len(commands)
    return Row(
        figure="from an empty folder to a first model, tested and tracked",
        ours=f"{count} commands, {seconds:.1f} s",
        other="",
        ratio="",
        must="3, 60 s",
        aim="2, 30 s",
        reached=reached(count <= 3 and seconds <= 60, count <= 2 and seconds <= 30),
    )


def try_data_set(data: DataSet, file: Path, folder: Path, environment: Environment) -> OwnProject:
    """Make a project for a file, run it and its tests, and score its model."""
    home, seconds = folder / "own" / data.name, {}
    home.parent.mkdir(exist_ok=True)
    steps = {
        "new": (home.parent, "relet", "new", data.name, "--from-csv", str(file), "--target", data.target),
        "run": (home, "relet", "run", data.name, "main.evaluate=true"),
        "test": (home, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        "score": (home, "python", str(SCORES), data.name),
    }
    for step, (where, program, *words) in steps.items():
        began = time.perf_counter()
        ended = _command(environment, program, *words, where=where, cache=folder / "cache")
        seconds[step] = time.perf_counter() - began
        if ended.returncode:
            return OwnProject(seconds=seconds, failed=f"{step}: {_last_words(ended)}")
    found = json.loads(ended.stdout.splitlines()[-1])
    return OwnProject(seconds=seconds, scores={name: found[name] for name in ("ours", "other")})


def _command(
    environment: Environment, program: str, *words: str, where: Path, cache: Path
) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if name not in _UNSET}
    variables["PATH"] = os.pathsep.join([str(environment.folder / "bin"), variables.get("PATH", "")])
    return subprocess.run(
        [environment.folder / "bin" / program, *words],
        cwd=where,
        env={**variables, "RELET_CACHE": str(cache)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def _last_words(ended: subprocess.CompletedProcess[str]) -> str:
    return (ended.stdout + ended.stderr).strip()[-600:]


def data_line(data: DataSet, found: OwnProject) -> str:
    """The line of one data set, below DATA_HEADER."""
    seconds = ", ".join(f"{value:.1f} s" for value in list(found.seconds.values())[:3])
    if found.failed:
        return f"| {data.name} | {data.task} | {seconds} | FAILED | {' '.join(found.failed.split())} | | |"
    metric = "log_loss" if found.is_classified else "r2"
    ours, other = found.scores["ours"], found.scores["other"]
    beside = f"{ours['accuracy']:.3f}, {other['accuracy']:.3f}" if found.is_classified else ""
    return (
        f"| {data.name} | {data.task} | {seconds} | {metric.replace('_', ' ')} | {ours[metric]:.4f} | "
        f"{other[metric]:.4f} | {beside} |"
    )


def data_rows(made: Mapping[DataSet, OwnProject]) -> Iterator[Row]:
    """Two figures: on how many data sets it works, and on how many the model is no worse and better."""
    work = {data: found for data, found in made.items() if not found.failed}
    count = len(made)
    yield Row(
        figure="data sets of others: `--from-csv` runs and its test passes",
        ours=f"{len(work)} of {count}",
        other="",
        ratio="",
        must=f"{count}",
        aim="",
        reached=reached(len(work) == count, True),
    )
    gains = {data: found.gain("log_loss" if found.is_classified else "r2") for data, found in work.items()}
    no_worse, better = sum(gain >= 0 for gain in gains.values()), sum(gain > 0 for gain in gains.values())
    by_score = sum(found.gain("accuracy" if found.is_classified else "r2") >= 0 for found in work.values())
    yield Row(
        figure="test score (R², log loss) beside scikit-learn's default, same split",
        ours=f"no worse on {no_worse}, better on {better} of {count}",
        other=f"by R² and accuracy: no worse on {by_score}",
        ratio="",
        must="no worse on 8",
        aim="better on 7",
        reached=reached(no_worse >= 8, better >= 7),
    )


def import_rows(folder: Path, environment: Environment, runs: int) -> Iterator[Row]:
    """`import relet` and `relet --help`, beside `import mlflow` of the same environment."""
    variables = {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": ""}
    python, relet = str(environment.python), str(environment.folder / "bin" / "relet")
    commands = {
        "import relet": [python, "-c", "import relet"],
        "relet --help": [relet, "--help"],
        "import mlflow": [python, "-c", "import mlflow"],
    }
    made = {name: Command(words=words, folder=folder, environment=variables) for name, words in commands.items()}
    makers = {name: (lambda command=command: command) for name, command in made.items()}
    found: dict[str, list[Reading]] = alternate(makers, runs, warm_up=True)
    other = median_seconds(found["import mlflow"])
    for name in ("import relet", "relet --help"):
        ratio = paired_ratio(found[name], found["import mlflow"])
        yield Row(
            figure=f"`{name}` beside `import mlflow`",
            ours=f"{median_seconds(found[name]):.3f} s",
            other=f"{other:.2f} s",
            ratio=f"{ratio:.3f}",
            must="0.04",
            aim="0.03",
            reached=reached(ratio <= 0.04, ratio <= 0.03),
        )


def size_row(environment: Environment) -> Row:
    """The unpacked size of a plain install, as the packages' own lists of files have it; prints the largest."""
    sizes = dict(sorted(package_sizes(environment.packages).items(), key=lambda each: -each[1]))
    total = sum(sizes.values())
    print("| package | MB |\n|---|---|")
    shown = list(sizes.items())[:SHOWN]
    shown.append((f"{len(sizes) - SHOWN} more", total - sum(size for _, size in shown)))
    print("\n".join(f"| {name} | {size / MB:.1f} |" for name, size in shown))
    return Row(
        figure="unpacked size of a plain install",
        ours=f"{total / MB:.0f} MB in {len(sizes)} packages",
        other="",
        ratio="",
        must="reported",
        aim="350 MB",
        reached=reached(True, total <= 350 * MB),
    )


def package_sizes(folder: Path) -> dict[str, int]:
    """Bytes of each package in a folder of packages, without what Python compiled since."""
    sizes = {}
    for each in distributions(path=[str(folder)]):
        files = [Path(str(file.locate())) for file in each.files or () if file.suffix != ".pyc"]
        sizes[each.metadata["Name"]] = sum(file.stat().st_size for file in files if file.is_file())
    return sizes


if __name__ == "__main__":
    sys.exit(main())
