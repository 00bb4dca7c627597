"""Data tests run by hand: `pytest pipelines/P/checks --data …`."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from relet.data.table import write_table

FILES = {
    "pipelines/tiny/pipeline.py": """
from relet import Pipeline
from pipelines.tiny.steps import check
pipeline = Pipeline([check])
""",
    "pipelines/tiny/steps.py": """
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from relet import Stored, Verdict, component

class Checked(NamedTuple):
    report: Verdict

@component(job_type="check", resources=("checks",), judges=("rents",))
def check(
    rents: Annotated[Path, Stored("rents:latest")],
    reference: Annotated[Path, Stored("rents:reference")],
    *, max_rent: float = 500, exact: bool = False, verbose: int = 7,
    names: list[str] = ["loft"], columns: dict[str, Any] = {},
) -> Checked: ...
""",
    "pipelines/tiny/bounds.py": "LOW = 10\n",
    "pipelines/tiny/checks/test_rents.py": """
from pipelines.tiny.bounds import LOW

def test_rents(data, reference, offending, max_rent, exact, verbose, names, columns):
    assert (names, columns) in ((["loft"], {}), (["a b", "c"], {"id": None}), ([], {}))
    assert len(reference) and exact in (True, False) and verbose == 7
    offending(data[~data.rent.between(LOW, max_rent)], f"a rent above {max_rent:g}")
""",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    write_table(pd.DataFrame({"rent": [100, 400]}), tmp_path / "rents.parquet")
    return tmp_path


def by_hand(project: Path, *words: str, found: bool = False) -> tuple[int, str]:
    """Run pytest with relet's plugin alone; or with every plugin that is `found`, as a person's pytest does."""
    plugin = () if found else ("-p", "relet.checks.plugin")
    command = [sys.executable, "-m", "pytest", *plugin, *words]
    environment = dict(os.environ) if found else {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_files_are_tested_with_the_components_defaults(project: Path) -> None:
    status, said = by_hand(
        project, "pipelines/tiny/checks", "--data", "rents.parquet", "--reference", "rents.parquet", found=True
    )
    assert status == 0, said


def test_a_hyperparameter_is_an_option_and_the_rows_are_shown(project: Path) -> None:
    one = "pipelines/tiny/checks/test_rents.py::test_rents"
    words = ("--data=rents.parquet", "--reference=rents.parquet", "--max-rent=300", "--exact=true")
    status, said = by_hand(project, one, *words)
    assert status == 1
    assert "1 row: a rent above 300" in said and "rent=400" in said


def test_a_list_is_written_with_commas_and_a_mapping_as_json(project: Path) -> None:
    batch = ("pipelines/tiny/checks", "--data=rents.parquet", "--reference=rents.parquet")
    status, said = by_hand(project, *batch, "--names=a b, c", '--columns={"id": null}')
    assert status == 0, said
    assert by_hand(project, *batch, "--names=")[0] == 0


def test_references_are_looked_up_in_the_projects_store(project: Path) -> None:
    from relet.store import open_store

    store = open_store(str(project / ".relet"))
    digest = store.put_object(project / "rents.parquet")
    store.add_version(name="rents", type="table", content=digest, files={"rents.parquet": digest})
    store.set_alias("rents", "reference", 1, by="test", why="first")
    status, said = by_hand(project, "pipelines/tiny/checks")
    assert status == 0, said
    status, said = by_hand(project, "pipelines/tiny/checks", "--data", "rents:v7")
    assert status == 4 and "rents:v7" in said and "--data" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--data", "nowhere.csv"), "neither a file nowhere.csv nor a store"),
        (("--max-rent", "much"), "invalid float value: 'much'"),
        (("--exact", "perhaps"), "--exact"),
        (("--columns", "[1]"), "--columns"),
        (("--max-price", "3"), "unrecognized arguments"),
    ],
)
@pytest.mark.sampled
def test_a_wrong_option_is_refused(project: Path, words: tuple[str, ...], said: str) -> None:
    status, output = by_hand(project, "pipelines/tiny/checks", *words)
    assert status == 4
    assert said in output


def test_a_pipeline_that_cannot_be_read_is_an_error_without_a_stack_trace(project: Path) -> None:
    (project / "pipelines/tiny/pipeline.py").write_text("pipeline = 3\n")
    status, said = by_hand(project, "pipelines/tiny/checks")
    assert status == 4 and "Traceback" not in said


def test_elsewhere_the_plugin_adds_nothing(project: Path) -> None:
    (project / "test_other.py").write_text("def test_a(data): pass\n")
    status, said = by_hand(project, "test_other.py", found=True)
    assert status == 1 and "fixture 'data' not found" in said
    status, said = by_hand(project, "test_other.py", "--data", "rents.parquet")
    assert status == 4
