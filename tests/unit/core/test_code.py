"""The normal form of code, and which modules and packages a component's code is."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.core.code import FirstPartyCode, ModuleSummary
from relet.core.normal_form import normal_form
from relet.errors import WiringError
from relet.names import PACKAGE

FIXTURE = Path(__file__).with_name("normal_form.py.txt")
# Written once by Python 3.11: every other Python must come to the same.
FIXTURE_DIGEST = "2ca2aad30a4d7a01bbb70ddff0c6519f370fc9a4a66cade6de60b15ae09bd53f"
# Packages of which relet takes hold where a value is theirs.
OPTIONAL = {"catboost", "lightgbm", "matplotlib", "polars", "torch", "xgboost"}
BUILT = "from relet.training.estimators.boosted import BoostedRegressor"


def form(source: str) -> str:
    return normal_form(ast.parse(source))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1  # a comment", "x = 1"),
        ("def f(a,b):\n  return a", "def f(\n    a,\n    b,\n):\n    return (a)"),
        ('def f():\n    """Says."""\n    return 1', "def f():\n    return 1"),
        ('"""Module."""\nx = 1', "x = 1"),
        ("x = 'a'", 'x = "a"'),
        ("x = 'a' 'b'", "x = 'ab'"),
        ("x = f'{a}' 'b'", "x = f'{a}b'"),
        ("x = 1_000", "x = 1000"),
    ],
)
def test_what_does_not_change_behaviour_does_not_change_the_form(one: str, other: str) -> None:
    assert form(one) == form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = True"),
        ("x = 'a'", "x = b'a'"),
        ("x = None", "x = 0"),
        ("a + b", "a - b"),
        ("f(a, b)", "f(b, a)"),
        ("def f(*, a=None): ...", "def f(*, a): ..."),
        ("{**a}", "{None: a}"),
        ("x = f'{a!r}'", "x = f'{a!s}'"),
        ("if a:\n    b()\nc()", "if a:\n    b()\n    c()"),
    ],
)
def test_what_changes_behaviour_changes_the_form(one: str, other: str) -> None:
    assert form(one) != form(other)


def test_a_docstring_counts_where_the_code_reads_it() -> None:
    assert form('"""A."""\nprint(__doc__)') != form('"""B."""\nprint(__doc__)')


@given(st.recursive(st.integers() | st.text(max_size=3) | st.none(), lambda inner: st.lists(inner, max_size=3)))
def test_equal_forms_mean_equal_literals(value: object) -> None:
    assert form(repr(value)) == form(f"({value!r})")
    assert form(repr(value)) != form(f"[{value!r}]")


def project(folder: Path, **modules: str) -> FirstPartyCode:
    for name, source in modules.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return FirstPartyCode((folder, Path(sys.modules["relet"].__file__ or "").parents[1]))


def test_a_closure_holds_what_is_imported_transitively_and_inside_functions(tmp_path: Path) -> None:
    code = project(
        tmp_path,
        app__step="from app.helper import f\nimport numpy.linalg\n",
        app__helper="def f():\n    from app import deep\n    import json\n",
        app__deep="import yaml as y",
        app__unused="x = 1",
    )
    closure = code.closure("app.step")
    assert list(closure.modules) == ["app.deep", "app.helper", "app.step"]
    assert closure.third_party == {"numpy", "numpy.linalg", "yaml"}


def test_imports_are_found_however_deep_they_stand(tmp_path: Path) -> None:
    source = """
try:
    import m1
except OSError:
    import m2
else:
    import m3
finally:
    import m4
match 1:
    case 1:
        import m5
with open("x"):
    for _ in ():
        import m6
    else:
        while True:
            import m7
class A:
    async def f(self):
        if True:
            def g():
                import m8
        elif False:
            import m9
try:
    pass
except* ValueError:
    import m10
"""
    found = project(tmp_path, app__a=source).closure("app.a").third_party
    assert found == {f"m{number}" for number in range(1, 11)}


def test_relative_imports_and_cycles_are_followed(tmp_path: Path) -> None:
    code = project(tmp_path, app__a="from . import b", app__b="from .a import x\nfrom .c.d import y", app__c__d="")
    assert list(code.closure("app.a").modules) == ["app.a", "app.b", "app.c.d"]


def test_what_only_type_checkers_import_is_no_code(tmp_path: Path) -> None:
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy\nelse:\n    import yaml\n"
    assert project(tmp_path, app__a=source).closure("app.a").third_party == {"yaml"}


def test_of_relet_only_the_domain_rooms_count(tmp_path: Path) -> None:
    code = project(
        tmp_path, app__a="from relet import Table, Verdict, component\nfrom relet.engine.run import execute"
    )
    modules = code.closure("app.a").modules
    assert "relet.data.table" in modules
    assert not [name for name in modules if name.startswith(("relet.core", "relet.engine", "relet.store"))]


def test_an_attribute_of_relet_counts_as_an_import(tmp_path: Path) -> None:
    code = project(tmp_path, app__a="import relet\ndef f(t: relet.Table): ...")
    assert "relet.data.table" in code.closure("app.a").modules


def test_a_syntax_error_names_file_and_line(tmp_path: Path) -> None:
    code = project(tmp_path, app__a="x = 1\ndef f(:\n")
    with pytest.raises(WiringError, match=r"a\.py, line 2"):
        code.closure("app.a")


def test_equal_source_in_an_equal_package_is_parsed_once_for_all_that_share_a_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from relet.core import code as reading

    parsed: list[str] = []
    digest_of = reading.tree_digest

    def counted(tree: Any) -> str:
        parsed.append(digest_of(tree))
        return parsed[-1]

    monkeypatch.setattr(reading, "tree_digest", counted)
    project(tmp_path, app__step="from app.helper import f\n", app__helper="def f(): ...\n")
    memory: dict[str, ModuleSummary] = {}
    closures = [FirstPartyCode((tmp_path,), memory).closure("app.step") for _ in range(2)]
    assert closures[0] == closures[1] == FirstPartyCode((tmp_path,)).closure("app.step")
    assert len(parsed) == 4, "two modules with the memory, and the same two without it"
    assert [key.partition(" ")[2] for key in memory] == ["app", "app"]
    # what was asked for last comes last
    first = next(iter(memory))
    module = next(name for name in ("app.step", "app.helper") if closures[0].modules[name] == memory[first].digest)
    FirstPartyCode((tmp_path,), memory).digest(module)
    assert list(memory)[-1] == first


def test_a_link_that_leads_to_itself_hides_no_module(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "module.py").touch()
    assert FirstPartyCode((tmp_path,)).find("module") == tmp_path / "module.py"


@pytest.mark.parametrize("deep", ["-" * 200_000 + "1", "+".join("1" * 50_000), "-" * 2_500 + "1"])
def test_a_module_that_nests_too_deep_is_named(tmp_path: Path, deep: str) -> None:
    (tmp_path / "deep.py").write_text(f"x = {deep}")
    with pytest.raises(WiringError, match=r"deep\.py: it nests too deep to be parsed"):
        FirstPartyCode((tmp_path,)).digest("deep")


def test_packages_of_which_relet_takes_hold_for_their_values_count_where_the_project_imports_them(
    tmp_path: Path,
) -> None:
    code = {"plain": "from relet import Model", "own": "import xgboost", "built": BUILT}
    for name, source in code.items():
        (tmp_path / f"{name}.py").write_text(source)
    first_party = FirstPartyCode((tmp_path, PACKAGE.parent))
    found = {
        name: {each.partition(".")[0] for each in first_party.closure(name).third_party} & OPTIONAL
        for name in code
    }
    assert found == {"plain": set(), "own": {"xgboost"}, "built": {"lightgbm"}}


def test_modules_with_names_of_the_standard_library_are_those_that_a_package_could_import(tmp_path: Path) -> None:
    for name in ("colorsys.py", "steps.py", "queue/__init__.py", "code/rows.csv", "calendar/more.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert FirstPartyCode((tmp_path,)).hiding == ("colorsys", "queue")
    assert FirstPartyCode((tmp_path / "code", PACKAGE.parent)).hiding == ()
