"""Which inputs of a component may be absent: those with a default, and those whose annotation says None."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.core.code import FirstPartyCode
from relet.core.component import Component
from relet.core.pipeline import Pipeline
from relet.core.signature import read_component
from relet.errors import WiringError
from relet.report.graph import graph_text


def read(folder: Path, signature: str, name: str = "step") -> Component:
    (folder / f"{name}.py").write_text(
        "from typing import Annotated, NamedTuple\n"
        "from relet import Stored, Table, component\n"
        "class Made(NamedTuple):\n    a: Table\n"
        f"@component(job_type='x')\ndef {name}({signature}) -> {'Made' if name == 'make' else None}: ...\n"
    )
    return read_component(name, name, folder / f"{name}.py", FirstPartyCode((folder,)))


def test_an_input_that_may_be_absent_needs_no_producer(tmp_path: Path) -> None:
    for signature in ("a: Table, b: Table | None", "a: Table, b: Table = None", "a: Table, b: dict | None = None"):
        pipeline = Pipeline([read(tmp_path, "", "make"), read(tmp_path, signature)])
        taken = {each.name: each for each in pipeline.component("step").inputs}
        assert not pipeline.leaves_out(taken["a"])
        assert pipeline.leaves_out(taken["b"])
        assert "absent: nothing here makes it" in graph_text(pipeline)


def test_an_input_that_is_made_is_taken_even_if_it_may_be_absent(tmp_path: Path) -> None:
    pipeline = Pipeline([read(tmp_path, "a: Table | None"), read(tmp_path, "", "make")])
    assert pipeline.names == ("make", "step")
    assert not pipeline.leaves_out(pipeline.component("step").inputs[0])


@pytest.mark.parametrize("signature", ["b: Table", "options: dict = {}", "name: str = 'x'"])
def test_any_other_input_needs_one_and_a_default_is_told_to_belong_to_a_hyperparameter(
    tmp_path: Path, signature: str
) -> None:
    hint = "" if signature == "b: Table" else r".*put it after a \* in the function's arguments"
    with pytest.raises(WiringError, match=f"step takes .*, which no component makes{hint}"):
        Pipeline([read(tmp_path, "", "make"), read(tmp_path, signature)])


def test_every_input_with_a_default_may_be_absent_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "step.py").write_text(
        "from typing import Annotated\n"
        "from relet import Model, Stored, Table, component\n"
        "@component(job_type='x')\n"
        "def step(\n"
        "    a: Table,\n"
        "    b: Annotated[Table | None, Stored('b:prod')],\n"
        "    c: Table,\n"
        "    d: Annotated[Table, Stored('d:prod')] = None,\n"
        "    e: Annotated[Model, Stored('e:prod')] = None,\n"
        ") -> None: ...\n"
    )
    found = read_component("step", "step", tmp_path / "step.py", FirstPartyCode((tmp_path,)))
    assert {each.name for each in found.inputs if each.optional} == {"b", "d", "e"}
