"""Which functions of a module a component's key holds: those that it can get at, and no others."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.core.change import differences
from relet.core.code import FirstPartyCode
from relet.core.definitions import module_parts, parts_as_json, parts_from_json
from relet.core.reach import CodeStart, reached_code
from relet.core.record import KeyParts
from tests.held_code import functions, held

TWO = """
from typing import Annotated, NamedTuple
import pandas as pd
from relet import Source, Stored, Table, component
SCALE = 2

def shared(): return SCALE

class Made(NamedTuple):
    made: Table
    sold: int = 2

class Others(NamedTuple):
    others: pd.DataFrame | None
    more: Annotated[str, Source("generated")] = "a"

@component(job_type="main")
def main(rows: Table, *, low: int = 2) -> Made: return shared()

@component(job_type="other")
def other(rows: Annotated[pd.DataFrame, Stored("rows:prod")], *, high: int = 9) -> Others: return shared() + 1

def alone(): return 3
"""


def test_a_neighbour_is_left_out_and_what_both_call_is_held(tmp_path: Path) -> None:
    assert functions(tmp_path, TWO) == ["Made", "main", "shared"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("shared() + 1", "shared() + 100"),
        ("return 3", "return print(4)"),
        ("high: int = 9", "tall: int = 11"),
        ('job_type="other"', 'job_type="another"'),
        ('rows: Annotated[pd.DataFrame, Stored("rows:prod")]', "rows: list[str] | None"),
        ("more: Annotated", "less: Annotated"),
        ("class Others", "class Unused(NamedTuple):\n    unused: Table\n\nclass Others"),
        ("def alone(): return 3\n", "def alone(a=1): return shared()\n"),
        ("def alone(): return 3\n", ""),
        ("def alone(): return 3", "def renamed(): return 3"),
        ("def alone(): return 3\n", "def alone(): return 3\n\ndef more(a=1): return shared()\n"),
    ],
)
def test_an_edit_of_a_neighbour_leaves_the_key(tmp_path: Path, old: str, new: str) -> None:
    assert old in TWO
    assert held(tmp_path, {"steps": TWO}) == held(tmp_path, {"steps": TWO.replace(old, new)})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return shared()\n\n@", "return shared() + 1\n\n@"),
        ("return SCALE", "return SCALE + 1"),
        ("SCALE = 2", "SCALE = 3"),
        ("low: int = 2", "low: int = 3"),
        ("high: int = 9", "high: int = shared()"),
        ("high: int", "high: print('x')"),
        ("high: int", "high: not_there"),
        ("sold: int = 2", "sold: int = 3"),
        ("class Others(NamedTuple):", "class Others(NamedTuple):\n    print('x')"),
        ("class Others(NamedTuple):", "class Others(Made):"),
        ("others: pd.DataFrame | None", "others: print('x')"),
        ('job_type="other"', 'job_type=print("other")'),
        ("def alone(): return 3", "def shared(): return 3"),
        ("def alone(): return 3", "@print\ndef alone(): return 3"),
        ("def shared(): return SCALE\n", "SCALE = 4\ndef shared(): return SCALE\n"),
        ("def alone(): return 3", "shared = print"),
    ],
)
def test_an_edit_of_what_runs_changes_the_key(tmp_path: Path, old: str, new: str) -> None:
    assert old in TWO
    assert held(tmp_path, {"steps": TWO}) != held(tmp_path, {"steps": TWO.replace(old, new, 1)})


@pytest.mark.parametrize(
    "more",
    [
        "component = print",
        "if SCALE:\n    component = print",
        "from os import *",
        "def changing():\n    global component",
        "def component(**options): return print",
        "import other as component",
    ],
)
def test_a_function_that_another_decorator_may_get_hold_of_is_held(tmp_path: Path, more: str) -> None:
    source = TWO.replace("SCALE = 2", f"SCALE = 2\n{more}")
    edited = source.replace("shared() + 1", "shared() + 100")
    assert held(tmp_path, {"steps": source}) != held(tmp_path, {"steps": edited})


def test_where_a_function_stands_among_statements_counts_if_it_is_held(tmp_path: Path) -> None:
    before = "def f(): return 1\nf = print\ndef main(): return f()\n"
    after = "f = print\ndef f(): return 1\ndef main(): return f()\n"
    assert held(tmp_path, {"steps": before}) != held(tmp_path, {"steps": after})


def test_what_only_a_neighbour_imports_is_no_code(tmp_path: Path) -> None:
    steps = "def main(): return 1\n\ndef other():\n    import numpy, helper\n    return helper.f()\n"
    found = reached_code(
        _code(tmp_path, steps=steps, helper="x = 1"), CodeStart(modules=("steps",), words={"main"})
    )
    assert (list(found.modules), found.third_party) == (["steps", "steps:main"], frozenset())


def _code(folder: Path, **modules: str) -> FirstPartyCode:
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)
    return FirstPartyCode((folder,))


def test_a_list_of_public_names_calls_nothing(tmp_path: Path) -> None:
    assert functions(tmp_path, "__all__ = ['other']\ndef main(): return 1\ndef other(): return 2\n") == ["main"]


def test_a_docstring_says_no_names_and_one_that_is_read_makes_the_module_a_whole(tmp_path: Path) -> None:
    source = "def main():\n    'Not as other.'\n    return 1\n\ndef other(): return 2\n"
    assert functions(tmp_path, source) == ["main"]
    assert functions(tmp_path, f"{source}print(__doc__)\n") == [""]


def test_a_script_says_names_and_is_no_code_itself(tmp_path: Path) -> None:
    modules = {"steps": TWO, "suite": "import steps\ndef test_it(): steps.alone()\n"}
    found = held(tmp_path, modules, scripts=("suite",))
    assert [each for each in found if ":" in each] == ["steps:Made", "steps:alone", "steps:main", "steps:shared"]
    assert "suite" not in found


def test_a_module_whose_classes_models_may_hold_counts_with_all_that_it_imports(tmp_path: Path) -> None:
    modules = {
        "steps": "import blocks\ndef main(): return blocks.Ratio()\ndef other(): return 1\n",
        "blocks": "class Ratio: ...\ndef unused():\n    import deep\n",
        "deep": "def f(): return 1\n",
    }
    found = held(tmp_path, modules, is_whole=lambda module: module == "blocks")
    whole = FirstPartyCode((tmp_path,)).closure("blocks").modules
    assert {name: found[name] for name in whole} == dict(whole)
    assert [each for each in found if ":" in each] == ["steps:main"]
    assert "deep" not in held(tmp_path, modules)


def test_parts_come_back_as_they_were_written() -> None:
    import ast

    parts = module_parts(ast.parse(TWO), "")
    again = parts_from_json(parts_as_json(parts))
    assert parts_as_json(again) == parts_as_json(parts)
    assert again.rest_digest({"main"}) == parts.rest_digest({"main"})


# Each calls `hidden` without saying its name; the module, or all modules, count as they are then.
UNSAID = {
    "globals": "globals()['hid' + 'den']()",
    "locals": "locals()['hid' + 'den']()",
    "vars": "vars(tools)['hid' + 'den']()",
    "eval": "eval('hid' + 'den()')",
    "exec": "exec('hid' + 'den()')",
    "getattr": "getattr(tools, 'hid' + 'den')()",
    "getattr by another name": "(lambda ask: ask(tools, 'hid' + 'den')())(getattr)",
    "attrgetter": "__import__('operator').attrgetter('hid' + 'den')(tools)()",
    "methodcaller": "methodcaller('hid' + 'den')(tools)",
    "__dict__": "tools.__dict__['hid' + 'den']()",
    "__getattribute__": "object.__getattribute__(tools, 'hid' + 'den')()",
    "__globals__": "main.__globals__['hid' + 'den']()",
    "getattr of __dict__": "getattr(tools, '__dict__')['hid' + 'den']()",
    "sys.modules": "list(sys.modules['tools'].items)[0]()",
    "import_module": "use(import_module('tools'))",
    "__import__": "use(__import__('tools'))",
    "inspect": "inspect.getmembers(tools)[-1][1]()",
    "frames": "sys._getframe().f_globals['hid' + 'den']()",
    "an error's frames": "error.__traceback__.tb_frame.f_globals['hid' + 'den']()",
    "gc": "gc.get_objects()[0]()",
    "pickle": "pickle.loads(rows)()",
    "a stored estimator": "joblib.load(rows)()",
    "pandas": "frame.eval('@hid' + 'den()')",
    "a query": "frame.query('@hid' + 'den()')",
    "doctest": "doctest.testmod()",
    "unittest": "unittest.main()",
    "pytest": "pytest.main([rows])",
    "runpy": "runpy.run_path(rows)",
    "a program": "subprocess.run([rows])",
    "a shell": "os.system(rows)",
    "the loader": "__loader__.get_code('tools')",
    "its own code": "FunctionType(code, {})()",
    "a module as a value": "use(tools)",
    "a submodule as a value": "use(folder.tools)",
    "an unsafe document": "yaml.load(rows, Loader=yaml.UnsafeLoader)",
    "a configuration of logs": "dictConfig(rows)",
    "dir": "use(dir(tools))",
    "arrays with objects": "numpy.load(rows, allow_pickle=True)",
    "weights with objects": "torch.load(rows, weights_only=rows)",
    "vars of a module of a module": "vars(tools.deep)['f']()",
    "vars of a module by another module": "vars(deeper)['f']()",
    "vars of a module's module under another name": "vars(tools.again)['f']()",
    "__dict__ of a package": "folder.__dict__['tools']",
    "getattr of a function": "getattr(main, '__glo' + 'bals__')['hid' + 'den']()",
    "getattr of a library": "getattr(sys, 'mod' + 'ules')['tools']",
    "getattr of a module by a lambda": "(lambda at: getattr(at, 'hid' + 'den'))(tools)()",
    "vars of nothing": "vars()['hid' + 'den']()",
    "all subclasses": "tuple.__subclasses__()[-1]()",
    "a text of a format": "'{.__globals__}'.format(rows)",
    "a name worked out of its own": "rows.look(__name__.rpartition('.')[0] + '.tools')",
    "the name of its package": "rows.look(__package__ + '.tools')",
    "the module of a function": "rows.look(rows.__module__)",
    "a module in a class": "rows.Box.t\n\nclass Box:\n    import tools as t",
    "a module in a longer text": "rows.look('the folder.tools of it'.split())",
    "files compared": "filecmp.cmp(__file__, rows)",
    "the size of the source": "Path(__file__).stat().st_size",
}
HEAD = """
import os, sys
import yaml, pytest
from operator import methodcaller
from pathlib import Path
import tools
import folder.tools
from tools import deep as deeper
"""
TOOLS = "import deep, deep as again\ndef hidden(): return 1\n"


@pytest.mark.parametrize("way", UNSAID.values(), ids=UNSAID.keys())
def test_code_that_works_names_out_counts_as_a_whole(tmp_path: Path, way: str) -> None:
    head = HEAD
    for module in ("doctest", "filecmp", "gc", "inspect", "joblib", "pickle", "runpy", "subprocess", "unittest"):
        head += f"import {module}\n" if f"{module}." in way else ""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/tools.py").write_text("def other(): return 1\n")
    source = f"{head}\ndef main(rows): return {way}\n\ndef hidden(): return 1\n"
    assert functions(tmp_path, source, tools=TOOLS, deep="def f(): return 1\n") == [""]
    plain = f"{HEAD}\ndef main(rows): return tools.said(rows)\n\ndef hidden(): return 1\n"
    assert functions(tmp_path, plain, tools=TOOLS, deep="def f(): return 1\n") == ["main"]


def test_a_module_that_an_import_of_all_names_binds_is_handed_on_as_well(tmp_path: Path) -> None:
    source = "from tools import *\ndef main(): return vars({})['f']()\ndef hidden(): return 1\n"
    for name in ("deep", "again"):
        assert functions(tmp_path, source.format(name), tools=TOOLS, deep="def f(): return 1\n") == [""]
    assert functions(tmp_path, source.format("rows"), tools=TOOLS, deep="def f(): return 1\n") == ["main"]


@pytest.mark.parametrize(
    "harmless",
    [
        "getattr(rows, 'size')",
        "getattr(rows, str(rows))",
        "vars(rows)",
        "rows.__dict__",
        "attrgetter('size')(rows)",
        "model.eval()",
        "platform.system()",
        "net.modules()",
        "re.compile('a')",
        "rows.query('a > 1')",
        "tools.CONSTANT",
        "Path(__file__).parent",
        "'an eval set'",
        "torch.load(rows, weights_only=True)",
    ],
)
def test_code_that_says_its_names_does_not(tmp_path: Path, harmless: str) -> None:
    source = f"{HEAD}from operator import attrgetter\ndef main(rows): return {harmless}\ndef hidden(): return 1\n"
    assert functions(tmp_path, source, tools="CONSTANT = 1\n") == ["main"]


# Ways in which the function {f} adds what {g} gives to {n}.
CALLING = (
    "def {f}(): return {n}",
    "def {f}(): return {n} + {g}()",
    "def {f}(): return {n} + tools.{g}()",
    "def {f}():\n    from {home} import {g} as h\n    return {n} + h()",
    "def {f}(): return {n} + getattr({home}, '{g}')()",
    "def {f}(): return {n} + globals()['{g}'.strip()]()",
    "table_{f} = {{'one': {g}}}\ndef {f}(): return {n} + table_{f}['one']()",
    "def {f}(call={g}): return {n} + call()",
    "def {f}(): return {n} + (lambda: {g}())()",
    "def {f}():\n    def inner(): return {g}()\n    return {n} + inner()",
    "class Maker_{f}:\n    def made(self): return {n} + {g}()\n\ndef {f}(): return Maker_{f}().made()",
    "def same(function): return function\n@same\ndef {f}(): return {n} + {g}()",
    "if True:\n    def {f}(): return {n} + {g}()",
    "def {f}(): return {n} + eval('{g}'.strip() + '()')",
    "def {f}(): return {n} + vars({home})['{g}'[:2]]()",
    "other_{f} = {g}\ndef {f}(): return {n} + other_{f}()",
    "def {f}(): return {n} + next(iter([{g}]))()",
    "value_{f} = {g}()\ndef {f}(): return {n} + value_{f}",
    "def {f}(): return {n}\nfirst_{f} = {f}\ndef {f}(): return first_{f}() + {g}()",
    "def _Way_{f}__said(): return {g}() + {n}\nclass Way_{f}:\n    def call(self): return __said()\n"
    "def {f}(): return Way_{f}().call()",
    "async def {f}_later(): return {g}()\ndef {f}():\n    try: {f}_later().send(None)\n"
    "    except StopIteration as ended: return {n} + ended.value",
    "def {f}_each():\n    yield {g}()\ndef {f}(): return {n} + sum({f}_each())",
)
LAST = 4


@st.composite
def programs(draw: st.DrawFn) -> tuple[list[str], list[str], list[int], int]:
    """A way, a callee and a number for each function, and from which on they stand in `tools`."""
    ways = [draw(st.sampled_from(CALLING)) for _ in range(LAST)]
    callees = [f"f{draw(st.integers(at + 1, LAST))}" for at in range(LAST)]
    numbers = [draw(st.integers(1, 9)) for _ in range(LAST)]
    return ways, callees, numbers, draw(st.integers(1, LAST))


def written(ways: list[str], callees: list[str], numbers: list[int], split: int) -> dict[str, str]:
    """The two modules of a program; what is called stands above what calls it."""
    bodies: dict[str, list[str]] = {"tools": [f"def f{LAST}(): return 0"], "steps": []}
    for at in reversed(range(LAST)):
        home = "steps" if at < split else "tools"
        callee = "steps" if int(callees[at][1:]) < split else "tools"
        way = ways[at].replace("tools.{g}", "{home}.{g}")
        bodies[home].append(way.format(f=f"f{at}", g=callees[at], n=numbers[at], home=callee))
    steps = "\n".join(("import steps, tools", "from tools import *", *bodies["steps"], "def main(): return f0()"))
    return {"steps": steps, "tools": "\n".join(("import tools", *bodies["tools"]))}


def result(modules: Mapping[str, str]) -> int:
    """What `main` gives."""
    with loaded(modules) as steps:
        return int(steps.main())


@contextmanager
def loaded(modules: Mapping[str, str]) -> Iterator[ModuleType]:
    assert not modules.keys() & sys.modules.keys()
    try:
        for name in ("tools", "steps"):
            sys.modules[name] = ModuleType(name)
            exec(compile(modules[name], name, "exec", dont_inherit=True), vars(sys.modules[name]))
        yield sys.modules["steps"]
    finally:
        for name in modules:
            sys.modules.pop(name, None)


@given(programs(), st.integers(0, LAST - 1))
def test_an_edit_that_can_change_the_result_changes_the_key(
    program: tuple[list[str], list[str], list[int], int], edited: int
) -> None:
    ways, callees, numbers, split = program
    one = written(ways, callees, numbers, split)
    numbers[edited] += 1000
    other = written(ways, callees, numbers, split)
    with TemporaryDirectory() as folder, TemporaryDirectory() as another:
        if result(one) != result(other):
            assert held(Path(folder), one) != held(Path(another), other)


def test_a_key_of_the_other_form_names_the_module_once() -> None:
    old = KeyParts(component="c", code={"m": "12", "n": "rest 1", "n:f": "2"})
    new = KeyParts(component="c", code={"m": "rest 34", "m:f": "56", "n": "rest 1", "n:f": "3"})
    assert [str(each) for each in differences(old, new)] == [
        "code of m is held in another form: by its definitions, or as a whole",
        "code of n:f changed",
    ]
