"""What a hyperparameter accepts is what its annotation says, inside of containers too."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.core.accepted import InterpolatedText
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
import math
import numpy as np
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


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("annotation", "value", "place"),
    [
        ("float", lambda number: number, "step.v"),
        ("float | None", lambda number: number, "step.v"),
        ("float | str", lambda number: number, "step.v"),
        ("list[float]", lambda number: [0.5, number], "step.v[1]"),
        ("tuple[int, float]", lambda number: (1, number), "step.v[1]"),
        ("dict[str, list[float]]", lambda number: {"a": [number]}, "step.v.a[0]"),
        ("dict", lambda number: {"a": {"b": number}}, "step.v.a.b"),
        ("dict[str, Any]", lambda number: {"a": number}, "step.v.a"),
    ],
)
def test_a_number_that_is_not_finite_is_refused_with_its_place(
    annotation: str, value: Callable[[float], Any], place: str, number: float
) -> None:
    with pytest.raises(SettingError) as caught:
        parameter(annotation).check(value(number), "step.v")
    assert str(caught.value).startswith(f"{place} takes a finite number, got {number}: write a number")
    assert ("or null for none" in str(caught.value)) == ("None" in annotation)


@pytest.mark.parametrize("default", ["1e999", "-1e999", "math.inf", "-math.inf", 'float("inf")', "np.inf"])
def test_infinity_is_taken_where_the_default_is_infinite_and_nan_nowhere(default: str) -> None:
    found = parameter("float", default)
    assert math.isinf(found.default)
    assert found.check(math.inf, "v") == math.inf
    assert found.check(5, "v") == 5.0
    with pytest.raises(SettingError, match=r"^v takes a finite number, got nan: write a number$"):
        found.check(math.nan, "v")


def test_a_default_that_holds_infinity_lets_the_others_beside_it_be_infinite() -> None:
    found = parameter("tuple[float, float]", "(0, math.inf)")
    assert found.default == [0.0, math.inf]
    assert found.check([-math.inf, math.inf], "v") == [-math.inf, math.inf]


def test_a_default_that_is_no_number_is_refused() -> None:
    with pytest.raises(SignatureError, match=r"line \d+: the default of v must be a literal"):
        parameter("float", 'float("nan")')


@pytest.mark.parametrize(
    ("annotation", "text", "checked"),
    [
        ("int", "7", 7),
        ("int", "07", 7),
        ("int", " 7\n", 7),
        ("float", "7", 7.0),
        ("float", "1e-3", 0.001),
        ("bool", "TRUE", True),
        ("int | None", "null", None),
        ("str | None", "null", "null"),
        ("str", "7", "7"),
        ("int | str", "7", "7"),
        ("int | float", "7", 7),
        ("Literal['auto'] | int", "auto", "auto"),
        ("Literal['auto'] | int", "8", 8),
        ("Literal[1, 2]", "2", 2),
        ("Any", "7", "7"),
    ],
)
def test_text_of_an_interpolation_is_read_as_the_type_asked_for(annotation: str, text: str, checked: Any) -> None:
    found = parameter(annotation).check(InterpolatedText(text=text, interpolation="${x}"), "v")
    assert repr(found) == repr(checked)


@pytest.mark.parametrize(
    ("annotation", "text", "said"),
    [
        ("int", "abc", r"^v takes a whole number, got 'abc' \(from \$\{x\}\)$"),
        ("int", "1.5", r"^v takes a whole number, got '1\.5' \(from"),
        ("int", "0x10", r"^v takes a whole number, got '0x10' \(from"),
        ("int", "٣", r"^v takes a whole number, got '٣' \(from"),
        ("int", "", r"^v takes a whole number, got '' \(from"),
        ("bool", "1", r"^v takes true or false, got '1' \(from"),
        ("float", "nan", r"^v takes a finite number, got nan"),
        ("float", "1e999", r"^v takes a finite number, got inf"),
        ("Literal['auto', 'all']", "atuo", r"^v got 'atuo' \(from \$\{x\}\): did you mean auto\?"),
    ],
)
def test_text_of_an_interpolation_that_can_not_be_read_names_it(annotation: str, text: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        parameter(annotation).check(InterpolatedText(text=text, interpolation="${x}"), "v")


def test_a_wrong_value_of_many_letters_is_shown_by_its_beginning() -> None:
    for value in ("x" * 5000, 10**4200, 10**5000):
        with pytest.raises(SettingError) as caught:
            parameter("float").check(value, "v")
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", [7, 0.5, True])
def test_text_that_looks_like_something_else_is_advised_to_be_quoted(value: object) -> None:
    with pytest.raises(SettingError, match="""text that looks like this is quoted: 'v="…"' in a command"""):
        parameter("str").check(value, "v")


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
    Typed("float", st.floats(allow_nan=False, allow_infinity=False)),
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


def places(value: Any, place: str) -> dict[str, Any]:
    """Where plain values stand in a recorded one, as errors name them, and what stands there."""
    if isinstance(value, dict):
        inside = [places(each, f"{place}.{name}") for name, each in value.items()]
    elif isinstance(value, list):
        inside = [places(each, f"{place}[{number}]") for number, each in enumerate(value)]
    else:
        return {place: value}
    return {name: each for found in inside for name, each in found.items()}


def with_stranger(value: Any, place: str, wanted: str, stranger: object = b"stranger") -> Any:
    """A recorded value with something at one place, by default what no annotation takes."""
    if isinstance(value, dict):
        return {name: with_stranger(each, f"{place}.{name}", wanted, stranger) for name, each in value.items()}
    if isinstance(value, list):
        return [with_stranger(each, f"{place}[{number}]", wanted, stranger) for number, each in enumerate(value)]
    return stranger if place == wanted else value


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
    if wanted := data.draw(st.sampled_from([*places(record, "v")])) if places(record, "v") else "":
        with pytest.raises(SettingError) as caught:
            found.check(with_stranger(record, "v", wanted), "v")
        assert str(caught.value).split()[0] == wanted
    else:
        assert found.check(record, "v") == record


@settings(max_examples=80, deadline=None)
@given(st.data(), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_no_number_at_any_place_may_be_infinite(data: st.DataObject, number: float) -> None:
    typed = data.draw(TYPED.filter(lambda each: "float" in each.annotation))
    found, record = parameter(typed.annotation), recorded(data.draw(typed.values))
    numbers = [place for place, each in places(record, "v").items() if isinstance(each, float)]
    if numbers:
        wanted = data.draw(st.sampled_from(numbers))
        with pytest.raises(SettingError) as caught:
            found.check(with_stranger(record, "v", wanted, number), "v")
        assert str(caught.value).startswith(f"{wanted} takes a finite number, got {number}")


WRITTEN = {
    "int": st.integers(),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "int | None": st.integers() | st.none(),
    "float | bool | None": st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none(),
}


@given(st.sampled_from(sorted(WRITTEN)), st.data())
def test_what_is_written_in_a_variable_is_what_is_written_in_a_file(annotation: str, data: st.DataObject) -> None:
    value = data.draw(WRITTEN[annotation])
    text = "null" if value is None else str(value).lower()
    found = parameter(annotation)
    given_text = found.check(InterpolatedText(text=text, interpolation="${x}"), "v")
    assert repr(given_text) == repr(found.check(value, "v"))


@given(st.text())
def test_text_in_a_variable_stays_what_it_is_where_text_is_taken(text: str) -> None:
    for annotation in ("str", "str | None", "int | str"):
        assert parameter(annotation).check(InterpolatedText(text=text, interpolation="${x}"), "v") == text
