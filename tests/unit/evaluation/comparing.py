"""Artifacts as the engine writes them, and what a comparison of two of them finds."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings

from relet.core.artifact import ArtifactType, Check, Verdict
from relet.data.table import write_table
from relet.engine.values import write_artifact
from relet.evaluation.comparison import Comparison, compare

TABLE, METRICS, FIGURE = ArtifactType.TABLE, ArtifactType.METRICS, ArtifactType.FIGURE
VERDICT, MODEL, FILE, FOLDER = ArtifactType.VERDICT, ArtifactType.MODEL, ArtifactType.FILE, ArtifactType.FOLDER
NOTHING = Comparison(within=True, largest=None, differences=())
WRITTEN = (ArtifactType.DOCUMENT, ArtifactType.TEXT, ArtifactType.ARRAY)

quick = settings(max_examples=15, deadline=None)


def stored(type: ArtifactType, value: Any, folder: Path) -> Path:
    """A folder with the files of an artifact, as the engine writes them."""
    if type in WRITTEN or getattr(value, "html", ""):
        return write_artifact("value", type, value, folder).folder
    folder.mkdir(parents=True)
    if type is TABLE:
        write_table(value, folder / "table.parquet")
    elif type is METRICS:
        (folder / "metrics.json").write_text(json.dumps(value))
    elif type is VERDICT:
        (folder / "verdict.json").write_text(json.dumps(value.to_json(), default=str))
    elif type is FIGURE:
        (folder / "figure.svg").write_text(value.svg, encoding="utf-8")
    else:
        for name, content in value.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder


def compared(type: ArtifactType, recorded: Any, reproduced: Any, tolerance: float | None = None) -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        old, new = stored(type, recorded, Path(folder, "a")), stored(type, reproduced, Path(folder, "b"))
        return compare(type, old, new, tolerance=tolerance)


def only(found: Comparison) -> str:
    (sentence,) = found.differences
    return sentence


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "nonsense": lambda path: path.write_bytes(b"\xff\xfe{["),
    "deep": lambda path: path.write_bytes(b"[" * 100_000),
    "another thing": lambda path: path.write_bytes(b'[{"checks": 1}]'),
    "half a thing": lambda path: path.write_bytes(b'{"passed": 1, "reason": 2, "checks": [3]}'),
    "no flag": lambda path: path.write_bytes(b'{"passed": 1, "reason": "fine", "checks": []}'),
    "no reason": lambda path: path.write_bytes(b'{"passed": true, "reason": 2, "checks": []}'),
    "gone": lambda path: path.unlink(),
    "two": lambda path: (path.parent / "second").write_bytes(b""),
    "no folder": lambda path: shutil.rmtree(path.parent),
}


def verdict(passed: bool = True, reason: str = "MAE 61.50", **check: Any) -> Verdict:
    checks = Check(**{"name": "r2", "passed": True, "message": "R2 0.600 of 1,200 rows", "p_value": 0.5, **check})
    return Verdict(passed=passed, reason=reason, checks=(checks,))
