"""What a hyperparameter accepts is what its annotation says, inside of containers too."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.core.code import FirstPartyCode
from relet.core.parameter import Parameter
from relet.core.signature import read_component
from relet.errors import SettingError, SignatureError
from relet.names import PACKAGE

HEAD = """
from __future__ import annotations
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
import pandas as pd
from relet import component

@dataclass(frozen=True)
class Limit:
    most: int = 1
"""


def parameter(annotation: str, default: str = "") -> Parameter:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "step.py"
        given_default = f" = {default}" if default else ""
        path.write_text(
            f"{HEAD}\n@component(job_type='x')\ndef step(*, v: {annotation}{given_default}) -> None: ...\n"
        )
        found = read_component("step", "step", path, FirstPartyCode((Path(folder), PACKAGE.parent)))
    return found.parameters[0]


@pytest.mark.parametrize(
    ("annotation", "value", "said"),
    [
        ("dict[str, float]", {"a": "x"}, r"^step\.v\.a takes a number, got 'x'"),
        ("Mapping[str, int]", {"a": 1.5}, r"^step\.v\.a takes a whole number, got 1\.5"),
        ("dict[str, list[float]]", {"a": [1, "x"]}, r"^step\.v\.a\[1\] takes a number, got 'x'"),
        ("dict[str, Any]", {"a": [{1: 2}]}, r"^step\.v\.a\[0\] takes names that are text, got 1"),
        ("dict[str, int]", {3: 1}, r"^step\.v takes names that are text, got 3"),
        ("list[int]", [1, True], r"^step\.v\[1\] takes a whole number, got True"),
        ("Sequence[str]", ["a", 1], r"^step\.v\[1\] takes text, got 1"),
        ("list[int | None]", [None, "x"], r"^step\.v\[1\] takes a whole number or null, got 'x'"),
        ("list[Literal['a', 'bee']]", ["a", "be"], r"^step\.v\[1\] got 'be': did you mean bee\?"),
        ("list[Annotated[int, 'size']]", ["x"], r"^step\.v\[0\] takes a whole number"),
        ("tuple[int, ...]", [1, "x"], r"^step\.v\[1\] takes a whole number, got 'x'"),
        ("tuple[int, str]", [1], r"^step\.v takes a list of 2, got 1: \[1\]"),
        ("tuple[int, str]", ["a", "b"], r"^step\.v\[0\] takes a whole number, got 'a'"),
        ("list[tuple[int, str]] | None", [[1, 2]], r"^step\.v\[0\]\[1\] takes text, got 2"),
        ("list[int]", 3, r"^step\.v takes a list, got 3"),
        (
            "Literal['auto'] | int",
            "atuo",
            r"^step\.v takes 'auto' or a whole number, got 'atuo': did you mean auto",
        ),
        ("Literal['auto'] | int", 1.5, r"^step\.v takes 'auto' or a whole number, got 1\.5$"),
        ("Literal[8, 16]", "8", r"^step\.v takes 8 or 16, got '8'$"),
        ("Literal[1, 2]", True, r"^step\.v got True: there are 1, 2"),
        ("float", 10**400, r"^step\.v takes a number, got 1000"),
    ],
)
def test_an_element_of_another_type_is_told_with_its_place(annotation: str, value: Any, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        parameter(annotation).check(value, "step.v")


@pytest.mark.parametrize(
    ("annotation", "value", "checked"),
    [
        ("Literal['auto'] | int", 5, 5),
        ("Literal['auto'] | int", "auto", "auto"),
        ("Literal['a'] | None", None, None),
        ("list[float]", [1, 2.5], [1.0, 2.5]),
        ("dict[str, float | None]", {"a": 1, "b": None}, {"a": 1.0, "b": None}),
        ("list[int | float]", [1, 2.5], [1, 2.5]),
        ("list[float] | list[int]", [1, 2], [1, 2]),
        ("list[float | str]", ["a", 1], ["a", 1.0]),
        ("list", [1, "a", {"b": 2}], [1, "a", {"b": 2}]),
        ("list['int']", [1], [1]),
        ("tuple[()]", [], []),
    ],
)
def test_a_value_is_recorded_as_the_annotation_says(annotation: str, value: Any, checked: Any) -> None:
    found = parameter(annotation).check(value, "step.v")
    assert repr(found) == repr(checked)


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ("list[Limit]", r"step\.py, line \d+: the parameter v holds Limit; a group can't stand in a list"),
        ("dict[str, tuple[Limit, ...]]", r"holds Limit; a group can't stand in a list"),
        ("list[pd.DataFrame]", r"holds pd\.DataFrame; a container holds int, float"),
        ("list[set]", r"holds set; a container holds"),
        ("dict[int, float]", r"holds dict\[int, float\], but the names of a mapping are text"),
        ("dict[str]", r"holds dict\[str\], which is no type"),
        ("list[int, str]", r"holds list\[int, str\], which is no type"),
    ],
)
def test_what_no_file_of_settings_can_hold_is_refused_with_its_line(annotation: str, said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        parameter(annotation)


def test_a_default_is_held_to_the_types_of_its_elements() -> None:
    assert parameter("dict[str, float]", "{'a': 1}").default == {"a": 1.0}
    with pytest.raises(SignatureError, match=r"line \d+: the parameter v: its default\[1\] takes a whole number"):
        parameter("tuple[int, ...]", "(1, 'a')")


class Typed(NamedTuple):
    """An annotation, and the values that a function may get for it."""

    annotation: str
    values: st.SearchStrategy[Any]


NAMES = st.text("abc", min_size=1, max_size=2)
LEAVES = [
    Typed("int", st.integers()),
    Typed("float", st.floats(allow_nan=False)),
    Typed("str", st.text(max_size=3)),
    Typed("bool", st.booleans()),
    Typed("Literal['auto', 3]", st.sampled_from(["auto", 3])),
    Typed("Literal['auto'] | int", st.just("auto") | st.integers()),
]


def containers(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    return st.one_of(
        inner.map(lambda of: Typed(f"list[{of.annotation}]", st.lists(of.values, max_size=3))),
        inner.map(lambda of: Typed(f"tuple[{of.annotation}, ...]", st.lists(of.values, max_size=3).map(tuple))),
        st.tuples(inner, inner).map(
            lambda two: Typed(
                f"tuple[{two[0].annotation}, {two[1].annotation}]", st.tuples(two[0].values, two[1].values)
            )
        ),
        inner.map(lambda of: Typed(f"dict[str, {of.annotation}]", st.dictionaries(NAMES, of.values, max_size=3))),
        inner.map(lambda of: Typed(f"{of.annotation} | None", of.values | st.none())),
    )


TYPED = st.recursive(st.sampled_from(LEAVES), containers, max_leaves=4)


def recorded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: recorded(each) for name, each in value.items()}
    return [recorded(each) for each in value] if isinstance(value, list | tuple) else value


def places(value: Any, place: str) -> list[str]:
    """Where plain values stand in a recorded one, as errors name them."""
    if isinstance(value, dict):
        return [found for name, each in value.items() for found in places(each, f"{place}.{name}")]
    if isinstance(value, list):
        return [found for number, each in enumerate(value) for found in places(each, f"{place}[{number}]")]
    return [place]


def with_stranger(value: Any, place: str, wanted: str) -> Any:
    """A recorded value with something at one place that no annotation takes."""
    if isinstance(value, dict):
        return {name: with_stranger(each, f"{place}.{name}", wanted) for name, each in value.items()}
    if isinstance(value, list):
        return [with_stranger(each, f"{place}[{number}]", wanted) for number, each in enumerate(value)]
    return b"stranger" if place == wanted else value


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_what_is_recorded_comes_back_as_the_annotation_says(data: st.DataObject) -> None:
    typed = data.draw(TYPED)
    found, value = parameter(typed.annotation), data.draw(typed.values)
    record = found.check(value, "v")
    assert repr(record) == repr(recorded(value))
    assert repr(found.check(record, "v")) == repr(record)
    assert repr(found.argument(record)) == repr(value)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_stranger_at_any_place_is_refused_with_that_place(data: st.DataObject) -> None:
    typed = data.draw(TYPED)
    found, record = parameter(typed.annotation), recorded(data.draw(typed.values))
    if wanted := data.draw(st.sampled_from(places(record, "v"))) if places(record, "v") else "":
        with pytest.raises(SettingError) as caught:
            found.check(with_stranger(record, "v", wanted), "v")
        assert str(caught.value).split()[0] == wanted
    else:
        assert found.check(record, "v") == record
