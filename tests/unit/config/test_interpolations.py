"""Interpolations: text is read as the type that is asked for, and what can't be resolved says what to write."""

import os
import re
import shlex
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from hypothesis import HealthCheck, example, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from relet.config import settings
from relet.config.provenance import configured_text
from relet.core.override_words import quoted_text
from relet.core.pipeline import Pipeline
from relet.errors import SettingError
from tests.unit.config.conftest import Bound

LITERALLY = "; where the text itself is meant, write "


@pytest.mark.parametrize(
    ("signature", "config", "checked"),
    [
        ("n: int", "n: ${oc.env:SEVEN}", 7),
        ("x: float", "x: ${oc.env:SEVEN}", 7.0),
        ("x: float", "x: ${oc.env:HALF}", 0.5),
        ("b: bool", "b: ${oc.env:YES}", True),
        ("n: int | None = 3", "n: ${oc.env:NOTHING}", None),
        ("t: str", "t: ${oc.env:SEVEN}", "7"),
        ("t: str", "t: no-${oc.env:SEVEN}", "no-7"),
        ("n: int", "n: ${oc.env:SEVEN}${oc.env:SEVEN}", 77),
        ("n: int", "n: ${oc.env:UNSET,5}", 5),
        ("n: int", "n: ${step.of}\nstep: {of: '${oc.env:SEVEN}'}", 7),
        ("a: Any", "a: ${oc.env:SEVEN}", "7"),
        ("a: list[float]", "a: [1, '${oc.env:HALF}']", [1.0, 0.5]),
        ("a: dict[str, int]", "a: {b: '${oc.env:SEVEN}'}", {"b": 7}),
        ("a: dict[str, Any]", "a: {b: ['${oc.env:SEVEN}']}", {"b": ["7"]}),
        ("a: list[int]", "a: ${oc.decode:'[1, 2]'}", [1, 2]),
        ("g: Limits", "g: {most: '${oc.env:SEVEN}'}", 7),
    ],
)
def test_text_of_a_variable_is_read_as_the_type_that_the_parameter_asks_for(
    bound: Bound, monkeypatch: pytest.MonkeyPatch, signature: str, config: str, checked: Any
) -> None:
    for name, text in {"SEVEN": "7", "HALF": "0.5", "YES": "true", "NOTHING": "null"}.items():
        monkeypatch.setenv(name, text)
    others = ", of: int = 0" if "step" in config else ""
    found = bound({"step": signature + others}, config)["step"]
    assert repr(next(iter(found.values()))) == repr(checked)


def test_one_variable_is_a_number_here_and_text_there(bound: Bound, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEVEN", "7")
    assert bound({"one": "a: int", "two": "a: str"}, "a: ${oc.env:SEVEN}") == {"one": {"a": 7}, "two": {"a": "7"}}


def test_a_part_of_the_time_is_a_number(bound: Bound) -> None:
    assert bound({"step": "year: int"}, "", "year=${now:%Y}")["step"]["year"] >= 2026
    assert 1 <= bound({"step": "month: int"}, "", "month=${now:%m}")["step"]["month"] <= 12


def test_text_that_somebody_quoted_stays_text(bound: Bound) -> None:
    with pytest.raises(SettingError, match=r"^n takes a whole number, got '7'$"):
        bound({"step": "n: int"}, "n: '7'")


def test_relet_s_own_settings_are_read_too(
    pipeline: Pipeline, conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEED", "07")
    found = settings(pipeline, conf, ["main.seed=${oc.env:SEED}", "main.download_timeout=${oc.env:SEED}"])
    assert (found.seed, found.download.timeout) == (7, 7.0)
    assert found.value("main.seed") == 7


def test_what_is_shown_of_a_configuration_is_what_was_read(
    pipeline: Pipeline, conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROWS", "7")
    overrides = [f"{key}=${{oc.env:ROWS}}" for key in ("etl.rows", "etl.note", "modeling.boosted.num_leaves")]
    shown = yaml.safe_load(configured_text(pipeline, conf, overrides))
    assert shown["etl"]["rows"] == 7
    assert shown["etl"]["note"] == "7"
    assert shown["modeling"]["boosted"]["num_leaves"] == 7


def test_a_value_of_a_mapping_is_held_to_that_of_the_files_on_either_side(
    pipeline: Pipeline, conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAVES", "9")
    found = settings(pipeline, conf, ["modeling.boosted.num_leaves=${oc.env:LEAVES}"])
    assert found.parameters["train_model"]["parameters"]["num_leaves"] == 9
    file = conf / "model" / "boosted.yaml"
    file.write_text(file.read_text().replace("num_leaves: 31", "num_leaves: ${oc.env:LEAVES}"))
    found = settings(pipeline, conf, ["modeling.boosted.num_leaves=5"])
    assert found.parameters["train_model"]["parameters"]["num_leaves"] == 5
    with pytest.raises(SettingError, match=r"leaves takes a whole number, got 'many' \(from \$\{oc\.env:M\}\)"):
        monkeypatch.setenv("M", "many")
        file.write_text(file.read_text().replace("${oc.env:LEAVES}", "31"))
        settings(pipeline, conf, ["modeling.boosted.num_leaves=${oc.env:M}"])


def test_a_variable_that_is_not_set_is_named_with_its_place_and_the_advice_works(
    pipeline: Pipeline, conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNSET", raising=False)
    with pytest.raises(SettingError) as caught:
        settings(pipeline, conf, ["etl.rows=${oc.env:UNSET}"])
    assert str(caught.value) == (
        "etl.rows is ${oc.env:UNSET}, and the environment variable UNSET is not set; set it, or write a default: "
        "${oc.env:UNSET,VALUE}"
    )
    assert settings(pipeline, conf, ["etl.rows=${oc.env:UNSET,5}"]).parameters["get_data"]["rows"] == 5
    file = conf / "config.yaml"
    file.write_text(file.read_text().replace("rows: 20000", "rows: ${oc.env:UNSET}"))
    with pytest.raises(SettingError, match=r"^etl\.rows \(.*config\.yaml:9\) is \$\{oc\.env:UNSET\}, and the env"):
        settings(pipeline, conf)


def test_a_variable_in_a_list_is_named_with_its_place(bound: Bound, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSET", raising=False)
    with pytest.raises(SettingError, match=r"^a\[1\] \(.*config\.yaml:1\) is \$\{oc\.env:UNSET\}, and the env"):
        bound({"step": "a: list[int]"}, "a:\n- 1\n- ${oc.env:UNSET}")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("etl.rows=${nowhere}", r"^etl\.rows is \$\{nowhere\}, and there is no setting 'nowhere'$"),
        ("etl.rows=${main.sed}", r"there is no setting 'main\.sed': did you mean main\.seed\?$"),
        ("etl.rows=${oc.evn:A}", r"there is no resolver 'oc\.evn': did you mean oc\.env\?$"),
        ("etl.rows=${etl.rows}", r"that can't be resolved: Recursive interpolation detected$"),
        ('etl.rows="${main"', r"^etl\.rows: after \$\{ comes no name with a \} that ends it; write \$\{NAME\}"),
        ("etl.source=${main", r"^etl\.source: after \$\{ comes no name with a \} that ends it"),
    ],
)
def test_an_interpolation_that_leads_nowhere_is_told_in_words(
    pipeline: Pipeline, conf: Path, override: str, said: str
) -> None:
    with pytest.raises(SettingError) as caught:
        settings(pipeline, conf, [override])
    assert re.search(said, str(caught.value)), caught.value
    assert "\n" not in str(caught.value)


def test_an_interpolation_in_a_file_that_does_not_end_is_told_with_its_place(
    pipeline: Pipeline, conf: Path
) -> None:
    file = conf / "config.yaml"
    file.write_text(file.read_text().replace("generated", "${main"))
    with pytest.raises(SettingError, match=r"^etl\.source \(.*config\.yaml:8\): after \$\{ comes no name"):
        settings(pipeline, conf)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("t: ${of}\nof: ???", r"^t \(.*yaml:1\) is \$\{of\}, and of has no value \(\?\?\?\): write one"),
        (
            "t: ${of}\nof: ${oc.env:UNSET}",
            r"^t \(.*yaml:1\) is \$\{of\}, and the environment variable UNSET .*VALUE\}$",
        ),
        ("d: {b.c: '${x}'}", r"^d\.b\.c \(.*yaml:1\): there is no setting 'x'$"),
    ],
)
def test_what_an_interpolation_leads_to_is_named_too(
    bound: Bound, monkeypatch: pytest.MonkeyPatch, config: str, said: str
) -> None:
    monkeypatch.delenv("UNSET", raising=False)
    with pytest.raises(SettingError, match=said):
        bound({"step": "t: str = '', of: str = '', d: dict = {}"}, config)


def test_a_file_whose_name_has_the_signs_is_named_by_the_advice(pipeline: Pipeline, conf: Path) -> None:
    with pytest.raises(SettingError) as caught:
        settings(pipeline, conf, ["etl.source=${a}.csv"])
    assert str(caught.value) == (
        r"etl.source is ${a}.csv, and there is no setting 'a'; where the text itself is meant, write "
        r"'etl.source=\${a}.csv'"
    )
    found = settings(pipeline, conf, [r"etl.source=\${a}.csv"])
    assert found.parameters["get_data"]["source"] == "${a}.csv"


@pytest.mark.parametrize("written", ["${a}.csv", "'${a}.csv'", r"\\${a}.csv"])
def test_the_advice_for_a_file_of_settings_works_there(pipeline: Pipeline, conf: Path, written: str) -> None:
    file = conf / "config.yaml"
    file.write_text(file.read_text().replace("generated", written))
    with pytest.raises(SettingError, match=r"^etl\.source \(.*config\.yaml:8\) is") as caught:
        settings(pipeline, conf)
    advised = str(caught.value).partition(LITERALLY)[2].partition(": ")[2]
    file.write_text(file.read_text().replace(written, f"'{advised}'"))
    assert settings(pipeline, conf).parameters["get_data"]["source"] == written.strip("'")


NAMES = st.text(st.sampled_from("${}\\ab\"' ,()=[]:~."), max_size=8)


@profile(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, NAMES, NAMES)
@example("it's ", "a", " (1), 2.csv")
@example("\\", "a", "\\")
@example("", "a", ",b")
@example("[", "a", "]")
def test_who_follows_the_advice_has_the_text_itself(
    pipeline: Pipeline, conf: Path, before: str, inside: str, after: str
) -> None:
    text = f"{before}${{{inside}}}{after}"
    for typed in (f"etl.source={text}", f"etl.source={quoted_text(text)}"):
        try:
            settings(pipeline, conf, [typed])
        except SettingError as error:
            said, literally, advice = str(error).partition(LITERALLY)
            if literally:
                (word,) = shlex.split(advice)
                found = settings(pipeline, conf, [word]).parameters["get_data"]["source"]
                assert said.startswith(f"etl.source is {found}, and ")


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
@profile(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_variable_may_hold_any_text(pipeline: Pipeline, conf: Path, text: str) -> None:
    with patch.dict(os.environ, {"SOURCE": text}):
        found = settings(pipeline, conf, ["etl.source=${oc.env:SOURCE}"])
    assert found.parameters["get_data"]["source"] == text
