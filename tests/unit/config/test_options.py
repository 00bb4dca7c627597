"""The sections of several options in one file: each belongs to its option alone, chosen or not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st

from relet.errors import SettingError
from tests.unit.config.conftest import Bound

HEAD = "from dataclasses import dataclass\nfrom parts import Inner\n\n@dataclass(frozen=True)\n"
FAMILIES = {
    "families/line.py": f"{HEAD}class Line:\n    slope: int = 0\n    rate: float = 1.0\n",
    "families/mean.py": f"{HEAD}class Mean:\n    window: int = 1\n    rate: float = 2.0\n    line: Inner\n",
    "parts.py": "from dataclasses import dataclass\n\n@dataclass(frozen=True)\nclass Inner:\n    slope: int = 7\n",
}
FIT = {
    "fit": "family: Annotated[str, Module('families')] = 'line', learner: Annotated[Any, ChosenBy('family')], "
    "window: str = 'none'"
}
BOTH = "model: {line: {slope: 1, rate: 5}, mean: {window: 3, rate: 7}}\n"
TABLES: list[dict[str, Any]] = [{}, {"model.{fit.family}": "learner"}, {"model": "learner"}]


@pytest.mark.parametrize("table", TABLES, ids=["by name", "a row each", "a row"])
def test_each_family_s_section_feeds_that_family(bound: Bound, table: dict[str, Any]) -> None:
    line = bound(FIT, BOTH, table=table, files=FAMILIES)["fit"]
    assert line == {"family": "line", "window": "none", "learner.slope": 1, "learner.rate": 5.0}
    mean = bound(FIT, BOTH, "fit.family=mean", table=table, files=FAMILIES)["fit"]
    assert mean == {
        "family": "mean",
        "window": "none",
        "learner.window": 3,
        "learner.rate": 7.0,
        "learner.line.slope": 7,
    }


MEAN = "{mean: {rate: 7, window: 3}}"


@pytest.mark.parametrize(
    "config", [MEAN, f"model: {MEAN}", f"etl: {{model: {MEAN}}}", f"learner: {MEAN}", f"fit: {MEAN}"]
)
def test_nothing_of_a_section_reaches_the_option_that_is_chosen(bound: Bound, config: str) -> None:
    found = bound(FIT, config, files=FAMILIES)["fit"]
    assert (found["learner.rate"], found["window"]) == (1.0, "none")


@pytest.mark.parametrize("table", TABLES, ids=["by name", "a row each", "a row"])
def test_a_group_inside_a_group_is_not_the_option_of_its_name(bound: Bound, table: dict[str, Any]) -> None:
    config = "family: mean\nmodel: {line: {slope: 1}, mean: {window: 2}}\n"
    assert bound(FIT, config, table=table, files=FAMILIES)["fit"]["learner.line.slope"] == 7
    typed = bound(FIT, config, "model.mean.line.slope=2", table=table, files=FAMILIES)["fit"]
    assert typed["learner.line.slope"] == 2
    assert bound(FIT, config, "family=line", table=table, files=FAMILIES)["fit"]["learner.slope"] == 1


@pytest.mark.parametrize("table", TABLES, ids=["by name", "a row each", "a row"])
@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            "model: {mean: {windw: 3}}",
            r"^model\.mean\.windw \(.*:1\) feeds no .*: did you mean model\.mean\.window",
        ),
        ("model: {mean: {slope: 3}}", r"^model\.mean\.slope \(.*:1\) feeds no component: .* model\.mean\."),
        ("model: {mean: {window: x}}", r"^model\.mean\.window takes a whole number, got 'x'"),
        ("model: {mean: {title: 3}}", r"^model\.mean\.title \(.*:1\) feeds no component"),
    ],
)
def test_a_key_of_an_option_that_is_not_chosen_is_checked(
    bound: Bound, table: dict[str, Any], config: str, said: str
) -> None:
    with pytest.raises(SettingError, match=said):
        bound(FIT | {"other": "title: int = 1, slope: int = 2"}, config, table=table, files=FAMILIES)


@pytest.mark.parametrize("typed", ["model.mean.rate=2", "fit.mean.rate=2", "mean.rate=2", "model.mean={rate: 2}"])
def test_an_override_of_an_option_that_is_not_chosen_is_told(bound: Bound, typed: str) -> None:
    with pytest.raises(SettingError, match=r"mean\.rate is a setting of family=mean, which is not chosen"):
        bound(FIT, BOTH, typed, files=FAMILIES)


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "line": st.fixed_dictionaries({}, optional={"slope": st.integers(1, 9), "rate": st.integers(10, 19)}),
        "mean": st.fixed_dictionaries({}, optional={"window": st.integers(1, 9), "rate": st.integers(20, 29)}),
    },
)


@options(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES, st.sampled_from(["line", "mean"]), st.sampled_from(TABLES))
def test_only_the_chosen_option_s_values_and_all_of_them_count(
    bound: Bound, sections: dict[str, dict[str, int]], chosen: str, table: dict[str, Any]
) -> None:
    found = bound(FIT, json.dumps({"family": chosen, "model": sections}), table=table, files=FAMILIES)["fit"]
    defaults = {"line": {"slope": 0, "rate": 1.0}, "mean": {"window": 1, "rate": 2.0, "line.slope": 7}}[chosen]
    wanted = defaults | sections.get(chosen, {})
    assert found == {"family": chosen, "window": "none"} | {
        f"learner.{name}": each for name, each in wanted.items()
    }
