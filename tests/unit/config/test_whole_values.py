"""Mappings and groups as one value: what the annotation says they hold, and how they are given whole."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from relet.data.reading import stream_csv
from relet.data.schema import Column, Schema
from relet.errors import BadDataError, SettingError
from tests.unit.config.conftest import Bound

FREE = {"step": "weights: dict[str, float] = {}"}
ANY = {"step": "weights: dict[str, Any] = {}"}
BARE = {"step": "weights: dict = {}"}
FILE = "etl: {weights: {a: 3}}\n"


@pytest.mark.parametrize(
    ("signature", "typed", "weights"),
    [
        (FREE, "etl.weights.a=3.5", {"a": 3.5}),
        (FREE, "+etl.weights.b=1", {"a": 3.0, "b": 1.0}),
        (FREE, "++etl.weights.b=1", {"a": 3.0, "b": 1.0}),
        (FREE, "+etl.weights={b: 1}", {"a": 3.0, "b": 1.0}),
        (FREE, "etl.weights={a: 1}", {"a": 1.0}),
        (FREE, "~etl.weights.a", {}),
        (ANY, "etl.weights.a=many", {"a": "many"}),
        (ANY, "+etl.weights.b=[1]", {"a": 3, "b": [1]}),
        (BARE, "etl.weights.a=4", {"a": 4}),
    ],
)
def test_a_mapping_takes_what_its_annotation_says(
    bound: Bound, signature: dict[str, str], typed: str, weights: dict[str, Any]
) -> None:
    assert repr(bound(signature, FILE, typed)["step"]["weights"]) == repr(weights)


@pytest.mark.parametrize(
    ("signature", "typed", "said"),
    [
        (FREE, "etl.weights.a=x", r"^etl\.weights\.a takes a number, got 'x'"),
        (FREE, "+etl.weights.b=x", r"^etl\.weights\.b takes a number, got 'x'"),
        (
            FREE,
            "etl.weights.ab=1",
            r"no setting 'etl\.weights\.ab': .* etl\.weights\.a.*; to add the name write",
        ),
        (FREE, "etl.weights={ab: 1}", r"no setting 'etl\.weights\.ab': .*write \+etl\.weights\.ab=…"),
        (BARE, "etl.weights.a=3.5", r"^etl\.weights\.a takes a whole number, got 3\.5"),
        (BARE, "+etl.weights.ab=1", r"no setting 'etl\.weights\.ab': did you mean etl\.weights\.a\? \(.*:1\)$"),
        (BARE, "etl.weights={ab: 1}", r"no setting 'etl\.weights\.ab'"),
    ],
)
def test_what_a_mapping_does_not_take_is_told(
    bound: Bound, signature: dict[str, str], typed: str, said: str
) -> None:
    with pytest.raises(SettingError, match=said) as caught:
        bound(signature, FILE, typed)
    assert "config" not in str(caught.value).replace("config.yaml", "")


@pytest.mark.parametrize("told", [{}, {"class_": "class"}], ids=["nothing told", "a column told"])
def test_what_is_advised_for_a_file_with_other_columns_is_taken_as_it_is_written(
    bound: Bound, tmp_path: Path, told: dict[str, str]
) -> None:
    own = "class_" if told else "class"
    schema = Schema(columns=(Column(own, "string"), Column("size", "double"), Column("age", "double")))
    (tmp_path / "rows.csv").write_text("class,height,age\na,1.5,2\n")
    with pytest.raises(BadDataError) as refused:
        stream_csv(tmp_path / "rows.csv", schema, told, setting="etl.columns")
    (advised,) = shlex.split(str(refused.value).partition("say what is what: ")[2])
    signature = {"step": "columns: dict[str, Any] = {}"}
    given = bound(signature, f"etl: {{columns: {json.dumps(told)}}}\n", advised)["step"]["columns"]
    assert given.items() > told.items() and "size" in given


GROUP = {"step": "limits: Limits, size: int = 2"}
FILES = {"no file": "", "its own": "limits: {most: 2}\n", "a component": "step: {limits: {most: 2}}\n"}


@pytest.mark.parametrize("config", FILES.values(), ids=FILES.keys())
@pytest.mark.parametrize("typed", ["step.limits={most: 5}", "+step.limits={most: 5}", "step={limits: {most: 5}}"])
def test_a_group_is_given_whole_below_its_component(bound: Bound, config: str, typed: str) -> None:
    assert bound(GROUP, config, typed)["step"] == {"limits.most": 5, "limits.least": 0, "size": 2}


@pytest.mark.parametrize("config", ["", "limits: {most: 2}\n"])
@pytest.mark.parametrize("typed", ["limits={most: 5}", "+limits={most: 5}", "++limits={most: 5}"])
def test_a_group_is_given_whole_by_its_name(bound: Bound, config: str, typed: str) -> None:
    assert bound(GROUP, config, typed)["step"]["limits.most"] == 5


@pytest.mark.parametrize("config", ["", "limits: {most: 2}\n"])
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("limits={mst: 5}", r"no setting 'limits\.mst': did you mean limits\.most\?"),
        ("+limits={mst: 5}", r"no setting 'limits\.mst': did you mean limits\.most\?"),
        ("limits={most: x}", r"^limits\.most takes a whole number, got 'x'"),
        ("limits=5", r"^limits is a (group|section), not a setting: there are limits\.most"),
        (
            "step={limit: {most: 5}}",
            r"^step\.limit\.most: step has no such parameter: did you mean limits",
        ),
    ],
)
def test_a_group_that_is_given_whole_and_wrong_is_told_in_relet_s_words(
    bound: Bound, config: str, typed: str, said: str
) -> None:
    with pytest.raises(SettingError, match=said):
        bound(GROUP, config, typed)


def test_a_whole_group_that_another_key_outweighs_is_told(bound: Bound) -> None:
    with pytest.raises(SettingError, match=r"no setting 'limits\.most': did you mean step\.limits\.most\?"):
        bound(GROUP, "step: {limits: {most: 2}}\n", "+limits={most: 5}")


@pytest.mark.parametrize("value", ["5", "null", "[1]", ""])
def test_a_group_in_a_file_that_is_no_mapping_is_told(bound: Bound, value: str) -> None:
    with pytest.raises(SettingError, match=r"^limits \(.*:1\) is a group, .*: there are limits\.most, limits"):
        bound(GROUP, f"limits: {value}\n")
    with pytest.raises(SettingError, match=r"^step\.limits \(.*:1\) is a group, .*: there are step\.limits\.most"):
        bound(GROUP, f"step: {{limits: {value}}}\n")


def test_a_mapping_that_holds_infinity_by_its_default_is_reached_into_all_the_same(bound: Bound) -> None:
    signature = {"step": "limits: dict = {'most': 1e999}"}
    found = bound(signature, "limits: {most: .inf, least: 0.5}\n", "limits.least=1.5")
    assert found["step"]["limits"] == {"most": float("inf"), "least": 1.5}
