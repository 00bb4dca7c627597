"""Several components in one file: an edit of one leaves the others alone, and what runs is never stale."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

import relet
from relet.core.plan import Plan, plan
from relet.engine.observing import ReadPermissions, undeclared_files
from relet.engine.opened_files import AccessLog
from relet.engine.run import execute
from relet.project.order import read_order
from relet.project.request import prepare
from tests.written_project import WrittenProject, write_files

FILES = {
    "pipelines/one/pipeline.py": """
from relet import Pipeline
from pipelines.one.steps import draw, halve, double

pipeline = Pipeline([draw, halve, double])
""",
    "pipelines/one/conf/config.yaml": """
main: {experiment_name: one, seed: 1, evaluate: false}
store: {url: .relet}
tracking: []
""",
    "pipelines/one/steps.py": """
from pathlib import Path
from typing import NamedTuple
from relet import Metrics, component
from pipelines.one import tools

class Drawn(NamedTuple):
    drawn: Metrics

class Halved(NamedTuple):
    halved: Metrics

class Doubled(NamedTuple):
    doubled: Metrics

def shared(value: float) -> float:
    return value + 0

@component(job_type="draw")
def draw(*, start: float = 8) -> Drawn:
    return Drawn({"drawn": start})

@component(job_type="halve")
def halve(drawn: Metrics, *, by: float = 2) -> Halved:
    return Halved({"halved": shared(drawn["drawn"]) / by})

@component(job_type="double")
def double(drawn: Metrics, *, by: float = 2) -> Doubled:
    return Doubled({"doubled": shared(drawn["drawn"]) * by})
""",
    "pipelines/one/tools.py": """
def hidden():
    '''Say how much.'''
    return 1

def more():
    return 1
""",
    "requirements.lock": f"pandas==3 --hash=sha256:{'0' * 64}\n",
}

TRIPLE = """
class Tripled(NamedTuple):
    tripled: Metrics

@component(job_type="more")
def triple(drawn: Metrics, *, by: float = 3) -> Tripled:
    return Tripled({"tripled": by})
"""


class OneFile(WrittenProject):
    """A pipeline whose components all stand in `steps.py`."""

    pipeline = "one"

    def ran(self) -> list[str]:
        return [each.component for each in relet.run("one").results if str(each.action) == "run"]

    def measured(self) -> dict[str, float]:
        return dict(relet.run("one").metrics)

    def plan(self) -> Plan:
        return plan(prepare(read_order("one", [])).request, self.store)

    def body(self, name: str, lines: str) -> None:
        """Give `halve` another return."""
        self.edit("steps.py", '    return Halved({"halved": shared(drawn["drawn"]) / by})', f"    {lines}")


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OneFile]:
    write_files(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if not (Path(each) / "pipelines").is_dir()])
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "pipelines"}
    yield OneFile(tmp_path)
    sys.modules.update(hidden)


def test_an_edit_of_one_runs_no_neighbour_and_one_of_a_shared_helper_runs_both(one: OneFile) -> None:
    assert one.ran() == ["draw", "halve", "double"]
    assert one.ran() == []
    one.edit("steps.py", '{"doubled": shared', '{"doubled": 3 + shared')
    one.edit(
        "steps.py", "def double(drawn: Metrics, *, by: float = 2)", "def double(drawn: Metrics, *, by: float = 5)"
    )
    assert one.ran() == ["double"]
    one.edit("steps.py", "return value + 0", "return value + 1")
    planned = {each.component: each.reason for each in one.plan()}
    assert planned["draw"] == "same key"
    assert planned["halve"] == planned["double"] == "code of pipelines.one.steps:shared changed"
    assert one.ran() == ["halve", "double"]
    assert one.measured() == {"drawn": 8, "halved": 4.5, "doubled": 3 * 1 + 9 * 5 - 0}
    assert one.store.verify() == []


EXISTS = """try:
        from pipelines.one.tools import more
        value = 2
    except ImportError:
        value = 1
    return Halved({"halved": value})"""


def test_that_a_function_is_there_counts_though_nobody_calls_it(one: OneFile) -> None:
    one.body("halve", EXISTS)
    assert one.measured()["halved"] == 2
    one.edit("tools.py", "def more", "def less")
    assert one.measured()["halved"] == 1
    one.edit("tools.py", "def less", "def more")
    assert one.measured()["halved"] == 2
    assert one.store.verify() == []


def test_a_component_that_is_added_runs_alone(one: OneFile) -> None:
    one.ran()
    steps = one.path("steps.py")
    steps.write_text(f"{steps.read_text()}{TRIPLE}")
    assert one.ran() == []


@pytest.mark.parametrize("trusted", [True, False])
def test_a_module_whose_classes_are_trusted_in_models_counts_whole(one: OneFile, trusted: bool) -> None:
    """A model holds the digest of that module: its step has to run, or the model could never be loaded again."""
    named = '"pipelines.one.tools.*"' if trusted else ""
    (one.root / "pyproject.toml").write_text(f"[tool.relet]\ntrust = [{named}]\n")
    one.ran()
    one.edit("tools.py", "def more():\n    return 1", "def more():\n    return 2")
    assert one.ran() == (["draw", "halve", "double"] if trusted else [])


def test_what_a_resource_or_a_parameter_names_is_held(one: OneFile) -> None:
    one.edit("steps.py", '@component(job_type="halve")', '@component(job_type="halve", resources=("way.yaml",))')
    one.path("way.yaml").write_text("_target_: pipelines.one.tools.hidden\n")
    one.edit("steps.py", "def double(drawn: Metrics, *,", "def double(drawn: Metrics, *, way: str = 'tools.more',")
    one.ran()
    one.edit("tools.py", "how much.'''\n    return 1", "how much.'''\n    return 2")
    assert one.ran() == ["halve"]
    one.edit("tools.py", "def more():\n    return 1", "def more():\n    return 2")
    assert one.ran() == ["double"]


# How `halve` calls `tools.hidden` without anything in the code that says so.
UNSEEN = {
    "an attribute whose name is worked out": "at = halve\n"
    "    found = getattr(at, '__glo' + 'bals__')['to' + 'ols']\n"
    "    return Halved({'halved': getattr(found, 'hid' + 'den')()})",
    "a library that resolves names": "from logging.config import BaseConfigurator\n"
    "    found = BaseConfigurator({}).resolve('pipelines.one.tools.hid' + 'den')\n"
    "    return Halved({'halved': found()})",
}


@pytest.mark.parametrize("way", UNSEEN)
def test_a_function_that_was_left_out_and_is_called_makes_its_step_run_again(one: OneFile, way: str) -> None:
    one.body("halve", UNSEEN[way])
    first = one.measured()
    assert (first["halved"], one.ran()) == (1, [])
    one.edit("tools.py", "def hidden():\n    '''Say how much.'''\n    return 1", "def hidden():\n    return 7")
    assert one.measured()["halved"] == 7


def test_what_tells_of_a_call_is_recorded_as_the_module_s_text(one: OneFile) -> None:
    one.body("halve", UNSEEN["a library that resolves names"])
    one.ran()
    record = next(each for each in one.store.runs() if each.component == "halve")
    assert record.parts is not None
    assert not any("tools:hidden" in each for each in record.parts.code)
    assert list(record.undeclared) == ["pipelines/one/tools.py"]


def test_a_module_of_which_parts_are_held_is_compared_by_its_bytes_however_it_was_opened(tmp_path: Path) -> None:
    """Whoever compiles a source, as runpy and pytest do, reads more than the key holds."""
    source = tmp_path / "steps.py"
    source.write_text("x = 1\n")
    digest = sha256(b"x = 1\n").hexdigest()
    opened = AccessLog(files={str(source): digest})
    for parts, undeclared in ((frozenset({"steps.py"}), {"steps.py": digest}), (frozenset[str](), {})):
        allowed = ReadPermissions(
            folder=tmp_path, home=tmp_path, paths=(), declared={"steps.py": digest}, in_parts=parts
        )
        assert undeclared_files(opened, allowed) == undeclared


@pytest.mark.parametrize(
    "way",
    [
        "float(len(Path(__file__).read_text()))",
        "float(len(open(__file__).read()))",
        "float(len(__import__('inspect').getsource(tools)))",
        "float(len(Path(tools.__file__).read_bytes()))",
        "float(len(__import__('linecache').getlines(__file__)[-1]))",
        "float(Path(__file__).stat().st_size)",
        "__import__('runpy').run_path(tools.__file__)['hidden']()",
    ],
)
@pytest.mark.sampled
def test_a_step_that_reads_the_text_of_its_module_is_not_stale(one: OneFile, way: str) -> None:
    one.body("halve", f"return Halved({{'halved': {way}}})")
    before = one.measured()["halved"]
    assert one.ran() == []
    one.edit("tools.py", "return 1", "return 12345")
    one.edit("steps.py", "* by})", "* by * 10000 + 3})")
    after = one.measured()["halved"]
    assert after != before


def test_a_call_keeps_the_lines_and_the_docstring_of_a_function_that_was_left_out(one: OneFile) -> None:
    one.body(
        "halve",
        "from logging.config import BaseConfigurator\n"
        "    found = BaseConfigurator({}).resolve('pipelines.one.tools.hid' + 'den')\n"
        "    assert found.__doc__ == 'Say how much.'\n"
        "    return Halved({'halved': found.__code__.co_firstlineno})",
    )
    assert one.measured()["halved"] == 1
    assert execute(prepare(read_order("one", []))).metrics["halved"] == 1
