"""What a person writes into a pipeline by mistake is told with its line; a fuzz over projects found each case."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.core.code import FirstPartyCode
from relet.core.pipeline import read_pipeline
from relet.errors import SignatureError, WiringError

STEP = """
from typing import Annotated, NamedTuple
from relet import Module, Source, Stored, Table, component

class Made(NamedTuple):
    rows: Table

@component(job_type="make"OPTIONS)
def make(ARGUMENTS) -> Made: ...
"""


def read(folder: Path, arguments: str = "", options: str = "", pipeline: str = "Pipeline([make])") -> None:
    text = STEP.replace("ARGUMENTS", arguments).replace("OPTIONS", options)
    (folder / "steps.py").write_text(text)
    (folder / "pipeline.py").write_text(
        f"from relet import Pipeline\nfrom steps import make\npipeline = {pipeline}\n"
    )
    read_pipeline("broken", folder / "pipeline.py", FirstPartyCode((folder,)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("rows: 'Table | '", r"line 9: the annotation 'Table \| ' is no Python"),
        ("rows: 'not valid ('", r"line 9: the annotation 'not valid \(' is no Python"),
        ("*, size: 'in t' = 1", "line 9: the annotation 'in t' is no Python"),
        ("*, size: int = {[]: 1}", r"line 9: the default of size must be a literal, got \{\[\]: 1\}"),
        ("rows: Annotated[Table, Stored()]", r"line 9: Stored\(\): missing 1 required .* 'reference'"),
        ("rows: Annotated[Table, Stored(1)]", r"line 9: Stored\(1\) takes text"),
        ("rows: Annotated[Table, Stored('a', no='b')]", r"line 9: Stored\('a', no='b'\): got an unexpected"),
        ("rows: Annotated[Table, Stored('Y:prod')]", "line 9: the input rows: 'Y:prod' is no reference"),
        ("*, family: Annotated[str, Module(3)] = 'a'", r"line 9: Module\(3\) takes text"),
        ("*, source: Annotated[str, Source(3)] = 'a'", r"line 9: Source\(3\) takes text"),
    ],
)
def test_a_signature_that_is_none_is_told_with_its_line(tmp_path: Path, arguments: str, said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        read(tmp_path, arguments)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (", resources='checks'", "line 8: resources= takes a tuple of names, got 'checks'"),
        (", resources=(1,)", r"line 8: resources= takes a tuple of names, got \(1,\)"),
        (", judges=3", "line 8: judges= takes a tuple of names, got 3"),
    ],
)
def test_options_that_are_none_are_told_with_their_line(tmp_path: Path, options: str, said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        read(tmp_path, options=options)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{1: 'make.size'}", "settings has the key 1; a key is text"),
        ("{'': 'make.size'}", "settings has the key ''; a key is text"),
        ("{'x': 3}", "the setting x feeds 3; write 'component.parameter'"),
        ("{'x': ['make.size', 3]}", r"the setting x feeds \['make.size', 3\]; write"),
        ("{'x': []}", r"the setting x feeds \[\]; write"),
        ("3", "settings takes a mapping from keys to what they feed, got 3"),
    ],
)
def test_a_table_of_settings_that_is_none_is_told(tmp_path: Path, settings: str, said: str) -> None:
    with pytest.raises(WiringError, match=said):
        read(tmp_path, "*, size: int = 1", pipeline=f"Pipeline([make], settings={settings})")
