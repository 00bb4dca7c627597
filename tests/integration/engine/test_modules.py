"""A parameter that names a module: which code is then a component's, and what runs again after an edit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from relet import environments
from relet.cli.describe import describe
from relet.core.signature import read_component
from relet.engine.run import execute
from relet.errors import SettingError, SignatureError, WiringError
from relet.project.folder import open_project
from relet.project.job import RunOutcome
from relet.project.order import read_order
from relet.project.request import prepare
from tests.sums_project import Sums, likenesses

WAYS = {
    "ways/double.py": "FACTOR = 2\n\ndef double(value, options):\n    return FACTOR * value\n",
    "ways/power.py": "def power(value, options):\n    return float(value) ** options.get('exponent', 2)\n",
    "ways/both.py": (
        "from pipelines.sums.ways.double import double\n\n"
        "def both(value, options):\n    return double(double(value, {}), {})\n"
    ),
    "ways/_shared.py": "x = 1\n",
    "change.py": """
from importlib import import_module
from typing import Annotated, Any, NamedTuple
from relet import Metrics, Module, component

class Changed(NamedTuple):
    changed: Metrics

@component(job_type="change")
def change(
    sums: Metrics,
    *,
    way: Annotated[str, Module("pipelines.sums.ways")] = "double",
    options: dict[str, Any] = {},
) -> Changed:
    '''Change what was added, in one of several ways.'''
    module = import_module(f"pipelines.sums.ways.{way}")
    return Changed({"value": float(getattr(module, way)(sums["total"], options))})
""",
    "conf/way/double.yaml": "# @package _global_\nway: double\nways: {double: {}}\n",
    "conf/way/power.yaml": "# @package _global_\nway: power\nways: {power: {exponent: 3}}\n",
}


@pytest.fixture
def changing(sums: Sums) -> Sums:
    """The sums, and a last step that names a module of `ways`, with a group of settings for it."""
    for name, text in WAYS.items():
        sums.path(name).parent.mkdir(parents=True, exist_ok=True)
        sums.path(name).write_text(text)
    sums.edit("pipeline.py", "[draw, add, rate]", "[draw, add, rate, change]")
    sums.edit(
        "pipeline.py",
        "from pipelines.sums.add",
        "from pipelines.sums.change import change\nfrom pipelines.sums.add",
    )
    sums.edit(
        "pipeline.py",
        '"scale": "add.scale"',
        '"scale": "add.scale", "way": "change.way", "ways.{change.way}": "change.options"',
    )
    config = sums.path("conf/config.yaml")
    config.write_text("defaults: [{way: double}, _self_]\n" + config.read_text())
    sums.commit()
    return sums


def ran(sums: Sums, *overrides: str) -> list[str]:
    return [each.component for each in sums.run(*overrides).results if each.action == "run"]


def value(outcome: RunOutcome) -> float:
    return float(outcome.metrics["value"])


def test_the_module_that_is_named_is_what_runs(changing: Sums) -> None:
    total = changing.run().metrics["total"]
    assert value(changing.run("way=double")) == 2 * total
    assert value(changing.run("way=power")) == total**3
    assert value(changing.run("way=power", "ways.power.exponent=1")) == total


def test_editing_the_named_module_runs_its_step_and_editing_another_runs_nothing(changing: Sums) -> None:
    assert ran(changing, "way=power") == ["draw", "add", "change"]
    changing.edit("ways/double.py", "FACTOR = 2", "FACTOR = 3")
    assert ran(changing, "way=power") == []
    assert ran(changing) == ["change"]
    changing.edit("ways/power.py", "float(value)", "float(value + 1)")
    assert ran(changing) == []
    assert ran(changing, "way=power") == ["change"]
    changing.edit("ways/power.py", "float(value + 1)", "float(value + 2)")
    assert "pipelines.sums.ways.power" in changing.run("way=power").results[-1].reason


def test_what_the_named_module_imports_is_part_of_the_code(changing: Sums) -> None:
    changing.path("conf/way/both.yaml").write_text("# @package _global_\nway: both\nways: {both: {}}\n")
    first = changing.run("way=both")
    changing.edit("ways/double.py", "FACTOR = 2", "FACTOR = 3")
    assert value(changing.run("way=both")) == value(first) / 4 * 9


def test_only_the_named_module_and_its_packages_are_in_the_record(changing: Sums) -> None:
    changing.edit("ways/power.py", "def power", "import yaml\n\ndef power")
    double, power = (changing.record(changing.run(f"way={way}"), "change").parts for way in ("double", "power"))
    assert double is not None and power is not None
    assert "pipelines.sums.ways.double" in double.code and "pipelines.sums.ways.power" not in double.code
    assert "pipelines.sums.ways.power" in power.code and "pipelines.sums.ways.double" not in power.code
    assert "pyyaml" in power.packages and "pyyaml" not in double.packages


def test_importing_the_named_module_is_no_caveat_and_importing_another_is_one(changing: Sums) -> None:
    assert changing.record(changing.run(), "change").caveats == ()
    changing.edit("change.py", 'f"pipelines.sums.ways.{way}"', '"pipelines.sums.ways.power"')
    changing.edit("change.py", "getattr(module, way)", "module.power")
    found = changing.record(changing.run(), "change").caveats
    assert [each.what for each in found if each.kind == "import"] == ["pipelines.sums.ways.power"]


def test_a_name_that_is_no_module_is_refused_before_anything_runs(changing: Sums) -> None:
    with pytest.raises(SettingError, match=r"change\.way got 'dubble': did you mean double\?"):
        prepare(read_order("sums.change", ["way=dubble"]))
    with pytest.raises(SettingError, match=r"change\.way got '_shared'"):
        prepare(read_order("sums.change", ["way=_shared"]))


def test_a_new_module_needs_no_line_in_the_pipeline(changing: Sums) -> None:
    changing.path("ways/half.py").write_text("def half(value, options):\n    return value / options['by']\n")
    changing.path("conf/way/half.yaml").write_text("# @package _global_\nway: half\nways: {half: {by: 4}}\n")
    total = changing.run().metrics["total"]
    assert value(changing.run("way=half")) == total / 4
    with pytest.raises(SettingError, match=r"ways\.half\.bye"):
        changing.run("way=half", "ways.half.bye=3")


def test_help_lists_the_modules_and_their_settings(changing: Sums) -> None:
    assert "default 'double'; one of both, double, power" in describe("sums.change")
    assert "ways.power" in describe("sums")


def test_a_run_with_a_named_module_is_made_again_with_that_module(changing: Sums) -> None:
    first = changing.run("way=power")
    changing.edit("ways/power.py", "float(value)", "float(value + 1)")
    assert set(likenesses(changing.again(first)).values()) == {"IDENTICAL"}


def test_a_module_that_git_does_not_hold_is_kept_with_the_run(changing: Sums) -> None:
    changing.path("ways/half.py").write_text("def half(value, options):\n    return value / 2\n")
    changing.path("conf/way/half.yaml").write_text("# @package _global_\nway: half\nways: {half: {}}\n")
    first = changing.run("way=half")
    changing.path("ways/half.py").unlink()
    assert set(likenesses(changing.again(first)).values()) == {"IDENTICAL"}


def test_an_isolated_run_makes_the_same_key(changing: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        environments, "build", lambda manager, lock, **_: replace(environments.here(), manager=manager)
    )
    outcome = execute(replace(prepare(read_order("sums", ["way=power"])), manager="uv"))
    assert (outcome.error, [str(each.action) for each in outcome.results]) == (None, ["run", "run", "run"])
    assert ran(changing, "way=power") == []
    assert ran(changing, "way=double") == ["change"]


def test_a_package_without_modules_is_named_with_file_and_line(changing: Sums) -> None:
    changing.edit("change.py", 'Module("pipelines.sums.ways")', 'Module("pipelines.sums.waze")')
    with pytest.raises(
        SignatureError, match=r"line \d+: the parameter way names a module of pipelines\.sums\.waze"
    ):
        open_project("sums", changing.root)


def test_a_setting_with_a_parameter_in_braces_needs_one_of_a_few_values(changing: Sums) -> None:
    changing.edit("pipeline.py", "ways.{change.way}", "ways.{change.options}")
    with pytest.raises(WiringError, match=r"names change\.options, which takes a mapping, not one of a few"):
        open_project("sums", changing.root)
    changing.edit("pipeline.py", "ways.{change.options}", "ways.{chance.way}")
    with pytest.raises(WiringError, match=r"names chance\.way: did you mean change\?"):
        open_project("sums", changing.root)


def test_a_named_module_may_be_none(changing: Sums, tmp_path: Path) -> None:
    changing.edit("change.py", "Annotated[str, Module", "Annotated[str | None, Module")
    changing.edit("change.py", '= "double"', "= None")
    component = read_component(
        "change", "pipelines.sums.change", changing.path("change.py"), open_project("sums", changing.root).code
    )
    assert component.modules({}) == ()
    assert component.modules({"way": "power"}) == ("pipelines.sums.ways.power",)
