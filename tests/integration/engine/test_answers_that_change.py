"""A step that gets more than one answer about a file, or asks in vain, is compared by what it learned."""

from __future__ import annotations

import pytest

from relet.core.plan import Action
from tests.integration.engine.test_lookups import IDLE, actions, counts, looked_at
from tests.sums_project import Sums

# What a copy of the process does is not seen: it stands for somebody else.
OTHER = """
def other(work):
    process = os.fork()
    if not process:
        work()
        os._exit(0)
    os.waitpid(process, 0)
data, more = Path('data.txt'), Path('rows/b')
"""
BETWEEN = {
    "read twice": "data.read_text()\nother(lambda: data.write_text('2'))\nvalue = float(data.read_text())\n"
    "other(lambda: data.write_text('1'))\nreturn value",
    "read, gone and back": "data.read_text()\nother(data.unlink)\ntry:\n    open(data)\nexcept OSError:\n"
    "    value = 2.0\n"
    "other(lambda: data.write_text('1'))\nreturn value",
    "not there, then read": "try:\n    open(more)\nexcept OSError:\n    other(lambda: more.write_text('2'))\n"
    "value = float(more.read_text())\nother(more.unlink)\nreturn value",
    "exists twice": "more.exists()\nother(lambda: more.write_text('2'))\nvalue = more.exists() + 1.0\n"
    "other(more.unlink)\nreturn value",
    "listed twice": "os.listdir('rows')\nother(lambda: more.write_text('2'))\n"
    "value = float(len(os.listdir('rows')))\n"
    "other(more.unlink)\nreturn value",
    "sizes of entries": "row = Path('rows/a')\n"
    "size = lambda: sum(each.stat().st_size for each in os.scandir('rows'))\n"
    "size()\nother(lambda: row.write_text('22'))\nvalue = float(size())\nother(lambda: row.write_text('1'))\n"
    "return value",
    "sizes in a listed folder": "os.listdir('rows')\nrow = Path('rows/a')\nrow.stat()\n"
    "other(lambda: row.write_text('22'))\nvalue = float(row.stat().st_size)\n"
    "other(lambda: row.write_text('1'))\nreturn value",
}


@pytest.mark.parametrize("way", BETWEEN)
@pytest.mark.sampled
def test_a_step_that_got_two_answers_runs_again(sums: Sums, way: str) -> None:
    (sums.root / "data.txt").write_text("1")
    (sums.root / "rows").mkdir()
    (sums.root / "rows" / "a").write_text("1")
    counts(sums, OTHER + BETWEEN[way])
    first = sums.run()
    assert (first.error, first.metrics["total"]) == (None, 2)
    again = sums.run().results[-1]
    assert again.action is Action.RUN
    if way == "exists twice":
        assert again.reason == "rows/b changed while the step ran"


OWN = {
    "a file that it makes and removes": "place = Path('made.txt')\nplace.exists()\nplace.touch()\n"
    "value = float(place.exists())\nplace.unlink()\nreturn value",
    "a file in a folder that it lists": "len(os.listdir('rows'))\nPath('rows/b').write_text('2')\n"
    "value = float(len(os.listdir('rows')) - 1)\nos.unlink('rows/b')\nreturn value",
    "one file, read twice": "return float(open('data.txt').read() and open('data.txt').read())",
}


@pytest.mark.parametrize("way", OWN)
def test_what_a_step_changes_itself_is_no_second_answer(sums: Sums, way: str) -> None:
    (sums.root / "data.txt").write_text("1")
    (sums.root / "rows").mkdir()
    (sums.root / "rows" / "a").write_text("1")
    counts(sums, OWN[way])
    assert sums.run().metrics["total"] == 1
    assert actions(sums.run()) == IDLE


FAILS = {
    "to write to a folder": "try:\n    open('rows', 'w')\nexcept OSError:\n"
    "    return float(len(os.listdir('rows')))",
    "to write below no folder": "try:\n    open('none/x', 'w')\nexcept OSError:\n"
    "    return float(len(os.listdir('rows')) + Path('none/x').exists())",
    "to make a folder": "try:\n    os.mkdir('none/x')\nexcept OSError:\n"
    "    return float(len(os.listdir('rows')) + Path('none/x').exists())",
}


IN_A_FOLDER = {
    "a folder": "os.mkdir('none/x')",
    "a folder by its path": "Path('none/x').mkdir()",
    "a file": "open('none/x', 'w').close()",
    "a file that is new": "open('none/x', 'x').close()",
    "a database": "import sqlite3; sqlite3.connect('none/x.db').close()",
    "a link": "os.symlink('rows', 'none/x')",
    "a file that was elsewhere": "Path('own').touch(); os.replace('own', 'none/x')",
}


@pytest.mark.parametrize("way", IN_A_FOLDER)
@pytest.mark.sampled
def test_a_step_that_could_make_nothing_in_a_folder_runs_again_when_that_is_there(sums: Sums, way: str) -> None:
    tried = IN_A_FOLDER[way]
    counts(sums, f"try:\n    {tried}\nexcept Exception:\n    return 1.0\nreturn 2.0")
    assert sums.run().metrics["total"] == 1
    assert actions(sums.run()) == IDLE
    (sums.root / "none").mkdir()
    assert sums.run().metrics["total"] == 2


@pytest.mark.parametrize("way", FAILS)
@pytest.mark.sampled
def test_a_place_that_could_not_be_written_is_not_the_steps_own(sums: Sums, way: str) -> None:
    (sums.root / "rows").mkdir()
    (sums.root / "rows" / "a").write_text("1")
    counts(sums, FAILS[way])
    first = sums.run()
    assert first.metrics["total"] == 1
    below = {"none", "none/x"} if way != "to write to a folder" else set()
    assert set(looked_at(sums, first)) == {"rows", *below}
    assert actions(sums.run()) == IDLE
    (sums.root / "rows" / "b").write_text("2")
    assert sums.run().metrics["total"] > 1


TRIES = {
    "mkdir": "try:\n    os.mkdir('place')\nexcept FileExistsError:\n    return 1.0\nos.rmdir('place')\nreturn 0.0",
    "mkdir of pathlib": "try:\n    Path('place').mkdir()\nexcept FileExistsError:\n    return 1.0\n"
    "Path('place').rmdir()\nreturn 0.0",
    "makedirs": "try:\n    os.makedirs('place')\nexcept FileExistsError:\n    return 1.0\nos.rmdir('place')\n"
    "return 0.0",
    "open to make": "try:\n    open('place', 'x').close()\nexcept FileExistsError:\n    return 1.0\n"
    "os.unlink('place')\nreturn 0.0",
    "utime": "try:\n    os.utime('place')\nexcept FileNotFoundError:\n    return 0.0\nreturn 1.0",
    "chmod": "try:\n    os.chmod('place', 0o755)\nexcept FileNotFoundError:\n    return 0.0\nreturn 1.0",
    "listxattr": "try:\n    os.listxattr('place')\nexcept FileNotFoundError:\n    return 0.0\nreturn 1.0",
    "chdir": "try:\n    os.chdir('place')\nexcept FileNotFoundError:\n    return 0.0\nreturn 1.0",
    "rmdir": "try:\n    os.rmdir('place')\nexcept FileNotFoundError:\n    return 0.0\n"
    "os.mkdir('place')\nreturn 1.0",
    "unlink": "try:\n    os.unlink('place')\nexcept FileNotFoundError:\n    return 0.0\n"
    "except OSError:\n    pass\nreturn 1.0",
    "rename from": "try:\n    os.rename('place', 'new')\nexcept FileNotFoundError:\n    return 0.0\n"
    "os.rename('new', 'place')\nreturn 1.0",
    "a folder that it makes and lists": "os.makedirs('place', exist_ok=True)\nvalue = len(os.listdir('place'))\n"
    "if not value:\n    os.rmdir('place')\nreturn float(value)",
}


@pytest.mark.parametrize("way", TRIES)
@pytest.mark.sampled
def test_what_a_step_learns_by_trying_runs_it_again_when_it_changes(sums: Sums, way: str) -> None:
    counts(sums, TRIES[way])
    assert sums.run().metrics["total"] == 0
    assert actions(sums.run()) == IDLE
    (sums.root / "place").mkdir()
    (sums.root / "place" / "a").touch() if "lists" in way else None
    assert sums.run().metrics["total"] == 1


THERE = {
    "a link to make": "try:\n    os.symlink('rows', 'place')\nexcept FileExistsError:\n    return 1.0\nreturn 0.0",
    "a file that it removes": "try:\n    os.unlink('place')\nexcept FileNotFoundError:\n    return 0.0\n"
    "return 1.0",
    "a file in place of a folder": "open('own', 'w').close()\ntry:\n    os.rename('own', 'rows')\n"
    "except OSError:\n    return 1.0\nreturn 0.0",
}


@pytest.mark.parametrize("way", THERE)
def test_what_a_step_learns_since_something_is_there_runs_it_again_when_it_is_gone(sums: Sums, way: str) -> None:
    (sums.root / "place").write_text("1")
    (sums.root / "rows").mkdir()
    counts(sums, THERE[way])
    assert sums.run().metrics["total"] == 1
    if way != "a file that it removes":
        assert actions(sums.run()) == IDLE
        (sums.root / "place").unlink()
        (sums.root / "rows").rmdir()
    assert sums.run().metrics["total"] == 0


@pytest.mark.parametrize(
    "way",
    [
        "Path('out').mkdir(exist_ok=True)",
        "Path('none').unlink(missing_ok=True)",
        "Path('out').mkdir(parents=True, exist_ok=True)\nPath('out/a').write_text('1')",
    ],
)
def test_a_step_that_makes_a_folder_where_there_is_none_runs_once(sums: Sums, way: str) -> None:
    counts(sums, f"{way}\nreturn 1.0")
    assert sums.run().metrics["total"] == 1
    assert actions(sums.run()) == IDLE


def test_a_step_that_clears_its_folder_comes_to_rest(sums: Sums) -> None:
    counts(
        sums,
        "import shutil\nshutil.rmtree('out', ignore_errors=True)\nos.mkdir('out')\n"
        "Path('out/a').write_text('1')\nreturn 1.0",
    )
    sums.run()
    sums.run()
    assert actions(sums.run()) == IDLE
