"""The origin of a version, for the first section of a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relet.errors import NotFoundError

if TYPE_CHECKING:
    from relet.core.artifact import Version
    from relet.store import Store


def provenance(store: Store, version: Version) -> dict[str, str]:
    """Name → text: the aliases of a version, its time, its component, run and commit, and its inputs."""
    return dict(_provenance_facts(store, version))


def _provenance_facts(store: Store, version: Version) -> Iterator[tuple[str, str]]:
    yield "version", str(version)
    yield "aliases", ", ".join(store.aliases_of(version)) or "none"
    yield "made", f"{version.created[:16].replace('T', ' ')} UTC" if version.created else "unknown"
    yield "content", version.content
    if version.producer is None:
        yield "made by", "nothing that was recorded"
        return
    try:
        run = store.run(version.producer)
    except NotFoundError:
        yield "made by", f"run {version.producer}, whose record is gone"
        return
    yield "made by", f"{run.component} of {run.pipeline}"
    yield "run", run.id
    yield "commit", run.code.commit_in_words
    yield "from", ", ".join(link.version for link in run.inputs.values()) or "no other artifact"
    if run.parameters:
        yield "parameters", ", ".join(f"{name} {value}" for name, value in run.parameters.items())
