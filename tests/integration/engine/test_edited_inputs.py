"""Every call sees what is stored, whatever the calls before it did to the files that they were given."""

from __future__ import annotations

import tempfile

import pytest

from relet.core.record import Caveat
from relet.store import Store
from tests.sums_project import Sums

# Each step adds a line to what it is given, and returns how long that was.
STEP = """
import os
from pathlib import Path
from typing import Annotated, NamedTuple
from relet import Metrics, Source, component

class Result(NamedTuple):
    {name}_size: Metrics

@component(job_type="{name}", resources=("words",))
def {name}(drawn: Path, {takes}*, source: Annotated[str, Source("none")] = "none") -> Result:
    '''Measure a file, and edit it.'''
    words = Path(__file__).parent / "words" / "title.txt"
    size = {measure}
    {edit}
    return Result({{"{name}": float(size)}})
"""
PIPELINE = """
from relet import Pipeline
from pipelines.sums.draw import draw
from pipelines.sums.first import first
from pipelines.sums.second import second

pipeline = Pipeline([draw, first, second])
"""


@pytest.fixture
def twice(sums: Sums) -> Sums:
    """Two steps that are given the same input, the same source and the same resource."""
    (sums.root / "numbers.txt").write_text("1 2 3\n")
    sums.path("pipeline.py").write_text(PIPELINE)
    sums.edit("conf/config.yaml", "\nseed: 42\nscale: 1.0\n", "\n")
    return sums


def steps(sums: Sums, measure: str, edit: str) -> None:
    for name, takes in (("first", ""), ("second", "first_size: Metrics, ")):
        sums.path(f"{name}.py").write_text(STEP.format(name=name, takes=takes, measure=measure, edit=edit))


EDITS = {
    "an input": ("len(drawn.read_text())", "drawn.open('a').write('more')", "sums/drawn:v1 (drawn.txt)"),
    "an input, its time set back": (
        "len(drawn.read_text().replace('1', ''))",
        "about = drawn.stat(); drawn.write_text('1' * about.st_size);"
        " os.utime(drawn, ns=(about.st_atime_ns, about.st_mtime_ns))",
        "sums/drawn:v1 (drawn.txt)",
    ),
    "an input that is deleted": ("len(drawn.read_text())", "drawn.unlink()", "sums/drawn:v1 (drawn.txt)"),
    "a file beside an input": (
        "len(list(drawn.parent.iterdir()))",
        "drawn.with_name('more.txt').write_text('more')",
        None,
    ),
    "a source": (
        "len(Path(source).read_text())",
        "Path(source).open('a').write('more')",
        "its source numbers.txt",
    ),
    "a resource": (
        "len(words.read_text())",
        "words.open('a').write('more')",
        "pipelines/sums/words/title.txt",
    ),
    "a file beside the code": (
        "len(list(Path(__file__).parent.glob('late*')))",
        "Path(__file__).with_name('late.py').write_text('')",
        None,
    ),
}


@pytest.mark.parametrize("what", EDITS)
@pytest.mark.sampled
def test_what_a_step_edits_in_place_is_as_it_was_stored_for_the_next_step(twice: Sums, what: str) -> None:
    measure, edit, named = EDITS[what]
    steps(twice, measure, edit)
    outcome = twice.run("source=numbers.txt")
    assert outcome.metrics["first"] == outcome.metrics["second"]
    edited = [each for each in twice.record(outcome, "first").caveats if each.kind == "edited"]
    assert edited == ([Caveat(kind="edited", what=named)] if named else [])
    assert not [each for each in twice.record(outcome, "draw").caveats if each.kind == "edited"]


def test_a_step_that_reads_and_links_its_input_did_not_edit_it(twice: Sums) -> None:
    steps(twice, "len(drawn.read_text())", "os.link(drawn, drawn.parent.with_name(f'linked-{os.getpid()}'))")
    outcome = twice.run("source=numbers.txt")
    assert outcome.metrics["first"] == outcome.metrics["second"]
    assert not [each for each in outcome.results[-1].caveats if each.kind == "edited"]


# Edits whatever lies below the folder of the run, a moment after the step has returned.
LEFT_BEHIND = (
    "import pathlib, sys, time\n"
    "until = time.monotonic() + 4\n"
    "while time.monotonic() < until:\n"
    "    time.sleep(0.05)\n"
    "    for each in pathlib.Path(sys.argv[1]).glob('**/drawn.txt'):\n"
    "        each.write_text('edited by a process that was left behind')\n"
)


def test_a_process_that_a_step_leaves_running_ends_before_the_next_step(twice: Sums) -> None:
    (twice.root / "left.txt").write_text(LEFT_BEHIND)
    start = "import subprocess, sys\n    subprocess.Popen([sys.executable, '-c', open('left.txt').read()"
    returned = "    return Drawn(path)"
    twice.edit("draw.py", returned, f"    {start}, str(path.parents[2])], start_new_session=True)\n{returned}")
    steps(twice, "(__import__('time').sleep(0.8), len(drawn.read_text()))[1]", "pass")
    outcome = twice.run()
    assert outcome.metrics["first"] == outcome.metrics["second"] == len("81 14 3")
    assert "starts python" in " ".join(map(str, twice.record(outcome, "draw").caveats))


def test_an_output_that_is_edited_after_its_digest_was_taken_is_laid_out_as_it_is_stored(
    twice: Sums, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps(twice, "len(drawn.read_text())", "pass")
    stored, scratch = Store.put_key, tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    def edit_after(store: Store, key: str, outputs: dict[str, str], run_id: str) -> None:
        stored(store, key, outputs, run_id)
        for each in scratch.glob("*/draw-*/outputs/drawn/drawn.txt"):
            each.write_text("edited")

    monkeypatch.setattr(Store, "put_key", edit_after)
    outcome = twice.run()
    assert outcome.metrics["first"] == outcome.metrics["second"] == len("81 14 3")
