"""A new family is a file and a YAML file."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import relet

ROOT = Path(__file__).parents[3]


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
