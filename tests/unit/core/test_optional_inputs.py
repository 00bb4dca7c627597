"""Which inputs of a component may be absent: those with a default, and those whose annotation says None."""

from __future__ import annotations

from pathlib import Path

from relet.core.code import FirstPartyCode
from relet.core.signature import read_component


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
