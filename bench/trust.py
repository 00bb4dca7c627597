"""Measure whether what ran is what was recorded, and what that costs: one table of counts and ratios.

    python bench/trust.py [--only edits,sweep,losses,tree,plain] [--moments 7] [--runs 3] [--data LISTINGS.csv]

Small projects are edited while they run, swept by several workers, and made again after their commit is gone. What
is forged and what is hostile have programs of their own: `bench/forgeries.py` and `bench/hostile_models.py`.
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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from figures import Row, reached, table
from timing import Command, alternate, median_seconds, paired_ratio

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
RELET = Path(sys.executable).parent / "relet"
# How long the first step of the small project takes, in seconds: the moments of edits lie in it.
SLOW = 1.2
STEP = """
from typing import NamedTuple
from relet import Metrics, component
"""
FILES = {
    "pipeline.py": "from relet import Pipeline\nfrom pipelines.p.steps.slow import slow\n"
    "from pipelines.p.steps.fast import fast\npipeline = Pipeline([slow, fast])\n",
    "conf/config.yaml": "main: {experiment_name: p, seed: 1, evaluate: false}\nstore: {url: .relet}\n"
    "tracking: []\nsource: rows.txt\nk: 0\n",
    "__init__.py": "BASE = 0\n",
    "steps/__init__.py": "",
    "steps/slow.py": f"import time{STEP}\n"
    "class Waited(NamedTuple):\n    waited: Metrics\n\n"
    f"@component(job_type='slow')\ndef slow() -> Waited:\n    time.sleep({SLOW})\n    return Waited({{'v': 1}})\n",
    "steps/fast.py": f"from pathlib import Path\nfrom typing import Annotated{STEP}"
    "from relet import Source\nfrom pipelines.p import BASE\nfrom pipelines.p.helper import f\n\n"
    "class Made(NamedTuple):\n    made: Metrics\n\n"
    "@component(job_type='fast', resources=('res',))\n"
    "def fast(waited: Metrics, *, source: Annotated[str, Source()], k: int = 0) -> Made:\n"
    "    here = Path(__file__).parents[1]\n"
    "    read = [here / 'res' / 'd.txt', here / 'undeclared.txt', Path(source)]\n"
    "    return Made({'v': BASE + f() + k * 1000 + sum(float(each.read_text()) for each in read)})\n",
    "helper.py": "def f():\n    return 1\n",
    "res/d.txt": "0",
    "undeclared.txt": "0",
}
# What is edited: the file, and what is put in its place; each adds 100 to what the project makes.
EDITS = {
    "helper": ("pipelines/p/helper.py", "def f():\n    return 101\n"),
    "byte code": ("pipelines/p/helper.py", "def f():\n    return 2\n"),
    "resource": ("pipelines/p/res/d.txt", "100"),
    "__init__": ("pipelines/p/__init__.py", "BASE = 100\n"),
    "data file": ("pipelines/p/undeclared.txt", "100"),
    "source": ("rows.txt", "100"),
}
# How the project is run that is edited meanwhile: alone, in a sweep of one trial more, and isolated.
WAYS = ((), ("-m", "k=1,0", "workers=1"), ("--isolate",))
STATEFUL = """
import random

n = [0]

def f():
    import os
    n[0] += 1
    before = int(os.environ.get("TRIALS_BEFORE", 0))
    os.environ["TRIALS_BEFORE"] = str(before + 1)
    drawn = random.Random(7).random() if random.seed(n[0]) is None else 0
    return n[0] + before + round(drawn, 6)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="edits,sweep,losses,tree,plain", help="which parts, by commas")
    parser.add_argument("--moments", type=int, default=7, help="how many moments each edit is made at")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "nyc_2019_listings.csv")
    given = parser.parse_args()
    parts = given.only.split(",")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="relet-bench-") as scratch:
        place = Path(scratch)
        if "edits" in parts:
            rows += edits(place, given.moments)
        if "sweep" in parts:
            rows += sweep(place)
        if "losses" in parts:
            rows += losses(place)
        if "tree" in parts:
            rows.append(tree(place, given.data))
        if "plain" in parts:
            rows.append(plain(place, given.data, given.runs))
    print(table(rows))


@dataclass(frozen=True)
class SmallProject:
    """A project of two steps in a folder of its own."""

    root: Path

    @classmethod
    def made(cls, place: Path, **changes: str) -> SmallProject:
        root = Path(tempfile.mkdtemp(prefix="project-", dir=place))
        for path, text in {**FILES, **changes}.items():
            file = root / "pipelines" / "p" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (root / "rows.txt").write_text("0")
        return cls(root)

    def relet(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return subprocess.run(
            [str(RELET), *words], cwd=self.root, capture_output=True, text=True, env=environment, timeout=300
        )

    def begun(self, *words: str) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return subprocess.Popen(
            [str(RELET), *words],
            cwd=self.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )

    def value(self, reference: str = "made:latest") -> float | None:
        """What a version of `made` holds; None where there is none."""
        out = Path(tempfile.mkdtemp(prefix="value-", dir=self.root.parent)) / "out"
        self.relet("artifacts", "get", reference, str(out))
        found = [json.loads(path.read_text()) for path in out.rglob("*.json")]
        return next((float(each["v"]) for each in found if "v" in each), None)

    def git(self, *words: str) -> None:
        named = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
        subprocess.run(named, cwd=self.root, check=True, capture_output=True)


def edits(place: Path, moments: int) -> Iterator[Row]:
    """Edit each kind of file at moments of a run, put it back, run again: which results are stored and taken?"""
    wrong: list[str] = []
    tried = 0
    for number, kind in enumerate(EDITS):
        for moment in range(moments):
            tried += 1
            way = WAYS[(number + moment) % len(WAYS)]
            if said := wrong_after_edit(place, kind, moment / moments, way):
                wrong.append(f"{kind} at moment {moment}, {' '.join(way) or 'alone'}: {said}")
    for each in wrong:
        print("wrong:", each)
    yield Row(
        figure=f"edits at {tried} moments of a run, in a sweep, with and without --isolate: wrong results",
        ours=str(len(wrong)),
        other="",
        ratio="",
        must="0",
        aim="",
        reached=reached(not wrong, False),
    )


def wrong_after_edit(place: Path, kind: str, part: float, way: tuple[str, ...]) -> str | None:
    """Edit a file when a part of a run is over, put it back, run again: what is wrong then, in words, or None."""
    path, text = EDITS[kind]
    isolated = "--isolate" in way
    words = ("run", "p", "--isolate") if isolated else ("run", "p")
    project = SmallProject.made(place)
    if isolated:
        shutil.copy(ROOT / "requirements.lock", project.root)
    file = project.root / path
    before, times = file.read_text(), file.stat()
    right = 101.0 if kind != "byte code" else 2.0
    running = project.begun("run", "p", *way)
    # An isolated run begins a process more before its first step.
    time.sleep(0.15 + part * (SLOW + (4.0 if isolated else 0.6)))
    file.write_text(text)
    if kind == "byte code":  # an edit of equal length at the same time: byte code would be taken for new
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    running.wait()
    project.relet(*words)
    edited = project.value()
    file.write_text(before)
    project.relet(*words)
    put_back = project.value()
    return None if (edited, put_back) == (right, 1.0) else f"{edited}, put back {put_back}"


def sweep(place: Path) -> Iterator[Row]:
    """Trials that change module globals, the generator and the environment: what 1, 2 and 4 workers make."""
    found = {}
    for workers in (1, 2, 4):
        project = SmallProject.made(place, **{"helper.py": STATEFUL})
        project.relet("run", "p", "-m", "k=1,2,3,4,5,6", f"workers={workers}")
        values = (project.value(f"made:v{number}") for number in range(1, 7))
        found[workers] = sorted(each for each in values if each is not None)
    equal = len({tuple(each) for each in found.values()}) == 1 and len(found[1]) == 6
    yield Row(
        figure="sweep with state that trials change: contents with 1, 2 and 4 workers",
        ours="equal" if equal else str(found),
        other="",
        ratio="",
        must="equal",
        aim="",
        reached=reached(equal, False),
    )


def losses(place: Path) -> Iterator[Row]:
    """Make a run again after its commit is gone, in five ways."""
    words = []
    for name, lose in LOSSES.items():
        project = SmallProject.made(place)
        (project.root / ".gitignore").write_text(".relet\n")
        project.git("init", "-q")
        project.git("add", "-A")
        project.git("commit", "-qm", "first")
        project.git("commit", "-q", "--allow-empty", "-m", "second")
        project.relet("run", "p")
        lose(project)
        (project.root / "pipelines/p/helper.py").write_text("def f():\n    return 9\n")
        said = project.relet("reproduce", "made:latest", "--here").stdout
        word = next((each for each in ("IDENTICAL", "DIVERGED", "IMPOSSIBLE") if each in said), "nothing")
        words.append(f"{name} {word}")
    good = all(each.endswith("IDENTICAL") for each in words)
    yield Row(
        figure="reproduction after squash, amend and gc, shallow clone, no repository",
        ours="IDENTICAL" if good else "; ".join(words),
        other="",
        ratio="",
        must="IDENTICAL",
        aim="",
        reached=reached(good, False),
    )


def _squash(project: SmallProject) -> None:
    project.git("reset", "-q", "--soft", "HEAD~1")
    project.git("commit", "-q", "--amend", "-m", "one")


def _collect(project: SmallProject) -> None:
    project.git("commit", "-q", "--amend", "--allow-empty", "-m", "another")
    project.git("reflog", "expire", "--expire=now", "--all")
    project.git("gc", "-q", "--prune=now")


def _make_shallow(project: SmallProject) -> None:
    project.git("commit", "-q", "--allow-empty", "-m", "third")
    project.git("clone", "-q", "--depth=1", f"file://{project.root}", f"{project.root}-clone")
    shutil.rmtree(project.root / ".git")
    shutil.move(f"{project.root}-clone/.git", project.root / ".git")


def _drop_repository(project: SmallProject) -> None:
    shutil.rmtree(project.root / ".git")


LOSSES: dict[str, Callable[[SmallProject], None]] = {
    "squash": _squash,
    "amend and gc": _collect,
    "shallow clone": _make_shallow,
    "no repository": _drop_repository,
}


def tree(place: Path, data: Path) -> Row:
    """How many bytes the code tree of the flagship adds to a store, and what a second run adds."""
    sys.path.insert(0, str(ROOT / "src"))
    from relet.store import open_store

    store_folder = place / "tree-store"
    words = [
        "run",
        "nyc_rentals",
        f"etl.source={data}",
        f"store.url={store_folder}",
        "tracking=[]",
        "steps=get_data",
    ]
    subprocess.run([str(RELET), *words], cwd=ROOT, check=True, capture_output=True)
    store = open_store(store_folder)
    record = next(store.runs())
    assert record.code.tree is not None
    files = store.tree(record.code.tree)
    size = sum(len(store.read_object(digest)) for digest in {*files.values(), record.code.tree})
    return Row(
        figure=f"bytes that a code tree adds to a store, flagship ({len(files)} files)",
        ours=f"{size / 1e6:.2f} MB",
        other="",
        ratio="",
        must="1 MB",
        aim="",
        reached=reached(size < 1_000_000, False),
    )


def plain(place: Path, data: Path, runs: int) -> Row:
    """A cold run of the flagship beside the same six steps in one plain pandas script without a tracker."""

    def ours() -> Command:
        folder = Path(tempfile.mkdtemp(prefix="project-", dir=place))
        shutil.copytree(ROOT / "pipelines", folder / "pipelines", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "requirements.lock", folder)
        words = [str(RELET), "run", "nyc_rentals", f"etl.source={data}", "model=random_forest"]
        return Command(words=words, folder=folder, environment={"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/m.db"})

    def script() -> Command:
        folder = Path(tempfile.mkdtemp(prefix="plain-", dir=place))
        words = [sys.executable, str(Path(__file__).with_name("plain_script.py")), str(data)]
        return Command(words=words, folder=folder, environment={})

    readings = alternate({"ours": ours, "script": script}, runs)
    mine, other = readings["ours"], readings["script"]
    ratio = paired_ratio(mine, other)
    return Row(
        figure="cold run, model=random_forest, tracker on, beside one plain script",
        ours=f"{median_seconds(mine):.2f} s",
        other=f"{median_seconds(other):.2f} s",
        ratio=f"{ratio:.2f} times as long",
        must="1.9",
        aim="1.3",
        reached=reached(ratio <= 1.9, ratio <= 1.3),
    )


if __name__ == "__main__":
    main()
