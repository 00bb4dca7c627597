"""An existing script as the body of a component: it runs as it is, on files of the pipeline."""

from __future__ import annotations

import os
import runpy
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from relet.core.artifact import Verdict
from relet.core.wording import count
from relet.errors import BadDataError

# How many files that no artifact keeps are named.
NAMED = 5
_LEFTOVERS = {"__pycache__", ".pytest_cache", "mlruns", "mlflow.db"}


@dataclass(frozen=True, kw_only=True)
class ScriptEnd:
    """How a script ended: the status that it gave to `sys.exit` or 0, and the files that it wrote, by artifact."""

    status: int
    files: Mapping[str, Path]

    def verdict(self, script: str) -> Verdict:
        """Yes where the script ended with status 0."""
        return Verdict(passed=self.status == 0, reason=f"{script} ended with status {self.status}")


def run_script(
    script: Path | str,
    arguments: Mapping[str, Any],
    *,
    reads: Mapping[str, Path | str] = {},
    writes: Mapping[str, str] = {},
    folders: Sequence[str] = (),
    beside: Sequence[Path] = (),
    folder: str = ".",
    check: bool = True,
) -> ScriptEnd:
    """Run a script, or a module by its name, with arguments, in an empty folder of its own.

    A script that looks for files where it lies itself (`__file__`) looks in that folder, too.
    `arguments` are those of its command line, by option; one that begins without a dash stands by its position.
    True gives an option alone, False and None leave it out, a list gives several values. `reads` are files that
    the script looks for by a name of its own: that name → the file. `writes` are files that it leaves behind: the
    artifact's name → the path in its folder. `folders` are there when it begins. `beside` are files and folders
    that lie in the script's folder too, and `folder` the place in it that is the current folder.

    Raises BadDataError where the script ends with a status other than 0 (unless `check` is False), and where a
    file that it should have written is not there. Files that it wrote and no artifact keeps are printed.
    """
    place = Path(tempfile.mkdtemp(prefix="relet-script-"))
    for each in beside:
        (shutil.copytree if each.is_dir() else shutil.copy)(each, place / each.name)
    here = place / folder
    for made in folders:
        (here / made).mkdir(parents=True, exist_ok=True)
    for name, file in reads.items():
        _put(here / name, Path(file))
    given = set(place.rglob("*")) | {here / Path(script).name}
    with _as_a_program(here, [str(script), *script_words(arguments)]):
        status = _run(script, here)
    name = script.name if isinstance(script, Path) else script
    if check and status:
        raise BadDataError(f"{name} ended with status {status}")
    files = {artifact: here / name for artifact, name in writes.items()}
    for artifact, path in files.items():
        if status == 0 and not path.exists():
            raise BadDataError(f"{name} wrote no {writes[artifact]}, which is the artifact {artifact}")
    if lost := [each for each in _new_files(place, given) if not any(map(each.is_relative_to, files.values()))]:
        shown = ", ".join(str(each.relative_to(place)) for each in lost[:NAMED])
        more = f" and {count(len(lost) - NAMED, 'more file')}" if len(lost) > NAMED else ""
        print(f"{name} wrote {shown}{more}, which no artifact keeps: name what is to be kept in writes=…")
    return ScriptEnd(status=status, files=files)


def script_words(arguments: Mapping[str, Any]) -> list[str]:
    """The words of a command line.

    >>> script_words({"--rows": 3, "--fast": True, "--slow": False, "--only": ["a", "b"], "place": "x.csv"})
    ['--rows', '3', '--fast', '--only', 'a', 'b', 'x.csv']
    """
    words: list[str] = []
    for option, value in arguments.items():
        if value is None or value is False:
            continue
        words += [option] if option.startswith("-") else []
        if value is not True:
            words += map(str, value if isinstance(value, list | tuple) else [value])
    return words


def _new_files(folder: Path, given: Collection[Path]) -> list[Path]:
    """The files that were made in a folder, without what Python and MLflow leave wherever they run."""
    found = sorted(each for each in folder.rglob("*") if each.is_file() and each not in given)
    return [each for each in found if not _LEFTOVERS & set(each.parts)]


def _put(place: Path, file: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(file.resolve())


def _run(script: Path | str, folder: Path) -> int:
    """Run it as the main module; the status that it ends with."""
    try:
        if isinstance(script, Path):
            _run_file(script, folder)
        else:
            runpy.run_module(script, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
            return 1
        return int(end.code or 0)
    return 0


def _run_file(script: Path, folder: Path) -> None:
    """Run a file as the main module that lies in the folder of its files, while errors name the file itself."""
    code = compile(script.read_bytes(), str(script), "exec", dont_inherit=True)
    copy = folder / script.name
    if not copy.exists():
        shutil.copyfile(script, copy)
    main = ModuleType("__main__")
    main.__dict__.update(__file__=str(copy), display=print)
    before, sys.modules["__main__"] = sys.modules["__main__"], main
    try:
        exec(code, main.__dict__)
    finally:
        sys.modules["__main__"] = before


@contextmanager
def _as_a_program(folder: Path, words: Sequence[str]) -> Iterator[None]:
    """The state of a process that was started with these words in this folder; as before after it."""
    before, path, current = sys.argv, list(sys.path), Path.cwd()
    beside = str(Path(words[0]).parent) if words[0].endswith(".py") else ""
    sys.argv, sys.path[:] = list(words), [beside, *sys.path]
    os.environ.setdefault("MPLBACKEND", "Agg")
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    try:
        yield
    finally:
        sys.argv, sys.path[:] = before, path
        os.chdir(current)
