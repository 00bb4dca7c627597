"""The flagship's families as code: each one's key holds its own, and a new one is a file and a YAML file."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import relet
from relet.errors import SettingError
from relet.project.order import read_order
from relet.project.request import prepare

ROOT = Path(__file__).parents[3]
FAMILIES = sorted(path.stem for path in (ROOT / "pipelines/nyc_rentals/families").glob("*.py"))
PACKAGE = "pipelines.nyc_rentals.families."

MEDIAN = '''
"""The median price, whatever the listing: the least that any other family has to beat."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Median:
    quantile: float = 0.5

    def pipeline(self, *, seed):
        from sklearn.dummy import DummyRegressor
        from sklearn.pipeline import Pipeline

        from relet.features.numeric import Numbers

        model = DummyRegressor(strategy="quantile", quantile=self.quantile)
        return Pipeline([("numbers", Numbers(["latitude"], missing=0.0)), ("model", model)])
'''
MEDIAN_YAML = """# @package modeling
family: median
val_size: 0.1
refit: false
median:
  quantile: 0.5
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of the flagship's project, nothing stored."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines", ignore=ignored)
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELET_STORE", str(tmp_path / "store"))
    return tmp_path


def parts(family):
    return prepare(read_order("nyc_rentals", [f"model={family}", "tracking=[]"])).request.code["train_model"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.sampled
def test_a_family_s_key_holds_its_own_code_and_no_other_family_s(project, family):
    found = {name.removeprefix(PACKAGE) for name in parts(family).code if name.startswith(PACKAGE)}
    assert found == ({"blend", "boosted", "histogram", "linear"} if family == "blend" else {family})


@pytest.mark.long
def test_an_edited_family_changes_its_own_key_and_that_of_the_blend_it_is_in(project):
    before = {family: parts(family) for family in FAMILIES}
    path = project / "pipelines/nyc_rentals/families/linear.py"
    path.write_text(path.read_text() + "\n\nADDED = 1\n")
    assert [family for family in FAMILIES if parts(family) != before[family]] == ["blend", "linear"]


def test_the_neural_family_s_code_is_in_its_key_alone(project):
    network = "relet.training.estimators.network"
    assert [family for family in FAMILIES if network in parts(family).code] == ["mlp"]


def test_a_new_family_is_one_file_and_one_yaml_file(project):
    (project / "pipelines/nyc_rentals/families/median.py").write_text(MEDIAN)
    (project / "pipelines/nyc_rentals/conf/model/median.yaml").write_text(MEDIAN_YAML)
    job = prepare(read_order("nyc_rentals", ["model=median", "modeling.median.quantile=0.4", "tracking=[]"]))
    assert job.parameters["train_model"]["family"] == "median"
    assert job.parameters["train_model"]["learner.quantile"] == 0.4
    with pytest.raises(SettingError, match=r"modeling\.family got 'medain': did you mean median\?"):
        prepare(read_order("nyc_rentals", ["modeling.family=medain"]))


@pytest.mark.long
def test_a_new_family_is_trained_tested_and_loaded(project):
    (project / "pipelines/nyc_rentals/families/median.py").write_text(MEDIAN)
    (project / "pipelines/nyc_rentals/conf/model/median.yaml").write_text(MEDIAN_YAML)
    words = ["model=median", "modeling.median.quantile=0.5", "etl.rows=3000", "data_check.min_rows=100"]
    command = [str(Path(sys.executable).with_name("relet")), "run", "nyc_rentals", *words, "tracking=[]"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    model = relet.load("model:latest", store=str(project / "store"))
    assert len(set(model.predict(model.example))) == 1
