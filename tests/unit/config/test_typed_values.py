"""A value that relet prints as a word of a command is the same value when a shell and Hydra have read it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import hydra
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from relet.config.overrides import parse_override
from relet.core.override_words import command_line, is_plain_name, override, shell_override

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    [
        "${a}",
        "\\${a}",
        "\\\\${oc.env:HOME}",
        "a'b\"c",
        "true",
        "null",
        "1e5",
        "Price (USD)",
        "größe",
        " beds",
        "a=b",
        "#x",
        "\\",
        "\\'",
        "''",
        "$HOME",
        "`x`",
        "!x",
        "a,b",
        "[a]",
        "{a: b}",
        "x\\",
        "tab\tnew\nline",
        "'",
        '"\\"',
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
NAMES = st.text("abcdefgh_", min_size=1, max_size=5).filter(is_plain_name) | st.just("*")
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)


def read_back(line: str) -> Any:
    """What a shell, Hydra's grammar and OmegaConf make of a word."""
    (typed,) = shlex.split(line)
    override = parse_override(typed)
    return OmegaConf.to_container(OmegaConf.create({"x": override.value()}), resolve=True)["x"]  # type: ignore[call-overload,index]


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_any_value_comes_back(value: Any) -> None:
    assert read_back(command_line([override("x", value)])) == value
    assert read_back(shell_override("x", value)) == value


@pytest.mark.parametrize("text", ["${a}", "\\${oc.env:HOME}", 'größe\'s "x"', "a=b, c", "tab\tnew\nline", "\\"])
def test_it_comes_back_from_a_composed_configuration(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text("a: 1\n")
    value = {"columns": {"from": text, "missing": [text, None], "*": None}}
    (typed,) = shlex.split(shell_override("x", value))
    with hydra.initialize_config_dir(str(tmp_path), version_base="1.3"):
        composed = hydra.compose("config.yaml", overrides=[f"+{typed}"])
    assert OmegaConf.to_container(composed, resolve=True) == {"a": 1, "x": value}


@pytest.mark.parametrize("name", ["a b", "größe", "true", "1", "", "a:b", None, 7])
def test_a_name_that_no_word_can_hold_is_refused(name: Any) -> None:
    with pytest.raises(ValueError, match="can't have the name"):
        override("x", {name: 1})


def test_what_a_person_reads_has_few_quotes(tmp_path: Path) -> None:
    word = override("etl.columns", {"id": "listing_id", "price": {"from": "Price (USD)"}, "*": None})
    assert command_line([word]) == "\"etl.columns={id: listing_id, price: {from: 'Price (USD)'}, *: null}\""
