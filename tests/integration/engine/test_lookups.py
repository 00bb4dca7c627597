"""What a step learned about files that it did not read is compared by the next plan."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from relet.cli import relet as relet_command
from relet.core.plan import Action
from relet.engine.run import execute
from relet.project.job import RunOutcome
from relet.project.order import read_order
from relet.project.request import prepare
from tests.sums_project import Sums
from tests.written_project import write_files

HEAD = "import glob, importlib, os, pkgutil, shutil, sys, tempfile\nfrom pathlib import Path\n\n"


def counts(sums: Sums, body: str) -> None:
    """Let `add` count with what the code says; `here` is its own folder, `path` its input."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    sums.path("helper.py").write_text(f"{HEAD}def total(path):\n    here = Path(__file__).parent\n{lines}")


def looked_at(sums: Sums, outcome: RunOutcome) -> dict[str, str]:
    found = sums.record(outcome, "add").looked_at
    return {name: there for name, there in found.items() if not name.endswith("__init__.py")}


def actions(outcome: RunOutcome) -> list[Action]:
    return [each.action for each in outcome.results]


IDLE = [Action.SKIP, Action.SKIP]

OPENS = "try:\n    return float(open('extra.txt').read())\nexcept FileNotFoundError:\n    return 0.0"
ABSENT = {
    "exists of pathlib": "return float(Path('extra.txt').exists())",
    "exists of os.path": "return float(os.path.exists(os.path.abspath('extra.txt')))",
    "isfile": "return float(os.path.isfile('extra.txt'))",
    "lexists, by glob": "return float(len(glob.glob('extra.txt')))",
    "access": "return float(os.access('extra.txt', os.R_OK))",
    "open": OPENS,
    "bytes": "return float(os.path.exists(b'extra.txt'))",
    "dir_fd": "folder = os.open('.', os.O_RDONLY)\ntry:\n    os.stat('extra.txt', dir_fd=folder)\n    return 5.0\n"
    "except FileNotFoundError:\n    return 0.0",
    "another working folder": "os.chdir('pipelines')\nreturn float(os.path.exists('../extra.txt'))",
    "beside its code": "return float((here.parents[1] / 'extra.txt').is_file())",
}


@pytest.mark.parametrize("way", ABSENT)
@pytest.mark.sampled
def test_a_file_that_was_looked_for_and_is_there_now_runs_its_step_again(sums: Sums, way: str) -> None:
    counts(sums, ABSENT[way])
    first = sums.run()
    assert first.metrics["total"] == 0
    assert looked_at(sums, first) == {"extra.txt": "nothing"}
    assert actions(sums.run()) == IDLE
    (sums.root / "extra.txt").write_text("5")
    again = sums.run()
    assert again.metrics["total"] > 0
    assert again.results[-1].reason == "extra.txt is there now, and was not when it was looked for"
    assert actions(sums.run()) == IDLE


def test_a_file_that_was_looked_at_and_is_gone_or_of_another_size_runs_its_step_again(sums: Sums) -> None:
    file = sums.root / "extra.txt"
    counts(sums, "return float(Path('extra.txt').stat().st_size if os.path.exists('extra.txt') else 0)")
    file.write_text("12345")
    assert sums.run().metrics["total"] == 5
    file.write_text("54321")
    assert actions(sums.run()) == IDLE
    file.write_text("123456")
    outcome = sums.run()
    assert (outcome.metrics["total"], outcome.results[-1].reason) == (
        6,
        "extra.txt is a file of 6 bytes now, and was a file of 5 bytes when it was looked at",
    )
    file.unlink()
    outcome = sums.run()
    assert (outcome.metrics["total"], outcome.results[-1].reason) == (0, "extra.txt is gone, which it looked for")


def test_why_says_what_was_looked_for(sums: Sums) -> None:
    counts(sums, ABSENT["exists of pathlib"])
    sums.run()
    (sums.root / "extra.txt").write_text("5")
    shown = CliRunner().invoke(relet_command, ["why", "sums"]).output
    assert "extra.txt is there now, and was not when it was looked for" in " ".join(shown.split())


LISTINGS = {
    "listdir": "return float(len(os.listdir('rows')))",
    "bytes": "return float(len(os.listdir(b'rows')))",
    "scandir": "return float(len(list(os.scandir('rows'))))",
    "a descriptor": "return float(len(os.listdir(os.open('rows', os.O_RDONLY))))",
    "the working folder": "os.chdir('rows')\nreturn float(len(os.listdir()))",
    "iterdir": "return float(len(list(Path('rows').iterdir())))",
    "glob": "return float(len(glob.glob('rows/*.csv')))",
    "glob of pathlib": "return float(len(list(Path('rows').glob('*.csv'))))",
    "walk": "return float(sum(len(names) for _, _, names in os.walk('rows')))",
    "by its own file": "return float(len(list((here.parents[1] / 'rows').iterdir())))",
}


@pytest.mark.parametrize("way", LISTINGS)
@pytest.mark.sampled
def test_a_folder_that_was_listed_and_holds_other_files_runs_its_step_again(sums: Sums, way: str) -> None:
    (sums.root / "rows").mkdir()
    (sums.root / "rows" / "a.csv").write_text("1")
    counts(sums, LISTINGS[way])
    first = sums.run()
    assert first.metrics["total"] == 1
    assert list(looked_at(sums, first)) == ["rows"]
    (sums.root / "rows" / "__pycache__").mkdir()
    assert actions(sums.run()) == IDLE
    (sums.root / "rows" / "b.csv").write_text("2")
    again = sums.run()
    assert (again.metrics["total"] > 1, again.results[-1].reason) == (
        True,
        "rows holds other files now than when it was listed",
    )
    assert actions(sums.run()) == IDLE
    (sums.root / "rows" / "a.csv").unlink()
    assert sums.run().results[-1].action is Action.RUN


def test_a_folder_beside_the_code_is_compared_with_the_folder_of_the_project(sums: Sums) -> None:
    counts(sums, "return float(len([each for each in here.iterdir() if each.suffix == '.csv']))")
    assert list(looked_at(sums, sums.run())) == ["pipelines/sums"]
    assert actions(sums.run()) == IDLE
    sums.path("a.csv").write_text("1")
    assert sums.run().metrics["total"] == 1


SIZES = {
    "stat of pathlib": "return float(sum(each.stat().st_size for each in Path('rows').iterdir()))",
    "stat of an entry": "return float(sum(each.stat().st_size for each in os.scandir('rows')))",
}


@pytest.mark.parametrize("way", SIZES)
def test_the_sizes_of_listed_files_count_where_a_step_asked_for_them(sums: Sums, way: str) -> None:
    (sums.root / "rows").mkdir()
    for name in "ab":
        (sums.root / "rows" / name).write_text(name)
    counts(sums, SIZES[way])
    first = sums.run()
    assert list(looked_at(sums, first)) == ["rows"]
    assert actions(sums.run()) == IDLE
    (sums.root / "rows" / "a").write_text("123456789")
    assert sums.run().metrics["total"] == 10


@pytest.mark.parametrize("way", ["listdir", "iterdir", "glob", "glob of pathlib", "walk"])
@pytest.mark.sampled
def test_the_sizes_of_files_do_not_count_where_only_names_were_asked_for(sums: Sums, way: str) -> None:
    (sums.root / "rows").mkdir()
    (sums.root / "rows" / "a.csv").write_text("1")
    counts(sums, LISTINGS[way])
    sums.run()
    (sums.root / "rows" / "a.csv").write_text("123456789")
    assert actions(sums.run()) == IDLE


LATER = {
    "a hidden file": ("words/.more.txt", "iterdir()", "more"),
    "a folder of Jupyter": ("words/.ipynb_checkpoints/more.txt", "rglob('*')", "more"),
    "an empty folder": ("words/more", "iterdir()", None),
}


@pytest.mark.parametrize("way", LATER)
@pytest.mark.sampled
def test_what_the_key_leaves_out_of_a_resource_is_compared(sums: Sums, way: str) -> None:
    name, listing, content = LATER[way]
    counts(sums, f"return float(len(list((here / 'words').{listing})))")
    first = sums.run()
    assert list(looked_at(sums, first)) == ["pipelines/sums/words"]
    assert actions(sums.run()) == IDLE
    if content is None:
        sums.path(name).mkdir()
    else:
        sums.path(name).parent.mkdir(exist_ok=True)
        sums.path(name).write_text(content)
    assert sums.run().metrics["total"] > first.metrics["total"]
    assert actions(sums.run()) == IDLE


IMPORTS = {
    "an import that may fail": "try:\n    from plugin import VALUE\nexcept ImportError:\n    VALUE = 0\n"
    "return float(VALUE)",
    "by name": "try:\n    return float(importlib.import_module('plu' + 'gin').VALUE)\n"
    "except ModuleNotFoundError:\n    return 0.0",
    "find_spec": "return float(importlib.util.find_spec('plu' + 'gin') is not None)",
    "in a package": "try:\n    return float(importlib.import_module('pipelines.sums.plu' + 'gin').VALUE)\n"
    "except ModuleNotFoundError:\n    return 0.0",
}


@pytest.mark.parametrize("way", IMPORTS)
@pytest.mark.sampled
def test_a_module_that_was_asked_for_and_is_there_now_runs_its_step_again(sums: Sums, way: str) -> None:
    counts(sums, IMPORTS[way])
    assert sums.run().metrics["total"] == 0
    assert actions(sums.run()) == IDLE
    place = sums.path("plugin.py") if way == "in a package" else sums.root / "plugin.py"
    place.write_text("VALUE = 5\n")
    assert sums.run().metrics["total"] > 0


EXTRA = "importlib.import_module('ex' + 'tra').X"
MAYBE = f"try:\n    return float({EXTRA})\nexcept ImportError:\n    return 1.0"
ADDED = "sys.path[:0] = [str(here.parents[1] / each) for each in ('liba', 'libb')]\n"
PROJECT = "[project]\nname = 'x'\n"
# What the step does, the files of the project, and the one that comes later and is imported instead.
SHADOWS: dict[str, tuple[str, dict[str, str], tuple[str, str]]] = {
    "the project's folder before src": (
        f"return float({EXTRA})",
        {"src/extra.py": "X = 1", "pyproject.toml": PROJECT},
        ("extra.py", "X = 2"),
    ),
    "a package before a module": (
        f"return float({EXTRA})",
        {"extra.py": "X = 1"},
        ("extra/__init__.py", "X = 2"),
    ),
    "a blank package before a module": (
        "return float(getattr(importlib.import_module('ex' + 'tra'), 'X', 2))",
        {"extra.py": "X = 1"},
        ("extra/__init__.py", ""),
    ),
    "a module before a folder": (
        "return float(getattr(importlib.import_module('ex' + 'tra'), 'X', 1))",
        {"extra/more.py": ""},
        ("extra.py", "X = 2"),
    ),
    "src": (MAYBE, {"pyproject.toml": PROJECT}, ("src/extra.py", "X = 2")),
    "another root": (
        MAYBE,
        {"lib/extra.py": "X = 2", "pyproject.toml": PROJECT},
        ("pyproject.toml", "[tool.setuptools.packages.find]\nwhere = ['lib']\n"),
    ),
    "a root before another": (
        f"return float({EXTRA})",
        {"src/other.py": "", "lib/extra.py": "X = 1"}
        | {"pyproject.toml": "[tool.setuptools.packages.find]\nwhere = ['lib']\n"},
        ("src/extra.py", "X = 2"),
    ),
    "a folder on the path": (
        f"{ADDED}try:\n    import extra\n    return float(extra.X)\nexcept ImportError:\n    return 1.0",
        {"liba/other.py": ""},
        ("liba/extra.py", "X = 2"),
    ),
    "a folder that comes first on the path": (
        f"{ADDED}import extra\nreturn float(extra.X)",
        {"libb/extra.py": "X = 1"},
        ("liba/extra.py", "X = 2"),
    ),
}


@pytest.mark.parametrize("way", SHADOWS)
@pytest.mark.sampled
def test_a_module_that_comes_later_and_is_imported_instead_runs_its_step_again(sums: Sums, way: str) -> None:
    body, files, later = SHADOWS[way]
    counts(sums, body)
    write_files(sums.root, files)
    assert sums.run().metrics["total"] == 1
    assert actions(sums.run()) == IDLE
    write_files(sums.root, dict([later]))
    assert sums.run().metrics["total"] == 2
    assert actions(sums.run()) == IDLE


def test_why_says_that_modules_are_imported_from_another_folder(sums: Sums) -> None:
    counts(sums, MAYBE)
    sums.run()
    write_files(sums.root, {"src/other.py": "", "pyproject.toml": PROJECT})
    assert sums.run().results[-1].reason == (
        "modules are imported from the project's folder, src now, and were from the project's folder"
    )


def test_a_package_without_init_that_gets_one_runs_its_step_again(sums: Sums) -> None:
    (sums.root / "plugins").mkdir()
    (sums.root / "plugins" / "one.py").write_text("import sys\nVALUE = getattr(sys, 'planted', 1)\n")
    counts(sums, "return float(importlib.import_module('plugins' + '.one').VALUE)")
    assert sums.run().metrics["total"] == 1
    (sums.root / "plugins" / "__init__.py").write_text("")
    assert actions(sums.run()) == IDLE
    (sums.root / "plugins" / "__init__.py").write_text("import sys\nsys.planted = 5\n")
    assert sums.run().metrics["total"] == 5


BLANK = {"a module": "pipelines/sums/blank.py", "a package": "pipelines/sums/blank/__init__.py"}


@pytest.mark.parametrize("way", BLANK)
def test_a_blank_module_of_another_step_that_gets_code_runs_its_step_again(sums: Sums, way: str) -> None:
    (sums.root / BLANK[way]).parent.mkdir(exist_ok=True)
    (sums.root / BLANK[way]).write_text("")
    draw = sums.path("draw.py").read_text()
    sums.path("draw.py").write_text(f"import pipelines.sums.blank\n{draw}")
    counts(sums, "return float(getattr(importlib.import_module('pipelines.sums.bl' + 'ank'), 'X', 1))")
    assert sums.run().metrics["total"] == 1
    assert actions(sums.run()) == IDLE
    (sums.root / BLANK[way]).write_text("X = 2\n")
    assert sums.run().metrics["total"] == 2


def test_the_package_of_a_step_that_gets_an_init_runs_it_again(sums: Sums) -> None:
    sums.run()
    sums.path("__init__.py").write_text("import random\nrandom.Random.randrange = lambda self, stop: 1\n")
    assert sums.run().metrics["total"] == 3


def test_the_modules_of_a_package_are_counted(sums: Sums) -> None:
    (sums.root / "plugins").mkdir()
    counts(sums, "return float(len(list(pkgutil.iter_modules(['plugins']))))")
    assert sums.run().metrics["total"] == 0
    (sums.root / "plugins" / "one.py").write_text("")
    assert sums.run().metrics["total"] == 1


def test_a_file_outside_the_project_that_was_looked_for_is_compared(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("elsewhere") / "extra.txt"
    counts(sums, f"return float(Path({str(outside)!r}).exists())")
    assert sums.run().metrics["total"] == 0
    outside.write_text("5")
    assert sums.run().metrics["total"] == 1


QUIET: dict[str, str] = {
    "temporary files": "folder = Path(tempfile.mkdtemp())\n(folder / 'x').write_text('')\n"
    "return float(len(list(folder.iterdir())) + (folder / 'no').exists())",
    "a file of its own": "Path('made.txt').write_text('1')\nreturn float(Path('made.txt').exists())",
    "packages": "import json.tool, email.mime.text, importlib.metadata\n"
    "return float(len(importlib.metadata.__name__) > 0)",
    "tools": "return float(len(os.listdir('.git')) * 0 + Path('.relet').exists())",
    "a tree that it copies": "shutil.copytree(here / 'words', tempfile.mkdtemp() + '/copy')\nreturn 1.0",
    "a link that it copies": "folder = Path(tempfile.mkdtemp())\n(folder / 'link').symlink_to('nowhere')\n"
    "shutil.copystat(folder / 'link', folder / 'link', follow_symlinks=False)\n"
    "shutil.rmtree(folder)\nreturn float(folder.exists())",
}


@pytest.mark.parametrize("way", QUIET)
@pytest.mark.sampled
def test_what_is_no_part_of_the_project_is_not_noted(sums: Sums, way: str) -> None:
    counts(sums, QUIET[way])
    outcome = sums.run()
    assert outcome.error is None
    # A resource is part of the project: the copied folder was listed.
    listed = ["pipelines/sums/words"] if way == "a tree that it copies" else []
    assert list(looked_at(sums, outcome)) == listed
    assert actions(sums.run()) == IDLE


def test_the_functions_of_os_are_the_systems_own_after_a_call(sums: Sums) -> None:
    supported = len(os.supports_follow_symlinks)
    before: tuple[Callable[..., object], ...] = (os.stat, os.lstat, os.access)
    counts(sums, "return float(Path('extra.txt').exists())")
    outcome = execute(prepare(read_order("sums", [])), debug=True)
    assert outcome.error is None
    assert looked_at(sums, outcome) == {"extra.txt": "nothing"}
    assert (os.stat, os.lstat, os.access) == before
    assert os.stat in os.supports_dir_fd and len(os.supports_follow_symlinks) == supported
