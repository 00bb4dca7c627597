"""Records of runs that wait to be sent to W&B."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from relet.core.artifact import Version
from relet.core.record import ArtifactLink, RunRecord, Status, new_run_id
from relet.store import Store
from relet.tracking.wandb.tracker import WandbTracker
from tests.wandb_log import Recorded, recorded

STARTED, ENDED = "2026-01-02T03:04:05.000+00:00", "2026-01-02T03:04:06.500+00:00"


def pipeline_run(store: Store, **changes: Any) -> RunRecord:
    record = RunRecord(
        id=new_run_id(),
        pipeline="rentals",
        experiment="prices",
        status=Status.FINISHED,
        started=STARTED,
        ended=ENDED,
    )
    return queued(store, replace(record, **changes))


def component_run(store: Store, parent: RunRecord, **changes: Any) -> RunRecord:
    own = {"component": "train_model", "job_type": "train", "parent": parent.id}
    return pipeline_run(store, **{**own, **changes})


def queued(store: Store, record: RunRecord) -> RunRecord:
    store.put_run(record)
    store.put_pending("wandb", record.id)
    return record


def artifact(
    store: Store, name: str, type: str, files: dict[str, bytes], **changes: Any
) -> tuple[Version, ArtifactLink]:
    stored = {path: store.put_object(content) for path, content in files.items()}
    content = store.put_object("\n".join(sorted(stored.values())).encode())
    version = store.add_version(name=name, type=type, content=content, files=stored, **changes)
    return version, ArtifactLink(version=str(version), type=type, content=content)


def sent(wandb: WandbTracker, record: RunRecord, store: Store) -> Recorded:
    wandb.send(record, store)
    return recorded(wandb.folder, record.id)


def mark_uploaded(folder: Path) -> None:
    """What `wandb sync` leaves behind."""
    (log,) = folder.glob("*.wandb")
    log.with_suffix(".wandb.synced").touch()
