"""What a key holds of definitions that are asked for and not used, and of modules that are handed on by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from relet.core.code import FirstPartyCode
from relet.core.definitions import EXISTS
from relet.core.reach import CodeStart, reached_code
from tests.held_code import held


def test_a_name_that_is_imported_and_not_used_does_not_count(tmp_path: Path) -> None:
    steps = "from helper import f, g\ndef main(): return f()\ndef other(): return g()\n"
    helper = "def f(): return 1\ndef g(): return 2\n"
    found = held(tmp_path, {"steps": steps, "helper": helper})
    assert [each for each in found if ":" in each] == ["helper:f", "helper:g", "steps:main"]
    assert found["helper:g"] == EXISTS
    assert held(tmp_path, {"steps": steps, "helper": helper.replace("2", "3")}) == found
    assert held(tmp_path, {"steps": steps, "helper": helper.replace("def g", "def h")}) != found


def test_a_name_that_is_imported_from_behind_stars_counts_where_it_is(tmp_path: Path) -> None:
    steps = "try: from one import fast\nexcept ImportError: pass\ndef main(): return 1\n"
    modules = {"steps": steps, "one": "from two import *\n", "two": "from three import *\n", "three": "x = 1\n"}
    before = held(tmp_path, modules)
    assert held(tmp_path, {**modules, "three": "x = 1\ndef fast(): return 2\n"}) != before
    assert held(tmp_path, {**modules, "three": "x = 1\ndef other(): return 2\n"}) == before


def test_a_name_that_is_listed_as_public_counts(tmp_path: Path) -> None:
    tools = "__all__ = ['fast']\ndef fast(): return 1\n"
    modules = {"steps": "from tools import *\ndef main(): return 1\n", "tools": tools}
    before = held(tmp_path, modules)
    assert held(tmp_path, {**modules, "tools": tools.replace("return 1", "return 2")}) == before
    assert held(tmp_path, {**modules, "tools": tools.replace("def fast", "def slow")}) != before


@pytest.mark.parametrize("module", ["", "X = 1\n", "'''Tools.'''\nX = 1\n", "'''Tools.'''\ndef f(): pass\n"])
def test_neither_a_docstring_nor_a_first_helper_counts(tmp_path: Path, module: str) -> None:
    steps = "import tools\ndef main(): return 1\n"
    before = held(tmp_path, {"steps": steps, "tools": module})
    for other in (f"{module}def more(): pass\n", module.replace("Tools", "Others")):
        assert held(tmp_path, {"steps": steps, "tools": other}) == before


def test_a_docstring_that_is_read_counts(tmp_path: Path) -> None:
    steps = "import tools\ndef main(): return 1\n"
    one, other = (held(tmp_path, {"steps": steps, "tools": f"'''{word}'''\nX = __doc__\n"}) for word in "ab")
    assert one != other


@pytest.mark.parametrize("body", ["a: int = 1\n    b: int", "_hidden: int", "a: int\n    K.v: int = 2"])
def test_a_named_tuple_that_does_something_or_is_none_is_held(tmp_path: Path, body: str) -> None:
    steps = "from typing import NamedTuple\nclass K: v = 1\ndef main(): return K.v\n"
    definition = f"class Row(NamedTuple):\n    {body}\n"
    assert held(tmp_path, {"steps": steps}) != held(tmp_path, {"steps": f"{steps}{definition}"})


def test_a_module_that_a_parameter_or_a_resource_names_counts_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "tools.py").write_text("X = 1\ndef f(): return 1\n")
    (tmp_path / "own" / "steps.py").write_text("import own.tools\ndef main(): return own.tools.X\n")
    start = CodeStart(modules=("own.steps",), words={"main"})
    plain = reached_code(FirstPartyCode((tmp_path,)), start).modules
    named = reached_code(FirstPartyCode((tmp_path,)), replace(start, texts=["own.tools"])).modules
    assert plain["own.tools"].startswith("rest ") and not named["own.tools"].startswith("rest ")


@pytest.mark.parametrize("said", ["look(__name__)", "look('own.steps')", "x = __name__"])
def test_a_module_whose_name_is_handed_on_counts_as_it_is(tmp_path: Path, said: str) -> None:
    (tmp_path / "own").mkdir()
    for also, changes in ((f"{said}\n", True), ("log = getLogger(__name__)\nif __name__ == 'x': pass\n", False)):
        keys = []
        for more in ("", "def hook(): pass\n"):
            source = f"from other import look, getLogger\n{also}def main(): return 1\n{more}"
            (tmp_path / "own" / "steps.py").write_text(source)
            start = CodeStart(modules=("own.steps",), words={"main"})
            keys.append(reached_code(FirstPartyCode((tmp_path,)), start).modules)
        assert (keys[0] != keys[1]) is changes
