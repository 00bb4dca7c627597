"""Ten data sets that nobody here made: those that scikit-learn brings, and CSV files of other packages."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Packages whose CSV files are read; they are installed into a folder without what they need.
PACKAGES = ("palmerpenguins", "plotnine", "statsmodels", "vega-datasets")
_WRITTEN = """
import sys
from sklearn import datasets
getattr(datasets, "load_" + sys.argv[1])(as_frame=True).frame.to_csv(sys.argv[2], index=False)
"""


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A file and the column that is predicted; `place` is a path in the packages, or the name of scikit-learn."""

    name: str
    place: str
    target: str
    task: str


DATA_SETS = (
    DataSet(name="iris", place="iris", target="target", task="3 classes"),
    DataSet(name="wine", place="wine", target="target", task="3 classes"),
    DataSet(name="breast_cancer", place="breast_cancer", target="target", task="2 classes"),
    DataSet(name="digits", place="digits", target="target", task="10 classes"),
    DataSet(name="diabetes", place="diabetes", target="target", task="regression"),
    DataSet(name="penguins", place="palmerpenguins/data/penguins.csv", target="species", task="3 classes"),
    DataSet(name="diamonds", place="plotnine/data/diamonds.csv", target="price", task="regression"),
    DataSet(name="mpg", place="plotnine/data/mpg.csv", target="hwy", task="regression"),
    DataSet(name="anes96", place="statsmodels/datasets/anes96/anes96.csv", target="vote", task="2 classes"),
    DataSet(name="weather", place="vega_datasets/_data/seattle-weather.csv", target="weather", task="5 classes"),
)


def write_data_sets(folder: Path, *, python: Path, uv: Path) -> dict[str, Path]:
    """Each data set's file, by name. `python` has scikit-learn; the packages are fetched into the folder."""
    packages = folder / "packages"
    words = [uv, "pip", "install", "-q", "--no-deps", "--python", python, "--target", packages, *PACKAGES]
    subprocess.run(words, check=True)
    files = {}
    for each in DATA_SETS:
        files[each.name] = folder / f"{each.name}.csv"
        if "/" in each.place:
            shutil.copy(packages / each.place, files[each.name])
        else:
            subprocess.run([python, "-c", _WRITTEN, each.place, files[each.name]], check=True)
    return files
