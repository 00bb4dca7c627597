"""A hyperparameter may be a group: a frozen dataclass, read from its source, flat wherever it is recorded."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from relet.core.code import FirstPartyCode
from relet.core.component import Component
from relet.core.signature import read_component
from relet.errors import SettingError, SignatureError
from relet.names import PACKAGE

HEAD = """
from __future__ import annotations
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any, ClassVar, Literal, NamedTuple
from relet import ChosenBy, Module, Source, component
import pandas as pd

HALF = 0.5

@dataclass(frozen=True, kw_only=True)
class Rule:
    method: Literal["keyed", "random"] = "keyed"
    share: float = HALF
    by: str | None = None
    sizes: tuple[int, ...] = (64, 32)
    more: dict[str, Any] = field(default_factory=dict)
    KNOWN: ClassVar[int] = 3
"""


def read(folder: Path, source: str, **files: str) -> Component:
    for name, text in {"step": HEAD + source, **files}.items():
        path = folder / f"{name.replace('_of_', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_component("step", "step", folder / "step.py", FirstPartyCode((folder, PACKAGE.parent)))


def step(parameters: str) -> str:
    return f"\n@component(job_type='x')\ndef step(*, {parameters}) -> None: ...\n"


def test_each_field_of_a_group_is_a_parameter_of_its_own(tmp_path: Path) -> None:
    found = read(tmp_path, step("size: int = 3, split: Rule"))
    assert found.defaults == {
        "size": 3,
        "split.method": "keyed",
        "split.share": 0.5,
        "split.by": None,
        "split.sizes": [64, 32],
        "split.more": {},
    }
    (group,) = found.groups
    assert (group.name, group.module, group.type) == ("split", "step", "Rule")
    assert found.parameter("split.method").choices == ("keyed", "random")


def test_a_default_of_the_parameter_gives_its_fields_others(tmp_path: Path) -> None:
    found = read(tmp_path, step("split: Rule = Rule(share=1, by='borough')"))
    assert (found.defaults["split.share"], found.defaults["split.by"]) == (1.0, "borough")
    assert isinstance(found.defaults["split.share"], float)
    assert found.defaults["split.method"] == "keyed"


def test_a_group_may_be_imported_through_other_modules(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "from rooms import Bounds as City" + step("bounds: City"),
        rooms_of___init__="from .walls import Bounds",
        rooms_of_walls="from dataclasses import dataclass\n"
        "@dataclass(frozen=True)\nclass Bounds:\n    west: float = -74.25",
    )
    assert found.defaults == {"bounds.west": -74.25}
    assert found.modules({}) == ("rooms.walls",)


def test_a_group_may_be_one_of_relet_s_own(tmp_path: Path) -> None:
    found = read(tmp_path, "from relet.segregation import Rule as Split" + step("split: Split"))
    assert found.defaults["split.method"] == "keyed"
    assert found.groups[0].module == "relet.segregation.rule"


def test_a_group_inherits_from_another_and_may_hold_others(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
@dataclass(frozen=True)
class Mine(Rule):
    share: float = 0.2
    inner: Rule = Rule(method="random")
    other: Rule = field(default_factory=Rule)
"""
        + step("mine: Mine"),
    )
    assert found.defaults["mine.share"] == 0.2
    assert found.defaults["mine.method"] == "keyed"
    assert found.defaults["mine.inner.method"] == "random"
    assert found.defaults["mine.other.method"] == "keyed"


FAMILIES = {
    "families_of_tree": "from dataclasses import dataclass\n\n"
    "@dataclass(frozen=True)\nclass _Part:\n    x: int = 1\n\n"
    "@dataclass(frozen=True)\nclass Tree:\n    depth: int = 3\n    rate: float = 0.1\n",
    "families_of_line": "from dataclasses import dataclass\n\n"
    "@dataclass(frozen=True)\nclass Line:\n    rate: float = 1\n",
}
CHOSEN = step(
    "family: Annotated[str, Module('families')] = 'tree', learner: Annotated[Learner, ChosenBy('family')]"
)


def test_the_module_that_a_parameter_chooses_says_what_a_group_is(tmp_path: Path) -> None:
    found = read(tmp_path, CHOSEN, **FAMILIES)
    assert found.check({}) == {"family": "tree", "learner.depth": 3, "learner.rate": 0.1}
    assert found.check({"family": "line"}) == {"family": "line", "learner.rate": 1.0}
    assert found.modules({"family": "line"}) == ("families.line",)
    with pytest.raises(SettingError, match=r"step has no parameter 'learner.depth': did you mean learner.rate"):
        found.check({"family": "line", "learner.depth": 2})


@pytest.mark.parametrize(("text", "got"), [("x = 1", "none"), (FAMILIES["families_of_tree"] * 2, "Tree, Tree")])
def test_a_chosen_module_has_one_public_dataclass(tmp_path: Path, text: str, got: str) -> None:
    with pytest.raises(SignatureError, match=rf"line\.py must define one public frozen dataclass.* got {got}"):
        read(tmp_path, CHOSEN, **FAMILIES | {"families_of_line": text})


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "@dataclass\nclass Loose:\n    a: int = 1\n" + step("g: Loose"),
            r"step.py, line \d+: Loose is not frozen.*write @dataclass\(frozen=True\)",
        ),
        ("class Bare:\n    a: int = 1\n" + step("g: Bare"), r"line \d+: Bare is no dataclass"),
        (step("g: pd.DataFrame"), r"annotated pd.DataFrame, which is no class of this project or of relet"),
        (step("g: Rulle"), r"annotated Rulle; a hyperparameter is one of .* or a frozen dataclass"),
        (step("g: Rule | None = None"), r"annotated Rule \| None; a hyperparameter is one of"),
        (step("g: Rule = None"), r"the default of g must be Rule\(field=literal, …\), got None"),
        (step("g: Rule = Rule(0.2)"), r"the default of g must be Rule\(field=literal"),
        (step("g: Rule = Rule(shar=0.2)"), r"sets shar, which it does not have"),
        (step("g: Rule = Rule(share='a')"), r"share= takes a number, got 'a'"),
        (
            "@dataclass(frozen=True)\nclass Odd:\n    a: set = 1\n" + step("g: Odd"),
            r"the parameter a is annotated set",
        ),
        (
            "@dataclass(frozen=True)\nclass Odd:\n    a: int = len('x')\n" + step("g: Odd"),
            r"the default of a must be a literal, got len",
        ),
        (
            "@dataclass(frozen=True)\nclass Odd:\n    a: dict = field(default_factory=make)\n" + step("g: Odd"),
            r"the default_factory of a must be one of list, dict, tuple, got make",
        ),
        (
            "@dataclass(frozen=True)\nclass Odd:\n    a: int = field(default=1, init=False)\n" + step("g: Odd"),
            r"not among the class's arguments",
        ),
        ("@dataclass(frozen=True)\nclass Odd:\n    a: InitVar[int] = 1\n" + step("g: Odd"), r"an InitVar"),
        (
            "@dataclass(frozen=True)\nclass Odd:\n    a: Annotated[int, ChosenBy('b')]\n" + step("g: Odd"),
            r"only a component's parameter can be",
        ),
        ("@dataclass(frozen=True)\nclass Odd(dict):\n    a: int = 1\n" + step("g: Odd"), r"may inherit from one"),
        ("@dataclass(frozen=True)\nclass Odd:\n    a: Odd\n" + step("g: Odd"), r"Odd lies in itself"),
        (
            step("family: str = 'a', learner: Annotated[Rule, ChosenBy('family')]"),
            r"no parameter that names a mod",
        ),
        (
            step("f: Annotated[str, Module('families')] = 'tree', g: Annotated[Rule, ChosenBy('f')] = Rule()"),
            r"the parameter g has a default; the group that is chosen has its own",
        ),
    ],
)
def test_what_can_be_no_group_is_refused_with_its_place(tmp_path: Path, source: str, said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        read(tmp_path, source, **FAMILIES)


def test_a_field_without_a_default_has_to_be_given(tmp_path: Path) -> None:
    found = read(tmp_path, "@dataclass(frozen=True)\nclass Bare:\n    a: int\n" + step("g: Bare"))
    with pytest.raises(SettingError, match=r"step needs a value for g\.a"):
        found.check({})
    assert found.check({"g.a": 2}) == {"g.a": 2}


def test_the_last_name_is_enough_where_one_group_has_it(tmp_path: Path) -> None:
    found = read(tmp_path, step("left: Rule, right: Rule, seed: int = 1"))
    assert found.parameter("seed").name == "seed"
    with pytest.raises(SettingError, match=r"several parameters 'share': write left\.share or right\.share"):
        found.parameter("share")
    with pytest.raises(SettingError, match=r"no parameter 'shar': did you mean"):
        found.parameter("shar")


def test_a_list_is_recorded_and_a_tuple_is_what_the_class_gets(tmp_path: Path) -> None:
    found = read(tmp_path, step("split: Rule"))
    values = found.check({"split.sizes": [8, 4]})
    assert values["split.sizes"] == [8, 4]
    assert found.groups[0].arguments(values)["sizes"] == (8, 4)
    with pytest.raises(SettingError, match=r"step\.split\.sizes takes a list, got 3"):
        found.check({"split.sizes": 3})


def test_code_that_lies_beside_an_installed_relet_is_a_third_party(tmp_path: Path) -> None:
    (tmp_path / "relet_neighbour.py").write_text("")
    code = FirstPartyCode((tmp_path, PACKAGE.parent))
    assert code.find("relet.segregation.rule") is not None
    assert code.find("relet_neighbour") is not None


def test_a_field_takes_infinity_where_its_default_in_the_class_or_in_the_signature_is_infinite(
    tmp_path: Path,
) -> None:
    classes = """
import math

@dataclass(frozen=True)
class Bounds:
    low: float = 0.0
    high: float = math.inf
"""
    found = read(tmp_path, classes + step("a: Bounds, b: Bounds = Bounds(low=-math.inf, high=9)"))
    assert found.defaults == {"a.low": 0.0, "a.high": math.inf, "b.low": -math.inf, "b.high": 9.0}
    assert found.check({"a.high": math.inf, "b.low": -math.inf})["a.high"] == math.inf
    for name in ("a.low", "b.high"):
        with pytest.raises(SettingError, match=rf"^step\.{name} takes a finite number, got inf"):
            found.check({name: math.inf})
    with pytest.raises(SettingError, match=r"^step\.a\.high takes a finite number, got nan"):
        found.check({"a.high": math.nan})
