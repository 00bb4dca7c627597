"""What a person sees of a component that raised: the project's own lines, and no line of relet's."""

from __future__ import annotations

import json

import pytest

from tests.command import relet
from tests.tiny_project import Tiny


def test_the_projects_lines_that_led_to_an_error_are_shown_with_their_source(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.edit("helper.py", "    return", "    values = {}\n    values['mean']\n    return")
    status, _, err = relet(capsys, "run", "tiny")
    assert status == 1
    first, *places, inputs = err.splitlines()
    assert inputs == "  its inputs were clean_sample:v1 (8 rows × 2 columns)"
    assert first == "relet: train raised KeyError: 'mean'"
    found = [(each.split(":")[0].strip(), each.rpartition(", in ")[2]) for each in places[::2]]
    assert found == [("pipelines/tiny/steps/train.py", "train"), ("pipelines/tiny/helper.py", "mean")]
    assert places[-1].strip() == "values['mean']"


@pytest.mark.parametrize(
    ("call", "file"), [("json.loads('{')", "json/decoder.py"), ("statistics.mean([])", "statistics.py")]
)
def test_where_a_library_raised_its_last_line_is_shown(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], call: str, file: str
) -> None:
    tiny.edit("helper.py", "    return", f"    import json, statistics\n    {call}\n    return")
    lines = relet(capsys, "run", "tiny")[2].splitlines()
    assert lines[-3].startswith(f"  {file}:")
    assert lines[-5].startswith("  pipelines/tiny/helper.py:")


def test_what_recursion_repeats_is_shown_once(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.edit("helper.py", "    return", "    again(20)\n    return")
    helper = tiny.path("helper.py")
    helper.write_text(f"{helper.read_text()}\n\ndef again(n):\n    return again(n - 1) if n else [].pop()\n")
    err = relet(capsys, "run", "tiny")[2]
    assert err.count("in again, 21 times") == err.count("in again") == 1


def test_programs_get_the_lines_as_fields(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.edit("helper.py", "    return", "    assert False, 'no mean'\n    return")
    out = relet(capsys, "run", "tiny", "--json")[1]
    ended = json.loads(out.splitlines()[-1])
    assert ended["lines"][-1]["file"] == "pipelines/tiny/helper.py"
    assert ended["lines"][-1]["source"] == "assert False, 'no mean'"
    assert ended["inputs"] == ["tiny/clean_sample:v1 (8 rows × 2 columns)"]


def test_a_step_without_inputs_names_none(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.edit("steps/get.py", "    if source", "    rows / 0\n    if source")
    assert "inputs" not in relet(capsys, "run", "tiny")[2]
