"""A project with transformers and estimators of its own, and a model that is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from relet.archives.own_code import OwnCode, own_code_in_effect
from relet.training.model import Model, export_model
from tests.written_project import write_files

FILES = {
    "pyproject.toml": """
[project]
name = "own"

[tool.relet]
trust = ["mylib.blocks.*"]
""",
    "pipelines/.keep": "",
    "src/mylib/__init__.py": "",
    "src/mylib/words.py": """
FACTOR = 2.0

def weighed(values):
    return values * FACTOR
""",
    "src/mylib/blocks.py": '''
"""Blocks of this project."""
import os
from subprocess import Popen

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.ensemble import RandomForestRegressor

from mylib.words import weighed

LIMIT = 3
Other = dict


class Ratio(TransformerMixin, BaseEstimator):
    """One column as a share of another, over its mean in training."""

    def __init__(self, of="part", to="whole"):
        self.of = of
        self.to = to

    def fit(self, X, y=None):
        self.mean_ = float((X[self.of] / X[self.to]).mean())
        self.seen_ = {"rows": len(X), "columns": [str(each) for each in X.columns]}
        return self

    def transform(self, X):
        from mylib.late import shown

        return shown(weighed((X[self.of] / X[self.to]).to_numpy() - self.mean_).reshape(-1, 1))


class Nearest(RegressorMixin, BaseEstimator):
    def __init__(self, inner=None):
        self.inner = inner

    def fit(self, X, y):
        self.rows_, self.answers_ = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
        return self

    def predict(self, X):
        apart = np.abs(np.asarray(X, dtype=float)[:, None, :] - self.rows_[None]).sum(axis=2)
        return self.answers_[apart.argmin(axis=1)]


class Grove(RandomForestRegressor):
    """A forest that says how large it is."""

    def fit(self, X, y):
        self.size_ = len(X)
        return super().fit(X, y)


class Tree(BaseEstimator):
    pass


class Words(dict):
    pass


def make():
    class Inner(BaseEstimator):
        pass

    return Inner()
''',
    "src/mylib/late.py": """
def shown(values):
    return values
""",
    "src/mylib/untrusted.py": """
from sklearn.base import BaseEstimator, TransformerMixin

class Shift(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X
""",
}


def write_own_project(root: Path) -> Path:
    write_files(root, FILES)
    return root


def flats(size: int = 40) -> pd.DataFrame:
    random = np.random.default_rng(3)
    found = pd.DataFrame({"part": random.integers(1, 9, size) * 1.0, "whole": random.integers(9, 30, size) * 1.0})
    return found.assign(price=100 * found["part"] / found["whole"])


def own_pipeline(own: OwnCode, last: str = "Nearest", **settings: Any) -> Pipeline:
    """A fitted pipeline of two of the project's own classes."""
    ratio, model = own.class_of("mylib.blocks.Ratio")(), own.class_of(f"mylib.blocks.{last}")(**settings)
    rows = flats()
    return Pipeline([("ratio", ratio), ("model", model)]).fit(rows[["part", "whole"]], rows["price"])


def export_own_model(own: OwnCode, folder: Path, pipeline: Any = None, last: str = "Nearest") -> Model:
    """Export such a pipeline, or the one that is given."""
    settings = {"n_estimators": 2, "max_depth": 2, "random_state": 1} if last == "Grove" else {}
    fitted = pipeline or own_pipeline(own, last, **settings)
    model = Model(pipeline=fitted, example=flats()[["part", "whole"]].head(3), target="price")
    with own_code_in_effect(own):
        export_model(model, folder)
    return model
