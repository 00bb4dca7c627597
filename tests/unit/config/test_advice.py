"""What a refusal advises works when it is followed, and never is what was written already."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st

from relet.core.parameter import nearest_parameter
from relet.errors import SettingError, nearest
from tests.unit.config.conftest import Bound

TWO = {"one": "limits: Limits, most: int = 2, size: int = 3", "two": "limits: Limits, size: int = 4"}


def nested(keys: dict[str, int]) -> str:
    """A config.yaml with these keys."""
    config: dict[str, Any] = {}
    for key, value in keys.items():
        *sections, name = key.split(".")
        place = config
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return str(yaml.safe_dump(config))


def test_the_row_that_is_advised_decides(bound: Bound) -> None:
    keys = {"main.seed": 1, "a.size": 5, "b.size": 6}
    signatures = {"one": "size: int = 1", "two": "size: int = 2"}
    with pytest.raises(SettingError, match=r'a\.size .* and b\.size .* settings=\{"a\.size": "one\.size"\}'):
        bound(signatures, nested(keys))
    found = bound(signatures, nested(keys), table={"a.size": "one.size"})
    assert (found["one"], found["two"]) == ({"size": 5}, {"size": 6})


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"one.size": 1, "x.size": 2}, None),
        (
            {"one.limits.least": 1, "one.least": 2},
            r"one\.least .*and one\.limits\.least .*both set .*; leave one out",
        ),
        (
            {"x.least": 1, "limits.least": 2},
            r"^x\.least \(.*\) has no effect: one\.limits\.least is set by",
        ),
        ({"two.limits.least": 1, "one.limits.least": 1, "x.least": 2}, r"^x\.least .*has no effect"),
    ],
)
def test_a_key_in_a_file_that_says_less_than_another_for_all_it_feeds_is_told(
    bound: Bound, keys: dict[str, int], said: str | None
) -> None:
    if said is None:
        assert bound(TWO, nested(keys))["two"]["size"] == 2
        return
    with pytest.raises(SettingError, match=said):
        bound(TWO, nested(keys))


def test_an_override_may_outweigh_what_stands_in_a_file(bound: Bound) -> None:
    found = bound(TWO, nested({"x.size": 2}), "one.size=7", "two.size=8")
    assert (found["one"]["size"], found["two"]["size"]) == (7, 8)


ENDINGS = ["size", "most", "least", "limits.most", "limits.least", "rows"]
KEYS = st.dictionaries(
    st.builds("{}.{}".format, st.sampled_from(["x", "y", "one", "two"]), st.sampled_from(ENDINGS)),
    st.integers(1, 99),
    max_size=5,
)


@options(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(KEYS)
def test_whoever_follows_each_advice_gets_settings_without_a_conflict(bound: Bound, keys: dict[str, int]) -> None:
    table: dict[str, str] = {}
    for _ in range(2 * len(keys) + 1):
        try:
            found = bound(TWO, nested(keys), table=table)
        except SettingError as error:
            said = str(error)
            first = said.split()[0].rstrip(":")
            assert first in keys
            if row := re.search(r'settings=\{"(.*)": "(.*)"\}', said):
                assert row[1] not in table
                table[row[1]] = row[2]
            else:
                assert re.search(r"leave one out|feeds no component|has no such parameter", said)
                keys = {key: value for key, value in keys.items() if key != first}
        else:
            for key, parameter in table.items():
                component, _, name = parameter.partition(".")
                assert found[component][name] == keys.get(key, found[component][name])
            return
    pytest.fail("the advice leads nowhere")


def test_a_section_that_is_not_there_is_told_where_a_component_has_two_groups_with_its_key(bound: Bound) -> None:
    signatures = {"one": "limits: Limits, more: Limits"}
    with pytest.raises(SettingError, match=r"^there is no setting 'x\.most'"):
        bound(signatures, "", "x.most=1")
    with pytest.raises(
        SettingError, match=r"^one\.most may be one\.limits\.most or one\.more\.most; write the one"
    ):
        bound(signatures, "", "one.most=1")


NAMES = st.lists(st.text("ab.", min_size=1, max_size=4), max_size=5)


@given(st.data())
def test_what_is_wrong_is_never_what_is_offered(data: st.DataObject) -> None:
    names = data.draw(NAMES)
    wrong = data.draw(st.sampled_from(names) if names else st.just("a"))
    for told in (nearest(wrong, names), nearest_parameter(wrong, names)):
        offered = re.fullmatch(r"did you mean (.*)\?", told)
        assert not offered or offered[1] != wrong


def test_a_key_that_one_of_a_file_would_contradict_is_not_offered(bound: Bound) -> None:
    with pytest.raises(SettingError, match=r"there is no setting 'etl\.two\.least'") as error:
        bound(TWO, nested({"etl.size": 3, "two.limits.least": 1}), "etl.two.least=7")
    assert "did you mean two.least?" not in str(error.value)


WORDS = st.sampled_from(["one", "two", "limits", "limit", "etl", "x", "most", "mst", "size", "sizes", "least"])


@options(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, min_size=1, max_size=3).map(".".join))
def test_a_setting_that_is_offered_is_another_one_and_there_is_such(bound: Bound, typed: str) -> None:
    config = nested({"etl.size": 3, "etl.limits.most": 2, "two.limits.least": 1})
    try:
        found = bound(TWO, config, f"{typed}=7")
    except SettingError as error:
        told = re.search(r"did you mean (.*?)\?", str(error))
        for offered in told[1].split(" or ") if told else []:
            assert offered != typed
            with suppress(SettingError):
                bound(TWO, config, f"{offered}=7")
                continue
            # a component's parameter is offered without the component; or it is a section, which holds settings
            component = typed.partition(".")[0]
            try:
                bound(TWO, config, f"{component}.{offered}=7")
            except SettingError:
                with pytest.raises(SettingError, match=r"is a (component|group|section), not"):
                    bound(TWO, config, f"{offered}=7")
    else:
        assert found != bound(TWO, config)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("limits.limits.most=7", r"^limits\.limits\.most and limits\.most \(.*:1\) both set limits\.limits\.most"),
        ("limits.mst=7", r"limits has no such parameter: did you mean limits\.most"),
    ],
)
def test_a_component_named_as_its_group_takes_both_names(bound: Bound, typed: str, said: str) -> None:
    signatures = {"limits": "limits: Limits"}
    assert bound(signatures, "limits: {most: 5}")["limits"]["limits.most"] == 5
    assert bound(signatures, "", "limits.limits.most=6")["limits"]["limits.most"] == 6
    with pytest.raises(SettingError, match=said):
        bound(signatures, "limits: {most: 5}", typed)


def test_a_component_named_as_another_one_s_group_is_asked_which_is_meant(bound: Bound) -> None:
    signatures = {"limits": "limits: Limits", "other": "limits: Limits"}
    with pytest.raises(
        SettingError, match=r"limits\.most may be limits\.limits\.most or other\.limits\.most; write"
    ):
        bound(signatures, "limits: {most: 5}")
    found = bound(signatures, "limits: {limits: {most: 5}}\nother: {limits: {most: 6}}\n")
    assert (found["limits"]["limits.most"], found["other"]["limits.most"]) == (5, 6)
    both = bound(signatures, "etl: {limits: {most: 7}}\n")
    assert (both["limits"]["limits.most"], both["other"]["limits.most"]) == (7, 7)


@pytest.mark.parametrize("config", ["limits: {most: 5}", "etl: {limits: {most: 5, extra: 3}}"])
def test_a_name_that_a_group_and_a_mapping_have_is_asked_for_in_full(bound: Bound, config: str) -> None:
    signatures = {"step": "limits: Limits", "other": "limits: dict[str, int] = {}"}
    said = r"limits \(.*:1\) may be other\.limits, which takes a mapping, or the group step\.limits; write the one"
    with pytest.raises(SettingError, match=said):
        bound(signatures, config)
    found = bound(signatures, "step: {limits: {most: 5}}\nother: {limits: {x: 3}}\n")
    assert (found["step"]["limits.most"], found["other"]["limits"]) == (5, {"x": 3})


def test_a_mapping_that_is_meant_by_more_than_its_name_is_not_asked_about(bound: Bound) -> None:
    signatures = {"step": "limits: Limits", "other": "limits: dict[str, int] = {}"}
    found = bound(signatures, "etl: {bounds: {most: 5}}\n", table={"etl.bounds": "other.limits"})
    assert (found["step"]["limits.most"], found["other"]["limits"]) == (1, {"most": 5})
