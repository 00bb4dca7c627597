"""Which tests concern a mutant: those that enter its function, by a map that one run of all tests makes.

Where the package of an extra is not installed, the tests that need it are skipped.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from call_map import FOLDER
from mutants import Mutant

HERE = Path(__file__).resolve().parent
PACKAGE = "src/relet/"
# What a file of tests that the map doesn't know is thought to take, in seconds.
UNKNOWN_FILE = 5.0


@dataclass(frozen=True, kw_only=True)
class TestMap:
    """The tests that passed with the seconds they took, and by function the tests and files that enter it.

    A function is named by its file below the package and its qualified name. What enters a function while a test
    is set up is told by file: a fixture of a whole file is set up once, for its first test.
    """

    tests: Mapping[str, float]
    entered: Mapping[str, Sequence[str]]
    set_up: Mapping[str, Sequence[str]]
    # each file with tests, with the digest of its text
    files: Mapping[str, str]


def written_map(target: Path) -> TestMap:
    return TestMap(**json.loads(target.read_text()))


def make_map(tree: Path, folder: Path, target: Path, jobs: int) -> None:
    """Run all quick tests of a tree that may be written to, and keep what they enter: some ten minutes."""
    lines, site = folder / "lines", folder / "site"
    for each in (lines, site):
        each.mkdir(parents=True)
    (site / "call_map.py").write_text((HERE / "call_map.py").read_text())
    # each process of Python loads a module of that name at its start
    (site / "sitecustomize.py").write_text("import call_map\n\ncall_map.watch()\n")
    environment = {**os.environ, FOLDER: str(lines), "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{site}"}
    words = ["-p", "call_map", "-q", "-n", str(jobs), "-p", "no:cacheprovider", "--timeout", "300"]
    subprocess.run([sys.executable, "-m", "pytest", *words], cwd=tree, env=environment, stdout=sys.stderr)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(asdict(_map_of(_lines(lines), tree))))


def _lines(folder: Path) -> Iterator[list[str]]:
    for file in sorted(folder.glob("*.txt")):
        yield from (line.split("\t") for line in file.read_text(errors="replace").splitlines())


def _map_of(lines: Iterable[Sequence[str]], tree: Path) -> TestMap:
    took: dict[str, float] = {}
    failed: set[str] = set()
    calls: dict[str, set[str]] = {}
    set_up: dict[str, set[str]] = {}
    for words in lines:
        match words:
            case ["took", test, when, outcome, seconds]:
                if outcome == "failed" or (outcome == "skipped" and when == "setup"):
                    failed.add(test)
                took[test] = took.get(test, 0.0) + float(seconds)
            case ["call", during, function] if during:
                test, _, when = during.rpartition(" ")
                if when == "(setup)":
                    set_up.setdefault(_plain_function(function), set()).add(_file(test))
                else:
                    calls.setdefault(_plain_function(function), set()).add(test)
    tests = {test: seconds for test, seconds in sorted(took.items()) if test not in failed}
    return TestMap(
        tests=tests,
        entered={function: sorted(found & tests.keys()) for function, found in sorted(calls.items())},
        set_up={function: sorted(files) for function, files in sorted(set_up.items())},
        files={file: digest for file in {_file(test) for test in tests} if (digest := _digest(tree / file))},
    )


def _plain_function(name: str) -> str:
    """A function as a mutant names it: what stands inside it belongs to it.

    >>> _plain_function("core/plan.py:plan.<locals>.<genexpr>"), _plain_function("names.py:<module>")
    ('core/plan.py:plan', 'names.py:<module>')
    """
    file, _, function = name.partition(":")
    parts = [part for part in function.split(".") if part != "<locals>" and not part.startswith("<")]
    return f"{file}:{'.'.join(parts) or '<module>'}"


def _file(test: str) -> str:
    return test.partition("::")[0]


def _digest(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


@cache
def _imported(file: Path) -> frozenset[str]:
    """The modules that a file names in its imports, those inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)


def missing_package(mutant: Mutant, tree: Path) -> str | None:
    """The package that the tests of a mutant's module need and that is not installed here, if it is an extra's.

    A module needs a package that it imports, inside functions too, or whose name stands in the module's own name:
    `archives/catboost_models.py` imports nothing of CatBoost, but only its models enter it.
    """
    words = {word for part in mutant.module.split(".") for word in part.split("_")}
    needed = words | {name.partition(".")[0] for name in _imported(tree / mutant.path)}
    missing = (package for package in sorted(needed & _extra_packages(tree)) if find_spec(package) is None)
    return next(missing, None)


@cache
def _extra_packages(tree: Path) -> frozenset[str]:
    """The packages of all extras, as `pyproject.toml` names them; those of relet are imported by these names."""
    extras = tomllib.loads((tree / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    return frozenset(re.split(r"[^\w-]", text)[0] for texts in extras.values() for text in texts)


def relevant_tests(mutant: Mutant, tree: Path, known: TestMap, seconds: float) -> list[str]:
    """The tests and files of tests to run, in order; it ends where those before take so many seconds.

    First come those that enter the function and name its module, then those that enter it, then the other tests of
    the room: a call in a process that the map lost sight of is seen by one of these. Of each the quick ones first.
    """
    moved = _moved_files(tree, tuple(known.files.items()))
    here = {
        test: f"{moved[_file(test)]}{test[len(_file(test)) :]}" for test in known.tests if _file(test) in moved
    }
    entering = {here[test] for test in _entering(mutant, known) if test in here}
    entering |= set(_unknown_files(mutant, tree, set(moved.values())))
    took = {name: known.tests[test] for test, name in here.items()}
    candidates = entering | {name for name in here.values() if _is_of_room(name, mutant.room)}

    def rank(test: str) -> tuple[bool, bool, float, str]:
        named = PurePosixPath(_file(test)).stem == f"test_{mutant.module.rpartition('.')[2]}"
        imports = mutant.module in _imported(tree / _file(test)) or _file(test) == mutant.path
        return test not in entering, not (named or imports), took.get(test, UNKNOWN_FILE), test

    chosen: list[str] = []
    total = 0.0
    for test in sorted(candidates, key=rank):
        total += took.get(test, UNKNOWN_FILE)
        if chosen and total > seconds:
            break
        chosen.append(test)
    return chosen


def _is_of_room(test: str, room: str) -> bool:
    return room in PurePosixPath(_file(test)).parts[:-1] and test.startswith("tests/")


@cache
def _moved_files(tree: Path, known: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Where the files that the map knows lie now: in their place or another, with the same text."""
    here = {
        _digest(path): path.relative_to(tree).as_posix() for path in sorted((tree / "tests").rglob("test_*.py"))
    }
    return {
        file: file if _digest(tree / file) == digest else here[digest]
        for file, digest in known
        if _digest(tree / file) == digest or digest in here
    }


def _entering(mutant: Mutant, known: TestMap) -> set[str]:
    module = mutant.path.removeprefix(PACKAGE)
    if f"{module}:{mutant.function}" in {*known.entered, *known.set_up} and mutant.function != "<module>":
        functions = [f"{module}:{mutant.function}"]
    else:
        # what a module or a class says at its top holds for all that stands in it
        functions = [each for each in {*known.entered, *known.set_up} if each.startswith(f"{module}:")]
    files = {file for each in functions for file in known.set_up.get(each, ())}
    by_set_up = {test for test in known.tests if _file(test) in files}
    return by_set_up.union(*(known.entered.get(each, ()) for each in functions))


def _unknown_files(mutant: Mutant, tree: Path, unchanged: set[str]) -> Iterator[str]:
    """Files of tests that are new, or other than the map saw them, and that import the mutant's module."""
    for path in sorted((tree / "tests").rglob("test_*.py")):
        file = path.relative_to(tree).as_posix()
        if file not in unchanged and _concerns(path, mutant):
            yield file


def _concerns(path: Path, mutant: Mutant) -> bool:
    named = {mutant.module, f"relet.{mutant.room}"}
    return bool(named & _imported(path)) or path.parent.name == mutant.room
