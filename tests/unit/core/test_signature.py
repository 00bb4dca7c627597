"""Components read from source: the signature is the whole contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.core.artifact import ArtifactType
from relet.core.code import FirstPartyCode
from relet.core.component import Component
from relet.core.parameter import Parameter
from relet.core.signature import read_component
from relet.errors import SettingError, SignatureError

HEAD = """
from typing import Annotated, Any, Literal, NamedTuple
from pathlib import Path
import pandas as pd
import polars
from relet import Check, Figure, Metrics, Model, Source, Stored, Table, Verdict, component

class Made(NamedTuple):
    table: pd.DataFrame
    report: Verdict
"""


def read(folder: Path, source: str, name: str = "step") -> Component:
    (folder / "step.py").write_text(HEAD + source)
    return read_component(name, "step", folder / "step.py", FirstPartyCode((folder,)))


def test_inputs_parameters_and_outputs_come_from_the_signature(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        '''
@component(job_type="clean", resources=("checks",), judges=("a",))
def step(
    a: Table,
    b: pd.DataFrame,
    c: "polars.DataFrame",
    d: Path,
    e: Annotated[Model | None, Stored("model:prod")] = None,
    f: Annotated[Table, Stored("a:reference", initially="a")] = None,
    *,
    source: Annotated[str, Source("generated")] = "generated",
    low: float = 1,
    size: int | None = None,
    mode: Literal["x", "y"] = "x",
    more: dict[str, Any] = {},
) -> Made:
    """Say what it does.

    And more.
    """
''',
    )
    assert [(each.name, each.container, each.optional) for each in found.inputs] == [
        ("a", "ibis", False),
        ("b", "pandas", False),
        ("c", "polars", False),
        ("d", "path", False),
        ("e", "model", True),
        ("f", "ibis", True),
    ]
    assert found.inputs[4].stored is not None
    assert found.inputs[4].stored.reference == "model:prod"
    assert found.inputs[5].stored is not None
    assert found.inputs[5].stored.initially == "a"
    assert found.defaults == {"source": "generated", "low": 1.0, "size": None, "mode": "x", "more": {}}
    assert isinstance(found.defaults["low"], float)
    assert found.parameter("source").source is not None
    assert [(each.name, each.type) for each in found.outputs] == [
        ("table", ArtifactType.TABLE),
        ("report", ArtifactType.VERDICT),
    ]
    assert (found.job_type, found.resources, found.judges) == ("clean", ("checks",), ("a",))
    assert found.description == "Say what it does."
    assert found.gates


def test_a_tolerance_is_for_all_outputs_or_for_those_it_names(tmp_path: Path) -> None:
    for given, wanted in (("1e-6", {"table": 1e-6, "report": 1e-6}), ("{'table': 0}", {"table": 0.0})):
        source = f"@component(job_type='x', tolerance={given}, environment='uv')\ndef step() -> Made: ..."
        found = read(tmp_path, source)
        assert (found.tolerance, found.environment) == (wanted, "uv")


def test_reading_a_component_imports_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, "import no_such_module\n@component(job_type='x')\ndef step() -> None: 1 / 0")
    assert found.outputs == ()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def step(a: Table) -> Made: ...", r"line \d+: step is no component: write @component"),
        ("@component()\ndef step() -> None: ...", "needs job_type="),
        ("@component(job_typ='x')\ndef step() -> None: ...", r"no job_typ=: did you mean job_type\?"),
        ("@component(job_type='x')\ndef step(a) -> None: ...", "the input a has no annotation"),
        ("@component(job_type='x')\ndef step(a: int) -> None: ...", r"hyperparameters come after the \*"),
        ("@component(job_type='x')\ndef step(*a: int) -> None: ...", r"takes \*args"),
        ("@component(job_type='x')\ndef step(*, a) -> None: ...", "the parameter a has no annotation"),
        (
            "@component(job_type='x')\ndef step(*, a: set) -> None: ...",
            "annotated set; a hyperparameter is one of",
        ),
        (
            "@component(job_type='x')\ndef step(*, a: int = 'b') -> None: ...",
            "its default takes a whole number, got 'b'",
        ),
        ("@component(job_type='x')\ndef step(*, a: int = b) -> None: ...", "must be a literal, got b"),
        ("@component(job_type='x')\ndef step(*, a: Annotated[int] = 1) -> None: ...", "marks nothing"),
        ("@component(job_type='x')\ndef step(): ...", "no return annotation"),
        ("@component(job_type='x')\ndef step() -> Table: ...", "names no artifact"),
        ("@component(job_type='x')\ndef step() -> Other: ...", "Other must be a NamedTuple in the same module"),
        (
            "class Bad(NamedTuple):\n    n: int\n@component(job_type='x')\ndef step() -> Bad: ...",
            "n: int is no artifact type",
        ),
        ("@component(job_type='x')\ndef stop() -> None: ...", r"no function 'step': did you mean stop\?"),
        (
            "@component(job_type='x', tolerance={'tabel': 1e-6})\ndef step() -> Made: ...",
            r"tolerance= names 'tabel', which is no output: did you mean table\?",
        ),
        (
            "@component(job_type='x', tolerance='small')\ndef step() -> Made: ...",
            "tolerance= of table must be a number from 0 up, got 'small'",
        ),
        ("@component(job_type='x', tolerance=True)\ndef step() -> Made: ...", "from 0 up, got True"),
        (
            "@component(job_type='x', environment='uvv:a.lock')\ndef step() -> None: ...",
            r"environment= got 'uvv:a.lock': did you mean uv\?",
        ),
    ],
)
def test_what_can_be_no_contract_is_refused_with_its_place(tmp_path: Path, source: str, said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        read(tmp_path, source)


def parameters(folder: Path) -> Component:
    return read(
        folder,
        "@component(job_type='x')\n"
        "def step(*, n: int, x: float = 0.5, flag: bool = False, name: str | None = None) -> None: ...",
    )


def test_whole_numbers_become_numbers_where_numbers_are_asked_for(tmp_path: Path) -> None:
    checked = parameters(tmp_path).check({"n": 3, "x": 2})
    assert checked == {"n": 3, "x": 2.0, "flag": False, "name": None}
    assert isinstance(checked["x"], float)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"n": "3"}, "step.n takes a whole number, got '3'"),
        ({"n": 3.5}, "step.n takes a whole number, got 3.5"),
        ({"n": True}, "step.n takes a whole number, got True"),
        ({"n": 3, "x": "fast"}, "step.x takes a number, got 'fast'"),
        ({"n": 3, "flag": 1}, "step.flag takes true or false, got 1"),
        ({"n": 3, "name": 4}, "step.name takes text or null, got 4"),
        ({"n": 3, "nam": "a"}, r"no parameter 'nam': did you mean name\?"),
        ({}, "step needs a value for n"),
    ],
)
def test_a_value_of_the_wrong_type_gets_the_accepted_one(
    tmp_path: Path, values: dict[str, object], said: str
) -> None:
    with pytest.raises(SettingError, match=said):
        parameters(tmp_path).check(values)


def test_a_mapping_s_names_are_text_at_every_depth() -> None:
    """In JSON 1 and "1" are one name: a key could not tell them apart."""
    weights = Parameter(name="weights", annotation="dict[str, Any]", types=(dict,))
    assert weights.check({"a": {"b": 1}}, "fit.weights") == {"a": {"b": 1}}
    with pytest.raises(SettingError, match=r"^fit\.weights takes names that are text, got 1; write it in quotes"):
        weights.check({1: 2}, "fit.weights")
    with pytest.raises(SettingError, match=r"^fit\.weights\.a takes names that are text, got True"):
        weights.check({"a": {True: 2}}, "fit.weights")


def test_the_message_names_the_setting_that_a_person_changes(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"^etl\.n takes"):
        parameters(tmp_path).check({"n": "x"}, names={"n": "etl.n"})
