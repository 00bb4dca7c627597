"""The curves of a version, read from its file of metrics: the manifest holds only the curves' names."""

from __future__ import annotations

from relet.core.artifact import ArtifactType, Curve, Version
from relet.errors import DamagedError, NotFoundError
from relet.store.contents import METRICS, metrics
from relet.store.storage import Store


def curves(store: Store, version: Version) -> dict[str, Curve]:
    """The curves of a version by name; none where the version has no metrics or their file is gone or damaged."""
    if version.type is not ArtifactType.METRICS or not version.metadata.get("curves"):
        return {}
    try:
        held = metrics(store.read_object(version.files[METRICS]))
    except (NotFoundError, DamagedError, KeyError):
        return {}
    return {name: each for name, each in held.items() if isinstance(each, Curve)}
