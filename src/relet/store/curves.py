"""The curves of a version, read from its file of metrics: the manifest holds only the curves' names."""

from __future__ import annotations

import json
from typing import Any

from relet.core.artifact import ArtifactType, Curve, Version
from relet.errors import DamagedError, NotFoundError
from relet.store.storage import Store

METRICS = "metrics.json"


def metrics(stored: bytes) -> dict[str, Any]:
    """A file of metrics as name → number or Curve.

    >>> metrics(b'{"mae": 30.5, "error": {"points": [[1, 60.0]], "x": "rounds"}}')
    {'mae': 30.5, 'error': Curve(points=((1, 60.0),), x='rounds')}
    """
    held = json.loads(stored)
    return {name: Curve.from_json(each) if isinstance(each, dict) else each for name, each in held.items()}


def curves(store: Store, version: Version) -> dict[str, Curve]:
    """The curves of a version by name; none where the version has no metrics or their file is gone or damaged."""
    if version.type is not ArtifactType.METRICS or not version.metadata.get("curves"):
        return {}
    try:
        held = metrics(store.read_object(version.files[METRICS]))
    except (NotFoundError, DamagedError, KeyError):
        return {}
    return {name: each for name, each in held.items() if isinstance(each, Curve)}
