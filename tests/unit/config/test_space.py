"""The space of a search, read from Hydra's words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.config.overrides import parse_override
from relet.config.space import Dimension, Scalar, dimension, in_whole_numbers, read_space
from relet.core.override_words import override
from relet.errors import SettingError


@pytest.mark.parametrize(
    ("words", "kind", "low", "high", "step", "log"),
    [
        ("interval(0.1, 0.5)", "float", 0.1, 0.5, None, False),
        ("interval(8, 64)", "float", 8, 64, None, False),
        ("int(interval(8, 64))", "int", 8, 64, None, False),
        ("tag(log, interval(0.01, 1))", "float", 0.01, 1, None, True),
        ("tag(log, int(interval(4, 64)))", "int", 4, 64, None, True),
        ("int(tag(log, interval(4, 64)))", "int", 4, 64, None, True),
        ("range(1, 10, 2)", "int", 1, 9, 2, False),
        ("range(1, 4)", "int", 1, 3, 1, False),
        ("range(0.1, 0.5, 0.1)", "float", 0.1, 0.4, 0.1, False),
    ],
)
def test_numbers_are_read(words: str, kind: str, low: float, high: float, step: float | None, log: bool) -> None:
    found = dimension("a.b", words)
    assert (found.kind, found.low, found.high, found.step, found.log) == (kind, low, high, step, log)
    assert found.has(found.low) and found.has(found.high)


def test_choices_are_read_with_their_types() -> None:
    assert dimension("a", "choice(1, b, true, 0.5, 'x, y')").choices == (1, "b", True, 0.5, "x, y")
    assert dimension("a", "1,null").choices == (1, None)
    assert dimension("a", "choice(1, 1, 2)").choices == (1, 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("interval(3, 3)", "from a smaller number to a larger one"),
        ("interval(5, 3)", "from a smaller number to a larger one"),
        ("interval(0, inf)", "from a smaller number to a larger one"),
        ("tag(log, interval(0, 1))", r"a log scale starts above 0, got 0; .*leave out tag"),
        ("tag(logarithm, interval(1, 2))", "the tag logarithm has no meaning here: the only tag is log"),
        ("tag(log, choice(1, 2))", "tags such as log go with intervals"),
        ("tag(log, range(1, 9))", "tags such as log go with intervals"),
        ("range(3, 1)", "a range needs two values at least"),
        ("range(3, 1, -1)", "a range needs two values at least, and a step above 0"),
        ("range(1, 2)", "a range needs two values at least"),
        ("choice(1)", r"a choice needs two values at least; to fix it write a=1"),
        ("choice([1], [2])", r"a choice is between numbers, texts, true, false and null, got \[1\]"),
        ("0.5", "is one value, where a search takes several: write interval"),
        ("interval(1)", "can't be read"),
    ],
)
def test_words_that_are_no_space_are_refused_with_the_way_out(words: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        dimension("a", words)


def test_a_number_in_the_file_is_refused_like_one_in_words() -> None:
    with pytest.raises(SettingError, match="is one value"):
        dimension("a", 0.5)


def test_overrides_are_told_apart(conf: Path) -> None:
    found = read_space(
        ["etl.rows=5", "modeling.boosted.num_leaves=interval(8,64)", "model=boosted", "modeling.seed=1"], conf
    )
    assert set(found.dimensions) == {"modeling.boosted.num_leaves"}
    assert found.overrides == ("etl.rows=5", "model=boosted", "modeling.seed=1")
    assert found.fixed == {"etl.rows", "model", "modeling.seed"}


def test_the_last_word_on_a_setting_counts(conf: Path) -> None:
    first = read_space(["a.b=1", "a.b=interval(1,2)"], conf)
    assert (set(first.dimensions), first.overrides) == ({"a.b"}, ())
    assert not first.fixed


def test_a_path_with_brackets_is_left_to_the_composition(conf: Path) -> None:
    assert read_space(["etl.source=~/x(1).csv"], conf).overrides == ("etl.source=~/x(1).csv",)


def test_a_space_that_cannot_be_read_is_not_taken_for_text(conf: Path) -> None:
    with pytest.raises(SettingError, match="can't be read"):
        read_space(["etl.rows=interval(1,2"], conf)


def test_several_options_of_a_group_are_for_a_sweep(conf: Path) -> None:
    with pytest.raises(SettingError, match=r"names several options of model.*-m"):
        read_space(["model=boosted,random_forest"], conf)


def test_an_interval_around_a_whole_number_is_one_of_whole_numbers() -> None:
    assert in_whole_numbers(dimension("a", "interval(8, 64)"), 31).kind == "int"
    for words, configured in (
        ("interval(8.5, 64)", 31),
        ("interval(8, 64)", 0.5),
        ("interval(0, 1)", True),
        ("range(0.0, 2.0, 0.5)", 1),
    ):
        assert in_whole_numbers(dimension("a", words), configured).kind == "float"


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(max_codepoint=127, exclude_categories=["Cc"]), min_size=1),
)


@given(SCALARS)
def test_a_value_comes_back_from_the_override_that_sets_it(value: Scalar) -> None:
    read = parse_override(override("a.b", value)).value()
    assert read == value and type(read) is type(value)


@given(st.floats(0.001, 10), st.floats(0.001, 10), st.floats(0, 1))
def test_a_rounded_number_stays_within_the_bounds(one: float, other: float, share: float) -> None:
    low, high = sorted((one, other))
    found = Dimension(setting="a", kind="float", low=low, high=high)
    value = found.rounded(min(max(low + share * (high - low), low), high))
    assert isinstance(value, float) and low <= value <= high


@pytest.mark.parametrize(
    ("words", "inside", "outside"),
    [
        ("interval(0.1, 0.5)", [0.1, 0.3, 0.5], [0.05, 0.51, "0.3", None, True]),
        ("int(interval(1, 9))", [1, 9], [0, 10, 2.0, True]),
        ("range(1, 10, 2)", [1, 3, 9], [2, 10]),
        ("choice(1, a)", [1, "a"], [1.0, True, "b"]),
    ],
)
def test_it_is_known_what_lies_in_a_dimension(words: str, inside: list[object], outside: list[object]) -> None:
    found = dimension("a", words)
    assert all(found.has(each) for each in inside)
    assert not any(found.has(each) for each in outside)
