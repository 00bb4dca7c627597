"""A component that is used under other names, read from its source and built in Python."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from relet.core.artifact import Stored
from relet.core.change import differences
from relet.core.code import FirstPartyCode
from relet.core.component import Component
from relet.core.pipeline import Pipeline, read_pipeline
from relet.core.plan import key_parts
from relet.core.record import KeyParts
from relet.errors import ReletError, SignatureError, WiringError

STEPS = """
from typing import Annotated, NamedTuple
from relet import Metrics, Model, Stored, Table, Verdict, component

class Rows(NamedTuple):
    rows: Table

@component(job_type="get")
def get() -> Rows: ...

class Fitted(NamedTuple):
    model: Model
    measured: Metrics

@component(job_type="fit", tolerance={"measured": 1e-6})
def fit(rows: Table, *, depth: int = 3) -> Fitted: ...

class Judged(NamedTuple):
    said: Verdict

@component(job_type="judge", judges=("model",))
def judge(model: Model, rows: Table, best: Annotated[Model, Stored("model:prod", "model")]) -> Judged: ...
"""
HEAD = "from relet import Pipeline\nfrom using_steps.steps import fit, get, judge\n"
TWICE = """
judge_b = judge.using("judge_b", model="model_b", said="said_b")
pipeline = Pipeline(
    [get, fit, judge, fit.using("fit_b", model="model_b", measured="measured_b"), judge_b],
    on_request=[judge_b],
    by_name=["judge"],
    settings={"b.depth": "fit_b.depth"},
)
"""


def read(folder: Path, source: str) -> Pipeline:
    (folder / "using_steps").mkdir()
    (folder / "using_steps" / "steps.py").write_text(STEPS)
    (folder / "pipeline.py").write_text(HEAD + source)
    return read_pipeline("twice", folder / "pipeline.py", FirstPartyCode((folder,)))


def test_a_component_is_used_twice_under_other_names(tmp_path: Path) -> None:
    pipeline = read(tmp_path, TWICE)
    assert pipeline.names == ("get", "fit", "judge", "fit_b", "judge_b")
    assert pipeline.producers["model_b"] == "fit_b"
    assert pipeline.on_request == ("judge_b", "judge")
    fit_b = pipeline.component("fit_b")
    assert (fit_b.function_name, fit_b.job_type, fit_b.defaults) == ("fit", "fit", {"depth": 3})
    assert fit_b.tolerance == {"measured_b": 1e-6}
    judge_b = pipeline.component("judge_b")
    assert judge_b.judges == ("model_b",)
    assert judge_b.inputs[2].stored == Stored("model_b:prod", "model_b")


def test_a_pipeline_that_is_built_in_python_is_the_one_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    was_read = read(tmp_path, TWICE)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        built = import_module("pipeline").pipeline
    finally:
        for name in ("pipeline", "using_steps", "using_steps.steps"):
            sys.modules.pop(name, None)
    assert [vars(each) for each in built.components] == [vars(each) for each in was_read.components]
    assert (built.on_request, built.settings) == (was_read.on_request, was_read.settings)


@pytest.mark.parametrize(
    ("uses", "said"),
    [
        (
            "fit.using('fit_b', modle='b')",
            r"line 3: fit.using\(…\) renames 'modle', which .* did you mean model\?",
        ),
        (
            "fit.using('fit_b', depth='b')",
            "renames 'depth', which fit neither takes nor makes: there are measured",
        ),
        ("fit.using('fit_b', model='measured')", "calls both model and measured measured; give each a name"),
        ("fit.using('fit_b', model='B')", "names model 'B'; an artifact's name has small letters"),
        ("fit.using('fit_b', model=3)", "names model 3; an artifact's name has small letters"),
        ("fit.using('fit.b')", "names its step 'fit.b'; a step's name is a Python name"),
        ("fit.using('fit_b')", r"two components make model: fit and fit_b; fit.using\('fit_b', model='model_b'\)"),
        ("fit", r"two components named fit; .* fit.using\('fit_b', …\)"),
        ("fit.using(model='m', measured='n')", r"two components named fit; .* fit.using\('fit_b', …\)"),
        ("fit.using('fit_b', rows='raws', model='m', measured='n')", "fit_b takes raws, which no component makes"),
    ],
)
def test_wrong_names_are_refused(tmp_path: Path, uses: str, said: str) -> None:
    with pytest.raises(WiringError, match=said):
        read(tmp_path, f"pipeline = Pipeline([get, fit, {uses}])\n")


@pytest.mark.parametrize(
    ("uses", "said"),
    [
        ("fit.using('a', 'b')", r"line 3: fit.using\(…\) takes one name without ="),
        ("fit.using(*names)", "takes one name without ="),
        ("fit.using(**names)", r"takes names that are written out, got \*\*names"),
        ("fit.using(step)", "the name of the step, must be a literal, got step"),
        ("fit.using('b', model=f'{x}')", "model= must be a literal"),
        ("fti.using('b')", "defines no function 'fti'"),
    ],
)
def test_what_is_not_written_out_is_refused(tmp_path: Path, uses: str, said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        read(tmp_path, f"pipeline = Pipeline([get, {uses}])\n")


def test_names_that_change_nothing_make_no_other_component(tmp_path: Path) -> None:
    pipeline = read(tmp_path, "pipeline = Pipeline([get, fit.using(model='model')])\n")
    fit = pipeline.component("fit")
    assert (fit.identity, fit.metrics_prefix) == ("fit", "")


def test_the_key_of_a_use_names_its_function_and_its_names(tmp_path: Path) -> None:
    pipeline = read(tmp_path, TWICE)

    def parts(component: Component) -> KeyParts:
        request: Any = type("Request", (), {"code": {}, "key_parameters": {}, "pipeline": pipeline})()
        request.code = {component.name: KeyParts(component="")}
        request.key_parameters = {component.name: {}}
        return key_parts(component, request, {})

    assert parts(pipeline.component("fit")).component == "fit"
    fit_b = parts(pipeline.component("fit_b"))
    assert fit_b.component == "fit.using('fit_b', measured='measured_b', model='model_b')"
    (change,) = differences(KeyParts(component="fit_b"), fit_b)
    assert str(change) == f"used as fit_b → {fit_b.component}"


def test_a_use_of_what_is_no_component_is_refused() -> None:
    with pytest.raises(ReletError, match="is no component"):
        Pipeline([test_the_key_of_a_use_names_its_function_and_its_names])
