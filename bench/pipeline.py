"""Measure how fast the flagship is beside the usual way: one table, with ratios taken in one run.

    python bench/pipeline.py [--runs 3] [--data LISTINGS.csv] [--reference FOLDER] [--only cold,warm,step,accuracy]

The reference is six MLflow project steps, joined by Hydra. Both run in the environment of this program.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from figures import Row, reached, table
from timing import Command, Reading, alternate, median_seconds, paired_ratio

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
NOTHING = """
from typing import NamedTuple
from relet import Metrics, component

class Made{number}(NamedTuple):
    made_{number}: Metrics

@component(job_type="nothing")
def nothing_{number}() -> Made{number}:
    return Made{number}({{}})
"""
GLUE = """
import os, sys, mlflow
for number in range(int(sys.argv[1])):
    mlflow.run(os.path.join(os.path.dirname(__file__), "step"), "main", env_manager="local")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "nyc_2019_listings.csv")
    parser.add_argument("--reference", type=Path, default=SHARED / "bench" / "course_reference")
    parser.add_argument("--only", default="cold,warm,step,accuracy", help="which parts, separated by commas")
    parser.add_argument("--seeds", type=int, default=5, help="how many splits the accuracy is measured on")
    given = parser.parse_args()
    parts = given.only.split(",")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="relet-bench-") as scratch:
        if "cold" in parts:
            rows += cold(Path(scratch), given.data, given.reference, given.runs)
        if "warm" in parts:
            rows += warm(Path(scratch), given.data, max(given.runs, 5))
        if "step" in parts:
            rows += per_step(Path(scratch), given.runs)
        if "accuracy" in parts:
            rows += accuracy(given.data, given.reference, given.seeds)
    print(table(rows))


def fresh(scratch: Path) -> Path:
    """A project with the flagship, and nothing stored or tracked."""
    folder = Path(tempfile.mkdtemp(prefix="project-", dir=scratch))
    shutil.copytree(ROOT / "pipelines", folder / "pipelines", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.lock", folder)
    return folder


def relet(folder: Path, *words: str) -> Command:
    environment = {name: "" for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID") if name in os.environ}
    return Command(
        words=[str(Path(sys.executable).with_name("relet")), *words], folder=folder, environment=environment
    )


def import_mlflow(folder: Path) -> Command:
    return Command(words=[sys.executable, "-c", "import mlflow"], folder=folder, environment={})


def flagship(folder: Path, data: Path, *words: str) -> Command:
    return relet(folder, "run", "nyc_rentals", f"etl.source='{data}'", "main.evaluate=true", *words)


def cold(scratch: Path, data: Path, reference: Path, runs: int) -> Iterator[Row]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def usual() -> Command:
        folder = Path(tempfile.mkdtemp(prefix="reference-", dir=scratch)) / "work"
        words = [str(reference / "run.sh"), str(data), str(folder)]
        return Command(words=words, folder=scratch, environment={"PATH": path})

    readings = alternate(
        {
            "reference": usual,
            "forest": lambda: flagship(fresh(scratch), data, "model=random_forest"),
            "default": lambda: flagship(fresh(scratch), data),
        },
        runs,
    )
    for name, shown in (("forest", "cold run, model=random_forest"), ("default", "cold run, default model")):
        faster = 1 / paired_ratio(readings[name], readings["reference"])
        yield _row(
            shown,
            readings[name],
            readings["reference"],
            f"{faster:.1f} times faster",
            "3",
            "5",
            faster >= 3,
            faster >= 5,
        )
    peak = max(reading.megabytes for name in ("forest", "default") for reading in readings[name])
    yield Row(
        figure="peak memory of the cold run",
        ours=f"{peak:.0f} MB",
        other=f"{max(reading.megabytes for reading in readings['reference']):.0f} MB",
        ratio="",
        must="900 MB",
        aim="600 MB",
        reached=reached(peak < 900, peak < 600),
    )


def warm(scratch: Path, data: Path, runs: int) -> Iterator[Row]:
    folder = fresh(scratch)
    command = flagship(folder, data)
    alternate({"first": lambda: command}, 1)
    readings = alternate(
        {
            "again": lambda: command,
            "help": lambda: relet(folder, "--help"),
            "mlflow": lambda: import_mlflow(folder),
        },
        runs,
        warm_up=True,
    )
    for name, shown, must, aim in (
        ("again", "run again, nothing changed ÷ import mlflow", 0.4, 0.25),
        ("help", "relet --help ÷ import mlflow", 0.13, 0.08),
    ):
        ratio = paired_ratio(readings[name], readings["mlflow"])
        yield _row(
            shown,
            readings[name],
            readings["mlflow"],
            f"{ratio:.3f}",
            str(must),
            str(aim),
            ratio <= must,
            ratio <= aim,
        )


def per_step(scratch: Path, runs: int, few: int = 1, many: int = 21, many_usual: int = 3) -> Iterator[Row]:
    usual = _usual_steps(scratch)
    readings = alternate(
        {
            "few": lambda: relet(_nothings(scratch, few), "run", "nothing"),
            "many": lambda: relet(_nothings(scratch, many), "run", "nothing"),
            "usual few": lambda: usual(1),
            "usual many": lambda: usual(many_usual),
        },
        runs,
    )
    ours = (median_seconds(readings["many"]) - median_seconds(readings["few"])) / (many - few)
    theirs = (median_seconds(readings["usual many"]) - median_seconds(readings["usual few"])) / (many_usual - 1)
    less = theirs / max(ours, 1e-4)
    yield Row(
        figure="overhead of one more step, tracker on",
        ours=f"{ours * 1000:.0f} ms",
        other=f"{theirs * 1000:.0f} ms",
        ratio=f"{less:.0f} times less",
        must="40",
        aim="100",
        reached=reached(less >= 40, less >= 100),
    )


def _nothings(scratch: Path, count: int) -> Path:
    """A project whose pipeline has `count` components that do nothing."""
    root = Path(tempfile.mkdtemp(prefix="nothing-", dir=scratch))
    folder = root / "pipelines" / "nothing"
    (folder / "conf").mkdir(parents=True)
    (folder / "conf" / "config.yaml").write_text("main: {experiment_name: nothing}\nstore: {url: .relet}\n")
    names = [f"nothing_{number}" for number in range(count)]
    for number, name in enumerate(names):
        (folder / f"{name}.py").write_text(NOTHING.format(number=number))
    imports = "".join(f"from pipelines.nothing.{name} import {name}\n" for name in names)
    (folder / "pipeline.py").write_text(
        f"from relet import Pipeline\n{imports}pipeline = Pipeline([{', '.join(names)}])\n"
    )
    return root


def _usual_steps(scratch: Path) -> Callable[[int], Command]:
    folder = Path(tempfile.mkdtemp(prefix="usual-", dir=scratch))
    (folder / "step").mkdir()
    (folder / "step" / "MLproject").write_text(
        'name: nothing\nentry_points:\n  main:\n    command: "python run.py"\n'
    )
    (folder / "step" / "run.py").write_text("import mlflow\nwith mlflow.start_run():\n    pass\n")
    (folder / "glue.py").write_text(GLUE)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(steps: int) -> Command:
        empty = tempfile.mkdtemp(prefix="tracked-", dir=scratch)
        environment = {"PATH": path, "MLFLOW_TRACKING_URI": f"sqlite:///{empty}/mlflow.db"}
        return Command(
            words=[sys.executable, str(folder / "glue.py"), str(steps)], folder=folder, environment=environment
        )

    return run


def accuracy(data: Path, reference: Path, seeds: int) -> Iterator[Row]:
    from accuracy import compare

    compared = compare(data, reference, seeds=seeds)
    for family, must, aim in (("boosted", "0.89", "0.865"), ("random_forest", "0.99 to 1.01", "")):
        ratio = statistics.median(each.mae_ratio(family) for each in compared)
        r2 = statistics.median(each.r2_ratio(family) for each in compared)
        held = reached(ratio <= 0.89, ratio <= 0.865) if aim else reached(0.99 <= ratio <= 1.01, False)
        yield Row(
            figure=f"test MAE, {family}, median of {len(compared)} seeds",
            ours=f"{statistics.median(each.mae[family] for each in compared):.2f}",
            other=f"{statistics.median(each.mae['reference'] for each in compared):.2f}",
            ratio=f"{ratio:.3f} (R2 {r2:.3f})",
            must=must,
            aim=aim,
            reached=held,
        )


def _row(
    figure: str,
    ours: list[Reading],
    other: list[Reading],
    ratio: str,
    must: str,
    aim: str,
    has_must: bool,
    has_aim: bool,
) -> Row:
    return Row(
        figure=figure,
        ours=f"{median_seconds(ours):.2f} s",
        other=f"{median_seconds(other):.2f} s",
        ratio=ratio,
        must=must,
        aim=aim,
        reached=reached(has_must, has_aim),
    )


if __name__ == "__main__":
    main()
