"""A package that a step uses though no import statement names it: another version runs the step again."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relet import environments
from relet.core.installed import Distributions
from relet.core.plan import Action
from relet.engine import isolation, own_interpreter
from relet.engine.run import execute
from relet.project.job import RunOutcome
from relet.project.order import read_order
from relet.project.request import prepare
from tests.package_site import Site, site
from tests.sums_project import Sums

HEAD = "import importlib, importlib.metadata\n\n"
IDLE = [Action.SKIP, Action.SKIP]

__all__ = ["site"]


def counts(sums: Sums, body: str, head: str = HEAD) -> None:
    """Let `add` count with what the code says."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    sums.path("helper.py").write_text(f"{head}def total(path):\n{lines}")


def packages(sums: Sums, outcome: RunOutcome) -> dict[str, str]:
    looked_at = sums.record(outcome, "add").looked_at
    return {name: there for name, there in looked_at.items() if name.startswith("[package]")}


WAYS = {
    "by a name that is worked out": "return importlib.import_module('zer' + 'oes').VALUE",
    "by __import__": "return __import__('zer' + 'oes').VALUE",
    "by its version": "return float(importlib.metadata.version('zer' + 'oes'))",
    "by its metadata": "return float(importlib.metadata.metadata('Zer' + 'oes')['Version'])",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.sampled
def test_another_version_runs_the_step_again(sums: Sums, site: Site, way: str) -> None:
    site.install("zeroes", "1.0", "VALUE = 1.0\n")
    counts(sums, WAYS[way])
    first = sums.run()
    assert first.metrics["total"] == 1
    assert packages(sums, first)["[package] zeroes"] == "1.0"
    assert [each.action for each in sums.run().results] == IDLE
    site.install("zeroes", "2.0", "VALUE = 2.0\n")
    again = sums.run()
    assert again.metrics["total"] == 2
    assert again.results[1].reason == "the package zeroes is 2.0 now, and was 1.0 when it was used"


def test_what_a_package_imports_without_needing_it_counts_as_well(sums: Sums, site: Site) -> None:
    site.install("around", "1.0", "from zeroes import VALUE\n")
    site.install("zeroes", "1.0", "VALUE = 1.0\n")
    counts(sums, "import around\nreturn around.VALUE")
    first = sums.run()
    assert packages(sums, first) == {"[package] zeroes": "1.0"}
    site.install("zeroes", "2.0", "VALUE = 2.0\n")
    assert sums.run().metrics["total"] == 2


def test_a_package_that_the_key_holds_is_named_once(sums: Sums, site: Site) -> None:
    site.install("zeroes", "1.0", "VALUE = 1.0\n")
    counts(sums, "import zeroes\nreturn zeroes.VALUE")
    first = sums.run()
    assert sums.record(first, "add").parts.packages["zeroes"] == "1.0"
    assert packages(sums, first) == {}


MISSING = {
    "by a name that is worked out": "try:\n    return importlib.import_module('zer' + 'oes').VALUE\n"
    "except ImportError:\n    return 0.0",
    "by its version": "try:\n    return float(importlib.metadata.version('zer' + 'oes'))\n"
    "except ImportError:\n    return 0.0",
    "by its spec": "import importlib.util\nreturn float(importlib.util.find_spec('zer' + 'oes') is not None)",
}


@pytest.mark.parametrize("way", MISSING)
@pytest.mark.sampled
def test_a_package_that_is_installed_later_runs_the_step_again(sums: Sums, site: Site, way: str) -> None:
    counts(sums, MISSING[way])
    assert sums.run().metrics["total"] == 0
    assert [each.action for each in sums.run().results] == IDLE
    site.install("zeroes", "1.0", "VALUE = 1.0\n")
    assert sums.run().metrics["total"] == 1


AHEAD = {
    "another package imports it": "import pandas\nseries = pandas.Series([1.0, 2.0])\n"
    "return series.corr(series, method='kendall')",
    "by a hidden import_module": "take = getattr(importlib, 'import_' + 'module')\n"
    "return float(take('sci' + 'py') is not None)",
    "by its spec": "import importlib.util\nreturn float(importlib.util.find_spec('sci' + 'py') is not None)",
}


@pytest.mark.parametrize("way", AHEAD)
@pytest.mark.sampled
def test_what_relet_imports_ahead_counts_where_a_step_gets_at_it(
    sums: Sums, site: Site, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    counts(sums, AHEAD[way])
    first = sums.run()
    assert first.metrics["total"] == pytest.approx(1)
    assert "[package] scipy" in packages(sums, first)
    assert [each.action for each in sums.run().results] == IDLE
    installed = Distributions.installed()
    other = {**installed.found, "scipy": ("99.0", installed.found["scipy"][1])}
    monkeypatch.setattr(Distributions, "installed", classmethod(lambda cls: cls(other)))
    version = installed.found["scipy"][0]
    assert sums.run().results[1].reason == f"the package scipy is 99.0 now, and was {version} when it was used"


@pytest.mark.long
def test_what_a_package_imported_as_it_was_imported_ahead_counts_where_it_is_imported(
    sums: Sums, site: Site
) -> None:
    # The first step imports it and takes long, so that the process imports it ahead.
    sums.edit("draw.py", "import random\n", "import pandas\nimport random\nimport time\n")
    sums.edit("draw.py", "    path = ", "    time.sleep(2)\n    path = ")
    counts(sums, "return float(importlib.import_module('pan' + 'das') is not None)")
    own_interpreter.end()
    first = sums.run()
    assert {"[package] pandas", "[package] numpy", "[package] pyarrow"} <= packages(sums, first).keys()
    assert "[package] lightgbm" not in packages(sums, first)


OPTIONAL = "try:\n    from zeroes import VALUE\nexcept ImportError:\n    VALUE = 0.0\n"


def test_what_a_package_can_do_without_runs_the_step_again_when_it_is_installed(sums: Sums, site: Site) -> None:
    site.install("around", "1.0", OPTIONAL)
    counts(sums, "import around\nreturn around.VALUE")
    assert sums.run().metrics["total"] == 0
    assert [each.action for each in sums.run().results] == IDLE
    site.install("zeroes", "1.0", "VALUE = 1.0\n")
    again = sums.run()
    assert again.metrics["total"] == 1
    assert again.results[1].reason == "the module zeroes is there now, and was not when it was imported"


@pytest.mark.parametrize("body", ["import around\nreturn around.VALUE", WAYS["by __import__"]])
@pytest.mark.parametrize("place", ["project", "path"])
@pytest.mark.sampled
def test_a_module_that_takes_the_name_of_an_installed_one_runs_the_step_again(
    sums: Sums,
    site: Site,
    place: str,
    body: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = sums.root if place == "project" else tmp_path_factory.mktemp("more")
    site.install("around", "1.0", "from zeroes import VALUE\n")
    site.install("zeroes", "1.0", "VALUE = 1.0\n")
    monkeypatch.syspath_prepend(str(folder))
    counts(sums, body)
    assert sums.run().metrics["total"] == 1
    assert [each.action for each in sums.run().results] == IDLE
    (folder / "zeroes.py").write_text("VALUE = 5.0\n")
    assert sums.run().metrics["total"] == 5


def test_a_package_of_which_nothing_was_asked_runs_nothing_again(sums: Sums, site: Site) -> None:
    counts(sums, "return 1.0")
    sums.run()
    site.install("zeroes", "1.0", "VALUE = 1.0\n")
    assert [each.action for each in sums.run().results] == IDLE


def test_a_component_of_another_environment_is_held_to_the_packages_there(
    sums: Sums, site: Site, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Site(tmp_path_factory.mktemp("there"))
    here = replace(environments.here(), manager="uv")
    monkeypatch.setattr(environments, "build", lambda *_, **__: here)
    variables = isolation._isolated_variables

    def with_packages(*given: Any) -> dict[str, str]:
        found = variables(*given)
        return {**found, "PYTHONPATH": os.pathsep.join([found["PYTHONPATH"], str(there.folder)])}

    monkeypatch.setattr(isolation, "_isolated_variables", with_packages)

    def isolated() -> RunOutcome:
        return execute(replace(prepare(read_order("sums", [])), manager="uv"))

    site.install("zeroes", "7.0", "VALUE = 7.0\n")
    there.install("zeroes", "1.0", "VALUE = 1.0\n")
    counts(sums, "return __import__('zer' + 'oes').VALUE")
    assert isolated().metrics["total"] == 1
    assert [each.action for each in isolated().results] == IDLE
    there.install("zeroes", "2.0", "VALUE = 2.0\n")
    assert isolated().metrics["total"] == 2


LISTING = {
    "in a thread": "from concurrent.futures import ThreadPoolExecutor\n"
    "found = ThreadPoolExecutor().submit(importlib.metadata.distributions).result()\n"
    "return float(sum(each.name == 'zeroes' for each in found))",
    "by their versions": "return float(sum(each.name == 'zeroes' for each in importlib.metadata.distributions()))",
    "by their modules": "return float('zeroes' in importlib.metadata.packages_distributions())",
    "by their entry points": "return float('zeroes' in importlib.metadata.entry_points(group='own').names)",
}


@pytest.mark.parametrize("way", LISTING)
def test_a_step_that_lists_what_is_installed_runs_again_where_that_is_another(
    sums: Sums, site: Site, way: str
) -> None:
    site.install("around", "1.0", "")
    counts(sums, LISTING[way])
    assert sums.run().metrics["total"] == 0
    assert [each.action for each in sums.run().results] == IDLE
    site.install("zeroes", "1.0", "")
    points = site.folder / "zeroes-1.0.dist-info" / "entry_points.txt"
    points.write_text("[own]\nzeroes = zeroes\n")
    again = sums.run()
    assert again.metrics["total"] == 1
    assert again.results[1].reason == "other packages are installed now than when it listed them all"


def test_a_package_that_lists_what_is_installed_runs_nothing_again(sums: Sums, site: Site) -> None:
    lists = "def count():\n    return float(len(list(importlib.metadata.distributions())))\n"
    site.install("around", "1.0", f"import importlib.metadata\n\n{lists}")
    counts(sums, "import around\naround.count()\nreturn 1.0")
    assert packages(sums, sums.run()) == {}
    site.install("zeroes", "1.0", "")
    assert [each.action for each in sums.run().results] == IDLE


def test_a_file_of_a_package_that_is_not_imported_counts_by_its_version(sums: Sums, site: Site) -> None:
    site.install("zeroes", "1.0", "")
    rows = site.folder / "zeroes" / "rows.txt"
    rows.write_text("1")
    counts(sums, f"return float(open({str(rows)!r}).read())")
    first = sums.run()
    assert first.metrics["total"] == 1
    assert packages(sums, first) == {"[package] zeroes": "1.0"}
    assert [each.action for each in sums.run().results] == IDLE
    site.install("zeroes", "2.0", "")
    rows.write_text("2")
    assert sums.run().metrics["total"] == 2


def test_a_module_that_takes_the_name_of_one_of_the_standard_library_counts(sums: Sums, site: Site) -> None:
    site.install("around", "1.0", "import colorsys\nVALUE = getattr(colorsys, 'VALUE', 1.0)\n")
    counts(sums, "import around\nreturn around.VALUE")
    assert sums.run().metrics["total"] == 1
    own = sums.root / "colorsys.py"
    own.write_text("VALUE = 2.0\n")
    assert sums.run().metrics["total"] == 2
    own.write_text("VALUE = 3.0\n")
    assert sums.run().metrics["total"] == 3


LONE = {
    "a module": ("lone.py", "VALUE = {}\n", "import lone\nreturn lone.VALUE"),
    "a file": ("lone.json", "{}", "import json\nreturn json.loads(open(SITE + '/lone.json').read())"),
    "a folder": ("lone/__init__.py", "VALUE = {}\n", "import lone\nreturn lone.VALUE"),
}


@pytest.mark.parametrize("way", LONE)
@pytest.mark.sampled
def test_what_no_distribution_has_is_compared_by_its_content(sums: Sums, site: Site, way: str) -> None:
    name, content, body = LONE[way]
    site.install("around", "1.0", "")
    (site.folder / name).parent.mkdir(exist_ok=True)
    (site.folder / name).write_text(content.format(1.0))
    counts(sums, f"import around\n{body}", head=f"SITE = {str(site.folder)!r}\n\n")
    first = sums.run()
    assert first.metrics["total"] == 1
    assert [Path(each).name for each in sums.record(first, "add").undeclared] == [Path(name).name]
    assert [each.action for each in sums.run().results] == IDLE
    (site.folder / name).write_text(content.format(2.25))
    assert sums.run().metrics["total"] == 2.25


def test_files_of_shared_memory_and_of_the_user_s_data_are_compared(
    sums: Sums, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUSERBASE", str(tmp_path))
    place = tmp_path / "share" / "rows.txt"
    place.parent.mkdir()
    place.write_text("1")
    memory = Path(f"/dev/shm/relet-test-{os.getpid()}")
    memory.write_text("1")
    try:
        counts(sums, f"return float(open({str(place)!r}).read()) + float(open({str(memory)!r}).read())")
        assert sums.run().metrics["total"] == 2
        assert [each.action for each in sums.run().results] == IDLE
        memory.write_text("2")
        assert sums.run().metrics["total"] == 3
        place.write_text("5")
        assert sums.run().metrics["total"] == 7
    finally:
        memory.unlink()
