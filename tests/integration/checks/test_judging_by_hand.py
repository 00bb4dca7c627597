"""What data tests hand in is judged once in a suite that is run by hand, too."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flats import HEAD, KIND, SHIFT, write_batches

PIPELINE = """
from relet import Pipeline
from pipelines.flats.steps import look
pipeline = Pipeline([look])
"""


STEPS = """
from pathlib import Path
from typing import Annotated, NamedTuple
from relet import Stored, Verdict, component

class Looked(NamedTuple):
    report: Verdict

@component(job_type="look", resources=("checks",), judges=("flats",))
def look(
    flats: Annotated[Path, Stored("flats:latest")],
    reference: Annotated[Path, Stored("flats:reference")],
    *, most: int = 500, {own}
) -> Looked: ...
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return write_batches(tmp_path)


@pytest.fixture
def project(files: dict[str, Path]) -> Path:
    root = files["same"].parent
    home = root / "pipelines/flats"
    (home / "checks").mkdir(parents=True)
    (home / "pipeline.py").write_text(PIPELINE)
    (home / "steps.py").write_text(STEPS.format(own=""))
    (home / "checks/test_flats.py").write_text(
        HEAD + SHIFT + KIND + "def test_most(data, most): assert most == 500\n"
    )
    return root


def by_hand(project: Path, *words: str) -> tuple[int, str]:
    """Run pytest with relet's plugin and without the others that are installed, which take two seconds to load."""
    command = [sys.executable, "-m", "pytest", "-p", "relet.checks.plugin", "pipelines/flats/checks"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [*command, "--reference=same.parquet", *words],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long
def test_by_hand_each_sentence_is_printed_and_a_rejection_is_the_exit_status(project: Path) -> None:
    status, said = by_hand(project, "--data=cheaper.parquet")
    assert status == 0, said
    assert "0 of 2 null hypotheses rejected" in said
    assert (
        "test_rents: H0: rent is distributed as in the reference. D = " in said and "test_kinds: H0: kind" in said
    )
    status, said = by_hand(project, "--data=dearer.parquet")
    assert status == 1 and "1 of 2 null hypotheses rejected" in said and "H0 is rejected." in said


@pytest.mark.long
def test_by_hand_every_project_has_the_options_of_the_family(project: Path) -> None:
    status, said = by_hand(project, "--data=dearer.parquet", "--min-effect=0.9")
    assert status == 0 and "a D below 0.9 is let pass" in said
    status, said = by_hand(project, "--data=dearer.parquet", "--alpha=1e-30", "--correction=bonferroni")
    assert status == 0 and "Bonferroni" in said


def test_by_hand_a_wrong_option_of_the_family_is_refused(project: Path) -> None:
    status, said = by_hand(project, "--data=same.parquet", "--correction=hlm")
    assert status == 4 and "did you mean holm?; set --alpha, --correction or --min-effect" in said
    assert "Traceback" not in said


@pytest.mark.long
def test_by_hand_a_components_own_defaults_count(project: Path) -> None:
    (project / "pipelines/flats/steps.py").write_text(STEPS.format(own="min_effect: float = 0.8,"))
    status, said = by_hand(project, "--data=dearer.parquet")
    assert status == 0 and "a D below 0.8 is let pass" in said


@pytest.mark.long
@pytest.mark.skipif(not importlib.util.find_spec("xdist"), reason="needs pytest-xdist")
def test_by_hand_several_processes_are_one_family(project: Path) -> None:
    status, said = by_hand(project, "--data=dearer.parquet", "-n2", "-p", "xdist.plugin")
    assert status == 1 and "1 of 2 null hypotheses rejected" in said
