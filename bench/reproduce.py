"""Measure reproduction: its verdicts under changed conditions, the planted faults that it names, and its cost.

    python bench/reproduce.py [--data LISTINGS.csv] [--runs 3] [--python 3.12]
                              [--only settings,faults,time,recording,isolate]

Everything happens in a temporary folder, in clones of this repository's last commit. Environments are made once,
from the lock, and then reused.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import faults as planted_faults
from faults import FAULTS, Fault, Planted
from timing import Command, alternate, median_seconds, paired_ratio

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "nyc_2019_listings.csv"
RELET = Path(sys.executable).parent / "relet"
# Runs the command line without recording what a reproduction needs: the difference in time is the cost.
UNRECORDED = """
import sys
from contextlib import contextmanager, nullcontext
from relet.core.record import CodeState
from relet.engine import calling, observing, recording, step
from relet.project import surroundings

calling.watch_process = lambda: nullcontext(observing.AccessLog())
calling.only_closure = lambda *_: nullcontext()
calling.caveats = lambda *_: ()
NOTHING = surroundings.Surroundings(code=CodeState(), changed=frozenset(), lock=None, locked={})
recording.surroundings = lambda *_: NOTHING
step._store_source = lambda *_: None
step._caveats = lambda *_: ()
from relet.cli import main
main()
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    figure: str
    seen: str
    must: str
    aim: str
    reached: str


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The conditions under which a reproduction runs."""

    name: str
    environment: Mapping[str, str]
    words: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="a listings file, or `generated`")
    parser.add_argument("--runs", type=int, default=3, help="how often each timed command runs")
    parser.add_argument(
        "--only", default="settings,faults,time,recording,isolate", help="which parts, separated by commas"
    )
    parser.add_argument("--python", default="3.12", help="the other Python")
    given = parser.parse_args()
    source = str(given.data) if str(given.data) == "generated" else str(given.data.resolve())
    parts: dict[str, Callable[[Path], Iterator[Row]]] = {
        "settings": lambda scratch: settings(scratch, source, given.python),
        "faults": faults,
        "time": lambda scratch: time(scratch, source, given.runs),
        "recording": lambda scratch: recording(scratch, source, max(given.runs, 5)),
        "isolate": lambda scratch: isolate(scratch, max(given.runs, 5)),
    }
    rows: list[Row] = []
    for name in given.only.split(","):
        with tempfile.TemporaryDirectory(prefix="relet-bench-") as scratch:
            rows += parts[name](Path(scratch))
    print("\n| figure | seen | must | aim | reached |\n|---|---|---|---|---|")
    for row in rows:
        print(f"| {row.figure} | {row.seen} | {row.must} | {row.aim} | {row.reached} |")


def clone(folder: Path) -> Path:
    """A clone of the flagship's project at this repository's last commit."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def run_flagship(place: Path, source: str) -> str:
    """Run the flagship to its end, and give the run's id."""
    words = [RELET, "run", "nyc_rentals", "--json", "main.evaluate=true", f"etl.source={source}", "tracking=[]"]
    done = subprocess.run(words, cwd=place, check=True, capture_output=True, text=True)
    return str(json.loads(done.stdout.splitlines()[-1])["run"])


def settings(scratch: Path, source: str, python: str) -> Iterator[Row]:
    """Reproduce under ten different settings, and once on another Python."""
    place = clone(scratch / "first")
    run = run_flagship(place, source)
    home = scratch / "another home"
    home.mkdir()
    elsewhere = scratch / "another folder with spaces"
    clone(elsewhere)
    shutil.copytree(place / ".relet", elsewhere / ".relet")
    cpu = str(min(os.sched_getaffinity(0)))
    wanted = [
        (place, Setting(name="a second time", environment={})),
        (elsewhere, Setting(name="in another folder", environment={})),
        (place, Setting(name="another user's home", environment=_home(home))),
        (place, Setting(name="TZ=JST-9", environment={"TZ": "JST-9"})),
        (place, Setting(name="LANG and LC_ALL=C", environment={"LANG": "C", "LC_ALL": "C"})),
        (place, Setting(name="PYTHONHASHSEED=0", environment={"PYTHONHASHSEED": "0"})),
        (place, Setting(name="PYTHONHASHSEED=4242", environment={"PYTHONHASHSEED": "4242"})),
        (place, Setting(name="1 thread", environment={"OMP_NUM_THREADS": "1"})),
        (place, Setting(name="2 threads", environment={"OMP_NUM_THREADS": "2"})),
        (
            elsewhere,
            Setting(
                name="all at once, on one CPU",
                environment={**_home(home), "TZ": "LINT-14", "LC_ALL": "C", "PYTHONHASHSEED": "7"},
                prefix=("taskset", "-c", cpu) if shutil.which("taskset") else (),
            ),
        ),
    ]
    likeness = [_reproduced(place, run, setting)["likeness"] for place, setting in wanted]
    identical = likeness.count("IDENTICAL")
    yield _row(
        "ten reproductions under ten settings", f"{identical} IDENTICAL", "10 IDENTICAL", "", identical == 10
    )
    other = _reproduced(place, run, Setting(name=f"Python {python}", environment={}, words=("--python", python)))
    fine = other["likeness"] in ("IDENTICAL", "EQUIVALENT")
    yield _row(f"on Python {python}", other["likeness"], "IDENTICAL or EQUIVALENT", "", fine)


def _home(home: Path) -> dict[str, str]:
    """A home folder of another user. The environments stay where they are, so that only the home differs."""
    from relet.environments.cache import cache_folder

    return {"HOME": str(home), "USER": "somebody", "LOGNAME": "somebody", "RELET_CACHE": str(cache_folder())}


def _reproduced(place: Path, target: str, setting: Setting) -> dict[str, str]:
    words = [*setting.prefix, str(RELET), "reproduce", target, "--json", *setting.words]
    done = subprocess.run(
        words, cwd=place, env={**os.environ, **setting.environment}, capture_output=True, text=True, check=False
    )
    try:
        found: dict[str, str] = json.loads(done.stdout)["reproduction"]
    except ValueError:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr[-3000:]}") from None
    print(f"{setting.name}: {found['likeness']}: {found['reason']}", flush=True)
    return found


def faults(scratch: Path) -> Iterator[Row]:
    """Plant each fault by itself, and count those that the verdict names."""
    named = {"must": 0, "own": 0}
    for number, fault in enumerate(FAULTS):
        planted = fault.plant(scratch / f"fault-{number}")
        found = _reproduced(
            planted.project, planted.target, Setting(name=fault.name, environment=planted.environment)
        )
        right = _is_named(fault, planted, found)
        named["own" if fault.own else "must"] += right
        if not right:
            print(f"  NOT NAMED: expected {fault.likeness}, {fault.says!r}", flush=True)
    count = sum(not fault.own for fault in FAULTS)
    all_named = sum(named.values())
    yield _row(
        "planted faults named",
        f"{named['must']} of {count}; with our own {all_named} of {len(FAULTS)}",
        "8 of 8",
        "12 of 12",
        named["must"] == count,
        all_named == len(FAULTS),
    )


def _is_named(fault: Fault, planted: Planted, found: Mapping[str, object]) -> bool:
    told = json.dumps([found["reason"], found["caveats"], found["steps"], found["missing"]], ensure_ascii=False)
    return found["likeness"] == fault.likeness and bool(re.search(fault.says, told))


def time(scratch: Path, source: str, runs: int) -> Iterator[Row]:
    """Time a reproduction with a ready environment, in turn with the original run in an empty store."""
    place = clone(scratch / "first")
    run = run_flagship(place, source)
    _reproduced(place, run, Setting(name="environment made", environment={}))
    turn = iter(range(1000))

    def original() -> Command:
        fresh = scratch / f"run-{next(turn)}"
        clone(fresh)
        words = [str(RELET), "run", "nyc_rentals", "main.evaluate=true", f"etl.source={source}"]
        return Command(words=words, folder=fresh, environment={})

    def again() -> Command:
        return Command(words=[str(RELET), "reproduce", run], folder=place, environment={})

    readings = alternate({"run": original, "reproduce": again}, runs, warm_up=True)
    ratio = paired_ratio(readings["reproduce"], readings["run"])
    seconds = {name: median_seconds(each) for name, each in readings.items()}
    yield _row(
        "a reproduction ÷ the original run",
        f"{seconds['reproduce']:.1f} s ÷ {seconds['run']:.1f} s = {ratio:.2f}",
        "1.5",
        "1.15",
        ratio < 1.5,
        ratio < 1.15,
    )


def recording(scratch: Path, source: str, runs: int) -> Iterator[Row]:
    """Time an ordinary run, in turn with one that records nothing that a reproduction needs."""
    turn = iter(range(1000))

    def command(*start: str) -> Callable[[], Command]:
        def make() -> Command:
            fresh = clone(scratch / f"run-{next(turn)}")
            options = ["main.evaluate=true", f"etl.source={source}", "tracking=[]"]
            return Command(words=[*start, "run", "nyc_rentals", *options], folder=fresh, environment={})

        return make

    unrecorded = command(sys.executable, "-c", UNRECORDED)
    readings = alternate({"with": command(str(RELET)), "without": unrecorded}, runs, warm_up=True)
    ratio = paired_ratio(readings["with"], readings["without"])
    spread = [a.seconds / b.seconds for a, b in zip(readings["with"], readings["without"], strict=True)]
    added = max(ratio - 1, 0.0)
    yield _row(
        "what recording adds to a run",
        f"{added:.1%} (pairs from {min(spread) - 1:+.1%} to {max(spread) - 1:+.1%}; "
        f"{statistics.median(r.seconds for r in readings['with']):.1f} s)",
        "5%",
        "2%",
        added < 0.05,
        added < 0.02,
    )


def isolate(scratch: Path, runs: int) -> Iterator[Row]:
    """Time a step in a ready environment of its own, in turn with the same step in the run's process."""
    turn = iter(range(1000))

    def command(*options: str) -> Callable[[], Command]:
        def make() -> Command:
            place = planted_faults.project(scratch / f"run-{next(turn)}")
            return Command(
                words=[str(RELET), "run", "prices", "steps=get", *options], folder=place, environment={}
            )

        return make

    imports = Command(words=[sys.executable, "-c", "import mlflow"], folder=scratch, environment={})
    makers = {"isolated": command("--isolate"), "here": command(), "import mlflow": lambda: imports}
    readings = alternate(makers, runs, warm_up=True)
    beyond = [
        (a.seconds - b.seconds) / c.seconds for a, b, c in zip(*(readings[name] for name in makers), strict=True)
    ]
    ratio = statistics.median(beyond)
    isolated, here, mlflow = (median_seconds(readings[name]) for name in makers)
    yield _row(
        "a warm isolated step beyond its work ÷ import mlflow",
        f"({isolated:.2f} s − {here:.2f} s) ÷ {mlflow:.2f} s = {ratio:.2f}",
        "1.3",
        "",
        ratio <= 1.3,
    )


def _row(figure: str, seen: str, must: str, aim: str, reached: bool, reached_aim: bool | None = None) -> Row:
    word = "no" if not reached else "aim" if reached_aim else "must"
    return Row(figure=figure, seen=seen, must=must, aim=aim, reached=word)


if __name__ == "__main__":
    main()
