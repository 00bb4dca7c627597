"""A relet that is installed beside other packages takes none of them for its own code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import sklearn

from relet.names import PACKAGE

PROGRAM = """
import sys
from pathlib import Path
import pandas as pd
from sklearn.pipeline import Pipeline
from relet.features.numeric import Numbers
from relet.training.estimators.histogram import HistogramRegressor
from relet.training.model import Model, export_model, load_model

rows = pd.DataFrame({"a": [float(n) for n in range(60)]})
model = Pipeline([("numbers", Numbers(["a"])), ("model", HistogramRegressor(max_iter=2, log_target=False))])
folder = Path(sys.argv[1])
export_model(Model(pipeline=model.fit(rows, rows["a"]), example=rows.head(2), target="a"), folder)
load_model(folder)
"""


def test_a_model_names_the_code_of_relet_alone(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    shutil.copytree(PACKAGE, site / "relet", ignore=shutil.ignore_patterns("__pycache__"))
    # a neighbour that relet imports
    (site / "sklearn").symlink_to(Path(sklearn.__file__).parent)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    words = [sys.executable, "-c", PROGRAM, str(tmp_path / "model")]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    named = json.loads((tmp_path / "model" / "relet.json").read_text())["code"]
    assert "relet.training.estimators.histogram" in named
    assert [name for name in named if name.partition(".")[0] != "relet"] == []
