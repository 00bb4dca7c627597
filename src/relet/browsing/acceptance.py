"""Accepting a batch: later ones are compared with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from relet.core.artifact import ArtifactType, Reference, Version
from relet.core.plan import judgements
from relet.errors import SettingError, nearest
from relet.project.folder import open_project, pipelines

if TYPE_CHECKING:
    from relet.store import Store


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What an alias is set to now, what it was set to before, and what was said of the version until then."""

    alias: str
    version: Version
    before: Version | None
    said: Version | None

    @property
    def changed(self) -> bool:
        return self.before is None or self.before.number != self.version.number


def accept(store: Store, reference: str, *, by: str, why: str, root: Path | None = None) -> Acceptance:
    """Make a version what later ones are compared with: move the alias that its pipeline's components take it by.

    `root` is the project whose pipelines say which alias that is; without one it is `reference`. `by` and `why`
    are kept with the move. Raises NotFoundError where there is no such version, SettingError where there is no
    reason, or where no component compares anything with a stored version of that name.
    """
    if not why.strip():
        raise SettingError("say why this batch is accepted: it is kept with the move; set --why")
    version = store.version(reference)
    alias, checking = _comparison(version.name, root)
    number = store.aliases(version.name).get(alias)
    before = store.find(Reference(version.name, f"v{number}")) if number else None
    said = next(_verdicts(store, version, checking), None)
    store.set_alias(version.name, alias, version.number, by=by, why=why)
    return Acceptance(alias=alias, version=version, before=before, said=said)


def _comparison(name: str, root: Path | None) -> tuple[str, str | None]:
    """The alias by which a component of the project compares with stored versions of that name, and which one."""
    found: dict[str, tuple[str, str]] = {}
    for pipeline in pipelines(root) if root else []:
        for component in open_project(pipeline, root).pipeline.components:
            for each in component.inputs:
                # one that this run's product stands in for at first is what that product is compared with
                if component.gates and each.stored and each.stored.initially:
                    wanted = Reference.parse(each.stored.reference)
                    found[wanted.name] = wanted.selector, component.name
    if root and name not in found:
        raise SettingError(f"no component compares anything with a stored {name}: {nearest(name, found)}")
    return found.get(name, ("reference", None))


def _verdicts(store: Store, version: Version, component: str | None) -> Iterator[Version]:
    """The verdicts of a component (None: of any) that took a version, the newest first."""
    for record in judgements(version, store, component):
        for link in record.outputs.values():
            if link.type == ArtifactType.VERDICT and (found := store.find(link.version)):
                yield found
