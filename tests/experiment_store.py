"""Stores with runs of experiments in them, written as the engine writes them, without running anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from relet.core.artifact import ArtifactType, Curve, Figure, Verdict
from relet.core.record import ArtifactLink, CodeState, KeyParts, RunRecord, Status
from relet.engine.values import write_artifact
from relet.store import Store

START = "2026-01-02T03:04:05.000+00:00"


def run_id(number: int) -> str:
    return f"20260102T0304{number:08d}-{number:08x}"


def pipeline_run(number: int, **changes: Any) -> RunRecord:
    """A finished run of `rentals` of half a minute, whose train step has a family and a depth."""
    record = RunRecord(
        id=run_id(number),
        pipeline="rentals",
        experiment="prices",
        status=Status.FINISHED,
        started=f"2026-01-02T03:{number % 60:02d}:05.000+00:00",
        ended=f"2026-01-02T03:{number % 60:02d}:35.000+00:00",
        parameters={"train": {"family": "forest", "depth": number, "rate": 0.5}},
        metrics={"mae": 30.0 + number, "r2": 0.5 - number / 100, "baseline_mae": 45.0},
        command=("relet", "run", "rentals", f"model.depth={number}"),
    )
    return replace(record, **changes)


def sweep(number: int, **changes: Any) -> RunRecord:
    words = ("relet", "run", "rentals", "-m", "model.depth=1,2,3")
    changes = {"job_type": "sweep", "command": words, "parameters": {}, "metrics": {}} | changes
    return pipeline_run(number, **changes)


def stored(
    store: Store, scratch: Path, number: int, *, error: Curve | None = None, refused: str = "", **changes: Any
) -> RunRecord:
    """A run with its train step's own record, and the versions that it made: metrics, a figure, a model.

    `error` is a curve among the metrics, `refused` the reason of a verdict that said no.
    """
    record = pipeline_run(number, **changes)
    values: dict[str, tuple[ArtifactType, Any]] = {
        "scores": (ArtifactType.METRICS, {**record.metrics, **({"error": error} if error else {})}),
        "importance": (ArtifactType.FIGURE, Figure(svg=f"<svg><!-- {number} --></svg>")),
    }
    if refused:
        values["verdict"] = (ArtifactType.VERDICT, Verdict(passed=False, reason=refused))
    outputs: dict[str, ArtifactLink] = {}
    for name, (type_, value) in values.items():
        written = write_artifact(name, type_, value, scratch / f"{number}-{name}")
        files = {path: store.put_object(file) for path, file in written.files.items()}
        outputs[name] = _version(store, name, type_, written.content, files, written.metadata, number)
    weights = store.put_object(f"weights {number}".encode())
    outputs["model"] = _version(store, "model", ArtifactType.MODEL, weights, {"MLmodel": weights}, {}, number)
    step = replace(
        record,
        id=run_id(number + 500),
        parent=record.id,
        component="train",
        job_type="train",
        parameters=record.parameters.get("train", {}),
        outputs=outputs,
        steps={},
        overrides=(),
        trial=None,
        parts=KeyParts(
            component="train",
            code={"train": "a" * 64, "features": f"{number % 2}" * 64},
            packages={"numpy": "2.4", "lightgbm": f"4.{number % 2}"},
            parameters=record.parameters.get("train", {}),
            inputs={"sample": "c" * 64},
        ),
    )
    steps = {
        "train": {
            "action": "run",
            "reason": "first run",
            "run": step.id,
            "outputs": {name: link.version for name, link in outputs.items()},
        }
    }
    store.put_run(step)
    record = replace(record, steps=steps, code=CodeState(commit=f"{number % 2}" * 40))
    store.put_run(record)
    return record


def _version(
    store: Store,
    name: str,
    type_: ArtifactType,
    content: str,
    files: dict[str, str],
    metadata: Any,
    number: int,
) -> ArtifactLink:
    version = store.add_version(
        name=name, type=type_, content=content, files=files, metadata=metadata, producer=run_id(number + 500)
    )
    return ArtifactLink(version=str(version), type=type_, content=content)
