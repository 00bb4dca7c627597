"""Plant faults, one at a time, between a run and its reproduction. The verdict must name each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RELET = Path(sys.executable).parent / "relet"

# A pipeline of three steps, quick to run, with one place for each kind of fault.
FILES = {
    "pipelines/prices/pipeline.py": """
from pipelines.prices.clean import clean
from pipelines.prices.get import get
from pipelines.prices.train import train
from relet import Pipeline

pipeline = Pipeline([get, clean, train], settings={"source": "get.source", "seed": "train.seed"})
""",
    "pipelines/prices/conf/config.yaml": """
main: {experiment_name: prices, seed: 1, evaluate: false}
store: {url: .relet}
tracking: []
source: generated
seed: 42
""",
    "pipelines/prices/get.py": """
from typing import Annotated, NamedTuple
import numpy as np
import pandas as pd
from relet import Source, component

class Got(NamedTuple):
    sample: pd.DataFrame

@component(job_type="get_data")
def get(*, source: Annotated[str, Source("generated")] = "generated") -> Got:
    if source != "generated":
        return Got(pd.read_csv(source))
    numbers = np.random.default_rng(7).random((4000, 4))
    return Got(pd.DataFrame(numbers, columns=list("abcd")).assign(id=range(4000), price=lambda t: 100 * t["a"]))
""",
    "pipelines/prices/clean.py": """
from typing import NamedTuple
import pandas as pd
from pipelines.prices.helper import keep
from relet import component

class Cleaned(NamedTuple):
    clean_sample: pd.DataFrame

@component(job_type="clean")
def clean(sample: pd.DataFrame) -> Cleaned:
    return Cleaned(keep(sample))
""",
    "pipelines/prices/helper.py": """
def keep(sample):
    return sample[sample["price"] > 5].reset_index(drop=True)
""",
    "pipelines/prices/train.py": """
from typing import NamedTuple
import numpy as np
import pandas as pd
from pipelines.prices.fit import fit
from relet import Metrics, component

class Trained(NamedTuple):
    metrics: Metrics

@component(job_type="train", tolerance=1e-12)
def train(clean_sample: pd.DataFrame, *, seed: int = 42) -> Trained:
    rows = clean_sample.sample(frac=0.5, random_state=seed)
    return Trained({"mean": float(rows["price"].mean()), "fitted": float(fit(rows))})
""",
    "pipelines/prices/fit.py": """
def fit(rows):
    return rows["b"].sum()
""",
    ".gitignore": ".relet/\n__pycache__/\n",
}


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A project with a planted fault, the target to reproduce there, and the environment variables to set."""

    project: Path
    target: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault to plant, the verdict that it must get, and a pattern that the verdict's text must match."""

    name: str
    plant: Callable[[Path], Planted]
    likeness: str
    says: str
    own: bool = False


def project(folder: Path, changes: Mapping[str, str] | None = None) -> Path:
    """The project, committed, with some files of its pipeline replaced."""
    changed = {f"pipelines/prices/{name}": text for name, text in (changes or {}).items()}
    for name, text in {**FILES, **changed}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
    if not (folder / "requirements.lock").exists():
        shutil.copy(ROOT / "requirements.lock", folder)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    if not (folder / ".git").exists():
        _git(folder, "init", "--quiet")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "as it is")


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *words], cwd=folder, check=True)


def run(folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> str:
    """Run the pipeline, and give the run's id."""
    done = subprocess.run(
        [RELET, "run", "prices", "--json", *words],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"relet run prices {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    return str(json.loads(done.stdout.splitlines()[-1])["run"])


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / "pipelines" / "prices" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _record(folder: Path, component: str) -> tuple[Path, dict[str, object]]:
    for path in sorted((folder / ".relet" / "runs").iterdir(), reverse=True):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["component"] == component:
            return path, record
    raise LookupError(component)


def another_package(folder: Path) -> Planted:
    place = project(
        folder, {"fit.py": "import sqlparse\n\n\ndef fit(rows):\n    return len(sqlparse.__version__)\n"}
    )
    shadow = folder.parent / f"{folder.name}-packages"
    (shadow / "sqlparse-9.9.dist-info").mkdir(parents=True)
    (shadow / "sqlparse-9.9.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: sqlparse\nVersion: 9.9\n\n"
    )
    (shadow / "sqlparse-9.9.dist-info" / "RECORD").write_text("sqlparse.py,,\n")
    (shadow / "sqlparse.py").write_text("__version__ = '9.9'\n")
    return Planted(project=place, target=run(place, environment={"PYTHONPATH": str(shadow)}))


def edited_helper(folder: Path) -> Planted:
    place = project(folder)
    _git(place, "update-index", "--assume-unchanged", "pipelines/prices/helper.py")
    edit(place, "helper.py", "> 5", "> 6")
    return Planted(project=place, target=run(place))


def changed_cell(folder: Path) -> Planted:
    """Change one price of the stored input; objects and manifest fit each other."""
    place = project(folder)
    target = run(place)
    _change_a_cell(place, "clean_sample")
    return Planted(project=place, target=target)


def changed_pinned_cell(folder: Path) -> Planted:
    place = project(folder)
    run(place)
    target = run(place, "steps=train", "seed=43")
    _change_a_cell(place, "clean_sample")
    return Planted(project=place, target=target)


def _change_a_cell(place: Path, name: str) -> None:
    import pandas as pd

    from relet.data.table import write_table
    from relet.store import open_store

    store = open_store(place / ".relet")
    version = store.version(f"{name}:v1")
    store.materialize(version, place / "changed")
    table = pd.read_parquet(place / "changed" / "table.parquet")
    table.loc[17, "price"] += 1.0
    write_table(table, place / "changed" / "table.parquet")
    digest = store.put_object(place / "changed" / "table.parquet")
    shutil.rmtree(place / "changed")
    manifest = place / ".relet" / "artifacts" / version.name.replace("/", ".") / "versions" / "1.json"
    manifest.write_text(manifest.read_text().replace(version.files["table.parquet"], digest), encoding="utf-8")


def another_seed(folder: Path) -> Planted:
    place = project(folder)
    target = run(place)
    path, record = _record(place, "train")
    record["parameters"] = {"seed": 43}
    path.write_text(json.dumps(record), encoding="utf-8")
    return Planted(project=place, target=target)


def thread_count(folder: Path) -> Planted:
    """A sum by BLAS, whose order depends on the number of threads, without a declared tolerance."""
    fit = """
def fit(rows):
    import numpy as np

    numbers = np.random.default_rng(1).random(200_000)
    return numbers @ numbers
"""
    train = FILES["pipelines/prices/train.py"].replace(", tolerance=1e-12", "")
    place = project(folder, {"fit.py": fit, "train.py": train})
    target = run(place, environment={"OPENBLAS_NUM_THREADS": "2"})
    return Planted(project=place, target=target, environment={"OPENBLAS_NUM_THREADS": "1"})


def collected_object(folder: Path) -> Planted:
    place = project(folder)
    source = folder.parent / f"{folder.name}.csv"
    source.write_text("id,a,b,c,d,price\n" + "".join(f"{n},1,{n},3,4,{n + 6}.5\n" for n in range(50)))
    target = run(place, f"source={source}")
    _, record = _record(place, "get")
    digest = record["parts"]["parameters"]["source"]["sha256"]  # type: ignore[index]
    (place / ".relet" / "objects" / digest[:2] / digest).unlink()
    return Planted(project=place, target=target)


def edited_lock(folder: Path) -> Planted:
    folder.mkdir(parents=True)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    (folder / "requirements.lock").write_text(lock.replace("six==1.17.0", "six==1.99.0"), encoding="utf-8")
    place = project(folder)
    return Planted(project=place, target=run(place))


def dirty_tree(folder: Path) -> Planted:
    place = project(folder)
    edit(place, "helper.py", "> 5", "> 6")
    return Planted(project=place, target=run(place))


def never_pushed(folder: Path) -> Planted:
    place = project(folder)
    lost = folder.parent / f"{folder.name}-lost"
    subprocess.run(["git", "clone", "--quiet", str(place), str(lost)], check=True)
    edit(lost, "helper.py", "> 5", "> 6")
    commit(lost)
    target = run(lost)
    shutil.copytree(lost / ".relet", place / ".relet")
    shutil.rmtree(lost)
    return Planted(project=place, target=target)


def reads_the_clock(folder: Path) -> Planted:
    place = project(folder, {"fit.py": "import time\n\n\ndef fit(rows):\n    return time.time()\n"})
    return Planted(project=place, target=run(place))


def pruned_input(folder: Path) -> Planted:
    place = project(folder)
    run(place)
    target = run(place, "steps=train", "seed=43")
    edit(place, "helper.py", "> 5", "> 6")
    run(place)
    subprocess.run([RELET, "artifacts", "prune", "--keep", "1"], cwd=place, check=True, capture_output=True)
    return Planted(project=place, target=target)


def file_beside(folder: Path) -> Planted:
    fit = "def fit(rows):\n    with open('factor.txt') as file:\n        return float(file.read())\n"
    folder.mkdir(parents=True)
    (folder / "factor.txt").write_text("1.5\n", encoding="utf-8")
    place = project(folder, {"fit.py": fit})
    # git does not know of the change, so no diff holds it
    _git(place, "update-index", "--assume-unchanged", "factor.txt")
    (folder / "factor.txt").write_text("2.5\n", encoding="utf-8")
    return Planted(project=place, target=run(place))


FAULTS = (
    Fault(
        name="another package version",
        plant=another_package,
        likeness="DIVERGED",
        says=r"train is the first step that differs .*sqlparse 9\.9 → 0\.6\.1",
    ),
    Fault(
        name="an edited helper",
        plant=edited_helper,
        likeness="DIVERGED",
        says=r"clean is the first step that differs .*code of pipelines\.prices\.helper changed",
    ),
    Fault(
        name="one changed input cell",
        plant=changed_cell,
        likeness="DIVERGED",
        says=r"clean_sample:v1 in the store is not what the run recorded.*price: 1 of 3,\d+ rows differ",
    ),
    Fault(
        name="another seed",
        plant=another_seed,
        likeness="DIVERGED",
        says=r"train is the first step that differs .*seed 42 → 43",
    ),
    Fault(
        name="another thread count with a non-deterministic library setting",
        plant=thread_count,
        likeness="DIVERGED",
        says=r"train is the first step that differs .*OPENBLAS_NUM_THREADS 2 → 1",
    ),
    Fault(
        name="a collected object",
        plant=collected_object,
        likeness="IMPOSSIBLE",
        says=r"the source of get\.source is gone from the store",
    ),
    Fault(name="an edited lock", plant=edited_lock, likeness="IMPOSSIBLE", says=r"lock can't be installed.*six"),
    Fault(
        name="a dirty tree",
        plant=dirty_tree,
        likeness="IDENTICAL",
        says=r"runs code that is not committed: pipelines/prices/helper\.py",
    ),
    Fault(
        name="a commit that was never pushed",
        plant=never_pushed,
        likeness="IMPOSSIBLE",
        says=r"commit [0-9a-f]{12} can't be had",
        own=True,
    ),
    Fault(
        name="a step that reads the clock",
        plant=reads_the_clock,
        likeness="DIVERGED",
        says=r"train is the first step that differs .*nothing that is recorded was different",
        own=True,
    ),
    Fault(
        name="a pruned input",
        plant=pruned_input,
        likeness="IMPOSSIBLE",
        says=r"clean_sample:v1, which train\.clean_sample takes, is gone",
        own=True,
    ),
    Fault(
        name="a file read beside the inputs",
        plant=file_beside,
        likeness="DIVERGED",
        says=r"train is the first step that differs .*no record holds that it reads factor\.txt",
        own=True,
    ),
    Fault(
        name="one changed cell of a pinned input",
        plant=changed_pinned_cell,
        likeness="IMPOSSIBLE",
        says=r"clean_sample:v1 is not what the run took",
        own=True,
    ),
)
