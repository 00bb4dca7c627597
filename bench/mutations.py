"""Mutations of a fixed sample: of each hundred small changes of the source, how many do the tests see?

    python bench/mutations.py [--sample 150] [--only ROOM] [--keep FILE] [--again FILE]

The sample is drawn by a seed from the parsed source, each room by its share of the lines. For each mutant the
tests that enter its function run on a changed copy of the tree, until one fails. A mutant whose tests don't end is
seen too. Which tests enter which function is told by a map: all quick tests run once to make it (ten minutes), and
it is kept in the folder for temporary files until the code or the tests change. `--map FILE` takes an older map:
files of tests that it doesn't know run whole, and where one fails, it must pass on the tree as it is.

A mutant that no test can see, since nothing behaves differently, stands in `bench/equivalent_mutants.txt` with the
reason, and does not count in the rate.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from house import ROOT, Tree, read_tree
from mutants import Mutant, sample
from relevant_tests import TestMap, make_map, relevant_tests, written_map

EQUIVALENTS = Path(__file__).with_name("equivalent_mutants.txt")
SEED = 12
MUST = 0.95
# Pages are tested by their words; a person sees the rest.
MUST_OF_REPORT = 0.85


@dataclass(frozen=True, kw_only=True)
class MutantResult:
    """What became of a mutant: by which test it was seen, None where all passed, and how many there were."""

    mutant: Mutant
    seen_by: str | None
    tests: int
    seconds: float


def main() -> None:
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
    given = parser.parse_args()
    tree = read_tree(str(ROOT))
    drawn = wanted_mutants(tree, given)
    if given.list:
        print(*(mutant.name for mutant in drawn), sep="\n")
        return
    equivalent = equivalents()
    with tempfile.TemporaryDirectory(prefix="relet-mutations-") as scratch:
        known = _test_map(given.map or _map_file(tree), Path(scratch), given.jobs)
        counted = [mutant for mutant in drawn if mutant.name not in equivalent]
        trees = [copied_tree(Path(scratch) / f"tree-{number}") for number in range(given.jobs)]
        found = list(results(counted, tree, trees, known, given.seconds))
    if given.keep:
        given.keep.write_text("\n".join(diff(each.mutant, tree) for each in found if not each.seen_by))
    print(table(found, [mutant for mutant in drawn if mutant.name in equivalent]))


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


def results(
    drawn: Sequence[Mutant], tree: Tree, trees: Sequence[Path], known: TestMap, seconds: float
) -> Iterator[MutantResult]:
    """What becomes of each, in their order; so many at once as there are trees."""
    free: SimpleQueue[Path] = SimpleQueue()
    for folder in trees:
        free.put(folder)

    def result(mutant: Mutant) -> MutantResult:
        folder = free.get()
        try:
            return tried_mutant(
                mutant, tree[mutant.path], folder, relevant_tests(mutant, ROOT, known, seconds), seconds
            )
        finally:
            free.put(folder)

    with ThreadPoolExecutor(len(trees)) as pool:
        for number, each in enumerate(pool.map(result, drawn), start=1):
            word = f"seen by {each.seen_by}" if each.seen_by else f"NOT SEEN by {each.tests} tests"
            print(f"[{number}/{len(drawn)}] {each.seconds:.0f} s {each.mutant.name}\n    {word}", file=sys.stderr)
            yield each


def tried_mutant(mutant: Mutant, text: str, folder: Path, known: TestMap, seconds: float) -> MutantResult:
    """Run its tests on the changed file until one fails that passes on the file as it is."""
    began = time.monotonic()
    tests = relevant_tests(mutant, folder, known, seconds)
    file, left = folder / mutant.path, list(tests)
    seen_by = None
    while left and seen_by is None:
        file.write_text(mutant.applied(text))
        try:
            seen_by = _first_failure(folder, left, seconds)
        finally:
            file.write_text(text)
        if seen_by is None:
            break
        if seen_by not in left and "::" in seen_by and _first_failure(folder, [seen_by], seconds):
            # the map has not seen this test pass: it fails on the tree as it is
            left = [test for test in left if test != seen_by.partition("::")[0]]
            seen_by = None
    return MutantResult(mutant=mutant, seen_by=seen_by, tests=len(tests), seconds=time.monotonic() - began)


def _first_failure(folder: Path, tests: Sequence[str], seconds: float) -> str | None:
    """The test that fails first, or how else the tests end; None where all pass."""
    listed = folder / "chosen-tests.txt"
    listed.write_text("\n".join(tests))
    words = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--timeout=60", f"@{listed.name}"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(timeout=4 * seconds + 60)
        except subprocess.TimeoutExpired:
            return "the time that is over"
        finally:
            _end_group(process)
        output.seek(0)
        said = output.read()
    if status in (0, 5):
        return None
    failed = [line for line in said.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    if not failed:
        return f"the end of pytest with {status}: {' '.join(said.split())[-200:]}"
    # a name of a test may hold " - ", which also stands before the reason
    name = failed[0].partition(" ")[2]
    return next(
        (test for test in tests if name == test or name.startswith(f"{test} - ")), name.partition(" - ")[0]
    )


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End what the tests have left running, too."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def diff(mutant: Mutant, tree: Tree) -> str:
    """The mutant's name as a comment, and what it changes."""
    text = tree[mutant.path]
    lines = difflib.unified_diff(
        text.splitlines(), mutant.applied(text).splitlines(), mutant.path, mutant.path, lineterm="", n=2
    )
    return "\n".join([f"# {mutant.name}", *lines, ""])


def table(found: Sequence[MutantResult], equivalent: Sequence[Mutant]) -> str:
    """Room by room: how many mutants, those aside that behave the same, those seen, and the rate."""
    lines = ["| room | mutants | equivalent | seen | rate | must | reached |", "|---|---|---|---|---|---|---|"]
    rooms = sorted({each.mutant.room for each in found} | {mutant.room for mutant in equivalent})
    lines += [_table_row(room, *_of_room(room, found, equivalent)) for room in rooms]
    return "\n".join([*lines, _table_row("all", found, equivalent)])


def _of_room(
    room: str, found: Sequence[MutantResult], equivalent: Sequence[Mutant]
) -> tuple[list[MutantResult], list[Mutant]]:
    return [e for e in found if e.mutant.room == room], [mutant for mutant in equivalent if mutant.room == room]


def _table_row(name: str, found: Sequence[MutantResult], equivalent: Sequence[Mutant]) -> str:
    seen = sum(each.seen_by is not None for each in found)
    rate = seen / len(found) if found else 1.0
    must = {"report": MUST_OF_REPORT, "all": MUST}.get(name)
    ends = f"{must:.0%} | {'must' if rate >= must else 'no'}" if must else " | "
    return f"| {name} | {len(found) + len(equivalent)} | {len(equivalent)} | {seen} | {rate:.0%} | {ends} |"


if __name__ == "__main__":
    main()
