"""Compare the errors of the flagship's models with those of the usual way, on the same test rows: one table.

    python bench/accuracy.py [--seeds 5] [--families boosted,linear] [--apart] [--data LISTINGS.csv]
                             [--reference FOLDER] [model.setting=value …]

The reference's own scripts clean, split and train in this process, with a tracker that does nothing. relet's
`train_model` then learns from the same rows with the settings of `conf/model`. Each seed gives another split: a
random one, as the reference makes it, or with --apart one in which no host has listings on both sides. Settings
are chosen on validation rows; this program only reports.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT))

from relet.config import settings  # noqa: E402
from relet.project.folder import open_project  # noqa: E402
from relet.project.groups import with_groups  # noqa: E402
from relet.project.importing import set_library_defaults  # noqa: E402

# A run of relet does the same: threads that wait actively make a fit many times slower beside other processes.
set_library_defaults()

REFERENCE = "reference"
FAMILIES = ("random_forest", "boosted")


@dataclass(frozen=True, kw_only=True)
class Reached:
    """The result of one model on the test rows of one split. MAE in dollars; seconds to fit and validate."""

    mae: float
    r2: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The results of all models on one split, by name; the reference is one of them."""

    found: Mapping[str, Reached]

    @property
    def mae(self) -> dict[str, float]:
        return {name: reached.mae for name, reached in self.found.items()}

    def mae_ratio(self, family: str) -> float:
        return self.found[family].mae / self.found[REFERENCE].mae

    def r2_ratio(self, family: str) -> float:
        return self.found[family].r2 / self.found[REFERENCE].r2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "nyc_2019_listings.csv")
    parser.add_argument("--reference", type=Path, default=SHARED / "bench" / "course_reference")
    parser.add_argument("--families", default=",".join(FAMILIES), help="families, separated by commas")
    parser.add_argument("--apart", action="store_true", help="keep all listings of a host on one side")
    parser.add_argument("overrides", nargs="*", help="replace settings, such as boosted.num_leaves=15")
    given = parser.parse_args()
    compared = compare(
        given.data,
        given.reference,
        seeds=given.seeds,
        overrides=given.overrides,
        families=given.families.split(","),
        apart=given.apart,
    )
    print(f"medians of {given.seeds} splits of {given.data.name}")
    print("\n".join(table(compared)))


def compare(
    data: Path,
    reference: Path,
    *,
    seeds: int,
    overrides: Sequence[str] = (),
    families: Sequence[str] = FAMILIES,
    apart: bool = False,
) -> list[Compared]:
    """Measure each model on `seeds` splits, with the seeds 1, 2, 3 …; progress goes to the standard error.

    With `apart` all listings of a host are on one side, in the test and in the validation of relet's models.
    """
    made = []
    for seed in range(1, seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            made.append(_split_once(data, reference, Path(folder), seed, overrides, families, apart))
    return made


def _split_once(
    data: Path,
    reference: Path,
    folder: Path,
    seed: int,
    overrides: Sequence[str],
    families: Sequence[str],
    apart: bool,
) -> Compared:
    trainval, test = divided(reference, data, folder, seed, apart=apart)
    found = {REFERENCE: usual_way(reference, trainval, test, folder, seed)[0]}
    for family in families:
        found[family] = ours(family, trainval, test, seed, overrides, apart=apart)
    seen = ", ".join(f"{name} {reached.mae:.2f} ({reached.seconds:.1f} s)" for name, reached in found.items())
    print(f"seed {seed}: {seen}", file=sys.stderr)
    return Compared(found=found)


def divided(reference: Path, data: Path, folder: Path, seed: int, *, apart: bool = False) -> tuple[Path, Path]:
    """The rows to learn from and the rows to test on: split by the reference, or with hosts kept apart."""
    clean, trainval, test = (folder / name for name in ("clean.csv", "tv.csv", "te.csv"))
    script(reference / "basic_cleaning", inp=data, out=clean, min_price=10, max_price=350)
    if apart:
        import pandas as pd

        from relet.segregation import Rule, split

        rule = Rule(method="by_group", group_by="host_id", seed=seed)
        parts = split(pd.read_csv(clean), {"trainval": None, "test": 0.2}, rule)
        for rows, path in zip(parts, (trainval, test), strict=True):
            rows.to_csv(path, index=False)
    else:
        script(reference / "data_split", inp=clean, trainval=trainval, test=test, test_size=0.2, seed=seed)
    return trainval, test


def usual_way(
    reference: Path,
    trainval: Path,
    test: Path,
    folder: Path,
    seed: int,
    *,
    max_tfidf: int = 5,
    **changed: Any,
) -> tuple[Reached, Mapping[str, Any]]:
    """The reference's result on the test rows, and the global names that its training script defines.

    `changed` holds settings of its random forest.
    """
    model = folder / "model"
    forest = json.dumps({**_read_settings(reference / "config.yaml")["rf"], **changed})
    (folder / "rf.json").write_text(forest, encoding="utf-8")
    began = time.perf_counter()
    names = script(
        reference / "train_random_forest",
        trainval=trainval,
        rf_config=folder / "rf.json",
        max_tfidf=max_tfidf,
        out=model,
        seed=seed,
    )
    seconds = time.perf_counter() - began
    rows = names["pd"].read_csv(test)
    for column in ("name", "last_review"):
        rows[column] = rows[column].astype(object)
    return _reached(rows["price"], names["p"].predict(rows.drop(columns="price")), seconds), names


def ours(
    family: str, trainval: Path, test: Path, seed: int, overrides: Sequence[str] = (), *, apart: bool = False
) -> Reached:
    from pipelines.nyc_rentals.components.train_model import train_model

    arguments = arguments_of(family, seed, overrides)
    if apart:
        arguments["segregation"] = replace(arguments["segregation"], method="by_group")
    rows = as_table(trainval)
    began = time.perf_counter()
    trained = train_model(rows, **arguments)
    seconds = time.perf_counter() - began
    held_out = as_table(test)
    return _reached(held_out["price"], trained.model.predict(held_out.drop(columns="price")), seconds)


def arguments_of(family: str, seed: int, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """What train_model is called with: a family as conf/ has it, and those overrides that are settings of it."""
    project = open_project("nyc_rentals", ROOT)
    component = project.pipeline.component("train_model")
    chosen = [f"model={family}", f"main.seed={seed}"]
    base = settings(project.pipeline, project.conf, chosen)
    words = [f"modeling.{each.removeprefix('modeling.')}" for each in overrides]
    chosen += [each for each in words if base.fed_by(each.partition("=")[0])]
    values = settings(project.pipeline, project.conf, chosen).parameters["train_model"]
    for module in component.modules(values):
        import_module(module)
    return with_groups(component, values)


def script(folder: Path, **arguments: Any) -> Mapping[str, Any]:
    """Run a step of the reference in this process, and give the global names that its script defines."""
    with _stand_in(arguments), _within(folder), Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        return runpy.run_path(str(folder / "run.py"))


@contextmanager
def _stand_in(arguments: Mapping[str, Any]) -> Iterator[None]:
    """A module in place of the reference's `common`: it gives the arguments and a tracker that does nothing."""
    silent: Any = types.ModuleType("mlflow")
    silent.start_run = nullcontext
    for name in ("log_metrics", "log_params", "log_artifact", "log_artifacts", "log_figure"):
        setattr(silent, name, lambda *_, **__: None)
    silent.sklearn = types.SimpleNamespace(save_model=lambda *_, **__: None)
    common: Any = types.ModuleType("common")
    common.mlflow = silent
    common.args = lambda *_: argparse.Namespace(**{name: str(value) for name, value in arguments.items()})
    sys.modules["common"] = common
    try:
        yield
    finally:
        del sys.modules["common"]


@contextmanager
def _within(folder: Path) -> Iterator[None]:
    """Put the folder first on the import path, where a script that is started there finds it."""
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = before


def _read_settings(path: Path) -> dict[str, Any]:
    from omegaconf import OmegaConf

    read: Any = OmegaConf.to_container(OmegaConf.load(path))
    return dict(read)


def as_table(path: Path) -> Any:
    """Rows as a component gets them: with the stored types, in the stored order."""
    import pandas as pd

    rows = pd.read_csv(path)
    rows["last_review"] = pd.to_datetime(rows["last_review"])
    return rows.sort_values(list(rows.columns), na_position="first", ignore_index=True)


def _reached(truth: Any, predicted: Any, seconds: float) -> Reached:
    from relet.evaluation.metrics import regression

    found = regression(truth, predicted)
    return Reached(mae=found["mae"], r2=found["r2"], seconds=seconds)


def table(compared: Sequence[Compared]) -> Iterator[str]:
    """The table with one line for each model: medians over the seeds, and the range of the ratios."""
    yield "| model | test MAE, $ | R2 | MAE ÷ reference's (range) | fit and validate, s |"
    yield "|---|---|---|---|---|"
    for name in compared[0].found:
        ratios = [each.mae_ratio(name) for each in compared]
        reached = [each.found[name] for each in compared]
        columns = zip(*((each.mae, each.r2, each.seconds) for each in reached), strict=True)
        mae, r2, seconds = map(statistics.median, columns)
        spread = f"{statistics.median(ratios):.4f} ({min(ratios):.4f} to {max(ratios):.4f})"
        yield f"| {name} | {mae:.2f} | {r2:.3f} | {spread} | {seconds:.1f} |"


if __name__ == "__main__":
    main()
