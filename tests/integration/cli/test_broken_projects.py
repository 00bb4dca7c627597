"""What a fuzz over projects found, told in words on the command line."""

from __future__ import annotations

import pytest

from tests.command import relet
from tests.tiny_project import Tiny


@pytest.mark.parametrize(
    ("content", "said"),
    [("3", "a file is no mapping from keys to values"), ("x: &a [*a]", "a value holds itself, by an alias")],
)
def test_a_configuration_that_is_none_is_told(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    tiny.path("conf/config.yaml").write_text(content)
    status, _, err = relet(capsys, "why", "tiny")
    assert (status, said in err) == (2, True)


def test_a_resource_that_no_other_machine_has_is_told(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.edit("steps/check.py", '("checks",)', '("/etc",)')
    status, _, err = relet(capsys, "why", "tiny")
    assert status == 2
    assert "check declares the resource '/etc', which no other machine has" in err


@pytest.mark.parametrize("word", ["~nobody", "~nobody/rows.csv"])
def test_somebody_whom_this_machine_does_not_know_is_a_name_as_any_other(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    for words in (["run", word], ["run", "tiny", "--cfg", word], ["why", "tiny", f"etl.source={word}"]):
        status, _, err = relet(capsys, *words)
        assert (status, err.startswith("relet: ")) == (2, True)


def test_a_pipeline_without_steps_has_nothing_to_do(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.path("pipeline.py").write_text("from relet import Pipeline\npipeline = Pipeline([])\n")
    tiny.path("conf/config.yaml").write_text("store: {url: .relet}\n")
    assert relet(capsys, "why", "tiny") == (0, "", "")
