"""A small pipeline of its own, with one of everything that a plan decides on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import relet
from relet.project.job import RunOutcome
from tests.written_project import WrittenProject, write_files

LOCK = f"pandas==3 --hash=sha256:{'0' * 64}\n"
FILES = {
    "pipelines/tiny/pipeline.py": """
from relet import Pipeline
from pipelines.tiny.steps.get import get
from pipelines.tiny.steps.clean import clean
from pipelines.tiny.steps.check import check
from pipelines.tiny.steps.train import train
from pipelines.tiny.steps.score import score

pipeline = Pipeline(
    [get, clean, check, train, score],
    on_request=[score],
    settings={
        "etl.source": "get.source",
        "etl.rows": "get.rows",
        "etl.low": "clean.low",
        "check.limit": "check.limit",
        "modeling.factor": "train.factor",
    },
)
""",
    "pipelines/tiny/conf/config.yaml": """
main: {experiment_name: tiny, seed: 42, evaluate: false}
store: {url: .relet}
tracking: []
etl: {source: generated, rows: 10, low: 2}
check: {limit: 100}
modeling: {factor: 2.0}
""",
    "pipelines/tiny/steps/get.py": """
from typing import Annotated, NamedTuple
import pandas as pd
from relet import Source, component

class Got(NamedTuple):
    sample: pd.DataFrame

@component(job_type="get_data")
def get(*, source: Annotated[str, Source("generated")] = "generated", rows: int = 10) -> Got:
    '''Get the rows.'''
    if source != "generated":
        return Got(pd.read_csv(source))
    return Got(pd.DataFrame({"n": range(rows), "name": [f"row {n}" for n in range(rows)]}))
""",
    "pipelines/tiny/steps/clean.py": """
from typing import NamedTuple
import pandas as pd
from relet import component

class Cleaned(NamedTuple):
    clean_sample: pd.DataFrame
    dropped: pd.DataFrame

@component(job_type="clean")
def clean(sample: pd.DataFrame, *, low: int = 2) -> Cleaned:
    '''Drop the small ones.'''
    keep = sample["n"] >= low
    return Cleaned(sample[keep].reset_index(drop=True), sample[~keep].reset_index(drop=True))
""",
    "pipelines/tiny/steps/check.py": """
from pathlib import Path
from typing import Annotated, NamedTuple
import pandas as pd
from relet import Check, Stored, Verdict, component

class Checked(NamedTuple):
    report: Verdict

@component(job_type="check", resources=("checks",), judges=("clean_sample",))
def check(
    clean_sample: pd.DataFrame,
    reference: Annotated[pd.DataFrame, Stored("clean_sample:reference", initially="clean_sample")],
    *,
    limit: int = 100,
) -> Checked:
    '''Say whether the rows are few enough.'''
    bad = clean_sample[clean_sample["n"] >= limit]
    rows = tuple(bad.head(2).to_dict("records"))
    small = Check(name="small", passed=bad.empty, message=f"{len(bad)} rows are {limit} or more", rows=rows)
    return Checked(Verdict(passed=small.passed, reason=small.message, checks=(small,)))
""",
    "pipelines/tiny/checks/limit.sql": "select 1\n",
    "pipelines/tiny/steps/train.py": """
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple
import pandas as pd
from relet import Figure, Metrics, component

class Trained(NamedTuple):
    weights: Path
    metrics: Metrics
    drawing: Figure

@component(job_type="train")
def train(clean_sample: pd.DataFrame, *, factor: float = 2.0) -> Trained:
    '''Fit something.'''
    from pipelines.tiny.helper import mean

    value = mean(clean_sample["n"]) * factor
    path = Path(mkdtemp()) / "weights.txt"
    path.write_text(str(value))
    return Trained(path, {"mae": value, "baseline_mae": 2 * value}, Figure(svg="<svg/>"))
""",
    "pipelines/tiny/helper.py": """
def mean(values):
    return float(values.sum()) / len(values)
""",
    "pipelines/tiny/steps/score.py": """
from pathlib import Path
from typing import Annotated, NamedTuple
import pandas as pd
from relet import Metrics, Stored, component

class Scored(NamedTuple):
    scores: Metrics

@component(job_type="score")
def score(weights: Annotated[Path, Stored("weights:prod")], sample: pd.DataFrame) -> Scored:
    '''Score what was fitted.'''
    return Scored({"score": float(weights.read_text())})
""",
    "pipelines/tiny/unused.py": "x = 1\n",
    "requirements.lock": LOCK,
}


class Tiny(WrittenProject):
    """The project's folder, and what a person does in it."""

    pipeline = "tiny"

    def run(self, *overrides: str, steps: list[str] | None = None) -> RunOutcome:
        return relet.run("tiny", *overrides, steps=steps)

    def actions(self, *overrides: str, steps: list[str] | None = None) -> dict[str, str]:
        return {each.component: str(each.action) for each in self.run(*overrides, steps=steps).results}

    def ran(self, *overrides: str, steps: list[str] | None = None) -> list[str]:
        return [name for name, action in self.actions(*overrides, steps=steps).items() if action == "run"]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tiny]:
    write_files(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "pipelines"}
    # the project's own `pipelines` must not stand in for this one's
    monkeypatch.setattr(sys, "path", [entry for entry in before if not (Path(entry) / "pipelines").is_dir()])
    yield Tiny(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "pipelines"]:
        del sys.modules[name]
    sys.modules.update(hidden)


@pytest.fixture
def twin(tiny: Tiny) -> Tiny:
    """The project with a second pipeline, `twin`, that has the same steps and artifacts."""
    copied = {name.replace("/tiny/", "/twin/"): text.replace("tiny", "twin") for name, text in FILES.items()}
    write_files(tiny.root, {name: text for name, text in copied.items() if "/twin/" in name})
    return tiny
