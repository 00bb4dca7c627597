"""How a model that was made again is compared with the recorded one."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeRegressor

from relet.evaluation.comparison import compare, models
from relet.features.numeric import Numbers
from relet.training.model import Model, export_model
from tests.unit.evaluation.comparing import DAMAGES, MODEL, NOTHING, TABLE, only, stored


def model(shift: float = 0.0, columns: tuple[str, ...] = ("x", "y")) -> Model:
    random = np.random.default_rng(0)
    rows = pd.DataFrame({name: random.normal(size=40) for name in columns})
    pipeline = Pipeline([("n", Numbers(list(columns), missing=0.0)), ("m", LinearRegression())])
    pipeline.fit(rows, rows[columns[0]] * 0.3)
    pipeline[-1].intercept_ = pipeline[-1].intercept_ + shift
    return Model(pipeline=pipeline, example=rows.head(3), target="z")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name, made in {
        "one": model(),
        "same": model(),
        "near": model(1e-6),
        "wider": model(columns=("x", "y", "w")),
    }.items():
        export_model(made, folder / name)
    return folder


def copied(exported: Path, name: str, folder: Path) -> Path:
    shutil.copytree(exported / name, folder / name)
    return folder / name


def by_other_code(folder: Path, **golden: Any) -> Path:
    """The same export as another version of relet would have made it: it can't be loaded here."""
    about = json.loads((folder / "relet.json").read_text())
    about["code"]["relet.features.numeric"] = "0" * 64
    if golden:
        changed = json.loads((folder / "golden.json").read_text()) | golden
        (folder / "golden.json").write_text(json.dumps(changed))
        about["files"]["golden.json"] = hashlib.sha256((folder / "golden.json").read_bytes()).hexdigest()
    (folder / "relet.json").write_text(json.dumps(about))
    return folder


def test_the_same_model_twice_is_equal(exported: Path) -> None:
    assert compare(MODEL, exported / "one", exported / "same", tolerance=None) == NOTHING


def test_models_are_compared_by_what_they_predict_and_their_files_are_named(exported: Path) -> None:
    found = compare(MODEL, exported / "one", exported / "near", tolerance=1e-5)
    assert found.within
    assert found.largest == pytest.approx(1e-6, rel=1e-3)
    assert "golden rows of the re" in found.differences[0] and "(relative 1e-06)" in found.differences[0]
    assert any(sentence.startswith("inference.skops differs (") for sentence in found.differences)
    for tolerance in (1e-7, None):
        assert not compare(MODEL, exported / "one", exported / "near", tolerance=tolerance).within


def test_a_models_bytes_may_differ(exported: Path, tmp_path: Path) -> None:
    folder = copied(exported, "one", tmp_path)
    (folder / "requirements.txt").write_text("numpy==0\n")
    found = compare(MODEL, exported / "one", folder, tolerance=None)
    assert (found.within, found.largest) == (True, None)
    assert only(found).startswith("requirements.txt differs (")


def test_models_predict_on_the_tables_that_have_their_columns(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "MOST_ROWS", 5)
    numbers = np.arange(50.0)
    paths = {
        "fits": pa.table({"y": numbers, "x": numbers, "more": numbers}),
        "lacks": pa.table({"x": numbers}),
        "text": pa.table({"x": ["a"], "y": [dt.date(2019, 7, 8)]}),
    }
    rows = [stored(TABLE, table, tmp_path / name) / "table.parquet" for name, table in paths.items()]
    found = compare(MODEL, exported / "one", exported / "near", tolerance=1e-5, rows=rows)
    assert found.within
    said = [sentence for sentence in found.differences if "table.parquet" in sentence]
    assert any(sentence.startswith("rows of fits/table.parquet: 5 of 5 predictions differ") for sentence in said)
    assert not any("lacks" in sentence for sentence in said)
    assert any("text/table.parquet: neither model predicts on them: " in sentence for sentence in said)


def test_a_difference_that_only_a_tables_rows_show_counts(tmp_path: Path) -> None:
    for name, last in (("five", 5.0), ("four", 4.0)):
        learned = pd.DataFrame({"x": [0.0, last, 6.0]})
        tree = Pipeline([("n", Numbers(["x"], missing=0.0)), ("m", DecisionTreeRegressor(random_state=0))])
        tree.fit(learned, [0.0, 0.0, 1.0])
        example = pd.DataFrame({"x": [0.5, 1.5]})
        export_model(Model(pipeline=tree, example=example, target="z"), tmp_path / name)
    rows = stored(TABLE, pa.table({"x": [1.0, 5.25, 9.0]}), tmp_path / "rows") / "table.parquet"
    assert compare(MODEL, tmp_path / "five", tmp_path / "four", tolerance=0.0).within
    found = compare(MODEL, tmp_path / "five", tmp_path / "four", tolerance=0.5, rows=[rows])
    assert (found.within, found.largest) == (False, 1.0)
    said = "rows of rows/table.parquet: 1 of 3 predictions differ, most of all in row 1: 0.0 → 1.0 (relative 1)"
    assert found.differences[0] == said


def test_a_table_to_predict_on_that_can_not_be_read_is_said(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "table.parquet").write_bytes(b"nonsense")
    found = compare(MODEL, exported / "one", exported / "same", tolerance=1.0, rows=[tmp_path / "table.parquet"])
    assert not found.within
    assert "can't be read, to predict on its rows" in only(found)


def test_models_of_other_columns_are_not_the_same(exported: Path) -> None:
    found = compare(MODEL, exported / "one", exported / "wider", tolerance=1e9)
    assert not found.within
    assert found.differences[0] == "only one of the models needs the column 'w'"


def test_a_model_that_can_not_be_loaded_here_is_compared_by_its_recorded_predictions(
    exported: Path, tmp_path: Path
) -> None:
    other = by_other_code(copied(exported, "near", tmp_path))
    found = compare(MODEL, exported / "one", other, tolerance=1e-5)
    assert found.within
    assert found.largest == pytest.approx(1e-6, rel=1e-3)
    assert "golden rows: " in found.differences[0]
    assert (
        "only the golden predictions recorded at export are compared: near was made with" in found.differences[1]
    )
    assert not compare(MODEL, other, exported / "one", tolerance=1e-7).within


@pytest.mark.parametrize(
    ("golden", "said"),
    [
        ({"rows": []}, "the golden rows differ, so that"),
        ({"predictions": []}, "0 predictions instead of"),
        ({"predictions": ["nonsense"]}, "the reproduced model is damaged"),
        ({"rows": 5}, "the reproduced model is damaged"),
    ],
)
def test_without_the_same_golden_rows_nothing_is_within(
    golden: dict[str, Any], said: str, exported: Path, tmp_path: Path
) -> None:
    other = by_other_code(copied(exported, "same", tmp_path), **golden)
    found = compare(MODEL, exported / "one", other, tolerance=1e9)
    assert not found.within
    assert said in found.differences[0]


@pytest.mark.parametrize("file", ["inference.skops", "golden.json", "relet.json", "input_example.json"])
@pytest.mark.parametrize("damage", [name for name in DAMAGES if name != "two"])
def test_a_damaged_model_is_not_within_though_its_golden_predictions_are_equal(
    file: str, damage: str, exported: Path, tmp_path: Path
) -> None:
    folder = copied(exported, "same", tmp_path)
    DAMAGES[damage](folder / file)
    found = compare(MODEL, exported / "one", folder, tolerance=1e9)
    assert not found.within
    assert found.differences[0].startswith(
        ("the reproduced model is damaged", "the reproduced model has no folder")
    )
    assert not compare(MODEL, folder, exported / "one", tolerance=1e9).within


def test_whatever_makes_a_reader_stumble_is_a_model_that_can_not_be_loaded(exported: Path, tmp_path: Path) -> None:
    folder = copied(exported, "same", tmp_path)
    about = json.loads((folder / "relet.json").read_text())
    del about["code"]
    (folder / "relet.json").write_text(json.dumps(about))
    found = compare(MODEL, exported / "one", folder, tolerance=1e9)
    assert "same: relet.json is damaged: code is None" in found.differences[0]


@pytest.mark.parametrize("estimator", [LogisticRegression(), RidgeClassifier()], ids=["probabilities", "labels"])
def test_classifiers_are_compared_by_their_probabilities_or_their_labels(estimator: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"x": random.normal(size=60), "y": random.normal(size=60)})
    for name, over in (("one", 0.0), ("same", 0.0), ("other", 0.8)):
        fitted = Pipeline([("m", clone(estimator))]).fit(rows, np.where(rows["x"] > over, "high", "low"))
        export_model(Model(pipeline=fitted, example=rows.head(20), target="z"), tmp_path / name)
    assert compare(MODEL, tmp_path / "one", tmp_path / "same", tolerance=None) == NOTHING
    found = compare(MODEL, tmp_path / "one", tmp_path / "other", tolerance=1e-9)
    assert not found.within
    said = "predictions differ" if hasattr(estimator, "predict_proba") else "labels differ"
    assert said in found.differences[0]
