"""However a step gets at the content of a file, the next plan compares what it read."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import markupsafe
import pytest

from relet.core.plan import Action
from relet.core.record import Caveat
from relet.engine.run import execute
from relet.project.order import read_order
from relet.project.request import prepare
from tests.integration.engine.test_lookups import IDLE, actions, counts
from tests.sums_project import Sums

WAYS = {
    "read and deleted": "value = float(Path('data.txt').read_text())\nos.unlink('data.txt')\nreturn value",
    "read and renamed": "value = float(open('data.txt').read())\nos.rename('data.txt', 'old.txt')\nreturn value",
    "renamed and read": "Path('data.txt').rename('old.txt')\nreturn float(Path('old.txt').read_text())",
    "moved away and read": "place = Path(tempfile.mkdtemp()) / 'moved'\nshutil.move('data.txt', place)\n"
    "return float(place.read_text())",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.sampled
def test_a_file_that_is_read_and_gone_makes_its_step_run_every_time(sums: Sums, way: str) -> None:
    data = sums.root / "data.txt"
    data.write_text("5")
    counts(sums, WAYS[way])
    first = sums.run()
    assert first.metrics["total"] == 5
    assert sums.record(first, "add").undeclared["data.txt"] == ""
    assert Caveat(kind="file", what="data.txt") in first.results[-1].caveats
    data.write_text("7")
    assert sums.run().metrics["total"] == 7


def test_a_module_whose_text_is_read_and_that_is_deleted_makes_its_step_run_every_time(sums: Sums) -> None:
    (sums.root / "numbers.py").write_text("5")
    counts(sums, "value = float(Path('numbers.py').read_text())\nos.unlink('numbers.py')\nreturn value")
    first = sums.run()
    assert dict(sums.record(first, "add").undeclared) == {"numbers.py": ""}
    (sums.root / "numbers.py").write_text("7")
    assert sums.run().metrics["total"] == 7


def test_a_folder_that_is_moved_away_makes_its_step_run_every_time(sums: Sums) -> None:
    counts(
        sums,
        "place = Path(tempfile.mkdtemp()) / 'moved'\nshutil.move('rows', place)\n"
        "return float((place / 'a').read_text())",
    )
    for value in (5, 7):
        (sums.root / "rows").mkdir()
        (sums.root / "rows" / "a").write_text(str(value))
        assert sums.run().metrics["total"] == value


THROUGH = {
    "a descriptor": "folder = os.open('rows', os.O_RDONLY)\nfile = os.open('a', os.O_RDONLY, dir_fd=folder)\n"
    "return float(os.read(file, 9))",
    "an opener": "folder = os.open('rows', os.O_RDONLY)\n"
    "return float(open('a', opener=lambda name, flags: os.open(name, flags, dir_fd=folder)).read())",
    "a link to the file": "link = Path(tempfile.mkdtemp()) / 'link'\nlink.symlink_to(Path('rows/a').absolute())\n"
    "return float(link.read_text())",
    "a link to the folder": "link = Path(tempfile.mkdtemp()) / 'link'\nos.symlink(os.path.abspath('rows'), link)\n"
    "return float((link / 'a').read_text())",
    "a hard link": "link = Path(tempfile.mkdtemp()) / 'link'\nos.link('rows/a', link)\n"
    "return float(link.read_text())",
    "a moved link": "os.symlink(os.path.abspath('rows/a'), 'link')\nlink = tempfile.mkdtemp() + '/link'\n"
    "os.rename('link', link)\nreturn float(open(link).read())",
    "the process": "return float(open('/proc/self/cwd/rows/a').read())",
    "a file that is open": "file = os.open('/proc/self/cwd/rows', os.O_RDONLY)\n"
    "return float(open(f'/dev/fd/{file}/a').read())",
}


@pytest.mark.parametrize("way", THROUGH)
@pytest.mark.sampled
def test_a_file_is_recorded_by_the_place_whose_change_matters(sums: Sums, way: str) -> None:
    (sums.root / "rows").mkdir()
    data = sums.root / "rows" / "a"
    data.write_text("5")
    counts(sums, THROUGH[way])
    first = sums.run()
    assert first.metrics["total"] == 5
    assert list(sums.record(first, "add").undeclared) == ["rows/a"]
    assert actions(sums.run()) == IDLE
    data.write_text("7")
    assert sums.run().metrics["total"] == 7


def test_what_is_listed_through_a_link_is_compared(sums: Sums) -> None:
    (sums.root / "rows").mkdir()
    counts(
        sums,
        "link = Path(tempfile.mkdtemp()) / 'link'\nlink.symlink_to(Path('rows').absolute())\n"
        "return float(len(os.listdir(link)) + (link / 'b').exists())",
    )
    assert sums.run().metrics["total"] == 0
    assert actions(sums.run()) == IDLE
    (sums.root / "rows" / "b").write_text("")
    assert sums.run().metrics["total"] == 2


TEXTS = {
    "its text": "return float(len((here / 'more.py').read_text()))",
    "inspect": "import inspect\nfrom pipelines.sums import more\nreturn float(len(inspect.getsource(more)))",
    "inspect after a warning": "import inspect, warnings\nfrom pipelines.sums import more\n"
    "warnings.simplefilter('default')\nmore.one()\nreturn float(len(inspect.getsource(more)))",
    "its loader": "import pkgutil\nreturn float(len(pkgutil.get_data('pipelines.sums.more', 'more.py')))",
    "its source": "from pipelines.sums import more\n"
    "return float(len(more.__loader__.get_source('pipelines.sums.more')))",
}
MORE = "import warnings\n\ndef one():\n    warnings.warn('one')\n    return 1\n"


@pytest.mark.parametrize("way", TEXTS)
@pytest.mark.sampled
def test_a_module_whose_text_is_read_is_compared_by_its_bytes(sums: Sums, way: str) -> None:
    sums.path("more.py").write_text(MORE)
    counts(sums, TEXTS[way])
    helper = sums.path("helper.py").read_text()
    sums.path("helper.py").write_text(f"import pipelines.sums.more\n{helper}")
    first = sums.run()
    assert Caveat(kind="file", what="pipelines/sums/more.py") in first.results[-1].caveats
    assert actions(sums.run()) == IDLE
    sums.path("more.py").write_text(f"{MORE}# a comment\n")
    assert sums.run().metrics["total"] == first.metrics["total"] + len("# a comment\n")


@pytest.mark.parametrize("way", ["a warning", "a traceback"])
def test_a_module_of_which_a_line_is_shown_may_change_its_comments(sums: Sums, way: str) -> None:
    sums.path("more.py").write_text(MORE)
    shows = {
        "a warning": "import warnings\nwarnings.simplefilter('default')\nreturn float(one())",
        "a traceback": "import traceback\ntry:\n    one(5)\nexcept TypeError:\n    traceback.print_exc()\n"
        "return 1.0",
    }
    counts(sums, shows[way])
    helper = sums.path("helper.py").read_text()
    sums.path("helper.py").write_text(f"from pipelines.sums.more import one\n{helper}")
    assert [each.kind for each in sums.run().results[-1].caveats if each.kind == "file"] == []
    sums.path("more.py").write_text(f"{MORE}# a comment\n")
    assert actions(sums.run()) == IDLE


def an_extension(folder: Path) -> Path:
    """Put an extension module into a folder; the name of the file."""
    (found,) = Path(markupsafe.__file__).parent.glob("_speedups.*.so")
    folder.mkdir()
    (folder / found.name).write_bytes(found.read_bytes())
    return folder / found.name


@pytest.mark.parametrize("way", ["an extension module", "a library"])
def test_native_code_of_the_project_is_compared(sums: Sums, way: str) -> None:
    library = an_extension(sums.root / "native")
    loads = {
        "an extension module": "return float(importlib.import_module('native' + '._speedups') is not None)",
        "a library": f"import ctypes\nctypes.CDLL('native/{library.name}')\nreturn 1.0",
    }
    counts(sums, loads[way])
    first = sums.run()
    assert list(sums.record(first, "add").undeclared) == [f"native/{library.name}"]
    assert actions(sums.run()) == IDLE
    library.write_bytes(library.read_bytes() + b"\0")
    assert sums.run().results[-1].reason == f"native/{library.name} changed, which it reads undeclared"


def test_a_database_and_what_is_not_yet_in_it_are_compared(sums: Sums) -> None:
    rates = sqlite3.connect(sums.root / "rates.db", isolation_level=None)
    rates.execute("pragma journal_mode=wal")
    rates.execute("create table rates (rate)")
    counts(
        sums,
        "import sqlite3\nwith sqlite3.connect('file:rates.db?mode=ro', uri=True) as rates:\n"
        "    return float(rates.execute('select count(*) from rates').fetchone()[0])",
    )
    assert sums.run().metrics["total"] == 0
    assert actions(sums.run()) == IDLE
    before = (sums.root / "rates.db").read_bytes()
    rates.execute("insert into rates values (1)")
    assert (sums.root / "rates.db").read_bytes() == before
    assert sums.run().metrics["total"] == 1
    rates.close()


def test_a_database_in_memory_is_no_file(sums: Sums) -> None:
    counts(
        sums,
        "import sqlite3\nsqlite3.connect(':memory:').close()\n"
        "sqlite3.connect('file::memory:?cache=shared', uri=True).close()\nreturn 1.0",
    )
    first = sums.run()
    record = sums.record(first, "add")
    assert (dict(record.undeclared), [each for each in record.looked_at if "memory" in each]) == ({}, [])


def test_what_a_step_makes_itself_and_gives_its_final_name_is_its_own(sums: Sums) -> None:
    counts(
        sums,
        "Path('part').mkdir()\nPath('part/a').write_text('5')\nos.replace('part', 'whole')\n"
        "Path('draft').write_text('1')\nos.replace('draft', 'final')\n"
        "value = float(Path('whole/a').read_text()) + float(Path('final').read_text())\n"
        "shutil.rmtree('whole')\nos.unlink('final')\nreturn value",
    )
    first = sums.run()
    assert first.metrics["total"] == 6
    assert dict(sums.record(first, "add").undeclared) == {}
    assert [each.action for each in sums.run().results] == [Action.SKIP, Action.SKIP]


def test_a_file_beside_the_project_that_is_not_found_is_explained(sums: Sums) -> None:
    beside = sums.root.parent / f"{sums.root.name}-data.txt"
    beside.write_text("5")
    counts(sums, f"return float((Path(__file__).parents[3] / {beside.name!r}).read_text())")
    error = str(execute(prepare(read_order("sums", []))).error)
    assert "FileNotFoundError" in error
    assert (
        f"{beside} lies outside the project's folder, and the code of a run is laid out elsewhere: give it to the "
        "step by a parameter that is a Source, or put it into the project and name it in resources="
    ) in error
    beside.unlink()
    assert "lies outside" not in str(execute(prepare(read_order("sums", []))).error)


STARTED = {
    "a script": "out = subprocess.run([sys.executable, 'tool.py'], stdout=-1).stdout\nreturn float(out)",
    "a module": "out = subprocess.run([sys.executable, '-m', 'tool'], stdout=subprocess.PIPE).stdout\n"
    "return float(out)",
    "in another folder": "out = subprocess.run([sys.executable, 'tool.py'], cwd=os.getcwd(), stdout=-1).stdout\n"
    "os.chdir('/')\nreturn float(out)",
    "a line of a shell": "out = subprocess.check_output(f'{sys.executable} tool.py | cat', shell=True)\n"
    "return float(out)",
    "by the system": "os.system(f'{sys.executable} tool.py > {tempfile.gettempdir()}/out')\n"
    "return float(Path(tempfile.gettempdir(), 'out').read_text())",
}


@pytest.mark.parametrize("way", STARTED)
@pytest.mark.sampled
def test_a_script_that_is_started_is_compared(sums: Sums, way: str) -> None:
    tool = sums.root / "tool.py"
    tool.write_text("print(5)\n")
    counts(sums, f"import subprocess, sys\n{STARTED[way]}")
    first = sums.run()
    assert first.metrics["total"] == 5
    assert set(sums.record(first, "add").undeclared) == {"tool.py"}
    tool.write_text("print(7)\n")
    assert sums.run().metrics["total"] == 7
    assert actions(sums.run()) == IDLE
