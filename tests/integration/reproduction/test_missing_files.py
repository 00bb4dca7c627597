"""A run that read what no record holds can't be judged where that is not there: the verdict names it."""

from __future__ import annotations

import pytest

from relet.core.reproduction import Reproduction
from tests.integration.engine.test_lookups import counts
from tests.sums_project import Sums, likenesses, step

DATA = "return float(Path('data.txt').read_text())"
WAYS = {
    "a file that is not there": (DATA, "read data.txt", "is not there when it is made again"),
    "a file that the step does without": (
        "return float(Path('data.txt').read_text()) if Path('data.txt').exists() else 0.0",
        "read data.txt",
        "is not there when it is made again",
    ),
    "a folder that was listed": (
        "return float(len([each for each in Path('.').glob('rows/*')]))",
        "looked at rows",
        "is not there, or holds other files, when it is made again",
    ),
    "a file that was looked for": (
        "return float(Path('data.txt').exists())",
        "looked at data.txt",
        "is not there, or holds other files, when it is made again",
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.sampled
def test_what_a_step_read_undeclared_and_is_not_there_makes_a_verdict_impossible(sums: Sums, way: str) -> None:
    (sums.root / "data.txt").write_text("5")
    (sums.root / "rows").mkdir()
    (sums.root / "rows" / "a").write_text("5")
    body, did, why = WAYS[way]
    counts(sums, body)
    first = sums.run()
    found = sums.again(first)
    assert likenesses(found) == {"draw": "IDENTICAL", "add": "IMPOSSIBLE"}
    assert found.likeness == "IMPOSSIBLE"
    hint = "name it in resources= of add, or give it by a parameter that is a Source, and a run keeps it"
    assert f"add {did}, which nothing declares and which {why}; {hint}" in found.missing
    assert found.reason == "; ".join(found.missing)
    assert {each.likeness for each in step(found, "add").outputs} == {"IMPOSSIBLE"}
    assert Reproduction.from_json(found.to_json()).likeness == "IMPOSSIBLE"


def test_a_file_that_is_another_is_named(sums: Sums, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("elsewhere") / "data.txt"
    outside.write_text("5")
    counts(sums, f"return float(Path({str(outside)!r}).read_text())")
    first = sums.run()
    assert sums.again(first).likeness == "IDENTICAL"
    outside.write_text("6")
    found = sums.again(first)
    assert found.likeness == "IMPOSSIBLE"
    assert f"read {outside}, which nothing declares and which is another one" in found.reason


def test_a_file_that_is_not_there_and_made_no_difference_is_none(sums: Sums) -> None:
    (sums.root / "data.txt").write_text("5")
    counts(sums, "Path('data.txt').exists() and Path('data.txt').read_text()\nreturn 1.0")
    assert sums.again(sums.run()).likeness == "IDENTICAL"


def test_a_step_that_differs_without_such_a_file_has_diverged(sums: Sums) -> None:
    (sums.root / "data.txt").write_text("5")
    counts(sums, "import time\nreturn float(time.time_ns() % 10**9)")
    found = sums.again(sums.run())
    assert (found.likeness, found.missing) == ("DIVERGED", ())
