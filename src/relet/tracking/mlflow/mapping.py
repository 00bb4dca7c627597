"""What MLflow shows of a run record, as plain values: needs neither mlflow nor the store."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from relet.core.artifact import ArtifactType, Version, short_name
from relet.core.record import ArtifactLink, RunRecord, Status
from relet.tracking.naming import run_name

RUN_ID = "relet.run_id"
CONTENT = "relet.content"
VERSION = "relet.version"
PARENT = "mlflow.parentRunId"

# MLflow's own limits; older servers take tags of up to 5000 characters.
KEY_LENGTH, TAG_LENGTH, PARAMETER_LENGTH, DIGEST_LENGTH = 250, 5000, 6000, 36
# MLflow has no limit for a run's name; nobody reads a longer one in a list.
NAME_LENGTH = 120

# Artifacts whose files are all shown.
SHOWN_WHOLE = {
    ArtifactType.FIGURE,
    ArtifactType.METRICS,
    ArtifactType.VERDICT,
    ArtifactType.DOCUMENT,
    ArtifactType.TEXT,
}
# Of these MLflow shows the files that a person reads, such as a report and the code that made it.
SHOWN_IN_PART = {ArtifactType.FILE, ArtifactType.FOLDER}
READABLE = {".html", ".md", ".pdf", ".png", ".py", ".svg", ".txt"}

STATUS = {
    Status.RUNNING: "RUNNING",
    Status.FINISHED: "FINISHED",
    Status.SKIPPED: "FINISHED",
    Status.FAILED: "FAILED",
    Status.STOPPED: "FAILED",
    Status.INTERRUPTED: "KILLED",
}


def tags(
    record: RunRecord, *, parent: str | None, user: str | None, reproduced: str | None = None
) -> dict[str, str]:
    """The tags of a run. `parent` is MLflow's id of the parent run, `reproduced` the verdict on a reproduction."""
    found: dict[str, Any] = {
        RUN_ID: record.id,
        "relet.pipeline": record.pipeline,
        "relet.parent": record.parent,
        "relet.job_type": record.job_type,
        "relet.kind": str(record.kind),
        "relet.trial": record.trial,
        "relet.overrides": " ".join(record.overrides),
        "relet.winner": record.winner,
        "relet.key": record.key,
        "relet.status": str(record.status),
        "relet.message": record.message,
        "relet.dirty": str(record.code.dirty).lower(),
        "relet.lock": record.lock,
        "relet.diff": record.code.diff,
        "relet.caveats": "; ".join(map(str, record.caveats)),
        "relet.reproduction": reproduced,
        PARENT: parent,
        "mlflow.runName": run_name(record, NAME_LENGTH),
        "mlflow.source.git.commit": record.code.commit,
        "mlflow.source.name": shlex.join(record.command) or f"relet run {record.pipeline}",
        "mlflow.source.type": "LOCAL",
        "mlflow.user": user,
        "mlflow.note.content": record.description,
    }
    return {name: str(value)[:TAG_LENGTH] for name, value in found.items() if value}


def parameters(record: RunRecord) -> dict[str, str]:
    """The parameters by name; a nested parameter's name is its path.

    >>> flat = dict(flatten({"model": {"family": "boosted", "leaves": 31}, "seeds": [1, 2]}))
    >>> flat
    {'model.family': 'boosted', 'model.leaves': '31', 'seeds': '[1, 2]'}
    """
    return dict(flatten(record.parameters))


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{path}.")
        else:
            yield allowed_key(path), _logged_parameter(value)[:PARAMETER_LENGTH]


def _logged_parameter(value: Any) -> str:
    if isinstance(value, list | tuple | Mapping):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def allowed_key(name: str) -> str:
    """A name of a parameter or metric, in which characters that MLflow refuses are replaced.

    >>> allowed_key("price > 10 %")
    'price _ 10 _'
    """
    return re.sub(r"[^\w.\- /]", "_", name, flags=re.ASCII).strip("/")[:KEY_LENGTH] or "_"


def milliseconds(time: str) -> int:
    """An ISO time as milliseconds since 1970, as MLflow has it.

    >>> milliseconds("1970-01-01T00:00:01.500+00:00")
    1500
    """
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def dataset(link: ArtifactLink, version: Version | None, store_url: str) -> dict[str, Any]:
    """A table as the arguments of MLflow's `Dataset`, named as the artifact; the source names store and version.

    `version` is None where it was pruned; then neither columns nor the number of rows are known.
    """
    metadata = version.metadata if version else {}
    rows = metadata.get("rows")
    return {
        "name": short_name(link.version.partition(":")[0]),
        "digest": link.content[:DIGEST_LENGTH],
        "source_type": "relet",
        "source": json.dumps({"store": store_url, "version": link.version, "content": link.content}),
        "schema": _schema(metadata.get("columns")),
        "profile": None if rows is None else json.dumps({"num_rows": rows}),
    }


def _schema(columns: Any) -> str | None:
    """MLflow's schema, made from column names, or from names and types."""
    if not columns:
        return None
    types = columns if isinstance(columns, Mapping) else dict.fromkeys(columns, "any")
    specification = [{"name": str(name), "type": str(type_)} for name, type_ in types.items()]
    return json.dumps({"mlflow_colspec": specification})


def visible_files(version: Version) -> dict[str, str]:
    """The files of an artifact that MLflow shows, path in MLflow → digest."""
    if version.type in SHOWN_WHOLE:
        return _artifact_files(version)
    if version.type in SHOWN_IN_PART:
        return {path: digest for path, digest in _artifact_files(version).items() if Path(path).suffix in READABLE}
    return {}


def _artifact_files(version: Version) -> dict[str, str]:
    """A single file is called after its artifact; several files lie in a folder of the artifact's short name."""
    if len(version.files) == 1:
        ((path, digest),) = version.files.items()
        return {f"{short_name(version.name)}{Path(path).suffix}": digest}
    return {f"{short_name(version.name)}/{path}": digest for path, digest in version.files.items()}
