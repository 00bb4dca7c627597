"""A small project with settings to search for, whose measure is a formula: quick, and its best point is known."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence

import pytest

from relet.core.record import Status
from relet.trials.pool import PlannedTrial, TrialResult
from relet.trials.search.question import SearchDefinition, SearchLimits, read_question
from relet.trials.search.rounds import search_until
from relet.trials.search.study import Candidate, FoldResult
from tests.tiny_project import Tiny
from tests.written_project import WrittenProject, write_files

LOCK = f"pandas==3 --hash=sha256:{'0' * 64}\n"
FILES = {
    "pipelines/hills/pipeline.py": """
from relet import Pipeline
from pipelines.hills.draw import draw
from pipelines.hills.climb import climb
from pipelines.hills.measure import measure

pipeline = Pipeline(
    [draw, climb, measure],
    by_name=[measure],
    settings={
        "count": "draw.count",
        "modeling.rate": ["climb.rate", "measure.rate"],
        "modeling.depth": ["climb.depth", "measure.depth"],
        "modeling.kind": ["climb.kind", "measure.kind"],
        "modeling.title": "climb.title",
        "search.fold": "measure.fold",
        "search.folds": "measure.folds",
    },
)
""",
    "pipelines/hills/conf/config.yaml": """
defaults:
  - model: steep
  - optional search: ${model}
  - _self_
main: {experiment_name: hills, seed: 42, evaluate: false}
store: {url: .relet}
tracking: []
count: 3
search: {metric: loss, direction: minimize, trials: 12, batch: 4, seed: 42, prune: true, folds: 3, fold: 1}
""",
    "pipelines/hills/conf/model/steep.yaml": """
# @package modeling
# Steep hills.
rate: 0.5      # how fast
depth: 3       # whole
kind: round
title: none
""",
    "pipelines/hills/conf/model/flat.yaml": """
# @package modeling
rate: 0.2
depth: 4
kind: round
title: none
""",
    "pipelines/hills/conf/search/steep.yaml": """
# @package search
space:
  modeling.rate: tag(log, interval(0.001, 1))
  modeling.depth: int(interval(1, 9))
  modeling.kind: choice(round, square, odd)
""",
    "pipelines/hills/draw.py": """
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple
from relet import component

class Drawn(NamedTuple):
    drawn: Path

@component(job_type="draw")
def draw(*, count: int = 3) -> Drawn:
    '''Draw numbers.'''
    path = Path(mkdtemp()) / "drawn.txt"
    path.write_text(str(count))
    return Drawn(path)
""",
    "pipelines/hills/climb.py": """
from pathlib import Path
from typing import NamedTuple
from relet import Metrics, component

class Climbed(NamedTuple):
    metrics: Metrics

@component(job_type="climb")
def climb(
    drawn: Path, *, rate: float = 0.5, depth: int = 3, kind: str = "round", title: str = "none"
) -> Climbed:
    '''What is trained in the end.'''
    return Climbed({"loss": rate * depth})
""",
    "pipelines/hills/measure.py": """
import math
import os
import time
from pathlib import Path
from typing import NamedTuple
from relet import Metrics, component

class Measured(NamedTuple):
    validation_metrics: Metrics

@component(job_type="measure")
def measure(
    drawn: Path,
    *,
    fold: int = 1,
    folds: int = 3,
    rate: float = 0.5,
    depth: int = 3,
    kind: str = "round",
) -> Measured:
    '''A hill with its top at rate 0.1, depth 5 and kind square.'''
    time.sleep(float(os.environ.get("HILLS_SLOW", 0)))
    if kind == "broken":
        raise ValueError("no such hill")
    off = {"round": 0.3, "square": 0.0, "odd": 1.0}[kind]
    return Measured({"loss": (math.log10(rate) + 1) ** 2 + (depth - 5) ** 2 / 10 + off + fold / 100, "other": 1.0})
""",
    "requirements.lock": LOCK,
}


def measured(values: dict[str, str], fold: int) -> float:
    """The same formula, for searches that no process runs."""
    import math

    off = {"round": 0.3, "square": 0.0, "odd": 1.0}[values["modeling.kind"]]
    rate, depth = float(values["modeling.rate"]), int(values["modeling.depth"])
    return (math.log10(rate) + 1) ** 2 + (depth - 5) ** 2 / 10 + off + fold / 100


class Silent:
    """A watcher that keeps what it was told."""

    def __init__(self) -> None:
        self.folds: list[tuple[int, int]] = []
        self.trials: list[Candidate] = []
        self.others = False

    def begun(
        self, question: SearchDefinition, wishes: SearchLimits, known: Sequence[Candidate], others: bool
    ) -> None:
        self.others = others

    def doing(self, number: int, what: str) -> None: ...

    def measured(self, number: int, fold: int, found: FoldResult) -> None:
        self.folds.append((number, fold))

    def told(self, found: Sequence[Candidate]) -> None:
        self.trials += found


class Hills(WrittenProject):
    """The project's folder, and what a person does in it."""

    pipeline = "hills"

    def question(self, *words: str) -> SearchDefinition:
        return read_question("hills", words)[0]

    def imagine(
        self,
        question: SearchDefinition,
        trials: int,
        *,
        journal: str = "",
        backwards: bool = False,
        instead: Callable[[PlannedTrial], TrialResult | None] = lambda trial: None,
    ) -> Silent:
        """Search with the formula instead of processes; `journal` names another one than the question's.

        `instead` is what becomes of a trial where that is something else.
        """
        watch = Silent()

        def run(asked: Sequence[PlannedTrial]) -> Iterator[TrialResult]:
            for each in reversed(asked) if backwards else asked:
                if other := instead(each):
                    yield other
                    continue
                values = dict(word.split("=") for word in each.overrides)
                fold = int(values.pop("search.fold"))
                if values["modeling.kind"] == "broken":
                    broken = "measure raised ValueError: no such hill"
                    yield TrialResult(trial=each, run_id="a", status=Status.FAILED, error=broken, exit_status=1)
                    continue
                metrics = {"loss": measured(values, fold)}
                yield TrialResult(
                    trial=each, run_id=f"r{each.number}-{fold}", status=Status.FINISHED, metrics=metrics
                )

        search_until(question, trials, self.store.journal(journal or question.id), run, watch)
        return watch


@pytest.fixture
def hills(tiny: Tiny) -> Hills:
    shutil.rmtree(tiny.root / "pipelines")
    write_files(tiny.root, FILES)
    return Hills(tiny.root)
