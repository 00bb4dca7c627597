"""What W&B shows of a run record, as plain values: needs neither wandb nor the store."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from relet.core.artifact import Curve, Version, short_name, within_pipeline
from relet.core.record import ArtifactLink, RunRecord, Status
from relet.tracking.naming import run_files, run_name

# W&B's own limits: of a name, of a tag, and of an artifact's metadata, in keys.
NAME_LENGTH, TAG_LENGTH, METADATA_KEYS = 128, 64, 100

PIPELINE = "pipeline"
DRAWN = {".html", ".svg"}
IMAGES = {".gif", ".jpeg", ".jpg", ".png"}

# W&B tells runs that succeeded from runs that failed; 130 is the status of a program that Ctrl-C ended.
EXIT = {Status.FAILED: 1, Status.STOPPED: 1, Status.INTERRUPTED: 130}


@dataclass(frozen=True, kw_only=True)
class WandbArtifact:
    """A version that a run made, or `used`, as W&B gets it; `files` maps path to SHA-256."""

    name: str
    type: str
    version: str
    content: str
    used: bool
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WandbRun:
    """A run as W&B gets it.

    `media` maps a key in W&B to suffix and SHA-256, `documents` a path to a SHA-256. `curves` are the metrics that
    have a history.
    """

    run_id: str
    project: str
    name: str
    group: str
    job_type: str
    notes: str
    tags: tuple[str, ...]
    config: Mapping[str, Any]
    summary: Mapping[str, float]
    exit_code: int
    commit: str | None
    repository: str | None
    artifacts: tuple[WandbArtifact, ...] = ()
    media: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Two runs that look equal in W&B have equal digests."""
        return sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()

    @property
    def objects(self) -> frozenset[str]:
        """The SHA-256 of each file of the run's artifacts."""
        return frozenset(digest for each in self.artifacts for digest in each.files.values())


def wandb_view(
    record: RunRecord,
    versions: Mapping[str, Version],
    *,
    aliases: Mapping[str, tuple[str, ...]],
    reproduced: str | None = None,
    project: str | None = None,
    curves: Mapping[str, Curve] | None = None,
) -> WandbRun:
    """A record as W&B shows it.

    `versions` and `aliases` have the versions of the record's links and their aliases, by name (`model:v3`). A
    link whose version is not there was pruned: the run's configuration still names it. `reproduced` is the verdict
    on a reproduction of the run, `project` a name in place of the pipeline's, `curves` those in its metrics.
    """
    ended = record.status is not Status.RUNNING
    # A skipped run made nothing and used nothing: an earlier run did.
    inputs = {} if record.status is Status.SKIPPED else record.inputs
    outputs = {} if record.status is Status.SKIPPED or not ended else record.outputs
    used = [_shared_artifact(record, link, versions, aliases, used=True) for link in inputs.values()]
    made = [_shared_artifact(record, link, versions, aliases, used=False) for link in outputs.values()]
    return WandbRun(
        run_id=record.id,
        project=project or record.pipeline,
        name=run_name(record, NAME_LENGTH),
        group=record.experiment[:NAME_LENGTH],
        job_type=record.job_type or record.component or PIPELINE,
        notes=record.description,
        tags=_wandb_tags(record, reproduced),
        config=_wandb_config(record, reproduced),
        summary=dict(record.metrics) if ended else {},
        exit_code=EXIT.get(record.status, 0),
        commit=record.code.commit,
        repository=record.code.repository,
        artifacts=tuple(each for each in (*used, *made) if each),
        media=_media(versions[link.version] for link in outputs.values() if link.version in versions),
        documents=run_files(record),
        curves=dict(curves or {}) if ended else {},
    )


def _wandb_tags(record: RunRecord, reproduced: str | None) -> tuple[str, ...]:
    found = [str(record.status)]
    if record.code.dirty:
        found.append("dirty")
    if record.caveats:
        found.append("caveats")
    if reproduced:
        found.append(f"reproduction {reproduced.partition(' ')[0]}"[:TAG_LENGTH])
    return tuple(found)


def _wandb_config(record: RunRecord, reproduced: str | None) -> dict[str, Any]:
    """The parameters, and under `relet` the record's other fields, for which W&B has no place of its own."""
    own: dict[str, Any] = {
        "run_id": record.id,
        "pipeline": record.pipeline,
        "component": record.component,
        "parent": record.parent,
        "kind": str(record.kind),
        "trial": record.trial,
        "overrides": list(record.overrides) or None,
        "winner": record.winner,
        "status": str(record.status),
        "message": record.message,
        "key": record.key,
        "started": record.started,
        "ended": record.ended,
        "seconds": _run_duration(record),
        "commit": record.code.commit,
        "dirty": record.code.dirty,
        "diff": record.code.diff,
        "lock": record.lock,
        "command": shlex.join(record.command),
        "caveats": [str(each) for each in record.caveats],
        "reproduction": reproduced,
        "used": {name: _link_fields(link) for name, link in record.inputs.items()},
        "made": {name: _link_fields(link) for name, link in record.outputs.items()},
    }
    return {**record.parameters, "relet": {name: value for name, value in own.items() if value not in (None, "")}}


def _link_fields(link: ArtifactLink) -> dict[str, str]:
    return {"version": link.version, "type": link.type, "content": link.content}


def _run_duration(record: RunRecord) -> float | None:
    if record.ended is None:
        return None
    return (datetime.fromisoformat(record.ended) - datetime.fromisoformat(record.started)).total_seconds()


def artifact_in_wandb(pipeline: str, name: str) -> str:
    """The name of an artifact in W&B, whose projects are pipelines: short, but for what is of another pipeline.

    >>> artifact_in_wandb("sales", "sales/raw"), artifact_in_wandb("sales", "other/raw")
    ('raw', 'other.raw')
    """
    return within_pipeline(pipeline, name).replace("/", ".")


def _shared_artifact(
    record: RunRecord,
    link: ArtifactLink,
    versions: Mapping[str, Version],
    aliases: Mapping[str, tuple[str, ...]],
    *,
    used: bool,
) -> WandbArtifact | None:
    version = versions.get(link.version)
    if version is None:
        return None
    return WandbArtifact(
        name=artifact_in_wandb(record.pipeline, version.name),
        type=str(version.type),
        version=str(version),
        content=version.content,
        used=used,
        description=version.description,
        metadata=metadata(version),
        # W&B numbers versions itself, from v0 in each project: this alias has the number of the store. A run that
        # uses a version moves no alias.
        aliases=(f"relet-v{version.number}", *(() if used else aliases.get(str(version), ()))),
        files=dict(version.files),
    )


def metadata(version: Version) -> dict[str, Any]:
    """A version's metadata, with its name in the store. Nested parts become text where W&B refuses so many keys.

    >>> made = Version(name="m", number=2, type="table", content="ab", files={}, metadata={"rows": 3})
    >>> metadata(made)
    {'rows': 3, 'relet': {'version': 'm:v2', 'content': 'ab'}}
    """
    own = {"version": str(version), "content": version.content}
    if version.producer:
        own["run_id"] = version.producer
    nested = dict(version.metadata)
    flat = {k: json.dumps(v, default=str) if isinstance(v, Mapping | list) else v for k, v in nested.items()}
    text = {"metadata": json.dumps(nested, default=str)}
    room = METADATA_KEYS - 1 - len(own)
    return next(each for each in (nested, flat, text) if _key_count(each) <= room) | {"relet": own}


def _key_count(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(1 + _key_count(each) for each in value.values())
    return sum(_key_count(each) for each in value) if isinstance(value, list) else 0


def _media(versions: Any) -> dict[str, tuple[str, str]]:
    """Figures, pages and images: key in W&B → suffix and digest. A single file has its artifact's name."""
    found = {}
    for version in versions:
        for path, digest in version.files.items():
            suffix = PurePosixPath(path).suffix.lower()
            if suffix in DRAWN | IMAGES:
                alone = len(version.files) == 1
                name = short_name(version.name)
                found[name if alone else f"{name}/{PurePosixPath(path).stem}"] = (suffix, digest)
    return found
