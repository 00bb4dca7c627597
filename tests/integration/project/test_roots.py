"""A project whose helpers lie in `src/`, as its pyproject.toml declares: it need not be installed."""

from __future__ import annotations

from relet.engine.run import execute
from relet.project.order import Order
from relet.project.request import prepare
from relet.reproduction.determinism import judge_determinism
from tests.sums_project import Sums, likenesses

DECLARED = '[project]\nname = "own"\n\n[tool.hatch.build.targets.wheel]\npackages = ["src/mylib"]\n'


def in_src(sums: Sums) -> None:
    """Move the helper to a package in `src/`, and beside it a component."""
    (sums.root / "pyproject.toml").write_text(DECLARED)
    package = sums.root / "src" / "mylib"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    sums.path("helper.py").rename(package / "helper.py")
    sums.path("draw.py").rename(package / "draw.py")
    sums.edit("add.py", "from pipelines.sums.helper", "from mylib.helper")
    sums.edit("pipeline.py", "from pipelines.sums.draw", "from mylib.draw")
    sums.commit("in src")


def test_a_helper_in_src_is_code_of_the_step_that_imports_it(sums: Sums) -> None:
    in_src(sums)
    first = sums.run()
    assert sums.record(first, "add").undeclared == {}
    assert {each.action for each in sums.run().results} == {"skip"}
    helper = sums.root / "src" / "mylib" / "helper.py"
    helper.write_text(helper.read_text().replace("float(", "1.0 + float("))
    assert {each.component: each.action for each in sums.run().results} == {"draw": "skip", "add": "run"}


def test_a_run_with_helpers_in_src_is_made_again_without_the_project(sums: Sums) -> None:
    in_src(sums)
    outcome = sums.run()
    (sums.root / "src" / "mylib" / "helper.py").write_text("raise SystemExit(1)\n")
    (sums.root / "pyproject.toml").unlink()
    found = sums.again(outcome)
    assert likenesses(found) == {"draw": "IDENTICAL", "add": "IDENTICAL"}


def test_the_check_of_determinism_finds_src_too(sums: Sums) -> None:
    in_src(sums)
    job = prepare(Order(pipeline="sums"))
    outcome = execute(job)
    assert judge_determinism(job, outcome).passed
