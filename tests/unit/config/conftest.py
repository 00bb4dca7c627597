"""A small pipeline with the shapes that matter: a shared setting, a group of mappings, an optional text."""

from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import Any

import pytest

from relet.config import settings
from relet.core.code import FirstPartyCode
from relet.core.component import Component, Parameter
from relet.core.pipeline import Pipeline, read_pipeline
from relet.names import PACKAGE

FILES = {
    "config.yaml": """\
defaults:
  - model: boosted
  - _self_
main: {experiment_name: trial, seed: 42, evaluate: false}
store: {url: .relet}
tracking: [mlflow]
etl:
  source: generated
  rows: 20000
  min_price: 10
  note: null
""",
    "model/boosted.yaml": """\
# @package modeling
family: boosted
seed: ${main.seed}
boosted:
  learning_rate: 0.1
  num_leaves: 31
  monotone: null
""",
    "model/random_forest.yaml": """\
# @package modeling
family: random_forest
seed: ${main.seed}
random_forest:
  n_estimators: 100
  max_depth: 15      # or null
  max_features: 0.5  # or str, int, null
  oob_score: true
""",
}


def _component(name: str, **parameters: tuple[tuple[type, ...], object]) -> Component:
    return Component(
        name=name,
        module=name,
        path=Path(f"{name}.py"),
        job_type=name,
        parameters=tuple(
            Parameter(name=key, annotation="", types=types, default=default)
            for key, (types, default) in parameters.items()
        ),
    )


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline(
        [
            _component("get_data", source=((str,), "generated"), rows=((int,), 7), note=((str, NoneType), None)),
            _component("basic_cleaning", min_price=((float,), 1.0)),
            _component("data_check", min_price=((float,), 1.0)),
            _component(
                "train_model",
                family=((str,), "boosted"),
                parameters=((dict,), {}),
                seed=((int,), 1),
                own=((int,), 5),
            ),
        ],
        name="small",
        settings={
            "etl.source": "get_data.source",
            "etl.rows": "get_data.rows",
            "etl.note": "get_data.note",
            "etl.min_price": ["basic_cleaning.min_price", "data_check.min_price"],
            "modeling.family": "train_model.family",
            "modeling.seed": "train_model.seed",
            "modeling.boosted": "train_model.parameters",
            "modeling.random_forest": "train_model.parameters",
        },
    )


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / "conf" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "conf"


HEAD = """
from __future__ import annotations
from dataclasses import dataclass
from typing import Annotated, Any
from relet import ChosenBy, Module, component

@dataclass(frozen=True, kw_only=True)
class Limits:
    most: int = 1
    least: int = 0
"""
Bound = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def bound(tmp_path: Path) -> Bound:
    """The parameters of a small project with these signatures, this `config.yaml` and this table of settings.

    `signatures` maps a component to its hyperparameters; `files` are other modules of the project.
    """

    def bind(
        signatures: dict[str, str],
        config: str,
        *overrides: str,
        table: dict[str, Any] | None = None,
        files: dict[str, str] | None = None,
    ) -> dict[str, dict[str, Any]]:
        steps = [
            f"@component(job_type='x')\ndef {name}(*, {each}) -> None: ..." for name, each in signatures.items()
        ]
        names = ", ".join(signatures)
        written = {
            "steps.py": "\n\n".join([HEAD, *steps]) + "\n",
            "conf/config.yaml": config,
            "pipeline.py": f"from relet import Pipeline\nfrom steps import {names}\n"
            f"pipeline = Pipeline([{names}], settings={table or {}!r})\n",
            **(files or {}),
        }
        for name, text in written.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        code = FirstPartyCode((tmp_path, PACKAGE.parent))
        pipeline = read_pipeline("small", tmp_path / "pipeline.py", code)
        return {**settings(pipeline, tmp_path / "conf", overrides).parameters}

    return bind
