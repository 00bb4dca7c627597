"""Runs and artifacts that wait to be sent to each tracker."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from relet.core.artifact import ArtifactType, Curve, Version
from relet.core.record import ArtifactLink, RunRecord, Status, new_run_id
from relet.engine.values import write_artifact
from relet.store import Store
from relet.store.contents import files_digest

STARTED, ENDED = "2026-01-02T03:04:05.000+00:00", "2026-01-02T03:04:06.500+00:00"


def pipeline_run(store: Store, **changes: Any) -> RunRecord:
    record = RunRecord(
        id=new_run_id(), pipeline="rentals", experiment="prices", status=Status.RUNNING, started=STARTED
    )
    return queued(store, replace(record, **changes))


def component_run(store: Store, parent: RunRecord | None, **changes: Any) -> RunRecord:
    record = RunRecord(
        id=new_run_id(),
        pipeline="rentals",
        experiment="prices",
        status=Status.FINISHED,
        started=STARTED,
        ended=ENDED,
        component="train_model",
        job_type="train_model",
        parent=parent.id if parent else None,
    )
    return queued(store, replace(record, **changes))


def queued(store: Store, record: RunRecord) -> RunRecord:
    store.put_run(record)
    store.put_pending("memory", record.id)
    store.put_pending("mlflow", record.id)
    store.put_pending("wandb", record.id)
    return record


def artifact(
    store: Store, name: str, type: str, files: dict[str, str], **changes: Any
) -> tuple[Version, ArtifactLink]:
    stored = {path: store.put_object(text.encode()) for path, text in files.items()}
    content = files_digest(stored)
    version = store.add_version(name=name, type=type, content=content, files=stored, **changes)
    return version, ArtifactLink(version=str(version), type=type, content=content)


def measured(store: Store, parent: RunRecord) -> RunRecord:
    """A component's run with two curves and a number among its metrics, as the engine stores them."""
    held = {
        "error": Curve(points=[(1, 60.0), (2, 45.5), (300, 30.25)], x="rounds"),
        "error_there": Curve(points=[(2, 50.0)], x="rounds"),
        "mae": 30.25,
    }
    with tempfile.TemporaryDirectory() as folder:
        written = write_artifact("scores", ArtifactType.METRICS, held, Path(folder) / "scores")
        files = {path: store.put_object(file) for path, file in written.files.items()}
    version = store.add_version(
        name="scores", type=written.type, content=written.content, files=files, metadata=written.metadata
    )
    link = ArtifactLink(version=str(version), type=version.type, content=version.content)
    return component_run(store, parent, outputs={"scores": link}, metrics=written.metadata["metrics"])
