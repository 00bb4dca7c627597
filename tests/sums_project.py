"""A project in a git repository of its own whose steps import next to nothing: quick to run and to make again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import relet
from relet.core.record import RunRecord
from relet.core.reproduction import Reproduction, StepVerdict
from relet.project.job import RunOutcome
from relet.reproduction import ReproductionOptions, reproduce
from tests.tiny_project import Tiny
from tests.written_project import WrittenProject, write_files

LOCK = f"pandas==3 --hash=sha256:{'0' * 64}\n"
FILES = {
    "pipelines/sums/pipeline.py": """
from relet import Pipeline
from pipelines.sums.draw import draw
from pipelines.sums.add import add
from pipelines.sums.rate import rate

pipeline = Pipeline(
    [draw, add, rate],
    on_request=[rate],
    settings={"source": "draw.source", "count": "draw.count", "seed": "draw.seed", "scale": "add.scale"},
)
""",
    "pipelines/sums/conf/config.yaml": """
main: {experiment_name: sums, seed: 42, evaluate: false}
store: {url: .relet}
tracking: []
source: none
count: 3
seed: 42
scale: 1.0
""",
    "pipelines/sums/draw.py": """
import random
import tempfile
from pathlib import Path
from typing import Annotated, NamedTuple
from relet import Source, component

class Drawn(NamedTuple):
    drawn: Path

@component(job_type="draw")
def draw(*, source: Annotated[str, Source("none")] = "none", count: int = 3, seed: int = 42) -> Drawn:
    '''Draw numbers, or take those of a file.'''
    numbers = [random.Random(seed + n).randrange(100) for n in range(count)]
    if source != "none":
        numbers = [int(word) for word in Path(source).read_text().split()]
    path = Path(tempfile.mkdtemp()) / "drawn.txt"
    path.write_text(" ".join(map(str, numbers)))
    return Drawn(path)
""",
    "pipelines/sums/add.py": """
import os
import tempfile
from pathlib import Path
from typing import NamedTuple
from relet import Metrics, component
from pipelines.sums.helper import total

class Added(NamedTuple):
    sums: Metrics
    report: Path

@component(job_type="add", resources=("words",), tolerance={"sums": 0.01})
def add(drawn: Path, *, scale: float = 1.0) -> Added:
    '''Add what was drawn.'''
    value = scale * total(drawn) + float(os.environ.get('OMP_NUDGE', 0))
    path = Path(tempfile.mkdtemp()) / "report.txt"
    words = (Path(__file__).parent / "words" / "title.txt").read_bytes()
    path.write_bytes(words + str(round(value)).encode())
    return Added({"total": value}, path)
""",
    "pipelines/sums/rate.py": """
from pathlib import Path
from typing import Annotated, NamedTuple
from relet import Metrics, Stored, component

class Rated(NamedTuple):
    rating: Metrics

@component(job_type="rate")
def rate(report: Path, sums: Metrics, champion: Annotated[Path | None, Stored("report:prod")]) -> Rated:
    '''Compare a report with the one in use, where there is one.'''
    longer = len(report.read_bytes()) - len(champion.read_bytes() if champion else b"")
    return Rated({"longer": float(longer), "total": sums["total"]})
""",
    "pipelines/sums/helper.py": """
def total(path):
    return float(sum(int(word) for word in path.read_text().split()))
""",
    "pipelines/sums/words/title.txt": "the sum is ",
    ".gitignore": ".relet\n",
    "requirements.lock": LOCK,
}

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")


class Sums(WrittenProject):
    """The project's folder, and what a person does in it."""

    pipeline = "sums"

    def git(self, *words: str, folder: Path | None = None) -> str:
        """What git says, asked in the project's folder."""
        done = subprocess.run(
            [*GIT, *words], cwd=folder or self.root, check=True, capture_output=True, text=True, errors="replace"
        )
        return done.stdout.strip()

    def commit(self, message: str = "more") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def run(self, *overrides: str, steps: list[str] | None = None) -> RunOutcome:
        return relet.run("sums", *overrides, steps=steps)

    def record(self, outcome: RunOutcome, component: str | None = None) -> RunRecord:
        """The record of a run, or of one of its steps."""
        return self.store.run(
            str(next(each.run_id for each in outcome.results if each.component == component))
            if component
            else outcome.run_id
        )

    def again(self, target: str | RunOutcome, **options: Any) -> Reproduction:
        """A run's id, or a version, made again in this environment."""
        wishes = ReproductionOptions(here=True, kept=options.pop("kept", None), trust=options.pop("trust", False))
        target = target if isinstance(target, str) else target.run_id
        store = options.pop("store", self.store)
        return reproduce(target, store, wishes=wishes, **{"root": self.root, **options})


def likenesses(found: Reproduction) -> dict[str, str]:
    return {step.component: str(step.likeness) for step in found.steps}


def step(found: Reproduction, component: str) -> StepVerdict:
    return next(each for each in found.steps if each.component == component)


@pytest.fixture
def sums(tiny: Tiny) -> Sums:
    shutil.rmtree(tiny.root / "pipelines")
    write_files(tiny.root, FILES)
    found = Sums(tiny.root)
    found.git("init", "-q", "-b", "main")
    found.commit("first")
    return found
