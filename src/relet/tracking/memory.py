"""A tracker that keeps what it is sent in memory: the law that the others are held to."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from relet.core.artifact import ArtifactType, Curve, Version
from relet.errors import NotFoundError
from relet.store.curves import curves
from relet.store.reproductions import latest_of_runs

if TYPE_CHECKING:
    from relet.core.record import RunRecord
    from relet.store import Store


class MemoryTracker:
    """Keeps each run's last record, its verdict and its curves, each model's content, and where models' aliases
    point.
    """

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self.runs: dict[str, RunRecord] = {}
        self.models: dict[str, list[str]] = {}
        self.aliases: dict[tuple[str, str], str] = {}
        self.verdicts: dict[str, str] = {}
        self.curves: dict[str, dict[str, Curve]] = {}

    def connect(self) -> None:
        """There is nothing to connect to."""

    def send(self, record: RunRecord, store: Store) -> None:
        if record.parent and record.parent not in self.runs:
            with suppress(NotFoundError):
                self.send(store.run(record.parent), store)
        self.runs[record.id] = record
        if judged := latest_of_runs(store).get(record.id):
            self.verdicts[record.id] = str(judged)
        versions = (store.find(link.version) for link in record.outputs.values())
        self.curves[record.id] = {
            name: curve for version in versions if version for name, curve in curves(store, version).items()
        }
        for name, link in record.outputs.items():
            contents = self.models.setdefault(registered_name(record.pipeline, name), [])
            if link.type == ArtifactType.MODEL and link.content not in contents:
                contents.append(link.content)

    def mirror_aliases(self, store: Store) -> None:
        for model, alias, version in model_aliases(store):
            if version.content in self.models.get(model, []):
                self.aliases[model, alias] = version.content


def registered_name(pipeline: str, artifact: str) -> str:
    """The name under which a tracker registers the models that a pipeline makes.

    >>> registered_name("nyc_rentals", "model")
    'nyc_rentals_model'
    """
    return f"{pipeline}_{artifact}"


def model_aliases(store: Store) -> list[tuple[str, str, Version]]:
    """Registered name, alias and version of each alias that points at a model, `latest` aside."""
    found = []
    for name in store.names():
        newest = store.find(f"{name}:latest")
        if newest is None or newest.type is not ArtifactType.MODEL:
            continue
        for alias, number in store.aliases(name).items():
            version = store.find(f"{name}:v{number}")
            pipeline = _pipeline_of(version, store)
            if alias != "latest" and version and pipeline:
                found.append((registered_name(pipeline, name), alias, version))
    return found


def _pipeline_of(version: Version | None, store: Store) -> str | None:
    try:
        return store.run(version.producer).pipeline if version and version.producer else None
    except NotFoundError:
        return None
