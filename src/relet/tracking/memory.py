"""A tracker that keeps in memory what it is sent: the example that the contract tests hold the others to."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from relet.core.artifact import ArtifactType, Curve, Reference
from relet.errors import NotFoundError
from relet.store.curves import curves
from relet.store.reproductions import latest_of_runs
from relet.tracking.naming import model_aliases, registered_name

if TYPE_CHECKING:
    from relet.core.record import RunRecord
    from relet.store import Store


class MemoryTracker:
    """Keeps the last record, the verdict and the curves of each run, the contents of each model, and the content
    that each alias of a model points at.
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
        versions = (store.find(Reference.parse(link.version)) for link in record.outputs.values())
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
