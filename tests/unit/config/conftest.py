"""A small pipeline with the shapes that matter: a shared setting, a group of mappings, an optional text."""

from pathlib import Path
from types import NoneType

import pytest

from relet.core.component import Component, Parameter
from relet.core.pipeline import Pipeline

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
