"""Models of a project's own classes on their way: trained, taken by a step, loaded, moved, and made again."""

from __future__ import annotations

from pathlib import Path

import pytest

import relet
from relet.errors import ModelError
from relet.project.job import RunOutcome
from relet.store import Store, open_store
from tests import own_project
from tests.command import exit_status
from tests.command import relet as command
from tests.tiny_project import Tiny
from tests.written_project import write_files

STEPS = {
    "pipelines/own/pipeline.py": """
from relet import Pipeline
from pipelines.own.train import train
from pipelines.own.take import take

pipeline = Pipeline([train, take])
""",
    "pipelines/own/conf/config.yaml": """
main: {experiment_name: own, seed: 42, evaluate: false}
store: {url: .relet}
tracking: []
""",
    "pipelines/own/train.py": """
from typing import NamedTuple
import pandas as pd
from sklearn.pipeline import Pipeline
from mylib.blocks import Nearest, Ratio
from relet import Model, component

class Trained(NamedTuple):
    model: Model

@component(job_type="train")
def train() -> Trained:
    '''Fit.'''
    rows = pd.DataFrame({"part": [1.0, 2.0, 3.0], "whole": [4.0, 4.0, 9.0]})
    pipeline = Pipeline([("ratio", Ratio()), ("model", Nearest())]).fit(rows, [25.0, 50.0, 33.0])
    return Trained(Model(pipeline=pipeline, example=rows, target="price"))
""",
    "pipelines/own/take.py": """
from typing import NamedTuple
import pandas as pd
from relet import Metrics, Model, component

class Taken(NamedTuple):
    taken: Metrics

@component(job_type="take")
def take(model: Model) -> Taken:
    '''Predict.'''
    return Taken({"first": float(model.predict(model.example)[0])})
""",
}


@pytest.fixture
def project(tiny: Tiny) -> Path:
    own_project.write_own_project(tiny.root)
    write_files(tiny.root, STEPS)
    return tiny.root


def run() -> RunOutcome:
    return relet.run("own")


def edit(project: Path, name: str, old: str, new: str) -> None:
    text = (project / name).read_text()
    assert old in text
    (project / name).write_text(text.replace(old, new))


def stored(project: Path, place: str = ".relet") -> Store:
    return open_store(project / place)


@pytest.mark.long
def test_a_step_takes_a_model_of_classes_that_it_does_not_import(project: Path) -> None:
    outcome = run()
    assert [str(each.action) for each in outcome.results] == ["run", "run"]
    record = next(each for each in stored(project).runs() if each.component == "take")
    # what the model needs is part of the model, which the key names
    assert [each for each in record.caveats if each.kind in ("import", "file")] == []
    assert [str(each.action) for each in run().results] == ["skip", "skip"]
    edit(project, "src/mylib/words.py", "2.0", "3.0")
    assert [str(each.action) for each in run().results] == ["run", "run"]


def test_a_file_that_is_new_in_the_project_trains_no_model_again(project: Path) -> None:
    # which packages a model needs is looked up in the folders of imports, of which the project is one
    run()
    (project / "report.html").write_text("")
    assert [str(each.action) for each in run().results] == ["skip", "skip"]


def test_a_class_that_is_not_trusted_fails_its_run_with_what_to_write(project: Path) -> None:
    edit(project, "pyproject.toml", '"mylib.blocks.*"', "")
    with pytest.raises(ModelError, match=r'pyproject.toml, under \[tool.relet\]: trust = \["mylib.blocks.\*"\]'):
        run()
    edit(project, "pyproject.toml", "trust = []", 'trust = ["mylib.blocks.*"]')
    assert [str(each.action) for each in run().results] == ["run", "run"]


def test_a_notebook_loads_it_where_the_code_is_the_same(project: Path) -> None:
    run()
    model = relet.load("model:latest")
    assert model.predict(model.example).tolist() == [25.0, 50.0, 33.0]
    edit(project, "src/mylib/words.py", "2.0", "3.0")
    with pytest.raises(
        ModelError, match=r"made with the mylib.words of the digest \w+, and .* has the mylib.words"
    ):
        relet.load("model:latest")


@pytest.mark.long
def test_it_is_made_again_from_its_record(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run()
    status, out, _ = command(capsys, "reproduce", "model:latest", "--here")
    assert (status, "IDENTICAL" in out) == (0, True)


@pytest.fixture
def moved(project: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The store of another machine, to which the model came with a bundle."""
    run()
    bundle, url = project / "own.tar", str(project / "there")
    assert command(capsys, "artifacts", "export", "model:latest", "--with-history", str(bundle))[0] == 0
    assert command(capsys, "artifacts", "import", str(bundle), "--store", url)[0] == 0
    return url


def test_a_bundle_is_loaded_where_the_code_is_the_same(moved: str) -> None:
    assert open_store(moved).version("model:latest").imported is not None
    model = relet.load("model:latest", store=moved)
    assert model.predict(model.example).tolist() == [25.0, 50.0, 33.0]


def test_a_bundle_is_refused_where_the_code_is_another(moved: str, project: Path) -> None:
    edit(project, "src/mylib/late.py", "return values", "return values + 0")
    with pytest.raises(ModelError, match=r"made with the mylib.late of the digest \w+, and .* has the mylib.late"):
        relet.load("model:latest", store=moved)


def test_a_bundle_is_refused_where_there_is_no_such_code(moved: str, project: Path) -> None:
    (project / "src/mylib/blocks.py").unlink()
    with pytest.raises(ModelError, match=r"and .* has no mylib.blocks"):
        relet.load("model:latest", store=moved)


@pytest.mark.long
def test_a_bundle_is_refused_where_nothing_is_trusted(moved: str, project: Path) -> None:
    edit(project, "pyproject.toml", '"mylib.blocks.*"', "")
    with pytest.raises(ModelError, match=r"under \[tool.relet\]: trust = "):
        relet.load("model:latest", store=moved)


@pytest.mark.long
def test_a_bundle_is_refused_outside_of_a_project(
    moved: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(ModelError, match="code of a project: load it within that project"):
        relet.load("model:latest", store=moved)


@pytest.mark.long
def test_what_an_own_class_does_at_once_in_a_confined_process_is_held(moved: str, project: Path) -> None:
    """The trusted class itself opens a file while it predicts: a model from elsewhere may not make it do so."""
    blocks = project / "src/mylib/blocks.py"
    loud = "open('/etc/passwd').close()\n        return self.answers_"
    blocks.write_text(blocks.read_text().replace("return self.answers_", loud))
    run()
    bundle = str(project / "loud.tar")
    assert exit_status("artifacts", "export", "model:latest", bundle) == 0
    assert exit_status("artifacts", "import", bundle, "--store", str(project / "loud")) == 0
    with pytest.raises(ModelError, match="it tried what no model needs: open /etc/passwd"):
        relet.load("model:latest", store=str(project / "loud"))
