"""Accepting a batch: later ones are compared with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from relet.core.artifact import ArtifactType, Reference, Verdict, Version, short_name
from relet.core.verdicts import judgements
from relet.errors import NotFoundError, ReletError, SettingError, StoreError, nearest
from relet.project.folder import of_each_pipeline
from relet.store.contents import VERDICT

if TYPE_CHECKING:
    from relet.store import Store


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """An alias with the version that it names now, the version it named before, and the verdict on the new one.

    `name` is the artifact's, which the alias belongs to.

    `said` is the newest verdict on `version`, None where there is none.
    """

    name: str
    alias: str
    version: Version
    before: Version | None
    said: Version | None

    @property
    def changed(self) -> bool:
        return self.before is None or self.before.number != self.version.number


def accept(
    store: Store, reference: str, *, by: str, why: str, force: bool = False, root: Path | None = None
) -> Acceptance:
    """Move the alias that names the reference batch to this version, so that later batches are compared with it.

    The pipelines of the project at `root` say which alias that is; without a project it is `reference`. `by` and
    `why` are kept with the move. A batch whose newest verdict has failed checks that no other reference would let
    pass is accepted only with `force`, and `why` then names them. Raises NotFoundError where there is no such
    version; SettingError where `why` is empty, where the version has no rows or failed such a check, or where no
    component compares anything with a stored version of that name.
    """
    if not why.strip():
        raise SettingError("say why this batch is accepted: it is kept with the move; set --why")
    asked = store.full_reference(reference)
    version = store.version(asked)
    if version.metadata.get("rows") == 0:
        raise SettingError(
            f"{version} has no rows, and every later batch would differ from it: accept another one"
        )
    name, alias, component = _reference_alias(asked.name, _pipeline_that_made(store, version), root)
    number = store.aliases(Reference(name)).get(alias)
    before = store.find(Reference(name, f"v{number}")) if number else None
    said = next(_verdicts(store, version, component), None)
    if said is not None and not store.passed(said):
        why = _why_all_the_same(store, version, said, why, force=force)
    store.set_alias(Reference(name), alias, version.number, by=by, why=why)
    return Acceptance(name=name, alias=alias, version=version, before=before, said=said)


def _why_all_the_same(store: Store, version: Version, said: Version, why: str, *, force: bool) -> str:
    """Why a batch is accepted that a verdict said no to. Raises SettingError where only force would do."""
    failed = _deterministic_failures(store, said)
    if not failed:
        return why
    if force:
        return f"{why} (forced: it failed {', '.join(failed)})"
    raise SettingError(
        f"{version} failed {' and '.join(failed)} by what its rows are, not by what they are compared with: as "
        "the reference it would fail again. Correct the batch, or the setting that the check goes by, and run "
        f'again; relet accept {version} --force --why "…" accepts it all the same'
    )


def _deterministic_failures(store: Store, said: Version) -> tuple[str, ...]:
    """The names of the checks that no other reference would let pass; what can't be read is taken for one."""
    try:
        verdict = Verdict.from_json(json.loads(store.read_object(said.files[VERDICT])))
        return tuple(check.name for check in verdict.deterministic_failures)
    except (ReletError, AttributeError, KeyError, TypeError, ValueError):
        return (f"what {said} says, which can't be read",)


def _pipeline_that_made(store: Store, version: Version) -> str | None:
    if version.producer is None:
        return None
    try:
        return store.run(version.producer).pipeline
    except (NotFoundError, StoreError):
        return None


def _reference_alias(name: str, maker: str | None, root: Path | None) -> tuple[str, str, str | None]:
    """The full name and the alias by which a component of the project takes a reference, and that component.

    A short name, under which an older relet stored the version, is that of the one pipeline which takes it so, or
    of the one that made it.
    """
    found: dict[str, tuple[str, str]] = {}
    read = of_each_pipeline(root, lambda project: project.pipeline) if root else {}
    for pipeline in read.values():
        for component in pipeline.components:
            for each in component.inputs:
                # where this run's product may stand in for the stored version, the two are compared
                if component.gates and each.stored and each.stored.initially:
                    wanted = Reference.parse(pipeline.full(each.stored.reference))
                    found[wanted.name] = wanted.selector, component.name
    meant = [each for each in found if name in (each, short_name(each))]
    if len(meant) > 1 and f"{maker}/{name}" in meant:
        meant = [f"{maker}/{name}"]
    if root and not meant:
        raise SettingError(f"no component compares anything with a stored {name}: {nearest(name, found)}")
    if len(meant) > 1:
        raise SettingError(f"several pipelines compare with a stored {name}; write {' or '.join(sorted(meant))}")
    return (meant[0], *found[meant[0]]) if meant else (name, "reference", None)


def _verdicts(store: Store, version: Version, component: str | None) -> Iterator[Version]:
    """The verdicts on a version by one component (by any where it is None), the newest first."""
    for record in judgements(version, store, component):
        for link in record.outputs.values():
            if link.type == ArtifactType.VERDICT and (found := store.find(Reference.parse(link.version))):
                yield found
