"""Sweeps that the tests run, and what is left of them."""

import os
import subprocess
from collections import Counter

from relet.store import open_store
from relet.trials.pool import PROGRAM, PlannedTrial, TrialResult
from relet.trials.sweep import Sweep, SweepOutcome, prepare_sweep, read_sweep, run_sweep
from tests.sums_project import Sums
from tests.tiny_project import Tiny

METRIC = "search: {metric: total, direction: minimize}\n"


class Noting:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.ended: list[TrialResult] = []
        self.did: list[tuple[int, str]] = []

    def doing(self, trial: PlannedTrial, what: str) -> None:
        self.did.append((trial.number, what))

    def tried(self, tried: TrialResult) -> None:
        self.ended.append(tried)


def sweep_of(*words: str, pipeline: str = "sums") -> Sweep:
    order, workers = read_sweep(pipeline, words, ("relet", "run", pipeline, "-m", *words))
    return prepare_sweep(order, workers)


def swept(*words: str, pipeline: str = "sums", watch: Noting | None = None) -> SweepOutcome:
    return run_sweep(sweep_of(*words, pipeline=pipeline), watch or Noting())


def runs_of(project: Sums | Tiny) -> Counter[str]:
    store = open_store(project.root / ".relet")
    return Counter(str(each.component) for each in store.runs() if each.component)


def totals(outcome: SweepOutcome) -> list[float]:
    return [each.metrics["total"] for each in outcome.tried]


def left_behind() -> list[str]:
    """The processes of pools that still live."""
    return [line for line in _worker_lines() if int(line.split()[1]) in (1, os.getpid())]


def own_workers() -> list[int]:
    """The numbers of the processes of this process's pools."""
    return [int(line.split()[0]) for line in _worker_lines() if int(line.split()[1]) == os.getpid()]


def _worker_lines() -> list[str]:
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if " ".join(PROGRAM[1:]) in line]
