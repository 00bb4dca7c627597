"""JSON documents: equal values have equal text, all comes back as it went in, bad values name their place."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.data.dataclass_documents import dataclass_text, dataclass_value
from relet.data.documents import document_text, document_value
from relet.errors import BadDataError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
DOCUMENTS = st.recursive(
    SCALARS, lambda held: st.lists(held, max_size=4) | st.dictionaries(TEXT, held, max_size=4), max_leaves=12
)


class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"


@dataclass(frozen=True)
class Bounds:
    low: float
    high: float = 1.0


@dataclass
class Fit:
    name: str
    weights: tuple[float, ...]
    shape: tuple[int, str]
    bounds: dict[str, Bounds]
    more: list[Bounds] = field(default_factory=list)
    best: Bounds | None = None
    day: date | None = None
    at: datetime | None = None
    mode: Mode = Mode.FAST
    place: Path = Path()
    kind: Literal["a", "b"] = "a"
    total: float = field(init=False)

    def __post_init__(self) -> None:
        self.total = math.fsum(self.weights)


FINITE = st.floats(-1e6, 1e6)
BOUNDS = st.builds(Bounds, low=FINITE, high=FINITE)
FITS = st.builds(
    Fit,
    name=TEXT,
    weights=st.lists(FINITE, max_size=3).map(tuple),
    shape=st.tuples(st.integers(), TEXT),
    bounds=st.dictionaries(TEXT, BOUNDS, max_size=2),
    more=st.lists(BOUNDS, max_size=2),
    best=st.none() | BOUNDS,
    day=st.none() | st.dates(),
    at=st.none() | st.datetimes(),
    mode=st.sampled_from(Mode),
    place=st.sampled_from([Path("a/b"), Path("/c")]),
    kind=st.sampled_from(["a", "b"]),
)


def same(one: Any, other: Any) -> bool:
    """Equal to the last bit, and of the same types."""
    if isinstance(one, float) and isinstance(other, float):
        return one.hex() == other.hex()
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return type(one) is type(other) and one == other


def reordered(value: Any) -> Any:
    """The same with the names of mappings in the opposite order."""
    if isinstance(value, dict):
        return {name: reordered(value[name]) for name in reversed(value)}
    return [reordered(each) for each in value] if isinstance(value, list) else value


@given(DOCUMENTS)
def test_a_document_comes_back_as_it_went_in(value: Any) -> None:
    assert same(document_value(document_text(value)), value)


@given(DOCUMENTS)
def test_the_order_of_names_does_not_matter(value: Any) -> None:
    assert document_text(reordered(value)) == document_text(value)


@given(DOCUMENTS, DOCUMENTS)
def test_equal_text_means_equal_values_to_the_last_bit(one: Any, other: Any) -> None:
    assert (document_text(one) == document_text(other)) == same(one, other)


def test_the_bits_of_floats_matter_and_numbers_of_numpy_are_numbers() -> None:
    assert document_text([0.0]) != document_text([-0.0])
    assert document_text([0.1 + 0.2]) != document_text([0.3])
    assert document_text([1]) != document_text([1.0])
    numbers = {
        "a": np.int64(1),
        "b": np.float64(0.1),
        "c": np.bool_(True),
        "d": np.float32(0.5),
        "e": np.str_("x"),
    }
    assert document_value(document_text(numbers)) == {"a": 1, "b": 0.1, "c": True, "d": 0.5, "e": "x"}


class Odd:
    pass


HELD: list[Any] = []
HELD.append(HELD)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": {1: 2}}, r"\['a'\] has the name 1, and names in a document are text; write '1'"),
        ({"a": [0.5, math.nan]}, r"\['a'\]\[1\] is nan, which is no number in JSON; write None"),
        ([math.inf], r"\[0\] is inf"),
        ([np.float64("nan")], r"\[0\] is nan"),
        ({"a": [{"b": Odd()}]}, r"\['a'\]\[0\]\['b'\] is .*test_documents.Odd: a document holds mappings, lists"),
        ({"a": {1, 2}}, r"\['a'\] is set: .* write sorted"),
        ({"a": date(2024, 1, 1)}, r"\['a'\] is datetime.date: .*isoformat"),
        ({"a": np.zeros(2)}, r"\['a'\] is numpy.ndarray: .*tolist"),
        ({"a": Bounds(0.0)}, r"\['a'\] is .*Bounds: .*dataclasses.asdict"),
        ({"a": b"x"}, r"\['a'\] is bytes"),
        (["\ud800"], r"\[0\] can't be written as UTF-8"),
        ({"\ud800": 1}, r"can't be written as UTF-8"),
        ([10**5000], r"\[0\] is a whole number of more than"),
        (HELD, "nested deeper than 100 levels, or holds itself"),
    ],
)
def test_a_bad_value_is_refused_with_its_place(value: Any, said: str) -> None:
    with pytest.raises(BadDataError, match=said):
        document_text(value)


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1, "a": 2}', "{", "[" * 100_000, b"\xff"])
def test_what_is_no_document_is_refused(text: str | bytes) -> None:
    with pytest.raises(BadDataError, match="can't be read as JSON"):
        document_value(text)


@given(FITS)
def test_a_dataclass_comes_back_equal_by_its_annotations(fit: Fit) -> None:
    again = dataclass_value(document_value(dataclass_text(fit)), Fit)
    assert again == fit
    assert type(again.weights) is tuple
    assert dataclass_text(again) == dataclass_text(fit)


@dataclass
class Loose:
    held: Any = None
    numbers: list[int] = field(default_factory=list)


@dataclass
class Derived(Loose):
    more: int = 0


@dataclass
class Around:
    inner: Loose = field(default_factory=Loose)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Loose(held=(1, 2)), r"\.held does not come back as it is, by its annotation"),
        (Loose(held={"a": Bounds(0.0)}), r"\.held\['a'\] does not come back"),
        (Loose(held=Odd()), r"\.held is .*Odd: .* a dataclass holds dataclasses, dates"),
        (Loose(held=math.nan), r"\.held is nan"),
        (Around(inner=Derived(more=1)), "Around.inner has more, which Loose has no field for"),
        (Loose(held={"a": {2: 1}}), r"\.held\['a'\] has the name 2"),
    ],
)
def test_a_dataclass_that_would_come_back_as_something_else_is_refused(value: Any, said: str) -> None:
    with pytest.raises(BadDataError, match=said):
        dataclass_text(value)


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ([1], "Bounds is a mapping of the fields of Bounds, got list"),
        ({"low": 1, "width": 2}, "Bounds has width, which Bounds has no field for"),
        ({"high": 1}, "Bounds can't be made a Bounds: TypeError: .*low"),
    ],
)
def test_a_document_that_a_class_does_not_fit_is_refused(plain: Any, said: str) -> None:
    with pytest.raises(BadDataError, match=said):
        dataclass_value(plain, Bounds)


def test_a_hundred_levels_can_be_nested_and_no_more() -> None:
    value: Any = 1
    for _ in range(100):
        value = [value]
    assert document_value(document_text(value)) == value
    with pytest.raises(BadDataError, match="nested deeper than 100 levels"):
        document_text([value])
