"""What a name without a pipeline means, where nobody says which pipeline is meant."""

from __future__ import annotations

from contextlib import suppress

from relet.core.artifact import DETERMINISM, REPRODUCTION, Reference, Version, is_full_name
from relet.errors import DamagedError, NotFoundError
from relet.store import versions
from relet.store.bucket import Bucket


def full_reference(bucket: Bucket, reference: Reference) -> Reference:
    """The reference that a short one means: with the full name of the one pipeline which has such an artifact.

    A full reference stays as it is. So does a short one where no pipeline has such an artifact, and where it names
    a version by the number that an older relet gave it, which no pipeline, or more than one, inherits.
    Raises NotFoundError, naming them all, where several pipelines have what is meant.
    """
    if is_full_name(reference.name) or reference.name in (REPRODUCTION, DETERMINISM):
        return reference
    found = versions.owners(bucket, reference.name)
    if found and reference.number is not None:
        if older := _readable(bucket, reference):
            inheriting = heirs(bucket, older)
            return Reference(inheriting[0], reference.selector) if len(inheriting) == 1 else reference
        found = [name for name in found if reference.number in versions.version_numbers(bucket, name)] or found
    if len(found) > 1:
        meant = " or ".join(f"{name}:{reference.selector}" for name in found)
        raise NotFoundError(
            f"{reference} is not clear: {len(found)} pipelines have such an artifact; write {meant}"
        )
    return Reference(found[0], reference.selector) if found else reference


def heirs(bucket: Bucket, version: Version) -> list[str]:
    """The full names of the pipelines that inherit a version which an older relet stored under a short name."""
    if is_full_name(version.name):
        return []
    found = versions.owners(bucket, version.name)
    return [each for each in found if _readable(bucket, Reference(each, f"v{version.number}")) == version]


def _readable(bucket: Bucket, reference: Reference) -> Version | None:
    with suppress(DamagedError):
        return versions.find(bucket, reference)
    return None
