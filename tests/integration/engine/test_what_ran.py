"""What ran is what was recorded, whatever is edited while a run works and whatever an earlier call left behind."""

from __future__ import annotations

import os
import py_compile
import re
import threading
import time
from hashlib import sha256
from pathlib import Path

import pytest

from relet.core.plan import Action
from relet.engine import own_interpreter
from relet.engine.run import execute
from relet.errors import EditedError
from relet.project.job import RunOutcome, SilentWatcher
from relet.project.order import read_order
from relet.project.request import prepare
from tests.sums_project import Sums


class EditsMeanwhile(SilentWatcher):
    """Edits a file when a step begins, as a person does who does not wait."""

    def __init__(self, path: Path, text: str, step: str = "draw") -> None:
        self.path, self.text, self.step = path, text, step

    def started(self, step: object) -> None:
        if getattr(step, "component", "") == self.step:
            self.path.write_text(self.text)


def edited_while_it_runs(sums: Sums, path: Path, text: str, *words: str) -> RunOutcome:
    return execute(prepare(read_order("sums", list(words))), EditsMeanwhile(path, text))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("helper.py", "def total(path):\n    return 1000.0\n"),
        ("words/title.txt", "another title "),
        ("__init__.py", "raise SystemExit('never to be imported')\n"),
        ("add.py", "raise SystemExit('never to be imported')\n"),
        ("pipeline.py", "this is no Python"),
        ("conf/config.yaml", "this: is: no: YAML"),
    ],
)
@pytest.mark.sampled
def test_what_is_edited_while_a_run_works_belongs_to_the_next_run(sums: Sums, path: str, text: str) -> None:
    (sums.path("__init__.py")).write_text("")
    undisturbed = sums.run("count=4").metrics["total"]
    file = sums.path(path)
    before = file.read_text()
    outcome = edited_while_it_runs(sums, file, text, "count=4", "scale=2.0")
    assert outcome.error is None or path == "__init__.py"
    sums.store.prune(keep=1)
    file.write_text(before)
    again = sums.run("count=4", "scale=2.0")
    assert again.metrics["total"] == 2 * undisturbed
    assert [each.action for each in again.results] == [Action.SKIP, Action.SKIP]
    assert sums.store.verify() == []


def test_a_source_that_is_replaced_while_a_run_works_is_read_as_it_was(sums: Sums) -> None:
    source = sums.root / "numbers.txt"
    source.write_text("1 2 3")
    outcome = edited_while_it_runs(sums, source, "100 200", "source=numbers.txt")
    assert outcome.metrics["total"] == 6
    assert sums.run("source=numbers.txt").metrics["total"] == 300


def test_a_source_that_is_replaced_between_planning_and_storing_is_refused(sums: Sums) -> None:
    source = sums.root / "numbers.txt"
    source.write_text("1 2 3")
    job = prepare(read_order("sums", ["source=numbers.txt"]))
    source.write_text("100 200")
    assert "changed while it was read; run again" in str(execute(job).error)


def test_a_configuration_that_is_edited_while_it_is_read_is_refused(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    from relet.project import request

    def edits_it(*arguments: object) -> object:
        sums.path("conf/config.yaml").write_text(sums.path("conf/config.yaml").read_text() + "# later\n")
        return real(*arguments)

    real = request.checked_settings
    monkeypatch.setattr(request, "checked_settings", edits_it)
    with pytest.raises(EditedError, match=r"config\.yaml was edited while relet read it; run again"):
        prepare(read_order("sums", []))


def test_byte_code_on_disk_is_not_read(sums: Sums) -> None:
    """An edit of the same length within a second: Python's own import would take the byte code for new."""
    helper = sums.path("helper.py")
    sums.edit("helper.py", "return float(", "return 1.0 + float(")
    first = sums.run()
    times = helper.stat()
    text = helper.read_text().replace("1.0 +", "2.0 +")
    helper.write_text(text)
    os.utime(helper, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert sums.run().metrics["total"] == first.metrics["total"] + 1
    assert not list(sums.path("").rglob("*.pyc"))


LOADED = (
    "import importlib.util\n"
    "spec = importlib.util.spec_from_file_location('factor', 'lib/factor.py')\n"
    "module = importlib.util.module_from_spec(spec)\n"
    "spec.loader.exec_module(module)\n"
)


def test_byte_code_of_a_file_that_is_loaded_by_its_path_is_neither_read_nor_written(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    own_interpreter.end()
    file = sums.root / "lib" / "factor.py"
    file.parent.mkdir()
    file.write_text("FACTOR = 1\n")
    sums.path("helper.py").write_text(f"{LOADED}\ndef total(path):\n    return float(module.FACTOR)\n")
    assert sums.run().metrics["total"] == 1
    assert not list(file.parent.rglob("*.pyc"))
    py_compile.compile(str(file))  # as a person does who imports it
    times = file.stat()
    file.write_text("FACTOR = 2\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    again = sums.run()
    assert again.metrics["total"] == 2
    assert undeclared(sums, again)["lib/factor.py"] == sha256(file.read_bytes()).hexdigest()


def test_no_call_finds_what_another_one_left_behind(sums: Sums) -> None:
    sums.path("helper.py").write_text(
        "import os, random, sys\n\nn = [0]\n\n"
        "def total(path):\n"
        "    n[0] += 1\n"
        "    found = n[0] + len(os.environ.get('LEFT', '')) + len(getattr(sys, 'left', '')) + len(random.LEFT)\n"
        "    os.environ['LEFT'] = sys.left = random.LEFT = 'something'\n"
        "    return float(found)\n\n"
        "random.LEFT = ''\n"
    )
    assert [sums.run(f"scale={scale}").metrics["total"] / scale for scale in (1.0, 2.0, 4.0)] == [1.0] * 3
    assert "LEFT" not in os.environ


def test_each_call_draws_other_numbers_from_a_generator_without_a_seed(sums: Sums) -> None:
    sums.path("helper.py").write_text(
        "import random\nimport numpy as np\n\ndef total(path):\n    return random.random() + np.random.rand()\n"
    )
    drawn = {sums.run(f"count={count}").metrics["total"] for count in (1, 2, 3, 4)}
    assert len(drawn) == 4


def undeclared(sums: Sums, outcome: RunOutcome) -> dict[str, str]:
    return dict(sums.record(outcome, "add").undeclared)


def test_a_file_that_is_read_undeclared_runs_its_step_again_where_it_is_another(sums: Sums) -> None:
    (sums.root / "extra.txt").write_text("5")
    sums.edit("helper.py", "return float(", "return float(open('extra.txt').read()) + float(")
    first = sums.run()
    assert list(undeclared(sums, first)) == ["extra.txt"]
    assert [each.action for each in sums.run().results] == [Action.SKIP, Action.SKIP]
    (sums.root / "extra.txt").write_text("7")
    again = sums.run()
    assert again.results[-1].reason == "extra.txt changed, which it reads undeclared"
    assert again.metrics["total"] == first.metrics["total"] + 2
    assert [each.action for each in sums.run().results] == [Action.SKIP, Action.SKIP]
    (sums.root / "extra.txt").unlink()
    assert "FileNotFoundError" in str(execute(prepare(read_order("sums", []))).error)


def test_a_file_beside_the_code_that_nothing_declares_is_found_where_it_is_now(sums: Sums) -> None:
    sums.path("beside.txt").write_text("5")
    read = "(__import__('pathlib').Path(__file__).parent / 'beside.txt').read_text()"
    sums.edit("helper.py", "return float(", f"return float({read}) + float(")
    first = sums.run()
    assert list(undeclared(sums, first)) == ["pipelines/sums/beside.txt"]
    sums.path("beside.txt").write_text("6")
    assert sums.run().metrics["total"] == first.metrics["total"] + 1


def test_a_file_that_changes_while_it_is_read_makes_its_step_run_every_time(sums: Sums) -> None:
    (sums.root / "log.txt").write_text("")
    sums.edit(
        "helper.py",
        "return float(",
        "log = open('log.txt', 'r+'); log.read(); log.write('x'); log.close()\n    return float(",
    )
    assert undeclared(sums, sums.run()) == {"log.txt": ""}
    assert [each.action for each in sums.run().results] == [Action.SKIP, Action.RUN]


def test_a_module_that_is_imported_undeclared_is_kept_and_compared(sums: Sums) -> None:
    sums.path("hidden.py").write_text("PLUS = 10\n")
    imported = "__import__('importlib').import_module('pipelines.sums.' + 'hidden').PLUS"
    sums.edit("helper.py", "return float(", f"return {imported} + float(")
    first = sums.run()
    assert list(undeclared(sums, first)) == ["pipelines/sums/hidden.py"]
    sums.path("hidden.py").write_text("PLUS = 20\n")
    assert sums.again(first).likeness == "IDENTICAL"
    assert sums.run().metrics["total"] == first.metrics["total"] + 10


def test_a_declared_resource_is_no_undeclared_file_wherever_it_is_read(sums: Sums) -> None:
    sums.edit("helper.py", "return float(", "open('pipelines/sums/words/title.txt').read()\n    return float(")
    assert undeclared(sums, sums.run()) == {}


def test_a_traceback_shows_the_users_own_file_and_line(sums: Sums) -> None:
    sums.edit("helper.py", "return", "raise ValueError('here')\n    return")
    error = execute(prepare(read_order("sums", []))).error
    (trace,) = getattr(error, "__notes__", [""])
    assert re.search(rf'File "{sums.path("helper.py")}", line \d, in total\n    raise ValueError', trace)


def test_a_component_may_start_processes_that_import_its_code(sums: Sums) -> None:
    sums.path("work.py").write_text("def twice(x):\n    return 2 * x\n")
    sums.path("helper.py").write_text(
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from multiprocessing import get_context\n"
        "from pipelines.sums.work import twice\n\n"
        "def total(path):\n"
        "    with ProcessPoolExecutor(1, mp_context=get_context('spawn')) as pool:\n"
        "        return float(sum(pool.map(twice, [1, 2])))\n"
    )
    assert sums.run().metrics["total"] == 6


def test_calls_of_several_threads_do_not_meet(sums: Sums) -> None:
    outcomes: list[RunOutcome] = []

    jobs = [prepare(read_order("sums", [f"scale={scale}.0"])) for scale in (1, 2, 3)]
    threads = [threading.Thread(target=lambda job=job: outcomes.append(execute(job))) for job in jobs]
    for each in threads:
        each.start()
    until = time.monotonic() + 60
    for each in threads:
        each.join(max(0.0, until - time.monotonic()))
    totals = sorted(each.metrics["total"] for each in outcomes)
    assert totals == [totals[0] * scale for scale in (1, 2, 3)]


def test_a_component_may_fork_and_open_files_as_it_likes(sums: Sums) -> None:
    """A hook of relet's own, which closes its streams in a forked process, must not run in that one's children."""
    sums.path("helper.py").write_text(
        "import multiprocessing, os\n\n"
        "def twice(x):\n    return 2 * x\n\n"
        "def total(path):\n"
        "    first = open('first.txt')\n"
        "    read, write = os.pipe()\n"
        "    if not os.fork():\n"
        "        other = open('other.txt')\n"
        "        os.write(write, first.read().encode())\n"
        "        os._exit(0)\n"
        "    found = int(os.read(read, 9))\n"
        "    with multiprocessing.Pool(1) as pool:\n"
        "        return float(found + sum(pool.map(twice, [1, 2])))\n"
    )
    (sums.root / "first.txt").write_text("1")
    (sums.root / "other.txt").write_text("666")
    assert sums.run().metrics["total"] == 7


def test_a_component_walks_through_the_folders_beside_its_code(sums: Sums) -> None:
    sums.path("data").mkdir()
    sums.path("data/a.csv").write_text("1")
    sums.path("helper.py").write_text(
        "import os\nfrom pathlib import Path\n\n"
        "def total(path):\n"
        "    here = Path(__file__).parent\n"
        "    walked = sum(len(names) for folder, _, names in os.walk(here) if folder.endswith('data'))\n"
        "    return float(len(list(here.rglob('*.csv'))) + 10 * walked)\n"
    )
    assert sums.run().metrics["total"] == 11


def test_a_module_of_the_project_may_have_the_name_of_a_loaded_one(sums: Sums) -> None:
    (sums.root / "queue.py").write_text("X = 5\n")
    sums.path("helper.py").write_text("import queue\n\ndef total(path):\n    return float(queue.X)\n")
    assert sums.run().metrics["total"] == 5


def test_an_own_library_on_the_path_is_compared(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    (sums.root / "lib").mkdir()
    (sums.root / "lib" / "mylib.py").write_text("X = 1\n")
    monkeypatch.setenv("PYTHONPATH", str(sums.root / "lib"))
    monkeypatch.syspath_prepend(str(sums.root / "lib"))
    sums.path("helper.py").write_text("import mylib\n\ndef total(path):\n    return float(mylib.X)\n")
    assert sums.run().metrics["total"] == 1
    (sums.root / "lib" / "mylib.py").write_text("X = 2222\n")
    assert sums.run().metrics["total"] == 2222


@pytest.mark.parametrize("way", ["read", "exec"])
def test_code_that_is_read_from_the_project_while_it_is_edited_is_noticed(sums: Sums, way: str) -> None:
    """The file names in tracebacks are the user's own, so that `inspect` reads the live file."""
    read = {"read": "inspect.getsource(one)", "exec": "open('pipelines/sums/more.py').read()"}[way]
    sums.path("more.py").write_text("def one():\n    return 1\n")
    sums.path("helper.py").write_text(
        "import inspect\nfrom pipelines.sums.more import one\n\n"
        f"def total(path):\n    names = {{}}\n    exec({read}, names)\n    return float(names['one']())\n"
    )
    text = "def one():\n    return 100\n"
    job = prepare(read_order("sums", []))
    assert execute(job, EditsMeanwhile(sums.path("more.py"), text)).metrics["total"] == 100
    sums.path("more.py").write_text("def one():\n    return 1\n")
    assert sums.run().metrics["total"] == 1


@pytest.mark.parametrize("name", [".hidden.txt", "link/in.txt"])
def test_what_a_resource_folder_holds_beside_the_key_is_undeclared(sums: Sums, name: str) -> None:
    (sums.root / "shared").mkdir()
    sums.path("words/link").symlink_to(sums.root / "shared")
    read = f"(__import__('pathlib').Path(__file__).parent / 'words' / '{name}').read_text()"
    sums.edit("helper.py", "return float(", f"return float({read}) + float(")
    sums.path(f"words/{name}").write_text("5")
    outcome = sums.run()
    assert list(undeclared(sums, outcome)) == [f"pipelines/sums/words/{name}"]
    sums.path(f"words/{name}").write_text("6")
    assert sums.run().metrics["total"] == outcome.metrics["total"] + 1


def test_a_file_whose_name_begins_with_a_tilde_is_a_file_like_any_other(sums: Sums) -> None:
    (sums.root / "~d.txt").write_text("5")
    sums.edit("helper.py", "return float(", "return float(open('~d.txt').read()) + float(")
    first = sums.run()
    (sums.root / "~d.txt").write_text("6")
    assert sums.run().metrics["total"] == first.metrics["total"] + 1


def test_a_file_that_was_not_made_anew_is_read_like_any_other(sums: Sums) -> None:
    (sums.root / "d.txt").write_text("5")
    sums.path("helper.py").write_text(
        "def total(path):\n"
        "    try:\n        open('d.txt', 'x').write('0')\n    except FileExistsError:\n        pass\n"
        "    return float(open('d.txt').read())\n"
    )
    assert sums.run().metrics["total"] == 5
    (sums.root / "d.txt").write_text("6")
    assert sums.run().metrics["total"] == 6


def test_a_resource_may_be_named_by_a_way_through_other_folders(sums: Sums) -> None:
    (sums.root / "shared").mkdir()
    (sums.root / "shared" / "d.txt").write_text("5")
    sums.edit("add.py", 'resources=("words",)', 'resources=("words", "../../shared/d.txt")')
    read = "(__import__('pathlib').Path(__file__).parents[2] / 'shared' / 'd.txt').read_text()"
    sums.edit("helper.py", "return float(", f"return float({read}) + float(")
    first = sums.run()
    assert undeclared(sums, first) == {}
    (sums.root / "shared" / "d.txt").write_text("6")
    assert sums.run().metrics["total"] == first.metrics["total"] + 1


def test_a_folder_with_the_name_of_a_package_does_not_hide_it(sums: Sums) -> None:
    (sums.root / "click").mkdir()
    (sums.root / "click" / "readme.txt").write_text("no module")
    sums.edit("helper.py", "def total", "import click\n\ndef total")
    parts = sums.record(sums.run(), "add").parts
    assert parts is not None and "click" in parts.packages


def test_variables_that_code_sets_before_it_imports_a_package_are_seen_by_it(sums: Sums) -> None:
    (sums.root / "site").mkdir()
    sums.path("helper.py").write_text(
        "import os\nos.environ['OMP_NUM_THREADS'] = '3'\nimport numpy\n\n"
        "def total(path):\n"
        "    from threadpoolctl import threadpool_info\n"
        "    return float(max([each['num_threads'] for each in threadpool_info()] or [3]))\n"
    )
    assert sums.run().metrics["total"] <= 3


@pytest.mark.long
def test_a_package_that_one_step_imports_is_not_there_for_another_step(sums: Sums) -> None:
    """What the import of a package does to warnings, variables and generators is done for its own step."""
    # Nothing is imported ahead where code may set variables.
    sums.edit("add.py", "float(os.environ.get('OMP_NUDGE', 0))", "0.0")
    sums.edit("draw.py", "import random\n", "import random\nimport time\nimport hypothesis\n")
    sums.edit("draw.py", "    numbers = [random", "    time.sleep(2)\n    numbers = [random")
    sums.path("helper.py").write_text(
        "import sys\n\ndef total(path):\n    return float('hypothesis' in sys.modules)\n"
    )
    assert sums.run().metrics["total"] == 0
