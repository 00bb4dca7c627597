"""Mutations of a fixed sample: of each hundred small changes of the source, how many do the tests see?

    python bench/mutations.py [--sample 150] [--only ROOM] [--keep FILE] [--again FILE]

The sample is drawn by a seed from the parsed source, each room by its share of the lines. For each mutant the
tests that enter its function run on a changed copy of the tree, until one fails; a test that doesn't end within
two minutes has failed. At the end the tests that have seen something run on the tree as it is: where one fails
there, its mutants are tried without it. Which tests enter which function is told by a map: all quick tests run
once to make it (ten minutes), and it is kept in the folder for temporary files until the code or the tests change.
`--map FILE` takes an older map: files of tests that it doesn't know run whole.

A mutant that no test can see, since nothing behaves differently, stands in `bench/equivalent_mutants.txt` with the
reason, and does not count in the rate. Nor does a mutant whose module needs the package of an extra that is not
installed here (`torch`, `xgboost`, `catboost`, …): the tests that could see it are skipped. It is drawn but not
tried, so that the sample is the same everywhere, and it is named below the table.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from house import ROOT, Tree, read_tree
from mutants import Mutant, sample
from relevant_tests import TestMap, make_map, missing_package, relevant_tests, written_map

EQUIVALENTS = Path(__file__).with_name("equivalent_mutants.txt")
WARM = str(Path(__file__).with_name("warm_pytest.py"))
SEED = 12
# What pytest ends with where it finds no test of a name, or can't load the tests' common file.
USAGE_ERROR = "4"
MUST = 0.95
# Pages are tested by their words; a person sees the rest.
MUST_OF_REPORT = 0.85


Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class MutantResult:
    """What became of a mutant: by which test it was seen, None where none failed, and how many there were."""

    mutant: Mutant
    seen_by: str | None
    tests: int
    seconds: float


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=150, help="how many mutants")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", action="append", metavar="ROOM", help="only the mutants of this room")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write the unseen ones there, each as a diff")
    parser.add_argument("--again", type=Path, metavar="FILE", help="only those that stand in a file of --keep")
    parser.add_argument("--list", action="store_true", help="print the sample and run nothing")
    parser.add_argument("--map", type=Path, metavar="FILE", help="what each test enters; made if missing")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=45, help="how long a mutant's tests may take, by the map")
    return parser.parse_args()


def main() -> None:
    given = _options()
    tree = read_tree(str(ROOT))
    drawn = wanted_mutants(tree, given)
    if given.list:
        print(*(mutant.name for mutant in drawn), sep="\n")
        return
    known = equivalents()
    equivalent = [mutant for mutant in drawn if mutant.name in known]
    others = [mutant for mutant in drawn if mutant.name not in known]
    missing = {mutant: package for mutant in others if (package := missing_package(mutant, ROOT))}
    found = _results_of_sample([mutant for mutant in others if mutant not in missing], tree, given)
    if given.keep:
        given.keep.write_text("\n".join(diff(each.mutant, tree) for each in found if not each.seen_by))
    print(table(found, equivalent, list(missing)))
    for mutant, package in missing.items():
        print(f"not tried, {package} is not installed: {mutant.name}")


def _results_of_sample(drawn: Sequence[Mutant], tree: Tree, given: argparse.Namespace) -> list[MutantResult]:
    with tempfile.TemporaryDirectory(prefix="relet-mutations-") as scratch:
        known = _test_map(given.map or _map_file(tree), Path(scratch), given.jobs)
        folders = [copied_tree(Path(scratch) / f"tree-{number}") for number in range(given.jobs)]
        with benches(folders) as made:
            return tried_mutants(drawn, tree, made, known, given.seconds)


def wanted_mutants(tree: Tree, given: argparse.Namespace) -> list[Mutant]:
    sources = {name: text for name, text in tree.items() if name.startswith("src/relet/") and name.endswith(".py")}
    drawn = sample(sources, given.sample, given.seed)
    if given.only:
        drawn = [mutant for mutant in drawn if mutant.room in given.only]
    if given.again:
        names = {line.removeprefix("# ") for line in given.again.read_text().splitlines() if line.startswith("# ")}
        drawn = [mutant for mutant in drawn if mutant.name in names]
    return drawn


def equivalents() -> set[str]:
    """The names that stand in the file; the reason is indented below each."""
    lines = EQUIVALENTS.read_text().splitlines()
    return {line for line in lines if line and not line.startswith((" ", "#"))}


def copied_tree(target: Path) -> Path:
    """The tree as it is, with what git ignores left out."""
    for name in read_tree(str(ROOT)):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "src", "tests", "pipelines"], cwd=target)
    return target


def _map_file(tree: Tree) -> Path:
    digest = hashlib.sha256()
    for name, text in sorted(tree.items()):
        if name.startswith(("src/", "tests/", "pipelines/")):
            digest.update(f"{name}\0{text}\0".encode())
    return Path(tempfile.gettempdir()) / f"relet-test-map-{digest.hexdigest()[:12]}.json"


def _test_map(file: Path, scratch: Path, jobs: int) -> TestMap:
    if not file.exists():
        make_map(copied_tree(scratch / "map-tree"), scratch / "map", file, jobs)
    return written_map(file)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A copy of the tree, and the process that runs its tests."""

    folder: Path
    process: subprocess.Popen[str]


@contextmanager
def benches(folders: Sequence[Path]) -> Iterator[list[Bench]]:
    made = [Bench(folder=folder, process=_warm_process(folder)) for folder in folders]
    try:
        yield made
    finally:
        for each in made:
            each.process.terminate()
            each.process.wait()


def _warm_process(folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, WARM],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def tried_mutants(
    drawn: Sequence[Mutant], tree: Tree, made: Sequence[Bench], known: TestMap, seconds: float
) -> list[MutantResult]:
    """What becomes of each, in their order."""
    found = list(_results(drawn, tree, made, known, seconds, ()))
    wrong = failing_tests(made, {each.seen_by for each in found if each.seen_by})
    if wrong:
        print("these fail on the tree as it is:", *wrong, sep="\n    ", file=sys.stderr)
    again = [each.mutant for each in found if each.seen_by in wrong]
    corrected = {each.mutant.name: each for each in _results(again, tree, made, known, seconds, wrong)}
    return [corrected.get(each.mutant.name, each) for each in found]


def _results(
    drawn: Sequence[Mutant],
    tree: Tree,
    made: Sequence[Bench],
    known: TestMap,
    seconds: float,
    without: Sequence[str],
) -> Iterator[MutantResult]:
    def result(bench: Bench, mutant: Mutant) -> MutantResult:
        return _tried_mutant(mutant, tree[mutant.path], bench, known, seconds, without)

    for number, each in enumerate(_shared(made, result, drawn), start=1):
        word = f"seen by {each.seen_by}" if each.seen_by else f"NOT SEEN by {each.tests} tests"
        print(f"[{number}/{len(drawn)}] {each.seconds:.0f} s {each.mutant.name}\n    {word}", file=sys.stderr)
        yield each


def failing_tests(made: Sequence[Bench], tests: Collection[str]) -> list[str]:
    """Those of the tests that fail on the tree as it is, each in a process of its own as under a mutant."""

    def fails(bench: Bench, test: str) -> bool:
        return _tested(bench, [test], [], limit=300)[0] not in ("0", "5")

    named = sorted(test for test in tests if test.startswith(("src/", "tests/")))
    return [test for test, failed in zip(named, _shared(made, fails, named), strict=True) if failed]


def _shared(
    made: Sequence[Bench], work: Callable[[Bench, Item], Result], items: Sequence[Item]
) -> Iterator[Result]:
    """What comes of each item, in their order; so many at once as there are benches."""
    free: SimpleQueue[Bench] = SimpleQueue()
    for bench in made:
        free.put(bench)

    def at_a_free_bench(item: Item) -> Result:
        bench = free.get()
        try:
            return work(bench, item)
        finally:
            free.put(bench)

    with ThreadPoolExecutor(len(made)) as pool:
        yield from pool.map(at_a_free_bench, items)


def _tried_mutant(
    mutant: Mutant, text: str, bench: Bench, known: TestMap, seconds: float, without: Sequence[str]
) -> MutantResult:
    """Run its tests on the changed file until one fails."""
    began = time.monotonic()
    tests = relevant_tests(mutant, bench.folder, known, seconds)
    file = bench.folder / mutant.path
    file.write_text(mutant.applied(text))
    try:
        words = ["-x", *(f"--deselect={test}" for test in without)]
        status, said = _tested(bench, tests, words, limit=10 * seconds + 120) if tests else ("5", "")
    finally:
        file.write_text(text)
    if status == USAGE_ERROR and _tested(bench, tests, ["--collect-only"], limit=300)[0] == USAGE_ERROR:
        raise RuntimeError(f"the map names tests that are not there; make it anew:\n{said[-1000:]}")
    return MutantResult(
        mutant=mutant,
        seen_by=_first_failure(status, said, tests),
        tests=len(tests),
        seconds=time.monotonic() - began,
    )


def _tested(bench: Bench, tests: Sequence[str], words: Sequence[str], limit: float) -> tuple[str, str]:
    """The exit status of pytest, or `late`, and what it printed."""
    listed, output = bench.folder / "chosen-tests.txt", bench.folder / "pytest-output.txt"
    listed.write_text("\n".join(tests))
    chosen = [*words, "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--timeout=120", f"@{listed.name}"]
    order = {"words": chosen, "output": str(output), "seconds": limit}
    assert bench.process.stdin and bench.process.stdout
    bench.process.stdin.write(json.dumps(order) + "\n")
    bench.process.stdin.flush()
    status = bench.process.stdout.readline().strip()
    if not status:
        raise RuntimeError(f"the process that runs the tests has ended; its last output lies in {output}")
    return status, output.read_text(errors="replace") if output.exists() else ""


def _first_failure(status: str, said: str, tests: Sequence[str]) -> str | None:
    """The test that failed first, or how else pytest ended; None where none failed in the time that there is."""
    if status in ("0", "5", "late"):
        return None
    failed = [line for line in said.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    if not failed:
        return f"pytest, which ended with {status}: {' '.join(said.split())[-200:]}"
    # a name of a test may hold " - ", which also stands before the reason
    name = failed[0].partition(" ")[2]
    chosen = (test for test in tests if name == test or name.startswith(f"{test} - "))
    return next(chosen, name.partition(" - ")[0])


def diff(mutant: Mutant, tree: Tree) -> str:
    """The mutant's name as a comment, and what it changes."""
    text = tree[mutant.path]
    lines = difflib.unified_diff(
        text.splitlines(), mutant.applied(text).splitlines(), mutant.path, mutant.path, lineterm="", n=2
    )
    return "\n".join([f"# {mutant.name}", *lines, ""])


def table(found: Sequence[MutantResult], equivalent: Sequence[Mutant], untried: Sequence[Mutant]) -> str:
    """Room by room: how many mutants, those set aside and why, those seen, and the rate."""
    lines = ["| room | mutants | equivalent | not tried | seen | rate | must | reached |", f"|{'---|' * 8}"]
    rooms = sorted({each.mutant.room for each in found} | {mutant.room for mutant in (*equivalent, *untried)})
    for room in rooms:
        in_room = [each for each in found if each.mutant.room == room]
        lines.append(_table_row(room, in_room, _of_room(room, equivalent), _of_room(room, untried)))
    return "\n".join([*lines, _table_row("all", found, equivalent, untried)])


def _of_room(room: str, mutants: Sequence[Mutant]) -> list[Mutant]:
    return [mutant for mutant in mutants if mutant.room == room]


def _table_row(
    name: str, found: Sequence[MutantResult], equivalent: Sequence[Mutant], untried: Sequence[Mutant]
) -> str:
    seen = sum(each.seen_by is not None for each in found)
    rate = seen / len(found) if found else 1.0
    must = {"report": MUST_OF_REPORT, "all": MUST}.get(name)
    ends = f"{must:.0%} | {'must' if rate >= must else 'no'}" if must else " | "
    counts = (len(found) + len(equivalent) + len(untried), len(equivalent), len(untried), seen)
    return f"| {name} | {' | '.join(map(str, counts))} | {rate:.0%} | {ends} |"


if __name__ == "__main__":
    main()
