"""Curves among metrics: what may be one, how it is stored, and what it stands for among numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet import Curve
from relet.core.artifact import ArtifactType
from relet.engine.values import read_artifact, write_artifact
from relet.errors import BadDataError
from relet.project.call import InputFolder
from relet.store import open_store
from relet.store.curves import curves

values = st.floats(allow_nan=False, allow_infinity=False)
points = st.dictionaries(st.integers(0, 2**53), values, min_size=1).map(lambda held: sorted(held.items()))


@given(points)
def test_a_curve_comes_back_from_json_as_it_was(held: list[tuple[int, float]]) -> None:
    curve = Curve(points=held, x="rows")
    assert Curve.from_json(json.loads(json.dumps(curve.to_json()))) == curve
    assert curve.last == held[-1][1]


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ([], "at least one point"),
        ([(2, 1.0), (2, 1.0)], "have to ascend, got 2 after 2"),
        ([(0.5, 1.0)], "whole numbers from 0 on, got 0.5"),
        ([(-1, 1.0)], "whole numbers from 0 on, got -1"),
        ([(1, math.nan)], "have to be finite, got nan at step 1"),
        ([(1, math.inf)], "have to be finite, got inf at step 1"),
        ([(math.inf, 1.0)], "a step and a value, got \\(inf, 1.0\\)"),
        ([1.0, 2.0], "a step and a value, got 1.0"),
        ([(1, "high")], "a step and a value, got \\(1, 'high'\\)"),
    ],
)
def test_what_is_no_curve_is_refused_with_what_was_got(held: list[Any], message: str) -> None:
    with pytest.raises(BadDataError, match=message):
        Curve(points=held)


def test_what_the_steps_count_has_a_name() -> None:
    with pytest.raises(BadDataError, match='write x="rounds"'):
        Curve(points=[(1, 1.0)], x=" ")


def test_metrics_with_a_curve_are_read_as_they_were_written(tmp_path: Path) -> None:
    held = {"mae": 30, "error": Curve(points=[(1, 60), (2, 45.5)], x="rounds")}
    written = write_artifact("scores", ArtifactType.METRICS, held, tmp_path / "scores")
    assert read_artifact(InputFolder(folder=written.folder, type=ArtifactType.METRICS), "metrics") == held
    assert written.metadata == {"metrics": {"mae": 30.0, "error": 45.5}, "curves": ["error"]}


def test_metrics_without_a_curve_have_the_content_that_they_always_had(tmp_path: Path) -> None:
    written = write_artifact("scores", ArtifactType.METRICS, {"mae": 30, "r2": 0.5}, tmp_path / "scores")
    assert (written.folder / "metrics.json").read_bytes() == b'{\n "mae": 30.0,\n "r2": 0.5\n}\n'
    assert written.metadata == {"metrics": {"mae": 30.0, "r2": 0.5}}


def test_a_versions_curves_come_from_its_file(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    curve = Curve(points=[(1, 60.0)], x="rows")
    found = []
    for name, held in (("with_curve", {"error": curve, "mae": 1.0}), ("without", {"mae": 1.0})):
        written = write_artifact(name, ArtifactType.METRICS, held, tmp_path / name)
        files = {path: store.put_object(file) for path, file in written.files.items()}
        version = store.add_version(
            name=name, type=written.type, content=written.content, files=files, metadata=written.metadata
        )
        found.append(curves(store, version))
    assert found == [{"error": curve}, {}]
