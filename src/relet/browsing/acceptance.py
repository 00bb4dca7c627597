"""Accepting a batch: later ones are compared with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from relet.core.artifact import ArtifactType, Reference, Version
from relet.core.verdicts import judgements
from relet.errors import SettingError, nearest
from relet.project.folder import of_each_pipeline

if TYPE_CHECKING:
    from relet.store import Store


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """An alias with the version that it names now, the version it named before, and the verdict on the new one.

    `said` is the newest verdict on `version`, None where there is none.
    """

    alias: str
    version: Version
    before: Version | None
    said: Version | None

    @property
    def changed(self) -> bool:
        return self.before is None or self.before.number != self.version.number


def accept(store: Store, reference: str, *, by: str, why: str, root: Path | None = None) -> Acceptance:
    """Move the alias that names the reference batch to this version, so that later batches are compared with it.

    The pipelines of the project at `root` say which alias that is; without a project it is `reference`. `by` and
    `why` are kept with the move. Raises NotFoundError where there is no such version; SettingError where `why` is
    empty, or where no component compares anything with a stored version of that name.
    """
    if not why.strip():
        raise SettingError("say why this batch is accepted: it is kept with the move; set --why")
    version = store.version(reference)
    alias, component = _reference_alias(version.name, root)
    number = store.aliases(version.name).get(alias)
    before = store.find(Reference(version.name, f"v{number}")) if number else None
    said = next(_verdicts(store, version, component), None)
    store.set_alias(version.name, alias, version.number, by=by, why=why)
    return Acceptance(alias=alias, version=version, before=before, said=said)


def _reference_alias(name: str, root: Path | None) -> tuple[str, str | None]:
    """The alias by which a component of the project takes its reference of that name, and that component."""
    found: dict[str, tuple[str, str]] = {}
    read = of_each_pipeline(root, lambda project: project.pipeline.components) if root else {}
    for components in read.values():
        for component in components:
            for each in component.inputs:
                # where this run's product may stand in for the stored version, the two are compared
                if component.gates and each.stored and each.stored.initially:
                    wanted = Reference.parse(each.stored.reference)
                    found[wanted.name] = wanted.selector, component.name
    if root and name not in found:
        raise SettingError(f"no component compares anything with a stored {name}: {nearest(name, found)}")
    return found.get(name, ("reference", None))


def _verdicts(store: Store, version: Version, component: str | None) -> Iterator[Version]:
    """The verdicts on a version by one component (by any where it is None), the newest first."""
    for record in judgements(version, store, component):
        for link in record.outputs.values():
            if link.type == ArtifactType.VERDICT and (found := store.find(link.version)):
                yield found
