"""The store: one handle on objects, versions, aliases, runs, keys and outboxes, wherever they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.core.artifact import ArtifactType, Reference, Version
from relet.core.record import RunRecord
from relet.errors import NotFoundError, nearest
from relet.store import aliases, claims, objects, runs, upkeep, versions
from relet.store.address import open_bucket
from relet.store.aliases import AliasMove
from relet.store.bucket import Bucket
from relet.store.journal import SearchJournal, searches
from relet.store.layout import alias_name, artifact_name, object_path
from relet.store.upkeep import GRACE, StoreProblem

if TYPE_CHECKING:
    from relet.store.arrival import ImportedBundle
    from relet.store.history import VersionLineage


class Store:
    """All methods raise StoreError where the place can't be read or written, DamagedError where what it gives
    back is not what was stored, and NotFoundError, with the nearest right name, where there is no such thing.
    Any number of processes and threads may write at once.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._noted: dict[tuple[str, str], frozenset[str]] = {}

    @property
    def url(self) -> str:
        """Where it is: for a folder, its absolute path."""
        return self._bucket.url

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    def put_object(self, content: bytes | Path) -> str:
        """Store bytes or a file; its SHA-256. What is there already is not written again."""
        return objects.put(self._bucket, content)

    def read_object(self, sha: str) -> bytes:
        """An object's bytes, verified."""
        return objects.read(self._bucket, sha)

    def fetch_object(self, sha: str, to: Path) -> None:
        """Write an object to a file, which appears whole and verified or not at all."""
        objects.fetch(self._bucket, sha, to)

    def has_object(self, sha: str) -> bool:
        return self._bucket.head(object_path(sha)) is not None

    def add_version(
        self,
        *,
        name: str,
        type: ArtifactType | str,
        content: str,
        files: Mapping[str, str],
        description: str = "",
        metadata: Mapping[str, Any] | None = None,
        producer: str | None = None,
    ) -> Version:
        """Store a version under the next number; the existing one where this content is stored under that name.

        `files` maps relative paths to the SHA-256 of objects, which must be stored before; `content` is the
        digest that keys use.
        """
        draft = Version(
            name=artifact_name(name),
            number=0,
            type=ArtifactType(type),
            content=content,
            files=dict(files),
            description=description,
            metadata=dict(metadata or {}),
            producer=producer,
        )
        return versions.add(self._bucket, draft)

    def version(self, reference: str | Reference) -> Version:
        """The version that `clean_sample:v3`, `model:prod` or `model` (the latest) names."""
        return versions.get(self._bucket, _as_reference(reference))

    def find(self, reference: str | Reference) -> Version | None:
        """The version that a reference names, or None."""
        return versions.find(self._bucket, _as_reference(reference))

    def find_content(self, name: str, content: str) -> Version | None:
        """The version of an artifact that has this content digest, whatever its number, or None."""
        return versions.find_content(self._bucket, artifact_name(name), content)

    def versions(self, name: str) -> list[Version]:
        """An artifact's versions that were not pruned, the oldest first."""
        return versions.living_versions(self._bucket, name)

    def names(self) -> list[str]:
        """The names of all artifacts, sorted."""
        return versions.names(self._bucket)

    def set_alias(self, name: str, alias: str, number: int, *, by: str, why: str) -> None:
        """Set an alias to a version that is there; nothing is written where it is set so already."""
        alias_name(alias)
        self.version(Reference(artifact_name(name), f"v{number}"))
        aliases.move(self._bucket, name, alias, number, by=by, why=why)

    def aliases(self, name: str) -> dict[str, int]:
        """Each alias of an artifact, with the number of the version that it is set to."""
        return aliases.current_numbers(self._bucket, name)

    def alias_history(self, name: str, alias: str) -> list[AliasMove]:
        """Every move of an alias, the first one first."""
        found = aliases.history(self._bucket, name, alias)
        if not found:
            raise NotFoundError(f"{name} has no alias {alias!r}: {nearest(alias, self.aliases(name))}")
        return found

    def materialize(self, version: Version, folder: Path) -> None:
        """Write a version's files below a folder, each verified."""
        versions.materialize(self._bucket, version, folder)

    def put_run(self, record: RunRecord) -> None:
        """Write a run's record, over the one before."""
        runs.put(self._bucket, record)

    def run(self, id: str) -> RunRecord:
        """A run's record."""
        return runs.get_record(self._bucket, id)

    def runs(self, limit: int | None = None, unread: list[str] | None = None) -> Iterator[RunRecord]:
        """The run records that can be read, the newest first; the ids of the others are added to `unread`."""
        return runs.newest_first(self._bucket, limit, unread)

    def run_ids(self) -> list[str]:
        """The ids of all runs, the newest first; no record is read."""
        return runs.ids(self._bucket)

    def put_key(self, key: str, outputs: Mapping[str, str], run: str | None = None) -> None:
        """Write down what a key leads to, output name → `clean_sample:v3`, and the run that made it."""
        runs.put_key(self._bucket, key, outputs, run)

    def key(self, key: str) -> dict[str, str] | None:
        """What a key leads to; None unless every version and all its objects are there."""
        return runs.outputs_of(self._bucket, key)

    def maker(self, key: str) -> str | None:
        """The run that last made what a key leads to, or None where that is not known."""
        return runs.maker(self._bucket, key)

    def claim(self, name: str, *, waiting: Callable[[], None] | None = None) -> AbstractContextManager[None]:
        """Hold the claim on a name, such as a key, so that no other process makes the same meanwhile.

        Waits while another holds it, after calling `waiting` once; a holder that died holds nothing.
        """
        return claims.claim(self._bucket, name, waiting=waiting)

    def journal(self, search: str) -> SearchJournal:
        """The journal of a search, there or not yet."""
        return SearchJournal(self._bucket, search)

    def searches(self) -> list[str]:
        """The ids of the searches that have a journal, sorted."""
        return searches(self._bucket)

    def put_pending(self, tracker: str, run_id: str) -> None:
        """Note in a tracker's outbox that it has to be sent this run's record as it is now."""
        runs.put_pending(self._bucket, tracker, run_id)

    def pending(self, tracker: str) -> list[str]:
        """The runs whose records a tracker has not been sent, the oldest first."""
        found = runs.pending(self._bucket, tracker)
        self._noted |= {(tracker, run_id): notes for run_id, notes in found.items()}
        return list(found)

    def done(self, tracker: str, run_id: str) -> None:
        """Take a run out of a tracker's outbox, unless it was noted again since this handle's last `pending`:
        then the record has changed since it was read, and has to be sent once more.
        """
        notes = self._noted.pop((tracker, run_id), None)
        if notes is None:
            notes = runs.pending(self._bucket, tracker).get(run_id, frozenset())
        if notes:
            self._bucket.delete(sorted(notes))

    def verify(self) -> list[StoreProblem]:
        """Read everything and name what is broken; damaged objects are moved aside."""
        return upkeep.verify(self._bucket)

    def prune(self, keep: int = 10) -> list[str]:
        """Forget all but the newest versions of each artifact and what an alias holds; what was pruned."""
        return upkeep.prune(self._bucket, keep)

    def gc(self, older_than: timedelta = GRACE) -> list[str]:
        """Delete what nothing refers to and what is older than `older_than`; the paths that were deleted."""
        return upkeep.collect(self._bucket, older_than)

    def export_version(self, reference: str | Reference, path: Path) -> None:
        """Write a version to a tar file, the same bytes every time."""
        from relet.store import transfer

        transfer.export_version(self._bucket, self.version(reference), path)

    def export_history(self, reference: str | Reference, path: Path) -> VersionLineage:
        """Write a version to a tar file with all that it stands on, the same bytes every time; what is in it.

        Raises NotFoundError naming each thing that making it again stands on and that is gone.
        """
        from relet.store import history, transfer

        found = history.gather(self._bucket, self.version(reference))
        transfer.export_bundle(self._bucket, found.bundle, path)
        return found

    def import_bundle(self, path: Path) -> ImportedBundle:
        """Store what a tar file holds, a version alone or with its history; what is equal is not stored twice."""
        from relet.store import transfer

        return transfer.import_file(self._bucket, path)

    def import_version(self, path: Path) -> Version:
        """The same, giving the version that the tar file was made for, as it is here."""
        return self.import_bundle(path).version


def open_store(url: str | Path) -> Store:
    """The store at a folder, `memory://`, `memory://name`, `s3://bucket/prefix`, `gs://…` or `az://…`.

    Nothing is made until something is written. Credentials come from the environment.

    >>> store = open_store("memory://")
    >>> sha = store.put_object(b"rows")
    >>> str(store.add_version(name="sample", type="file", content=sha, files={"sample.csv": sha}))
    'sample:v1'
    """
    return Store(open_bucket(str(url)))


def _as_reference(reference: str | Reference) -> Reference:
    return Reference.parse(reference) if isinstance(reference, str) else reference
