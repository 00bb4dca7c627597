"""What MLflow shows of a run record. Pure: neither mlflow nor the store is needed."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from relet.core.artifact import Version
from relet.core.record import ArtifactLink, RunKind, RunRecord, Status

RUN_ID = "relet.run_id"
CONTENT = "relet.content"
VERSION = "relet.version"
PARENT = "mlflow.parentRunId"

# MLflow's own limits; older servers take tags of up to 5000 characters.
KEY_LENGTH, TAG_LENGTH, PARAMETER_LENGTH, DIGEST_LENGTH = 250, 5000, 6000, 36
# A run's name has no limit of its own; a longer one nobody reads in a list.
NAME_LENGTH = 120

STATUS = {
    Status.RUNNING: "RUNNING",
    Status.FINISHED: "FINISHED",
    Status.SKIPPED: "FINISHED",
    Status.FAILED: "FAILED",
    Status.STOPPED: "FAILED",
    Status.INTERRUPTED: "KILLED",
}


def run_name(record: RunRecord) -> str:
    """A component's run is called after it, a trial after what it set, any other after what it ran and its id."""
    if record.component:
        return record.component
    if record.trial is not None:
        return f"{record.trial} {' '.join(record.overrides)}"[:NAME_LENGTH]
    kind = "" if record.kind is RunKind.PIPELINE else f"{record.kind} of "
    return f"{kind}{record.pipeline} {record.id.rpartition('-')[2]}"


def tags(
    record: RunRecord, *, parent: str | None, user: str | None, reproduced: str | None = None
) -> dict[str, str]:
    """The tags of a record's run; `parent` is MLflow's id of the run it belongs to, `reproduced` its verdict."""
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
        "mlflow.runName": run_name(record),
        "mlflow.source.git.commit": record.code.commit,
        "mlflow.source.name": shlex.join(record.command) or f"relet run {record.pipeline}",
        "mlflow.source.type": "LOCAL",
        "mlflow.user": user,
        "mlflow.note.content": record.description,
    }
    return {name: str(value)[:TAG_LENGTH] for name, value in found.items() if value}


def parameters(record: RunRecord) -> dict[str, str]:
    """The parameters, nested ones with their path as name.

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
    """A name for a parameter or metric with what MLflow would not take replaced.

    >>> allowed_key("price > 10 %")
    'price _ 10 _'
    """
    return re.sub(r"[^\w.\- /]", "_", name, flags=re.ASCII).strip("/")[:KEY_LENGTH] or "_"


def milliseconds(time: str) -> int:
    """
    >>> milliseconds("1970-01-01T00:00:01.500+00:00")
    1500
    """
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def dataset(link: ArtifactLink, version: Version | None, store_url: str) -> dict[str, Any]:
    """A table as the arguments of MLflow's `Dataset`: named as the artifact, found by the store and its version.

    `version` is None where it was pruned since; then neither columns nor row count are known.
    """
    metadata = version.metadata if version else {}
    rows = metadata.get("rows")
    return {
        "name": link.version.partition(":")[0],
        "digest": link.content[:DIGEST_LENGTH],
        "source_type": "relet",
        "source": json.dumps({"store": store_url, "version": link.version, "content": link.content}),
        "schema": _schema(metadata.get("columns")),
        "profile": None if rows is None else json.dumps({"num_rows": rows}),
    }


def _schema(columns: Any) -> str | None:
    """MLflow's schema from column names, or from names and types."""
    if not columns:
        return None
    types = columns if isinstance(columns, Mapping) else dict.fromkeys(columns, "any")
    specification = [{"name": str(name), "type": str(type_)} for name, type_ in types.items()]
    return json.dumps({"mlflow_colspec": specification})
